"""
Signed notes: short texts with a signature that a line of text is enough to verify.

Source: C2SP signed-note, https://c2sp.org/signed-note, with Ed25519 (signature type 0x01).
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from haikei.errors import ProofInvalid
from haikei.ledger.signature import Signer

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
            key = base64.b64decode(encoded, validate=True)
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
            signatures.append((found[1], base64.b64decode(found[2], validate=True)))
        except binascii.Error as error:
            raise ProofInvalid("This is no signed note: a signature is not base64.") from error
    return text + "\n", signatures
