"""Studios whose folders are watched by a real watcher or whose event log is followed."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, select

from haikei.database import events, files, jobs, open_database, reading
from haikei.images import Inspector
from haikei.settings import Settings
from haikei.sources.eventlog import Follower, PollResult
from haikei.sources.watch import Watcher, WatchStatus
from haikei.storage import Storage
from haikei.trackers import TrackerFeed
from support.clocks import PATIENCE, eventually
from support.databases import fresh_database
from support.pictures import png_bytes
from support.trackers import ScriptedFeed


def watch_settings(folder: Path, **watch: object) -> Settings:
    """Return settings that watch `folder/show` quickly."""
    return Settings.model_validate(
        {
            "studio": {"state": str(folder / "state")},
            "storage": {"roots": [{"name": "show", "path": str(folder / "show")}]},
            "watch": {
                "folders": [{"path": str(folder / "show")}],
                "settle": 0.1,
                "folder_pass": 0.2,
                "full_walk": 0.5,
            }
            | watch,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedLayout:
    """One event, as the inbox keeps it."""

    key: str
    shot: str
    layout: str
    sha256: str
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One dead letter of the watcher."""

    key: str
    layout: str
    reason: str
    kind: str


@dataclass(slots=True, kw_only=True)
class WatchedStudio:
    """A watched folder and what was told of it."""

    folder: Path
    settings: Settings
    database: Engine

    @property
    def show(self) -> Path:
        """The watched folder."""
        return self.folder / "show"

    def layout(self, shot: str, version: int = 1, *, sequence: str = "sq01") -> Path:
        """Return where a layout of this shot belongs; its folder is made."""
        path = self.show / f"port/{sequence}/{shot}/layout/{shot}_bg_v{version:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def told(self) -> list[AnnouncedLayout]:
        """Return every event, in order."""
        with self.database.begin() as connection:
            rows = connection.execute(
                select(events.c.key, events.c.payload).order_by(events.c.id)
            ).all()
        return [
            AnnouncedLayout(
                key=key,
                shot=data["shot"],
                layout=data["layout"],
                sha256=data["sha256"],
                version=data["version"],
            )
            for key, data in ((row.key, json.loads(row.payload)) for row in rows)
        ]

    def refused(self) -> list[DeadLetter]:
        """Return every dead letter, in order."""
        with self.database.begin() as connection:
            rows = connection.execute(
                select(jobs.c.key, jobs.c.layout, jobs.c.error, jobs.c.error_kind)
                .where(jobs.c.state == "dead")
                .order_by(jobs.c.id)
            ).all()
        return [DeadLetter(key=k, layout=p, reason=r, kind=e) for k, p, r, e in rows]

    def recorded(self) -> set[str]:
        """Return the paths that the table of files knows."""
        with self.database.begin() as connection:
            return set(connection.execute(select(files.c.path)).scalars())


def watched_studio(folder: Path, **watch: object) -> WatchedStudio:
    """Make a studio with an empty watched folder."""
    settings = watch_settings(folder, **watch)
    (folder / "show").mkdir(parents=True, exist_ok=True)
    database = fresh_database(folder / "state" / "haikei.db")
    return WatchedStudio(folder=folder, settings=settings, database=database)


@contextmanager
def watching(place: WatchedStudio) -> Generator[Watcher]:
    """Run a watcher until the block ends; it has walked the tree once when the block begins."""
    watcher = Watcher(place.settings, place.database)
    stop = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            watcher.run(stop)
        except BaseException as error:
            failures.append(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        eventually(lambda: watcher.status.walks > 0 or bool(failures))
        yield watcher
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert not failures


def watch_until_killed(settings: Settings, url: str) -> None:
    """Run a watcher in a process of its own."""
    Watcher(settings, open_database(url)).run(threading.Event())


def wait_until_settled(watcher: Watcher, *, walks: int = 2) -> None:
    """Wait until nothing is pending and further full walks have found nothing new."""
    goal = watcher.status.walks + walks

    def settled() -> bool:
        # One snapshot: a doubted file goes from judging back to pending.
        status = watcher.status
        return status.walks >= goal and status.pending == status.judging == 0

    eventually(settled)


def counted(watcher: Watcher, holds: Callable[[WatchStatus], bool]) -> WatchStatus:
    """
    Wait for a status of which that holds, and return it.

    The watcher counts a file after it has recorded it: whoever has seen its row waits for this.
    """

    def look() -> WatchStatus | None:
        status = watcher.status
        return status if holds(status) else None

    return eventually(look)


@dataclass(slots=True, kw_only=True)
class FollowingStudio:
    """Its storage root is `root`; every follower it makes stands on the same database."""

    root: Path
    settings: Settings
    database: Engine
    inspector: Inspector
    feed: ScriptedFeed = field(default_factory=lambda: ScriptedFeed(project="PORT"))
    now: float = 1000.0

    def follower(self, feed: TrackerFeed | None = None) -> Follower:
        """Return a new follower, as a new process would make it."""
        return Follower(
            self.settings,
            self.database,
            feed or self.feed,
            Storage(self.settings),
            doorbell=self.feed.doorbell,
            inspector=self.inspector,
            monotonic=lambda: self.now,
        )

    def draw(self, shot: str, *, content: str = "", ending: str = "png") -> Path:
        """Put a layout of a shot on disk and return its path."""
        path = self.root / f"PORT/s01/{shot}/layout/{shot}_bg_v003.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png_bytes(content or shot))
        return path

    def announced(self) -> list[str]:
        """Return the keys of all events in the inbox."""
        with reading(self.database) as connection:
            return list(connection.execute(select(events.c.key).order_by(events.c.id)).scalars())

    def sources(self) -> list[str]:
        """Return who told of the events in the inbox."""
        with reading(self.database) as connection:
            return list(connection.execute(select(events.c.source).order_by(events.c.id)).scalars())

    def dead_letters(self) -> list[tuple[str, str]]:
        """Return kind and reason of each dead letter."""
        with reading(self.database) as connection:
            rows = connection.execute(select(jobs.c.error_kind, jobs.c.error).order_by(jobs.c.id))
            return [(row.error_kind, row.error) for row in rows]


def poll_all(follower: Follower) -> list[PollResult]:
    """Poll until there is nothing more to do at once."""
    results = [follower.poll_once()]
    while results[-1].more:
        results.append(follower.poll_once())
    return results


@contextmanager
def following_studio(
    folder: Path, *, inspector: Inspector | None = None, **section: float
) -> Generator[FollowingStudio]:
    """Make a studio below `folder`; `section` overrides its `events` settings."""
    root = folder / "root"
    root.mkdir()
    settings = Settings.model_validate(
        {
            "studio": {"state": str(folder / "state")},
            "storage": {"roots": [{"name": "main", "path": str(root)}]},
            "events": section,
        }
    )
    database = fresh_database(folder / "state" / "haikei.db")
    own = inspector or Inspector()
    try:
        yield FollowingStudio(root=root, settings=settings, database=database, inspector=own)
    finally:
        database.dispose()
        if inspector is None:
            own.close()
