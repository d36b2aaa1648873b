"""
Checkpoints: size and root of the ledger at one moment, as signed notes that one line
verifies.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Row, select

from haikei.database import ledger_checkpoints
from haikei.errors import ProofInvalid
from haikei.ledger.signing import Signer
from haikei.settings import Settings

_ED25519 = b"\x01"
_NAME = re.compile(r"[^\s+]+")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """What an outsider needs to verify a signed note."""

    name: str  #: the ledger's origin; no spaces, no plus signs
    public: bytes  #: Ed25519, 32 bytes

    @property
    def id(self) -> bytes:
        """The four bytes that tell keys of one name apart."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public
        return hashlib.sha256(named).digest()[:4]

    def __str__(self) -> str:
        """Return the key as a vkey: name, id and key in one line."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Return the key that a vkey stands for.

        Raises:
            ProofInvalid: it is none, or no Ed25519 key.
        """
        try:
            name, key_id, encoded = text.strip().split("+", 2)
            key = _decoded(encoded)
        except (ValueError, binascii.Error) as error:
            raise ProofInvalid(f"{text!r} is no vkey.") from error
        found = cls(name=name, public=key[1:])
        if key[:1] != _ED25519 or len(key) != 33 or found.id.hex() != key_id:
            raise ProofInvalid(f"{text!r} is no vkey of an Ed25519 key.")
        return found


class NoteSigner:
    """
    Signs notes under a name.

    Args:
        signer: holds the key.
        name: the name that stands in the vkey and beside each signature.

    Raises:
        ProofInvalid: the name has spaces or plus signs.
    """

    def __init__(self, signer: Signer, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise ProofInvalid(
                f"{name!r} cannot name a ledger: it has spaces or plus signs, or is empty.",
                advice="Set ledger.origin to something like studio.example/haikei.",
            )
        self._signer = signer
        self.key = VerifierKey(name=name, public=signer.public_key)

    def sign(self, text: str) -> str:
        """Return the text with its signature; the text must end with a line break."""
        value = base64.b64decode(self._signer.sign(text).value)
        encoded = base64.b64encode(self.key.id + value).decode()
        return f"{text}\n— {self.key.name} {encoded}\n"


def note_text(note: str) -> str:
    """
    Return what was signed, without looking at the signatures.

    Raises:
        ProofInvalid: it has not the form of a signed note.
    """
    text, signatures = _halves(note)
    if not signatures:
        raise ProofInvalid("The note has no signature.")
    return text


def signed_by(note: str, key: VerifierKey) -> bool:
    """
    Tell whether a note bears this key's name and id; whether rightly, `open_note` tells.

    Raises:
        ProofInvalid: it has not the form of a signed note.
    """
    return any(name == key.name and value[:4] == key.id for name, value in _halves(note)[1])


def open_note(note: str, key: VerifierKey) -> str:
    """
    Return what a key has signed.

    Raises:
        ProofInvalid: the key has not signed it.
    """
    text, signatures = _halves(note)
    for name, value in signatures:
        if name == key.name and value[:4] == key.id:
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(value[4:], text.encode())
            except InvalidSignature:
                raise ProofInvalid(f"The signature of {key.name} is not valid.") from None
            return text
    raise ProofInvalid(f"The note is not signed by {key}.")


def _halves(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise ProofInvalid("This is no signed note.")
    signatures: list[tuple[str, bytes]] = []
    for line in tail.removesuffix("\n").split("\n"):
        found = _SIGNATURE.fullmatch(line)
        if found is None:
            raise ProofInvalid("This is no signed note: a line is no signature.")
        try:
            signatures.append((found[1], _decoded(found[2])))
        except binascii.Error as error:
            raise ProofInvalid("This is no signed note: a signature is not base64.") from error
    return text + "\n", signatures


def _decoded(text: str) -> bytes:
    value = base64.b64decode(text, validate=True)
    # The last character holds bits that no byte needs: only one spelling is the note's own.
    if base64.b64encode(value).decode("ascii") != text:
        raise binascii.Error("not the canonical encoding")
    return value


_NUMBER = re.compile(r"0|[1-9][0-9]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a checkpoint says."""

    origin: str  #: which ledger
    size: int  #: entries
    root: bytes  #: of the Merkle tree over them

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Return what the text of a checkpoint says; lines that extend it are allowed.

        Raises:
            ProofInvalid: it is no checkpoint.
        """
        try:
            origin, number, encoded, *_ = text.split("\n")
            root = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error) as error:
            raise ProofInvalid("The note is no checkpoint of a ledger.") from error
        if not origin or len(root) != 32 or not _NUMBER.fullmatch(number):
            raise ProofInvalid("The note is no checkpoint of a ledger.")
        return cls(origin=origin, size=int(number), root=root)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint as it leaves the building."""

    checkpoint: Checkpoint
    note: str  #: its text with our signature
    token: bytes | None  #: an RFC 3161 response (DER) over the note, once there is one
    made_at: datetime  #: by this machine's clock


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """
    Return the checkpoint that a key has signed.

    Raises:
        ProofInvalid: the key has not signed it, or it is no checkpoint.
    """
    return Checkpoint.parse(open_note(note, key))


def read_checkpoint(note: str) -> Checkpoint:
    """
    Return what a checkpoint says, whoever signed it.

    Raises:
        ProofInvalid: it is no checkpoint.
    """
    return Checkpoint.parse(note_text(note))


def checkpoints(connection: Connection) -> tuple[SignedCheckpoint, ...]:
    """
    Return all checkpoints, the smallest first.

    Raises:
        ProofInvalid: one is damaged.
    """
    rows = connection.execute(select(ledger_checkpoints).order_by(ledger_checkpoints.c.size))
    return tuple(_signed(row) for row in rows)


def newest_checkpoint(connection: Connection) -> SignedCheckpoint | None:
    """
    Return the newest checkpoint.

    Raises:
        ProofInvalid: it is damaged.
    """
    query = select(ledger_checkpoints).order_by(ledger_checkpoints.c.size.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _signed(row)


def origin_of(settings: Settings) -> str:
    """Return the ledger's name: as it is set, or from the studio's."""
    if settings.ledger.origin:
        return settings.ledger.origin
    name = re.sub(r"[\s+]+", "-", settings.studio.name.strip().casefold())
    return f"{name or 'studio'}/haikei"


def note_signer(settings: Settings) -> NoteSigner:
    """
    Return what signs the studio's checkpoints.

    Raises:
        SettingsError: the studio's key cannot be read.
        ProofInvalid: the ledger's origin is no name.
        StateError: no development key can be made.
    """
    return NoteSigner(Signer(settings), origin_of(settings))


def _signed(row: Row[Any]) -> SignedCheckpoint:
    return SignedCheckpoint(
        checkpoint=read_checkpoint(row.note),
        note=row.note,
        token=None if row.token is None else bytes(row.token),
        made_at=row.made_at,
    )
