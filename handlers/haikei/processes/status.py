"""How a studio stands at this moment: its processes, its queue, its sources and its disks."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy import Engine, func, select

from haikei.database.schema import events, feed_cursors, files, jobs
from haikei.jobs import JobState, JobStore
from haikei.processes.supervisor import Child, studio_processes
from haikei.settings import Settings

_OPEN = (JobState.WAITING.value, JobState.RUNNING.value)
#: Free bytes below which a disk is worth a word: a few days of 4K backgrounds.
LITTLE_SPACE = 10 * 1024**3


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """What was last heard from outside."""

    last_event: datetime | None  #: a layout or paint-over was announced
    last_file: datetime | None  #: a watched file was judged
    last_feed: datetime | None  #: the tracker's event log was read
    feed_reconciled: datetime | None


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
    sources: SourceStatus
    disks: Sequence[DiskStatus]

    @property
    def troubles(self) -> Sequence[str]:
        """What somebody should look at, a sentence each."""
        away = [one.name for one in self.processes if one.pid is None]
        found: list[str] = []
        if away and len(away) < len(self.processes):
            found.append(f"Not running on this host: {', '.join(away)}.")
        elif away:
            found.append("Nothing runs on this host: start it with `haikei run`.")
        if self.queue.stands_still:
            found.append("Work waits and nothing moves: see `haikei jobs list` and the log.")
        if dead := self.queue.counts.get(JobState.DEAD, 0):
            found.append(
                f"{dead} dead letters wait for a decision: `haikei jobs list --state dead`."
            )
        for disk in self.disks:
            if disk.free is None:
                found.append(f"{disk.what} at {disk.path} cannot be reached.")
            elif disk.free < LITTLE_SPACE:
                found.append(f"{disk.what} at {disk.path} has {disk.free // 1024**2} MiB left.")
        return found


def studio_status(
    settings: Settings, file: Path, database: Engine, *, still_after: timedelta
) -> StudioStatus:
    """
    Return how a studio stands.

    Args:
        settings: the studio's.
        file: where they were read from; its processes are known by it.
        database: the studio's, open.
        still_after: how long nothing may move while work waits.
    """
    now = datetime.now(UTC)
    return StudioStatus(
        at=now,
        processes=_processes(studio_processes(settings, file)),
        queue=_queue(database, now - still_after),
        sources=_sources(database),
        disks=_disks(settings),
    )


def supervisors(file: Path) -> tuple[int, ...]:
    """Return the ids of those processes on this host that keep this file's processes alive."""
    told = "--supervised-by="
    lines = [line for line, _ in _running() if _holds(line, ("--settings", str(file)))]
    found = {
        int(word.removeprefix(told)) for line in lines for word in line if word.startswith(told)
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
    still = oldest is not None and changed is not None and changed < moved_after
    return QueueStatus(
        counts=store.counts(), oldest_open=oldest, last_change=changed, stands_still=still
    )


def _sources(database: Engine) -> SourceStatus:
    with database.connect() as connection:
        event = connection.execute(select(func.max(events.c.received_at))).scalar()
        file = connection.execute(select(func.max(files.c.seen_at))).scalar()
        feed = connection.execute(
            select(func.max(feed_cursors.c.updated_at), func.max(feed_cursors.c.reconciled_at))
        ).one()
    return SourceStatus(
        last_event=event, last_file=file, last_feed=feed[0], feed_reconciled=feed[1]
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
