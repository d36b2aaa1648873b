"""
From a row of the tracker to the inbox or the dead letters: published, refused, or not ready yet.

Layouts from before are announced when a person asks for them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path

import structlog
from sqlalchemy import Connection, Engine, select

from haikei.database import events, jobs, reading, utc_now
from haikei.errors import ImageUnreadable, LayoutRefused, PathRefused, PlaceUnknown, StorageError
from haikei.events import (
    Event,
    LayoutPublished,
    NamedPaintOver,
    Source,
    TouchUpFolders,
    TouchUpPublished,
)
from haikei.images import Inspection, Inspector
from haikei.jobs.healing import supersede
from haikei.jobs.inbox import Refusal, receive, refusal_key, refuse, taker, told_apart
from haikei.names import plain_name
from haikei.show import Place
from haikei.sources.eventlog import cursor
from haikei.sources.eventlog.feed_rows import FeedRows, RowState, SettledRow
from haikei.storage import PlacedLayout, Storage
from haikei.trackers import PublishedLayout

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A PublishedFile row, and the source that announced it."""

    layout: PublishedLayout
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class RowVerdict:
    """
    The finding about one row.

    Without an event and a refusal it is no layout, as far as is known.
    """

    row: int
    event: Event | None = None
    refusal: Refusal | None = None
    passing: bool = False  #: True when time may mend what is wrong

    @property
    def silent(self) -> bool:
        """Tell whether there is nothing to say about the row."""
        return self.event is None and self.refusal is None


class Arrivals:
    """
    Judges rows. It reads the files and never the tracker or the database.

    Args:
        feed: the feed's name; row numbers mean something within it only.
        storage: where files may be, and what their paths mean.
        inspector: opens the files.
        folders: where paint-overs land, and what their paths mean.
    """

    def __init__(
        self, feed: str, storage: Storage, inspector: Inspector, folders: TouchUpFolders
    ) -> None:
        self._feed = feed
        self._storage = storage
        self._inspector = inspector
        self._folders = folders

    def judge(self, announced: Iterable[Announced]) -> Sequence[RowVerdict]:
        """Return one verdict a row; files are hashed and their headers read."""
        verdicts: list[RowVerdict] = []
        readable: list[tuple[Announced, Path, PlacedLayout]] = []
        for row in announced:
            try:
                path = self._path(row.layout)
                placed = self._placed(row.layout, path)
            except _NotYet as reason:
                verdicts.append(self._not_yet(row, reason))
            except LayoutRefused as error:
                verdicts.append(self._refused(row, error))
            except StorageError as error:
                verdicts.append(self._refused(row, error))
            else:
                readable.append((row, path, placed))
        found = self._inspector.inspect([path for _, path, _ in readable])
        for (row, _, placed), inspection in zip(readable, found, strict=True):
            verdicts.append(self._inspected(row, placed, inspection))
        return verdicts

    def _path(self, layout: PublishedLayout) -> Path:
        if not layout.typed:
            raise _NotYet(None)
        if not layout.path:
            raise _NotYet(
                PathRefused(
                    f"PublishedFile {layout.id} has no path below a storage root.",
                    advice="Publish it to a local storage that storage.roots names.",
                )
            )
        return self._storage.stored(Path(layout.path), "").path

    def _placed(self, layout: PublishedLayout, path: Path) -> PlacedLayout:
        named = self._named(layout, path)
        if named is not None:
            return PlacedLayout(place=named.place, name=layout.name, version=layout.version)
        placed = self._storage.place_of(path) if layout.painted is None else None
        if placed is not None:
            return PlacedLayout(
                place=_linked(layout, placed.place),
                name=placed.name or layout.name,
                version=layout.version if placed.version is None else placed.version,
            )
        if layout.project and layout.shot:
            place = _link(layout)
            return PlacedLayout(place=place, name=layout.name, version=layout.version)
        template = "layout template" if layout.painted is None else "template of a touch-up folder"
        raise _NotYet(
            PlaceUnknown(
                f"{path} does not fit the {template}, and PublishedFile {layout.id} is "
                "linked to no shot.",
                advice="Link the row to its shot, or correct the template in the settings.",
            )
        )

    def _named(self, layout: PublishedLayout, path: Path) -> NamedPaintOver | None:
        return None if layout.painted is None else self._folders.named(path)

    def _inspected(
        self, row: Announced, placed: PlacedLayout, inspection: Inspection
    ) -> RowVerdict:
        if inspection.ok:
            return RowVerdict(row=row.layout.id, event=self._event(row, placed, inspection))
        # The file's state, as the watcher tells it: a file that is bad for both is refused once.
        state = (
            str(inspection.path),
            str(inspection.size),
            str(inspection.mtime_ns),
            inspection.sha256,
        )
        refusal = Refusal(
            key=refusal_key(*state) if inspection.sha256 else self._row_key(row.layout),
            layout=inspection.path,
            source=row.source,
            reason=inspection.reason,
            kind=ImageUnreadable.__name__,
            sha256=inspection.sha256,
        )
        return RowVerdict(row=row.layout.id, refusal=refusal, passing=True)

    def _event(self, row: Announced, placed: PlacedLayout, inspection: Inspection) -> Event:
        layout, painted = row.layout, row.layout.painted
        if painted is None:
            return LayoutPublished(
                place=placed.place,
                layout=inspection.path,
                sha256=inspection.sha256,
                name=placed.name,
                version=placed.version,
                published_file=layout.id,
                source=row.source,
                at=utc_now(),
                published_by=layout.published_by,
            )
        named = self._named(layout, inspection.path)
        return TouchUpPublished(
            place=placed.place,
            file=inspection.path,
            sha256=inspection.sha256,
            published_file=layout.id,
            artists=painted.artists,
            artist_source=painted.source,
            candidates=painted.candidates,
            artist_name=named.artist if named else "",
            versions=painted.versions,
            season=named.season if named else "",
            time=named.time if named else "",
            version=named.version if named else None,
            source=row.source,
            at=utc_now(),
        )

    def _not_yet(self, row: Announced, reason: "_NotYet") -> RowVerdict:
        if reason.error is None:
            return RowVerdict(row=row.layout.id, passing=True)
        refused = self._refused(row, reason.error)
        return RowVerdict(row=row.layout.id, refusal=refused.refusal, passing=True)

    def _refused(self, row: Announced, error: LayoutRefused | StorageError) -> RowVerdict:
        refusal = Refusal(
            key=self._row_key(row.layout),
            layout=Path(row.layout.path or f"PublishedFile {row.layout.id}"),
            source=row.source,
            reason=str(error),
            kind=type(error).__name__,
        )
        return RowVerdict(row=row.layout.id, refusal=refusal, passing=error.transient)

    def _row_key(self, layout: PublishedLayout) -> str:
        return refusal_key(self._feed, str(layout.id), layout.path)


def _linked(layout: PublishedLayout, place: Place) -> Place:
    """Return a path's place, or that of the shot to which the row is linked where it is another."""
    named, linked = plain_name(place.shot), plain_name(layout.shot)
    # Codes of trackers may hold more than folders do, such as `s01_c012` for `c012`.
    if not linked or not layout.project or linked.endswith(named):
        # What the path leaves open, the row gives.
        return replace(
            place,
            episode=place.episode or layout.episode,
            sequence=place.sequence or layout.sequence,
        )
    log.warning("row_outranks_path", row=layout.id, path=place.shot, row_says=layout.shot)
    return _link(layout)


def _link(layout: PublishedLayout) -> Place:
    return Place(
        project=layout.project,
        episode=layout.episode,
        sequence=layout.sequence,
        shot=layout.shot,
    )


class _NotYet(Exception):
    def __init__(self, error: LayoutRefused | StorageError | None) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredVerdict:
    """The findings about one row."""

    verdict: RowVerdict
    new: bool  #: False when the inbox or the dead letters had it already


def tell(
    connection: Connection, rows: FeedRows, verdicts: Sequence[RowVerdict]
) -> Sequence[DeliveredVerdict]:
    """
    Announce or refuse each row for good; forget those about which there is nothing to say.

    A row is not refused whose file another source has handed over; and what a row was refused for
    before goes with what it is now.
    """
    delivered: list[DeliveredVerdict] = []
    settled: list[SettledRow] = []
    before = rows.refusals(connection, [verdict.row for verdict in verdicts])
    for verdict in verdicts:
        if verdict.event is not None:
            (event,) = told_apart(connection, [verdict.event])
            verdict = replace(verdict, event=event)  # noqa: PLW2901 - as it is received
            new = receive(connection, event)
            state, key, source = RowState.PUBLISHED, event.key, event.source
        elif verdict.refusal is not None:
            source = verdict.refusal.source
            if by := taker(connection, verdict.refusal):
                new, state, key = False, RowState.PUBLISHED, by
            else:
                new = refuse(connection, verdict.refusal)
                state, key = RowState.REFUSED, verdict.refusal.key
        else:
            continue
        old = before.get(verdict.row, key)
        if old != key:
            supersede(connection, [old], "The row was completed since, and was judged anew.")
        delivered.append(DeliveredVerdict(verdict=verdict, new=new))
        settled.append(SettledRow(id=verdict.row, state=state, key=key, source=source))
    rows.settle(connection, settled)
    rows.forget(connection, [verdict.row for verdict in verdicts if verdict.silent])
    return delivered


def count(delivered: Sequence[DeliveredVerdict]) -> None:
    """Count what was announced, once its transaction is through."""
    for one in delivered:
        if one.new and one.verdict.event is not None:
            cursor.LAYOUTS.labels(one.verdict.event.source.value).inc()
        elif one.new and one.verdict.refusal is not None:
            cursor.REFUSED.labels(one.verdict.refusal.kind).inc()


_ROWS = 50


class BackfillOutcome(StrEnum):
    """What a backfill made of a row, or would make of it."""

    NEW = "new"  #: announced
    KNOWN = "known"  #: announced or refused before
    REFUSED = "refused"  #: put among the dead letters


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillEntry:
    """One layout of a backfill."""

    published_file: int
    path: str  #: as the tracker has it
    outcome: BackfillOutcome
    event: Event | None  #: None when it was refused
    reason: str  #: why it was refused


def backfill(
    database: Engine,
    rows: FeedRows,
    arrivals: Arrivals,
    layouts: Sequence[PublishedLayout],
    *,
    dry_run: bool,
) -> Iterator[BackfillEntry]:
    """Judge layouts and hand them to the inbox a few at a time; what is not ready is refused."""
    remaining = iter(layouts)
    while chunk := list(islice(remaining, _ROWS)):
        verdicts = arrivals.judge(
            Announced(layout=layout, source=Source.BACKFILL) for layout in chunk
        )
        if dry_run:
            with reading(database) as connection:
                new = {verdict.row for verdict in verdicts if not _known(connection, verdict)}
        else:
            with database.begin() as connection:
                delivered = tell(connection, rows, verdicts)
            count(delivered)
            new = {one.verdict.row for one in delivered if one.new}
        by_row = {verdict.row: verdict for verdict in verdicts if not verdict.silent}
        for layout in chunk:
            if layout.id in by_row:
                yield _entry(layout, by_row[layout.id], new=layout.id in new)


def _known(connection: Connection, verdict: RowVerdict) -> bool:
    if verdict.event is not None:
        query = select(events.c.key).where(events.c.key == verdict.event.key)
    elif verdict.refusal is not None:
        if taker(connection, verdict.refusal):
            return True
        query = select(jobs.c.key).where(jobs.c.key == verdict.refusal.key)
    else:
        return True
    return connection.execute(query).first() is not None


def _entry(layout: PublishedLayout, verdict: RowVerdict, *, new: bool) -> BackfillEntry:
    outcome = BackfillOutcome.NEW if verdict.event is not None else BackfillOutcome.REFUSED
    return BackfillEntry(
        published_file=layout.id,
        path=layout.path,
        outcome=outcome if new else BackfillOutcome.KNOWN,
        event=verdict.event,
        reason="" if verdict.refusal is None else verdict.refusal.reason,
    )
