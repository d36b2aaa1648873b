"""
`haikei support-bundle`: what somebody needs who helps from outside, with no secret and no name.

Only what stands on a list is taken: numbers, states, kinds of errors, settings that are numbers or
choices. Texts of errors, paths, places and people are not, so that nothing has to be searched for
and blacked out.
"""

import json
import platform
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from importlib.metadata import distributions, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from haikei.cli.output import JsonOption, print_json, say
from haikei.cli.startup import SettingsOption, load_settings, open_studio

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from haikei.settings import Settings

#: Of a line of the log: words of ours, numbers and moments.
_KEPT = frozenset({"event", "level", "timestamp", "step", "kind", "seconds", "attempts", "status"})
_MOST_LINES = 20_000
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def support_bundle(
    out: Annotated[Path, typer.Option(help="The zip file to write.")],
    log: Annotated[
        list[Path] | None, typer.Option(help="A log of Haikei's, in JSON lines; repeatable.")
    ] = None,
    settings: SettingsOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Write what helps to find a fault, without secrets, paths, or names of people and shots."""
    from haikei.errors import StateError

    loaded = load_settings(settings)
    with open_studio(loaded, restored=True) as database:
        files = {
            "versions.json": _json(_versions()),
            "settings.json": _json(_shape(loaded)),
            "state.json": _json(_state(loaded, database)),
            "metrics.txt": _metrics(loaded, database),
        }
        for number, path in enumerate(log or (), start=1):
            files[f"log-{number}.jsonl"] = "".join(_lines(path))
    try:
        with out.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in files.items():
                bundle.writestr(name, text)
    except OSError as error:
        raise StateError(
            f"{out} cannot be written: {error.strerror or error}.", advice="Give a new name."
        ) from error
    if as_json:
        print_json({"path": out, "files": sorted(files)})
    else:
        say(f"{out}", colour="green")
        say(f"It holds {', '.join(sorted(files))}. Look at it before you send it.")


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True, default=str) + "\n"


def _versions() -> Mapping[str, object]:
    names = (_NAME.match(one) for one in requires("haikei") or ())
    wanted = {found[0].casefold() for found in names if found}
    found = {one.name: one.version for one in distributions() if one.name.casefold() in wanted}
    return {
        "haikei": version("haikei"),
        "python": sys.version.split()[0],
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "libraries": found,
    }


def _shape(value: object, default: object = None) -> object:
    """Return settings with numbers and choices as they are, and of all else only that it is set."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {name: _shape(getattr(value, name), fields[name].default) for name in fields}
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple | list):
        several = cast("tuple[object, ...]", value)
        return [_shape(one) for one in several]
    if isinstance(value, dict):
        return f"{len(cast('dict[object, object]', value))} set"
    return "default" if value == default else "set"


def _state(settings: "Settings", database: "Engine") -> Mapping[str, object]:
    from sqlalchemy import func, select

    from haikei.database import events, jobs, reading, utc_now, version_of
    from haikei.ledger import newest_checkpoint, restorations, size
    from haikei.processes import studio_status

    status = studio_status(settings, None, database, started=utc_now(), now=utc_now())
    letters = select(jobs.c.state, jobs.c.step, jobs.c.error_kind, func.count())
    heard = select(events.c.source, func.count()).group_by(events.c.source)
    with reading(database) as connection:
        newest = newest_checkpoint(connection)
        return {
            "at": utc_now(),
            "schema": version_of(connection),
            "database": database.dialect.name,
            "jobs": [
                {"state": state, "step": step, "kind": kind, "count": count}
                for state, step, kind, count in connection.execute(
                    letters.group_by(jobs.c.state, jobs.c.step, jobs.c.error_kind)
                )
            ],
            "events": {str(row[0]): int(row[1]) for row in connection.execute(heard)},
            "ledger": {
                "entries": size(connection),
                "sealed": 0 if newest is None else newest.checkpoint.size,
                "restored": len(restorations(connection)),
            },
            "stands_still": status.queue.stands_still,
            "lanes": {one.name: one.failed for one in status.lanes},
            "sources": {
                one.name: {"heard": one.heard, "lags": one.lags} for one in status.sources.heard
            },
            "processes": [one.pid is not None for one in status.processes],
            "free_bytes": [one.free for one in status.disks],
        }


def _metrics(settings: "Settings", database: "Engine") -> str:
    from prometheus_client import CollectorRegistry, generate_latest

    from haikei.web.metrics import StudioNumbers

    registry = CollectorRegistry()
    registry.register(StudioNumbers(settings, database))
    lines = generate_latest(registry).decode().splitlines(keepends=True)
    # Storage roots are called as the studio calls them.
    return "".join(line for line in lines if "haikei_disk_free" not in line)


def _lines(path: Path) -> Iterator[str]:
    """Yield the last lines of a log, each with the fields that stand on the list alone."""
    from haikei.errors import StateError

    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise StateError(f"The log {path} cannot be read: {error.strerror}.") from error
    for line in text.splitlines()[-_MOST_LINES:]:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            fields = cast("dict[str, object]", record)
            kept = {name: one for name, one in fields.items() if name in _KEPT and _is_plain(one)}
            if kept:
                yield json.dumps(kept, sort_keys=True) + "\n"


def _is_plain(value: object) -> bool:
    """Tell whether a value is a number, a moment, or one word as our code writes it."""
    if isinstance(value, int | float):
        return True
    if not isinstance(value, str) or len(value) > 60:
        return False
    if value.isascii() and value.replace("_", "").isalnum():
        return True
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
