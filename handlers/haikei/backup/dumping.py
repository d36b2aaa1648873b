"""Copy one database as it is at one moment, while others write to it, and put it back."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect
from sqlalchemy.engine import make_url

from haikei.errors import BackupUnusable, StateError

_DUMP, _RESTORE = "pg_dump", "pg_restore"
_TIMEOUT = 3600


def is_sqlite(url: str) -> bool:
    """Tell whether a database is a file."""
    return make_url(url).get_backend_name() == "sqlite"


def file_of(url: str) -> Path:
    """Return the file of an SQLite database."""
    return Path(make_url(url).database or "")


def copy_sqlite(url: str, target: Path) -> bool:
    """
    Copy an SQLite database, with what its log holds; False where there is none.

    Raises:
        StateError: it cannot be read or the copy not written.
    """
    source = file_of(url)
    if not source.is_file():
        return False
    target.touch(mode=0o600)
    try:
        # In one step, which reads one moment: writers go on in the write-ahead log meanwhile.
        with (
            closing(sqlite3.connect(source, timeout=60)) as here,
            closing(sqlite3.connect(target)) as there,
        ):
            here.backup(there, pages=-1)
            there.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise StateError(
            f"The database {source} cannot be copied: {error}.",
            advice="Check the disk, and that the target has room for it.",
        ) from error
    return True


def dump_postgresql(url: str, target: Path) -> str:
    """
    Dump a PostgreSQL database; return why it could not be done, empty when it was.

    Raises:
        StateError: the server refuses.
    """
    if shutil.which(_DUMP) is None:
        return f"{_DUMP} is not installed here; have the database's own back-up take it"
    target.touch(mode=0o600)
    _run([_DUMP, "--format=custom", "--no-owner", f"--file={target}"], make_url(url))
    return ""


def check_dump(path: Path) -> None:
    """
    Check that a dump can be read from its beginning to its end, where the tool is at hand.

    Raises:
        BackupUnusable: it cannot.
    """
    if shutil.which(_RESTORE) is None:
        return
    done = subprocess.run(
        [_RESTORE, "--file=/dev/null", str(path)],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise BackupUnusable(
            f"The dump {path.name} cannot be read: {done.stderr.strip()}",
            advice="Take another back-up.",
        )


def check_sqlite(path: Path) -> None:
    """
    Check that every page of a database is in order.

    Raises:
        BackupUnusable: it is not.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            result = database.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        result = str(error)
    if result != "ok":
        raise BackupUnusable(
            f"The database {path.name} of the back-up is damaged: {result}.",
            advice="Take another back-up.",
        )


def require_empty(url: str) -> None:
    """
    Check that there is nothing yet where a database is to be put back.

    Raises:
        StateError: there is, or the server does not answer.
    """
    if is_sqlite(url):
        beside = [file_of(url).with_name(file_of(url).name + one) for one in ("", "-wal", "-shm")]
        found = [path for path in beside if path.exists()]
        if found:
            raise StateError(
                f"{found[0]} is there already; nothing is ever restored over it.",
                advice="Stop Haikei, move the whole state folder aside, and restore then.",
            )
        return
    engine = create_engine(url)
    try:
        tables = inspect(engine).get_table_names()
    except Exception as error:
        shown = make_url(url).render_as_string(hide_password=True)
        raise StateError(f"The database {shown} cannot be reached: {error}.") from error
    finally:
        engine.dispose()
    if tables:
        shown = make_url(url).render_as_string(hide_password=True)
        raise StateError(
            f"The database {shown} holds {len(tables)} tables; nothing is restored over them.",
            advice="Give a new, empty database in the settings, and restore then.",
        )


def restore_postgresql(path: Path, url: str) -> None:
    """
    Put a dump into an empty database.

    Raises:
        StateError: it cannot be done.
    """
    if shutil.which(_RESTORE) is None:
        raise StateError(
            f"{_RESTORE} is not installed here.", advice="Install PostgreSQL's client programs."
        )
    _run([_RESTORE, "--no-owner", "--exit-on-error", "--single-transaction"], make_url(url), path)


def _run(command: list[str], url: URL, *files: Path) -> None:
    host = url.query.get("host", url.host)
    name = url.database or ""
    given = [
        *([f"--host={host}"] if isinstance(host, str) and host else []),
        *([f"--port={url.port}"] if url.port else []),
        *([f"--username={url.username}"] if url.username else []),
        f"--dbname={name}",
        "--no-password",
    ]
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    environment: Mapping[str, str] = {**os.environ, **password}
    done = subprocess.run(
        [*command, *given, *map(str, files)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise StateError(
            f"{command[0]} failed on the database {name}: {done.stderr.strip()}",
            advice="Check that it is reachable and that its programs are as new as the server.",
        )
