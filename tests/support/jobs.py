"""A small studio for tests of jobs: settings, layouts, a flat generator, steps kept in memory."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Engine
from typing_extensions import override

from haikei.credits import SourceType, System
from haikei.database import open_database
from haikei.events import LayoutPublished, Source
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Generator,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.images import Picture, write_picture
from haikei.jobs.engine.port import Durable, Handler, Task, TaskState
from haikei.jobs.inbox import receive
from haikei.settings import Settings
from haikei.show import Place

PROJECT = "PORT"


def studio_settings(folder: Path, **sections: object) -> Settings:
    """Return settings of a studio whose files and state are below `folder`."""
    root = folder / "root"
    root.mkdir(exist_ok=True)
    state = folder / "state"
    state.mkdir(exist_ok=True)
    given: dict[str, object] = {
        "studio": {"name": "Test Studio", "state": str(state)},
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
        "engine": {"attempts": 3, "backoff": 0.01, "poll": 0.05},
    }
    return Settings.model_validate({**given, **sections})


def studio_database(settings: Settings) -> Engine:
    """Return the studio's own database."""
    return open_database(f"sqlite:///{settings.studio.state / 'haikei.db'}")


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
        source_type: what it says of itself.
        before: called before each picture is made, with the stage's name.
    """

    source_type: SourceType = SourceType.ALGORITHMIC
    before: Callable[[str, ProgressCallback], None] | None = None
    made: list[str] = field(default_factory=list[str])

    @override
    def describe(self, stage: StageOrder) -> StageSystem:
        system = System(name="Flat", version="1", source_type=self.source_type)
        return StageSystem(system=system, libraries=())

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
        return GenerationResult(picture=Picture(pixels=base * np.float32(0.5) + level / 2))


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
