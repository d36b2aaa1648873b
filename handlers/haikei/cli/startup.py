"""What every command begins with: settings, database, people, and log lines that a TD can grep."""

import ctypes
import io
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import structlog
import typer

from haikei.printable import escaped, printable, printable_value

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from haikei.credits import BackgroundVersion, Person
    from haikei.settings import Log, Settings

SettingsOption = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        "-s",
        help="The studio's settings file; else $HAIKEI_SETTINGS, else ./haikei.toml.",
        show_default=False,
    ),
]
SupervisedOption = Annotated[
    int, typer.Option("--supervised-by", hidden=True, help="Process id of the supervisor.")
]

_PR_SET_PDEATHSIG = 1


def load_settings(path: Path | None) -> "Settings":
    """
    Return the studio's settings.

    Raises:
        SettingsError: the file is missing or has mistakes.
    """
    from haikei.presets import RECIPES
    from haikei.settings import load, settings_path

    return load(settings_path(path), built_in_recipes=RECIPES)


@contextmanager
def open_studio(settings: "Settings", *, restored: bool = False) -> "Generator[Engine]":
    """
    Yield the studio's database, at its present schema; its connections are closed afterwards.

    Args:
        settings: the studio's.
        restored: also where it was restored and what was published since is not adopted yet.

    Raises:
        StateError: it cannot be used, is another studio's, or waits for its adoption.
    """
    from haikei.jobs.state import open_state

    if not restored:
        require_adopted(settings)
    close_to_others(settings.studio.state)
    database = open_state(settings)
    try:
        yield database
    finally:
        database.dispose()


def close_to_others(state: Path) -> None:
    """
    Make the state folder its owner's alone: it holds keys, names and the ledger.

    Raises:
        StateError: it cannot be made.
    """
    from haikei.errors import StateError

    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        mode = state.stat().st_mode & 0o777
        if mode & 0o077:
            # Only its owner can; the doctor says so where somebody else runs this.
            with suppress(PermissionError):
                state.chmod(mode & 0o700)
    except OSError as error:
        raise StateError(
            f"The state folder {state} cannot be used: {error.strerror or error}.",
            advice="Check that it can be made and belongs to the user who runs Haikei.",
        ) from error


def require_adopted(settings: "Settings") -> None:
    """
    Check that a state that was restored knows what was published since its back-up.

    Raises:
        StateError: it does not: whatever ran now would make and publish that once more.
    """
    from haikei.errors import StateError

    if (settings.studio.state / "restored.json").exists():
        raise StateError(
            f"{settings.studio.state} was restored from a back-up, and what was published since "
            "is not adopted yet.",
            advice="Run `haikei restore --adopt`.",
        )


def keep_metrics(settings: "Settings", *, anew: bool = False) -> None:
    """
    Let this process write its numbers where the studio's pages on this host gather them.

    It comes before anything is imported that counts: the library decides at its import.

    Args:
        settings: the studio's.
        anew: forget the numbers of processes that have ended.
    """
    from haikei.errors import StateError

    folder = settings.studio.state / "metrics"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in folder.glob("*.db") if anew else ():
            file.unlink(missing_ok=True)
    except OSError as error:
        raise StateError(f"{folder} cannot be used: {error}.") from error
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _as_json(value: object, **options: Any) -> str:
    return escaped(json.dumps(value, ensure_ascii=False, **options))


def _make_printable(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Keep signs that move a cursor or reorder others from a terminal; others are shown by repr."""
    return {key: printable_value(value) for key, value in event.items()}


def _write_traceback(target: TextIO, error: structlog.typing.ExcInfo) -> None:
    lines = io.StringIO()
    structlog.dev.plain_traceback(lines, error)
    target.write(printable(lines.getvalue()))


def configure_logs(log: "Log") -> None:
    """Send structlog and the standard library's warnings to standard error."""
    level = getattr(logging, log.level.upper())
    as_json = log.format == "json" or (log.format == "auto" and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(_as_json)
        if as_json
        # A traceback with the values of variables would show tokens and keys.
        else structlog.dev.ConsoleRenderer(exception_formatter=_write_traceback)
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, final]
        if as_json
        else [*shared, _make_printable, final],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_standard_error,
    )
    # Libraries speak the standard library's logging: only what matters of them is passed on.
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, final],
        foreign_pre_chain=[
            *shared,
            structlog.processors.format_exc_info,
            *(() if as_json else (_make_printable,)),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    # It warns of every rule of a style sheet that is meant for screens alone.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)


def _to_standard_error(*_: object) -> structlog.PrintLogger:
    # Looked up for each line: whoever replaces standard error gets what is written from then on.
    return structlog.PrintLogger(sys.stderr)


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set; a second one ends the process at once."""
    stop = threading.Event()

    def ask(number: int, _: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def set_on(*signals: str) -> threading.Event:
    """Return an event that these signals set, by name, where the system has them."""
    asked = threading.Event()
    for name in signals:
        if (number := getattr(signal, name, None)) is not None:
            signal.signal(number, lambda _, __: asked.set())
    return asked


def die_with(supervisor: int) -> None:
    """
    Let the kernel kill this process when its supervisor dies, however it dies.

    Args:
        supervisor: the supervisor's process id; 0 when there is none.
    """
    if not supervisor or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != supervisor:
        # It died before the kernel was asked.
        os._exit(1)


def find_version(connection: "Connection", code: str) -> "BackgroundVersion":
    """Return the version with a name in the tracker, or with a key of ours."""
    from haikei.credits import records
    from haikei.errors import CreditError

    found = records.named(connection, code)
    if found is None:
        raise CreditError(
            f"No version called {code!r} is recorded.",
            advice="Give the name that the tracker shows, such as c012_bg_summer_day_v003.",
        )
    return found


def find_person(
    connection: "Connection",
    who: str,
    *,
    new: bool = False,
    tracker: "Mapping[str, Person] | None" = None,
) -> "Person":
    """
    Return who is meant by an id or a name; a `new` person gets an id that tells nothing.

    Whom the register does not know may be among those whom the `tracker` named.
    """
    from haikei.credits import Person, is_machine_name, people
    from haikei.errors import CreditError
    from haikei.names import plain_name, plain_names

    everyone = list(people.everyone(connection))
    found = [one for one in everyone if who == one.id]
    found = found or [
        one for one in everyone if plain_name(who) in plain_names((one.name, one.name_ja))
    ]
    if len(found) > 1:
        ids = ", ".join(one.id for one in found)
        raise CreditError(f"Several people are called {who!r}: {ids}.", advice="Give the id.")
    if found and new:
        raise CreditError(
            f"{who!r} is known as {found[0].id}.",
            advice="Leave --new-person out; a namesake needs a name of their own in credits.",
        )
    if not found and tracker and who in tracker:
        (person,) = people.as_printed(connection, (tracker[who],))
        return person
    if found:
        return found[0]
    if ":" in who:
        raise CreditError(
            f"Nobody with the id {who!r} is in the register.",
            advice="`haikei credits people` lists everyone.",
        )
    if is_machine_name(who):
        raise CreditError(
            f"{who!r} is the name of a machine, not of a person.",
            advice="Name the person who answers for it.",
        )
    if not new:
        raise CreditError(
            f"Nobody called {who!r} is in the register.",
            advice="`haikei credits people` lists everyone; --new-person registers someone new.",
        )
    return Person(id=people.new_id(), name=who)
