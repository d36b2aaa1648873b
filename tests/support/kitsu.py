"""A real Kitsu server of the tests' own, started once in a process."""

import atexit
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gazu
import gazu.client
import pytest
from gazu.client import KitsuClient

from haikei.demo.kitsu_server import ADMIN, PASSWORD, ZOU, kitsu_server, lacking
from haikei.errors import HaikeiError

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningKitsu:
    """A server that answers; `token` is the bot's."""

    url: str
    token: str

    def client(self) -> KitsuClient:
        """Return a client of the administrator."""
        client = gazu.client.create_client(self.url)
        sign_in(client, ADMIN)
        return client


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
    return RunningKitsu(url=made.url, token=made.token)
