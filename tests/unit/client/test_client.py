"""Tools anywhere speak to a studio's Haikei through one small package of their own."""

import ast
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

import haikei.client
from haikei.client import (
    Client,
    ClientError,
    ServerAway,
    SignatureInvalid,
    StillRunning,
    Submission,
    verified,
)
from support.api import ServedApi, served_api
from support.jobs import put_layout
from support.studio import end_badly, make_version

FOLDER = Path(haikei.client.__file__).parent


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ServedApi]:
    with served_api(tmp_path) as one:
        yield one


def test_it_is_python_3_9_and_imports_nothing_else_of_haikei() -> None:
    for file in FOLDER.glob("*.py"):
        ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))
    code = "import haikei.client, sys; print(*(m for m in sys.modules if m.startswith('haikei')))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )

    assert set(done.stdout.split()) == {"haikei", "haikei.client", "haikei.client.client"}


def test_its_folder_works_wherever_it_is_copied(tmp_path: Path, api: ServedApi) -> None:
    shutil.copytree(FOLDER, tmp_path / "tools" / "haikei_client")
    event = put_layout(api.settings)
    code = "import haikei_client, sys; print(haikei_client.Client().submit(sys.argv[1]).key)"
    done = subprocess.run(
        # Isolated: no environment's packages, and nothing of Haikei.
        [sys.executable, "-S", "-W", "error", "-c", code, str(event.layout)],
        cwd=tmp_path / "tools",
        env={"HAIKEI_URL": api.url, "HAIKEI_TOKEN": api.token},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == event.key


def test_a_layout_is_handed_in_and_followed_to_its_end(api: ServedApi) -> None:
    event, client = put_layout(api.settings), api.client()
    assert client.submit(event.layout, dry_run=True).state == "planned"

    handed_in = client.submit(event.layout)
    assert (handed_in.state, handed_in.new) == ("received", True)
    assert handed_in.variants == ("summer day",)
    assert not client.submit(str(event.layout)).new
    seen: list[str] = []

    def go_on(found: Submission) -> None:
        seen.append(found.state)
        if not found.jobs:
            api.dispatch()
        elif found.state == "waiting":
            end_badly(api.database, found.jobs[0].key)

    ended = client.wait(handed_in.key, on_change=go_on)
    assert seen == ["received", "waiting", "dead"]
    assert (ended.state, ended.has_ended, ended.jobs[0].state) == ("dead", True, "dead")


def test_what_takes_longer_than_somebody_waits_goes_on(api: ServedApi) -> None:
    client = api.client()
    key = client.submit(put_layout(api.settings).layout).key

    with pytest.raises(StillRunning, match="is received after 0 seconds"):
        client.wait(key, timeout=0)


def test_bytes_are_sent_where_the_server_does_not_see_the_file(
    api: ServedApi, tmp_path: Path
) -> None:
    event = put_layout(api.settings)
    mine = event.layout.rename(tmp_path / "layout of mine.png")
    client = api.client()

    with pytest.raises(ClientError, match="below no storage root") as refused:
        client.submit(mine)
    assert (refused.value.status, refused.value.kind) == (422, "PathRefused")
    sent = client.submit(mine, project="PORT", sequence="s01", shot="c031", upload=True)

    assert Path(sent.path).read_bytes() == mine.read_bytes()
    with pytest.raises(ClientError, match="cannot be read"):
        client.submit(tmp_path / "nothing.png", project="PORT", shot="c031", upload=True)


def test_versions_are_read_page_by_page_and_decided_about(api: ServedApi) -> None:
    with api.database.begin() as connection:
        for number in range(1, 61):
            make_version(connection, api.desk, number, shot=f"c{number:03}")
    client = api.client()

    found = list(client.versions(project="akane"))
    assert sorted(one.shot for one in found) == [f"c{number:03}" for number in range(1, 61)]
    (version,) = client.versions("c007")
    assert client.version(version.code) == version
    assert client.decide(version.code, "retake", note="warmer", by="mori") == version.key
    (seen,) = api.desk.look([7])
    assert seen.status == "rtk"
    with pytest.raises(ClientError, match="No version"):
        client.version("c999")


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        ("", "x", "No server is named"),
        ("ftp://studio", "x", "no address of a server"),
        ("http://haikei.studio", "x", "in the clear"),
        ("http://[::1", "x", "no address"),
        ("https://haikei.studio", "", "There is no token"),
        ("https://haikei.studio", "a\r\nb", "The token is none"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, url: str, token: str, words: str
) -> None:
    monkeypatch.delenv("HAIKEI_URL", raising=False)
    monkeypatch.delenv("HAIKEI_TOKEN", raising=False)
    with pytest.raises(ClientError, match=words):
        Client(url, token)


class Moody:
    """A server that answers with these statuses, one after the other, then well."""

    def __init__(self, *statuses: int, location: str = "") -> None:
        self.statuses = list(statuses)
        self.location = location
        self.wait = "3"
        self.keys: list[str] = []


@pytest.fixture
def moody() -> Iterator[tuple[Moody, str]]:
    mood = Moody()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            mood.keys.append(self.headers["idempotency-key"])
            status = mood.statuses.pop(0) if mood.statuses else 202
            self.send_response(status)
            if status == 429:
                self.send_header("retry-after", mood.wait)
            if mood.location:
                self.send_header("location", mood.location)
            self.end_headers()
            self.wfile.write(json.dumps({"key": "v1"} if status == 202 else {}).encode())

        @override
        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield mood, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("wait", ["\u00b2", "inf", "-3", "9" * 400])
def test_an_absurd_wait_that_is_asked_for_is_bounded(moody: tuple[Moody, str], wait: str) -> None:
    mood, url = moody
    mood.statuses, mood.wait = [429], wait
    waited: list[float] = []

    assert Client(url, "token", sleep=waited.append).decide("c001", "hold") == "v1"

    assert 0.0 < waited[0] <= 60.0


def test_what_can_pass_is_tried_again_as_the_same_request(moody: tuple[Moody, str]) -> None:
    mood, url = moody
    mood.statuses = [503, 429, 502]
    waited: list[float] = []

    assert Client(url, "token", sleep=waited.append).decide("c001", "hold") == "v1"

    assert waited == [0.5, 3.0, 2.0]
    assert len(mood.keys) == 4
    assert len(set(mood.keys)) == 1
    mood.statuses = [503] * 9
    with pytest.raises(ServerAway, match="answered with 503"):
        Client(url, "token", tries=3, sleep=waited.append).decide("c001", "hold")


def test_a_redirect_gets_no_token(moody: tuple[Moody, str]) -> None:
    mood, url = moody
    mood.statuses, mood.location = [307], f"{url}/elsewhere"

    with pytest.raises(ClientError, match="answered with 307"):
        Client(url, "token").decide("c001", "hold")
    assert len(mood.keys) == 1


def test_a_server_that_is_away_is_said_to_be() -> None:
    with pytest.raises(ServerAway, match="gives no answer"):
        Client("http://127.0.0.1:9", "token", tries=2, sleep=lambda _: None).status("x")


SECRET, NOW = "a secret of both sides", 1_780_000_000.0


def signed(body: bytes, stamp: str = str(int(NOW)), secret: str = SECRET) -> dict[str, str]:
    """Sign as the documentation says, written anew."""
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Haikei-Timestamp": stamp, "HAIKEI-SIGNATURE": f"v1={mac}"}


def test_a_delivery_is_believed_when_it_was_signed_a_moment_ago() -> None:
    body = '{"event": "decided", "data": {"code": "港の朝"}}'.encode()

    assert verified(body, signed(body), SECRET, now=NOW + 200)["event"] == "decided"
    forged = [
        (body + b" ", signed(body), NOW),
        (body, signed(body, secret="another secret"), NOW),
        (body, signed(body), NOW + 301),
        (body, signed(body), NOW - 301),
        (body, {**signed(body), "Haikei-Timestamp": str(int(NOW) + 1)}, NOW),
        (body, {"haikei-timestamp": str(int(NOW))}, NOW),
        (body, signed(body, stamp="now"), NOW),
        (body, {}, NOW),
    ]
    for content, headers, now in forged:
        with pytest.raises(SignatureInvalid):
            verified(content, headers, SECRET, now=now)
    with pytest.raises(SignatureInvalid, match="no secret"):
        verified(body, signed(body, secret=""), "", now=NOW)
