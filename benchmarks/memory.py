"""
Does a process of the studio grow with what it has done?

    python benchmarks/memory.py [--of follower,watcher,steps,web] [--events 100000] [--layouts 5000]

Each process does its work from the beginning to the end of a count, and its resident memory is
read after a tenth of it, by when libraries are loaded and caches filled, after half, and at the
end. Between the tenth and the end it may grow by 5 %; more ends the script with 1.

- The follower reads that many waiting rows of the embedded tracker, one in two hundred of a layout.
- The watcher and its readers judge that many changes in a tree: files are written anew, renamed,
  and saved again as they were.
- A worker of all steps makes that many layouts, with a generator that mixes two greys and a
  tracker that keeps nothing: what a tracker holds is not the worker's.
- The web process answers that many requests: webhooks, its health, its numbers and its pages.
"""

import argparse
import http.client
import json
import logging
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import structlog
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from haikei.database import files, jobs, open_database, reading, utc_now

if TYPE_CHECKING:
    from haikei.settings import Settings

# What a process needs is imported where it begins its work: each starts with this very file, and
# would hold what all of them need.

#: Shares of the work after which memory is read; growth is counted from the first to the last.
MARKS = (0.1, 0.5, 1.0)
#: What a process may grow by, as a share of what it held when it was warm.
MOST = 0.05
#: Of the follower's rows, one in so many is of a new layout.
LAYOUT_EVERY = 200
#: Files of the watched tree; each is changed once in a round.
FILES = 1_000
#: Layouts that are announced to the worker at once.
ANNOUNCED = 200
LANES = 4
PATIENCE = 600.0
SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one process held, in MiB, at each of the marks."""

    process: str
    work: str  #: what it had done by the end
    seconds: float
    mib: Sequence[float]

    @property
    def growth(self) -> float:
        """By which share it grew from the first mark to the last."""
        return self.mib[-1] / self.mib[0] - 1


@dataclass(slots=True, kw_only=True)
class Readings:
    """Reads the memory of processes when their work comes past a mark."""

    work: str
    total: int
    processes: Callable[[], Mapping[str, float]]  #: the MiB that each holds now, by what it is
    began: float = field(default_factory=time.monotonic)
    _found: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    _marks: list[float] = field(default_factory=lambda: [*MARKS])

    def past(self, done: int) -> None:
        """Note that so much is done."""
        while self._marks and done >= self._marks[0] * self.total:
            self._marks.pop(0)
            for name, mib in self.processes().items():
                self._found.setdefault(name, []).append(round(mib, 1))

    def held(self) -> list[Held]:
        """Return what each process held; one that was not there at each mark is left out."""
        seconds = round(time.monotonic() - self.began, 1)
        return [
            Held(process=name, work=f"{self.total:,} {self.work}", seconds=seconds, mib=mib)
            for name, mib in self._found.items()
            if len(mib) == len(MARKS)
        ]


def family(pid: int, own: str, children: str) -> Callable[[], Mapping[str, float]]:
    """Return what reads the memory of a process, and of the largest that it has started."""

    def look() -> Mapping[str, float]:
        root = psutil.Process(pid)
        below = [one.memory_info().rss for one in root.children(recursive=True)]
        found = {own: root.memory_info().rss / 2**20}
        return found | ({children: max(below) / 2**20} if below else {})

    return look


def quiet() -> None:
    """Log errors only, as each process has to say for itself."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger().setLevel(logging.ERROR)


def wait_until(condition: Callable[[], bool], pause: float = 0.05) -> None:
    """Wait until that holds."""
    ends = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > ends:
            raise TimeoutError("nothing more happens")
        time.sleep(pause)


def of_follower(folder: Path, rows: int) -> list[Held]:
    """Let a follower catch up with rows that wait."""
    from pydantic import SecretStr

    import follow
    from haikei.trackers.shotgrid.tracker import ShotGridTracker
    from support.sites import make_show, running_site, site_settings

    with running_site(folder) as site:
        state = folder / "state"
        state.mkdir()
        settings = site_settings(site.url, site.script, folder / "projects", state)
        tracker = ShotGridTracker(settings, SecretStr(site.key))
        tracker.setup(dry_run=False)
        tracker.close()
        show = make_show(site.connect(), settings, SecretStr(site.key))
        database = state / "followed.db"
        with ProcessPoolExecutor(1, SPAWN) as pool:
            pool.submit(follow.begin_following, settings, site.key, database).result()
        parts = 10
        layouts = max(1, rows // parts // LAYOUT_EVERY)
        for start in range(0, parts * layouts, layouts):
            follow.write_events(site, show, rows // parts)
            follow.publish_layouts(site, show, range(start, start + layouts))
        read = SPAWN.Value("q", 0)
        process = SPAWN.Process(target=follow_all, args=(settings, site.key, database, read, rows))
        process.start()
        look = family(process.pid or 0, "follower", "its reader")
        readings = Readings(work="rows of the event log", total=rows, processes=look)
        wait_until(lambda: _counted(readings, read, rows), 0.005)
        process.kill()
        process.join()
    return readings.held()


def _counted(readings: Readings, done: "Synchronized[int]", total: int) -> bool:
    readings.past(done.value)
    return done.value >= total


def follow_all(
    settings: "Settings", key: str, database: Path, read: "Synchronized[int]", rows: int
) -> None:
    """Follow until so many rows are read, and go on as a follower with nothing to do."""
    from pydantic import SecretStr

    from haikei.sources.eventlog import Follower
    from haikei.storage import Storage
    from haikei.trackers.shotgrid.client import SiteClient
    from haikei.trackers.shotgrid.feed import ShotGridFeed

    quiet()
    engine = open_database(f"sqlite:///{database}")
    feed = ShotGridFeed(SiteClient(settings.tracker, SecretStr(key)), settings)
    with Follower(settings, engine, feed, Storage(settings)) as follower:
        while True:
            result = follower.poll_once()
            read.value += result.events
            if not result.more and read.value < rows:
                time.sleep(0.2)


def of_watcher(folder: Path, events: int) -> list[Held]:
    """Let a watcher judge changes in a tree."""
    from haikei.settings import Settings

    show = folder / "show"
    settings = Settings.model_validate(
        {
            "studio": {"state": str(folder / "state")},
            "storage": {"roots": [{"name": "show", "path": str(show)}]},
            "watch": {"folders": [{"path": str(show)}], "settle": 0.1, "mode": "native"},
        }
    )
    paths = [
        show / f"port/sq{number // 80:03d}/c{number:05d}/layout/c{number:05d}_bg_v001.png"
        for number in range(min(FILES, events))
    ]
    for path in paths:
        path.parent.mkdir(parents=True)
    url = f"sqlite:///{settings.studio.state / 'haikei.db'}"
    database = open_database(url)
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=watch, args=(settings, url, theirs))
    process.start()
    ours.recv()
    look = family(process.pid or 0, "watcher", "its largest reader")
    readings = Readings(work="changes of files", total=events, processes=look)
    done, count = 0, len(paths)
    for round_ in range(-(-events // count)):
        began = utc_now()
        paths = [change(path, number + round_, round_) for number, path in enumerate(paths)]

        def judged(since: object = began) -> bool:
            query = select(func.count()).select_from(files).where(files.c.seen_at >= since)
            with reading(database) as connection:
                return int(connection.execute(query).scalar_one()) >= count

        wait_until(judged)
        done += count
        readings.past(done)
    ours.send("end")
    process.join()
    database.dispose()
    return readings.held()


def change(path: Path, way: int, round_: int) -> Path:
    """Write a file anew, rename it to a version of its own, or save it again as it is."""
    from support.pictures import png_bytes

    if round_ == 0 or way % 3 == 0:
        path.write_bytes(png_bytes(f"{path.name} {round_}", width=96, height=54))
    elif way % 3 == 1:
        path = path.rename(path.with_name(f"{path.name[:-8]}v{round_ + 1:03d}.png"))
    else:
        path.write_bytes(path.read_bytes())
    return path


def watch(settings: "Settings", url: str, control: Connection) -> None:
    """Run a watcher until told to end."""
    from haikei.sources.watch import Watcher

    quiet()
    watcher = Watcher(settings, open_database(url))
    stop = threading.Event()
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    wait_until(lambda: watcher.status.walks > 0)
    control.send("ready")
    control.recv()
    stop.set()
    thread.join()


def of_steps(folder: Path, layouts: int) -> list[Held]:
    """Let a worker make layouts."""
    import scale
    from haikei.jobs import JobState
    from support.jobs import announce, put_layout, studio_settings

    (folder / "state").mkdir()
    url = f"sqlite:///{folder / 'state' / 'haikei.db'}"
    load = scale.Load(url=url, folder=str(folder), slots=2, step_wait=0.0)
    settings = studio_settings(folder, database={"url": url})
    database = open_database(url)

    def ended(*states: JobState) -> int:
        query = select(func.count()).where(jobs.c.state.in_([state.value for state in states]))
        with reading(database) as connection:
            return int(connection.execute(query).scalar_one())

    with scale.workers(scale.work, load, 1) as (pid,):
        look = family(pid, "worker of all steps", "its reader")
        readings = Readings(work="layouts", total=layouts, processes=look)
        for start in range(0, layouts, ANNOUNCED):
            names = [f"c{number:05}" for number in range(start, min(start + ANNOUNCED, layouts))]
            announce(database, *(put_layout(settings, name) for name in names))
            # The next come before the worker has nothing to do.
            enough = start + len(names) - (ANNOUNCED // 4 if start + ANNOUNCED < layouts else 0)

            def done(wanted: int = enough) -> bool:
                made = ended(JobState.DONE, JobState.DEAD)
                readings.past(made)
                return made >= wanted

            wait_until(done, 0.1)
    if dead := ended(JobState.DEAD):
        raise RuntimeError(f"{dead} layouts were not made")
    database.dispose()
    return readings.held()


def of_web(folder: Path, requests: int) -> list[Held]:
    """Let the web process answer requests."""
    import web

    open_database(f"sqlite:///{folder / 'state' / 'haikei.db'}").dispose()
    with web.started(web.serve_haikei, folder) as url:
        (process,) = multiprocessing.active_children()
        look = family(process.pid or 0, "web", "its children")
        readings = Readings(work="requests", total=requests, processes=look)
        share = requests // 20
        for start in range(0, requests, share):
            lanes = [
                threading.Thread(target=ask, args=(url, range(start + lane, start + share, LANES)))
                for lane in range(LANES)
            ]
            for lane in lanes:
                lane.start()
            for lane in lanes:
                lane.join()
            readings.past(start + share)
    return readings.held()


def ask(url: str, numbers: range) -> None:
    """Send requests of all kinds in turn over one connection."""
    import web

    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    for number in numbers:
        turn = number // LANES % 8
        if turn == 0:
            connection.request("GET", "/metrics")
        elif turn == 1:
            connection.request("GET", "/")
        elif turn < 5:
            connection.request("GET", "/healthz")
        else:
            body, headers = web.delivery(number)
            connection.request("POST", web.PATH, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == http.client.SERVICE_UNAVAILABLE:
            # More webhooks than the database takes are refused, and a sender waits.
            time.sleep(0.05)
        elif answer.status not in {200, 202}:
            raise RuntimeError(f"request {number} was answered with {answer.status}")
    connection.close()


@contextmanager
def working_folder() -> Generator[Path]:
    """Yield a folder that goes when the block ends."""
    with tempfile.TemporaryDirectory(prefix="haikei-memory-") as folder:
        yield Path(folder)


def main() -> None:
    """Measure, print a line a process, and fail where one grew too much."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--of", default="follower,watcher,steps,web", help="what is measured")
    parser.add_argument("--events", type=int, default=100_000, help="for all but the worker")
    parser.add_argument("--layouts", type=int, default=5_000, help="for the worker")
    given = parser.parse_args()
    quiet()
    ways = {"follower": of_follower, "watcher": of_watcher, "steps": of_steps, "web": of_web}
    found: list[Held] = []
    for name in given.of.split(","):
        with working_folder() as folder:
            count = given.layouts if name == "steps" else given.events
            held = ways[name](folder, count)
        found += held
        for one in held:
            line = {
                "process": one.process,
                "work": one.work,
                "seconds": one.seconds,
                "mib_after_a_tenth": one.mib[0],
                "mib_after_half": one.mib[1],
                "mib_at_the_end": one.mib[2],
                "growth_percent": round(100 * one.growth, 1),
            }
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
    if any(one.growth > MOST for one in found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
