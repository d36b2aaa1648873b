"""
Whose state a database holds: every studio has an id, in its database and in its folders.

A second studio that is pointed at the same database by mistake, or a database that was carried
elsewhere, is refused before anything of it is touched.
"""

import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select, update

from haikei.database.connection import inserting, reading, utc_now
from haikei.database.schema import events, jobs, ledger, studio
from haikei.errors import StateError
from haikei.files import write_whole

FILE = "studio.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Whose state a database holds."""

    id: str
    name: str
    made_at: datetime
    moved_to: str  #: where the state was carried; empty while it is here


def stamp_of(connection: Connection) -> Stamp | None:
    """Return whose state this is; None for a database that no studio has used yet."""
    row = connection.execute(select(studio)).first()
    if row is None:
        return None
    return Stamp(id=row.id, name=row.name, made_at=row.made_at, moved_to=row.moved_to)


def stamp_moved(connection: Connection, to: str) -> None:
    """Note that the state was carried elsewhere: nobody goes on with what stays here."""
    connection.execute(update(studio).values(moved_to=to))


def join_studio(
    database: Engine, *, name: str, own: Path, shared: Path, reachable: bool = True
) -> Stamp:
    """
    Return whose state this is, after a look at whether it is this host's studio.

    Args:
        database: the studio's own.
        name: the studio's, for a state that is new.
        own: this host's folder.
        shared: the folder that all hosts of the studio see.
        reachable: False while what `shared` stands on is not mounted.

    Raises:
        StateError: it is another studio's, or was carried elsewhere.
    """
    with reading(database) as connection:
        stamp = stamp_of(connection)
    folders = dict.fromkeys([shared, own] if reachable else [own])
    known = {folder: id_ for folder in folders if (id_ := _read(folder / FILE))}
    if stamp is None:
        id_ = next(iter(known.values()), secrets.token_hex(16))
        stamp = _stamp(database, name, id_, [one for one in folders if one not in known])
    elif not known and not _beside(database, own):
        raise StateError(
            f"{_where(database)} holds the state of another studio, {stamp.name!r}: neither "
            f"{shared} nor {own} belongs to it.",
            advice="Give this studio a database of its own. If it is a host of that studio, mount "
            "the same storage, or set studio.work to the folder that its other hosts use.",
        )
    for folder, id_ in known.items():
        if id_ != stamp.id:
            raise StateError(
                f"{_where(database)} holds the state of {stamp.name!r} ({stamp.id}), but {folder} "
                f"belongs to the studio {id_}.",
                advice="Give each studio its own database.url, studio.state and studio.work.",
            )
    if stamp.moved_to:
        raise StateError(
            f"The state of {stamp.name!r} was carried from {_where(database)} to {stamp.moved_to}.",
            advice="Set database.url to that address. What is left here is a copy of then.",
        )
    for folder in folders:
        if folder not in known:
            _write(folder, stamp)
    return stamp


def is_used(connection: Connection) -> bool:
    """Tell whether a studio has worked with this database."""
    return any(
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in (events, jobs, ledger)
    )


def _stamp(database: Engine, name: str, id_: str, unmarked: Sequence[Path]) -> Stamp:
    made = Stamp(id=id_, name=name, made_at=utc_now(), moved_to="")
    with database.begin() as connection:
        # Another process may have been first.
        found = stamp_of(connection)
        if found is not None:
            return found
        values = {"id": id_, "name": name, "made_at": made.made_at, "moved_to": ""}
        connection.execute(inserting(connection, studio), values)
        # A host that starts at the same moment sees the stamp with the mark, or neither.
        for folder in unmarked:
            _write(folder, made)
    return made


def _beside(database: Engine, folder: Path) -> bool:
    """Tell whether the database is a file of that folder: it is the folder's, stamped or not."""
    file = database.url.database
    if database.dialect.name != "sqlite" or not file:
        return False
    return Path(file).resolve().is_relative_to(folder.resolve())


def _where(database: Engine) -> str:
    return f"The database {database.url.render_as_string(hide_password=True)}"


def _read(file: Path) -> str:
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["id"])
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"{file} cannot be read: {error}.",
            advice="It says whose folder this is. Restore it, or remove it to have it made anew.",
        ) from error


def _write(folder: Path, stamp: Stamp) -> None:
    # A host that may only read, such as one that serves pages, leaves it to the others.
    with suppress(PermissionError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps({"id": stamp.id, "name": stamp.name}, ensure_ascii=False) + "\n"
        write_whole(folder / FILE, text.encode())
