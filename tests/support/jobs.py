"""Studios whose jobs run in the test: settings, layouts, a flat generator, steps in memory."""

import atexit
import dataclasses
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Generator as Yields
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
import OpenImageIO as oiio
from sqlalchemy import Engine
from typing_extensions import override

from haikei.credits import BackgroundVersion, Person, SourceType, System
from haikei.credits.records import store
from haikei.database import reading
from haikei.errors import ModelUnusable
from haikei.events import LayoutPublished, Source, TouchUpPublished
from haikei.files import sha256_of
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Generator,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.generators.production import Production
from haikei.images import Inspector, Limits, Picture, read_picture, write_picture
from haikei.jobs import JobStore, receive
from haikei.jobs.background import BackgroundHandlers
from haikei.jobs.engine import (
    Dispatcher,
    Durable,
    Gate,
    Handler,
    QueueSettings,
    Task,
    TaskState,
)
from haikei.jobs.engine.dbos import DbosEngine
from haikei.jobs.lanes import Lane, LaneState, lane_states
from haikei.jobs.progress import WorkerStopping
from haikei.jobs.tools import Tools
from haikei.jobs.touchup import TouchUpHandlers
from haikei.presets import Act, Quality
from haikei.scenes import Scene, SceneKind, draw
from haikei.settings import Settings
from haikei.show import Place, Row
from haikei.trackers import NoteWrite, ReviewDesk, ReviewWrite, SeenVersion, Tracker
from support.clocks import PATIENCE
from support.databases import database_url, fresh_database
from support.trackers import FailingTracker

PROJECT = "PORT"


def studio_settings(folder: Path, **sections: object) -> Settings:
    """Return settings of a studio whose files and state are below `folder`."""
    root = folder / "root"
    root.mkdir(exist_ok=True)
    state = folder / "state"
    state.mkdir(exist_ok=True)
    given: dict[str, object] = {
        "studio": {"name": "Test Studio", "state": str(state), "work": str(state)},
        "storage": {"roots": [{"name": "primary", "path": str(root)}], "reserve_mib": 0},
        "recipes": {
            "flat": {
                "stages": [
                    {"name": "gen1", "generator": "flat", "options": {"level": 0.25}},
                    {"name": "gen2", "generator": "flat", "options": {"level": 0.75}},
                ]
            }
        },
        "routes": [{"recipe": "flat"}],
        "generators": {
            "flat": {
                "licence": "CC0-1.0",
                "licence_url": "https://creativecommons.org/publicdomain/zero/1.0/",
                "commercial": "yes",
                "data": "Greys of the studio's own.",
                "data_class": "own",
            }
        },
        "database": {"url": database_url(state / "haikei.db")},
        "engine": {"attempts": 3, "backoff": 0.01, "poll": 0.05},
    }
    return Settings.model_validate({**given, **sections})


def studio_database(settings: Settings) -> Engine:
    """Return the studio's own database."""
    return fresh_database(settings.studio.state / "haikei.db")


def put_layout(
    settings: Settings, shot: str = "c001", *, shade: float = 0.5, size: tuple[int, int] = (48, 32)
) -> LayoutPublished:
    """Draw a small layout where the template wants it and return the event that tells of it."""
    root = settings.storage.roots[0].path
    path = root / PROJECT / "s01" / shot / "layout" / f"{shot}_bg_v001.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    pixels = np.full((height, width, 3), 1.0, np.float32)
    pixels[height // 2 :, : width // 2] = shade
    digest = hashlib.sha256(shot.encode()).digest()
    pixels[0, :8, 0] = np.frombuffer(digest[:8], np.uint8).astype(np.float32) / 255.0
    write_picture(Picture(pixels=pixels), path, bits=8)
    return LayoutPublished(
        place=Place(project=PROJECT, sequence="s01", shot=shot),
        layout=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        name="bg",
        version=1,
        published_file=None,
        source=Source.WATCH,
        at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )


def announce(database: Engine, *events: LayoutPublished) -> None:
    """Put events into the inbox."""
    with database.begin() as connection:
        for event in events:
            receive(connection, event)


@dataclass(slots=True)
class FlatGenerator(Generator):
    """
    Mixes the layout with a grey: real pixels at no cost.

    Args:
        source_type: what it says of itself; `licence` and `data` too.
        before: called before each picture is made, with the stage's name.
        unread: the part of each layout that it says it cannot read.
    """

    source_type: SourceType = SourceType.ALGORITHMIC
    licence: str = "CC0-1.0"  #: of a trained one
    data: str = "Greys of the studio's own."
    weights: str = ""  #: the SHA-256 of a trained one's weights
    fault: str = ""  #: why its model cannot be used
    asked: list[str] = field(default_factory=list[str])  #: models that it was asked about
    before: Callable[[str, ProgressCallback], None] | None = None
    unread: float | None = None
    made: list[str] = field(default_factory=list[str])
    described: int = 0

    @override
    def describe(self, stage: StageOrder) -> StageSystem:
        self.described += 1
        self.asked.append(stage.model)
        if self.fault:
            raise ModelUnusable(self.fault, advice="Restore the file.")
        trained = self.source_type.is_ai
        system = System(
            name="Flat",
            version="1",
            source_type=self.source_type,
            sha256=self.weights,
            licence=self.licence if trained else "",
            data=self.data if trained else "",
        )
        return StageSystem(
            system=system, libraries=(), turns=tuple(Quality), acts=(Act.COLOUR, Act.REMOVE)
        )

    @override
    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        progress(Progress(step=0, steps=2))
        if self.before is not None:
            self.before(request.stage, progress)
        level = np.float32(dict(request.options)["level"])
        base = (previous or layout).pixels
        progress(Progress(step=1, steps=2))
        self.made.append(request.stage)
        return GenerationResult(
            picture=Picture(pixels=base * np.float32(0.5) + level / 2),
            notes=() if self.unread is None else (f"{self.unread:.0%} could not be read.",),
            unread=self.unread,
        )


@dataclass(slots=True)
class MemoryEngine:
    """
    The engine's port in memory, doing tasks one after the other when told to.

    `cut` names a step that is done but not kept, once: as by a kill between effect and checkpoint.
    """

    handlers: Mapping[str, Handler] = field(default_factory=dict[str, Handler])
    cut: str = ""
    queue: list[Task] = field(default_factory=list[Task])
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])
    states: dict[str, TaskState] = field(default_factory=dict[str, TaskState])
    kept: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    current: str = ""

    def submit(self, tasks: Iterable[Task]) -> None:
        """Queue what is not known."""
        for task in tasks:
            if task.id not in self.states:
                self.states[task.id] = TaskState.QUEUED
                self.tasks[task.id] = task
                self.queue.append(task)

    def standing(self, ids: Sequence[str]) -> Mapping[str, TaskState]:
        """Return the states of known tasks."""
        return {id_: self.states[id_] for id_ in ids if id_ in self.states}

    def withdraw(self, ids: Sequence[str]) -> None:
        """Take tasks out of the queue."""
        self.queue = [task for task in self.queue if task.id not in ids]
        self.states.update(dict.fromkeys(ids, TaskState.CANCELLED))

    def forget(self, before: datetime) -> int:
        """Forget nothing."""
        return 0

    def run(self) -> None:
        """Do all tasks in order of priority; a killed one is done again."""
        while self.queue:
            task = min(self.queue, key=lambda one: one.priority)
            self.queue.remove(task)
            self.current = task.id
            try:
                self.handlers[task.name](MemoryDurable(self), task.payload)
            except Killed:
                self.queue.append(task)
            else:
                self.states[task.id] = TaskState.ENDED


@dataclass(slots=True)
class MemoryDurable(Durable):
    """Keeps the results of steps in its engine."""

    engine: MemoryEngine

    @override
    def step(self, name: str, work: Callable[[], str]) -> str:
        place = (self.engine.current, name)
        if place not in self.engine.kept:
            result = work()
            if self.engine.cut == name:
                self.engine.cut = ""
                raise Killed
            self.engine.kept[place] = result
        return self.engine.kept[place]

    @override
    def submit(self, task: Task) -> None:
        self.engine.submit([task])


class Killed(BaseException):
    """The process died here."""


@cache
def _inspector(limits: Limits) -> Inspector:
    # A process that opens files takes longer to start than most jobs take in all.
    inspector = Inspector(limits)
    atexit.register(inspector.close)
    return inspector


class JobStudio:
    """
    The studio below `folder`.

    Args:
        open_tracker: opens another tracker than `self.tracker`.
        sections: parts of the settings that differ from the usual ones.
    """

    def __init__(
        self,
        folder: Path,
        open_tracker: Callable[[Settings], Tracker] | None = None,
        /,
        **sections: object,
    ) -> None:
        self.settings: Settings = studio_settings(folder, **sections)
        self.database: Engine = studio_database(self.settings)
        self.tracker = FailingTracker()
        self.generator = FlatGenerator()
        self.stop = threading.Event()
        self.tools = Tools(
            self.settings,
            self.database,
            self.stop,
            production=Production(self.settings, generators={"flat": self.generator}),
            inspector=_inspector(Limits.from_settings(self.settings.watch)),
            open_tracker=open_tracker or self.open_tracker,
        )
        self.engine = MemoryEngine()
        gate = Gate(2)
        self.engine.handlers = {
            **BackgroundHandlers(self.tools, gate).handlers(),
            **TouchUpHandlers(self.tools, gate).handlers(),
        }
        self.dispatcher = Dispatcher(self.settings, self.database, self.engine, ahead=50)
        self.store = JobStore(self.database)

    def open_tracker(self, _settings: Settings) -> FailingTracker:
        """Return the tracker that the studio has by now."""
        return self.tracker

    def close(self) -> None:
        """Close the tools and the database."""
        self.tools.close()
        self.database.dispose()

    def work(self) -> None:
        """Dispatch and do everything that waits."""
        while self.dispatcher.tick() or self.engine.queue:
            self.engine.run()

    def publish(self, shot: str = "c001") -> str:
        """Announce a layout, do all work, and return its job's key."""
        announce(self.database, put_layout(self.settings, shot))
        self.work()
        return self.key

    @property
    def key(self) -> str:
        """The newest job's."""
        return self.store.list()[0].key

    @property
    def files(self) -> list[Path]:
        """Every file below the storage root, with the layouts left out."""
        root = self.settings.storage.roots[0].path
        found = (path for path in root.rglob("*") if path.is_file())
        return sorted(
            path for path in found if "layout" not in path.parts and ".haikei" not in path.parts
        )

    def replace_layout(self, event: LayoutPublished, content: bytes) -> LayoutPublished:
        """Put other bytes where a layout lies, and return the event that tells of them."""
        event.layout.write_bytes(content)
        return dataclasses.replace(event, sha256=sha256_of(event.layout))

    def as_tga(self, event: LayoutPublished) -> LayoutPublished:
        """Put the same drawing in its place as a TGA file, and return the event of it."""
        picture = read_picture(event.layout)
        path = event.layout.with_suffix(".tga")
        event.layout.unlink()
        spec = oiio.ImageSpec(picture.width, picture.height, 3, "uint8")
        output = oiio.ImageOutput.create(str(path))
        assert output is not None
        assert output.open(str(path), spec)
        assert output.write_image(np.ascontiguousarray(picture.pixels))
        output.close()
        return dataclasses.replace(event, layout=path, sha256=sha256_of(path))


@contextmanager
def working(studio: JobStudio, *shots: str) -> Yields[None]:
    """Announce layouts and do all work beside the block; what is left then is left."""
    for shot in shots or ("c001",):
        announce(studio.database, put_layout(studio.settings, shot))

    def work() -> None:
        with suppress(WorkerStopping):
            studio.work()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        studio.stop.set()
        thread.join(PATIENCE)


def lane_of(studio: JobStudio, lane: Lane) -> LaneState:
    """Return how a lane of the studio stands."""
    with reading(studio.database) as connection:
        return next(one for one in lane_states(connection) if one.lane is lane)


class OpenJobStudio(Protocol):
    """Opens a studio whose settings differ in these sections."""

    def __call__(self, **sections: object) -> JobStudio: ...


def job_studios(stack: ExitStack, folder: Path) -> OpenJobStudio:
    """Return what opens studios in one folder; they are closed with the stack."""

    def make(**sections: object) -> JobStudio:
        studio = JobStudio(folder, **sections)
        stack.callback(studio.close)
        return studio

    return make


SAKURA = Person(id="HumanUser:21", name="Sakura Ito", name_ja="伊藤さくら")
RIKU = Person(id="HumanUser:22", name="Riku Mori", name_ja="森陸")
PLACE = Place(project="PORT", sequence="s01", shot="c001")


@dataclass(slots=True)
class QuestionReview(ReviewDesk):
    """Keeps the Notes that are written, each key once."""

    notes: dict[str, NoteWrite] = field(default_factory=dict[str, NoteWrite])
    failures: list[Exception] = field(default_factory=list[Exception])

    @override
    def look(self, versions: Sequence[int]) -> tuple[SeenVersion, ...]:
        return ()

    @override
    def changed(self, since: datetime) -> tuple[int, ...]:
        return ()

    @override
    def write(self, change: ReviewWrite) -> Row:
        if self.failures:
            raise self.failures.pop(0)
        assert isinstance(change, NoteWrite)
        self.notes.setdefault(change.key, change)
        return Row(type="Note", id=len(self.notes), name=change.subject)

    @override
    def statuses(self, entity_type: str) -> tuple[str, ...]:
        return ()

    @override
    def close(self) -> None: ...


class QuestionTracker(FailingTracker):
    """A tracker whose people can be asked."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = QuestionReview()
        self._parts = replace(self._parts, review=self.desk)


def make_background(studio: JobStudio) -> QuestionTracker:
    """Let a job make a background of a layout with something drawn in it."""
    tracker = QuestionTracker()
    studio.tracker = tracker
    event = put_layout(studio.settings, size=(240, 160))
    drawn = np.random.default_rng(7).uniform(0.2, 1.0, (20, 30, 3)).astype(np.float32)
    pixels = np.repeat(np.repeat(drawn, 8, axis=0), 8, axis=1)
    write_picture(Picture(pixels=pixels), event.layout, bits=8)
    announce(studio.database, studio.replace_layout(event, event.layout.read_bytes()))
    studio.work()
    return tracker


def another_drawing() -> Picture:
    """Return a picture that nothing in the studio resembles."""
    return draw(Scene(kind=SceneKind.HILLS, width=240, height=160, seed=3)).picture()


def version_of(studio: JobStudio, number: int) -> BackgroundVersion:
    """Return a version of the background."""
    with studio.database.begin() as connection:
        found = store.by_code(connection, f"c001_bg_summer_day_v{number:03d}")
    assert found is not None
    return found


def versions(studio: JobStudio) -> list[str]:
    """Return the codes of all versions."""
    with studio.database.begin() as connection:
        found = [store.by_code(connection, f"c001_bg_summer_day_v{n:03d}") for n in range(1, 9)]
    return [one.code for one in found if one is not None]


def file_of(studio: JobStudio, version: BackgroundVersion) -> Path:
    """Return where a version's file stands."""
    return studio.settings.storage.roots[0].path / version.final.path


def paint(studio: JobStudio, version: BackgroundVersion, name: str, *, at: int = 20) -> Path:
    """Return an artist's file: the version's picture with a square painted on it."""
    pixels = read_picture(file_of(studio, version)).pixels.copy()
    pixels[at : at + 40, at : at + 60] = (0.9, 0.2, 0.1)
    path = studio.settings.studio.state.parent / name
    write_picture(Picture(pixels=pixels), path)
    return path


def touch_up_event(
    file: Path, *, artist: Person | None = None, **known: object
) -> TouchUpPublished:
    """Return the event of a file of which nothing is known but what is given."""
    nothing = TouchUpPublished(
        place=PLACE,
        file=file,
        sha256=sha256_of(file),
        published_file=None,
        artists=() if artist is None else (artist,),
        artist_source="" if artist is None else "PublishedFile:9 created_by",
        artist_name="",
        versions=(),
        season="",
        time="",
        version=None,
        source=Source.WATCH,
        at=datetime(2026, 1, 3, tzinfo=UTC),
    )
    return replace(nothing, **known)  # type: ignore[arg-type]


def announce_touch_up(studio: JobStudio, event: TouchUpPublished) -> None:
    """Put a touch-up into the inbox, and do all work."""
    with studio.database.begin() as connection:
        receive(connection, event)
    studio.work()


_LONG = 600.0


def work_until_killed(url: str, log: str, holder: str) -> None:
    """Run one task whose first step ends and whose second does not; note both in `log`."""

    def note(text: str) -> str:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(json.dumps([os.getpid(), text]) + "\n")
        return text

    def endless() -> str:
        note("b")
        time.sleep(_LONG)
        return "b"

    def work(durable: Durable, payload: str) -> None:
        durable.step("a", lambda: note("a"))
        durable.step("b", endless)

    queue = QueueSettings(name="jobs", slots=2, poll=0.02)
    with DbosEngine(url, holder=holder, queues=(queue,), handlers={"work": work}) as engine:
        engine.submit([Task(id="t1", name="work", queue="jobs", payload="{}", priority=10)])
        time.sleep(_LONG)
