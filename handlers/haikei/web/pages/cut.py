"""One cut: its versions in every season and time, and all that is known of the one looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from sqlalchemy import Connection, select, tuple_

from haikei.credits import (
    BackgroundVersion,
    CreditLine,
    ImageKind,
    ImageRecord,
    credit_line,
    records,
)
from haikei.database import backgrounds
from haikei.decisions import Decision
from haikei.errors import CreditError
from haikei.formats import EXR, format_of
from haikei.jobs.job import JobState
from haikei.reports import stage_names
from haikei.review.notes import NoteState
from haikei.review.replies import ReviewView, review_of
from haikei.show import Place
from haikei.texts import Bilingual
from haikei.web.pages import page_texts
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


class LayerRole(StrEnum):
    """What a picture of the comparison is."""

    FINISHED = "finished"  #: the version itself
    PREVIOUS = "previous"  #: the version before it
    STEP = "step"  #: on the way to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One picture of the comparison."""

    role: LayerRole
    name: Bilingual
    sha256: str
    is_light: bool  #: its file holds light, which a screen shows through a view

    @classmethod
    def of(cls, image: ImageRecord, role: LayerRole, name: Bilingual) -> "Layer":
        """Return an image as a picture of the comparison."""
        file = PurePosixPath(image.path)
        return cls(role=role, name=name, sha256=image.sha256, is_light=format_of(file) is EXR)


_GOING = frozenset({JobState.WAITING, JobState.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVersion:
    """All about one version."""

    version: BackgroundVersion
    layers: tuple[Layer, ...]  #: the finished picture first, then the version before it
    has_layout: bool
    graph: Graph
    facets: tuple[FacetView, ...]
    credit: CreditLine | None  #: None when there is none to print, for `credit_error`
    credit_error: str
    review: ReviewView
    newest: VersionSummary  #: of the same season and time

    @property
    def is_unsettled(self) -> bool:
        """Whether a note is about to be answered, as its retake has ended."""
        ended = all(retake.state not in _GOING for retake in self.review.retakes)
        return ended and any(note.state is NoteState.TAKEN for note in self.review.notes)

    def is_acting(self, written: str) -> bool:
        """
        Tell whether something still follows from what was decided.

        Args:
            written: the decision that this page has just written; empty for none.
        """
        review = self.review
        if written == Decision.RETAKE.value or (not written and review.decision is Decision.RETAKE):
            waits = {NoteState.WAITING, NoteState.TAKEN}
            begun = any(note.state in waits for note in review.notes)
            begun |= any(retake.state in _GOING for retake in review.retakes)
            refused = any(note.state not in waits for note in review.notes)
            return begun or (
                bool(written) and review.decision is not Decision.RETAKE and not refused
            )
        return bool(written) and review.decision.value != written


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One cut of a show."""

    name: Place
    shown: ShownVersion | None  #: None before there is a version
    variants: tuple[VersionSummary, ...]  #: the newest of each season and time
    history: tuple[VersionSummary, ...]  #: of the season and time that is shown, the newest first
    before: Place | None  #: the cut that stands before it in the show
    after: Place | None
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
        if (place.episode, place.sequence) == (name.episode, name.sequence)
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
        before=_neighbour(connection, name, after=False),
        after=_neighbour(connection, name, after=True),
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
    cut_name = Place(project=row.project, episode=row.episode, sequence=row.sequence, shot=row.shot)
    return cut_name, Wanted(season=row.season, time=row.time, version=row.version)


def version_at(connection: Connection, project: str, place: str) -> tuple[str, str] | None:
    """
    Return the key and the code of a version by its place; None when there is none.

    Args:
        connection: to the studio's database.
        project: of the show.
        place: `episode/sequence/shot/season/time/version`, or without an episode, as a gallery's
            form names it.
    """
    *parts, version = place.split("/")
    if len(parts) not in {4, 5} or not (version.isascii() and version.isdecimal()):
        return None
    episode, sequence, shot, season, time = parts if len(parts) == 5 else ("", *parts)
    if len(version) > 6:
        return None
    query = select(_row.key, _row.code).where(
        _row.project == project,
        _row.episode == episode,
        _row.sequence == sequence,
        _row.shot == shot,
        _row.season == season,
        _row.time == time,
        _row.version == int(version),
    )
    row = connection.execute(query.limit(1)).first()
    return None if row is None else (row.key, row.code)


def _standing(connection: Connection, name: Place) -> list[VersionSummary]:
    query = (
        select(
            _row.key, _row.code, _row.season, _row.time, _row.version, _row.state, _row.created_at
        )
        .where(
            _row.project == name.project,
            _row.episode == name.episode,
            _row.sequence == name.sequence,
            _row.shot == name.shot,
        )
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


def _neighbour(connection: Connection, name: Place, *, after: bool) -> Place | None:
    """Return the next cut of the show that has a background, or the one before."""
    columns = (_row.episode, _row.sequence, _row.shot)
    here = (name.episode, name.sequence, name.shot)
    query = select(*columns).where(_row.project == name.project)
    if after:
        query = query.where(tuple_(*columns) > here).order_by(*columns)
    else:
        query = query.where(tuple_(*columns) < here)
        query = query.order_by(*(column.desc() for column in columns))
    row = connection.execute(query.limit(1)).first()
    if row is None:
        return None
    return Place(project=name.project, episode=row.episode, sequence=row.sequence, shot=row.shot)


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
    names = _numbered(stage_names(version))
    return ShownVersion(
        version=version,
        layers=tuple(_layers(connection, version, names, history)),
        has_layout=any(image.kind is ImageKind.LAYOUT for image in version.images),
        graph=graph_of(connection, version, names),
        facets=panel(connection, version, names),
        credit=credit,
        credit_error=problem,
        review=review_of(connection, version.key),
        newest=history[-1],
    )


def _layers(
    connection: Connection,
    version: BackgroundVersion,
    names: Sequence[Bilingual],
    history: Sequence[VersionSummary],
) -> Iterator[Layer]:
    finished = Bilingual(
        f"v{version.version:03d} {names[-1].en}", f"v{version.version:03d} {names[-1].ja}"
    )
    yield Layer.of(version.final, LayerRole.FINISHED, finished)
    older = [one for one in history if one.version < version.version]
    previous = records.background(connection, older[-1].key) if older else None
    if previous is not None:
        called = f"v{previous.version:03d}"
        name = page_texts.PREVIOUS_VERSION.filled(version=called)
        yield Layer.of(previous.final, LayerRole.PREVIOUS, name)
    for name, image in zip(names[:-1], version.images[:-1], strict=True):
        if previous is not None and image.sha256 == previous.final.sha256:
            # What a touch-up was painted on stands there already.
            continue
        yield Layer.of(image, LayerRole.STEP, name)


def _numbered(names: Sequence[Bilingual]) -> tuple[Bilingual, ...]:
    """Return names that tell the images apart: those of several touch-ups get numbers."""
    found: list[Bilingual] = []
    for place, name in enumerate(names):
        number = names[: place + 1].count(name)
        several = names.count(name) > 1
        found.append(Bilingual(f"{name.en} {number}", f"{name.ja} {number}") if several else name)
    return tuple(found)
