"""Whom a studio trusts, for those who only read: nothing is made here."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from haikei.errors import SettingsError
from haikei.provenance.certificate import read_chain
from haikei.provenance.development import standing_root
from haikei.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoots:
    """Root certificates in PEM, one after the other; empty where nobody is trusted."""

    signers: str
    time_stamps: str


def trusted_roots(settings: Settings) -> TrustedRoots:
    """
    Return the roots of our own files' signer and of those that the settings add.

    Raises:
        SettingsError: a file of certificates does not exist or hold any.
    """
    given = settings.signing
    if given.certificate_file is not None:
        own = read_chain(given.certificate_file, to_sign=False).root_pem
    else:
        own = standing_root(settings.studio.state / "keys")
    return TrustedRoots(
        signers=own + read_roots(given.trust_file),
        time_stamps=read_roots(given.timestamp_trust_file),
    )


def read_roots(path: Path | None) -> str:
    """
    Return the certificates in a PEM file; nothing for no file.

    Raises:
        SettingsError: the file does not exist or holds none.
    """
    if path is None:
        return ""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The certificates in {path} cannot be read: {error}.",
            advice="Give a file with root certificates in PEM.",
        ) from error
    pem = serialization.Encoding.PEM
    return "".join(certificate.public_bytes(pem).decode("ascii") for certificate in found)
