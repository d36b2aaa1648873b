"""
Databases for tests: the studio's, migrated once in a process and copied for each test, and a
PostgreSQL server of the tests' own.
"""

import atexit
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from haikei.database import open_database

#: Set to `postgresql`, tests that ask for a studio's database by its file get one there.
KIND = os.environ.get("HAIKEI_TEST_DATABASE", "sqlite")
_by_path: dict[Path, str] = {}
_opened: list[Engine] = []


def fresh_database(path: Path) -> Engine:
    """
    Open the database of that file; where there is none, an empty one at the present schema.

    Its connections are closed when the test ends, at the latest.
    """
    if KIND != "postgresql" and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(_migrated(), path)
    database = open_database(database_url(path))
    _opened.append(database)
    return database


def close_databases() -> None:
    """
    Close the connections of all databases that were opened here since the last time.

    An engine that a whole module shares opens new ones when it is asked again.
    """
    while _opened:
        _opened.pop().dispose()


def database_url(path: Path) -> str:
    """Return the address of the database that stands for that file in these tests."""
    if KIND != "postgresql":
        return f"sqlite:///{path}"
    if path not in _by_path:
        _by_path[path] = postgres_url(migrated=True)
    return _by_path[path]


@cache
def _migrated() -> Path:
    # Alembic takes a hundred times as long as a copy does.
    folder = Path(tempfile.mkdtemp(prefix="haikei-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "haikei.db"
    # Closing the last connection puts the write-ahead log into the file.
    open_database(f"sqlite:///{path}").dispose()
    return path


_BINARIES = "/usr/lib/postgresql"  #: where Debian's packages put the servers, by version


def postgres_url(*, migrated: bool = False) -> str:
    """
    Return the URL of a new PostgreSQL database; the test is skipped where no server starts.

    It is empty, or `migrated` to the present schema.
    """
    server = _postgres()
    if server.folder is None:
        pytest.skip(server.reason)
    name = f"t{secrets.token_hex(8)}"
    template = _template() if migrated else "template1"
    with psycopg.connect(f"host={server.folder} user=haikei dbname=postgres", autocommit=True) as c:
        c.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return f"postgresql+psycopg://haikei@/{name}?host={server.folder}"


def restart_postgres(mode: str) -> None:
    """
    Restart the server that the tests have started; nobody is asked whether it suits them.

    Args:
        mode: `fast` as an administrator does, or `immediate` as a crash is.
    """
    server = _postgres()
    assert server.folder is not None, server.reason
    server.run("pg_ctl", "restart", "--pgdata=data", "--wait", "--log=log", f"--mode={mode}")


@cache
def _template() -> str:
    url = postgres_url()
    open_database(url).dispose()
    return str(make_url(url).database)


class _Server:
    def __init__(
        self, folder: Path | None, run: Callable[..., None] = print, reason: str = ""
    ) -> None:
        self.folder = folder  #: of its socket
        self.run = run  #: runs one of its programs
        self.reason = reason  #: why there is none


@cache
def _postgres() -> _Server:
    """Start a server that listens to a socket alone, once in a process; it ends with the tests."""
    found = sorted(Path(_BINARIES).glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    if not found:
        return _Server(None, reason=f"no PostgreSQL server is installed below {_BINARIES}")
    folder = Path(tempfile.mkdtemp(prefix="haikei-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    become: dict[str, str] = {}
    if os.geteuid() == 0:
        # A server refuses to run as root.
        become = {"user": "nobody", "group": "nogroup"}
        shutil.chown(folder, **become)
    run = _runner(found[-1].parent, folder, become)
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    options += " -c max_connections=400"
    try:
        run("initdb", "--pgdata=data", "--username=haikei", "--auth=trust", "--no-sync")
        atexit.register(run, "pg_ctl", "stop", "--pgdata=data", "--mode=immediate")
        run("pg_ctl", "start", "--pgdata=data", "--wait", "--log=log", f"--options={options}")
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "output", "") or str(error)
        return _Server(None, reason=f"no PostgreSQL server can be started here: {said.strip()}")
    return _Server(folder, run)


def _runner(binaries: Path, folder: Path, become: dict[str, str]) -> Callable[..., None]:
    def run(program: str, *arguments: str) -> None:
        # A server keeps what it inherits open for as long as it runs: no pipe of ours.
        with (folder / "said").open("w+", encoding="utf-8") as said:
            done = subprocess.run(
                [binaries / program, *arguments],
                cwd=folder,
                stdout=said,
                stderr=subprocess.STDOUT,
                check=False,
                **become,  # type: ignore[call-overload]
            )
            said.seek(0)
            if done.returncode:
                raise subprocess.CalledProcessError(done.returncode, program, said.read())

    return run
