"""Put what was judged where it belongs: the inbox or the dead letters, and the feed's own list."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from haikei.eventlog import metrics
from haikei.eventlog.arrivals import Verdict
from haikei.eventlog.rows import FeedRows, RowState, Settled
from haikei.jobs.inbox import receive, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told about one row."""

    verdict: Verdict
    new: bool  #: False when the inbox or the dead letters had it already


def tell(connection: Connection, rows: FeedRows, verdicts: Sequence[Verdict]) -> Sequence[Told]:
    """Announce or refuse each row for good; forget those about which there is nothing to say."""
    told: list[Told] = []
    settled: list[Settled] = []
    for verdict in verdicts:
        if verdict.event is not None:
            new = receive(connection, verdict.event)
            state, key, source = RowState.PUBLISHED, verdict.event.key, verdict.event.source
        elif verdict.refusal is not None:
            new = refuse(connection, verdict.refusal)
            state, key, source = RowState.REFUSED, verdict.refusal.key, verdict.refusal.source
        else:
            continue
        told.append(Told(verdict=verdict, new=new))
        settled.append(Settled(id=verdict.row, state=state, key=key, source=source))
    rows.settle(connection, settled)
    rows.forget(connection, [verdict.row for verdict in verdicts if verdict.silent])
    return told


def count(told: Sequence[Told]) -> None:
    """Count what was told, once its transaction is through."""
    for one in told:
        if one.new and one.verdict.event is not None:
            metrics.LAYOUTS.labels(one.verdict.event.source.value).inc()
        elif one.new and one.verdict.refusal is not None:
            metrics.REFUSED.labels(one.verdict.refusal.kind).inc()
