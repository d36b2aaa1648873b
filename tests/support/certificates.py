"""Certificates for tests: authorities, leaves of every kind of key, and a time-stamp authority."""

import http.server
import ssl
import subprocess
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
    NameOID,
    ObjectIdentifier,
)

from haikei.database import utc_now
from haikei.provenance.development import CLAIM_SIGNING

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: PrivateKey, password: bytes | None = None) -> bytes:
    """Return a private key in PEM."""
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        protection = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )


@dataclass(slots=True)
class Authority:
    """A root that issues certificates."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, name: str = "Test Root") -> "Authority":
        """Return a new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        builder = _builder(subject, subject, key, key, days=3650, start_days=-1)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), True)
        builder = builder.add_extension(_key_usage(authority=True), True)
        return cls(builder.sign(key, hashes.SHA256()), key)

    @property
    def root_pem(self) -> str:
        """The root's certificate."""
        return pem(self.certificate).decode()

    def issue(
        self,
        key: PrivateKey,
        *,
        name: str = "Test Studio",
        usages: Sequence[ObjectIdentifier] = (CLAIM_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION),
        days: int = 365,
        start_days: int = -1,
        critical: bool = False,
        ocsp_url: str = "",
    ) -> x509.Certificate:
        """Return a leaf; with an address, it names it as the place to ask whether it stands."""
        builder = _builder(
            _name(name), self.certificate.subject, self.key, key, days=days, start_days=start_days
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(_key_usage(authority=False), True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical)
        if ocsp_url:
            place = x509.UniformResourceIdentifier(ocsp_url)
            access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), False)
        return builder.sign(self.key, hashes.SHA256())


def loopback_server(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return what a server on loopback shows, and the file of those who vouch for it."""
    authority = Authority.make()
    key = ec.generate_private_key(ec.SECP256R1())
    there = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder(
            issuer_name=authority.certificate.subject,
            subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")]),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=authority.certificate.not_valid_before_utc,
            not_valid_after=authority.certificate.not_valid_after_utc,
        )
        .add_extension(there, critical=False)
        # From Python 3.13 on, a client takes only certificates as strict as RFC 5280.
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), False
        )
        .sign(authority.key, hashes.SHA256())
    )
    own, trusted = folder / "server.pem", folder / "trusted.pem"
    own.write_bytes(pem(signed) + key_pem(key))
    trusted.write_text(authority.root_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    return context, trusted


@dataclass(slots=True)
class Responder:
    """Says on loopback whether certificates stand."""

    url: str
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD
    asked: int = 0


@contextmanager
def ocsp_responder(authority: Authority) -> Generator[Responder, None, None]:
    """Serve OCSP responses for the authority's certificates; yield where, and what to say."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = ocsp.load_der_ocsp_request(self.rfile.read(int(self.headers["Content-Length"])))
            responder.asked += 1
            revoked = responder.status is ocsp.OCSPCertStatus.REVOKED
            now = utc_now()
            builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
                issuer_name_hash=asked.issuer_name_hash,
                issuer_key_hash=asked.issuer_key_hash,
                serial_number=asked.serial_number,
                algorithm=hashes.SHA1(),
                cert_status=responder.status,
                this_update=now - timedelta(minutes=5),
                next_update=now + timedelta(days=2),
                revocation_time=now if revoked else None,
                revocation_reason=None,
            )
            builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, authority.certificate)
            reply = builder.sign(authority.key, hashes.SHA256()).public_bytes(
                serialization.Encoding.DER
            )
            self.send_response(200)
            self.send_header("Content-Type", "application/ocsp-response")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    responder = Responder(url=f"http://127.0.0.1:{server.server_port}/")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield responder
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def time_stamp_authority(folder: Path, authority: Authority) -> Generator[str, None, None]:
    """Serve RFC 3161 tokens on loopback, made by the `openssl` command; yield the address."""
    key = ec.generate_private_key(ec.SECP256R1())
    usages = [ExtendedKeyUsageOID.TIME_STAMPING]
    leaf = authority.issue(key, name="Test TSA", usages=usages, critical=True, days=3649)
    (folder / "tsa.pem").write_bytes(pem(leaf))
    # The command adds the leaf itself; twice in a token it is malformed.
    (folder / "tsa-chain.pem").write_bytes(pem(authority.certificate))
    (folder / "tsa.key").write_bytes(key_pem(key))
    (folder / "serial").write_text("01")
    (folder / "tsa.cnf").write_text(
        "[tsa]\ndefault_tsa = one\n[one]\n"
        f"serial = {folder}/serial\ncrypto_device = builtin\n"
        f"signer_cert = {folder}/tsa.pem\ncerts = {folder}/tsa-chain.pem\n"
        f"signer_key = {folder}/tsa.key\nsigner_digest = sha256\ndefault_policy = 1.2.3.4.1\n"
        "digests = sha256, sha384, sha512\naccuracy = secs:1\ness_cert_id_alg = sha256\n"
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = folder / "query.tsq"
            query.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            reply = subprocess.run(
                ["openssl", "ts", "-reply", "-config", folder / "tsa.cnf", "-queryfile", query],
                capture_output=True,
                check=True,
            ).stdout
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, text),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    key: PrivateKey,
    *,
    days: int,
    start_days: int,
) -> x509.CertificateBuilder:
    start = utc_now() + timedelta(days=start_days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
        )
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
