"""A site says when it answers, keeps to this machine, and stops when told to."""

import gc
import http.client
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import pytest
import shotgun_api3
from pydantic import SecretStr

from haikei.errors import SettingsError
from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.form import UploadedFile
from haikei.sgserver.http.hosting import Hosting, SiteOptions
from haikei.sgserver.http.serving import serve
from haikei.sgserver.media.uploads import Target
from haikei.sgserver.site import Site
from support.clocks import PATIENCE, eventually
from support.sites import write_image


class _Served:
    """A `serve` call in a thread of its own."""

    def __init__(self, data: Path, **options: Any) -> None:
        self.stop = threading.Event()
        self.ready = threading.Event()
        self.announced: list[str] = []
        self._thread = threading.Thread(target=self._run, args=(data, options))
        self._thread.start()
        assert self.ready.wait(PATIENCE)

    def _run(self, data: Path, options: dict[str, Any]) -> None:
        def announce(url: str) -> None:
            self.announced.append(url)
            self.ready.set()

        serve(data=data, port=0, on_ready=announce, stop=self.stop, **options)

    @property
    def url(self) -> str:
        return self.announced[0]

    def end(self) -> None:
        self.stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def _serve_once(
    data: Path,
    *,
    scripts: Sequence[tuple[str, SecretStr]],
    seed: Literal["demo", "empty"] = "empty",
) -> dict[str, int]:
    """Serve a site, count what it holds through the client, and stop it."""
    served = _Served(data, scripts=scripts, seed=seed)
    try:
        name, key = scripts[0]
        sg = shotgun_api3.Shotgun(served.url, script_name=name, api_key=key.get_secret_value())
        try:
            types = ("Project", "Shot", "Task", "Step", "HumanUser", "ApiUser", "EventLogEntry")
            return {kind: len(sg.find(kind, [])) for kind in types}
        finally:
            sg.close()
    finally:
        served.end()


def test_the_address_is_told_once_and_only_when_calls_are_answered(tmp_path: Path) -> None:
    served = _Served(tmp_path, scripts=[])
    try:
        answer = httpx.post(
            f"{served.url}/api3/json", json={"method_name": "info"}, timeout=PATIENCE
        )
    finally:
        served.end()

    assert answer.json()["version"][0] >= 8
    assert len(served.announced) == 1
    assert urlsplit(served.url).hostname == "127.0.0.1"
    with pytest.raises(httpx.ConnectError):
        httpx.get(served.url, timeout=PATIENCE)


def test_seeding_twice_adds_nothing_twice(tmp_path: Path) -> None:
    scripts = [("haikei", SecretStr("key"))]

    first = _serve_once(tmp_path, scripts=scripts, seed="demo")
    again = _serve_once(tmp_path, scripts=scripts, seed="demo")

    assert (first["Project"], first["Shot"], first["Task"]) == (2, 11, 22)
    assert again == first


def test_an_empty_site_has_steps_and_an_administrator_and_no_show(tmp_path: Path) -> None:
    held = _serve_once(tmp_path, scripts=[("haikei", SecretStr("key"))])

    assert held["Project"] == 0
    assert held["HumanUser"] == 1
    assert held["Step"] >= 2


def test_a_scripts_key_is_changed_by_naming_it_again(tmp_path: Path) -> None:
    before = _serve_once(tmp_path, scripts=[("haikei", SecretStr("old"))])
    after = _serve_once(tmp_path, scripts=[("haikei", SecretStr("new"))])

    assert after["ApiUser"] == before["ApiUser"]


def test_a_key_that_was_changed_opens_nothing_any_more(tmp_path: Path) -> None:
    _serve_once(tmp_path, scripts=[("haikei", SecretStr("old"))])
    served = _Served(tmp_path, scripts=[("haikei", SecretStr("new"))])
    sg = shotgun_api3.Shotgun(served.url, script_name="haikei", api_key="old")
    try:
        with pytest.raises(shotgun_api3.AuthenticationFault):
            sg.find("Project", [])
    finally:
        sg.close()
        served.end()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "studio.example"])
def test_a_site_does_not_reach_beyond_this_machine_unasked(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match="--allow-remote"):
        serve(data=tmp_path, port=0, host=host, on_ready=print, stop=threading.Event())


def test_a_site_that_may_be_reached_asks_for_a_login(tmp_path: Path) -> None:
    served = _Served(tmp_path, allow_remote=True)
    try:
        assert httpx.get(served.url, timeout=PATIENCE).status_code == 303
    finally:
        served.end()


def test_no_answer_waits_for_a_delayed_acknowledgement(tmp_path: Path) -> None:
    served = _Served(tmp_path)
    try:
        port = httpx.URL(served.url).port
        with socket.create_connection(("127.0.0.1", port or 0)) as client:
            client.sendall(b"GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(100)
            # Nagle's algorithm holds the second piece of an answer back for 40 ms, each time.
            (accepted,) = [
                one
                for one in gc.get_objects()
                # By its type: `isinstance` asks objects for their class, and some then warn.
                if issubclass(type(one), socket.socket) and _peer(one) == client.getsockname()
            ]
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    finally:
        served.end()


def _peer(one: socket.socket) -> object:
    try:
        return one.getpeername()
    except OSError:
        return None


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(SettingsError, match=f"cannot be served on 127.0.0.1:{port}"):
            serve(data=tmp_path, port=port, on_ready=print, stop=threading.Event())


def test_the_older_loopback_name_and_protocol_work_too(tmp_path: Path) -> None:
    for host in ("localhost", "::1"):
        served = _Served(tmp_path / host.replace(":", "_"), host=host)
        try:
            assert httpx.get(served.url, timeout=PATIENCE).status_code == 200
        finally:
            served.end()


def test_stopping_does_not_wait_for_idle_connections(tmp_path: Path) -> None:
    served = _Served(tmp_path)
    address = urlsplit(served.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.request("GET", "/")
    connection.getresponse().read()

    served.end()

    connection.close()


def test_thumbnails_that_were_pending_at_the_end_are_made_at_the_next_start(
    tmp_path: Path,
) -> None:
    picture = write_image(tmp_path / "thumb.png")
    site = Site.open(tmp_path / "site")
    try:
        caller: Caller = site.system
        project = site.create(caller, "Project", {"name": "Port Town"})
        number = project["id"]
        assert isinstance(number, int)
        earlier = Hosting.open(site, SiteOptions(thumbnail_delay=3600))
        with earlier.media.receive() as arrival:
            arrival.write(picture.read_bytes())
            file = UploadedFile(
                received=arrival.finish(), filename="thumb.png", content_type="image/png"
            )
        attachment = earlier.uploads.publish_thumbnail(
            caller, file, Target(type="Project", id=number), field="image"
        )
        earlier.workers.close()
        assert site.image_of("Project", number) == (attachment, True)

        later = Hosting.open(site, SiteOptions(thumbnail_delay=0))
        later.thumbnails.start()
        try:
            eventually(lambda: site.image_of("Project", number) == (attachment, False))
        finally:
            later.thumbnails.stop()
            later.workers.close()
        assert list((site.data / "attachments" / "pending").iterdir()) == []
    finally:
        site.close()
