"""Whole studios: as real processes in one folder, and with one version in review or in dailies."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import shotgun_api3
from sqlalchemy import Connection, Engine, select, update

from haikei.credits import BackgroundVersion, ImageRecord
from haikei.credits.records import store
from haikei.dailies import Dailies
from haikei.database import jobs, open_database, reading, utc_now
from haikei.events import Source
from haikei.jobs import (
    Job,
    JobOrder,
    JobState,
    JobStore,
    add_job,
    job_row,
    order_of,
    result_text,
)
from haikei.presets import RECIPES
from haikei.review import Reviewer, ReviewView, review_of, wake
from haikei.review.replies import write_answers
from haikei.settings import Settings, load
from haikei.show import Place, Row
from haikei.trackers import NoteWrite, PublishResult, ReplyWrite, TrackerParts
from support.clocks import PATIENCE, eventually
from support.jobs import studio_database, studio_settings
from support.records import a_background, a_chain, a_generation, a_layout, save_background
from support.trackers import MemoryNotes, MemoryPlaylists, MemoryReview, PartsTracker

SiteRow = dict[str, Any]  #: a row as the client gives it
SCRIPT = "haikei"
KEY = "test-key"

_SETTINGS = """
[studio]
name = "Test Studio"
state = "state"
[tracker]
script = "haikei"
key_file = "tracker.key"
[storage]
reserve_mib = 0
[[storage.roots]]
name = "primary"
path = "projects"
[[watch.folders]]
path = "projects"
[watch]
settle = 0.3
folder_pass = 1.0
[events]
poll = 0.5
[engine]
poll = 0.05
backoff = 0.2
"""


@dataclass(slots=True)
class Studio:
    """One studio, its tracker answering and its handlers running when `start` was called."""

    folder: Path
    url: str
    _run: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def settings_file(self) -> Path:
        return self.folder / "haikei.toml"

    @property
    def projects(self) -> Path:
        return self.folder / "projects"

    @property
    def log(self) -> Path:
        return self.folder / "haikei.log"

    @property
    def pid(self) -> int:
        """Of the supervisor that runs."""
        assert self._run is not None
        return self._run.pid

    @property
    def environment(self) -> dict[str, str]:
        # Several studios may run at once: each serves its pages on a free port.
        # Tests draw small: whether such a drawing is read well is not what they are about.
        return {
            **os.environ,
            "HAIKEI_WEB__PORT": "0",
            "HAIKEI_TRACKER__URL": self.url,
            "HAIKEI_REVIEW__UNREAD_LIMIT": "1",
        }

    def settings(self) -> Settings:
        return load(self.settings_file, self.environment, built_in_recipes=RECIPES)

    def connect(self, *, as_login: str | None = None) -> shotgun_api3.Shotgun:
        """Return a client of the tracker; what it writes is said to be that person's."""
        return shotgun_api3.Shotgun(
            self.url, script_name=SCRIPT, api_key=KEY, sudo_as_login=as_login
        )

    def cast(self, shots: Sequence[tuple[str, str, str]]) -> None:
        """Give the tracker projects, sequences, shots, and Layout tasks with an artist."""
        client = self.connect()
        artist = client.create(
            "HumanUser",
            {"login": "tanaka", "firstname": "Yuki", "lastname": "Tanaka", "name": "Yuki Tanaka"},
        )
        found = cast(
            "list[SiteRow]", client.find("Step", [["entity_type", "is", "Shot"]], ["code"])
        )
        steps = {step["code"]: step for step in found}
        projects: dict[str, Any] = {}
        sequences: dict[tuple[str, str], Any] = {}
        for project, sequence, _ in shots:
            if project not in projects:
                projects[project] = client.create(
                    "Project", {"name": project.title(), "tank_name": project}
                )
            if (project, sequence) not in sequences:
                sequences[project, sequence] = client.create(
                    "Sequence", {"code": sequence, "project": projects[project]}
                )
        for start in range(0, len(shots), 100):
            made = client.batch(
                [
                    {
                        "request_type": "create",
                        "entity_type": "Shot",
                        "data": {
                            "code": shot,
                            "project": projects[project],
                            "sg_sequence": sequences[project, sequence],
                        },
                    }
                    for project, sequence, shot in shots[start : start + 100]
                ]
            )
            client.batch(
                [
                    {
                        "request_type": "create",
                        "entity_type": "Task",
                        "data": {
                            "content": step,
                            "project": row["project"],
                            "entity": {"type": "Shot", "id": row["id"]},
                            "step": {"type": "Step", "id": steps[step]["id"]},
                            "task_assignees": [{"type": "HumanUser", "id": artist["id"]}],
                        },
                    }
                    for row in made
                    for step in ("Layout", "Background")
                ]
            )
        client.close()
        self.call("setup")

    def call(self, *arguments: str) -> str:
        """Run one command of this studio to its end; return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of this studio to its end, however it ends."""
        return subprocess.run(
            [sys.executable, "-m", "haikei.cli", *arguments, "--settings", str(self.settings_file)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, *options: str) -> None:
        """Start `haikei run` in a process group of its own."""
        self._run = subprocess.Popen(
            [
                *(sys.executable, "-m", "haikei.cli", "run"),
                *("--settings", str(self.settings_file), "--log-file", str(self.log)),
                *options,
            ],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Stop everything in order."""
        if self._run is not None:
            self._run.send_signal(signal.SIGTERM)
            self._run.wait(PATIENCE)
            self._run = None

    def kill(self) -> None:
        """Kill the whole tree at once, as a power cut would: children die with their supervisor."""
        assert self._run is not None
        self._run.kill()
        self._run.wait(PATIENCE)
        self._run = None

    def jobs(self, *states: JobState) -> list[Job]:
        database = open_database(self.settings().database_url)
        try:
            return JobStore(database).list(states=states, limit=1_000_000)
        finally:
            database.dispose()

    def said(self, words: str) -> bool:
        """Whether the log has these words."""
        return words in self.log_text()

    def log_text(self) -> str:
        """All that was logged so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_for(
        self,
        what: str,
        condition: Callable[[], bool],
        *,
        patience: float = PATIENCE,
        pause: float = 0.1,
    ) -> None:
        """Wait until that holds; the failure shows the end of the log."""
        eventually(condition, what, patience=patience, pause=pause, report=self._end_of_log)

    def _end_of_log(self) -> str:
        log = self.log.read_text(errors="replace") if self.log.exists() else ""
        return f"The log ends:\n{log[-4000:]}"

    def another_host(self, folder: Path) -> "Studio":
        """Return a second host of this studio: it has its settings, and a folder of its own."""
        folder.mkdir()
        text = self.settings_file.read_text(encoding="utf-8")
        for shared in ("projects", "tracker.key", "touchups"):
            text = text.replace(f'"{shared}"', f'"{self.folder / shared}"')
        (folder / "haikei.toml").write_text(text, encoding="utf-8")
        return Studio(folder=folder, url=self.url)


@contextmanager
def studio(
    folder: Path, *, extra_settings: str = "", seed: str = "empty", faults: str = ""
) -> Generator[Studio]:
    """
    Yield a studio whose embedded tracker answers; nothing of it is left afterwards.

    Args:
        folder: where all of it stands.
        extra_settings: TOML behind the usual settings.
        seed: what the tracker begins with.
        faults: TOML of the tracker's bad days.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "projects").mkdir()
    (folder / "tracker.key").write_text(KEY)
    # Only those who look at pages want them: a fixed port is one studio's at a time.
    pages = "" if "[web]" in extra_settings else "[web]\nenabled = false\n"
    (folder / "haikei.toml").write_text(pages + _SETTINGS + extra_settings, encoding="utf-8")
    url_file = folder / "tracker.url"
    (folder / "faults.toml").write_text(faults, encoding="utf-8")
    bad_days = (f"--faults={folder / 'faults.toml'}",) if faults else ()
    with (folder / "tracker.log").open("wb") as log:
        tracker = subprocess.Popen(
            [
                *(sys.executable, "-m", "haikei.cli", "sgserver", "--port=0", f"--seed={seed}"),
                *(f"--data={folder / 'tracker'}", f"--script={SCRIPT}:@{folder / 'tracker.key'}"),
                f"--url-file={url_file}",
                *bad_days,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    one = Studio(folder=folder, url="")
    try:
        one.wait_for("the tracker", lambda: url_file.exists() or tracker.poll() is not None)
        assert tracker.poll() is None, (folder / "tracker.log").read_text()
        one.url = url_file.read_text().strip()
        yield one
    finally:
        one.stop()
        tracker.terminate()
        tracker.wait(PATIENCE)


@dataclass(slots=True)
class ReviewStudio:
    """A studio's database, its tracker's desk, and a clock that is set by hand."""

    settings: Settings
    database: Engine
    desk: MemoryReview
    order: JobOrder
    ahead: timedelta = field(default_factory=timedelta)
    next_version: int = 2

    def clock(self) -> datetime:
        return utc_now() + self.ahead

    def reviewer(self) -> Reviewer:
        return Reviewer(
            self.settings,
            self.database,
            open_tracker=lambda _: PartsTracker(TrackerParts(review=self.desk)),
            clock=self.clock,
        )

    def wake(self, *versions: int) -> None:
        with self.database.begin() as connection:
            wake(connection, versions or tuple(self.desk.versions), source=Source.EVENT_LOG)

    def review(self) -> None:
        """Wake everything, let time pass, and work until nothing is left to do."""
        self.wake()
        reviewer = self.reviewer()
        for _ in range(20):
            self.ahead += timedelta(minutes=10)
            if not reviewer.tick():
                return
        message = "the reviewer never comes to an end"
        raise AssertionError(message)

    def make(self, order: JobOrder) -> int:
        """Let a retake be made; return the new version's id."""
        version = self.next_version
        self.next_version += 1
        make_retake(self.database, self.desk, order.key, version)
        return version

    @property
    def retakes(self) -> list[JobOrder]:
        return retake_jobs(self.database)

    @property
    def answers(self) -> list[ReplyWrite]:
        """Replies, without those that say that a retake has begun."""
        return [one for one in self.desk.replies if not one.key.startswith("taken/")]

    def view(self, key: str = "") -> ReviewView:
        with self.database.connect() as connection:
            return review_of(connection, key or self.order.key)


TOKYO = ZoneInfo("Asia/Tokyo")


@dataclass(slots=True)
class DailiesStudio:
    """A studio's database and its tracker."""

    settings: Settings
    database: Engine
    desk: MemoryNotes = field(default_factory=MemoryNotes)
    playlists: MemoryPlaylists = field(default_factory=MemoryPlaylists)
    zone: tzinfo = TOKYO
    opened: list[Dailies] = field(default_factory=list[Dailies])

    def at(self, day: int, hour: int, minute: int = 0) -> datetime:
        """Return a moment of November 2026 by the studio's clocks."""
        return datetime(2026, 11, day, hour, minute, tzinfo=self.zone).astimezone(UTC)

    def publish(
        self,
        version: int,
        shot: str = "c001",
        *,
        at: datetime,
        project: str = "akane",
        sequence: str = "ep01",
        number: int = 1,
        season: str = "summer",
    ) -> BackgroundVersion:
        """Let a version be recorded and shown by the tracker under the id `version`."""
        told = a_background(
            shot,
            project=project,
            sequence=sequence,
            version=number,
            season=season,
            images=images_of(f"{project}-{sequence}-{shot}-{season}-{number}"),
            created_at=at,
        )
        with self.database.begin() as connection:
            save_background(connection, told)
        return self.show(told, version)

    def show(self, told: BackgroundVersion, version: int) -> BackgroundVersion:
        """Let the tracker show a version that is recorded."""
        self.desk.show(version, told.key, told.code)
        with self.database.begin() as connection:
            url = self.desk.versions[version].url
            store.published(connection, told.key, tracker_id=version, url=url)
        return told

    def dailies(self, settings: Settings | None = None) -> Dailies:
        """Return what a process that starts now has."""
        made = Dailies(
            settings or self.settings,
            self.database,
            open_tracker=lambda _: PartsTracker(
                TrackerParts(playlists=self.playlists, review=self.desk)
            ),
            zone=self.zone,
        )
        self.opened.append(made)
        return made

    def tick(self, now: datetime) -> int:
        """Let a process that has just started do what is due."""
        return self.dailies().tick(now)

    def answer(self, now: datetime) -> Sequence[NoteWrite]:
        """Let the reviewer write what waits; return the Notes on playlists."""
        write_answers(self.database, self.desk, now + timedelta(hours=3))
        return list(self.desk.notes.values())

    def days(self) -> dict[str, list[str]]:
        """Return the keys of each day's versions."""
        found: dict[str, list[str]] = {}
        with reading(self.database) as connection:
            rows = connection.exec_driver_sql(
                "SELECT day, background_key FROM daily_versions ORDER BY day, background_key"
            )
            for day, key in rows:
                found.setdefault(day, []).append(key)
        return found


def images_of(name: str) -> tuple[ImageRecord, ...]:
    """Return a layout and a background."""
    layout = a_layout(name)
    first = a_generation(name, layout=layout)
    return (layout, first)


@contextmanager
def dailies_studio(folder: Path, **sections: object) -> Generator[DailiesStudio]:
    """Open a studio whose settings differ in these sections."""
    settings = studio_settings(folder, **sections)
    database = studio_database(settings)
    studio = DailiesStudio(settings=settings, database=database)
    yield studio
    for one in studio.opened:
        one.close()
    database.dispose()


def make_version(
    connection: Connection, desk: MemoryReview, version: int, *, shot: str = "c001"
) -> JobOrder:
    """Let a job have made the first version of a cut, with the tracker's id `version`."""
    told = a_background(shot, images=a_chain(shot, touch_up_by=()))
    order = JobOrder(
        key=told.key,
        event_key=f"layout-{shot}",
        place=Place(project=told.project, sequence=told.sequence, shot=told.shot),
        layout=Path(f"/show/{shot}.png"),
        layout_sha256="0" * 64,
        layout_name="bg",
        published_file=None,
        recipe="flat",
        season=told.season,
        time=told.time,
        place_hint="",
        priority=100,
        seed=7,
    )
    add_job(connection, {**job_row(order, utc_now()), "state": JobState.RUNNING.value})
    save_background(connection, told)
    finish(connection, desk, order, version, code=told.code)
    return order


def finish(
    connection: Connection, desk: MemoryReview, order: JobOrder, version: int, *, code: str
) -> None:
    """Let a job whose background is recorded be done."""
    row = Row(type="Version", id=version, name=code)
    desk.show(version, order.key, code)
    url = desk.versions[version].url
    store.published(connection, order.key, tracker_id=version, url=url)
    result = PublishResult(version=row, files=(), layout_file=row, url=url, created=True)
    connection.execute(
        update(jobs)
        .where(jobs.c.key == order.key)
        .values(state=JobState.DONE.value, result_json=result_text(result))
    )


def make_retake(database: Engine, desk: MemoryReview, key: str, version: int) -> str:
    """Let a retake that waits be made; return the new version's name."""
    with database.begin() as connection:
        text = connection.execute(select(jobs.c.order_json).where(jobs.c.key == key)).scalar_one()
        order = order_of(text)
        place = order.place
        before = store.latest(
            connection,
            project=place.project,
            sequence=place.sequence,
            shot=place.shot,
            season=order.season,
            time=order.time,
        )
        told = a_background(
            place.shot,
            season=order.season,
            time=order.time,
            version=before.version + 1 if before else 1,
            images=a_chain(key, touch_up_by=()),
        )
        save_background(connection, replace(told, key=key))
        finish(connection, desk, order, version, code=told.code)
        return told.code


def end_badly(database: Engine, key: str, state: JobState = JobState.DEAD) -> None:
    """Let a job end without a version."""
    with database.begin() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.key == key)
            .values(
                state=state.value, error="The generator failed." if state is JobState.DEAD else ""
            )
        )


def retake_jobs(database: Engine) -> list[JobOrder]:
    """Return the orders of all retakes, in the order in which they were given."""
    with database.connect() as connection:
        texts = connection.execute(
            select(jobs.c.order_json).where(jobs.c.key.startswith("retake-")).order_by(jobs.c.id)
        ).scalars()
        return [order_of(text) for text in texts]
