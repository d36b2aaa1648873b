"""A real watcher on real folders, in a thread of the test process."""

import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select

from haikei.database import events, files, jobs, open_database
from haikei.settings import Settings
from haikei.sources.watch import Watcher

DEADLINE = 30.0


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
class Told:
    """One event, as the inbox keeps it."""

    key: str
    shot: str
    layout: str
    sha256: str
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One dead letter of the watcher."""

    key: str
    layout: str
    reason: str
    kind: str


@dataclass(slots=True, kw_only=True)
class Studio:
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

    def told(self) -> list[Told]:
        """Return every event, in order."""
        with self.database.begin() as connection:
            rows = connection.execute(
                select(events.c.key, events.c.payload).order_by(events.c.id)
            ).all()
        return [
            Told(
                key=key,
                shot=data["shot"],
                layout=data["layout"],
                sha256=data["sha256"],
                version=data["version"],
            )
            for key, data in ((row.key, json.loads(row.payload)) for row in rows)
        ]

    def refused(self) -> list[Refused]:
        """Return every dead letter, in order."""
        with self.database.begin() as connection:
            rows = connection.execute(
                select(jobs.c.key, jobs.c.layout, jobs.c.error, jobs.c.error_kind)
                .where(jobs.c.state == "dead")
                .order_by(jobs.c.id)
            ).all()
        return [Refused(key=k, layout=p, reason=r, kind=e) for k, p, r, e in rows]

    def recorded(self) -> set[str]:
        """Return the paths that the table of files knows."""
        with self.database.begin() as connection:
            return set(connection.execute(select(files.c.path)).scalars())


def studio(folder: Path, **watch: object) -> Studio:
    """Make a studio with an empty watched folder."""
    settings = watch_settings(folder, **watch)
    (folder / "show").mkdir(parents=True, exist_ok=True)
    database = open_database(f"sqlite:///{folder / 'state' / 'haikei.db'}")
    return Studio(folder=folder, settings=settings, database=database)


def until(condition: Callable[[], bool], *, deadline: float = DEADLINE) -> None:
    """Wait until a condition holds; fail the test when it does not in time."""
    pause = threading.Event()
    ends = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < ends, "it did not come to pass in time"
        pause.wait(0.01)


@contextmanager
def watching(place: Studio) -> Generator[Watcher]:
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
        until(lambda: watcher.status.walks > 0 or bool(failures))
        yield watcher
    finally:
        stop.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert not failures


def watch_until_killed(settings: Settings, url: str) -> None:
    """Run a watcher in a process of its own."""
    Watcher(settings, open_database(url)).run(threading.Event())


def quiet(watcher: Watcher, *, walks: int = 2) -> None:
    """Wait until nothing is pending and further full walks have found nothing new."""
    goal = watcher.status.walks + walks
    until(
        lambda: (
            watcher.status.walks >= goal
            and watcher.status.pending == 0
            and watcher.status.judging == 0
        )
    )
