"""One cut: its versions in every season and time, and all that is known of the one looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from haikei.credits import BackgroundVersion, CreditLine, credit_line, records
from haikei.database import backgrounds
from haikei.errors import CreditError
from haikei.jobs.job import JobState
from haikei.reports import steps
from haikei.review.notes import NoteState
from haikei.review.replies import ReviewView, review_of
from haikei.show import Place
from haikei.texts import Bilingual
from haikei.web.pages.credit_panel import FacetView, Graph, graph_of, panel
from haikei.web.pages.gallery import CardPlace, Work, works

_row = backgrounds.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of its versions; empty fields and 0 leave it open."""

    season: str = ""
    time: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSummary:
    """One version of the cut, as lists show it."""

    key: str
    code: str
    season: str
    time: str
    version: int
    state: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One picture of the comparison."""

    name: Bilingual
    sha256: str
    entry: int  #: of the ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVersion:
    """All about one version."""

    version: BackgroundVersion
    layers: tuple[Layer, ...]
    graph: Graph
    facets: tuple[FacetView, ...]
    credit: CreditLine | None  #: None when there is none to print, for `credit_error`
    credit_error: str
    review: ReviewView
    newest: VersionSummary  #: of the same season and time

    @property
    def is_unsettled(self) -> bool:
        """Whether a note is about to be answered, as its retake has ended."""
        going = {JobState.WAITING, JobState.RUNNING}
        ended = all(retake.state not in going for retake in self.review.retakes)
        return ended and any(note.state is NoteState.TAKEN for note in self.review.notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One cut of a show."""

    name: Place
    shown: ShownVersion | None  #: None before there is a version
    variants: tuple[VersionSummary, ...]  #: the newest of each season and time
    history: tuple[VersionSummary, ...]  #: of the season and time that is shown, the newest first
    live: tuple[tuple[CardPlace, Work], ...]
    refusals: tuple[tuple[CardPlace, Work], ...]


def cut(connection: Connection, name: Place, wanted: Wanted) -> Cut | None:
    """
    Return a cut with one of its versions; None when nothing is known of the cut.

    Without a wish it is the newest version of all. A season and time of which there is no version
    gives the newest of all as well.
    """
    standing = _standing(connection, name)
    going = [
        (place, work)
        for place, work in works(connection, name.project, shot=name.shot)
        if place.sequence == name.sequence
    ]
    if not standing and not going:
        return None
    chosen = _choose(standing, wanted)
    variants = {(one.season, one.time): one for one in standing}
    history = [one for one in standing if chosen and _stream(one) == _stream(chosen)]
    return Cut(
        name=name,
        shown=None if chosen is None else _shown(connection, chosen, history),
        variants=tuple(variants.values()),
        history=tuple(reversed(history)),
        live=tuple(one for one in going if one[1].goes_on),
        refusals=tuple(one for one in going if not one[1].goes_on),
    )


def find_version(connection: Connection, name: str) -> tuple[Place, Wanted] | None:
    """Return where a version stands, by its background's key or the tracker's name for it."""
    query = (
        select(backgrounds)
        .where((_row.key == name) | (_row.code == name))
        .order_by(_row.key != name, _row.created_at.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    cut_name = Place(project=row.project, sequence=row.sequence, shot=row.shot)
    return cut_name, Wanted(season=row.season, time=row.time, version=row.version)


def _standing(connection: Connection, name: Place) -> list[VersionSummary]:
    query = (
        select(
            _row.key, _row.code, _row.season, _row.time, _row.version, _row.state, _row.created_at
        )
        .where(_row.project == name.project, _row.sequence == name.sequence, _row.shot == name.shot)
        .order_by(_row.season, _row.time, _row.version)
    )
    return [
        VersionSummary(
            key=row.key,
            code=row.code,
            season=row.season,
            time=row.time,
            version=row.version,
            state=row.state,
            created_at=row.created_at,
        )
        for row in connection.execute(query)
    ]


def _choose(standing: Sequence[VersionSummary], wanted: Wanted) -> VersionSummary | None:
    fitting = [
        one
        for one in standing
        if wanted.season in {"", one.season} and wanted.time in {"", one.time}
    ]
    exact = next((one for one in fitting if one.version == wanted.version), None)
    if exact is not None and wanted.version:
        return exact
    return max(fitting or standing, key=lambda one: (one.created_at, one.version), default=None)


def _stream(one: VersionSummary) -> tuple[str, str]:
    return one.season, one.time


def _shown(
    connection: Connection, chosen: VersionSummary, history: Sequence[VersionSummary]
) -> ShownVersion:
    version = records.background(connection, chosen.key)
    if version is None:
        raise AssertionError("unreachable: the row was there a moment ago")
    credit, problem = None, ""
    try:
        credit = credit_line(version.images)
    except CreditError as error:
        problem = str(error)
    names = _numbered(steps(version))
    return ShownVersion(
        version=version,
        layers=tuple(
            Layer(name=name, sha256=image.sha256, entry=entry)
            for name, image, entry in zip(names, version.images, version.ledger, strict=True)
        ),
        graph=graph_of(connection, version, names),
        facets=panel(connection, version, names),
        credit=credit,
        credit_error=problem,
        review=review_of(connection, version.key),
        newest=history[-1],
    )


def _numbered(names: Sequence[Bilingual]) -> tuple[Bilingual, ...]:
    """Return names that tell the images apart: those of several touch-ups get numbers."""
    found: list[Bilingual] = []
    for place, name in enumerate(names):
        number = names[: place + 1].count(name)
        several = names.count(name) > 1
        found.append(Bilingual(f"{name.en} {number}", f"{name.ja} {number}") if several else name)
    return tuple(found)
