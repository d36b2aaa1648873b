"""
What commands print for people and for programs, their exit codes, and what can be
chosen.
"""

import json
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import IntEnum, StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from haikei.errors import HaikeiError, SettingsError
from haikei.printable import escaped, printable

if TYPE_CHECKING:
    from haikei.checkup import Finding


class Exit(IntEnum):
    """What a command's exit code means."""

    OK = 0
    FAILED = 1  #: what was asked for did not come about
    USAGE = 2  #: the command line is wrong
    SETTINGS = 3  #: the settings are wrong or missing
    UNDECLARED_AI = 4  #: a delivery bears signs of a trained model that nobody declared
    UNRECORDED = 5  #: the studio's records do not know a file
    TRY_AGAIN = 75  #: something is away that may come back (EX_TEMPFAIL of sysexits.h)


#: As a file's name: standard output.
STDOUT = Path("-")

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")
]


def exit_code(error: HaikeiError) -> Exit:
    """Return the exit code that fits an error."""
    if isinstance(error, SettingsError):
        return Exit.SETTINGS
    return Exit.TRY_AGAIN if error.transient else Exit.FAILED


def fail(error: HaikeiError) -> Exit:
    """Print an error as the command's last word and return its exit code."""
    name, wait = type(error).__name__, error.retry_after
    print_error(name, error.message, error.advice, wait, as_json="--json" in sys.argv)
    return exit_code(error)


def print_error(
    kind: str, message: str, advice: str | None, retry_after: float | None = None, *, as_json: bool
) -> None:
    """Print why a command did nothing: for programs in the one shape that all commands have."""
    if as_json:
        print_json(
            {"error": kind, "message": message, "advice": advice, "retry_after": retry_after}
        )
        return
    warn(f"error: {message}", colour="red")
    if advice:
        warn(f"  {advice}")


def print_json(value: Mapping[str, object]) -> None:
    """Print one JSON document: an object, so that it can grow; lists have a name in it."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.write(escaped(text) + "\n")
    sys.stdout.flush()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


@contextmanager
def to_stdout(out: Path, *, as_json: bool) -> Generator[Path]:
    """
    Yield where to write a file that goes to `out`, and print it where that is `-`.

    Writers sync, rename and sign files, so that one is made beside the terminal and then printed.

    Raises:
        typer.BadParameter: JSON is printed there already, or a terminal would get bytes.
    """
    if out != STDOUT:
        yield out
        return
    if as_json:
        raise typer.BadParameter("--json prints there already", param_hint="--out -")
    with TemporaryDirectory(prefix="haikei-") as folder:
        yield Path(folder) / "out"
        made = list(Path(folder).iterdir())
        if len(made) != 1:
            raise typer.BadParameter("it is several files: name one", param_hint="--out -")
        data = made[0].read_bytes()
    if sys.stdout.isatty() and b"\0" in data:
        raise typer.BadParameter("a terminal shows no such file: use a pipe", param_hint="--out -")
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def say(text: str = "", *, colour: str | None = None) -> None:
    """Print one line for a person."""
    typer.secho(printable(text), fg=colour)


def warn(text: str, *, colour: str | None = None) -> None:
    """Print one line for a person beside what the command gives, on standard error."""
    typer.secho(printable(text), fg=colour, err=True)


def say_finding(finding: "Finding") -> None:
    """Print one line of a check-up, and what to do about it."""
    word = "plan" if finding.planned else "ok  " if finding.ok else "FAIL"
    say(f"{word} {finding.subject}: {finding.message}")
    if finding.advice and not finding.ok:
        say(f"     {finding.advice}", colour="yellow")


def finding_row(finding: "Finding") -> Mapping[str, object]:
    """Return one line of a check-up for `print_json`."""
    return {
        "ok": finding.ok,
        "planned": finding.planned,
        "subject": finding.subject,
        "message": finding.message,
        "advice": finding.advice,
    }


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, width: int | None = None
) -> None:
    """Print a table that fits the terminal, or so many columns."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(printable(str(cell)) for cell in row))
    console = Console(highlight=False, markup=False, width=width)
    if width is None and not console.is_terminal:
        # A pipe has no width: lines that break in the middle of a word cannot be searched.
        console = Console(highlight=False, markup=False, width=220)
    console.print(table)


class Commercial(StrEnum):
    """Whether a model's licence allows commercial use."""

    YES = "yes"
    NO = "no"
    CONDITIONAL = "conditional"


class DataKind(StrEnum):
    """Of what kind training data are; the values are those of the setting `data_class`."""

    OWN = "own"
    LICENSED = "licensed"
    PUBLIC_DOMAIN = "public_domain"
    OPT_IN = "opt_in"
    UNDISCLOSED = "undisclosed"


class Declared(StrEnum):
    """What can be declared of a whole delivery in a word."""

    NO_AI = "no-ai"
    UNDECLARED = "undeclared"  #: nothing: any sign of a trained model is a finding


class Stated(StrEnum):
    """What can be stated about a show; the values are those of `haikei.credits.StatementKind`."""

    INTENDED_USE = "intended_use"
    CLIENT_APPROVAL = "client_approval"
    PRINCIPLE = "principle"
    THIRD_PARTY_CHECK = "third_party_check"
    LIKENESS_CHECK = "likeness_check"
    DEEPFAKE_ASSESSMENT = "deepfake_assessment"
    ARTISTIC_WORK = "artistic_work"
    VIEWER_DISCLOSURE = "viewer_disclosure"
    UNION_NOTICE = "union_notice"
    UNION_CONSULTATION = "union_consultation"
    HAND_DRAWN = "hand_drawn"
    HAND_PAINTED = "hand_painted"
    NO_AI = "no_ai"
    DRAWN_BY = "drawn_by"
    CONSENT = "consent"
    NAME_CHANGED = "name_changed"
    NAME_WITHHELD = "name_withheld"
    NAME_ERASED = "name_erased"
    CORRECTION = "correction"
    LEGAL_ROLE = "legal_role"
    MODEL_APPROVED = "model_approved"
    REFUSED = "refused"
    CONFIRMATION = "confirmation"
