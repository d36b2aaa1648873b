"""
The studio's certificate chain and key, checked before anything is signed, and the
roots it trusts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from haikei.database import utc_now
from haikei.errors import SettingsError
from haikei.provenance.development import CLAIM_SIGNING, standing_root
from haikei.settings import Settings

#: Bytes in, the raw signature over them out.
SignBytes = Callable[[bytes], bytes]
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

#: Extended key usages with which C2PA lets a certificate sign claims.
_USAGES = frozenset(
    {
        CLAIM_SIGNING,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # documentSigning
    }
)
CLAIM_SIGNING_USAGES = tuple(sorted(usage.dotted_string for usage in _USAGES))


class Algorithm(StrEnum):
    """The signature algorithms of C2PA (COSE names) that we use."""

    ES256 = "ES256"
    ES384 = "ES384"
    PS256 = "PS256"
    ED25519 = "ED25519"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A certificate chain that may sign."""

    pem: str  #: the leaf first; roots are left out, as C2PA asks
    root_pem: str  #: what the chain ends in, as far as the file held it
    algorithm: Algorithm
    public_key: PublicKey
    name: str  #: the leaf's subject

    @property
    def signature_size(self) -> int:
        """How long each signature in COSE's form is."""
        match self.public_key:
            case ec.EllipticCurvePublicKey() as key:
                return 2 * ((key.key_size + 7) // 8)
            case ed25519.Ed25519PublicKey():
                return 64
            case rsa.RSAPublicKey() as key:
                return key.key_size // 8


def read_chain(path: Path, *, to_sign: bool = True) -> Chain:
    """
    Return the chain in a PEM file.

    Raises:
        SettingsError: it cannot be read or is out of order; to sign, also when it is expired or
            may not sign claims.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"The certificate {path} cannot be read: {error.strerror or error}.",
            advice="Set signing.certificate_file to the chain in PEM.",
        ) from error
    return chain_from_pem(data, str(path), to_sign=to_sign)


def chain_from_pem(data: bytes, where: str, *, to_sign: bool = True) -> Chain:
    """
    Return the chain in PEM, which came from `where`.

    Raises:
        SettingsError: it cannot be read or is out of order; to sign, also when it is expired or
            may not sign claims.
    """
    try:
        certificates = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise SettingsError(
            f"The certificate {where} cannot be read: {error}.",
            advice="Give the chain in PEM: the leaf first, then each issuer.",
        ) from error
    leaf = certificates[0]
    if to_sign:
        _check_leaf(leaf, where)
    for below, above in pairwise(certificates):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise SettingsError(
                f"In {where}, {_common_name(above)} did not issue {_common_name(below)}.",
                advice="Order the chain: the leaf first, then each one's issuer.",
            ) from error
    sent = [found for found in certificates if found.subject != found.issuer]
    if not sent:
        raise SettingsError(
            f"The certificate in {where} is signed by itself, so nobody can trust it.",
            advice="Have it issued by an authority, if only by your own.",
        )
    algorithm, public = _algorithm(leaf, where)
    return Chain(
        pem="".join(_pem(found) for found in sent),
        root_pem=_pem(certificates[-1]),
        algorithm=algorithm,
        public_key=public,
        name=_common_name(leaf),
    )


def sign_with_key(path: Path, chain: Chain) -> SignBytes:
    """
    Return a signer with the private key in a PEM file.

    Raises:
        SettingsError: the key cannot be read, is encrypted, or does not belong to the leaf.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except TypeError as error:
        raise SettingsError(
            f"The key {path} is encrypted.",
            advice="Give it unencrypted in a file of its owner alone, or name a `signing.signer`.",
        ) from error
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            f"The key {path} cannot be read: {error}.",
            advice="Give the leaf's private key in PEM (PKCS #8).",
        ) from error
    if key.public_key() != chain.public_key:
        raise SettingsError(
            f"The key {path} does not belong to the certificate {chain.name!r}.",
            advice="Give the private key with which the certificate was asked for.",
        )
    return signing(key)


def signing(key: object) -> SignBytes:
    """
    Return a function that signs with a key that is held here.

    Raises:
        SettingsError: C2PA has no algorithm for it.
    """
    match key:
        case ec.EllipticCurvePrivateKey():
            digest = hashes.SHA384() if key.key_size == 384 else hashes.SHA256()
            return lambda data: key.sign(data, ec.ECDSA(digest))
        case ed25519.Ed25519PrivateKey():
            return key.sign
        case rsa.RSAPrivateKey():
            return lambda data: key.sign(data, _PSS, hashes.SHA256())
        case _:
            raise SettingsError(
                f"C2PA has no algorithm for a key of the kind {type(key).__name__}.",
                advice="Use EC P-256 or P-384, Ed25519, or RSA.",
            )


def raw_signature(signature: bytes, data: bytes, chain: Chain) -> bytes:
    """
    Return a signature in COSE's form, checked against the leaf's key.

    Key services give ECDSA signatures in DER or as the two numbers; COSE wants the numbers
    (RFC 9053, section 2.1).

    Raises:
        SettingsError: the signature was not made with the leaf's key.
    """
    public = chain.public_key
    try:
        match public:
            case ec.EllipticCurvePublicKey():
                size = (public.key_size + 7) // 8
                if len(signature) == 2 * size:
                    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
                else:
                    r, s = utils.decode_dss_signature(signature)
                digest = hashes.SHA384() if public.key_size == 384 else hashes.SHA256()
                public.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(digest))
                return r.to_bytes(size) + s.to_bytes(size)
            case ed25519.Ed25519PublicKey():
                public.verify(signature, data)
            case rsa.RSAPublicKey():
                public.verify(signature, data, _PSS, hashes.SHA256())
    except (InvalidSignature, ValueError, OverflowError) as error:
        raise SettingsError(
            f"What the signer gave is no {chain.algorithm} signature by {chain.name!r}.",
            advice="Let `signing.signer` use the key of `signing.certificate_file`.",
        ) from error
    return signature


_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


def require_valid_now(chain: Chain) -> None:
    """
    Do nothing while the chain's leaf is valid by this machine's clock.

    Raises:
        SettingsError: it is expired, or not valid yet.
    """
    _check_time(x509.load_pem_x509_certificate(chain.pem.encode("ascii")), "use")


def _check_time(leaf: x509.Certificate, where: str) -> None:
    now = utc_now()
    if now >= leaf.not_valid_after_utc:
        raise SettingsError(
            f"The certificate {_common_name(leaf)!r} in {where} expired on"
            f" {leaf.not_valid_after_utc:%Y-%m-%d}.",
            advice="Renew it with its authority.",
        )
    if now < leaf.not_valid_before_utc:
        raise SettingsError(
            f"The certificate {_common_name(leaf)!r} in {where} is not valid before"
            f" {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC.",
            advice="Check this machine's clock.",
        )


def _check_leaf(leaf: x509.Certificate, where: str) -> None:
    _check_time(leaf, where)
    try:
        usages = set(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        usages = set()
    # C2PA's own usage comes on top of one of these; alone, validators refuse it.
    if not usages & _USAGES - {CLAIM_SIGNING}:
        raise SettingsError(
            f"The certificate {_common_name(leaf)!r} in {where} may not sign claims.",
            advice="Ask for the extended key usages c2pa-kp-claimSigning (1.3.6.1.4.1.62558.2.1)"
            " and emailProtection or documentSigning.",
        )


def _algorithm(leaf: x509.Certificate, where: str) -> tuple[Algorithm, PublicKey]:
    match leaf.public_key():
        case ec.EllipticCurvePublicKey(key_size=256) as key:
            return Algorithm.ES256, key
        case ec.EllipticCurvePublicKey(key_size=384) as key:
            return Algorithm.ES384, key
        case ed25519.Ed25519PublicKey() as key:
            return Algorithm.ED25519, key
        case rsa.RSAPublicKey() as key if key.key_size >= 2048:
            return Algorithm.PS256, key
        case _:
            raise SettingsError(
                f"C2PA has no algorithm for the key of the certificate in {where}.",
                advice="Use EC P-256 or P-384, Ed25519, or RSA with 2048 bits or more.",
            )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _common_name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoots:
    """Root certificates in PEM, one after the other; empty where nobody is trusted."""

    own: str  #: of the signer of our own files
    signers: str  #: that one, and those that the settings add
    time_stamps: str
    people: str  #: of the certificates of people whom the settings name


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
        own = standing_root(settings.work_folder / "keys")
    return TrustedRoots(
        own=own,
        signers=own + read_roots(given.trust_file),
        time_stamps=read_roots(given.timestamp_trust_file),
        people=people_roots(settings),
    )


def people_roots(settings: Settings) -> str:
    """
    Return the roots of people's certificates, in PEM.

    Raises:
        SettingsError: a certificate cannot be read.
    """
    files = (one.certificate_file for one in settings.people)
    roots = (read_chain(file, to_sign=False).root_pem for file in files if file is not None)
    return "".join(dict.fromkeys(roots))


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
