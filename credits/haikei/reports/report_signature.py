"""
A detached signature beside a report, so that whoever receives it can tell that it is ours.

The `.sig` file is JSON: `statement` says what was signed (the file's SHA-256, its name, the report,
the scope, the moment and the ledger's size), and `signature` holds the Ed25519 signature (RFC 8032)
over the statement's canonical JSON (RFC 8785) in UTF-8.
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
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
        text = json.dumps(to_plain(value), ensure_ascii=False, indent=1) + "\n"
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
