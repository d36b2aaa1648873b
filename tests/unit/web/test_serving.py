"""The real server: it answers on a free port, ends streams when asked to stop, and is refused."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from haikei.errors import SettingsError
from haikei.web import address
from haikei.web.address import hosts, is_open
from support.clocks import PATIENCE
from support.jobs import studio_database, studio_settings
from support.web import serving


@contextmanager
def served(folder: Path, **web: object) -> Generator[tuple[str, threading.Event, threading.Thread]]:
    settings = studio_settings(folder, web={"port": 0, **web})
    database = studio_database(settings)
    try:
        with serving(settings, database) as running:
            yield running
    finally:
        database.dispose()


def test_it_answers_on_a_free_port_and_stops(tmp_path: Path) -> None:
    with served(tmp_path) as (url, stop, thread):
        answer = httpx.get(f"{url}/sign-in", timeout=PATIENCE)
        assert answer.status_code == 200
        assert "server" not in answer.headers

        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_an_open_stream_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    with (
        served(tmp_path) as (url, stop, thread),
        httpx.stream("GET", f"{url}/events", timeout=PATIENCE) as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        assert stream.headers["content-type"].startswith("text/event-stream")

        stop.set()

        assert all(not line or line.startswith((":", "id:", "event:", "data:")) for line in lines)
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_port_that_is_taken_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with (
            pytest.raises(SettingsError, match="cannot be served"),
            served(tmp_path, port=other.getsockname()[1]),
        ):
            pass


def test_others_are_not_let_in_when_nobody_could_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keyring.get_password", no_password)

    with pytest.raises(SettingsError, match="nobody could sign in"), served(tmp_path, host="::"):
        pass


@pytest.mark.parametrize(
    ("web", "opened", "public"),
    [
        ({}, True, "http://127.0.0.1:8771"),
        ({"host": "::1"}, True, "http://[::1]:8771"),
        ({"host": "localhost", "port": 9000}, True, "http://localhost:9000"),
        ({"url": "http://127.0.0.1:9000"}, True, "http://127.0.0.1:9000"),
        ({"url": "https://haikei.studio.test/"}, False, "https://haikei.studio.test"),
        ({"host": "192.0.2.7"}, False, "http://192.0.2.7:8771"),
        ({"host": "0.0.0.0"}, False, f"http://{socket.gethostname()}:8771"),
    ],
)
def test_only_what_this_machine_alone_reaches_is_open(
    tmp_path: Path, web: dict[str, object], *, opened: bool, public: str
) -> None:
    settings = studio_settings(tmp_path, web=web)

    assert is_open(settings.web) is opened
    assert address(settings) == public
    assert ("*" in hosts(settings)) is (not opened and "url" not in web)


def no_password(_service: str, _name: str) -> None: ...
