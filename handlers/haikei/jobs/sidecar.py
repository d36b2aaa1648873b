"""
Files that a job writes whole: its own, to go on from after a kill, and the signed
record beside a background.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from haikei.canonical import canonical_json
from haikei.credits import CreditLine, ImageRecord, overall_source_type
from haikei.errors import StorageUnavailable
from haikei.files import write_whole
from haikei.ledger import Signer

FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    v: int
    studio: str
    job: str
    code: str
    credit: CreditLine
    source_type: str
    images: tuple[ImageRecord, ...]


def sidecar_text(
    images: Sequence[ImageRecord],
    *,
    studio: str,
    key: str,
    code: str,
    credit: CreditLine,
    signer: Signer,
) -> str:
    """
    Return the full record and the signature over its canonical JSON, as one JSON object.

    The record stands in canonical form, so that what was signed can be cut out as it is.

    Args:
        images: the layout first, the published image last.
        studio: the studio's name.
        key: the version's, in our database.
        code: the version's, in the tracker.
        credit: the credit line.
        signer: signs the record.
    """
    record = canonical_json(
        _Sealed(
            v=FORMAT,
            studio=studio,
            job=key,
            code=code,
            credit=credit,
            source_type=overall_source_type(images).value,
            images=tuple(images),
        )
    )
    signature = canonical_json(signer.sign(record))
    return f'{{"record":{record},"signature":{signature}}}\n'


def write_job_file(path: Path, content: bytes) -> None:
    """
    Write a file whole, or not at all.

    Raises:
        StorageUnavailable: it cannot be written.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be written: {error}.") from error
