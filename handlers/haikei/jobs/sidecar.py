"""What travels with a background: a short record in the file, and a full, signed one beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from haikei.credits import CreditLine, ImageRecord, Person, System
from haikei.jobs.generate import Generated
from haikei.jobs.job import JobOrder
from haikei.jobs.signature import Signer
from haikei.ledger import canonical_json

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _StageNote:
    stage: str
    request_sha256: str
    pixels_sha256: str
    system: System


@dataclass(frozen=True, slots=True, kw_only=True)
class _Embedded:
    v: int
    job: str
    code: str
    layout_sha256: str
    artists: tuple[Person, ...]
    stages: tuple[_StageNote, ...]
    credit: CreditLine
    source_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    v: int
    studio: str
    job: str
    code: str
    credit: CreditLine
    source_type: str
    images: tuple[ImageRecord, ...]


def embedded_record(
    order: JobOrder,
    generated: Generated,
    *,
    code: str,
    artists: tuple[Person, ...],
    credit: CreditLine,
    source_type: str,
) -> str:
    """Return the record that stands in the file itself, which cannot hold the file's own hash."""
    stages = tuple(
        _StageNote(
            stage=stage.stage,
            request_sha256=stage.request_sha256,
            pixels_sha256=stage.pixels_sha256,
            system=stage.system,
        )
        for stage in generated.stages
    )
    return canonical_json(
        _Embedded(
            v=FORMAT,
            job=order.key,
            code=code,
            layout_sha256=order.layout_sha256,
            artists=artists,
            stages=stages,
            credit=credit,
            source_type=source_type,
        )
    )


def sidecar_text(
    order: JobOrder,
    images: Sequence[ImageRecord],
    *,
    studio: str,
    code: str,
    credit: CreditLine,
    source_type: str,
    signer: Signer,
) -> str:
    """
    Return the full record and the signature over its canonical JSON, as one JSON object.

    The record stands in canonical form, so that what was signed can be cut out as it is.
    """
    record = canonical_json(
        _Sealed(
            v=FORMAT,
            studio=studio,
            job=order.key,
            code=code,
            credit=credit,
            source_type=source_type,
            images=tuple(images),
        )
    )
    signature = canonical_json(signer.sign(record))
    return f'{{"record":{record},"signature":{signature}}}\n'
