"""
A show at a glance: the newest version of every background, what is being made, and
its cards.
"""

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    and_,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from haikei.database import ChangeStamp, background_images, backgrounds, image_records, jobs
from haikei.jobs.job import JobState
from haikei.show import part_name
from haikei.texts import SEASONS, TIMES

MAKING, REFUSED = "making", "refused"
_LIVE = (JobState.WAITING.value, JobState.RUNNING.value)
#: States of a job that a card shows: it goes on, or is a dead letter.
_UNFINISHED = (*_LIVE, JobState.DEAD.value)
_SEASONS = {name: number for number, name in enumerate(SEASONS)}
_TIMES = {name: number for number, name in enumerate(TIMES)}
_background = backgrounds.c


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPlace:
    """A background's place in its show; what there is one card for."""

    sequence: str
    shot: str
    season: str
    time: str
    episode: str = ""

    @property
    def part(self) -> str:
        """The sequence as people read it, behind its episode if any."""
        return part_name(self.episode, self.sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A job that goes on, or that ended without a version."""

    key: str
    state: str  #: of the job
    step: str
    progress: float  #: 0 to 1
    file: str  #: that it was about
    error: str
    changed_at: datetime

    @property
    def goes_on(self) -> bool:
        """Whether it is not over."""
        return self.state in _LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryCard:
    """One background."""

    place: CardPlace
    code: str  #: of the newest version; empty before there is one
    version: int
    state: str  #: of the review, or that it is being made or refused
    picture: str  #: hash of the newest version's image; empty before there is one
    made_at: datetime | None  #: of the newest version
    work: Work | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryFilter:
    """What is to be seen; empty fields let everything through."""

    sequence: str = ""
    state: str = ""
    season: str = ""
    time: str = ""
    text: str = ""

    def lets_through(self, card: GalleryCard) -> bool:
        """Tell whether a card is to be seen."""
        named = f"{card.place.shot}\n{card.code}".casefold()
        return self.fits(card.place, card.state) and self.text.casefold() in named

    def fits(self, where: "CardPlace | CardGroup", state: str) -> bool:
        """Tell whether cards of this place and state are to be seen, their names apart."""
        return (
            (not self.sequence or self.sequence in {where.sequence, where.part})
            and (not self.state or self.state == state)
            and (not self.season or self.season == where.season)
            and (not self.time or self.time == where.time)
        )


#: Cuts on one page.
PAGE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class GallerySequence:
    """The cards of one sequence on a page, in cut order."""

    name: str
    cards: tuple[GalleryCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """One page of a show's cards, filtered, and what is counted over the whole show."""

    project: str
    sequences: tuple[GallerySequence, ...]
    shown: int
    all: int
    counts: Mapping[str, int]  #: of each state, among all
    names: tuple[str, ...]  #: of all sequences
    seasons: tuple[str, ...]
    times: tuple[str, ...]
    strays: tuple[Work, ...]  #: refused files that name no cut
    after: str = ""  #: the last cut of this page, when there are more


@dataclass(frozen=True, slots=True, kw_only=True)
class CardGroup:
    """How many cards of a show are alike in all that is filtered by."""

    project: str
    state: str
    episode: str
    sequence: str
    season: str
    time: str
    number: int

    @property
    def part(self) -> str:
        """The sequence as people read it, behind its episode if any."""
        return part_name(self.episode, self.sequence)


class Overviews:
    """Counts the cards of all shows, and keeps that until something changes in the database."""

    def __init__(self, stamp: ChangeStamp) -> None:
        self._stamp = stamp
        self._lock = threading.Lock()
        self._kept: tuple[object, Sequence[CardGroup]] | None = None

    def groups(self, connection: Connection) -> Sequence[CardGroup]:
        """Return the groups of every show, in the order of the sequences."""
        # Taken before the look: what is committed meanwhile makes the next one look again.
        stamp = self._stamp.now()
        kept = self._kept
        if kept is not None and stamp is not None and kept[0] == stamp:
            return kept[1]
        with self._lock:
            kept = self._kept
            if kept is not None and stamp is not None and kept[0] == stamp:
                # Somebody else counted the same meanwhile.
                return kept[1]
            found = tuple(_groups(connection))
            self._kept = stamp, found
            return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSummary:
    """One show on the first page."""

    project: str
    sequences: int
    backgrounds: int
    counts: Mapping[str, int]
    picture: str  #: hash of a picture of it; empty when there is none


def gallery(
    connection: Connection,
    project: str,
    wanted: GalleryFilter,
    groups: Sequence[CardGroup],
    *,
    after: str = "",
) -> Gallery | None:
    """
    Return a page of a show; None when nothing is known of it.

    Args:
        connection: reads the studio's database.
        project: the show.
        wanted: which cards are.
        groups: of all shows, as `Overviews` counts them.
        after: the cut, as `episode/sequence/shot`, behind which the page begins.
    """
    ours = [one for one in groups if one.project == project]
    lost = tuple(work for _, work in works(connection, project, jobs.c.shot == ""))
    if not ours and not lost:
        return None
    cuts = _page(connection, project, wanted, _cut_of(after))
    cards: list[GalleryCard] = []
    if cuts:
        cards = [one for one in _cards(connection, project, cuts) if wanted.lets_through(one)]
    number = sum(one.number for one in ours if wanted.fits(one, one.state))
    counts: Counter[str] = Counter()
    for one in ours:
        counts[one.state] += one.number
    return Gallery(
        project=project,
        sequences=tuple(
            GallerySequence(name=name, cards=tuple(some))
            for name, some in groupby(cards, key=lambda card: card.place.part)
        ),
        shown=_named(connection, project, wanted) if wanted.text else number,
        all=sum(counts.values()),
        counts=counts,
        names=tuple(dict.fromkeys(one.part for one in ours)),
        seasons=_known(SEASONS, (one.season for one in ours)),
        times=_known(TIMES, (one.time for one in ours)),
        strays=lost,
        after="/".join(cuts[-1]) if len(cuts) == PAGE else "",
    )


#: Episode, sequence and shot.
_Cut = tuple[str, str, str]


def _cut_of(text: str) -> _Cut:
    part, _, shot = text.rpartition("/")
    episode, _, sequence = part.rpartition("/")
    return episode, sequence, shot


def _page(
    connection: Connection, project: str, wanted: GalleryFilter, after: _Cut
) -> Sequence[_Cut]:
    """Return the cuts of the wanted cards behind a cut, as many as fit a page."""
    found: set[_Cut] = set()
    for query in (_wanted_backgrounds(project, wanted), _wanted_jobs(project, wanted)):
        episode, sequence, shot = list(query.selected_columns)[:3]
        cut = query.with_only_columns(episode, sequence, shot).distinct()
        if any(after):
            cut = cut.where(tuple_(episode, sequence, shot) > tuple_(*map(literal, after)))
        rows = connection.execute(cut.order_by(episode, sequence, shot).limit(PAGE))
        found |= {(row[0], row[1], row[2]) for row in rows}
    return sorted(found)[:PAGE]


def _named(connection: Connection, project: str, wanted: GalleryFilter) -> int:
    """Return how many cards are wanted by their names, too."""
    queries = _wanted_backgrounds(project, wanted), _wanted_jobs(project, wanted)
    return sum(
        connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
        for query in queries
    )


def _wanted_backgrounds(project: str, wanted: GalleryFilter) -> Select[Any, Any, Any, Any, Any]:
    columns = _background
    query = select(
        columns.episode, columns.sequence, columns.shot, columns.season, columns.time
    ).where(columns.project == project, *_alike(columns, wanted))
    if wanted.state or wanted.text:
        query = query.where(_is_newest())
    if wanted.state:
        query = query.where(columns.state == wanted.state)
    if wanted.text:
        query = query.where(_holds(columns.shot, wanted.text) | _holds(columns.code, wanted.text))
    return query


def _wanted_jobs(project: str, wanted: GalleryFilter) -> Select[Any, Any, Any, Any, Any]:
    columns = jobs.c
    states = {MAKING: _LIVE, REFUSED: (JobState.DEAD.value,)}.get(
        wanted.state, () if wanted.state else _UNFINISHED
    )
    query = select(
        columns.episode, columns.sequence, columns.shot, columns.season, columns.time
    ).where(columns.project == project, _without_background(states), *_alike(columns, wanted))
    return query.where(_holds(columns.shot, wanted.text)) if wanted.text else query


def _alike(
    columns: ReadOnlyColumnCollection[str, Any], wanted: GalleryFilter
) -> Iterator[ColumnElement[bool]]:
    if wanted.sequence:
        episode, _, sequence = wanted.sequence.partition(" / ")
        part = (columns.episode == episode) & (columns.sequence == sequence)
        yield part | (columns.sequence == wanted.sequence)
    for column, asked in (
        (columns.season, wanted.season),
        (columns.time, wanted.time),
    ):
        if asked:
            yield column == asked


def _holds(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    # SQLite knows the case of ASCII alone.
    return column.contains(text, autoescape=True) | func.lower(column).contains(
        text.lower(), autoescape=True
    )


def _without_background(states: Sequence[str]) -> ColumnElement[bool]:
    """Hold for the newest job in these states of a place of which there is no background."""
    columns, other = jobs.c, jobs.alias("newer")
    places = "project", "episode", "sequence", "shot", "season", "time"
    newer = select(other.c.id).where(
        *(other.c[name] == columns[name] for name in places),
        other.c.state.in_(_UNFINISHED),
        other.c.id > columns.id,
    )
    made = select(_background.key).where(*(_background[name] == columns[name] for name in places))
    return and_(
        columns.state.in_(states),
        columns.shot != "",
        ~newer.correlate(jobs).exists(),
        ~made.correlate(jobs).exists(),
    )


def _cards(connection: Connection, project: str, cuts: Sequence[_Cut]) -> Sequence[GalleryCard]:
    """Return all cards between the first and the last of these cuts, in their order."""

    def between(columns: ReadOnlyColumnCollection[str, Any]) -> Sequence[ColumnElement[bool]]:
        cut = tuple_(columns.episode, columns.sequence, columns.shot)
        first, last = (tuple_(*map(literal, one)) for one in (cuts[0], cuts[-1]))
        return cut >= first, cut <= last

    found = {one.place: one for one in _newest(connection, project, *between(_background))}
    for place, work in works(connection, project, *between(jobs.c)):
        if place.shot:
            found[place] = _with_work(found.get(place), place, work)
    return sorted(found.values(), key=_order)


def _groups(connection: Connection) -> Iterator[CardGroup]:
    for table, state, condition in (
        (backgrounds, _background.state, _is_newest()),
        (jobs, jobs.c.state, _without_background(_UNFINISHED)),
    ):
        columns = table.c
        names = columns.project, columns.episode, columns.sequence, columns.season, columns.time
        query = (
            select(state, names[0], names[1], names[2], names[3], names[4], func.count())
            .where(condition)
            .group_by(*names, state)
            .order_by(*names)
        )
        for value, project, episode, sequence, season, time, number in connection.execute(query):
            made = table is backgrounds
            yield CardGroup(
                project=project,
                state=value if made else MAKING if value in _LIVE else REFUSED,
                episode=episode,
                sequence=sequence,
                season=season,
                time=time,
                number=number,
            )


def card(connection: Connection, project: str, place: CardPlace) -> GalleryCard | None:
    """Return one card, as `gallery` shows it."""
    here = (
        _background.episode == place.episode,
        _background.sequence == place.sequence,
        _background.shot == place.shot,
        _background.season == place.season,
        _background.time == place.time,
    )
    found = next(_newest(connection, project, *here), None)
    for other, work in works(connection, project, shot=place.shot):
        if other == place:
            found = _with_work(found, place, work)
    return found


def works(
    connection: Connection, project: str, *here: ColumnElement[bool], shot: str = ""
) -> Iterator[tuple[CardPlace, Work]]:
    """Yield the jobs that go on or are dead letters, the oldest first."""
    columns = jobs.c
    query = (
        select(
            columns.key,
            columns.state,
            columns.step,
            columns.progress,
            columns.error,
            columns.layout,
            columns.updated_at,
            columns.episode,
            columns.sequence,
            columns.shot,
            columns.season,
            columns.time,
        )
        .where(columns.state.in_(_UNFINISHED), columns.project == project, *here)
        .order_by(columns.id)
    )
    if shot:
        query = query.where(columns.shot == shot)
    for row in connection.execute(query):
        place = CardPlace(
            episode=row.episode,
            sequence=row.sequence,
            shot=row.shot,
            season=row.season,
            time=row.time,
        )
        yield (
            place,
            Work(
                key=row.key,
                state=row.state,
                step=row.step,
                progress=row.progress,
                file=row.layout,
                error=row.error,
                changed_at=row.updated_at,
            ),
        )


def strays(connection: Connection) -> tuple[Work, ...]:
    """Return the refused files that name no show."""
    return tuple(work for _, work in works(connection, "") if not work.goes_on)


def shows(connection: Connection, groups: Sequence[CardGroup]) -> tuple[ShowSummary, ...]:
    """
    Return every show that has a background or a job, in alphabetical order.

    Args:
        connection: reads the studio's database.
        groups: of all shows, as `Overviews` counts them.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    sequences: dict[str, set[str]] = defaultdict(set)
    for one in groups:
        if one.state not in {MAKING, REFUSED}:
            counts[one.project][one.state] += one.number
            sequences[one.project].add(one.part)
    begun = select(jobs.c.project).where(jobs.c.project != "").distinct()
    for project in connection.execute(begun).scalars():
        counts.setdefault(project, Counter())
    return tuple(
        ShowSummary(
            project=project,
            sequences=len(sequences[project]),
            backgrounds=sum(counts[project].values()),
            counts=counts[project],
            picture=_cover(connection, project),
        )
        for project in sorted(counts)
    )


def _newest(
    connection: Connection, project: str, *here: ColumnElement[bool]
) -> Iterator[GalleryCard]:
    query = (
        select(
            _background.episode,
            _background.sequence,
            _background.shot,
            _background.season,
            _background.time,
            _background.version,
            _background.code,
            _background.state,
            _background.created_at,
            image_records.c.sha256,
        )
        .select_from(backgrounds)
        .outerjoin(image_records, image_records.c.ledger_seq == _last_image())
        .where(_background.project == project, _is_newest(), *here)
    )
    # Unpacked: to ask thousands of rows for each column by its name takes noticeably longer.
    for episode, sequence, shot, season, time, *of_version in connection.execute(query):
        version, code, state, made_at, sha256 = of_version
        yield GalleryCard(
            place=CardPlace(
                episode=episode, sequence=sequence, shot=shot, season=season, time=time
            ),
            code=code,
            version=version,
            state=state,
            picture=sha256 or "",
            made_at=made_at,
        )


def _with_work(found: GalleryCard | None, place: CardPlace, work: Work) -> GalleryCard:
    if found is None or found.made_at is None:
        return GalleryCard(
            place=place,
            code="",
            version=0,
            state=MAKING if work.goes_on else REFUSED,
            picture="",
            made_at=None,
            work=work,
        )
    # What failed before the version that stands was made does not matter any more.
    matters = work.goes_on or work.changed_at > found.made_at
    return replace(found, work=work) if matters else found


def _is_newest() -> ColumnElement[bool]:
    other = backgrounds.alias("other")
    same = (
        column == other.c[column.name]
        for column in (
            _background.project,
            _background.episode,
            _background.sequence,
            _background.shot,
            _background.season,
            _background.time,
        )
    )
    highest = select(func.max(other.c.version)).where(*same).correlate(backgrounds)

    return _background.version == highest.scalar_subquery()


def _last_image() -> ScalarSelect[int]:
    columns = background_images.c
    return (
        select(columns.image_seq)
        .where(columns.background_key == _background.key)
        .order_by(columns.position.desc())
        .limit(1)
        .correlate(backgrounds)
        .scalar_subquery()
    )


def _cover(connection: Connection, project: str) -> str:
    query = (
        select(image_records.c.sha256)
        .select_from(backgrounds)
        .join(image_records, image_records.c.ledger_seq == _last_image())
        .where(_background.project == project)
        .order_by(
            _background.episode,
            _background.sequence,
            _background.shot,
            _background.version.desc(),
        )
        .limit(1)
    )
    return str(connection.execute(query).scalar() or "")


def _order(one: GalleryCard) -> tuple[object, ...]:
    place = one.place
    return (
        place.episode,
        place.sequence,
        place.shot,
        _SEASONS.get(place.season, len(_SEASONS)),
        place.season,
        _TIMES.get(place.time, len(_TIMES)),
        place.time,
    )


def _known(order: Mapping[str, object], names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that occur, in the order of the year or the day, others behind."""
    found = set(names) - {""}
    return (*(name for name in order if name in found), *sorted(found - set(order)))
