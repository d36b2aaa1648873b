"""
Lanes: the two ways that jobs take through the workers, and what holds one.

A fault of the whole site (a refused sign-in, a missing field, a share that is away) is nobody's
job's: it holds the lane. Its jobs wait where they are, people are notified once, and one job after
the other tries the step that failed, less and less often, until it succeeds; then all go on.
People hold lanes too: a paused lane begins no step, a draining one no job.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import structlog
from sqlalchemy import Connection, Engine, Row, select, update

from haikei.database import (
    begins_with,
    database_now,
    inserting,
    lanes,
    notices,
    reading,
    utc_now,
    writing_one_row,
)
from haikei.errors import HaikeiError
from haikei.jobs.job import Step
from haikei.notify.notice import Notice, NoticeKind, note

log = structlog.get_logger()

#: Seconds between two looks of one who waits, and the longest between two probes.
_LOOK, _LONGEST = 1.0, 60.0
#: After so long any job may probe: those at the step that failed are gone.
_OVERDUE = timedelta(seconds=30)
#: A fault that comes back so soon is the one that people were notified of.
_SAME_EPISODE = timedelta(minutes=15)
#: Times that a job may fail alone, while others pass the same step, before it is its own fault.
MOST_TRIPS = 3


GENERATE_QUEUE = "generate"


def generate_queue(label: str = "") -> str:
    """Return the queue of devices that have a label; all devices take from the one without."""
    return f"{GENERATE_QUEUE}-{label}" if label else GENERATE_QUEUE


class Waiting(Protocol):
    """What a job does while its lane is held."""

    def wait(self, seconds: float, note: str) -> None:
        """Wait, saying why; raises when it should not go on."""
        ...

    def mark_interrupted(self) -> None:
        """Note that the step is not at work."""
        ...

    def mark_resumed(self) -> None:
        """Note that it is again."""
        ...


class Lane(StrEnum):
    """One of the ways through the workers."""

    STEPS = "steps"
    GENERATE = "generate"

    @classmethod
    def of(cls, step: Step) -> "Lane":
        """Return the lane in which a step is done."""
        return cls.GENERATE if step is Step.GENERATE else cls.STEPS


class LaneOrder(StrEnum):
    """What people have ordered."""

    OPEN = ""
    PAUSED = "paused"  #: no step begins
    DRAINING = "draining"  #: no job begins; those that have begun are done


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """How a lane stands."""

    lane: Lane
    order: LaneOrder = LaneOrder.OPEN
    ordered_by: str = ""
    fault: str = ""  #: what holds it; empty while nothing does
    step: Step | None = None  #: where that happened
    held_since: datetime | None = None
    probe_at: datetime | None = None

    @property
    def takes_jobs(self) -> bool:
        """Whether jobs may begin in it."""
        return not self.order and self.held_since is None

    def takes(self, step: Step) -> bool:
        """Whether that step may begin in it."""
        if self.held_since is not None or self.order is LaneOrder.PAUSED:
            return False
        return not (self.order and step is Step.GENERATE)

    def __str__(self) -> str:
        if self.held_since is not None:
            return f"Held since {self.held_since:%H:%M} UTC: {self.fault}"
        by = f" by {self.ordered_by}" if self.ordered_by else ""
        return f"{self.order.value.capitalize()}{by}." if self.order else "Open."


def lane_states(connection: Connection) -> Sequence[LaneState]:
    """Return how every lane stands."""
    rows = {row.name: row for row in connection.execute(select(lanes))}
    return [_state(lane, rows.get(lane.value)) for lane in Lane]


def order_lane(connection: Connection, lane: Lane, order: LaneOrder, *, by: str) -> LaneState:
    """Pause, drain or open a lane; return how it stands then."""
    _change(connection, lane, ordered=order.value, ordered_by=by if order else "")
    return _one(connection, lane)


class LaneKeeper:
    """
    Lets steps through, and holds what a fault of the whole site has met.

    Args:
        database: the studio's own.
        backoff: seconds before the first probe; doubled before each further one.
    """

    def __init__(self, database: Engine, backoff: float) -> None:
        self._database = database
        self._backoff = backoff

    def takes_jobs(self, lane: Lane) -> bool:
        """Tell whether jobs may begin in a lane."""
        with reading(self._database) as connection:
            return _one(connection, lane).takes_jobs

    def changed_since(self, moment: datetime) -> bool:
        """Tell whether a fault of the whole site came or went since then."""
        query = select(lanes.c.name).where(lanes.c.updated_at >= moment).limit(1)
        with reading(self._database) as connection:
            return connection.execute(query).first() is not None

    def admit(self, step: Step, progress: Waiting) -> bool:
        """
        Return when a step may begin: True when it does so as the probe of a lane that is held.

        Raises:
            GenerationCancelled: a person stopped the job.
            Withdrawn: the job is no longer this run's.
            WorkerStopping: this worker shall stop.
        """
        waited = False
        while True:
            with reading(self._database) as connection:
                state = _one(connection, Lane.of(step))
            if state.takes(step):
                probing = False
                break
            if state.order is not LaneOrder.PAUSED and self._probes(state, step):
                probing = True
                break
            if not waited:
                waited = True
                # A worker that dies while it waits is not killed by the step.
                progress.mark_interrupted()
            progress.wait(_LOOK, str(state))
        if waited:
            progress.mark_resumed()
        return probing

    def hold(self, step: Step, error: HaikeiError, *, probing: bool) -> None:
        """Note that a fault of the whole site was met; people are notified once."""
        lane = Lane.of(step)
        with self._database.begin() as connection:
            now = database_now(connection)
            row = connection.execute(select(lanes).where(lanes.c.name == lane.value)).first()
            if row is not None and row.held_since is not None:
                if probing:
                    # The back-off was noted when the probe began.
                    _change(connection, lane, fault=str(error))
                return
            _change(
                connection,
                lane,
                fault=str(error),
                step=step.value,
                held_since=now,
                probe_at=now + max(self._wait(0), timedelta(seconds=error.retry_after or 0.0)),
                probes=0,
            )
            _tell(connection, lane, error, now)
        log.error("lane_held", lane=lane.value, step=step.value, error=error.message)

    def open(self, step: Step) -> None:
        """Note that the probe succeeded: everybody goes on."""
        lane = Lane.of(step)
        with self._database.begin() as connection:
            row = connection.execute(select(lanes).where(lanes.c.name == lane.value)).one()
            if row.held_since is None:
                return
            _change(connection, lane, fault="", step="", held_since=None, probe_at=None, probes=0)
        log.info("lane_opens", lane=lane.value, held_since=row.held_since.isoformat())

    def _probes(self, state: LaneState, step: Step) -> bool:
        """Take the next probe, unless it is not due or another one's."""
        if state.held_since is None or state.probe_at is None:
            return False
        with writing_one_row(self._database) as connection:
            now = database_now(connection)
            row = connection.execute(select(lanes).where(lanes.c.name == state.lane.value)).one()
            due = lanes.c.probe_at <= (now if step is state.step else now - _OVERDUE)
            taken = connection.execute(
                update(lanes)
                .where(lanes.c.name == state.lane.value, lanes.c.held_since.is_not(None), due)
                .values(
                    probes=row.probes + 1,
                    probe_at=now + self._wait(row.probes + 1),
                    updated_at=utc_now(),
                )
            )
        return taken.rowcount == 1

    def _wait(self, probes: int) -> timedelta:
        return timedelta(seconds=min(self._backoff * 2.0 ** min(probes, 10), _LONGEST))


def _state(lane: Lane, row: Row[tuple[object, ...]] | None) -> LaneState:
    if row is None:
        return LaneState(lane=lane)
    return LaneState(
        lane=lane,
        order=LaneOrder(row.ordered),
        ordered_by=row.ordered_by,
        fault=row.fault,
        step=Step(row.step) if row.step else None,
        held_since=row.held_since,
        probe_at=row.probe_at,
    )


def _one(connection: Connection, lane: Lane) -> LaneState:
    row = connection.execute(select(lanes).where(lanes.c.name == lane.value)).first()
    return _state(lane, row)


def _change(connection: Connection, lane: Lane, **values: object) -> None:
    changed = {**values, "updated_at": utc_now()}
    fresh = {"ordered": "", "ordered_by": "", "fault": "", "step": "", "probes": 0, **changed}
    statement = inserting(connection, lanes).values({"name": lane.value, **fresh})
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


def _tell(connection: Connection, lane: Lane, error: HaikeiError, now: datetime) -> None:
    digest = hashlib.sha256(f"{type(error).__name__} {error.message}".encode()).hexdigest()[:32]
    episode = f"held/{lane.value}/{digest}/"
    again = select(notices.c.key).where(
        begins_with(notices.c.key, episode), notices.c.noted_at > now - _SAME_EPISODE
    )
    if connection.execute(again).first() is not None:
        return
    text = (
        f"The lane {lane.value} is held, its jobs wait: {error} They go on by themselves when "
        "this is mended; nothing needs to be retried."
    )
    key = f"{episode}{now:%Y-%m-%dT%H:%M:%S}"
    note(connection, Notice(key=key, kind=NoticeKind.TROUBLE, text=text))
