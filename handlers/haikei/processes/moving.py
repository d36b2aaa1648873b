"""Carry a studio's whole state from one database to another, in one transaction, and check it."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import BigInteger, Connection, Engine, Integer, Table, func, insert, select, update
from sqlalchemy import text as sql

from haikei.database import (
    database_now,
    jobs,
    metadata,
    open_database,
    processes,
)
from haikei.database.stamp import is_used, stamp_moved, stamp_of
from haikei.errors import StateError
from haikei.jobs.engine.presence import ProcessState, present
from haikei.jobs.job import JobState
from haikei.ledger import verify
from haikei.settings import Settings

_BATCH = 1000
#: Of the folder that hosts share, what goes along; the rest is made anew.
_FOLDERS = ("keys", "jobs", "checkpoints", "uploads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was carried, or would be."""

    source: str  #: without a password, as all addresses here
    target: str
    rows: Mapping[str, int]  #: by table
    entries: int  #: of the ledger, recomputed where they are now
    begin_anew: int  #: jobs that were at work: they start at their first step
    folders: Sequence[Path]  #: copied to where every host sees them


def move_state(settings: Settings, target: Settings, *, dry_run: bool = False) -> Moved:
    """
    Carry the state to the target's database; what stays behind is stamped and refused from then.

    Args:
        settings: the studio's, as they are.
        target: the same with the new address.
        dry_run: only look.

    Raises:
        StateError: processes are running, or the target is used, or the copy is not the same.
        LedgerError: the ledger is damaged; it is not carried.
    """
    if settings.database_url == target.database_url:
        raise StateError(
            "The state is in that database already.", advice="Give another address with --to."
        )
    source = open_database(settings.database_url)
    try:
        there = open_database(target.database_url)
        try:
            return _move(settings, target, source, there, dry_run=dry_run)
        finally:
            there.dispose()
    finally:
        source.dispose()


def _move(
    settings: Settings, target: Settings, source: Engine, there: Engine, *, dry_run: bool
) -> Moved:
    # The writer's place of both is held until all is done: nobody adds anything meanwhile.
    with source.begin() as old:
        with there.begin() as new:
            _require_still(old, source)
            _require_unused(new, there)
            rows = {table.name: _count(old, table) for table in _tables()}
            begun = _count(old, jobs, jobs.c.state == JobState.RUNNING.value)
            folders = _folders(settings, target)
            if not dry_run:
                _carry(old, new, rows["ledger"])
                for folder in folders:
                    shutil.copytree(folder, target.work_folder / folder.name, dirs_exist_ok=True)
        if not dry_run:
            stamp_moved(old, _shown(there))
    return Moved(
        source=_shown(source),
        target=_shown(there),
        rows=rows,
        entries=rows["ledger"],
        begin_anew=begun,
        folders=folders,
    )


def _carry(old: Connection, new: Connection, entries: int) -> None:
    for table in _tables():
        _copy(old, new, table)
    for table in _tables():
        _require_same(old, new, table)
    if verify(new) != entries:
        raise StateError("The ledger did not arrive whole.", advice="Nothing was changed.")
    _begin_anew(new)


def _tables() -> Iterator[Table]:
    # Who works for a studio is known where it works.
    return (table for table in metadata.sorted_tables if table is not processes)


def _require_still(connection: Connection, database: Engine) -> None:
    stamp = stamp_of(connection)
    if stamp is not None and stamp.moved_to:
        raise StateError(
            f"The state was carried from {_shown(database)} to {stamp.moved_to} before.",
            advice="Set database.url to that address.",
        )
    alive = [one for one in present(connection) if one.state is not ProcessState.SILENT]
    if alive:
        names = ", ".join(f"{one.role} on {one.host} ({one.pid})" for one in alive)
        raise StateError(
            f"Processes of the studio are running: {names}.",
            advice="Stop `haikei run` on every host, then move.",
        )


def _require_unused(connection: Connection, database: Engine) -> None:
    if stamp_of(connection) is not None or is_used(connection):
        raise StateError(
            f"{_shown(database)} holds a state already.",
            advice="Give a new database, or a file that does not exist.",
        )


def _copy(old: Connection, new: Connection, table: Table) -> None:
    for batch in _rows(old, table):
        new.execute(insert(table), batch)
    if new.dialect.name == "postgresql":
        for column in table.primary_key.columns:
            # What is numbered by the database goes on after the last number.
            if column is table.autoincrement_column and isinstance(
                column.type, BigInteger | Integer
            ):
                names = {"t": table.name, "c": column.name}
                last = new.execute(select(func.max(column))).scalar()
                if last is not None:
                    new.execute(
                        sql("SELECT setval(pg_get_serial_sequence(:t, :c), :n)"),
                        {**names, "n": last},
                    )


def _rows(connection: Connection, table: Table) -> Iterator[list[dict[str, object]]]:
    query = select(table).order_by(*table.primary_key.columns)
    found = connection.execute(query, execution_options={"stream_results": True})
    for batch in found.mappings().partitions(_BATCH):
        yield [dict(row) for row in batch]


def _require_same(old: Connection, new: Connection, table: Table) -> None:
    if _digest(old, table) != _digest(new, table):
        raise StateError(
            f"The rows of {table.name} did not arrive as they were.",
            advice="Nothing was changed. Look at the target's server and try again.",
        )


def _digest(connection: Connection, table: Table) -> tuple[int, str]:
    count, found = 0, hashlib.sha256()
    for batch in _rows(connection, table):
        count += len(batch)
        for row in batch:
            found.update(repr(sorted(row.items())).encode("utf-8", "surrogatepass"))
    return count, found.hexdigest()


def _begin_anew(connection: Connection) -> None:
    """Have jobs that were at work begin anew: the engine's tasks stay behind."""
    connection.execute(
        update(jobs)
        .where(jobs.c.state == JobState.RUNNING.value)
        .values(
            state=JobState.WAITING.value,
            run=jobs.c.run + 1,
            step="",
            crashes=0,
            note="Begun anew after the state was moved.",
            updated_at=database_now(connection),
        )
    )


def _count(connection: Connection, table: Table, *conditions: object) -> int:
    query = select(func.count()).select_from(table)
    for condition in conditions:
        query = query.where(condition)  # type: ignore[arg-type]
    return connection.execute(query).scalar_one()


def _folders(settings: Settings, target: Settings) -> list[Path]:
    if settings.work_folder == target.work_folder:
        return []
    found = (settings.work_folder / name for name in _FOLDERS)
    return [folder for folder in found if folder.is_dir()]


def _shown(database: Engine) -> str:
    return database.url.render_as_string(hide_password=True)
