"""With a time-stamp authority and OCSP, files pass an outside verifier's strict mode."""

from collections.abc import Generator
from pathlib import Path

import encypher_c2pa
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from haikei.errors import SettingsError, SigningUnavailable
from haikei.provenance import Marked, MarkSigner, MarksState, mark, read_marks
from haikei.provenance.signer import responder as responder_of
from support.certificates import (
    Authority,
    Responder,
    key_pem,
    ocsp_responder,
    pem,
    time_stamp_authority,
)
from support.pictures import save_flat_psd
from support.signing import FourSteps, four_steps, mark_request, signing_settings, write_noise


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("Root")


@pytest.fixture(scope="module")
def stamps(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with time_stamp_authority(tmp_path_factory.mktemp("tsa"), authority) as address:
        yield address


@pytest.fixture
def responder(authority: Authority) -> Generator[Responder]:
    with ocsp_responder(authority) as running:
        yield running


def a_signer(folder: Path, authority: Authority, stamps: str, ocsp_url: str) -> MarkSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = authority.issue(key, ocsp_url=ocsp_url)
    (folder / "chain.pem").write_bytes(pem(leaf) + pem(authority.certificate))
    (folder / "key.pem").write_bytes(key_pem(key))
    (folder / "roots.pem").write_text(authority.root_pem)
    return MarkSigner.from_settings(
        signing_settings(
            folder,
            certificate_file=str(folder / "chain.pem"),
            certificate_key_file=str(folder / "key.pem"),
            timestamp_url=stamps,
            timestamp_trust_file=str(folder / "roots.pem"),
        )
    )


def strictly(marked: Marked, authority: Authority) -> tuple[str, list[str]]:
    """Return state and failures as the outside verifier's conformance mode gives them."""
    sidecar = marked.manifest
    report = encypher_c2pa.verify(
        marked.path.read_bytes(),
        {".jpg": "image/jpeg", ".tif": "image/tiff"}.get(marked.path.suffix, "image/png"),
        manifest_store=None if sidecar is None else sidecar.read_bytes(),
        trust_pem=authority.root_pem,
        tsa_trust_pem=authority.root_pem,
        no_default_trust=True,
        online=False,
        telemetry=False,
        strict_conformance=True,
    )
    failures = report["validation_results"].get("failure") or ()
    return str(report["validation_state"]), [str(one["code"]) for one in failures]


def drawn(seed: int, path: Path) -> Path:
    """Write a picture, as PSD where the path ends so."""
    if path.suffix != ".psd":
        return write_noise(seed, path)
    return save_flat_psd(np.full((64, 96, 3), seed, np.uint8), path)


@pytest.mark.parametrize("final", ["png", "jpg", "tif", "exr", "psd"])
def test_every_step_passes_strict_conformance(
    authority: Authority, stamps: str, responder: Responder, tmp_path: Path, final: str
) -> None:
    signer = a_signer(tmp_path, authority, stamps, responder.url)
    steps: FourSteps = four_steps(tmp_path / "steps", signer, final=final, make=drawn)

    for marked in (steps.layout, steps.first, steps.second, steps.final):
        assert strictly(marked, authority) == ("Trusted", [])
    marks = read_marks(
        steps.final.path, trust_pem=signer.trust_pem, timestamp_trust_pem=authority.root_pem
    )
    assert marks.state is MarksState.TRUSTED
    assert responder.asked == 1


def test_a_root_that_vouches_for_both_is_a_signers_every_time(
    stamps: str, authority: Authority, tmp_path: Path
) -> None:
    """The library keeps its lists of roots in no order, and names the one that it meets first."""
    signer = a_signer(tmp_path, authority, stamps, "")
    made = mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)

    for _ in range(8):
        again = Authority.make("Another")
        roots = signer.trust_pem + again.root_pem
        marks = read_marks(made.path, trust_pem=roots, timestamp_trust_pem=authority.root_pem)
        assert marks.state is MarksState.TRUSTED


def test_without_the_authoritys_word_strict_conformance_names_what_is_missing(
    authority: Authority, stamps: str, tmp_path: Path
) -> None:
    signer = a_signer(tmp_path, authority, stamps, "")
    made = mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)

    state, failures = strictly(made, authority)

    assert responder_of(signer.chain) == ""
    assert state == "Invalid"
    assert failures == ["com.encypher.conformance.revocationInformationMissing"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (ocsp.OCSPCertStatus.REVOKED, SettingsError),
        (ocsp.OCSPCertStatus.UNKNOWN, SigningUnavailable),
    ],
)
def test_nothing_is_signed_with_a_certificate_that_does_not_stand(
    authority: Authority,
    stamps: str,
    responder: Responder,
    tmp_path: Path,
    status: ocsp.OCSPCertStatus,
    error: type[Exception],
) -> None:
    responder.status = status
    signer = a_signer(tmp_path, authority, stamps, responder.url)

    with pytest.raises(error):
        mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)
    assert not (tmp_path / "b.png").exists()


def test_while_the_authority_is_away_files_wait(
    authority: Authority, stamps: str, tmp_path: Path
) -> None:
    with ocsp_responder(authority) as gone:
        url = gone.url
    signer = a_signer(tmp_path, authority, stamps, url)

    with pytest.raises(SigningUnavailable, match="does not say"):
        mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)
