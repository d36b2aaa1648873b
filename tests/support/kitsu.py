"""
A real Kitsu server of the tests' own: PostgreSQL, Redis and zou, started once in a process.

zou stands in an environment of its own (`make kitsu`), since it pins what it needs.
"""

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gazu
import pytest
import requests
from gazu.client import KitsuClient

from support.clocks import eventually
from support.databases import server_runner

ROOT = Path(__file__).parents[2]
ADMIN, PASSWORD = "admin@example.com", "mysecretpassword"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningKitsu:
    """A server that answers; `token` is the bot's."""

    url: str
    token: str

    def client(self, token: str = "") -> KitsuClient:
        """Return a client of the administrator, or of who has this token."""
        client = gazu.client.create_client(self.url)
        if token:
            client.access_token = token
        else:
            sign_in(client, ADMIN)
        return client


def sign_in(client: KitsuClient, address: str) -> None:
    """Sign a client in as who has this address."""
    fields = {"email": address, "password": PASSWORD}
    client.tokens = gazu.client.post("auth/login", fields, client=client)


def zou_python() -> Path:
    """Return the Python of the environment in which zou is installed, as `make kitsu` makes it."""
    return ROOT / ".venv-kitsu" / "bin" / "python"


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def running_kitsu() -> RunningKitsu:
    """Return the server of this process; a test is skipped, with the reason, where none starts."""
    found = _kitsu()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@cache
def _kitsu() -> RunningKitsu | str:
    python, redis = zou_python(), shutil.which("redis-server")
    if not python.exists():
        return f"zou is not installed below {python.parent.parent}: run `make kitsu`"
    if redis is None:
        return "no Redis is installed: run `make kitsu`"
    folder = Path(tempfile.mkdtemp(prefix="haikei-kitsu-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ports = {name: free_port() for name in ("db", "kv", "api")}
    postgres = server_runner(folder / "pg", ports["db"], "zou")
    if isinstance(postgres, str):
        return postgres
    postgres("createdb", "--host=127.0.0.1", f"--port={ports['db']}", "--username=zou", "zoudb")
    _keep([redis, "--port", str(ports["kv"]), "--bind", "127.0.0.1", "--save", ""], folder, {})
    environment = {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": str(ports["db"]),
        "DB_USERNAME": "zou",
        "DB_PASSWORD": "",
        "DB_DATABASE": "zoudb",
        "KV_HOST": "127.0.0.1",
        "KV_PORT": str(ports["kv"]),
        "SECRET_KEY": "a-key-for-tests-of-more-than-thirty-two-characters",
        "PREVIEW_FOLDER": str(folder / "previews"),
        "TMP_DIR": str(folder / "tmp"),
        "MAIL_ENABLED": "False",
        "MAIL_CHECK_DELIVERABILITY": "False",
        "IS_SELF_HOSTED": "False",
        "HOME": str(folder),
    }
    for name in ("previews", "tmp"):
        (folder / name).mkdir()
    # One process for all commands: each costs five seconds of imports.
    made = subprocess.run(
        [python, "-c", _SETUP, ADMIN, PASSWORD],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if made.returncode:
        return f"zou could not be set up: {made.stdout[-400:]}{made.stderr[-800:]}"
    token = made.stdout.strip().splitlines()[-1]
    address = f"127.0.0.1:{ports['api']}"
    command: list[str | Path] = [
        python,
        "-m",
        "gunicorn",
        "-w",
        "1",
        "-k",
        "gevent",
        "--timeout",
        "600",
    ]
    _keep(
        [*command, "--no-control-socket", "-b", address, "zou.app:create_app()"],
        folder,
        environment,
    )
    url = f"http://{address}"

    def answers() -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{url}/", timeout=5).ok
        return False

    try:
        eventually(answers, "zou", pause=0.2)
    except AssertionError as error:
        return f"{error} It said: {(folder / 'said').read_text()[-800:]}"
    return RunningKitsu(url=url, token=token)


def _keep(command: list[str | Path], folder: Path, environment: Mapping[str, str]) -> None:
    """Start a server that ends with the tests."""
    with (folder / "said").open("a", encoding="utf-8") as said:
        server = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=said, stderr=said
        )
    atexit.register(server.wait)
    atexit.register(server.terminate)


_SETUP = """
import sys
from zou.cli import cli
for line in (
    ["upgrade-db", "--no-telemetry"],
    ["init-data"],
    ["create-admin", sys.argv[1], "--password", sys.argv[2]],
    ["create-bot", "--email", "haikei-bot@example.com", "--name", "Haikei", "--role", "admin"],
):
    try:
        cli(line)
    except SystemExit as end:
        if end.code:
            raise
"""
