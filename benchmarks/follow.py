"""
How fast does the follower catch up with waiting events, against a bare paging loop?

Both read the same rows of the same embedded tracker with the official client: the bare loop pages
by id and throws the rows away; the follower finds gaps and layouts in them, keeps its cursor in a
real database, and reads and hashes the layouts. One id in a hundred never appears. The runs
alternate, each in a process of its own.

    python benchmarks/follow.py --rows 50000
"""

import argparse
import json
import logging
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import shotgun_api3
import structlog
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from haikei.database import events, open_database, reading
from haikei.settings import Settings
from haikei.sources.eventlog import Follower
from haikei.storage import Storage
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.feed import ShotGridFeed
from haikei.trackers.shotgrid.tracker import ShotGridTracker

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.pictures import png_bytes  # on the path only from here on
from support.sites import RunningSite, Show, make_show, running_site, site_settings  # likewise

MARK = 1.25
PAGE = 500
LOST_EVERY = 100
#: What the follower's feed asks for, so that both carry the same bytes.
FIELDS = [
    "event_type",
    "attribute_name",
    "meta",
    "entity",
    "project",
    "project.Project.tank_name",
    "user",
    "created_at",
]
INSERT = (
    'INSERT INTO "EventLogEntry" (id, event_type, attribute_name, description, '
    "cached_display_name, meta, entity, project, user, session_uuid, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process measured."""

    way: str
    rows: int
    layouts: int
    seconds: float
    cpu: float  #: seconds of this process's own work, which other processes do not stretch
    rss: float  #: MiB, at the end; without the process that opens images


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the whole benchmark gave."""

    rows: int
    layouts: int
    bare_seconds: float
    follower_seconds: float
    ratio: float
    cpu_ratio: float
    follower_rss: float
    bare_rss: float
    reached: bool


def main() -> None:
    """Measure, print the table, and fail when the mark is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000, help="waiting EventLogEntry rows")
    parser.add_argument("--layouts", type=int, default=100, help="new layouts among them")
    parser.add_argument("--repeat", type=int, default=4, help="runs of each way")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()

    runs, figures = measure(rows=given.rows, layouts=given.layouts, repeat=given.repeat)
    if given.json:
        print(json.dumps({"runs": [asdict(run) for run in runs], **asdict(figures)}, indent=2))
    else:
        show_table(figures)
    if not figures.reached:
        raise SystemExit(1)


def measure(*, rows: int, layouts: int, repeat: int) -> tuple[list[Run], Figures]:
    """Return each run, and the best of each way."""
    quiet()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder)) as site,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool,
    ):
        state = Path(folder) / "state"
        state.mkdir()
        settings = site_settings(site.url, site.script, Path(folder) / "projects", state)
        tracker = ShotGridTracker(settings, SecretStr(site.key))
        tracker.setup(dry_run=False)
        tracker.close()
        show = make_show(site.connect(), settings, SecretStr(site.key))
        pool.submit(begin_following, settings, site.key, state / "begun.db").result()
        newest = write_events(site, show, rows // 2)
        publish_layouts(site, show, range(layouts))
        write_events(site, show, rows - rows // 2)
        runs: list[Run] = []
        for index in range(repeat):
            database = state / f"run{index}.db"
            shutil.copy(state / "begun.db", database)
            runs.append(pool.submit(page_bare, site.url, site.script, site.key, newest).result())
            runs.append(pool.submit(follow, settings, site.key, database).result())
    return runs, summary(runs)


def summary(runs: list[Run]) -> Figures:
    """Return the best of both ways: what disturbs a run only ever makes it slower."""
    bare = [run for run in runs if run.way == "bare"]
    ours = [run for run in runs if run.way == "follower"]
    bare_seconds = min(run.seconds for run in bare)
    follower_seconds = min(run.seconds for run in ours)
    ratio = follower_seconds / bare_seconds
    return Figures(
        rows=ours[0].rows,
        layouts=ours[0].layouts,
        bare_seconds=round(bare_seconds, 2),
        follower_seconds=round(follower_seconds, 2),
        ratio=round(ratio, 3),
        cpu_ratio=round(min(run.cpu for run in ours) / min(run.cpu for run in bare), 3),
        follower_rss=round(max(run.rss for run in ours), 1),
        bare_rss=round(max(run.rss for run in bare), 1),
        reached=ratio <= MARK,
    )


def quiet() -> None:
    """Log errors only, as each process has to say for itself."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def write_events(site: RunningSite, show: Show, count: int) -> int:
    """Write so many status changes straight into the site's store; return the id before them."""
    with site.site.writing(site.site.system, "create") as (work, _):
        newest = work.session.next_event_id() - 1
        for index in range(count):
            event = work.session.next_event_id()
            if index % LOST_EVERY == LOST_EVERY // 2:
                event = work.session.next_event_id()
            meta = {
                "type": "attribute_change",
                "attribute_name": "sg_status_list",
                "entity_type": "Task",
                "entity_id": show.layout_task,
                "field_data_type": "status_list",
                "old_value": "wtg",
                "new_value": "ip",
            }
            sentence = f'haikei changed "Status" from "wtg" to "ip" on Task {index}'
            work.session.execute(
                INSERT,
                (
                    event,
                    "Shotgun_Task_Change",
                    "sg_status_list",
                    sentence,
                    sentence,
                    json.dumps(meta),
                    show.layout_task,
                    show.project,
                    work.caller.id,
                    None,
                    work.stamp,
                ),
            )
        return newest


def publish_layouts(site: RunningSite, show: Show, numbers: Iterable[int]) -> None:
    """Publish layouts of these numbers as another script does, each with its storm of events."""
    site.site.add_script("publisher", "its-own-key")
    client = site.closing(
        shotgun_api3.Shotgun(site.url, script_name="publisher", api_key="its-own-key")
    )
    (kind,) = show.find("PublishedFileType", ["code", "is", "Layout"])
    for index in numbers:
        name = f"c001_bg{index:04d}_v001.png"
        layout = show.layout(name, png_bytes(name, width=1280, height=720))
        client.create(
            "PublishedFile",
            {
                "project": {"type": "Project", "id": show.project},
                "entity": {"type": "Shot", "id": show.shot},
                "code": name,
                "published_file_type": kind,
                "path": {"local_path": str(layout.path)},
            },
        )


def begin_following(settings: Settings, key: str, database: Path) -> None:
    """Let a follower stand at the newest event."""
    quiet()
    engine = open_database(f"sqlite:///{database}")
    feed = ShotGridFeed(SiteClient(settings.tracker, SecretStr(key)), settings)
    with Follower(settings, engine, feed, Storage(settings)) as follower:
        while follower.poll_once().more:
            pass
    feed.close()
    engine.dispose()


def follow(settings: Settings, key: str, database: Path) -> Run:
    """Let a follower catch up from where it stood; imports and connections are made before."""
    quiet()
    engine = open_database(f"sqlite:///{database}")
    feed = ShotGridFeed(SiteClient(settings.tracker, SecretStr(key)), settings)
    with Follower(settings, engine, feed, Storage(settings)) as follower:
        feed.newest()
        begun, worked = time.perf_counter(), time.process_time()
        rows, more = 0, True
        while more:
            result = follower.poll_once()
            rows, more = rows + result.events, result.more
        seconds = time.perf_counter() - begun
        cpu = time.process_time() - worked
        rss = resident()
    feed.close()
    with reading(engine) as connection:
        layouts = connection.execute(select(func.count()).select_from(events)).scalar_one()
    engine.dispose()
    return Run(way="follower", rows=rows, layouts=layouts, seconds=seconds, cpu=cpu, rss=rss)


def page_bare(url: str, script: str, key: str, after: int) -> Run:
    """Page through the same rows with nothing but the client."""
    site = shotgun_api3.Shotgun(url, script_name=script, api_key=key)
    site.find_one("EventLogEntry", [["id", "greater_than", after]], ["id"])
    begun, worked = time.perf_counter(), time.process_time()
    rows = 0
    while True:
        page = site.find(
            "EventLogEntry",
            [["id", "greater_than", after]],
            FIELDS,
            order=[{"field_name": "id", "direction": "asc"}],
            limit=PAGE,
        )
        rows += len(page)
        if len(page) < PAGE:
            break
        after = int(page[-1].get("id", 0))
    seconds = time.perf_counter() - begun
    cpu = time.process_time() - worked
    rss = resident()
    site.close()
    return Run(way="bare", rows=rows, layouts=0, seconds=seconds, cpu=cpu, rss=rss)


def resident() -> float:
    """Return this process's resident memory in MiB."""
    return float(psutil.Process().memory_info().rss) / (1 << 20)


def show_table(figures: Figures) -> None:
    """Print the figures and whether the mark is reached."""
    table = Table(title=f"Catching up with {figures.rows:,} events, {figures.layouts} of layouts")
    for heading in ("way", "seconds", "events/s", "RSS MiB"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for way, seconds, rss in (
        ("bare paging loop", figures.bare_seconds, figures.bare_rss),
        ("follower", figures.follower_seconds, figures.follower_rss),
    ):
        table.add_row(way, f"{seconds:.2f}", f"{figures.rows / seconds:,.0f}", f"{rss:.0f}")
    console = Console()
    console.print(table)
    verdict = "reached" if figures.reached else "missed"
    console.print(f"ratio {figures.ratio:.2f}, mark {MARK}: {verdict}")
    console.print(f"ratio of processor time in the reading process {figures.cpu_ratio:.2f}")


if __name__ == "__main__":
    main()
