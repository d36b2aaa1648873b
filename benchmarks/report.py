"""
How long do reports on a large show take, against a bare look at all its records?

A generated show is written into a fresh database, or taken from an earlier run's. Then each report
runs in a process of its own, which measures its time and its peak memory; so does the bare
iteration over the same records that all of them are compared with.

    python benchmarks/report.py --versions 100000
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from haikei.credits import Scope, records
from haikei.database import open_database, reading
from haikei.reports import Format, ReportOptions, ReportSource, find_report
from haikei.reports.report_writing import collect_rarely, write_report
from haikei.settings import Settings
from haikei.texts import Language

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.records import save_show  # on the path only from here on

PROJECT = "akane"
#: What every report on a show is to keep to.
SECONDS, MIB = 15.0, 300.0
#: Reports on a whole show, and the format that machines or people take of a large one.
RUNS: tuple[tuple[str, Format], ...] = (
    ("credits-roll", Format.HTML),
    ("credits-roll", Format.CSV),
    ("dashboard", Format.HTML),
    ("dashboard", Format.JSON),
    ("ai-use", Format.HTML),
    ("ai-use", Format.CSV),
    ("article-50", Format.HTML),
    ("copyright", Format.HTML),
    ("copyright", Format.CSV),
    ("union-log", Format.HTML),
    ("no-ai", Format.HTML),
    ("no-ai", Format.JSON),
    ("omc", Format.JSON),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run gave."""

    name: str
    seconds: float
    cpu: float  #: seconds on a processor: what the time would be on a machine that is idle
    mib: float  #: peak resident memory of its process
    size: float  #: of what it wrote, in MiB


def settings_for(folder: Path) -> Settings:
    """Return a studio's settings with everything in `folder`."""
    return Settings.model_validate(
        {
            "studio": {"name": "Benchmark", "state": str(folder)},
            "storage": {"roots": [{"name": "show", "path": str(folder)}]},
        }
    )


def build(path: Path, versions: int) -> None:
    """Write a database with a show of that many versions; one that stands is taken."""
    if path.exists():
        return
    growing = path.with_suffix(".growing")
    growing.unlink(missing_ok=True)
    database = open_database(f"sqlite:///{growing}")
    with database.begin() as connection:
        save_show(connection, versions=versions, project=PROJECT)
    # The last connection that closes takes the write-ahead log into the file.
    database.dispose()
    growing.rename(path)


def bare(database_path: Path, result: Connection) -> None:
    """Look at every record once; send what it took."""
    collect_rarely()
    started = time.perf_counter()
    database = open_database(f"sqlite:///{database_path}")
    with reading(database) as connection:
        scope = Scope(project=PROJECT, latest=False)
        for version in records.backgrounds(connection, scope):
            assert version.images
    result.send((time.perf_counter() - started, *used(), 0.0))


def run(database_path: Path, name: str, form: Format, result: Connection) -> None:
    """Write one report on the whole show, as `haikei report` does; send what it took."""
    collect_rarely()
    started = time.perf_counter()
    database = open_database(f"sqlite:///{database_path}")
    out = database_path.parent / f"{name}.{form.value}"
    with reading(database) as connection:
        source = ReportSource(
            connection=connection,
            settings=settings_for(database_path.parent),
            scope=Scope(project=PROJECT),
            now=datetime.now(UTC),
            hours=lambda: (),
        )
        document = find_report(name).document(source, ReportOptions(language=Language.BOTH))
        write_report(document, form, out, force=True)
    seconds = time.perf_counter() - started
    result.send((seconds, *used(), out.stat().st_size / 2**20))
    out.unlink()


def used() -> tuple[float, float]:
    """Return this process's seconds on a processor and its peak resident memory in MiB."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(database_path: Path, runs: Sequence[tuple[str, Format]]) -> list[Figures]:
    """Run the bare iteration, then each report, one process after the other."""
    spawn = multiprocessing.get_context("spawn")
    figures: list[Figures] = []
    for name, form in (("bare iteration", None), *runs):
        ours, theirs = spawn.Pipe()
        if form is None:
            process = spawn.Process(target=bare, args=(database_path, theirs))
        else:
            process = spawn.Process(target=run, args=(database_path, name, form, theirs))
        process.start()
        # Without this end open, a process that dies is noticed at once.
        theirs.close()
        seconds, cpu, mib, size = ours.recv()
        process.join()
        label = name if form is None else f"{name} {form.value}"
        figures.append(Figures(name=label, seconds=seconds, cpu=cpu, mib=mib, size=size))
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--versions", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="where the generated show is kept")
    parser.add_argument("--report", action="append", help="only this report; repeatable")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.gettempdir()) / "haikei-benchmark-report"
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / f"show-{given.versions}.db"
    # In a process of its own: a peak of memory passes on to processes that are started after it.
    builder = multiprocessing.get_context("spawn").Process(
        target=build, args=(database, given.versions)
    )
    builder.start()
    builder.join()
    if builder.exitcode:
        sys.exit("The show could not be generated.")
    runs = [one for one in RUNS if not given.report or one[0] in given.report]
    figures = measure(database, runs)
    if given.json:
        print(json.dumps([asdict(one) for one in figures]))
        return
    first = figures[0]
    print(f"{given.versions:,} versions; to reach: {SECONDS:g} s and {MIB:g} MiB")
    print(f"{'report':28}{'seconds':>9}{'× bare':>9}{'CPU s':>9}{'MiB':>9}{'written':>11}")
    for one in figures:
        late = "" if one.seconds <= SECONDS and one.mib <= MIB else "  over"
        print(
            f"{one.name:28}{one.seconds:9.2f}{one.seconds / first.seconds:9.2f}{one.cpu:9.2f}"
            f"{one.mib:9.0f}{one.size:7.1f} MiB{late}"
        )


if __name__ == "__main__":
    main()
