"""The signatures by which a ShotGrid site shows that a request comes from it."""

import hashlib
import hmac
from collections.abc import Mapping

#: The field of a menu item's form that holds its signature, over all others.
SIGNATURE = "signature"


def webhook_signature(token: str, body: bytes) -> str:
    """Return what `x-sg-signature` says: HMAC-SHA1 over the body as it was sent."""
    return "sha1=" + hmac.new(token.encode(), body, hashlib.sha1).hexdigest()


def menu_signature(secret: str, fields: Mapping[str, str]) -> str:
    r"""
    Return the signature of a menu item's form.

    HMAC-SHA1 over `key=value\r\n` of every field but the signature, sorted, empty ones included
    (Autodesk, "Custom Action Menu Items", signed requests).
    """
    lines = sorted(f"{name}={value}\r\n" for name, value in fields.items() if name != SIGNATURE)
    return hmac.new(secret.encode(), "".join(lines).encode(), hashlib.sha1).hexdigest()


def is_same(given: str, right: str) -> bool:
    """Compare signatures in constant time; the case of their hexadecimal digits is free."""
    return hmac.compare_digest(given.strip().lower().encode(), right.encode())
