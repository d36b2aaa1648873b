"""With a time-stamp authority every signature holds its token, or there is no signature."""

import http.server
import threading
from collections.abc import Generator
from pathlib import Path

import encypher_c2pa
import pytest

from haikei.errors import SettingsError, SigningUnavailable
from haikei.provenance import MarkSigner, MarksState, mark, read_marks
from haikei.provenance.signer import time_stamp
from support.certificates import Authority, time_stamp_authority
from support.signing import four_steps, mark_request, signing_settings, write_noise


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("Time Root")


@pytest.fixture(scope="module")
def address(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Generator[str, None, None]:
    with time_stamp_authority(tmp_path_factory.mktemp("tsa"), authority) as address:
        yield address


def _signer(folder: Path, authority: Authority, address: str) -> MarkSigner:
    roots = folder / "time-roots.pem"
    roots.write_text(authority.root_pem)
    return MarkSigner.from_settings(
        signing_settings(folder, timestamp_url=address, timestamp_trust_file=str(roots))
    )


def test_each_step_says_when_it_was_signed(
    authority: Authority, address: str, tmp_path: Path
) -> None:
    signer = _signer(tmp_path, authority, address)
    steps = four_steps(tmp_path / "steps", signer)

    marks = read_marks(
        steps.final.path,
        trust_pem=signer.trust_pem,
        timestamp_trust_pem=signer.timestamp_trust_pem,
    )

    assert steps.final.time_stamped
    assert marks.state is MarksState.TRUSTED
    assert all(step.signed_at is not None for step in marks.steps)
    assert all(verdict.note == "" for verdict in marks.engines)


def test_a_token_by_another_authority_than_ours_is_refused(
    authority: Authority, address: str, tmp_path: Path
) -> None:
    del authority
    signer = _signer(tmp_path, Authority.make("Other"), address)

    with pytest.raises(SettingsError, match="not below a root of ours"):
        mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)
    assert not (tmp_path / "b.png").exists()


def test_a_time_stamped_file_outlives_its_certificate(
    authority: Authority, address: str, tmp_path: Path
) -> None:
    signer = _signer(tmp_path, authority, address)
    source = write_noise(1, tmp_path / "a.png")
    with_token = mark(mark_request(source, tmp_path / "with.png"), signer).path
    plain = MarkSigner.from_settings(signing_settings(tmp_path))
    without = mark(mark_request(source, tmp_path / "without.png"), plain).path

    def state(path: Path) -> object:
        return encypher_c2pa.verify(
            str(path),
            trust_pem=signer.trust_pem,
            tsa_trust_pem=signer.timestamp_trust_pem,
            no_default_trust=True,
            telemetry=False,
            validation_time="2033-01-01T00:00:00Z",
        )["validation_state"]

    assert state(with_token) == "Trusted"
    assert state(without) != "Trusted"


class _Refusing(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        del format, args


def test_no_file_is_signed_without_its_token(authority: Authority, tmp_path: Path) -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        signer = _signer(tmp_path, authority, f"http://127.0.0.1:{server.server_port}/")
        with pytest.raises(SigningUnavailable, match="gave no token") as caught:
            mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert caught.value.transient
    assert not (tmp_path / "b.png").exists()


def test_an_authority_that_is_away_can_be_waited_for(authority: Authority, tmp_path: Path) -> None:
    signer = _signer(tmp_path, authority, "http://127.0.0.1:1/")

    with pytest.raises(SigningUnavailable, match="gave no token"):
        mark(mark_request(write_noise(1, tmp_path / "a.png"), tmp_path / "b.png"), signer)
    assert not (tmp_path / "b.png").exists()


def test_an_authority_that_is_away_is_named_once_with_what_becomes_of_files() -> None:
    url = "http://127.0.0.1:1/"

    with pytest.raises(SigningUnavailable, match="gave no token") as caught:
        time_stamp(url, b"a signature")
    assert str(caught.value).count(url) == 1
    assert "files wait" in str(caught.value)
    assert "heckpoint" not in str(caught.value)
