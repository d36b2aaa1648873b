"""
Checkpoints: the size and root of the ledger at one moment, signed.

Source: C2SP tlog-checkpoint, https://c2sp.org/tlog-checkpoint.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, Row, select

from haikei.database import ledger_checkpoints
from haikei.errors import ProofInvalid
from haikei.ledger.note import NoteSigner, VerifierKey, note_text, open_note
from haikei.ledger.signature import Signer
from haikei.settings import Settings

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
