"""
A studio of several hosts on one PostgreSQL under bad days: hosts are killed inside of steps, the
tracker answers some writes as if they had failed, disks fill up and go away. And what must be true
of it afterwards.
"""

import collections
import itertools
import json
import random
import subprocess
import time
import tomllib
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psutil
from sqlalchemy import Engine, create_engine, text

from haikei.credits import Scope, records
from haikei.database import open_database
from haikei.files import sha256_of
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import Job, JobKind, JobState, Step
from haikei.ledger import verify
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.clocks import PATIENCE, every
from support.databases import postgres_url
from support.studio import SiteRow, Studio, studio

PROJECT, SEQUENCE = "CHAOS", "s01"
ARTIST = "sakura.ito"
#: Of a background's steps, and the one of a touch-up.
STEPS = [step for step in Step if step is not Step.DETECT]
#: Of twenty writes one is carried out and answered as if it were not.
AMBIGUOUS = (
    "".join(
        f'[[fault]]\nkind = "error"\non = "{call}"\nevery = 20\nskip = {skip}\nstatus = {status}\n'
        f'when = "after"\n'
        for call, skip, status in (("batch", 3, 504), ("create", 7, 502), ("update", 5, 504))
    )
    + '[[fault]]\nkind = "cut"\non = "upload"\nevery = 20\nskip = 4\n'
)
#: The lock for which writers queue, as `haikei.database` has it.
_WRITER = 0x4841494B_4549
_SETTINGS = f"""
[[watch.touch_ups]]
path = "touchups"
[[people]]
name = "Sakura Ito"
logins = ["{ARTIST}"]
"""
_NEXT_DRAWING = 3.0


@dataclass(slots=True)
class Chaos:
    """Hosts of one studio, and who draws for it."""

    hosts: list[Studio]
    layouts: int  #: that may be drawn
    engine: Engine
    chance: random.Random
    drawn: int = 0
    painted: set[str] = field(default_factory=set[str])
    kills: collections.Counter[Step] = field(default_factory=collections.Counter[Step])

    @property
    def first(self) -> Studio:
        """The host in whose folder what all share stands."""
        return self.hosts[0]

    def draw(self, count: int = 1) -> None:
        """Publish layouts, as long as there are any."""
        for _ in range(min(count, self.layouts - self.drawn)):
            number = self.drawn
            self.drawn += 1
            shot = f"c{number:05d}"
            path = (
                self.first.projects / PROJECT / SEQUENCE / shot / "layout" / f"{shot}_bg_v001.png"
            )
            path.parent.mkdir(parents=True)
            part = path.with_name(f".{path.name}.part.png")
            kind = list(SceneKind)[number % 4]
            save_layout(draw(Scene(kind=kind, width=192, height=108, seed=number)), part)
            part.rename(path)

    def paint(self) -> None:
        """Publish a touch-up of a background that has none."""
        for job in self.jobs(JobState.DONE):
            if job.kind is JobKind.BACKGROUND and job.version_code not in self.painted:
                self.painted.add(job.version_code)
                # Beside the show are the jobs' folders, which go while one looks.
                show = self.first.projects / PROJECT
                (background,) = show.rglob(f"{job.version_code}.png")
                pixels = read_picture(background).pixels.copy()
                pixels[30:60, 40:120] = (0.9, 0.3, len(self.painted) % 50 / 50)
                folder = self.first.folder / "touchups" / PROJECT / SEQUENCE / job.place.shot
                target = folder / "touchup" / f"{job.version_code}_{ARTIST}.png"
                target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(f".{target.name}.part.png")
                write_picture(Picture(pixels=pixels), part, bits=8)
                part.rename(target)
                return

    def jobs(self, *states: JobState) -> list[Job]:
        """Return the studio's jobs in these states."""
        return self.first.jobs(*states)

    @property
    def unsettled(self) -> int:
        """How many jobs wait or run, and how many layouts have none yet."""
        with self.engine.connect() as connection:
            query = "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running')"
            begun = "SELECT count(*) FROM jobs WHERE kind = :kind"
            live = connection.execute(text(query)).scalar_one()
            counts = [
                connection.execute(text(begun), {"kind": kind.value}).scalar_one()
                for kind in (JobKind.BACKGROUND, JobKind.TOUCH_UP)
            ]
        missing = self.drawn + len(self.painted) - sum(counts)
        return int(live) + max(0, int(missing))

    def kill_in(self, step: Step) -> None:
        """Kill the host that does a job's step, while it is in it; start it again."""
        drawings = every(_NEXT_DRAWING)

        def killed() -> bool:
            with self._in_step(step) as host:
                if host is not None:
                    # Writers wait for the lock: the job cannot get beyond the step any more.
                    time.sleep(self.chance.choice((0.0, 0.01, 0.05, 0.2)))
                    host.kill()
                    self.kills[step] += 1
            if host is not None:
                host.start()
            elif next(drawings):
                self._feed(step)
            return host is not None

        self._feed(step)
        self.first.wait_for(f"a job in {step.value}", killed, pause=0.002, patience=10 * PATIENCE)

    def happen_in(self, step: Step, what: Callable[[], None]) -> None:
        """Let something happen to the storage while a job is in a step."""

        def happened() -> bool:
            with self._in_step(step) as host:
                if host is not None:
                    what()
                return host is not None

        self._feed(step)
        self.first.wait_for(f"a job in {step.value}", happened, pause=0.002)

    def settle(self, patience: float) -> None:
        """Wait until nothing is left to do; retry what chance has killed four times in one step."""
        for _ in range(3):
            self.first.wait_for(
                "all jobs", lambda: self.unsettled == 0, patience=patience, pause=0.5
            )
            unlucky = [
                job for job in self.jobs(JobState.DEAD) if job.error.startswith("The worker died")
            ]
            for job in unlucky:
                self.first.call("jobs", "retry", job.key)
            if not unlucky:
                return

    def _feed(self, step: Step) -> None:
        if step is Step.TAKE_IN:
            self.paint()
        if self.unsettled < 4 or step is not Step.TAKE_IN:
            self.draw()

    @contextmanager
    def _in_step(self, step: Step) -> Generator[Studio | None]:
        """Yield the host that does a step, which ends only afterwards; None where none does."""
        look = text(
            "SELECT key FROM jobs WHERE state = 'running' AND step = :step ORDER BY random()"
        )
        with self.engine.connect() as connection:
            if connection.execute(look, {"step": step.value}).first() is None:
                yield None
                return
            mine = text("SELECT pg_try_advisory_lock(:lock)")
            if not connection.execute(mine, {"lock": _WRITER}).scalar():
                yield None
                return
            try:
                keys = connection.execute(look, {"step": step.value}).scalars().all()
                yield next(filter(None, map(self._host_of, keys)), None)
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _WRITER})

    def _host_of(self, key: str) -> Studio | None:
        holder = text(
            "SELECT p.pid FROM dbos.workflow_status w JOIN processes p ON p.holder = w.executor_id"
            " WHERE w.status = 'PENDING' AND starts_with(w.workflow_uuid, :key)"
        )
        with self.engine.connect() as connection:
            pid = connection.execute(holder, {"key": f"{key}."}).scalar()
        try:
            parents = {one.pid for one in psutil.Process(pid).parents()} if pid else set[int]()
        except psutil.NoSuchProcess:
            return None
        return next((host for host in self.hosts if host.pid in parents), None)


@contextmanager
def chaos(
    folder: Path,
    *,
    layouts: int,
    hosts: int = 2,
    seed: int = 1,
    projects: Callable[[Path], None] = lambda _: None,
) -> Generator[Chaos]:
    """
    Yield hosts that run, on a tracker with bad days.

    Args:
        folder: where all of it stands.
        layouts: how many may be drawn.
        hosts: how many there are.
        seed: of chance.
        projects: mounts something over the folder of the storage root.
    """
    url = postgres_url()
    extra = f'[database]\nurl = "{url}"\n{_SETTINGS}'
    with ExitStack() as stack:
        good_days = "# Set up on a good day.\n"
        one = stack.enter_context(studio(folder / "h1", extra_settings=extra, faults=good_days))
        projects(one.projects)
        (one.folder / "touchups").mkdir()
        one.cast([(PROJECT, SEQUENCE, f"c{number:05d}") for number in range(layouts)])
        bad_days(one)
        others = [one.another_host(folder / f"h{number}") for number in range(2, hosts + 1)]
        for other in others:
            stack.callback(other.stop)
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        stack.callback(engine.dispose)
        all_hosts = [one, *others]
        for host in all_hosts:
            host.start()
        for host in all_hosts:
            host.wait_for("workers", lambda h=host: h.log_text().count("worker_ready") >= 2)  # type: ignore[misc]
        yield Chaos(hosts=all_hosts, layouts=layouts, engine=engine, chance=random.Random(seed))


def bad_days(here: Studio) -> None:
    """Have the tracker begin its bad days."""
    key = (here.folder / "tracker" / "keys" / "faults").read_text(encoding="utf-8").strip()
    asked = urllib.request.Request(
        f"{here.url}/haikei/faults",
        data=json.dumps(tomllib.loads(AMBIGUOUS)).encode(),
        method="PUT",
        headers={"Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(asked, timeout=PATIENCE):
        pass


@contextmanager
def small_disk(folder: Path, mib: int) -> Generator[Path]:
    """Yield a disk of so many MiB, which must be mounted over a folder; root alone can."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    run("mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(disk))
    try:
        yield disk
    finally:
        run("umount", "-l", str(disk))


def run(*command: str) -> None:
    """Run a system's command."""
    subprocess.run(command, check=True, capture_output=True)


def require_consistent(here: Chaos) -> None:
    """Check all that must hold, whatever happened."""
    jobs = [job for job in here.jobs() if job.place.shot]
    reasons = [(job.key, job.error) for job in jobs if job.state is JobState.DEAD]
    assert all(error for _, error in reasons), reasons
    done = [job.version_code for job in jobs if job.state is JobState.DONE]
    assert {job.state for job in jobs} <= {JobState.DONE, JobState.DEAD}, reasons
    backgrounds = [job for job in jobs if job.kind is JobKind.BACKGROUND]
    assert len(backgrounds) == here.drawn
    assert len(jobs) - len(backgrounds) == len(here.painted)
    assert len(set(done)) == len(done)
    _require_rows(here.first, set(done))
    database = open_database(here.first.settings().database_url)
    try:
        with database.begin() as connection:
            assert verify(connection) > 0
            scope = Scope(project=PROJECT, latest=False)
            versions = list(records.backgrounds(connection, scope))
        published = [version for version in versions if version.code in done]
        assert sorted(version.code for version in published) == sorted(done)
        assert all(version.tracker_id is not None for version in published)
        root = here.first.projects
        for version in published:
            for image in version.images:
                assert sha256_of(root / image.path) == image.sha256, image.path
        _require_no_orphans(root, {image.path for one in versions for image in one.images})
    finally:
        database.dispose()


def _require_rows(here: Studio, done: set[str]) -> None:
    client = here.connect()
    shown = client.find(
        "Version", [["project.Project.tank_name", "is", PROJECT]], ["code", "sg_haikei_key"]
    )
    files = client.find("PublishedFile", [["version", "is_not", None]], ["code", "version"])
    client.close()
    rows = cast("list[SiteRow]", shown)
    for name in ("code", "sg_haikei_key"):
        values = collections.Counter(row[name] for row in rows)
        assert max(values.values()) == 1, [one for one, count in values.items() if count > 1]
    assert {row["code"] for row in rows} == done
    codes = collections.Counter(
        (row["version"]["id"], row["code"]) for row in cast("list[SiteRow]", files)
    )
    assert max(codes.values()) == 1, [code for code, count in codes.items() if count > 1]


def _require_no_orphans(root: Path, known: set[str]) -> None:
    """Check that every picture which Haikei published is one of a recorded version."""
    place = root / PROJECT
    # What shows a touch-up's changes stands beside its picture.
    found = {
        str(path.with_stem(path.stem.removesuffix("_change")).relative_to(root))
        for path in place.rglob("*.png")
        if "layout" not in path.parent.name
    }
    assert found <= known, sorted(found - known)[:5]
    for path in itertools.chain(place.rglob("*.part"), place.rglob("*.tmp")):
        message = f"{path} was left behind"
        raise AssertionError(message)


def totals(here: Chaos) -> Sequence[tuple[str, int]]:
    """Return what is worth telling of a run."""
    states = collections.Counter(job.state.value for job in here.jobs())
    return [
        ("layouts", here.drawn),
        ("touch-ups", len(here.painted)),
        *((f"killed in {step.value}", count) for step, count in sorted(here.kills.items())),
        *((f"jobs {state}", count) for state, count in sorted(states.items())),
    ]
