"""
Signatures over records with the studio's key, and time-stamp tokens over checkpoints
(RFC 3161).
"""

import base64
import os
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from haikei.errors import OutletUnavailable, ProofInvalid, SettingsError, StateError
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
        path = given or _development_key(settings.work_folder / "keys")
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


_TIMEOUT = 20.0
_MOST_BYTES = 200_000
#: The tag of the certificates in signed data: [0], implicit and constructed.
_CERTIFICATES = 0xA0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStamper:
    """Asks a time-stamp authority, and believes only what its root certificate confirms."""

    url: str
    trust: bytes  #: root certificates, and intermediate ones where tokens lack them, in PEM

    def stamp(self, note: str) -> bytes:
        """
        Return the authority's response (DER) over a note.

        Raises:
            OutletUnavailable: the authority cannot be reached, or refuses.
            ProofInvalid: its token does not verify.
        """
        try:
            token, nonce = ask_time_stamp(self.url, note.encode())
        except OutletUnavailable as error:
            raise OutletUnavailable(
                f"The time-stamp authority {self.url} gives no token: {error}.",
                advice="Checkpoints are made without it; it is asked again.",
            ) from error
        self.check(token, note, nonce=nonce)
        return token

    def check(self, token: bytes, note: str, *, nonce: int | None = None) -> datetime:
        """
        Return when the authority saw a note.

        Raises:
            ProofInvalid: the token is not over this note, or not by this authority.
        """
        from cryptography import x509
        from rfc3161_client import (
            VerificationError,
            VerifierBuilder,
            decode_timestamp_response,
        )

        certificates = x509.load_pem_x509_certificates(self.trust)
        roots = [one for one in certificates if one.issuer == one.subject]
        between = [one for one in certificates if one.issuer != one.subject]
        verifier = VerifierBuilder(roots=roots, intermediates=between, nonce=nonce).build()
        try:
            response = decode_timestamp_response(_in_order(token))
            verifier.verify_message(response, note.encode())
        except (VerificationError, ValueError, IndexError) as error:
            raise ProofInvalid(
                f"The time-stamp token does not verify: {error}.",
                advice="Check signing.timestamp_url and signing.timestamp_trust_file.",
            ) from error
        at: datetime = response.tst_info.gen_time
        return at


def ask_time_stamp(url: str, data: bytes) -> tuple[bytes, int | None]:
    """
    Return an authority's response (RFC 3161, DER) over data, unchecked, and what it must repeat.

    Raises:
        OutletUnavailable: it cannot be reached, or refuses; the message is the reason alone, as
            what becomes of it differs between those who ask.
    """
    import httpx
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder().data(data)
    request = builder.hash_algorithm(HashAlgorithm.SHA256).build()
    try:
        answer = httpx.post(
            url,
            content=request.as_bytes(),
            headers={"Content-Type": "application/timestamp-query"},
            timeout=_TIMEOUT,
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise OutletUnavailable(str(error)) from error
    return answer.content[:_MOST_BYTES], request.nonce


def token_of(response: bytes) -> bytes:
    """
    Return the token (DER) in an authority's response; empty where it grants none.

    Raises:
        ValueError: it is no DER.
    """
    try:
        _, *granted = _whole(response, *_head(response, 0))
    except IndexError as error:
        message = "the response ends too soon"
        raise ValueError(message) from error
    return response[slice(*granted[0])] if granted else b""


def time_stamper(settings: Settings) -> TimeStamper | None:
    """
    Return the studio's time-stamp authority; None when none is set.

    Raises:
        SettingsError: its root certificate is not set, or cannot be read.
    """
    url, path = settings.signing.timestamp_url, settings.signing.timestamp_trust_file
    if url is None:
        return None
    if path is None:
        raise SettingsError(
            "signing.timestamp_url is set, but nothing to check its tokens against.",
            advice="Set signing.timestamp_trust_file to the authority's root certificate (PEM).",
        )
    return TimeStamper(url=str(url), trust=_certificates(path))


def _certificates(path: Path) -> bytes:
    from cryptography import x509

    try:
        text = path.read_bytes()
        roots = [one for one in x509.load_pem_x509_certificates(text) if one.issuer == one.subject]
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The certificates in {path} cannot be read: {error}.",
            advice="Give the authority's root certificate in PEM.",
        ) from error
    if not roots:
        raise SettingsError(f"There is no root certificate in {path}.")
    return text


def _in_order(token: bytes) -> bytes:
    """
    Return a response whose certificates stand in the order that DER asks of a set.

    OpenSSL's authorities leave them as they were configured, which a strict parser refuses. They
    are in no signature, so that their order can be put right.

    Source: RFC 5652, section 5.1; ITU-T X.690, section 11.6.
    """
    stretch = 0, len(token)
    # The response, its token, what the token holds, the signed data.
    for place in (0, 1, 1, 0):
        stretch = _parts(token, *stretch)[place]
    after_content = _parts(token, *stretch)[2][1]
    if token[after_content] != _CERTIFICATES:
        return token
    start, end = _head(token, after_content)
    certificates = sorted(token[one:two] for one, two in _whole(token, start, end))
    return token[:start] + b"".join(certificates) + token[end:]


def _parts(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Return where the contents of the elements in a stretch of DER begin and end."""
    return [_head(data, at) for at, _ in _whole(data, start, end)]


def _whole(data: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Return where the elements in a stretch of DER begin and end."""
    found: list[tuple[int, int]] = []
    while start < end:
        after = _head(data, start)[1]
        found.append((start, after))
        start = after
    return found


def _head(data: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the element of DER that begins here begins and ends."""
    length, begin = data[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(data[at + 2 : begin], "big")
    if begin + length > len(data):
        message = "an element is longer than the token"
        raise ValueError(message)
    return begin, begin + length
