"""
A Kitsu server of the demonstration's own: PostgreSQL, Redis and zou, below one folder.

zou pins what it needs, so it stands in an environment of its own, which `make kitsu` makes.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from haikei.errors import SettingsError, TrackerUnavailable

#: The first account, which makes all others; the server listens to loopback alone.
ADMIN, PASSWORD = "admin@example.com", "mysecretpassword"
#: Where `make kitsu` puts zou, below the folder in which it is called.
ZOU = Path(".venv-kitsu")
_PROGRAMS = "/usr/lib/postgresql"  #: where Debian's packages put the servers, by version
_START = 150.0  #: seconds until everything must answer


@dataclass(frozen=True, slots=True, kw_only=True)
class KitsuServer:
    """
    A server that answers, and tells of events at the same address.

    `token` is that of the bot `Haikei`; `environment` is what another process of it needs.
    """

    url: str
    token: str
    environment: Mapping[str, str]


def lacking(zou: Path = ZOU) -> str:
    """Return what is missing for a server, as a sentence; empty when nothing is."""
    if not (zou / "bin" / "python").exists():
        return f"There is no zou in {zou}."
    if shutil.which("redis-server") is None:
        return "There is no redis-server."
    if not list(Path(_PROGRAMS).glob("*/bin/initdb")):
        return f"There is no PostgreSQL server below {_PROGRAMS}."
    return ""


@contextmanager
def kitsu_server(folder: Path, zou: Path = ZOU) -> Generator[KitsuServer]:
    """
    Run a server while the block runs; what it holds stays in the folder, for the next run.

    Raises:
        SettingsError: a program is missing.
        TrackerUnavailable: something does not start; its output is in `said.log`.
    """
    if missing := lacking(zou):
        raise SettingsError(missing, advice="Run `make kitsu` in Haikei's checkout.")
    folder.mkdir(parents=True, exist_ok=True)
    database, cache, api = (free_port() for _ in range(3))
    with ExitStack() as stack:
        stack.enter_context(_postgres(folder, database))
        redis = ["redis-server", "--port", str(cache), "--bind", "127.0.0.1", "--save", ""]
        stack.enter_context(_kept(redis, folder, {}))
        environment = _environment(folder, database, cache)
        python = (zou / "bin" / "python").absolute()
        token = _set_up(python, folder, environment)
        address = f"127.0.0.1:{api}"
        stack.enter_context(_kept(zou_command(zou, address), folder, environment))
        wait_for(f"http://{address}", folder)
        yield KitsuServer(url=f"http://{address}", token=token, environment=environment)


def zou_command(zou: Path, address: str) -> list[str]:
    """Return the command of a process that serves the event stream; it serves the API as well."""
    python = (zou / "bin" / "python").absolute()
    worker = "geventwebsocket.gunicorn.workers.GeventWebSocketWorker"
    command = [str(python), *("-m", "gunicorn", "-w", "1", "-k", worker, "--timeout", "600")]
    return [*command, "--no-control-socket", "-b", address, "zou.event_stream:app"]


def _environment(folder: Path, database: int, cache: int) -> Mapping[str, str]:
    for name in ("previews", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    key = folder / "secret.key"
    if not key.exists():
        key.touch(0o600)
        key.write_text(os.urandom(32).hex(), encoding="utf-8")
    return {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": str(database),
        "DB_USERNAME": "zou",
        "DB_PASSWORD": "",
        "DB_DATABASE": "zoudb",
        "KV_HOST": "127.0.0.1",
        "KV_PORT": str(cache),
        "SECRET_KEY": key.read_text(encoding="utf-8"),
        "PREVIEW_FOLDER": str(folder / "previews"),
        "TMP_DIR": str(folder / "tmp"),
        "MAIL_ENABLED": "False",
        "MAIL_CHECK_DELIVERABILITY": "False",
        "IS_SELF_HOSTED": "False",
        "HOME": str(folder),
    }


@contextmanager
def _postgres(folder: Path, port: int) -> Generator[None]:
    """Run a cluster; it refuses to run as root, and is then nobody's."""
    newest = max(Path(_PROGRAMS).glob("*/bin"), key=lambda one: int(one.parent.name))
    place = folder / "postgres"
    place.mkdir(exist_ok=True)
    become: dict[str, str] = {}
    if os.geteuid() == 0:
        become = {"user": "nobody", "group": "nogroup"}
        shutil.chown(place, **become)
        for parent in place.parents:
            # It must be able to reach its folder; what it may list is another matter.
            if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)

    def run(program: str, *arguments: str) -> None:
        # A server keeps what it inherits open for as long as it runs: no pipe of ours.
        with (folder / "said.log").open("a", encoding="utf-8") as output:
            done = subprocess.run(
                [newest / program, *arguments],
                cwd=place,
                stdout=output,
                stderr=output,
                check=False,
                **become,  # type: ignore[call-overload]
            )
        if done.returncode:
            raise TrackerUnavailable(
                f"PostgreSQL's {program} failed.", advice=f"See {folder / 'said.log'}."
            )

    fresh = not (place / "data" / "PG_VERSION").exists()
    if fresh:
        run("initdb", "--pgdata=data", "--username=zou", "--auth=trust", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {place} -c fsync=off"
    run("pg_ctl", "start", "--pgdata=data", "--wait", "--log=log", f"--options={options}")
    try:
        if fresh:
            run("createdb", "--host=127.0.0.1", f"--port={port}", "--username=zou", "zoudb")
        yield
    finally:
        run("pg_ctl", "stop", "--pgdata=data", "--mode=fast")


def _set_up(python: Path, folder: Path, environment: Mapping[str, str]) -> str:
    """Make schema, first rows and accounts, once; return the bot's token."""
    kept = folder / "bot.token"
    if kept.exists():
        return kept.read_text(encoding="utf-8").strip()
    # One process for all commands: each costs five seconds of imports.
    made = subprocess.run(
        [python, "-c", _COMMANDS, ADMIN, PASSWORD],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        with (folder / "said.log").open("a", encoding="utf-8") as output:
            output.write(made.stdout + made.stderr)
        raise TrackerUnavailable("zou cannot be set up.", advice=f"See {folder / 'said.log'}.")
    token = made.stdout.strip().splitlines()[-1]
    kept.touch(0o600)
    kept.write_text(token, encoding="utf-8")
    return token


_COMMANDS = """
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


@contextmanager
def _kept(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Generator[None]:
    with (folder / "said.log").open("a", encoding="utf-8") as output:
        server = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=output, stderr=output
        )
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def wait_for(url: str, folder: Path) -> None:
    deadline = time.monotonic() + _START
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise TrackerUnavailable(
        f"Kitsu did not answer within {_START:.0f} s.", advice=f"See {folder / 'said.log'}."
    )


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
