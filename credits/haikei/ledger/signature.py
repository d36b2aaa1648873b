"""Signatures over records: with the studio's key, or with one made on first run and named so."""

import base64
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from haikei.errors import SettingsError, StateError
from haikei.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """An Ed25519 signature (RFC 8032)."""

    algorithm: str
    key_kind: str  #: `studio`, or `development` for a key that Haikei made by itself
    public_key: str  #: 32 bytes, base64
    value: str  #: 64 bytes, base64


class Signer:
    """
    Signs records.

    Raises:
        SettingsError: the studio's key cannot be read.
        StateError: no development key can be made.
    """

    def __init__(self, settings: Settings) -> None:
        given = settings.signing.key_file
        self._kind = "studio" if given is not None else "development"
        path = given or _development_key(settings.studio.state / "keys")
        self._key = _read(path)

    @property
    def public_key(self) -> bytes:
        """The key that verifies, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, text: str) -> Signature:
        """Return the signature over the text in UTF-8; the same text gives the same signature."""
        return Signature(
            algorithm="ed25519",
            key_kind=self._kind,
            public_key=base64.b64encode(self.public_key).decode(),
            value=base64.b64encode(self._key.sign(text.encode())).decode(),
        )


def _read(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            f"The signing key {path} cannot be read: {error}.",
            advice="Give an unencrypted Ed25519 private key in PEM.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(
            f"The signing key {path} is no Ed25519 key.",
            advice="Make one with `openssl genpkey -algorithm ed25519`.",
        )
    return key


def _development_key(folder: Path) -> Path:
    path = folder / "development-ed25519.pem"
    if path.exists():
        return path
    text = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    mine = folder / f".development-{os.getpid()}-{threading.get_ident()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            # Of two workers that start at once, one makes the key and the other takes it.
            path.hardlink_to(mine)
        except FileExistsError:
            pass
        finally:
            mine.unlink(missing_ok=True)
    except OSError as error:
        raise StateError(f"No signing key can be made in {folder}: {error}.") from error
    return path
