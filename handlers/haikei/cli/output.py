"""
What commands print for people and for programs, their exit codes, and what can be
chosen.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum, StrEnum
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
    UNDECLARED_AI = 4  #: a delivery tells of a trained model that nobody declared
    UNRECORDED = 5  #: the studio's records do not know a file
    TRY_AGAIN = 75  #: something is away that may come back (EX_TEMPFAIL of sysexits.h)


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
    if "--json" in sys.argv:
        print_json(
            {
                "error": type(error).__name__,
                "message": error.message,
                "advice": error.advice,
                "retry_after": error.retry_after,
            }
        )
    else:
        warn(f"error: {error.message}", colour="red")
        if error.advice:
            warn(f"  {error.advice}")
    return exit_code(error)


def print_json(value: object) -> None:
    """Print one JSON document."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write(escaped(text) + "\n")
    sys.stdout.flush()


def say(text: str = "", *, colour: str | None = None) -> None:
    """Print one line for a person."""
    typer.secho(printable(text), fg=colour)


def warn(text: str, *, colour: str | None = None) -> None:
    """Print one line for a person beside what the command gives, on standard error."""
    typer.secho(printable(text), fg=colour, err=True)


def say_finding(finding: "Finding") -> None:
    """Print one line of a check-up, and what to do about it."""
    say(f"{'ok  ' if finding.ok else 'FAIL'} {finding.subject}: {finding.message}")
    if finding.advice and not finding.ok:
        say(f"     {finding.advice}", colour="yellow")


def finding_row(finding: "Finding") -> Mapping[str, object]:
    """Return one line of a check-up for `print_json`."""
    return {
        "ok": finding.ok,
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


class Declared(StrEnum):
    """What can be declared of a whole delivery in a word."""

    NO_AI = "no-ai"
    UNDECLARED = "undeclared"  #: nothing: whatever tells of a trained model is a finding


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
    NO_AI = "no_ai"
    DRAWN_BY = "drawn_by"
    CONSENT = "consent"
    NAME_CHANGED = "name_changed"
    NAME_WITHHELD = "name_withheld"
    NAME_ERASED = "name_erased"
    CORRECTION = "correction"
    LEGAL_ROLE = "legal_role"
    CONFIRMATION = "confirmation"
