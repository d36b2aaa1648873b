"""
Staple an authority's word that a certificate stands (OCSP, RFC 6960) to a signature.

C2PA's conformance programme asks for it: `rVals` in the unprotected header of the COSE signature
(Content Credentials specification 2.4, section 14.6). The signing library leaves room there,
filled with zeros, and has no way to take a response from a signer that it calls back; so the
response takes a part of that room afterwards. No signed byte changes, and no length.
"""

import struct
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from haikei.database import utc_now
from haikei.errors import MarksError, SettingsError, SigningUnavailable
from haikei.formats import JPEG, PNG
from haikei.provenance.certificate import Chain
from haikei.provenance.formats import jpeg
from haikei.provenance.formats.detection import FileFormat

_TIMEOUT = 20.0
_MOST_BYTES = 100_000
#: A response without a date of its own is asked for again after this.
_FRESH = timedelta(hours=1)
_SIGNATURE = b"c2pa.signature\0"
_PAD, _VALUES = "pad", "rVals"


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
    start, end = _last_signature(store)
    signature: Any = cbor2.loads(store[start:end])
    protected, header, payload, value = signature.value
    header = {**header, _VALUES: {"ocspVals": [response]}}
    room = len(header.get(_PAD, b""))
    for _ in range(8):
        # The head of the padding's own length may grow or shrink with it.
        written = cbor2.dumps(cbor2.CBORTag(18, [protected, header, payload, value]))
        room -= len(written) - (end - start)
        if len(written) == end - start:
            return store[:start] + written + store[end:]
        if room < 0:
            break
        header[_PAD] = bytes(room)
    raise MarksError(
        f"The signature has no room for an OCSP response of {len(response)} bytes.",
        advice="Ask the authority for responses without its certificates.",
    )


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


def _last_signature(store: bytes) -> tuple[int, int]:
    """Return where the COSE signature of the active manifest stands, which is the last one."""
    label = store.rfind(_SIGNATURE)
    box = store.find(b"cbor", label)
    if label < 0 or box < 4:
        raise MarksError("The signed manifest holds no signature box.")
    length = int.from_bytes(store[box - 4 : box])
    return box + 4, box - 4 + length
