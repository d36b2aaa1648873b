"""Time-stamp tokens over checkpoints: somebody else says when they were there (RFC 3161)."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from haikei.errors import OutletUnavailable, ProofInvalid, SettingsError
from haikei.settings import Settings

_TIMEOUT = 20.0
_MOST_BYTES = 200_000


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
            response = decode_timestamp_response(token)
            verifier.verify_message(response, note.encode())
        except (VerificationError, ValueError) as error:
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
