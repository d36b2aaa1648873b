"""Files that people and programs hand in: judged at once, by the rules for watched ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from sqlalchemy import Engine, select

from haikei.database import events, reading, utc_now
from haikei.errors import (
    AlreadyPublished,
    ImageUnreadable,
    LayoutChanged,
    PathRefused,
    PlaceUnknown,
    PolicyRefusal,
)
from haikei.events import Event, NamedPaintOver, Source, TouchUpPublished
from haikei.images import Inspection, Inspector, Limits
from haikei.jobs.inbox import receive, told_apart
from haikei.jobs.job import JobState
from haikei.jobs.state import know_storage
from haikei.settings import Settings, Variant
from haikei.show import Place
from haikei.sources.watch.file_table import event_of
from haikei.sources.watch.inspecting import needs_decoding
from haikei.sources.watch.root import LayoutNames, Outputs, watched_roots
from haikei.storage import PlacedLayout, Storage

#: Seconds after which the process that opens files ends, and numbers that an upload may try.
_IDLE, _MOST_VERSIONS = 30.0, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """What is stated of a file; empty fields leave it to the file's path."""

    project: str = ""
    sequence: str = ""
    shot: str = ""
    name: str = ""  #: the layout's stream, such as `bg`
    version: int | None = None
    episode: str = ""

    def placed(self) -> PlacedLayout | None:
        """
        Return where it belongs; None when that is left to its path.

        Raises:
            PlaceUnknown: only half of it is stated.
        """
        place = (self.project, self.episode, self.sequence, self.shot)
        if not (any(place) or self.name or self.version):
            return None
        if not self.project or not self.shot:
            raise PlaceUnknown(
                "A project and a shot belong together: one of them is missing.",
                advice="Give both, or neither and let the file's path say them.",
            )
        return PlacedLayout(
            place=Place(
                project=self.project,
                episode=self.episode,
                sequence=self.sequence,
                shot=self.shot,
            ),
            name=self.name or "layout",
            version=self.version,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A file that will be taken, and what becomes of it."""

    event: Event
    recipe: str  #: empty for a touch-up
    variants: tuple[Variant, ...]
    is_known: bool  #: it was handed in or found before

    @property
    def file(self) -> Path:
        """The file itself."""
        return self.event.file if isinstance(self.event, TouchUpPublished) else self.event.layout


class SubmissionState(StrEnum):
    """How far a file is that was handed in."""

    PLANNED = "planned"  #: a dry run: nothing was handed in
    RECEIVED = "received"  #: jobs are about to be made
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"  #: all its versions stand
    DEAD = "dead"  #: a job of it will not go on by itself
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


def state_of(states: Sequence[JobState]) -> SubmissionState:
    """Return how far a file is whose jobs are in these states."""
    if not states:
        return SubmissionState.RECEIVED
    going = {JobState.WAITING, JobState.RUNNING} & set(states)
    if going:
        begun = JobState.RUNNING in going or len(set(states)) > 1
        return SubmissionState.RUNNING if begun else SubmissionState.WAITING
    for state in (JobState.DEAD, JobState.CANCELLED, JobState.DONE):
        if state in states:
            return SubmissionState(state.value)
    return SubmissionState.SKIPPED


class Submitting:
    """
    Takes files in; threads may share it.

    Args:
        settings: the studio's.
        database: the studio's own.
        source: who hands files in.
    """

    def __init__(self, settings: Settings, database: Engine, *, source: Source) -> None:
        self._settings = settings
        self._database = database
        self._source = source
        self._storage = Storage(settings)
        roots = watched_roots(settings.watch)
        self._roots = sorted(roots, key=lambda root: len(root.path), reverse=True)
        watch = settings.watch
        self._names = LayoutNames(extensions=watch.extensions, ignore=watch.ignore)
        self._endings = ", ".join(watch.extensions)
        self._outputs = Outputs(settings.storage)
        self._inspector = Inspector(Limits.from_settings(settings.watch), idle=_IDLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process that opens files."""
        self._inspector.close()

    def judge(self, path: Path, given: HandedIn) -> Judged:
        """
        Read a file below a storage root and say what becomes of it; nothing is written.

        Raises:
            PathRefused: it is below no storage root, or a name of its place fits into no path.
            PlaceUnknown: neither `given` nor its path names a project and shot.
            ImageUnreadable: it is not there, or no whole image.
            LayoutChanged: it is still being written.
            PolicyRefusal: no route in the settings takes it.
        """
        placed = given.placed()
        file = self._storage.stored(path, "").path
        self._check_name(file.name)
        if self._outputs.hold(str(file)):
            raise PathRefused(
                f"{file} is where backgrounds are published: it is no layout.",
                advice="Hand in the layout itself.",
            )
        found = placed or self._named(file)
        sha256 = self._read(file).sha256
        return self._judged(event_of(found, file, sha256, source=self._source, now=utc_now()))

    def upload(self, file: Path, filename: str, given: HandedIn, *, dry_run: bool) -> Judged:
        """
        Read a file that was sent, and put it where the studio's layouts stand.

        It gets the version that is asked for, or the first one that is free. What is known already
        is not written again.

        Args:
            file: its bytes, anywhere; it is left there.
            filename: as its sender calls it; only the ending counts.
            given: where it belongs; project and shot are needed.
            dry_run: only judge it.

        Raises:
            HaikeiError: as `judge` does.
            AlreadyPublished: another file has that version.
            StorageError: it cannot be written.
        """
        placed = given.placed()
        if placed is None:
            raise PlaceUnknown(
                "A file that is sent has no path that says where it belongs.",
                advice="Give a project and a shot.",
            )
        self._check_name(filename)
        finding = self._read(file, shown=filename)
        ext = filename.rpartition(".")[2].lower()

        def path_of(version: int) -> PurePosixPath:
            return self._storage.layout_path(
                place=placed.place, name=placed.name, version=version, ext=ext
            )

        def judged(version: int) -> Judged:
            target = self._storage.published(path_of(version))
            there = replace(placed, version=version)
            now = utc_now()
            return self._judged(
                event_of(there, target, finding.sha256, source=self._source, now=now)
            )

        first = placed.version or 1
        known = judged(first)
        if dry_run or known.is_known:
            return known
        know_storage(self._storage, self._settings, self._database)
        numbers = [first] if placed.version else range(first, _MOST_VERSIONS)
        for number in numbers:
            if number != first and path_of(number) == path_of(first):
                break  # the template has no version: there is one place alone
            try:
                self._storage.publish(file, path_of(number))
            except AlreadyPublished:
                continue
            return judged(number)
        raise AlreadyPublished(
            f"Another file stands at {path_of(first)} already.",
            advice="Hand it in as another version.",
        )

    def submit(self, judged: Judged) -> bool:
        """Note what was judged; return False when it was known already, from any source."""
        with self._database.begin() as connection:
            return receive(connection, judged.event)

    def _check_name(self, name: str) -> None:
        if self._names.is_ignored(name) or not self._names.is_layout(name):
            raise ImageUnreadable(
                f"{name!r} is no name of a layout: the endings are {self._endings}.",
                advice="Hand in another file, or change watch.extensions or watch.ignore.",
            )

    def _named(self, file: Path) -> PlacedLayout | NamedPaintOver:
        # A storage gives paths through its root as it is spelt; a watched folder may be another.
        for root in self._roots:
            for path in dict.fromkeys((str(file), str(file.resolve()))):
                if root.relative(path) is not None and root.fits(path):
                    return root.place_of(path)
        found = self._storage.place_of(file)
        if found is None:
            raise PlaceUnknown(
                f"The path {file} does not say to which project and shot it belongs.",
                advice="Give project and shot, or move it to where layouts are watched.",
            )
        return found

    def _read(self, file: Path, *, shown: str = "") -> Inspection:
        name = shown or file.name
        try:
            there = file.is_file()
        except OSError as error:
            raise ImageUnreadable(f"{name} cannot be read: {error.strerror}.") from error
        if not there:
            raise ImageUnreadable(f"There is no file {file}.", advice="Check its path.")
        (finding,) = self._inspector.inspect([file], decode=needs_decoding(Path(name)), whole=True)
        if finding.reason.startswith(("changed", "vanished")):
            raise LayoutChanged(
                f"{name} {finding.reason}.", advice="Hand it in when it is written to its end."
            )
        if not finding.ok:
            reason = finding.reason.replace(file.name, name)
            raise ImageUnreadable(reason if name in reason else f"{name} {reason}.")
        return finding

    def _judged(self, event: Event) -> Judged:
        place = event.place
        with reading(self._database) as connection:
            (event,) = told_apart(connection, [event])
            query = select(events.c.id).where(events.c.key == event.key)
            is_known = connection.execute(query).first() is not None
        if isinstance(event, TouchUpPublished):
            return Judged(event=event, recipe="", variants=(), is_known=is_known)
        route = self._settings.route(
            project=place.project, sequence=place.sequence, shot=place.shot, may_be_of_any=True
        )
        if route is None:
            raise PolicyRefusal(
                f"No route in the settings takes {place.name}.", advice="Add one to [[routes]]."
            )
        for variant in route.variants:
            # Found out now, and not when the picture is made.
            self._storage.background_path(
                place=place, season=variant.season, time=variant.time, version=1
            )
        return Judged(event=event, recipe=route.recipe, variants=route.variants, is_known=is_known)
