"""
Who signs files: the studio's certificate, a key service, or a development authority.

An authority's word that a certificate stands (OCSP, RFC 6960) is stapled to each signature.
C2PA's conformance programme asks for it: `rVals` in the unprotected header of the COSE signature
(Content Credentials specification 2.4, section 14.6). The signing library leaves room there,
filled with zeros, and has no way to take a response from a signer that it calls back; so the
response takes a part of that room afterwards. No signed byte changes, and no length.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, Self, cast

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from haikei.database import utc_now
from haikei.errors import MarksError, OutletUnavailable, SettingsError, SigningUnavailable
from haikei.formats import JPEG, PNG
from haikei.ledger.signing import ask_time_stamp, token_of
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
from haikei.provenance.formats import jpeg
from haikei.provenance.formats.detection import FileFormat
from haikei.provenance.identity import PersonIdentity, claim_of, identities
from haikei.settings import Settings

_TIMEOUT = 20.0
_MOST_BYTES = 100_000
#: A response without a date of its own is asked for again after this.
_FRESH = timedelta(hours=1)
_PAD, _VALUES, _STAMPS = "pad", "rVals", "sigTst2"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateStatus:
    """What an authority says of a certificate that stands."""

    response: bytes  #: OCSP response, DER
    until: datetime  #: when a newer one is due


def responder(chain: Chain) -> str:
    """Return where the authority of a chain's leaf says whether it stands; empty if nowhere."""
    leaf = x509.load_pem_x509_certificate(chain.pem.encode("ascii"))
    try:
        found = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ""
    return next(
        (
            str(one.access_location.value)
            for one in found
            if one.access_method == AuthorityInformationAccessOID.OCSP
        ),
        "",
    )


def ask_status(chain: Chain) -> CertificateStatus | None:
    """
    Return what the authority says of a chain's leaf; None when the leaf names nobody to ask.

    Raises:
        SigningUnavailable: the authority cannot be reached, or does not say.
        SettingsError: the certificate was revoked.
    """
    import httpx

    url = responder(chain)
    if not url:
        return None
    leaf, *above = x509.load_pem_x509_certificates((chain.pem + chain.root_pem).encode("ascii"))
    issuer = next((one for one in above if one.subject == leaf.issuer), None)
    if issuer is None:
        return None
    # SHA-1 only names the certificate here, and is what every responder knows (RFC 5019).
    asked = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA1()).build()  # noqa: S303
    try:
        answer = httpx.post(
            url,
            content=asked.public_bytes(serialization.Encoding.DER),
            headers={"Content-Type": "application/ocsp-request"},
            timeout=_TIMEOUT,
        )
        answer.raise_for_status()
        response = ocsp.load_der_ocsp_response(answer.content[:_MOST_BYTES])
        status = response.certificate_status
    except (httpx.HTTPError, ValueError) as error:
        raise SigningUnavailable(
            f"{url} does not say whether the certificate {chain.name!r} stands: {error}.",
            advice="See whether it can be reached; files wait for it.",
        ) from error
    if status is ocsp.OCSPCertStatus.REVOKED:
        raise SettingsError(
            f"The certificate {chain.name!r} was revoked by its authority.",
            advice="Have a new one issued, and set signing.certificate_file to it.",
        )
    if status is not ocsp.OCSPCertStatus.GOOD or response.serial_number != leaf.serial_number:
        raise SigningUnavailable(
            f"{url} does not know the certificate {chain.name!r}.",
            advice="Ask the authority; files wait for it.",
        )
    now = utc_now()
    due = response.next_update_utc or now + _FRESH
    # Half of the time that is left: a file is looked at later than it is signed.
    return CertificateStatus(response=answer.content, until=now + (due - now) / 2)


def staple(store: bytes, response: bytes) -> bytes:
    """
    Return a manifest store of the same length, with a response in its own manifest's signature.

    Raises:
        MarksError: the signature has no room for it.
    """
    start, end = claim_of(store).signature
    protected, header, payload, value = cbor2.loads(store[start:end]).value
    header = {**header, _VALUES: {"ocspVals": [response]}}
    return _with_signature(store, (start, end), [protected, header, payload, value])


def sign_claim(
    store: bytes, sign: SignBytes, stamp: Callable[[bytes], bytes] | None = None
) -> bytes:
    """
    Return a manifest store of the same length, with the claim of its own manifest signed anew.

    Args:
        store: what the library laid out, with anybody's signature.
        sign: gives the signature in COSE's form.
        stamp: gives a time-stamp token for bytes; None where there is no authority.

    Raises:
        HaikeiError: as these do.
        MarksError: the signature has no room for the token.
    """
    claim = claim_of(store)
    start, end = claim.signature
    protected, header, payload, _ = cbor2.loads(store[start:end]).value
    value = sign(claim.signed_bytes(store, protected))
    header = {key: one for key, one in header.items() if key != _STAMPS}
    if stamp is not None:
        # Over the signature, as C2PA 2.4 (section 10.3.2.5) has it for `sigTst2`.
        over = cbor2.dumps(["CounterSignature", protected, b"", cbor2.dumps(value)])
        header[_STAMPS] = {"tstTokens": [{"val": stamp(over)}]}
    return _with_signature(store, (start, end), [protected, header, payload, value])


def _with_signature(store: bytes, place: tuple[int, int], parts: list[Any]) -> bytes:
    start, end = place
    protected, header, payload, value = parts
    plain = {key: one for key, one in header.items() if not str(key).startswith(_PAD)}
    written = b""
    # A padding of some lengths does not exist, as the head of its own length grows with it.
    for more in ({}, {f"{_PAD}2": b"\0"}):
        room = 0
        for _ in range(4):
            padded = {**plain, **more, _PAD: bytes(room)}
            written = cbor2.dumps(cbor2.CBORTag(18, [protected, padded, payload, value]))
            if len(written) == end - start:
                return store[:start] + written + store[end:]
            room = max(0, room - len(written) + end - start)
    raise MarksError(
        f"The signature has no room for {len(written)} bytes, with what belongs into it.",
        advice="Ask the authorities for responses and tokens without their certificates.",
    )


def time_stamp(url: str, data: bytes) -> bytes:
    """
    Return an authority's time-stamp token (RFC 3161) over data.

    Raises:
        SigningUnavailable: it cannot be reached, or gives none.
    """
    try:
        token = token_of(ask_time_stamp(url, data)[0])
    except (OutletUnavailable, ValueError) as error:
        raise SigningUnavailable(
            f"The time-stamp authority {url} gave no token: {error}.",
            advice="See whether it can be reached; files wait for it.",
        ) from error
    if not token:
        raise SigningUnavailable(
            f"The time-stamp authority {url} gave no token: it refuses.",
            advice="Ask whoever runs it; files wait for it.",
        )
    return token


def put_store(path: Path, known: FileFormat, before: bytes, after: bytes) -> None:
    """
    Replace the manifest store in a file by one of the same length.

    Raises:
        MarksError: the file does not hold the store.
        OSError: it cannot be read or written.
    """
    data = bytearray(path.read_bytes())
    pieces = jpeg.store_places(path) if known.format is JPEG else _place(data, before)
    held = b"".join(data[start:end] for start, end in pieces)
    if held != before or len(before) != len(after):
        raise MarksError(f"{path} does not hold the manifest that was just signed.")
    taken = 0
    for start, end in pieces:
        data[start:end] = after[taken : taken + end - start]
        taken += end - start
    if known.format is PNG:
        start, end = pieces[0]
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[start - 4 : end]))
    path.write_bytes(data)


def _place(data: bytearray, store: bytes) -> list[tuple[int, int]]:
    start = data.find(store)
    return [] if start < 0 else [(start, start + len(store))]


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
                settings.work_folder / "keys", studio=settings.studio.name
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
