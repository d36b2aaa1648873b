"""Run the demonstration: tracker, handlers and workers, until every cut is in review."""

import os
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from haikei.database import open_database
from haikei.demo import DemoTracker
from haikei.demo.crediting import Credited, credit
from haikei.demo.kitsu_server import free_port, kitsu_server
from haikei.demo.paint_overs import ReviewRow, in_review
from haikei.demo.studio import (
    CUTS,
    SCRIPT,
    DemoCut,
    DemoStudio,
    drop,
    layout_path,
    prepare,
)
from haikei.errors import TrackerUnavailable
from haikei.images import SheetRow, write_sheet
from haikei.jobs.job import Job, JobState
from haikei.jobs.table import JobStore
from haikei.presets import RECIPES
from haikei.processes import Child, Supervisor, studio_processes
from haikei.settings import Model, Settings, load
from haikei.trackers import load_tracker
from haikei.web.address import address

#: Seconds in which the embedded tracker must answer.
TRACKER_START = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What a person asked of the demonstration."""

    folder: Path
    port: int  #: of the embedded tracker; 0 picks a free one
    model: Model | None
    timeout: float  #: seconds in which every cut must be in review
    tracker: DemoTracker = DemoTracker.EMBEDDED


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What came out of the demonstration."""

    studio: DemoStudio
    url: str  #: the tracker's address
    rows: tuple[ReviewRow, ...]
    missing: tuple[str, ...]  #: cuts that are not in review, with the reason
    pages: str = ""  #: where supervisors look and decide
    credited: Credited | None = None  #: None when not every cut is in review


Tell = Callable[[str], None]


def run_demo(
    options: DemoOptions,
    *,
    stop: threading.Event,
    tell: Tell,
    on_jobs: Callable[[list[Job]], None],
    on_result: Callable[[DemoResult], None],
    once: bool,
) -> DemoResult:
    """
    Carry every cut of the demonstration from its layout to review.

    Args:
        options: what was asked for.
        stop: ends the demonstration at any point.
        tell: is given one line for each thing that begins.
        on_jobs: is given all jobs several times a second while they go on.
        on_result: is given the result once every cut is in review or has failed.
        once: return then, instead of serving until `stop`.

    Raises:
        HaikeiError: the tracker, the settings or the model cannot be used.
    """
    studio = prepare(options.folder, model=options.model, tracker=options.tracker)
    with _tracker(studio, options, tell) as url:
        tell(f"The tracker answers at {url}")
        pages = free_port()
        environment = {"HAIKEI_TRACKER__URL": url, "HAIKEI_WEB__PORT": str(pages)}
        settings = load(studio.settings, {**os.environ, **environment}, built_in_recipes=RECIPES)
        findings = load_tracker(settings).setup(dry_run=False)
        tell(f"The tracker is set up: {len(findings)} fields, types and storages are right")
        with _processes(settings, studio, environment):
            _drop_all(studio, stop, tell)
            tell(
                f"Waiting until {len(CUTS)} layouts are backgrounds in review, at most "
                f"{options.timeout:.0f} s"
            )
            result = _wait(settings, studio, url, options.timeout, stop, on_jobs)
            result = replace(result, pages=address(settings))
            if not result.missing and not stop.is_set():
                credited = credit(settings, studio, result.rows, stop=stop, tell=tell)
                result = replace(result, credited=credited)
            _write_sheet(studio, result)
            on_result(result)
            if not once:
                stop.wait()
    return result


def _drop_all(studio: DemoStudio, stop: threading.Event, tell: Tell) -> None:
    for cut in CUTS:
        if stop.is_set():
            return
        landed = drop(cut, studio.projects)
        tell(f"{'A layout landed' if landed else 'Lies there already'}: {cut.relative}")


def _wait(
    settings: Settings,
    studio: DemoStudio,
    url: str,
    timeout: float,
    stop: threading.Event,
    on_jobs: Callable[[list[Job]], None],
) -> DemoResult:
    database = open_database(settings.database_url)
    store = JobStore(database)
    deadline = time.monotonic() + timeout
    wanted = {str(layout_path(studio.projects, cut)): cut for cut in CUTS}
    finished: dict[str, Job] = {}
    while not stop.wait(0.2) and time.monotonic() < deadline:
        jobs = [job for job in store.list(limit=1000) if job.layout in wanted]
        on_jobs(jobs)
        finished = {
            job.layout: job for job in jobs if job.state not in {JobState.WAITING, JobState.RUNNING}
        }
        if len(finished) == len(wanted):
            break
    rows = in_review(settings, database, list(finished.values()))
    database.dispose()
    there = {row.layout for row in rows}
    missing = tuple(
        _why(cut, finished.get(layout), timeout)
        for layout, cut in wanted.items()
        if layout not in there
    )
    return DemoResult(studio=studio, url=url, rows=rows, missing=missing)


def _why(cut: DemoCut, job: Job | None, timeout: float) -> str:
    where = f"{cut.project}/{cut.sequence}/{cut.shot}"
    if job is None:
        return f"{where}: not finished within {timeout:.0f} s"
    return f"{where}: {job.state.value}: {job.error or job.note or 'no Version in the tracker'}"


def _write_sheet(studio: DemoStudio, result: DemoResult) -> None:
    by_layout = {str(layout_path(studio.projects, cut)): cut for cut in CUTS}
    touched = result.credited.touched if result.credited else ()
    rows = [
        SheetRow(
            title=f"{row.code}   {by_layout[row.layout].season}, {by_layout[row.layout].time}",
            caption=next((one.credit_en for one in reversed(touched) if one.first == row.code), "")
            or row.credit_en,
            pictures=(
                Path(row.layout),
                *row.lineage,
                *(one.picture for one in touched if one.first == row.code),
            ),
        )
        for row in result.rows
    ]
    if rows:
        write_sheet(rows, studio.contact_sheet)


@contextmanager
def _tracker(studio: DemoStudio, options: DemoOptions, tell: Tell) -> Generator[str]:
    if options.tracker is DemoTracker.KITSU:
        from haikei.demo.kitsu_shows import seed

        tell("Kitsu starts: PostgreSQL, Redis and zou, half a minute at the first time")
        with kitsu_server(studio.folder / "kitsu") as kitsu:
            studio.key_file.write_text(kitsu.token, encoding="utf-8")
            seed(kitsu.url)
            yield kitsu.url
        return
    with _embedded(studio, options.port) as url:
        yield url


@contextmanager
def _embedded(studio: DemoStudio, port: int) -> Generator[str]:
    address = studio.folder / "tracker.url"
    address.unlink(missing_ok=True)
    child = Child(
        name="tracker",
        arguments=(
            "sgserver",
            f"--data={studio.site}",
            f"--port={port}",
            f"--script={SCRIPT}:@{studio.key_file}",
            "--seed=demo",
            f"--url-file={address}",
        ),
    )
    with _supervised([child], studio.log, {}):
        yield _answering(address)


def _answering(address: Path) -> str:
    deadline = time.monotonic() + TRACKER_START
    while time.monotonic() < deadline:
        if address.exists():
            url = address.read_text(encoding="utf-8").strip()
            try:
                if url and httpx.get(url, timeout=5, trust_env=False).is_success:
                    return url
            except httpx.TransportError:
                pass  # it listens soon: it is asked again, and the deadline is an error
        time.sleep(0.1)
    raise TrackerUnavailable(
        f"The embedded tracker did not answer within {TRACKER_START:.0f} s.",
        advice=f"See {address.parent / 'haikei.log'}.",
    )


@contextmanager
def _processes(
    settings: Settings, studio: DemoStudio, environment: Mapping[str, str]
) -> Generator[None]:
    with _supervised(studio_processes(settings, studio.settings), studio.log, environment):
        yield


@contextmanager
def _supervised(
    children: list[Child], log_file: Path, environment: Mapping[str, str]
) -> Generator[None]:
    stop = threading.Event()
    supervisor = Supervisor(children, log_file=log_file, environment=environment)
    # The kernel ties each process to the thread that started it: this one lives as long as we do.
    thread = threading.Thread(target=supervisor.run, args=(stop,), name="supervisor")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
