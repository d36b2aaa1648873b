"""A studio that follows a scripted event log, and whose clock a test moves."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from sqlalchemy import Engine, select

from haikei.database import events, jobs, open_database, reading
from haikei.images import Inspector
from haikei.settings import Settings
from haikei.sources.eventlog import Follower, PollResult
from haikei.storage import Storage
from haikei.trackers import TrackerFeed
from support.feed import ScriptedFeed
from support.pngfile import png_bytes


@dataclass(slots=True, kw_only=True)
class FollowingStudio:
    """Its storage root is `root`; every follower it makes stands on the same database."""

    root: Path
    settings: Settings
    database: Engine
    inspector: Inspector
    feed: ScriptedFeed = field(default_factory=ScriptedFeed)
    now: float = 1000.0

    def follower(self, feed: TrackerFeed | None = None) -> Follower:
        """Return a new follower, as a new process would make it."""
        return Follower(
            self.settings,
            self.database,
            feed or self.feed,
            Storage(self.settings),
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
    (folder / "state").mkdir()
    shutil.copy(_blank_database(), folder / "state/haikei.db")
    database = open_database(f"sqlite:///{folder / 'state/haikei.db'}")
    own = inspector or Inspector(256)
    try:
        yield FollowingStudio(root=root, settings=settings, database=database, inspector=own)
    finally:
        database.dispose()
        if inspector is None:
            own.close()


@cache
def _blank_database() -> Path:
    """Migrate once; a hundred studios are quicker copied than made."""
    path = Path(tempfile.mkdtemp(prefix="haikei-blank-")) / "haikei.db"
    open_database(f"sqlite:///{path}").dispose()
    return path
