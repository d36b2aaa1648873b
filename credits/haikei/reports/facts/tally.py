"""
What a show's records add up to, counted in one pass, and charts whose counts name
their records.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import TypeVar

from haikei.credits import BackgroundVersion, ImageKind, System
from haikei.decisions import ReviewState
from haikei.measurements import Change
from haikei.reports.document.blocks import (
    Align,
    Block,
    Cell,
    Chart,
    Column,
    Figure,
    Item,
    Lines,
    Link,
    Table,
)
from haikei.reports.document.embedding import Bar, bars, columns
from haikei.reports.facts.system_facts import system_name
from haikei.reports.facts.version_lineage import systems
from haikei.texts import Bilingual, Language, Text, in_language

_Key = TypeVar("_Key")
#: Of what a count has counted, so many are kept to be shown.
_KEPT = 3
_TELL_EVERY = 1000
#: Edges of the classes of touch-ups' areas, in millionths of the image; each is a class's end.
AREA_EDGES = (0, 10_000, 30_000, 100_000, 300_000, 1_000_000)


@dataclass(slots=True)
class Trail:
    """A count, and the records behind it."""

    count: int = 0
    first: int | None = None  #: the lowest and
    last: int | None = None  #: highest ledger entry of the images counted
    examples: list[tuple[str, str]] = field(default_factory=list)  #: codes and URLs

    def add(self, version: BackgroundVersion, entry: int) -> None:
        """Count a version, or an image of it, by its ledger entry."""
        self.count += 1
        if self.first is None or entry < self.first:
            self.first = entry
        if self.last is None or entry > self.last:
            self.last = entry
        if len(self.examples) < _KEPT:
            self.examples.append((version.code, version.url))

    def joined(self, other: "Trail") -> "Trail":
        """Return the count of both."""
        firsts = [first for first in (self.first, other.first) if first is not None]
        lasts = [last for last in (self.last, other.last) if last is not None]
        return Trail(
            count=self.count + other.count,
            first=min(firsts, default=None),
            last=max(lasts, default=None),
            examples=[*self.examples, *other.examples][:_KEPT],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolName:
    """A system by its name and whether it is AI."""

    name: str
    ai: bool


@dataclass(slots=True, kw_only=True)
class MachineMade:
    """Versions whose last pixels a kind of tool made."""

    keys: set[str] = field(default_factory=set)
    versions: Trail = field(default_factory=Trail)

    def add(self, version: BackgroundVersion, entry: int) -> None:
        """Count a version, by the ledger entry of its own image."""
        self.keys.add(version.key)
        self.versions.add(version, entry)


@dataclass(slots=True, kw_only=True)
class SequenceTally:
    """One sequence."""

    shots: set[str] = field(default_factory=set)
    backgrounds: int = 0
    versions: Trail = field(default_factory=Trail)
    states: dict[ReviewState, int] = field(default_factory=dict)
    ai: int = 0
    touched: int = 0


@dataclass(slots=True, kw_only=True)
class ShowTally:
    """The whole of it. A background is a cut in one season at one time of day."""

    versions: Trail = field(default_factory=Trail)
    backgrounds: Trail = field(default_factory=Trail)
    states: dict[ReviewState, Trail] = field(default_factory=dict)
    days: dict[date, Trail] = field(default_factory=dict)
    tools: dict[ToolName, Trail] = field(default_factory=dict)
    by_hand: Trail = field(default_factory=Trail)  #: versions that no system had a part in
    retakes: dict[int, Trail] = field(default_factory=dict)  #: backgrounds, by their retakes
    areas: dict[int, Trail] = field(default_factory=dict)  #: touch-ups, by the class of their area
    unmeasured: Trail = field(default_factory=Trail)  #: touch-ups without a measure
    sequences: dict[str, SequenceTally] = field(default_factory=dict)
    by_ai: MachineMade = field(default_factory=MachineMade)
    by_algorithm: MachineMade = field(default_factory=MachineMade)

    @property
    def shots(self) -> int:
        """Cuts that have a background."""
        return sum(len(one.shots) for one in self.sequences.values())


def tally(versions: Iterable[BackgroundVersion], progress: Callable[[int], None]) -> ShowTally:
    """
    Count versions that come in the order of `records.backgrounds`, old ones too.

    States, touch-ups and AI of sequences are those of each background's newest version.
    """
    show = ShowTally()
    newest: BackgroundVersion | None = None
    place: tuple[str, ...] = ()
    made_by: tuple[System, ...] = ()
    retakes = 0
    for number, version in enumerate(versions, 1):
        here = (version.episode, version.sequence, version.shot, version.season, version.time)
        if newest is not None and here != place:
            _finish(show, newest, made_by, retakes)
            retakes = 0
        newest, place, made_by = version, here, systems(version)
        retakes += version.state is ReviewState.RETAKE
        _version(show, version, made_by)
        if number % _TELL_EVERY == 0:
            progress(number)
    if newest is not None:
        _finish(show, newest, made_by, retakes)
    return show


def area_class(ppm: int) -> int:
    """Return the number of the class of areas that a share of the image belongs to."""
    return next(place for place, edge in enumerate(AREA_EDGES) if ppm <= edge)


def _trail(trails: dict[_Key, Trail], key: _Key) -> Trail:
    trail = trails.get(key)
    if trail is None:
        trail = trails[key] = Trail()
    return trail


@lru_cache(maxsize=256)
def _tool(system: System) -> ToolName:
    return ToolName(name=system_name(system), ai=system.source_type.is_ai)


def _version(show: ShowTally, version: BackgroundVersion, made_by: tuple[System, ...]) -> None:
    entry = version.ledger[-1]
    show.versions.add(version, entry)
    _trail(show.days, version.created_at.date()).add(version, entry)
    part = version.part
    sequence = show.sequences.get(part)
    if sequence is None:
        sequence = show.sequences[part] = SequenceTally()
    sequence.versions.add(version, entry)
    ai = False
    for system in made_by:
        tool = _tool(system)
        ai = ai or tool.ai
        _trail(show.tools, tool).add(version, entry)
    if not made_by:
        show.by_hand.add(version, entry)
    elif version.final.kind is not ImageKind.TOUCH_UP:
        (show.by_ai if ai else show.by_algorithm).add(version, entry)


def _finish(
    show: ShowTally, newest: BackgroundVersion, made_by: tuple[System, ...], retakes: int
) -> None:
    entry = newest.ledger[-1]
    show.backgrounds.add(newest, entry)
    _trail(show.states, newest.state).add(newest, entry)
    _trail(show.retakes, retakes).add(newest, entry)
    sequence = show.sequences[newest.part]
    sequence.shots.add(newest.shot)
    sequence.backgrounds += 1
    sequence.states[newest.state] = sequence.states.get(newest.state, 0) + 1
    sequence.ai += any(system.source_type.is_ai for system in made_by)
    touched = False
    for image, seal in zip(newest.images, newest.ledger, strict=True):
        if image.kind is not ImageKind.TOUCH_UP:
            continue
        touched = True
        change = next(filter(None, (one.evidence.change for one in image.contributions)), None)
        _touch_up(show, newest, seal, change)
    sequence.touched += touched


def _touch_up(
    show: ShowTally, version: BackgroundVersion, entry: int, change: Change | None
) -> None:
    if change is None:
        show.unmeasured.add(version, entry)
    else:
        show.areas.setdefault(area_class(change.area_ppm), Trail()).add(version, entry)


RECORDS = Column(key="records", title=Bilingual("Records", "記録"), linked=True, wide=True)


def bar_blocks(
    language: Language,
    *,
    key: str,
    title: Bilingual,
    found: Sequence[tuple[Text, str, Trail]],
    head: Bilingual,
    counted: Bilingual,
    colour: int,
) -> Iterator[Block]:
    """Yield lying bars and their table; each thing counted has words for people and a code."""
    items = [
        Bar(label=in_language(words, language), value=trail.count) for words, _, trail in found
    ]
    yield Chart(svg=bars(items, title=in_language(title, language), colour=colour), title=title)
    yield _table(key, head, counted, [(Figure(code, words), trail) for words, code, trail in found])


def column_blocks(
    language: Language,
    *,
    key: str,
    title: Bilingual,
    found: Sequence[tuple[str, Trail]],
    head: Bilingual,
    counted: Bilingual,
    colour: int,
) -> Iterator[Block]:
    """Yield standing bars and their table."""
    svg = columns(
        [Bar(label=label, value=trail.count) for label, trail in found],
        title=in_language(title, language),
        x_label=in_language(head, language),
        y_label=in_language(counted, language),
        colour=colour,
    )
    yield Chart(svg=svg, title=title)
    yield _table(key, head, counted, found)


def _table(
    key: str, head: Bilingual, counted: Bilingual, found: Sequence[tuple[Item, Trail]]
) -> Table:
    title = Bilingual(counted.en.capitalize(), counted.ja)
    return Table(
        key=key,
        columns=(
            Column(key="label", title=head),
            Column(key="count", title=title, align=Align.END),
            RECORDS,
        ),
        rows=((label, trail.count, records_of(trail)) for label, trail in found),
    )


def records_of(trail: Trail) -> Cell:
    """Return the ledger entries of what was counted, and some of the Versions."""
    if not trail.count:
        return None
    links = tuple(Link(code, url) for code, url in trail.examples)
    return Lines(
        (span_of(trail), *links, *(("…",) if trail.count > len(links) else ())), inline=True
    )


def span_of(trail: Trail) -> Bilingual | None:
    """Return the first and the last ledger entry of what was counted."""
    if trail.first is None:
        return None
    if trail.first == trail.last:
        return Bilingual(f"ledger {trail.first}", f"台帳 {trail.first}")
    return Bilingual(
        f"ledger entries {trail.first} to {trail.last}", f"台帳 {trail.first}〜{trail.last}"
    )


#: Up to so many days each has a bar of its own; beyond, weeks and then months have.
_DAYS, _WEEKS = 62, 62 * 7


def day_blocks(days: Mapping[date, Trail], language: Language) -> Iterator[Block]:
    """Yield versions by day, week or month of their making in UTC, as suits the show's length."""
    length = (max(days) - min(days)).days + 1
    if length <= _DAYS:
        unit, step = Bilingual("day", "日"), "day"
    elif length <= _WEEKS:
        unit, step = Bilingual("week, from Monday", "週（月曜始まり）"), "week"
    else:
        unit, step = Bilingual("month", "月"), "month"
    yield from column_blocks(
        language,
        key="days",
        title=Bilingual(f"Versions made each {unit.en}", f"{unit.ja}ごとのバージョン数"),
        found=_spans(days, step),
        head=Bilingual(f"{unit.en} (UTC)", f"{unit.ja}（UTC）"),
        counted=Bilingual("versions", "バージョン数"),
        colour=0,
    )


def _spans(days: Mapping[date, Trail], step: str) -> list[tuple[str, Trail]]:
    """Return every span from the first to the last day, those without a version too."""
    found: dict[date, Trail] = {}
    day, last = _begin(min(days), step), max(days)
    while day <= last:
        found[day] = Trail()
        day = _begin(day + timedelta(days={"day": 1, "week": 7, "month": 32}[step]), step)
    for one in sorted(days):
        begin = _begin(one, step)
        found[begin] = found[begin].joined(days[one])
    form = "%m-%d" if len({day.year for day in found}) == 1 else "%Y-%m-%d"
    form = "%Y-%m" if step == "month" else form
    return [(day.strftime(form), trail) for day, trail in found.items()]


def _begin(day: date, step: str) -> date:
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day
