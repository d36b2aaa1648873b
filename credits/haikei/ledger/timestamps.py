"""Time-stamp tokens over checkpoints: somebody else says when they were there (RFC 3161)."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from haikei.errors import OutletUnavailable, ProofInvalid, SettingsError
from haikei.settings import Settings

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
        import httpx
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

        builder = TimestampRequestBuilder().data(note.encode())
        request = builder.hash_algorithm(HashAlgorithm.SHA256).build()
        try:
            answer = httpx.post(
                self.url,
                content=request.as_bytes(),
                headers={"Content-Type": "application/timestamp-query"},
                timeout=_TIMEOUT,
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise OutletUnavailable(
                f"The time-stamp authority {self.url} gives no token: {error}.",
                advice="Checkpoints are made without it; it is asked again.",
            ) from error
        token = answer.content[:_MOST_BYTES]
        self.check(token, note, nonce=request.nonce)
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
