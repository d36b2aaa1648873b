"""Who signs files: the studio's certificate, a key service, or a development authority."""

from importlib.metadata import entry_points
from typing import Literal, Self, cast

from cryptography.hazmat.primitives import serialization

from haikei.database import utc_now
from haikei.errors import SettingsError, SigningUnavailable
from haikei.provenance.certificate import (
    Chain,
    SignBytes,
    chain_from_pem,
    people_roots,
    raw_signature,
    read_chain,
    read_roots,
    sign_with_key,
    signing,
)
from haikei.provenance.development import development_certificate
from haikei.provenance.identity import PersonIdentity, identities
from haikei.provenance.revocation import CertificateStatus, ask_status
from haikei.settings import Settings

GROUP = "haikei.signers"


class MarkSigner:
    """
    Signs the manifests of files. One serves all threads of a process.

    Args:
        chain: the certificate in whose name it signs.
        sign: gives raw signatures with that certificate's key.
        kind: `development` when nobody but this studio's own machines can know it.
        trust_pem: roots against which our own files and others' are checked.
        timestamp_url: a time-stamp authority; without it files hold no longer than the certificate.
        timestamp_trust_pem: its roots.
        write_prompts: whether prompts may stand in files.
        mining: what files say of data mining.
        identities: people who sign for their own steps.
        people_trust_pem: roots of their certificates.
    """

    def __init__(
        self,
        *,
        chain: Chain,
        sign: SignBytes,
        kind: Literal["studio", "development"],
        trust_pem: str,
        timestamp_url: str | None = None,
        timestamp_trust_pem: str = "",
        write_prompts: bool = False,
        mining: Literal["forbidden", "allowed", "unsaid"] = "forbidden",
        identities: tuple[PersonIdentity, ...] = (),
        people_trust_pem: str = "",
    ) -> None:
        self._sign = sign
        self.chain = chain
        self.kind: Literal["studio", "development"] = kind
        self.trust_pem = trust_pem
        self.timestamp_url = timestamp_url
        self.timestamp_trust_pem = timestamp_trust_pem
        self.write_prompts = write_prompts
        self.mining: Literal["forbidden", "allowed", "unsaid"] = mining
        self.identities = identities
        self.people_trust_pem = people_trust_pem
        self._status: CertificateStatus | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """
        Return the signer that the settings name, or one with a development certificate.

        Raises:
            SettingsError: a certificate, key or signer does not exist, fit or hold.
            StateError: no development certificate can be made.
        """
        given = settings.signing
        if given.certificate_file is not None:
            chain = read_chain(given.certificate_file)
            sign = _studio_key(settings, chain)
            own_root = chain.root_pem
            kind: Literal["studio", "development"] = "studio"
        elif given.signer is not None or given.certificate_key_file is not None:
            raise SettingsError(
                "A key or signer for files is set, but not whose it is.",
                advice="Set signing.certificate_file to its certificate chain.",
            )
        else:
            made = development_certificate(
                settings.studio.state / "keys", studio=settings.studio.name
            )
            chain = chain_from_pem(made.chain_pem.encode("ascii"), "the development certificate")
            sign = signing(serialization.load_pem_private_key(made.key_pem.encode("ascii"), None))
            own_root = made.root_pem
            kind = "development"
        return cls(
            chain=chain,
            sign=sign,
            kind=kind,
            trust_pem=own_root + read_roots(given.trust_file),
            timestamp_url=None if given.timestamp_url is None else str(given.timestamp_url),
            timestamp_trust_pem=read_roots(given.timestamp_trust_file),
            write_prompts=given.write_prompts,
            mining=given.mining,
            identities=identities(
                settings, lambda name, person: _named_signer(settings, name, person=person)
            ),
            people_trust_pem=people_roots(settings),
        )

    def sign(self, data: bytes) -> bytes:
        """
        Return the signature in COSE's form.

        Raises:
            SigningUnavailable: the key service gives none.
            SettingsError: it signs with another key than the certificate's.
        """
        try:
            signature = self._sign(data)
        except Exception as error:
            raise SigningUnavailable(
                f"The signer of {self.chain.name!r} failed: {error}.",
                advice="See whether the key service can be reached; files wait for it.",
            ) from error
        return raw_signature(signature, data, self.chain)

    def status(self) -> bytes:
        """
        Return the authority's fresh word that the certificate stands; empty if it gives none.

        Raises:
            SigningUnavailable: the authority cannot be reached, or does not say.
            SettingsError: the certificate was revoked.
        """
        if self._status is None or self._status.until <= utc_now():
            self._status = ask_status(self.chain)
        return b"" if self._status is None else self._status.response


def _studio_key(settings: Settings, chain: Chain) -> SignBytes:
    given = settings.signing
    if given.signer is None:
        if given.certificate_key_file is None:
            raise SettingsError(
                "A certificate for files is set, but no key.",
                advice="Set signing.certificate_key_file, or signing.signer for a key service.",
            )
        return sign_with_key(given.certificate_key_file, chain)
    return _named_signer(settings, given.signer)


def _named_signer(settings: Settings, name: str, **person: str) -> SignBytes:
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise SettingsError(f"There is no signer {name!r}.", advice=f"Installed signers: {known}.")
    try:
        make = found[name].load()
    except ImportError as error:
        raise SettingsError(
            f"The signer {name!r} needs a package that is not installed: {error}.",
            advice="Install what its documentation names.",
        ) from error
    return cast("SignBytes", make(settings, **person))
