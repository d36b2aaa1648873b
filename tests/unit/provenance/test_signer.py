"""Files are signed by the studio's certificate, a key service, or a development authority."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from haikei.database import utc_now
from haikei.errors import SettingsError, SigningUnavailable
from haikei.provenance import MarkSigner, MarksState, certificate, mark, read_marks, trusted_roots
from haikei.provenance.development import development_certificate
from haikei.settings import Settings
from support.certificates import Authority, PrivateKey, key_pem, pem
from support.signing import mark_request, signing_settings, write_noise


@dataclass(slots=True)
class Studio:
    """A studio with a certificate of its own."""

    folder: Path
    authority: Authority

    def settings(
        self, key: PrivateKey, leaf: x509.Certificate | None = None, **signing: object
    ) -> Settings:
        chain = self.folder / "chain.pem"
        chain.write_bytes(pem(leaf or self.authority.issue(key)) + pem(self.authority.certificate))
        (self.folder / "leaf.key").write_bytes(key_pem(key))
        values: dict[str, object] = {
            "certificate_file": str(chain),
            "certificate_key_file": str(self.folder / "leaf.key"),
        }
        return signing_settings(self.folder, **{**values, **signing})


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path, Authority.make())


def _p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


KEYS: dict[str, Callable[[], PrivateKey]] = {
    "EC P-256": _p256,
    "EC P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_studios_certificate_signs_with_every_usual_kind_of_key(
    studio: Studio, tmp_path: Path, kind: str
) -> None:
    signer = MarkSigner.from_settings(studio.settings(KEYS[kind]()))
    mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)

    marks = read_marks(tmp_path / "b.png", trust_pem=signer.trust_pem)

    assert signer.kind == "studio"
    assert marks.state is MarksState.TRUSTED
    assert marks.steps[0].signer == "Test Studio, Test Studio"


def test_another_studio_sees_marks_that_hold_by_somebody_unknown(
    studio: Studio, tmp_path: Path
) -> None:
    signer = MarkSigner.from_settings(studio.settings(_p256()))
    mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)

    marks = read_marks(tmp_path / "b.png", trust_pem=Authority.make("Other").root_pem)

    assert marks.state is MarksState.UNTRUSTED
    assert all("signingCredential.untrusted" in failure for failure in marks.failures)


def test_a_time_stamp_root_is_not_taken_for_a_signers_root(studio: Studio, tmp_path: Path) -> None:
    signer = MarkSigner.from_settings(studio.settings(_p256()))
    mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)

    marks = read_marks(
        tmp_path / "b.png",
        trust_pem=Authority.make("Other").root_pem,
        timestamp_trust_pem=signer.trust_pem,
    )

    assert marks.state is MarksState.UNTRUSTED


def test_a_trust_file_adds_the_roots_of_others(studio: Studio, tmp_path: Path) -> None:
    other = Authority.make("Other")
    roots = tmp_path / "roots.pem"
    roots.write_text(other.root_pem)

    signer = MarkSigner.from_settings(studio.settings(_p256(), trust_file=str(roots)))

    assert other.root_pem in signer.trust_pem
    assert studio.authority.root_pem in signer.trust_pem


def test_an_expired_certificate_is_refused(studio: Studio) -> None:
    key = _p256()
    leaf = studio.authority.issue(key, start_days=-30, days=10)

    with pytest.raises(SettingsError, match=r"expired on .* Renew it"):
        MarkSigner.from_settings(studio.settings(key, leaf))


def test_a_certificate_that_expires_while_it_is_used_is_waited_for(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _p256()
    given = studio.settings(key, studio.authority.issue(key, start_days=-30, days=10))
    # As it was when the worker began.
    with monkeypatch.context() as earlier:
        earlier.setattr(certificate, "utc_now", lambda: utc_now() - timedelta(days=25))
        signer = MarkSigner.from_settings(given)
    source = write_noise(1, tmp_path / "layout.png")

    with pytest.raises(SigningUnavailable, match=r"expired on .* Renew it"):
        mark(mark_request(source, tmp_path / "marked.png"), signer)


def test_an_expired_certificate_is_still_good_for_checking_old_files(studio: Studio) -> None:
    key = _p256()
    given = studio.settings(key, studio.authority.issue(key, start_days=-30, days=10))

    assert trusted_roots(given).signers == studio.authority.root_pem


def test_a_certificate_of_tomorrow_is_refused(studio: Studio) -> None:
    key = _p256()

    with pytest.raises(SettingsError, match="not valid before"):
        MarkSigner.from_settings(studio.settings(key, studio.authority.issue(key, start_days=2)))


def test_a_certificate_for_another_use_is_refused(studio: Studio) -> None:
    key = _p256()
    leaf = studio.authority.issue(key, usages=[ExtendedKeyUsageOID.CODE_SIGNING])

    with pytest.raises(SettingsError, match="may not sign claims"):
        MarkSigner.from_settings(studio.settings(key, leaf))


def test_a_certificate_signed_by_itself_is_refused(studio: Studio, tmp_path: Path) -> None:
    key = _p256()
    alone = Authority(studio.authority.certificate, key)
    path = tmp_path / "alone.pem"
    name = studio.authority.certificate.subject
    leaf = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .sign(alone.key, hashes.SHA256())
    )
    path.write_bytes(pem(leaf))
    given = studio.settings(key, certificate_file=str(path))

    with pytest.raises(SettingsError, match="signed by itself"):
        MarkSigner.from_settings(given)


def test_a_chain_out_of_order_is_refused(studio: Studio, tmp_path: Path) -> None:
    key = _p256()
    path = tmp_path / "mixed.pem"
    path.write_bytes(pem(studio.authority.issue(key)) + pem(Authority.make("Other").certificate))
    given = studio.settings(key, certificate_file=str(path))

    with pytest.raises(SettingsError, match="did not issue"):
        MarkSigner.from_settings(given)


def test_a_key_of_another_certificate_is_refused(studio: Studio) -> None:
    given = studio.settings(_p256(), studio.authority.issue(_p256()))

    with pytest.raises(SettingsError, match="does not belong to the certificate"):
        MarkSigner.from_settings(given)


def test_an_encrypted_key_is_refused(studio: Studio, tmp_path: Path) -> None:
    key = _p256()
    given = studio.settings(key)
    (tmp_path / "leaf.key").write_bytes(key_pem(key, b"secret"))

    with pytest.raises(SettingsError, match="is encrypted"):
        MarkSigner.from_settings(given)


@pytest.mark.parametrize("name", ["chain.pem", "leaf.key"])
def test_a_file_that_is_no_pem_is_refused(studio: Studio, tmp_path: Path, name: str) -> None:
    given = studio.settings(_p256())
    (tmp_path / name).write_text("nothing")

    with pytest.raises(SettingsError, match="cannot be read"):
        MarkSigner.from_settings(given)


def test_a_key_without_its_certificate_is_refused(studio: Studio) -> None:
    with pytest.raises(SettingsError, match="not whose it is"):
        MarkSigner.from_settings(studio.settings(_p256(), certificate_file=None))


class _Service:
    """A key service, as a studio's package would reach it."""

    key = _p256()
    fails: Exception | None = None

    def __init__(self, given: Settings) -> None:
        self.studio = given.studio.name

    def __call__(self, data: bytes) -> bytes:
        if _Service.fails is not None:
            raise _Service.fails
        return _Service.key.sign(data, ec.ECDSA(hashes.SHA256()))  # DER, as key services give it


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> type[_Service]:
    point = EntryPoint(name="kms", value=f"{__name__}:_Service", group="haikei.signers")

    def load(_: EntryPoint) -> type[_Service]:
        return _Service

    def installed(*, group: str) -> list[EntryPoint]:
        return [point] if group == "haikei.signers" else []

    monkeypatch.setattr(EntryPoint, "load", load)
    monkeypatch.setattr("haikei.provenance.signer.entry_points", installed)
    monkeypatch.setattr(_Service, "fails", None)
    return _Service


def test_a_key_service_signs_by_its_entry_point(
    studio: Studio, service: type[_Service], tmp_path: Path
) -> None:
    given = studio.settings(service.key, certificate_key_file=None, signer="kms")
    signer = MarkSigner.from_settings(given)
    mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)

    marks = read_marks(tmp_path / "b.png", trust_pem=signer.trust_pem)
    assert marks.state is MarksState.TRUSTED


def test_a_key_service_that_is_away_can_be_waited_for(
    studio: Studio, service: type[_Service], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = studio.settings(service.key, certificate_key_file=None, signer="kms")
    signer = MarkSigner.from_settings(given)
    monkeypatch.setattr(service, "fails", TimeoutError("no answer in 5 s"))

    with pytest.raises(SigningUnavailable, match="no answer in 5 s") as caught:
        mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)
    assert caught.value.transient
    assert not (tmp_path / "b.png").exists()


def test_a_key_service_with_another_key_is_refused(
    studio: Studio, service: type[_Service], tmp_path: Path
) -> None:
    del service
    given = studio.settings(_p256(), certificate_key_file=None, signer="kms")
    signer = MarkSigner.from_settings(given)

    with pytest.raises(SettingsError, match="no ES256 signature"):
        mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)


def test_an_unknown_signer_is_refused(studio: Studio) -> None:
    given = studio.settings(_p256(), certificate_key_file=None, signer="vault")

    with pytest.raises(SettingsError, match=r"no signer 'vault'.*Installed signers: none"):
        MarkSigner.from_settings(given)


def test_the_development_authority_says_that_it_is_none_to_trust(tmp_path: Path) -> None:
    signer = MarkSigner.from_settings(signing_settings(tmp_path))
    keys = tmp_path / "state" / "keys"

    assert signer.kind == "development"
    assert "development" in signer.chain.name
    assert "untrusted" in signer.chain.name
    files = [path for path in keys.rglob("*") if path.is_file()]
    assert files
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    again = MarkSigner.from_settings(signing_settings(tmp_path))
    assert again.chain.pem == signer.chain.pem


def test_an_old_development_leaf_is_renewed_below_the_same_root(tmp_path: Path) -> None:
    first = development_certificate(tmp_path, studio="Test")
    folder = tmp_path / "development-c2pa"
    authority = Authority.make()
    key = _p256()
    old = authority.issue(key, days=30)
    (folder / "leaf.pem").write_bytes(key_pem(key) + pem(old) + pem(authority.certificate))

    renewed = development_certificate(tmp_path, studio="Test")

    assert renewed.root_pem == first.root_pem
    leaf = x509.load_pem_x509_certificates(renewed.chain_pem.encode())[0]
    assert leaf.not_valid_after_utc > utc_now() + timedelta(days=4 * 365)
    assert development_certificate(tmp_path, studio="Test") == renewed


def _in_fresh_process(code: str, *arguments: str) -> list[str]:
    # Forking is safe only where no thread runs, as in a process of its own.
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return done.stdout.split()


_SEVERAL_AT_ONCE = """
import hashlib, os, sys
from pathlib import Path
from haikei.provenance.development import development_certificate
for _ in range(6):
    if os.fork() == 0:
        made = development_certificate(Path(sys.argv[1]), studio="Test")
        os.write(1, hashlib.sha256(made.root_pem.encode()).hexdigest().encode() + b"\\n")
        os._exit(0)
for _ in range(6):
    assert os.wait()[1] == 0
"""


def test_workers_that_start_at_once_agree_on_one_authority(tmp_path: Path) -> None:
    roots = _in_fresh_process(_SEVERAL_AT_ONCE, str(tmp_path))

    assert len(roots) == 6
    assert len(set(roots)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["development-c2pa"]


def test_a_damaged_development_authority_is_said_to_be_damaged(tmp_path: Path) -> None:
    from haikei.errors import StateError

    development_certificate(tmp_path, studio="Test")
    (tmp_path / "development-c2pa" / "leaf.pem").write_text("nothing")

    with pytest.raises(StateError, match="cannot be made or read"):
        development_certificate(tmp_path, studio="Test")


_BEFORE_AND_AFTER_A_FORK = """
import os, sys
from pathlib import Path
from haikei.provenance import MarkSigner, mark
from support.signing import mark_request, signing_settings, write_noise
folder = Path(sys.argv[1])
signer = MarkSigner.from_settings(signing_settings(folder))
source = write_noise(1, folder / "a.png")
mark(mark_request(source, folder / "before.png"), signer)
if os.fork() == 0:
    mark(mark_request(source, folder / "forked.png"), signer)
    os._exit(0)
assert os.wait()[1] == 0
"""


def test_marks_can_be_written_in_a_process_that_was_forked(tmp_path: Path) -> None:
    _in_fresh_process(_BEFORE_AND_AFTER_A_FORK, str(tmp_path))

    signer = MarkSigner.from_settings(signing_settings(tmp_path))
    marks = read_marks(tmp_path / "forked.png", trust_pem=signer.trust_pem)
    assert marks.state is MarksState.TRUSTED


def test_threads_share_one_signer(signer: MarkSigner, tmp_path: Path) -> None:
    source = write_noise(1, tmp_path / "a.png")
    targets = [tmp_path / f"b{index}.png" for index in range(8)]
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(mark, mark_request(source, target), signer) for target in targets]
        assert [each.result().path for each in done] == targets

    states = {read_marks(target, trust_pem=signer.trust_pem).state for target in targets}
    assert states == {MarksState.TRUSTED}
