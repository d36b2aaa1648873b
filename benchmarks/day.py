"""
How many layouts a day go from their landing to a Version in review, and where the seconds go?

The whole product runs as a studio runs it: embedded tracker, watcher, follower, a worker for the
steps and one for the pictures, each a process of its own. Distinct layouts of 1280x720, drawn by
our own scene code beforehand, land at once; the clock runs from the first landing until the last
Version is in review. In the same run the bare painter makes the same pictures in one process and
does nothing else: what a day would hold if all the rest cost nothing.

    python benchmarks/day.py --layouts 60
"""

import argparse
import hashlib
import json
import logging
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil
import structlog
from rich.console import Console
from rich.table import Table

from haikei.generators import Production, ProductionOrder
from haikei.jobs import JobState
from haikei.presets import RECIPES
from haikei.scenes import Scene, SceneKind, draw, save_layout

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.studio import Studio, studio  # on the path only from here on

WIDTH, HEIGHT = 1280, 720
DAY = 86_400
MARK = 20_000
#: What each process of the product is called, and a word of its command line.
ROLES = {
    "sgserver": "sgserver",
    "watcher": "watch",
    "follower": "events",
    "steps worker": "steps",
    "generation worker": "generate",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one run gave."""

    layouts: int
    seconds: float  #: from the first landing to the last Version in review
    a_day: float
    bare_a_day: float  #: the painter alone, one after the other
    versions: int  #: that the tracker has in review
    median_latency: float  #: seconds of one layout from job to review, waiting included
    step_seconds: dict[str, float]  #: mean per layout, by step
    memory_mib: dict[str, float]  #: highest resident memory, by process


@dataclass(slots=True)
class Memory:
    """The highest resident memory of each process."""

    peak: dict[str, float] = field(default_factory=dict)

    def look(self, root: int) -> None:
        for process in psutil.Process(root).children(recursive=True):
            try:
                words = process.cmdline()
                mib = process.memory_info().rss / 2**20
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
            if "haikei.cli" not in words:
                continue
            after = words[words.index("haikei.cli") + 1 :]
            for role, word in ROLES.items():
                if word in after[:3]:
                    self.peak[role] = max(self.peak.get(role, 0.0), mib)


@contextmanager
def watching_memory() -> Generator[Memory]:
    memory = Memory()
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            memory.look(psutil.Process().pid)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()


def draw_layouts(folder: Path, count: int) -> list[Path]:
    kinds = list(SceneKind)
    made: list[Path] = []
    for number in range(count):
        scene = Scene(kind=kinds[number % len(kinds)], width=WIDTH, height=HEIGHT, seed=number)
        path = folder / f"{number:04d}.png"
        save_layout(draw(scene), path)
        made.append(path)
    return made


def bare(layouts: Sequence[Path], here: Studio, folder: Path) -> float:
    """Return how many layouts a day one painter alone would make, with reading and writing."""
    production = Production(here.settings())
    started = time.perf_counter()
    for number, layout in enumerate(layouts):
        order = ProductionOrder(
            layout=layout,
            layout_sha256=hashlib.sha256(layout.read_bytes()).hexdigest(),
            recipe=RECIPES["watercolour"],
            season="summer",
            time="day",
            place="",
            seed=number,
        )
        previous = None
        plans = production.stages(order)
        for index in range(len(plans)):
            previous = production.make_stage(
                order, index, plans=plans, folder=folder, previous=previous, progress=lambda _: None
            )
    return DAY * len(layouts) / (time.perf_counter() - started)


def run(count: int, folder: Path, devices: int) -> Day:
    drawn = folder / "drawn"
    drawn.mkdir()
    layouts = draw_layouts(drawn, count)
    shots = [("DAY", f"s{number % 10:02d}", f"c{number:04d}") for number in range(count)]
    settings = f'devices = [{{ name = "cpu", concurrency = {devices} }}]\n'
    with studio(folder / "studio", extra_settings=settings) as here, watching_memory() as memory:
        here.cast(shots)
        here.start()
        here.wait_for(
            "the workers", lambda: here.log.exists() and here.log.read_text().count("_ready") >= 2
        )
        started = time.perf_counter()
        for layout, (project, sequence, shot) in zip(layouts, shots, strict=True):
            path = here.projects / project / sequence / shot / "layout" / f"{shot}_bg_v001.png"
            path.parent.mkdir(parents=True)
            path.write_bytes(layout.read_bytes())
        here.wait_for(
            "every Version",
            lambda: len(here.jobs(JobState.DONE)) == count,
            patience=60 + 20 * count,
        )
        seconds = time.perf_counter() - started
        done = here.jobs(JobState.DONE)
        latency = statistics.median(
            (job.finished_at - job.created_at).total_seconds() for job in done if job.finished_at
        )
        versions = len(here.connect().find("Version", [["sg_status_list", "is", "rev"]]))
        steps = step_seconds(here.log, count)
        here.stop()
        (folder / "bare").mkdir()
        alone = bare(layouts[: min(count, 20)], here, folder / "bare")
    return Day(
        layouts=count,
        seconds=seconds,
        a_day=DAY * count / seconds,
        bare_a_day=alone,
        versions=versions,
        median_latency=latency,
        step_seconds=steps,
        memory_mib=memory.peak,
    )


def step_seconds(log: Path, count: int) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for line in log.read_text(encoding="utf-8").splitlines():
        if line.startswith("{") and '"step_done"' in line:
            entry = json.loads(line)
            total[entry["step"]] += entry["seconds"]
    return {step: seconds / count for step, seconds in total.items()}


def show(day: Day) -> None:
    console = Console(highlight=False, width=100)
    table = Table(title=f"{day.layouts} layouts of {WIDTH}x{HEIGHT}, from landing to review")
    table.add_column("measure")
    table.add_column("found", justify="right")
    table.add_column("mark", justify="right")
    table.add_row("layouts a day", f"{day.a_day:,.0f}", f"> {MARK:,}")
    table.add_row("the painter alone, one process", f"{day.bare_a_day:,.0f}", "")
    table.add_row("ratio to the painter alone", f"{day.a_day / day.bare_a_day:.2f}", "")
    table.add_row("Versions in review", str(day.versions), str(day.layouts))
    table.add_row("median seconds to review, waiting included", f"{day.median_latency:.1f}", "")
    for step, seconds in day.step_seconds.items():
        table.add_row(f"seconds in {step}, mean", f"{seconds:.3f}", "")
    for role, mib in day.memory_mib.items():
        table.add_row(f"resident memory of {role}", f"{mib:.0f} MiB", "")
    console.print(table)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--layouts", type=int, default=60)
    parser.add_argument("--concurrency", type=int, default=1, help="pictures made at once")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        day = run(options.layouts, Path(folder), options.concurrency)
    if options.json:
        print(json.dumps(asdict(day), indent=2))
    else:
        show(day)


if __name__ == "__main__":
    main()
