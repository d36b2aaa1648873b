"""
A show at a glance: the newest version of every background, what is being made, and
its cards.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import groupby
from urllib.parse import quote

from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, select

from haikei.database import background_images, backgrounds, image_records, jobs
from haikei.jobs.job import JobState
from haikei.texts import SEASONS, TIMES
from haikei.web.pages import page_texts
from haikei.web.pages.rendering import Voice, to_cut

MAKING, REFUSED = "making", "refused"
_LIVE = (JobState.WAITING.value, JobState.RUNNING.value)
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
        place = card.place
        return (
            (not self.sequence or self.sequence == place.sequence)
            and (not self.state or self.state == card.state)
            and (not self.season or self.season == place.season)
            and (not self.time or self.time == place.time)
            and (not self.text or self.text.casefold() in f"{place.shot}\n{card.code}".casefold())
        )

    @property
    def is_open(self) -> bool:
        """Whether everything is let through."""
        return not any((self.sequence, self.state, self.season, self.time, self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class GallerySequence:
    """The cards of one sequence, in cut order."""

    name: str
    cards: tuple[GalleryCard, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """A show's cards, filtered."""

    project: str
    sequences: tuple[GallerySequence, ...]
    shown: int
    all: int
    counts: Mapping[str, int]  #: of each state, among all
    names: tuple[str, ...]  #: of all sequences
    seasons: tuple[str, ...]
    times: tuple[str, ...]
    strays: tuple[Work, ...]  #: refused files that name no cut


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSummary:
    """One show on the first page."""

    project: str
    sequences: int
    backgrounds: int
    counts: Mapping[str, int]
    picture: str  #: hash of a picture of it; empty when there is none


def gallery(connection: Connection, project: str, wanted: GalleryFilter) -> Gallery | None:
    """Return a show; None when nothing is known of it."""
    found = {card.place: card for card in _newest(connection, project)}
    lost: list[Work] = []
    for place, work in works(connection, project):
        if place.shot:
            found[place] = _with_work(found.get(place), place, work)
        else:
            lost.append(work)
    if not found and not lost:
        return None
    cards = sorted(found.values(), key=_order)
    shown = cards if wanted.is_open else [card for card in cards if wanted.lets_through(card)]
    return Gallery(
        project=project,
        sequences=tuple(
            GallerySequence(name=name, cards=tuple(some))
            for name, some in groupby(shown, key=lambda card: card.place.sequence)
        ),
        shown=len(shown),
        all=len(cards),
        counts=Counter(card.state for card in cards),
        names=tuple(dict.fromkeys(card.place.sequence for card in cards)),
        seasons=_known(SEASONS, (card.place.season for card in cards)),
        times=_known(TIMES, (card.place.time for card in cards)),
        strays=tuple(lost),
    )


def card(connection: Connection, project: str, place: CardPlace) -> GalleryCard | None:
    """Return one card, as `gallery` shows it."""
    here = (
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
    connection: Connection, project: str, *, shot: str = ""
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
            columns.sequence,
            columns.shot,
            columns.season,
            columns.time,
        )
        .where(columns.state.in_([*_LIVE, JobState.DEAD.value]), columns.project == project)
        .order_by(columns.id)
    )
    if shot:
        query = query.where(columns.shot == shot)
    for row in connection.execute(query):
        place = CardPlace(sequence=row.sequence, shot=row.shot, season=row.season, time=row.time)
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


def shows(connection: Connection) -> tuple[ShowSummary, ...]:
    """Return every show that has a background or a job, in alphabetical order."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    sequences: dict[str, set[str]] = defaultdict(set)
    query = (
        select(_background.project, _background.sequence, _background.state, func.count())
        .where(_is_newest())
        .group_by(_background.project, _background.sequence, _background.state)
    )
    for project, sequence, state, number in connection.execute(query):
        counts[project][state] += number
        sequences[project].add(sequence)
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
    for sequence, shot, season, time, version, code, state, made_at, sha256 in connection.execute(
        query
    ):
        yield GalleryCard(
            place=CardPlace(sequence=sequence, shot=shot, season=season, time=time),
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
        .order_by(_background.sequence, _background.shot, _background.version.desc())
        .limit(1)
    )
    return str(connection.execute(query).scalar() or "")


def _order(one: GalleryCard) -> tuple[object, ...]:
    place = one.place
    return (
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


class CardLabels:
    """
    Says what is on cards, ready for HTML.

    Args:
        project: whose cards they are.
        say: says phrases in the language of the page.
    """

    def __init__(self, project: str, say: Voice) -> None:
        # A show has a handful of each of these, and thousands of cards.
        @cache
        def around(sequence: str, season: str, time: str) -> tuple[str, str]:
            path, mark, query = to_cut(project, sequence, "", season=season, time=time).partition(
                "?"
            )
            return str(escape(path)), str(escape(mark + query))

        @cache
        def version(number: int) -> Markup:
            return Markup("<i>v{:03d}</i>").format(number) if number else Markup("")

        @cache
        def standing(season: str, time: str, state: str) -> Markup:
            told = page_texts.STATES.get(state, state)
            return Markup('<span>{}</span><span class="badge {}">{}</span>').format(
                say(page_texts.variant(season, time)), state, say(told)
            )

        self.version = version
        self.standing = standing
        self._around = around

    def address(self, place: CardPlace) -> Markup:
        """Return the page of a cut, as `to_cut` does."""
        before, after = self._around(place.sequence, place.season, place.time)
        return Markup(f"{before}{quote(place.shot, safe='')}{after}")  # noqa: S704 - quoted

    def place(self, place: CardPlace) -> Markup:
        """Return the name by which scripts find a card."""
        return escape(f"{place.sequence}/{place.shot}/{place.season}/{place.time}")
