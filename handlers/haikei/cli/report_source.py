"""What reports are given: the studio's records, its published files, and the tracker's hours."""

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from haikei.cli.output import warn
from haikei.cli.startup import load_settings, open_studio
from haikei.errors import HaikeiError, ReportError
from haikei.names import nearest_names
from haikei.reports import LoggedTime, ReportSource
from haikei.texts import Bilingual

if TYPE_CHECKING:
    from haikei.credits import Scope
    from haikei.settings import Settings

_Hours = Callable[[], tuple[LoggedTime, ...] | None]


@contextmanager
def report_source(
    settings: Path | None,
    scope: "Scope",
    *,
    ask_tracker: bool,
    advise: Callable[[Bilingual], None] = lambda advice: None,
) -> Generator[ReportSource]:
    """
    Yield the studio's records of a part of a show, as reports read them.

    Args:
        settings: the settings file; None for the one that is found.
        scope: the part of the show.
        ask_tracker: whether the tracker is asked for logged hours.
        advise: is called with what belongs into the cover note.

    Raises:
        SettingsError: the settings are missing or wrong.
        StateError: the database cannot be used.
        ReportError: nothing is recorded of this part of a show that is.
    """
    from haikei.cli.name_check import recorded_scope
    from haikei.credits import records
    from haikei.database import reading, utc_now
    from haikei.jobs.page_inputs import published_files

    loaded = load_settings(settings)
    with open_studio(loaded) as database, reading(database) as connection:
        scope = recorded_scope(connection, loaded, scope, ask_tracker=ask_tracker)
        known = records.projects(connection)
        if scope.project not in known:
            near = nearest_names(scope.project, known)
            _tell(
                f"Nothing is recorded of a project {scope.project!r}; "
                f"known: {', '.join(known) or 'none'}."
                + (f" Did you mean {near[0]!r}?" if near else "")
            )
        elif not records.count(connection, replace(scope, latest=False)):
            raise ReportError(
                f"Nothing is recorded of {scope.name}.",
                advice="Check --episode, --sequence and --shot; letter case does not count.",
            )
        yield ReportSource(
            connection=connection,
            settings=loaded,
            scope=scope,
            now=utc_now(),
            find_file=published_files(loaded),
            hours=_hours(loaded, scope.project) if ask_tracker else _unknown,
            readings=_readings(loaded) if ask_tracker else dict,
            progress=_progress,
            advise=advise,
        )


def _hours(settings: "Settings", project: str) -> _Hours:
    from haikei.jobs.page_inputs import logged_hours

    asked: list[tuple[LoggedTime, ...] | None] = []

    def hours() -> tuple[LoggedTime, ...] | None:
        if not asked:
            try:
                asked.append(logged_hours(settings, project))
            except HaikeiError as error:
                _tell(f"Hours are unknown: {error.message}")
                asked.append(None)
        return asked[0]

    return hours


def _readings(settings: "Settings") -> Callable[[], Mapping[str, str]]:
    from haikei.jobs.page_inputs import name_readings

    def readings() -> Mapping[str, str]:
        try:
            return name_readings(settings)
        except HaikeiError as error:
            _tell(f"Readings of names are unknown: {error.message}")
            return {}

    return readings


def _unknown() -> tuple[LoggedTime, ...] | None:
    return None


def _progress(count: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{count:,} versions", nl=False, err=True)


def _tell(words: str) -> None:
    warn(words, colour="yellow")
