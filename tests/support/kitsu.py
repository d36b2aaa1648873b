"""A real Kitsu server of the tests' own, started once in a process."""

import atexit
import os
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gazu
import gazu.client
import pytest
from gazu.client import KitsuClient

from haikei.demo.kitsu_server import (
    ADMIN,
    PASSWORD,
    ZOU,
    free_port,
    kitsu_server,
    lacking,
    wait_for,
    zou_command,
)
from haikei.errors import HaikeiError

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningKitsu:
    """A server that answers; `token` is the bot's."""

    url: str
    token: str
    environment: Mapping[str, str]
    folder: Path

    def client(self) -> KitsuClient:
        """Return a client of the administrator."""
        client = gazu.client.create_client(self.url)
        sign_in(client, ADMIN)
        return client


class EventServer:
    """An event stream beside the server, as studios run it, which can be killed."""

    def __init__(self, server: RunningKitsu) -> None:
        self._server = server
        self._address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self._address}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it answers when this returns."""
        folder = self._server.folder
        with (folder / "said.log").open("a", encoding="utf-8") as said:
            self._process = subprocess.Popen(
                zou_command(ROOT / ZOU, self._address),
                cwd=folder,
                env={**os.environ, **self._server.environment},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        wait_for(self.url, folder)

    def kill(self) -> None:
        """Kill it and its worker, so that no connection is closed in order."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def event_server(server: RunningKitsu) -> Generator[EventServer]:
    """Run an event stream of its own while the block runs."""
    one = EventServer(server)
    one.start()
    try:
        yield one
    finally:
        one.kill()


def sign_in(client: KitsuClient, address: str) -> None:
    """Sign a client in as who has this address."""
    fields = {"email": address, "password": PASSWORD}
    client.tokens = gazu.client.post("auth/login", fields, client=client)


def running_kitsu() -> RunningKitsu:
    """Return the server of this process; a test is skipped, with the reason, where none starts."""
    found = _kitsu()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@cache
def _kitsu() -> RunningKitsu | str:
    if missing := lacking(ROOT / ZOU):
        return f"{missing} Run `make kitsu`."
    stack = ExitStack()
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="haikei-kitsu-"))
    try:
        made = stack.enter_context(kitsu_server(Path(folder), ROOT / ZOU))
    except HaikeiError as error:
        return str(error)
    atexit.register(stack.close)
    return RunningKitsu(
        url=made.url, token=made.token, environment=made.environment, folder=Path(folder)
    )
