"""A house with one background to paint over, and a tracker in which questions can be asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from typing_extensions import override

from haikei.credits import BackgroundVersion, Person, records
from haikei.events import Source, TouchUpPublished
from haikei.files import sha256_of
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs.inbox import receive
from haikei.scenes import Scene, SceneKind, draw
from haikei.show import Place, Row
from haikei.trackers import NoteWrite, ReviewDesk, ReviewWrite, SeenVersion
from support.house import House
from support.jobs import announce, put_layout
from support.tracker import MemoryTracker

SAKURA = Person(id="HumanUser:21", name="Sakura Ito", name_ja="伊藤さくら")
RIKU = Person(id="HumanUser:22", name="Riku Mori", name_ja="森陸")
PLACE = Place(project="PORT", sequence="s01", shot="c001")


@dataclass(slots=True)
class QuestionDesk(ReviewDesk):
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


@dataclass(slots=True)
class AskedTracker(MemoryTracker):
    """A tracker whose people can be asked."""

    desk: QuestionDesk = field(default_factory=QuestionDesk)

    def review_desk(self) -> ReviewDesk:
        return self.desk


def with_background(house: House) -> AskedTracker:
    """Let a job make a background of a layout with something drawn in it."""
    tracker = AskedTracker()
    house.tracker = tracker
    event = put_layout(house.settings, size=(240, 160))
    drawn = np.random.default_rng(7).uniform(0.2, 1.0, (20, 30, 3)).astype(np.float32)
    pixels = np.repeat(np.repeat(drawn, 8, axis=0), 8, axis=1)
    write_picture(Picture(pixels=pixels), event.layout, bits=8)
    announce(house.database, house.replace_layout(event, event.layout.read_bytes()))
    house.work()
    return tracker


def another_drawing() -> Picture:
    """Return a picture that nothing in the house resembles."""
    return draw(Scene(kind=SceneKind.HILLS, width=240, height=160, seed=3)).picture()


def version_of(house: House, number: int) -> BackgroundVersion:
    """Return a version of the background."""
    with house.database.begin() as connection:
        found = records.by_code(connection, f"c001_bg_summer_day_v{number:03d}")
    assert found is not None
    return found


def versions(house: House) -> list[str]:
    """Return the codes of all versions."""
    with house.database.begin() as connection:
        found = [records.by_code(connection, f"c001_bg_summer_day_v{n:03d}") for n in range(1, 9)]
    return [one.code for one in found if one is not None]


def file_of(house: House, version: BackgroundVersion) -> Path:
    """Return where a version's file stands."""
    return house.settings.storage.roots[0].path / version.final.path


def paint(house: House, version: BackgroundVersion, name: str, *, at: int = 20) -> Path:
    """Return an artist's file: the version's picture with a square painted on it."""
    pixels = read_picture(file_of(house, version)).pixels.copy()
    pixels[at : at + 40, at : at + 60] = (0.9, 0.2, 0.1)
    path = house.settings.studio.state.parent / name
    write_picture(Picture(pixels=pixels), path)
    return path


def painted(file: Path, **known: object) -> TouchUpPublished:
    """Return the event of a file of which nothing is known but what is given."""
    nothing = TouchUpPublished(
        place=PLACE,
        file=file,
        sha256=sha256_of(file),
        published_file=None,
        artist=None,
        artist_name="",
        versions=(),
        season="",
        time="",
        version=None,
        source=Source.WATCH,
        at=datetime(2026, 1, 3, tzinfo=UTC),
    )
    return replace(nothing, **known)  # type: ignore[arg-type]


def tell(house: House, event: TouchUpPublished) -> None:
    """Put a touch-up into the inbox, and do all work."""
    with house.database.begin() as connection:
        receive(connection, event)
    house.work()
