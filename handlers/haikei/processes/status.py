"""How a studio stands at this moment, and whether that is well: for people, and for monitors."""

import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import psutil
import structlog
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from haikei.database import events, feed_cursors, files, jobs, reading, utc_now
from haikei.errors import HaikeiError, LayoutRefused, TouchUpRefused
from haikei.jobs.engine.presence import HostProcess, ProcessState, present
from haikei.jobs.inbox import oldest_undispatched
from haikei.jobs.job import JobState, Step
from haikei.jobs.lanes import LaneState, generate_queue, lane_states
from haikei.jobs.table import JobStore
from haikei.notify.notice import Notice, NoticeKind, note
from haikei.presets import device_label
from haikei.processes.supervisor import Child, studio_processes
from haikei.settings import Settings

_OPEN = (JobState.WAITING.value, JobState.RUNNING.value)
#: Free bytes below which a disk is worth a word: a few days of 4K backgrounds.
LITTLE_SPACE = 10 * 1024**3
#: Jobs that die one after the other in a lane, none being done meanwhile, which are its failure.
LANE_FAILS = 5
_LANES = {
    "generate": (Step.GENERATE,),
    "steps": tuple(one for one in Step if one not in {Step.GENERATE, Step.DETECT}),
}
#: Rows of `feed_cursors` that are no tracker's event log.
_WATCH, _REVIEW = "watch", "review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that somebody should look at."""

    text: str
    episode: str = ""  #: the same until it is over; empty for what is reported in another way


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStatus:
    """One process that the settings ask for."""

    name: str
    pid: int | None  #: None where it does not run on this host
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """The jobs, and when something last happened to one."""

    counts: Mapping[JobState, int]
    oldest_open: datetime | None  #: since when the job that waits or runs longest has been there
    last_change: datetime | None
    stands_still: bool  #: work waits, and nothing has moved for the time asked about

    def troubles(self) -> Iterator[Trouble]:
        """Yield what is wrong with it."""
        if self.stands_still:
            since = self.last_change
            text = "Work waits and nothing moves: see `haikei jobs list` and the log."
            if since is not None:
                text += f" The last change was at {since:%Y-%m-%d %H:%M} UTC."
            yield Trouble(text=text, episode=f"standstill/{_moment(since)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStatus:
    """The jobs of one queue of the engine."""

    name: str
    failed: int  #: jobs that died in it since a job was last done
    since: datetime | None  #: when that was
    state: LaneState  #: whether it is open, and what holds it

    @property
    def fails(self) -> bool:
        """Whether it is the lane that fails, and not this or that job."""
        return self.failed >= LANE_FAILS

    def troubles(self) -> Iterator[Trouble]:
        """Yield what is wrong with it."""
        if self.state.held_since is not None or self.state.order:
            # People are notified of what holds it when that begins.
            yield Trouble(text=f"The lane {self.name}: {self.state}")
        elif self.fails:
            text = (
                f"The lane {self.name} fails: {self.failed} jobs died in it and none was done "
                "since. See `haikei jobs list --state dead`; mend the cause, then retry them."
            )
            yield Trouble(text=text, episode=f"lane/{self.name}/{_moment(self.since)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardSource:
    """One source of work, and when it was last read to its end."""

    name: str
    heard: datetime | None
    lags: bool

    def troubles(self) -> Iterator[Trouble]:
        """Yield what is wrong with it."""
        if self.lags:
            when = f"since {self.heard:%Y-%m-%d %H:%M} UTC" if self.heard else "so far"
            text = (
                f"The source {self.name} lags: it could not be read {when}. "
                f"See the log of `haikei {self.name}`."
            )
            yield Trouble(text=text, episode=f"source/{self.name}/{_moment(self.heard)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """What was last heard from outside."""

    last_event: datetime | None  #: a layout or paint-over was announced
    last_file: datetime | None  #: a watched file was judged
    last_feed: datetime | None  #: the tracker's event log was read
    feed_reconciled: datetime | None
    heard: Sequence[HeardSource]


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskStatus:
    """One folder that Haikei writes to."""

    what: str
    path: Path
    free: int | None  #: bytes; None where the folder cannot be reached
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioStatus:
    """All of it."""

    at: datetime
    processes: Sequence[ProcessStatus]
    queue: QueueStatus
    lanes: Sequence[LaneStatus]
    sources: SourceStatus
    disks: Sequence[DiskStatus]
    hosts: Sequence[HostProcess]  #: what works for the studio, on any host
    labels_away: Sequence[str]  #: that jobs wait for and no device has

    @property
    def troubles(self) -> Sequence[str]:
        """What somebody should look at, a sentence each."""
        return [trouble.text for trouble in self.found()]

    def found(self) -> Sequence[Trouble]:
        """Return what somebody should look at."""
        # What does not run here may run on another host of the studio.
        done = {one.role for one in self.hosts if one.state is not ProcessState.SILENT}
        away = [
            one.name
            for one in self.processes
            if one.pid is None and one.name.replace(" ", "-") not in done
        ]
        found: list[Trouble] = []
        silent = [one for one in self.hosts if one.state is ProcessState.SILENT]
        found += [
            Trouble(
                text=f"{one.role} on {one.host} gives no sign of life since "
                f"{one.seen_at:%Y-%m-%d %H:%M} UTC: what it was at goes on elsewhere, if another "
                "host has the same role. Look at the host.",
                episode=f"silent/{one.holder}/{_moment(one.seen_at)}",
            )
            for one in silent
        ]
        if away and len(away) < len(self.processes):
            found.append(Trouble(text=f"Not running on this host: {', '.join(away)}."))
        elif away:
            found.append(Trouble(text="Nothing runs on this host: start it with `haikei run`."))
        found += self.queue.troubles()
        for lane in self.lanes:
            found += lane.troubles()
        for source in self.sources.heard:
            found += source.troubles()
        for label in self.labels_away:
            text = (
                f"Jobs wait for a device with the label {label}, and no host that runs has one: "
                "add it to labels in [[engine.devices]], or change device_label of the recipe."
            )
            found.append(Trouble(text=text, episode=f"label/{label}"))
        if dead := self.queue.counts.get(JobState.DEAD, 0):
            text = f"{dead} dead letters wait for a decision: `haikei jobs list --state dead`."
            found.append(Trouble(text=text))
        for disk in self.disks:
            if disk.free is None:
                found.append(Trouble(text=f"{disk.what} at {disk.path} cannot be reached."))
            elif disk.free < LITTLE_SPACE:
                left = f"has {disk.free // 1024**2} MiB left."
                found.append(Trouble(text=f"{disk.what} at {disk.path} {left}"))
        return found


def _moment(moment: datetime | None) -> str:
    return "ever" if moment is None else moment.isoformat()


def studio_status(
    settings: Settings,
    file: Path | None,
    database: Engine,
    *,
    still_after: timedelta | None = None,
    started: datetime | None = None,
    now: datetime | None = None,
) -> StudioStatus:
    """
    Return how a studio stands.

    Args:
        settings: the studio's.
        file: where they were read from; its processes are known by it. None leaves them out.
        database: the studio's, open.
        still_after: how long nothing may move while work waits; by default as the settings say.
        started: since when the studio runs, as far as is known: a source that was never read
            lags only when it had the time for it.
        now: the present moment.
    """
    now = now or datetime.now(UTC)
    patience = still_after or timedelta(seconds=settings.notifications.standstill)
    return StudioStatus(
        at=now,
        processes=_processes(studio_processes(settings, file)) if file else (),
        queue=_queue(database, now - patience),
        lanes=_lanes(database),
        sources=_sources(settings, database, patience, started, now),
        disks=_disks(settings),
        hosts=_hosts(database),
        labels_away=_labels_away(settings, database),
    )


def _labels_away(settings: Settings, database: Engine) -> list[str]:
    labels_of = {name: device_label(settings, name) for name in settings.recipes}
    wanted = {name: label for name, label in labels_of.items() if label}
    if not wanted:
        return []
    with reading(database) as connection:
        query = select(jobs.c.recipe).where(jobs.c.state.in_(_OPEN), jobs.c.recipe.in_(wanted))
        recipes = set(connection.execute(query.distinct()).scalars())
        there = {
            lane
            for one in present(connection)
            if one.state is not ProcessState.SILENT
            for lane in one.lanes
        }
    labels = {wanted[name] for name in recipes}
    return sorted(label for label in labels if generate_queue(label) not in there)


def _hosts(database: Engine) -> Sequence[HostProcess]:
    with reading(database) as connection:
        return present(connection)


def supervisors(file: Path) -> tuple[int, ...]:
    """Return the ids of those processes on this host that keep this file's processes alive."""
    option = "--supervised-by="
    lines = [line for line, _ in _running() if _holds(line, ("--settings", str(file)))]
    found = {
        int(word.removeprefix(option)) for line in lines for word in line if word.startswith(option)
    }
    return tuple(sorted(found - {0}))


def _running() -> list[tuple[tuple[str, ...], psutil.Process]]:
    running: list[tuple[tuple[str, ...], psutil.Process]] = []
    for process in psutil.process_iter():
        try:
            running.append((tuple(process.cmdline()), process))
        except psutil.Error:
            continue  # it has ended meanwhile, or is somebody else's
    return running


def _processes(children: Sequence[Child]) -> list[ProcessStatus]:
    running = _running()
    found: list[ProcessStatus] = []
    for child in children:
        wanted = child.arguments
        here = next((one for line, one in running if _holds(line, wanted)), None)
        started = None if here is None else datetime.fromtimestamp(here.create_time(), UTC)
        pid = None if here is None else here.pid
        found.append(ProcessStatus(name=child.name, pid=pid, since=started))
    return found


def _holds(line: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    starts = range(len(line) - len(wanted) + 1)
    return any(line[start : start + len(wanted)] == wanted for start in starts)


def _queue(database: Engine, moved_after: datetime) -> QueueStatus:
    store = JobStore(database)
    with database.connect() as connection:
        oldest = connection.execute(
            select(func.min(jobs.c.created_at)).where(jobs.c.state.in_(_OPEN))
        ).scalar()
        changed = connection.execute(select(func.max(jobs.c.updated_at))).scalar()
        unseen = oldest_undispatched(connection)
    waits = oldest is not None or (unseen is not None and unseen < moved_after)
    still = waits and (changed is None or changed < moved_after)
    return QueueStatus(
        counts=store.counts(), oldest_open=oldest, last_change=changed, stands_still=still
    )


def _lanes(database: Engine) -> list[LaneStatus]:
    with reading(database) as connection:
        done = connection.execute(
            select(func.max(jobs.c.finished_at)).where(jobs.c.state == JobState.DONE.value)
        ).scalar()
        query = select(jobs.c.step, func.count().label("died")).where(
            jobs.c.state == JobState.DEAD.value, jobs.c.error_kind.not_in(_of_one_file())
        )
        if done is not None:
            query = query.where(jobs.c.finished_at > done)
        rows = connection.execute(query.group_by(jobs.c.step)).all()
        standing = lane_states(connection)
    died = {row.step: row.died for row in rows}
    states = {one.lane.value: one for one in standing}
    return [
        LaneStatus(
            name=name,
            failed=sum(died.get(step.value, 0) for step in steps),
            since=done,
            state=states[name],
        )
        for name, steps in _LANES.items()
    ]


def _of_one_file() -> list[str]:
    """Return the kinds of errors that are about one file and never about the lane."""
    kinds: list[type[HaikeiError]] = [LayoutRefused, TouchUpRefused]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return [kind.__name__ for kind in kinds]


def _sources(
    settings: Settings,
    database: Engine,
    patience: timedelta,
    started: datetime | None,
    now: datetime,
) -> SourceStatus:
    with reading(database) as connection:
        event = connection.execute(select(func.max(events.c.received_at))).scalar()
        file = connection.execute(select(func.max(files.c.seen_at))).scalar()
        rows = connection.execute(select(feed_cursors)).all()
    logs = [row for row in rows if row.feed not in {_WATCH, _REVIEW}]
    periods = {"review": 120.0}
    if settings.watch.folders or settings.watch.touch_ups:
        periods["watch"] = settings.watch.full_walk
    if settings.events.enabled:
        periods["events"] = settings.events.poll
    heard: list[HeardSource] = []
    for name, period in periods.items():
        of_it = logs if name == "events" else [row for row in rows if row.feed == name]
        last = max((row.updated_at for row in of_it), default=None)
        late = now - max(patience, 3 * timedelta(seconds=period))
        since = last or started
        heard.append(HeardSource(name=name, heard=last, lags=since is not None and since < late))
    return SourceStatus(
        last_event=event,
        last_file=file,
        last_feed=max((row.updated_at for row in logs), default=None),
        feed_reconciled=max((row.reconciled_at for row in logs if row.reconciled_at), default=None),
        heard=heard,
    )


def _disks(settings: Settings) -> list[DiskStatus]:
    folders = [("state", settings.studio.state)]
    folders += [(f"storage {root.name}", root.path) for root in settings.storage.roots]
    found: list[DiskStatus] = []
    for what, path in folders:
        try:
            usage = shutil.disk_usage(path)
        except OSError:
            found.append(DiskStatus(what=what, path=path, free=None, total=None))
        else:
            found.append(DiskStatus(what=what, path=path, free=usage.free, total=usage.total))
    return found


log = structlog.get_logger()

#: Between two looks of one process.
LOOK = timedelta(seconds=15)
#: After a start, in which all that stood still meanwhile begins to move.
GRACE = timedelta(minutes=2)
#: Seconds for which what was measured serves, and for which a measurement is waited for.
FRESH, PATIENCE = 5.0, 3.0


class HealthWatch:
    """
    Notes what is wrong with the whole studio, once an episode.

    Args:
        settings: the studio's.
        database: the studio's own.
        started: when this process began to look.
    """

    def __init__(self, settings: Settings, database: Engine, *, started: datetime) -> None:
        self._settings = settings
        self._database = database
        self._started = started
        self._look_at = started + GRACE
        self._known: frozenset[str] = frozenset()

    def tick(self, now: datetime) -> int:
        """Note what is wrong, when it is time to look; return how much is."""
        if now < self._look_at:
            return 0
        self._look_at = now + LOOK
        status = studio_status(self._settings, None, self._database, started=self._started, now=now)
        found = {one.episode: one for one in status.found() if one.episode}
        for episode in found.keys() - self._known:
            log.error("studio_in_trouble", trouble=found[episode].text)
        if new := found.keys() - self._known:
            with self._database.begin() as connection:
                for episode in sorted(new):
                    notice = Notice(key=episode, kind=NoticeKind.TROUBLE, text=found[episode].text)
                    note(connection, notice, at=now)
        for _ in self._known - found.keys():
            log.info("studio_trouble_over")
        self._known = frozenset(found)
        return len(found)


class Condition(StrEnum):
    """How the studio is, in one word."""

    OK = "ok"
    DEGRADED = "degraded"  #: pages can be served, and somebody should look
    UNAVAILABLE = "unavailable"  #: nothing can be served


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a monitor receives: words of a closed list, with no name and no path."""

    condition: Condition
    checks: Mapping[str, str]


class Readying:
    """
    Measures whether the studio's pages can be served and its work goes on, not too often.

    Args:
        settings: the studio's.
        database: the studio's own.
    """

    def __init__(self, settings: Settings, database: Engine) -> None:
        self._settings = settings
        self._database = database
        self._started = utc_now()
        self._lock = threading.Lock()
        self._measured: tuple[datetime, Readiness] | None = None

    def ask(self) -> Readiness:
        """Return how the studio is; what was measured a moment ago serves."""
        # A mount that hangs holds one request, and not every thread of the server.
        if not self._lock.acquire(timeout=PATIENCE):
            return Readiness(condition=Condition.UNAVAILABLE, checks={"storage": "hangs"})
        try:
            now = utc_now()
            if self._measured is None or now - self._measured[0] > timedelta(seconds=FRESH):
                self._measured = now, self._measure(now)
            return self._measured[1]
        finally:
            self._lock.release()

    def _measure(self, now: datetime) -> Readiness:
        try:
            status = studio_status(
                self._settings, None, self._database, started=self._started, now=now
            )
        except SQLAlchemyError as error:
            log.warning("database_away", error=str(error))
            return Readiness(condition=Condition.UNAVAILABLE, checks={"database": "away"})
        return _readiness(status)


def _readiness(status: StudioStatus) -> Readiness:
    away = any(disk.free is None for disk in status.disks)
    failing = any(lane.fails or lane.state.held_since for lane in status.lanes)
    checks = {
        "database": "ok",
        "storage": "away" if away else "ok",
        "queue": "standstill" if status.queue.stands_still else "ok",
        "lanes": "failing" if failing else "ok",
        "sources": "lagging" if any(one.lags for one in status.sources.heard) else "ok",
    }
    if away:
        condition = Condition.UNAVAILABLE
    else:
        condition = Condition.OK if set(checks.values()) == {"ok"} else Condition.DEGRADED
    return Readiness(condition=condition, checks=checks)
