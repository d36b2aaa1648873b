"""Certificates of every kind, a time-stamp authority, and pictures with marks of four steps."""

import http.server
import ssl
import subprocess
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import c2pa  # type: ignore[import-untyped]
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from haikei.credits import (
    Contribution,
    CreditLine,
    Evidence,
    Grade,
    ImageKind,
    Person,
    Relation,
    Role,
    SourceType,
    System,
)
from haikei.database import utc_now
from haikei.images import Picture, write_picture
from haikei.measurements import Change, Region
from haikei.provenance import Marked, MarkedIngredient, MarkRequest, MarkSigner, c2pa_python, mark
from haikei.provenance.c2pa_python import Trust
from haikei.provenance.development import CLAIM_SIGNING
from haikei.provenance.source_types import IPTC
from haikei.settings import Settings

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
    ) -> x509.Certificate:
        """Return a leaf."""
        builder = _builder(
            _name(name), self.certificate.subject, self.key, key, days=days, start_days=start_days
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(_key_usage(authority=False), True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical)
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
    thread = threading.Thread(target=server.serve_forever)
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


AT = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
TANAKA = Person(id="HumanUser:12", name="Yuki Tanaka", name_ja="田中ゆき")
SATO = Person(id="HumanUser:14", name="A. Sato", name_ja="佐藤葵")
MODEL = System(
    name="SDXL",
    version="1.0",
    source_type=SourceType.TRAINED,
    sha256="31" * 32,
    licence="OpenRAIL++-M",
    data="as its maker discloses",
)
PAINTER = System(name="Haikei painter", version="1", source_type=SourceType.ALGORITHMIC)
CREDIT = CreditLine(en="Background: Layout Yuki Tanaka", ja="背景：原図 田中ゆき")
REQUEST = '{"prompt":"autumn harbour","seed":1234}'


def contribution(
    role: Role, actor: Person | System, *, grade: Grade = Grade.LOGGED, change: Change | None = None
) -> Contribution:
    """Return one contribution."""
    evidence = Evidence(source="Task:14 assignee", change=change)
    return Contribution(role=role, actor=actor, grade=grade, evidence=evidence, at=AT)


DREW = contribution(Role.GENZU, TANAKA)
GENERATED = contribution(Role.AI_GENERATION, MODEL)
PAINTED_OVER = contribution(
    Role.TOUCH_UP,
    SATO,
    grade=Grade.MEASURED,
    change=Change(
        method="haikei-change/2",
        parameters="{}",
        area_ppm=36_000,
        regions=(Region(x=40, y=20, width=30, height=20, pixels=500),),
        global_milli_de=0,
        shift_milli_px=0,
    ),
)


def signing_settings(folder: Path, **signing: object) -> Settings:
    """Return the settings of a studio in this folder."""
    return Settings.model_validate(
        {
            "studio": {"name": "Test Studio", "state": str(folder / "state")},
            "storage": {"roots": [{"name": "primary", "path": str(folder)}]},
            "signing": signing,
        }
    )


def write_noise(seed: int, path: Path, *, width: int = 96, height: int = 64) -> Path:
    """Write a picture of noise in the format of the path's ending."""
    rng = np.random.default_rng(seed)
    pixels = rng.random((height, width, 3), dtype=np.float32)
    write_picture(Picture(pixels=pixels), path)
    return path


def mark_request(source: Path, target: Path, **changes: object) -> MarkRequest:
    """Return the request to mark a layout, with these changes."""
    values: dict[str, object] = {
        "source": source,
        "target": target,
        "title": target.stem,
        "kind": ImageKind.LAYOUT,
        "source_type": SourceType.DIGITAL_CREATION,
        "overall_source_type": SourceType.DIGITAL_CREATION,
        "contributions": (DREW,),
        "credited": (DREW,),
        "credit": CREDIT,
        "ingredients": (),
        "request_json": "",
        "oversight": "prompt_guided",
        "at": AT,
    }
    return MarkRequest(**{**values, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class FourSteps:
    """The marked files of a background, in the order in which they were made."""

    layout: Marked
    first: Marked
    second: Marked
    final: Marked


def four_steps(
    folder: Path,
    signer: MarkSigner,
    *,
    stages: str = "png",
    final: str = "png",
    make: Callable[[int, Path], Path] = write_noise,
) -> FourSteps:
    """Mark a layout, a first and a second generation, and a touch-up on top of them."""
    folder.mkdir(parents=True, exist_ok=True)

    def plain(seed: int, name: str) -> Path:
        return make(seed, folder / f"plain-{name}")

    def parent(marked: Marked) -> MarkedIngredient:
        return _ingredient(marked, Relation.PARENT)

    def given(marked: Marked) -> MarkedIngredient:
        return _ingredient(marked, Relation.INPUT)

    layout = mark(mark_request(plain(1, "layout.png"), folder / "c012_layout.png"), signer)
    first = mark(
        mark_request(
            plain(2, f"gen1.{stages}"),
            folder / f"c012_gen1.{stages}",
            kind=ImageKind.GENERATION,
            source_type=SourceType.TRAINED,
            overall_source_type=SourceType.COMPOSITE_TRAINED,
            contributions=(GENERATED,),
            credited=(DREW, GENERATED),
            ingredients=(given(layout),),
            request_json=REQUEST,
        ),
        signer,
    )
    second = mark(
        mark_request(
            plain(3, f"gen2.{stages}"),
            folder / f"c012_gen2.{stages}",
            kind=ImageKind.BACKGROUND,
            source_type=SourceType.TRAINED,
            overall_source_type=SourceType.COMPOSITE_TRAINED,
            contributions=(GENERATED,),
            credited=(DREW, GENERATED),
            ingredients=(parent(first), given(layout)),
            request_json=REQUEST,
        ),
        signer,
    )
    last = mark(
        mark_request(
            plain(4, f"final.{final}"),
            folder / f"c012_final.{final}",
            kind=ImageKind.TOUCH_UP,
            source_type=SourceType.HUMAN_EDITS,
            overall_source_type=SourceType.COMPOSITE_TRAINED,
            contributions=(PAINTED_OVER,),
            credited=(DREW, GENERATED, PAINTED_OVER),
            ingredients=(parent(second),),
            oversight="human_validated",
        ),
        signer,
    )
    return FourSteps(layout=layout, first=first, second=second, final=last)


def _ingredient(marked: Marked, relation: Relation) -> MarkedIngredient:
    return MarkedIngredient(
        path=marked.path, manifest=marked.manifest, relation=relation, title=marked.path.stem
    )


#: Who made each of the four steps, as marks and records say alike.
MADE_BY = ((DREW,), (GENERATED,), (GENERATED,), (PAINTED_OVER,))


def sign_raw(
    source: Path,
    target: Path,
    signer: MarkSigner,
    *,
    source_type: str = IPTC + "digitalCreation",
    ingredient: Path | None = None,
) -> None:
    """Sign a PNG as another program would: straight through the library, with nobody checking."""
    action: dict[str, object] = {"action": "c2pa.created", "digitalSourceType": source_type}
    if ingredient is not None:
        action = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}}
    actions = {"actions": [action], "allActionsIncluded": True}
    plain = {"title": "raw", "assertions": [{"label": "c2pa.actions.v2", "data": actions}]}
    trust = Trust(signers=signer.trust_pem)
    with (
        c2pa.Builder(plain, c2pa_python.context(trust)) as builder,
        c2pa.Signer.from_callback(
            signer.sign, c2pa.C2paSigningAlg.ES256, signer.chain.pem, None
        ) as native,
        source.open("rb") as file,
        target.open("w+b") as out,
    ):
        if ingredient is not None:
            about = {"title": "parent", "relationship": "parentOf", "label": "parent"}
            with ingredient.open("rb") as parent:
                builder.add_ingredient(about, "image/png", parent)
        builder.sign(native, "image/png", file, out)
