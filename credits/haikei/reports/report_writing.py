"""
Write a document to a file: whole or not at all, and never over another by accident.

A detached signature beside a report tells whoever receives it that it is ours. The `.sig` file is
JSON: `statement` says what was signed (the file's SHA-256, its name, the report, the scope, the
moment and the ledger's size), and `signature` holds the Ed25519 signature (RFC 8032) over the
statement's canonical JSON (RFC 8785) in UTF-8.
"""

import base64
import gc
import json
import os
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import TypeAdapter, ValidationError

from haikei.canonical import canonical_json, to_plain
from haikei.errors import ReportError
from haikei.files import sha256_of
from haikei.ledger.checkpoint import VerifierKey
from haikei.ledger.signing import Signature, Signer
from haikei.printable import escaped, printable
from haikei.reports.document.blocks import Document
from haikei.reports.report import Format

#: Objects that are made before Python looks for cycles among them; by itself it looks at 700.
_COLLECT_EVERY = 50_000


def collect_rarely() -> None:
    """
    Let this process look for cycles of objects less often, as fits one that only writes a report.

    A report on a large show makes millions of short-lived objects without cycles: looking for them
    takes a quarter of its time.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY)


def write_report(
    document: Document, form: Format, path: Path, *, force: bool = False
) -> tuple[Path, ...]:
    """
    Write the document and return the files that now stand.

    A report of several PNG cards goes into files beside `path`, each named after its card. One that
    is signed has its signature beside it.

    Args:
        document: it is read to its end.
        form: the format; it does not follow from the path's ending.
        path: the file; its folder is made.
        force: replace a file of that name.

    Raises:
        ReportError: a file stands there already, or cannot be written, or the document does not
            suit the format. Nothing is left half-written.
    """
    if form is Format.PNG:
        return _cards(document, path, force=force)
    with _whole(path, force=force) as temporary:
        if form is Format.PDF:
            from haikei.reports.formats.pdf import write_pdf

            write_pdf(document, temporary)
        else:
            leave = escaped if form is Format.JSON else printable
            # Excel needs a byte-order mark for Japanese.
            encoding = "utf-8-sig" if form is Format.CSV else "utf-8"
            with temporary.open("w", encoding=encoding, newline="") as file:
                file.writelines(map(leave, _writer(form)(document)))
    return (path,) if document.sign is None else (path, document.sign(path))


def _writer(form: Format) -> Callable[[Document], Iterable[str]]:
    match form:
        case Format.HTML:
            from haikei.reports.formats.html import html

            return html
        case Format.CSV:
            from haikei.reports.formats.data_file import csv_file

            return csv_file
        case Format.JSON:
            from haikei.reports.formats.data_file import json_file

            return json_file
        case Format.TXT:
            from haikei.reports.formats.text import text

            return text
        case _:
            raise AssertionError("unreachable")


def _cards(document: Document, path: Path, *, force: bool) -> tuple[Path, ...]:
    from haikei.reports.formats.pdf import png

    cards = png(document)
    first, second = next(cards), next(cards, None)
    if second is None:
        with _whole(path, force=force) as temporary:
            temporary.write_bytes(first.png)
        return (path,)
    return tuple(
        _card(path, card.name, card.png, force=force) for card in chain((first, second), cards)
    )


def _card(path: Path, name: str, content: bytes, *, force: bool) -> Path:
    place = path.with_name(f"{path.stem}-{name}{path.suffix or '.png'}")
    with _whole(place, force=force) as temporary:
        temporary.write_bytes(content)
    return place


@contextmanager
def _whole(path: Path, *, force: bool) -> Generator[Path]:
    """Yield a file beside `path` that takes its name when nothing went wrong."""
    if path.exists() and not force:
        raise _occupied(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _name(temporary, path, force=force)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ReportError(
            f"{path} cannot be written: {error.strerror or error}.",
            advice="Check that its folder is writable and has free space.",
        ) from error


def _name(temporary: Path, path: Path, *, force: bool) -> None:
    if not force:
        try:
            # Unlike a rename, a link never replaces what came to stand there meanwhile.
            os.link(temporary, path)
        except FileExistsError as error:
            raise _occupied(path) from error
        except OSError:
            # Some file systems know no links; there the look before has to do.
            if path.exists():
                raise _occupied(path) from None
        else:
            return
    temporary.replace(path)


def _occupied(path: Path) -> ReportError:
    return ReportError(
        f"{path} stands already.", advice="Name another with --out, or replace it with --force."
    )


_PURPOSE = "haikei-report/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a signature says of a report."""

    purpose: str  #: `haikei-report/1`, so that it is never taken for another kind of signature
    report: str
    file: str  #: its name when it was signed
    sha256: str
    studio: str
    scope: str
    ledger_size: int  #: entries that the ledger had
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seal:
    statement: Sealed
    signature: Signature


_SEAL: TypeAdapter[_Seal] = TypeAdapter(_Seal)
_PLAIN: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def seal_path(path: Path) -> Path:
    """Return where the signature of a report stands."""
    return path.with_name(path.name + ".sig")


def seal(
    path: Path,
    signer: Signer,
    *,
    report: str,
    studio: str,
    scope: str,
    ledger_size: int,
    made_at: datetime,
) -> Path:
    """
    Sign a report that stands as a file, and return the signature's file.

    Raises:
        ReportError: the file cannot be read, or the signature not written.
    """
    statement = Sealed(
        purpose=_PURPOSE,
        report=report,
        file=path.name,
        sha256=_sha256(path),
        studio=studio,
        scope=scope,
        ledger_size=ledger_size,
        made_at=made_at,
    )
    value = _Seal(statement=statement, signature=signer.sign(canonical_json(statement)))
    target = seal_path(path)
    try:
        text = escaped(json.dumps(to_plain(value), ensure_ascii=False, indent=1)) + "\n"
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{target} cannot be written: {error.strerror or error}.") from error
    return target


def check_seal(path: Path, key: VerifierKey) -> Sealed:
    """
    Return what the signature beside a report says of it.

    Args:
        path: the report.
        key: the studio's, known by another road than the signature's own file.

    Raises:
        ReportError: there is no signature, it is not by this key, or the file is not the one.
    """
    place = seal_path(path)
    try:
        text = place.read_bytes()
        found = _SEAL.validate_json(text)
        stated = _PLAIN.validate_json(text)["statement"]
        value = base64.b64decode(found.signature.value, validate=True)
    except OSError as error:
        raise ReportError(
            f"{place} cannot be read: {error.strerror or error}.",
            advice="Ask for the .sig file that belongs beside the report.",
        ) from error
    except (ValidationError, ValueError) as error:
        raise ReportError(f"{place} is no signature of a report.") from error
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public)
        public.verify(value, canonical_json(stated).encode())
    except InvalidSignature as error:
        raise ReportError(
            f"The signature in {place} is not by the key {key}.",
            advice="Do not rely on the report; ask the studio which key is theirs.",
        ) from error
    if found.statement.purpose != _PURPOSE:
        raise ReportError(f"{place} signs something else than a report.")
    if found.statement.sha256 != _sha256(path):
        raise ReportError(
            f"{path} is not the file that was signed.",
            advice="Do not rely on it; ask for the report again.",
        )
    return found.statement


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror or error}.") from error
