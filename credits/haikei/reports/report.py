"""
The seam for reports: what one is given, the document that it makes of it, and every kind of them.

Haikei's own reports and a studio's enter by the same entry points.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from haikei.errors import ReportError
from haikei.names import nearest_names
from haikei.reports.document.blocks import Document
from haikei.texts import Bilingual, Language

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from haikei.credits import Scope
    from haikei.settings import Settings


class Format(StrEnum):
    """What a report can be written as; values are file endings."""

    HTML = "html"
    PDF = "pdf"
    CSV = "csv"
    JSON = "json"
    TXT = "txt"
    PNG = "png"  #: one picture a card


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedTime:
    """Working time that a person entered for a task."""

    person: str  #: the tracker's id; empty when the row names nobody
    sequence: str  #: empty when unknown
    shot: str  #: empty when it was logged for something else than a shot
    step: str  #: the pipeline step, such as `Layout` or `Background`
    minutes: int
    date: date
    episode: str = ""  #: empty when unknown


def _nothing(count: int) -> None:
    del count


def _missing(path: str) -> Path | None:
    del path
    return None


def _unheard(advice: Bilingual) -> None:
    del advice


def _unknown() -> tuple[LoggedTime, ...] | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSource:
    """Where a report takes its facts from."""

    connection: "Connection"
    settings: "Settings"
    scope: "Scope"
    now: datetime
    #: Resolves a published path (`ImageRecord.path`) to a file that is there; else None.
    find_file: Callable[[str], Path | None] = _missing
    #: Returns the project's logged working time; None when the tracker is not to be asked or away.
    hours: Callable[[], tuple[LoggedTime, ...] | None] = _unknown
    #: Returns how names are read in kana, by the tracker's ids; nothing when it is not asked.
    readings: Callable[[], Mapping[str, str]] = dict
    #: Called now and then with how many versions were read.
    progress: Callable[[int], None] = _nothing
    #: Called with what whoever runs the report can do about it, such as the command that records
    #: what is missing. It is for their cover note: papers go to clients, guilds and authorities.
    advise: Callable[[Bilingual], None] = _unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """How a report is wanted."""

    language: Language = Language.EN
    code: str = ""  #: one Version's code, for reports on one image
    by_reading: bool = False  #: an end roll by the readings of names, as 五十音順 has them


class Report(Protocol):
    """One kind of report. Entry points of the group `haikei.reports` name classes of it."""

    @property
    def name(self) -> str:
        """Its name on the command line."""
        ...

    @property
    def title(self) -> Bilingual:
        """What people call it."""
        ...

    @property
    def purpose(self) -> str:
        """What it is for, in one English sentence."""
        ...

    @property
    def formats(self) -> tuple[Format, ...]:
        """What it can be written as, the usual one first."""
        ...

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """
        Return the document; its blocks read from `source` while they are written.

        Raises:
            CreditError: human work has no name and no opt-out.
            ReportError: it cannot be made for what was asked.
        """
        ...


GROUP = "haikei.reports"
_OURS = "haikei."


def reports() -> tuple[Report, ...]:
    """
    Return the report of every entry point `haikei.reports`, by name.

    Raises:
        ReportError: one cannot be loaded, or two have the same name.
    """
    found: dict[str, Report] = {}
    # Haikei's own first, so that the message about a name given twice blames the studio's.
    points = sorted(entry_points(group=GROUP), key=lambda point: not point.value.startswith(_OURS))
    for point in points:
        try:
            report = cast("Report", point.load()())
        except Exception as error:
            raise ReportError(
                f"The report {point.name} ({point.value}) cannot be loaded: {error}.",
                advice="Repair or remove the package that brings it.",
            ) from error
        if report.name in found:
            raise ReportError(
                f"Two reports are called {report.name!r}; one is {point.value}.",
                advice="Give the studio's own another name.",
            )
        found[report.name] = report
    return tuple(found[name] for name in sorted(found))


def find_report(name: str) -> Report:
    """
    Return the report called `name`.

    Raises:
        ReportError: there is none.
    """
    known = reports()
    for report in known:
        if report.name == name:
            return report
    names = [report.name for report in known]
    near = nearest_names(name, names)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    raise ReportError(
        f"There is no report {name!r}.", advice=f"{meant}Known reports: {', '.join(names)}."
    )
