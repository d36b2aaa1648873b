"""
Jobs a second by workers and database beside a bare loop of the engine, and a killed host's jobs.

    python benchmarks/scale.py [--jobs 60] [--workers 1,2,4] [--databases sqlite,postgresql]
    python benchmarks/scale.py --jobs 0 --kills 20 --frozen 3

A job runs all its steps with a generator that mixes two greys, over a tracker that keeps nothing;
worker processes share one database and one storage root. The bare loop runs as many tasks of the
same engine with nothing in them, its own settings and its own polling. Ratios compare with one
worker; where all cores are busy, seconds of processor time a job say what a further core would
bring. `--step-wait` makes each of a job's two pictures, and one step of the bare loop twice as
long, wait besides, as for a device: what then keeps workers from being so many times as fast is
the engine and its database alone.

`--kills` runs two hosts, each a whole `haikei run` with a state folder of its own, on PostgreSQL.
One is killed while it holds tasks; the clock runs until the other one holds the last of them.
`--frozen` stops a host's processes instead (SIGSTOP): they keep their locks and their connections,
as a machine does that is cut off.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Event
from pathlib import Path

import psutil
import structlog
from dbos import DBOS, DBOSConfig
from sqlalchemy import create_engine, func, select, text
from typing_extensions import override

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from haikei.database import jobs, open_database, reading
from haikei.generators import ProgressCallback
from haikei.generators.production import Production
from haikei.jobs import JobState
from haikei.jobs.background import BackgroundHandlers
from haikei.jobs.engine import Dispatcher, Gate, QueueSettings, Task
from haikei.jobs.engine.dbos import DbosEngine
from haikei.jobs.engine.doorbell import Doorbell
from haikei.jobs.tools import Tools
from haikei.scenes import Scene, SceneKind, draw, save_layout
from haikei.trackers import ContextRequest, LayoutContext, PublishRequest, PublishResult
from support.databases import postgres_url
from support.jobs import FlatGenerator, announce, put_layout, studio_settings
from support.studio import Studio, studio
from support.trackers import FailingTracker

QUEUES = ("jobs", "generate")
SINGLES = 8  #: jobs that are sent one after the other, for the latency of one
PICTURES = 2  #: of a job
PATIENCE = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is run."""

    url: str
    folder: str
    slots: int
    step_wait: float


class PassingTracker(FailingTracker):
    """A tracker that keeps nothing: what a real one holds is in no worker's memory."""

    @override
    def context(self, request: ContextRequest) -> LayoutContext:
        return FailingTracker().context(request)

    @override
    def publish(self, request: PublishRequest) -> PublishResult:
        return FailingTracker().publish(request)


def work(load: Load, number: int, stop: Event, ready: Event) -> None:
    """Be one worker, for steps and pictures alike, until told to stop."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    settings = studio_settings(Path(load.folder), database={"url": load.url})
    database = open_database(load.url)
    ended = threading.Event()

    def wait(_stage: str, _progress: ProgressCallback) -> None:
        time.sleep(load.step_wait)

    tools = Tools(
        settings,
        database,
        ended,
        production=Production(settings, generators={"flat": FlatGenerator(before=wait)}),
        open_tracker=lambda _: PassingTracker(),
    )
    queues = [QueueSettings(name=name, slots=load.slots, poll=0.2) for name in QUEUES]
    handlers = BackgroundHandlers(tools, Gate(2 * load.slots)).handlers()
    with (
        DbosEngine(load.url, holder=f"w{number}", queues=queues, handlers=handlers) as engine,
        Doorbell(load.url) as bell,
    ):
        dispatcher = Dispatcher(settings, database, engine, ahead=4 * load.slots)
        ready.set()
        while not stop.is_set():
            rings = bell.rings()
            dispatcher.tick()
            bell.wait("", rings, 1.0)
            stop.wait(0.05)
        ended.set()
    tools.close()
    database.dispose()


def loop(load: Load, number: int, stop: Event, ready: Event) -> None:
    """Be one worker of the engine alone, as its own documentation has it, until told to stop."""
    config = DBOSConfig(
        name="haikei",
        application_version="1",
        executor_id=f"w{number}",
        system_database_url=load.url,
        log_level="ERROR",
    )
    DBOS(config=config)

    def nothing(step: str) -> str:
        if step == "generate":
            time.sleep(PICTURES * load.step_wait)
        return "{}"

    @DBOS.workflow(name="haikei_task")
    def perform(_name: str, _payload: str) -> None:
        for step in ("collect", "validate", "generate", "extract", "record", "integrate"):
            DBOS.run_step({"name": step}, nothing, step)

    # DBOS keeps the function by its name; it is not called here.
    del perform
    DBOS.listen_queues(["jobs"])
    DBOS.launch()
    DBOS.register_queue("jobs", worker_concurrency=load.slots, polling_interval_sec=0.02)
    ready.set()
    stop.wait()
    DBOS.destroy()


@contextmanager
def workers(target: Callable[..., None], load: Load, count: int) -> Generator[Sequence[int]]:
    """Yield the process ids of so many workers, which are at work by then."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    begun = [context.Event() for _ in range(count)]
    processes = [
        context.Process(target=target, args=(load, number, stop, ready))
        for number, ready in enumerate(begun)
    ]
    for process in processes:
        process.start()
    for ready in begun:
        if not ready.wait(PATIENCE):
            message = "a worker did not start"
            raise TimeoutError(message)
    try:
        yield [process.pid or 0 for process in processes]
    finally:
        stop.set()
        for process in processes:
            process.join(30)
            process.kill()


def used(pids: Sequence[int]) -> float:
    """Return the processor seconds of processes and of those that they have started."""
    total = 0.0
    for pid in pids:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for one in family:
            times = one.cpu_times()
            total += times.user + times.system
    return total


def resident(pids: Sequence[int]) -> float:
    """Return the MiB that the largest of these processes holds."""
    return max(float(psutil.Process(pid).memory_info().rss) for pid in pids) / (1 << 20)


def until(condition: Callable[[], bool], pause: float = 0.02) -> float:
    """Wait until that holds; return when it did."""
    ends = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > ends:
            message = "nothing more happens"
            raise TimeoutError(message)
        time.sleep(pause)
    return time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one run gave."""

    a_second: float
    cpu: float  #: seconds of the workers' processor time for one
    cores: float  #: that the workers kept busy
    mib: tuple[float, float] = (0.0, 0.0)  #: a worker's memory after a tenth, and at the end
    latency: float = 0.0  #: seconds from the announcement to the end, of one alone; the median


def measure_jobs(load: Load, count: int, work_count: int) -> Rate:
    """Let workers do jobs that all wait from the beginning, and then some one by one."""
    folder = Path(load.folder)
    settings = studio_settings(folder, database={"url": load.url})
    database = open_database(load.url)
    names = [f"c{number:05}" for number in range(count + SINGLES)]
    layouts = [put_layout(settings, name) for name in names]

    def done() -> int:
        ended = select(func.count()).where(jobs.c.state.in_(("done", "dead")))
        with reading(database) as connection:
            return connection.execute(ended).scalar_one()

    with workers(work, load, work_count) as pids:
        announce(database, *layouts[:count])
        rate = _rate(done, count, pids)
        latencies: list[float] = []
        for number, layout in enumerate(layouts[count:], 1):
            began = time.monotonic()
            announce(database, layout)
            latencies.append(until(lambda n=number: done() == count + n, 0.01) - began)  # type: ignore[misc]
    with reading(database) as connection:
        dead = select(func.count()).where(jobs.c.state == JobState.DEAD.value)
        assert connection.execute(dead).scalar_one() == 0
    database.dispose()
    return replace(rate, latency=statistics.median(latencies))


def measure_loops(load: Load, count: int, work_count: int) -> Rate:
    """Let workers of the engine alone do tasks that all wait from the beginning."""
    database = open_database(load.url)
    schema = "" if load.url.startswith("sqlite") else "dbos."

    def done() -> int:
        query = f"SELECT count(*) FROM {schema}workflow_status WHERE status = 'SUCCESS'"
        with reading(database) as connection:
            return int(connection.exec_driver_sql(query).scalar() or 0)

    with DbosEngine(load.url, holder="feeder", queues=(), handlers={}) as engine:
        engine.submit(
            Task(id=f"t{one}", name="loop", queue="jobs", payload="{}", priority=1)
            for one in range(count)
        )
    with workers(loop, load, work_count) as pids:
        rate = _rate(done, count, pids)
    database.dispose()
    return rate


def _rate(done: Callable[[], int], count: int, pids: Sequence[int]) -> Rate:
    # The first tenth warms up: libraries are loaded, connections opened.
    began = until(lambda: done() >= count // 10)
    first, before, held = done(), used(pids), resident(pids)
    took = until(lambda: done() >= count) - began
    spent = used(pids) - before
    made = count - first
    return Rate(
        a_second=made / took,
        cpu=spent / made,
        cores=spent / took,
        mib=(held, resident(pids)),
    )


def scale(databases: Sequence[str], counts: Sequence[int], options: argparse.Namespace) -> None:
    """Measure each database with each number of workers; print one JSON object for each."""
    for kind in databases:
        single: tuple[Rate, Rate] | None = None
        for count in counts:
            rates: list[Rate] = []
            for measure in (measure_loops, measure_jobs):
                with tempfile.TemporaryDirectory() as folder:
                    (Path(folder) / "state").mkdir()
                    url = (
                        f"sqlite:///{folder}/state/haikei.db"
                        if kind == "sqlite"
                        else postgres_url()
                    )
                    load = Load(
                        url=url, folder=folder, slots=options.slots, step_wait=options.step_wait
                    )
                    rates.append(measure(load, options.jobs, count))
            bare, ours = rates
            single = single or (bare, ours)
            say(
                database=kind,
                workers=count,
                cores=os.cpu_count(),
                jobs_a_second=round(ours.a_second, 2),
                of_linear=round(ours.a_second / single[1].a_second / count, 2),
                cpu_seconds_a_job=round(ours.cpu, 3),
                cores_busy=round(ours.cores, 2),
                latency_of_one=round(ours.latency, 3),
                mib_after_a_tenth=round(ours.mib[0]),
                mib_at_the_end=round(ours.mib[1]),
                bare_loops_a_second=round(bare.a_second, 2),
                bare_of_linear=round(bare.a_second / single[0].a_second / count, 2),
                bare_cpu_seconds=round(bare.cpu, 4),
                bare_cores_busy=round(bare.cores, 2),
            )


def say(**fields: object) -> None:
    """Print one JSON object."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


class Hosts:
    """Two hosts of one studio, which take turns in dying."""

    def __init__(self, one: Studio, two: Studio, url: str) -> None:
        self._hosts = [one, two]
        self._projects = one.projects
        self._database = create_engine(url, isolation_level="AUTOCOMMIT")
        self._drawn = 0

    def begin(self) -> None:
        """Start both."""
        for host in self._hosts:
            self._start(host)

    def close(self) -> None:
        """Stop both."""
        for host in self._hosts:
            host.stop()
        self._database.dispose()

    def takeover(self, *, frozen: bool) -> float:
        """Kill or freeze a host that holds tasks; return when the other held the last of them."""
        dying = self._hosts[0]
        self._hosts.reverse()
        family = _family(dying)
        while not (held := self._held(family)):
            if self._waiting() < 4:
                self._draw()
            time.sleep(0.05)
        began = time.monotonic()
        if frozen:
            for one in family:
                one.suspend()
        else:
            dying.kill()
        lost = self._held(family)
        took = until(lambda: not self._left(held | lost, family)) - began
        if frozen:
            # They wake up without their locks, and end.
            dying.kill()
            for one in family:
                if one.is_running():
                    one.kill()
        until(lambda: self._waiting() == 0, 0.2)
        self._start(dying)
        return took

    def _start(self, host: Studio) -> None:
        before = host.log_text().count("worker_ready")
        host.start()
        host.wait_for("workers", lambda: host.log_text().count("worker_ready") == before + 2)

    def _draw(self) -> None:
        number = self._drawn
        self._drawn += 1
        shot = f"c{number:04d}"
        path = self._projects / "PORT" / "s01" / shot / "layout" / f"{shot}_bg_v001.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        scene = Scene(kind=SceneKind.VILLAGE, width=480, height=270, seed=number)
        save_layout(draw(scene), path)

    def _waiting(self) -> int:
        with self._database.connect() as connection:
            query = "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running')"
            return int(connection.execute(text(query)).scalar_one())

    def _holders(self, family: Sequence[psutil.Process]) -> list[str]:
        with self._database.connect() as connection:
            query = text("SELECT holder FROM processes WHERE pid = ANY(:pids)")
            pids = [one.pid for one in family]
            return list(connection.execute(query, {"pids": pids}).scalars())

    def _held(self, family: Sequence[psutil.Process]) -> frozenset[str]:
        with self._database.connect() as connection:
            query = text(
                "SELECT workflow_uuid FROM dbos.workflow_status"
                " WHERE status = 'PENDING' AND executor_id = ANY(:holders)"
            )
            holders = self._holders(family)
            return frozenset(connection.execute(query, {"holders": holders}).scalars())

    def _left(self, tasks: frozenset[str], family: Sequence[psutil.Process]) -> bool:
        """Tell whether one of these still waits for somebody who takes it up."""
        with self._database.connect() as connection:
            query = text(
                "SELECT count(*) FROM dbos.workflow_status WHERE workflow_uuid = ANY(:tasks)"
                " AND (status = 'ENQUEUED' OR status = 'PENDING' AND executor_id = ANY(:holders))"
            )
            values = {"tasks": list(tasks), "holders": self._holders(family)}
            return bool(connection.execute(query, values).scalar_one())


def _family(host: Studio) -> list[psutil.Process]:
    root = psutil.Process(host.pid)
    return [root, *root.children(recursive=True)]


def takeovers(kills: int, frozen: int) -> None:
    """Kill and freeze hosts; print how long their jobs waited."""
    url = postgres_url()
    extra = f'[database]\nurl = "{url}"\n'
    with (
        tempfile.TemporaryDirectory() as folder,
        studio(Path(folder) / "one", extra_settings=extra) as one,
    ):
        shots = 8 * (kills + frozen) + 40
        one.cast([("PORT", "s01", f"c{number:04d}") for number in range(shots)])
        hosts = Hosts(one, one.another_host(Path(folder) / "two"), url)
        try:
            hosts.begin()
            for how, count in (("killed", kills), ("frozen", frozen)):
                took = [hosts.takeover(frozen=how == "frozen") for _ in range(count)]
                if took:
                    say(
                        host=how,
                        times=count,
                        resumed_after_median=round(statistics.median(took), 2),
                        resumed_after_worst=round(max(took), 2),
                    )
        finally:
            hosts.close()


def main() -> None:
    """Measure, and print one JSON object a run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--slots", type=int, default=2, help="tasks that a worker does at once")
    parser.add_argument("--step-wait", type=float, default=0.0, help="seconds that a step waits")
    parser.add_argument("--kills", type=int, default=0, help="hosts to kill; 20 for the figures")
    parser.add_argument("--frozen", type=int, default=0, help="hosts to cut off besides")
    options = parser.parse_args()
    if options.jobs:
        counts = [int(one) for one in options.workers.split(",")]
        scale(options.databases.split(","), counts, options)
    if options.kills or options.frozen:
        takeovers(options.kills, options.frozen)


if __name__ == "__main__":
    main()
