"""The studio's database for tests: migrated once in a process, and copied for each test."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine

from haikei.database import open_database


def fresh_database(path: Path) -> Engine:
    """Open the database of that file; where there is none, an empty one at the present schema."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_migrated(), path)
    return open_database(f"sqlite:///{path}")


@cache
def _migrated() -> Path:
    # Alembic takes a hundred times as long as a copy does.
    folder = Path(tempfile.mkdtemp(prefix="haikei-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "haikei.db"
    # Closing the last connection puts the write-ahead log into the file.
    open_database(f"sqlite:///{path}").dispose()
    return path
