"""Announce layouts from before, when a person asks for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from sqlalchemy import Connection, Engine, select

from haikei.database import events, jobs, reading
from haikei.events import Event, Source
from haikei.jobs import taker
from haikei.sources.eventlog.arrivals import Announced, Arrivals, RowVerdict, count, tell
from haikei.sources.eventlog.feed_rows import FeedRows
from haikei.trackers import PublishedLayout

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
                told = tell(connection, rows, verdicts)
            count(told)
            new = {one.verdict.row for one in told if one.new}
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
