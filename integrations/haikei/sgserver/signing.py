"""Addresses that open one file for a while, without signing in."""

import hashlib
import hmac
import secrets
import time
from pathlib import Path

from haikei.sgserver.media import write_atomically

#: Seconds that a signed address holds at least; the real site's hold this long.
LIFETIME = 900


class AddressSigner:
    """
    Signs paths with HMAC-SHA256 under the site's own key.

    The end of an address's life is rounded up to whole lifetimes, so that the same picture keeps
    its address for a while and browsers can cache it.
    """

    def __init__(self, key: bytes, *, lifetime: int = LIFETIME) -> None:
        self._key = key
        self._lifetime = lifetime

    @classmethod
    def open(cls, key_file: Path, *, lifetime: int = LIFETIME) -> "AddressSigner":
        """Use the key in that file; make one when there is none."""
        if not key_file.exists():
            write_atomically(key_file, secrets.token_bytes(32), mode=0o600)
        return cls(key_file.read_bytes(), lifetime=lifetime)

    def sign(self, path: str) -> str:
        """Return the path with the query that opens it."""
        expires = (int(time.time()) // self._lifetime + 2) * self._lifetime
        return f"{path}?expires={expires}&signature={self.signature(f'{path}:{expires}')}"

    def holds(self, path: str, *, expires: str | None, signature: str | None) -> bool:
        """Tell whether this path was signed and its time is not over."""
        if not expires or not signature or not expires.isascii() or not expires.isdigit():
            return False
        return self.is_signature(signature, of=f"{path}:{expires}") and int(expires) > time.time()

    def is_signature(self, signature: str, *, of: str) -> bool:
        """Tell whether a text was signed by this site."""
        return hmac.compare_digest(self.signature(of).encode(), signature.encode())

    def signature(self, text: str) -> str:
        """Return the signature of any text, in hexadecimal."""
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
