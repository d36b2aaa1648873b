"""A studio with versions, and a tracker's playlists in memory that fail when they are told to."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from typing_extensions import override

from haikei.credits import BackgroundVersion, ImageRecord, records
from haikei.dailies import Dailies
from haikei.database import reading
from haikei.images import read_picture
from haikei.review.replies import write_answers
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers import PlaylistDesk, PlaylistRequest
from haikei.trackers.contract.review import NoteWrite, ReviewWrite
from support.desk import MemoryDesk
from support.jobs import studio_database, studio_settings
from support.records import a_background, a_generation, a_layout, save_background

TOKYO = ZoneInfo("Asia/Tokyo")


def _nothing() -> None: ...


@dataclass(slots=True)
class MemoryPlaylists(PlaylistDesk):
    """
    Playlists as a tracker keeps them.

    Args:
        before: called before each change; it may raise.
        after: called when a change stands and nobody knows; it may raise.
    """

    requests: dict[str, PlaylistRequest] = field(default_factory=dict[str, PlaylistRequest])
    rows: dict[str, Row] = field(default_factory=dict[str, Row])
    attached: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    sizes: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing

    @property
    def shown(self) -> dict[str, tuple[int, ...]]:
        """The versions of each playlist by its name, in order."""
        return {request.name: request.versions for request in self.requests.values()}

    @override
    def collect(self, request: PlaylistRequest) -> Row:
        self.before()
        row = Row(type="Playlist", id=len(self.rows) + 500, name=request.name)
        row = self.rows.setdefault(request.key, row)
        self.requests[request.key] = request
        self.after()
        return row

    @override
    def attach(self, row: Row, file: Path, name: str) -> None:
        self.before()
        if (row.id, name) not in self.attached:
            picture = read_picture(file)
            self.sizes.append((picture.width, picture.height))
            self.attached.append((row.id, name))
        self.after()

    @override
    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class NoteDesk(MemoryDesk):
    """A desk that keeps Notes on playlists apart from those on versions."""

    notes: dict[str, NoteWrite] = field(default_factory=dict[str, NoteWrite])

    @override
    def write(self, change: ReviewWrite) -> Row:
        if isinstance(change, NoteWrite) and change.links[0].type == "Playlist":
            self._fail()
            self.notes.setdefault(change.key, change)
            return Row(type="Note", id=900, name=change.subject)
        return MemoryDesk.write(self, change)


@dataclass(slots=True)
class DailiesHouse:
    """A studio's database and its tracker."""

    settings: Settings
    database: Engine
    desk: NoteDesk = field(default_factory=NoteDesk)
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
            records.published(connection, told.key, tracker_id=version, url=url)
        return told

    def dailies(self, settings: Settings | None = None) -> Dailies:
        """Return what a process that starts now has."""
        made = Dailies(
            settings or self.settings,
            self.database,
            open_playlists=lambda _: self.playlists,
            open_desk=lambda _: self.desk,
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
def open_house(folder: Path, **sections: object) -> Generator[DailiesHouse]:
    """Open a studio whose settings differ in these sections."""
    settings = studio_settings(folder, **sections)
    database = studio_database(settings)
    house = DailiesHouse(settings=settings, database=database)
    yield house
    for one in house.opened:
        one.close()
    database.dispose()
