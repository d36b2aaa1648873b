"""The adapter of a tracker in memory: its shots, its versions, and its parts."""

import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from haikei.checkup import Finding
from haikei.credits import Person
from haikei.errors import PlaceUnknown
from haikei.names import nearest_names, plain_name
from haikei.show import NO_CUT_FACTS, CutFacts, Place, Row
from haikei.trackers.contract.credits import ListedPerson, ListedProject, StatedCredits
from haikei.trackers.contract.feed import EventKind
from haikei.trackers.contract.review import SeenVersion
from haikei.trackers.contract.tracker import (
    ContextRequest,
    DrawnBy,
    LayoutContext,
    PublishRequest,
    PublishResult,
    TrackerParts,
    drawn_by,
)
from haikei.trackers.contract.visitors import Selected, SignedIn
from haikei.trackers.memory.desks import (
    MemoryCheckpointBoard,
    MemoryCreditDesk,
    MemoryDirectory,
    MemoryPlaylistDesk,
    MemoryReviewDesk,
    MemorySelectionDesk,
)
from haikei.trackers.memory.feed import MemoryFeed

if TYPE_CHECKING:
    from haikei.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryShot:
    """A shot, and who draws its layouts."""

    place: Place
    project: Row
    sequence: Row
    shot: Row
    task: Row | None  #: the one that receives backgrounds
    artists: tuple[Person, ...]  #: assigned to tasks of the layout's step
    logins: tuple[str, ...]
    cut: CutFacts = NO_CUT_FACTS  #: how it is to look


class MemoryTracker:
    """
    A tracker that keeps everything in this process; implements `Tracker`.

    Threads may share one object. It has every part but webhooks and menus, which come over HTTP;
    passwords are not checked.

    Args:
        url: its address; nothing is there.
        heeded: the projects that `tracker.projects` names; empty for all.
    """

    def __init__(self, url: str = "http://tracker.test", heeded: tuple[str, ...] = ()) -> None:
        self._url = url
        self._heeded = frozenset(map(plain_name, heeded))
        self._lock = threading.RLock()
        self._projects: dict[str, Row] = {}
        self._shots: dict[tuple[str, ...], MemoryShot] = {}
        self._layouts: dict[str, Row] = {}
        self._results: dict[str, PublishResult] = {}
        self.published: dict[str, PublishRequest] = {}  #: by key, as it was first published
        self.feed = MemoryFeed(name=url, heeds=self._heeds)
        self.review = MemoryReviewDesk(on_event=self._reviewed, heeds=self._heeds)
        self.credits = MemoryCreditDesk()
        self.playlists = MemoryPlaylistDesk()
        self.checkpoints = MemoryCheckpointBoard()
        self.selection = MemorySelectionDesk()
        self.directory = MemoryDirectory()
        self._parts = TrackerParts(
            feed=self.feed,
            review=self.review,
            credits=self.credits,
            playlists=self.playlists,
            checkpoints=self.checkpoints,
            selection=self.selection,
            directory=self.directory,
            doorbell=self.feed.doorbell,
        )

    @property
    def name(self) -> str:
        """What messages call it."""
        return "Memory"

    @property
    def parts(self) -> TrackerParts:
        """All parts that there are."""
        return self._parts

    def add_person(self, person: Person, login: str) -> None:
        """Add an active person who can review and be credited."""
        self.review.people[login] = person
        self.credits.persons |= dict.fromkeys((person.id, login, person.name), person)
        signed_in = SignedIn(login=login, name=person.name, person_id=person.id)
        self.selection.people = (*self.selection.people, signed_in)
        names = tuple(dict.fromkeys(filter(None, (login, person.name, person.name_ja))))
        self.directory.people[person.id] = ListedPerson(person=person, names=names)

    def add_shot(
        self,
        place: Place,
        *,
        artists: tuple[Person, ...] = (),
        logins: tuple[str, ...] = (),
        with_task: bool = True,
        cut: CutFacts = NO_CUT_FACTS,
    ) -> MemoryShot:
        """
        Add a shot, with its project and sequence where they are new.

        Args:
            place: where it is.
            artists: who is assigned to tasks of the layout's step.
            logins: the same people's logins.
            with_task: whether it has a task that receives backgrounds.
            cut: how it is to look.
        """
        with self._lock:
            number = len(self._shots) + 1
            project = self._projects.setdefault(
                plain_name(place.project),
                Row(type="Project", id=len(self._projects) + 1, name=place.project),
            )
            id_ = f"{project.type}:{project.id}"
            self.directory.projects[id_] = ListedProject(
                id=id_, path_name=project.name, title=project.name
            )
            made = MemoryShot(
                place=place,
                project=project,
                sequence=Row(type="Sequence", id=1000 + number, name=place.sequence),
                shot=Row(type="Shot", id=2000 + number, name=place.shot),
                task=Row(type="Task", id=3000 + number, name="bg") if with_task else None,
                artists=artists,
                logins=logins,
                cut=cut,
            )
            names = (place.project, place.episode, place.sequence, place.shot)
            self._shots[tuple(map(plain_name, names))] = made
            self.credits.time.setdefault(place.project, [])
            self.checkpoints.notes.setdefault(place.project, "")
            self._select(made.shot, made.place, None)
            self._name_heeded()
            return made

    def heed(self, *projects: str) -> None:
        """Let only these projects be heeded from now on, as `tracker.projects` does; none: all."""
        with self._lock:
            self._heeded = frozenset(map(plain_name, projects))
            self._name_heeded()

    def context(self, request: ContextRequest) -> LayoutContext:
        """
        Return what is known of a layout.

        Raises:
            PlaceUnknown: there is no such project or shot.
        """
        with self._lock:
            found = self._shot(request.place)
            parent = self._results.get(request.painted_over)
            numbers = (
                one.version_number
                for one in self.published.values()
                if one.context.shot == found.shot and f"_{request.stream}_" in one.code
            )
            layout = self._layouts.get(request.layout.relative)
            if request.published_file in self.feed.rows:
                name = self.feed.rows[request.published_file].name
                layout = Row(type="PublishedFile", id=request.published_file, name=name)
            drawn = self._drawn_by(found, request.published_file)
            people = (*drawn.artists, *drawn.candidates)
            logins = [login for login, one in self.review.people.items() if one in people]
            return LayoutContext(
                project=found.project,
                sequence=found.sequence,
                shot=found.shot,
                task=found.task,
                layout_file=layout,
                artists=drawn.artists,
                artist_logins=tuple(dict.fromkeys((*found.logins, *logins))),
                latest_version=max(numbers, default=0),
                artist_source=drawn.source,
                parent_file=parent.files[0] if parent else None,
                candidates=drawn.candidates,
                cut=found.cut,
                episode=found.place.episode,
            )

    def publish(self, request: PublishRequest) -> PublishResult:
        """Make the rows of a background once for each key."""
        with self._lock:
            if request.key in self._results:
                known = self._results[request.key]
                return PublishResult(
                    version=known.version,
                    files=known.files,
                    layout_file=known.layout_file,
                    url=known.url,
                    created=False,
                )
            number = len(self._results) + 1
            version = Row(type="Version", id=number, name=request.code)
            layout = request.context.layout_file or self._layouts.get(request.layout.relative)
            if layout is None:
                name = request.layout.path.name
                layout = Row(type="PublishedFile", id=number * 10 + 9, name=name)
            self._layouts[request.layout.relative] = layout
            made = PublishResult(
                version=version,
                files=tuple(
                    Row(type="PublishedFile", id=number * 10 + index, name=image.name)
                    for index, image in enumerate(request.images)
                ),
                layout_file=layout,
                url=self.address(version),
                created=True,
            )
            self.published[request.key] = request
            self._results[request.key] = made
            self._show(request, made)
            return made

    def address(self, row: Row) -> str:
        """Return the URL at which a row would be."""
        return f"{self._url}/detail/{row.type}/{row.id}"

    def setup(self, *, dry_run: bool) -> tuple[Finding, ...]:
        """Return nothing: there is nothing to create, dry run or not."""
        del dry_run
        return ()

    def check(self) -> tuple[Finding, ...]:
        """Return the one thing to know about it."""
        message = "It is in memory: what it holds is forgotten when the process ends."
        return (Finding(ok=True, subject="tracker", message=message),)

    def close(self) -> None:
        """Nothing is open."""

    def _drawn_by(self, found: MemoryShot, file: int | None) -> DrawnBy[Person]:
        row = -1 if file is None else file
        by = self.feed.publishers.get(row)
        return drawn_by(
            [(one, f"PublishedFile:{file} task") for one in self.feed.assigned.get(row, ())],
            [] if by is None else [(by, f"PublishedFile:{file} created_by")],
            [(one, f"Shot:{found.shot.id} artists") for one in found.artists],
        )

    def _shot(self, place: Place) -> MemoryShot:
        project = plain_name(place.project)
        if project not in self._projects:
            names = [row.name for row in self._projects.values()]
            raise _unknown("project", place.project, names)
        here = [one for key, one in self._shots.items() if key[0] == project]
        named = [one for one in here if plain_name(one.place.shot) == plain_name(place.shot)]
        if not named:
            raise _unknown("shot", place.shot, [one.place.shot for one in here])
        fitting = [one for one in named if place.may_be(one.place)]
        if len(fitting) == 1:
            return fitting[0]
        there = ", ".join(f"{one.place.episode} {one.place.sequence}".strip() for one in named)
        if fitting:
            raise PlaceUnknown(f"There are several shots {place.shot!r}: in {there}.")
        wanted = f"{place.episode} {place.sequence}".strip()
        raise PlaceUnknown(f"The shot {place.shot!r} is not in {wanted!r}, but in {there}.")

    def _show(self, request: PublishRequest, made: PublishResult) -> None:
        """Let the other parts have what was published."""
        context, number = request.context, made.version.id
        self.review.add(
            SeenVersion(
                version=made.version,
                key=request.key,
                project=context.project,
                shot=context.shot,
                task=context.task,
                status=request.status,
                status_by=None,
                status_at=None,
                notes=(),
                url=made.url,
            )
        )
        rows = (made.version, *made.files)
        self.credits.keys[number] = request.key
        self.credits.rows[number] = rows
        stated = StatedCredits(
            credit_en=request.credit_en,
            credit_ja=request.credit_ja,
            roles=request.roles,
            system=request.system,
            source_type=request.source_type,
            ledger_index=request.ledger_index,
            record_link=request.record_link,
        )
        self.credits.stated |= {(row.type, row.id): stated for row in rows}
        place = Place(
            project=context.project.name,
            episode=context.episode,
            sequence=context.sequence.name if context.sequence else "",
            shot=context.shot.name,
        )
        for row in rows:
            self._select(row, place, number)
        for row in made.files:
            self.feed.write(EventKind.FILE_PUBLISHED, row=row.id, project=place.project, by_us=True)

    def _select(self, row: Row, place: Place, version: int | None) -> None:
        self.selection.rows[row.type, row.id] = Selected(
            type=row.type, id=row.id, place=place, version=version
        )

    def _reviewed(self, kind: EventKind, row: int, *, by_us: bool) -> None:
        versions = (row,) if kind is EventKind.VERSION_CHANGED else self.review.about(row)
        if kind is EventKind.NOTE_CHANGED:
            self.feed.discussions["Note", row] = versions
        elif kind is EventKind.REPLY_CHANGED:
            self.feed.discussions["Reply", row] = versions
        project = next((self.review.versions[one].project.name for one in versions), "")
        self.feed.write(kind, row=row, project=project, by_us=by_us)

    def _name_heeded(self) -> None:
        found = (row.id for name, row in self._projects.items() if name in self._heeded)
        self.feed.ours = frozenset(found) if self._heeded else None

    def _heeds(self, project: str) -> bool:
        return not self._heeded or plain_name(project) in self._heeded


@cache
def _site(url: str, heeded: tuple[str, ...]) -> MemoryTracker:
    return MemoryTracker(url, heeded)


def open_memory(settings: "Settings") -> MemoryTracker:
    """Return the tracker of these settings, the same one each time; the entry point `memory`."""
    return _site(str(settings.tracker.url).rstrip("/"), settings.tracker.projects)


def _unknown(kind: str, name: str, known: list[str]) -> PlaceUnknown:
    near = ", ".join(nearest_names(name, known)) or "none"
    return PlaceUnknown(
        f"The tracker has no {kind} {name!r}.", advice=f"The nearest: {near}. Add the {kind}."
    )
