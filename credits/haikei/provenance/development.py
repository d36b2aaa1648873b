"""
A certificate authority of our own, made on first run: good for trying, trusted by nobody else.

The root signs an issuing certificate, that signs the leaf; the issuing key is thrown away at once,
and a new pair is made from the root when the leaf grows old. The profile is C2PA 2.4's for claim
signing: `digitalSignature`, the extended key usages c2pa-kp-claimSigning and emailProtection.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from haikei.database import utc_now
from haikei.errors import StateError

CLAIM_SIGNING = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
_FOLDER = "development-c2pa"
_ROOT = "root.pem"
_ROOT_KEY = "root-key.pem"
_LEAF = "leaf.pem"  # the key and both certificates: replaced as one
_ROOT_DAYS = 20 * 365
#: Files without a time stamp hold no longer than the leaf that signed them.
_LEAF_DAYS = 5 * 365
_RENEW_DAYS = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentCertificate:
    """What the development authority gives."""

    chain_pem: str  #: the leaf first, without the root
    key_pem: str
    root_pem: str


def development_certificate(keys: Path, *, studio: str) -> DevelopmentCertificate:
    """
    Return the studio's development certificate, made or renewed where it must be.

    Processes that start at once agree on one authority: each makes a whole one, and the first
    that is renamed into place is everyone's.

    Raises:
        StateError: the folder of keys cannot be written or read.
    """
    folder = keys / _FOLDER
    try:
        if not folder.is_dir():
            _make_authority(folder, studio)
        leaf = (folder / _LEAF).read_text("ascii")
        if _ends(leaf) - utc_now() < timedelta(days=_RENEW_DAYS):
            leaf = _renew(folder, studio)
        root = (folder / _ROOT).read_text("ascii")
    except (OSError, ValueError) as error:
        raise StateError(
            f"The development certificate in {folder} cannot be made or read: {error}.",
            advice="Make the folder writable, or move a damaged one away; it is then made anew.",
        ) from error
    key, _, chain = leaf.partition("-----BEGIN CERTIFICATE")
    return DevelopmentCertificate(
        chain_pem="-----BEGIN CERTIFICATE" + chain, key_pem=key, root_pem=root
    )


def standing_root(keys: Path) -> str:
    """Return the development authority's root in PEM; empty when none was made yet."""
    try:
        return (keys / _FOLDER / _ROOT).read_text("ascii")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StateError(
            f"The development certificate in {keys} cannot be read: {error}.",
            advice="Run as the user who owns the studio's state folder.",
        ) from error


def _make_authority(folder: Path, studio: str) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = Path(tempfile.mkdtemp(prefix=f".{_FOLDER}-", dir=folder.parent))
    try:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("development root, untrusted", studio)
        root = _certificate(
            subject=name, issuer=name, issuer_key=key, key=key, days=_ROOT_DAYS, depth=1
        )
        _write(mine / _ROOT_KEY, _key_pem(key))
        _write(mine / _ROOT, _pem(root))
        _write(mine / _LEAF, _leaf(root, key, studio))
        # A folder that is there and not empty is never replaced by a rename.
        try:
            mine.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(mine, ignore_errors=True)


def _renew(folder: Path, studio: str) -> str:
    key = serialization.load_pem_private_key((folder / _ROOT_KEY).read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        message = f"{_ROOT_KEY} is no EC key"
        raise ValueError(message)  # noqa: TRY004 - reported to the caller as a damaged folder
    root = x509.load_pem_x509_certificate((folder / _ROOT).read_bytes())
    leaf = _leaf(root, key, studio)
    descriptor, mine = tempfile.mkstemp(prefix=".leaf-", dir=folder)
    os.close(descriptor)
    _write(Path(mine), leaf)
    Path(mine).replace(folder / _LEAF)
    return leaf


def _leaf(root: x509.Certificate, root_key: ec.EllipticCurvePrivateKey, studio: str) -> str:
    issuing_key = ec.generate_private_key(ec.SECP256R1())
    issuing_name = _name("development issuing, untrusted", studio)
    issuing = _certificate(
        subject=issuing_name,
        issuer=root.subject,
        issuer_key=root_key,
        key=issuing_key,
        days=_LEAF_DAYS,
        depth=0,
    )
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _certificate(
        subject=_name("development, untrusted", studio),
        issuer=issuing_name,
        issuer_key=issuing_key,
        key=key,
        days=_LEAF_DAYS,
        depth=None,
    )
    return _key_pem(key) + _pem(leaf) + _pem(issuing)


def _certificate(
    *,
    subject: x509.Name,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    days: int,
    depth: int | None,
) -> x509.Certificate:
    # `depth` authorities may stand below this one; None: it is no authority.
    authority = depth is not None
    start = utc_now().replace(microsecond=0) - timedelta(minutes=5)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=depth), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=not authority,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if not authority:
        usages = x509.ExtendedKeyUsage([CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usages, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(what: str, studio: str) -> x509.Name:
    # X.520 allows 64 signs in each.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"{studio[:40]} (untrusted)"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Haikei {what}"),
        ]
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")


def _ends(leaf: str) -> datetime:
    return x509.load_pem_x509_certificates(leaf.encode("ascii"))[0].not_valid_after_utc


def _write(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
