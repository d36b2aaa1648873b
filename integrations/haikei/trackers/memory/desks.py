"""
Review, credits, hours, playlists, heads, selected rows and the directory of a tracker in memory.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from haikei.credits import Person
from haikei.errors import TrackerRejected
from haikei.show import Row
from haikei.trackers.contract.credits import (
    CreditRow,
    CreditsWritten,
    Directory,
    ListedPerson,
    ListedProject,
    StatedCredits,
    TimeSpent,
)
from haikei.trackers.contract.feed import EventKind
from haikei.trackers.contract.review import (
    NoteWrite,
    PlaylistRequest,
    ReplyWrite,
    ReviewWrite,
    SeenNote,
    SeenVersion,
    StatusWrite,
)
from haikei.trackers.contract.visitors import Selected, SignedIn


@dataclass(slots=True, kw_only=True)
class MemoryCreditDesk:
    """
    Implements `CreditDesk`.

    Args:
        persons: everybody, by each word that they are known by: id, login, full name.
        keys: the key of each version of ours, by its id.
        rows: the version's own row and those of its files, by the version's id.
        stated: the credits that stand on each of these rows, by type and id.
        users: whose each version is, by its id, once somebody is named later.
        time: what was logged, by project.
    """

    persons: dict[str, Person] = field(default_factory=dict[str, Person])
    keys: dict[int, str] = field(default_factory=dict[int, str])
    rows: dict[int, tuple[Row, ...]] = field(default_factory=dict[int, tuple[Row, ...]])
    stated: dict[tuple[str, int], StatedCredits] = field(
        default_factory=dict[tuple[str, int], StatedCredits]
    )
    users: dict[int, str] = field(default_factory=dict[int, str])
    time: dict[str, list[TimeSpent]] = field(default_factory=dict[str, list[TimeSpent]])

    def write(self, rows: Sequence[CreditRow], *, dry_run: bool = False) -> CreditsWritten:
        """Write the credits where they differ; with `dry_run` only count."""
        unknown = tuple(one.version for one in rows if self.keys.get(one.version) != one.key)
        differing = [
            (one.stated, (row.type, row.id))
            for one in rows
            if one.version not in unknown
            for row in self.rows[one.version]
            if self.stated.get((row.type, row.id)) != one.stated
        ]
        if not dry_run:
            for one in rows:
                if one.artist and one.version not in unknown:
                    self.users.setdefault(one.version, one.artist)
            self.stated.update({where: stated for stated, where in differing})
        return CreditsWritten(changed=len(differing), unknown=unknown)

    def hours(self, project: str) -> tuple[TimeSpent, ...]:
        """
        Return all time that was logged in a project, in order of date.

        Raises:
            TrackerRejected: there is no such project.
        """
        if project not in self.time:
            raise TrackerRejected(f"The tracker has no project {project!r}.")
        return tuple(sorted(self.time[project], key=lambda spent: spent.date))

    def people(self, known: Sequence[str]) -> Mapping[str, Person]:
        """Return those people who are known by these words."""
        return {word: self.persons[word] for word in known if word in self.persons}

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True, kw_only=True)
class MemoryPlaylist:
    """A playlist as it stands."""

    row: Row
    project: Row
    key: str = ""  #: empty when a person made it
    versions: list[int] = field(default_factory=list[int])


@dataclass(slots=True, kw_only=True)
class MemoryPlaylistDesk:
    """Implements `PlaylistDesk`; `attached` is the files of each row, by type and id."""

    playlists: dict[int, MemoryPlaylist] = field(default_factory=dict[int, MemoryPlaylist])
    attached: dict[tuple[str, int], list[str]] = field(
        default_factory=dict[tuple[str, int], list[str]]
    )

    def make(self, project: Row, name: str, *, key: str = "") -> MemoryPlaylist:
        """Make a playlist, as a person does; `key` is ours alone."""
        row = Row(type="Playlist", id=500 + len(self.playlists), name=name)
        self.playlists[row.id] = made = MemoryPlaylist(row=row, project=project, key=key)
        return made

    def collect(self, request: PlaylistRequest) -> Row:
        """Make the playlist once, with our versions first and what people added after them."""
        here = [one for one in self.playlists.values() if one.project.id == request.project.id]
        ours = (one for one in here if one.key == request.key)
        free = (one for one in here if not one.key and one.row.name == request.name)
        found = next(ours, None) or next(free, None)
        if found is None:
            found = self.make(request.project, request.name, key=request.key)
        added = [one for one in found.versions if one not in request.versions]
        found.versions = [*request.versions, *added]
        return found.row

    def attach(self, row: Row, file: Path, name: str) -> None:
        """Attach a file; one of that name is attached once."""
        if not file.is_file():
            raise TrackerRejected(f"{file} is no file that could be attached.")
        names = self.attached.setdefault((row.type, row.id), [])
        if name not in names:
            names.append(name)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True, kw_only=True)
class MemoryCheckpointBoard:
    """Implements `CheckpointBoard`; `notes` is what stands on each project that there is."""

    notes: dict[str, str] = field(default_factory=dict[str, str])

    def post(self, notes: Mapping[str, str]) -> tuple[str, ...]:
        """Show a note on each of these projects; return those that are not there."""
        self.notes.update({name: note for name, note in notes.items() if name in self.notes})
        return tuple(name for name in notes if name not in self.notes)

    def posted(self, projects: Sequence[str]) -> Mapping[str, str]:
        """Return the notes that stand on these projects now."""
        return {name: self.notes[name] for name in projects if self.notes.get(name)}

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True, kw_only=True)
class MemorySelectionDesk:
    """
    Implements `SelectionDesk`.

    Args:
        rows: those that can be selected, by type and id.
        layouts: the newest layouts of each Shot.
        people: who is active.
    """

    rows: dict[tuple[str, int], Selected] = field(default_factory=dict[tuple[str, int], Selected])
    layouts: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    people: tuple[SignedIn, ...] = ()

    def read(self, entity_type: str, ids: Sequence[int]) -> tuple[Selected, ...]:
        """Return those rows that there are, in the order of the ids."""
        return tuple(self.rows[entity_type, one] for one in ids if (entity_type, one) in self.rows)

    def layouts_of(self, shots: Sequence[int]) -> tuple[int, ...]:
        """Return the newest layout of each name of these Shots."""
        return tuple(layout for shot in shots for layout in self.layouts.get(shot, ()))

    def person(self, login: str) -> SignedIn | None:
        """Return the active person with this login."""
        return next((one for one in self.people if one.login == login), None)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True, kw_only=True)
class MemoryDirectory:
    """Implements `DirectoryReader`; projects and people by their ids."""

    projects: dict[str, ListedProject] = field(default_factory=dict[str, ListedProject])
    people: dict[str, ListedPerson] = field(default_factory=dict[str, ListedPerson])

    def read(self) -> Directory:
        """Return all projects and people."""
        return Directory(projects=tuple(self.projects.values()), people=tuple(self.people.values()))


def _now() -> datetime:
    return datetime.now(UTC)


def _unheard(_kind: EventKind, _row: int, *, by_us: bool) -> None: ...


def _all_projects(_project: str) -> bool:
    return True


@dataclass(slots=True, kw_only=True)
class MemoryReviewDesk:
    """
    Implements `ReviewDesk` over versions, Notes and statuses.

    Args:
        people: who can sign in, by login.
        version_statuses: the codes that a Version may have.
        task_statuses: the codes that a Task may have.
        clock: gives the present moment.
        on_event: called with what happened, its row, and whether it was done by us.
        heeds: tells whether a project is one of `tracker.projects`.
    """

    people: dict[str, Person] = field(default_factory=dict[str, Person])
    version_statuses: tuple[str, ...] = ("rev", "apr", "fin", "rtk", "hld", "omt")
    task_statuses: tuple[str, ...] = ("wtg", "ip", "fin")
    clock: Callable[[], datetime] = _now
    on_event: Callable[..., None] = _unheard
    heeds: Callable[[str], bool] = _all_projects
    versions: dict[int, SeenVersion] = field(default_factory=dict[int, SeenVersion])
    task_status: dict[int, str] = field(default_factory=dict[int, str])
    written: dict[str, Row] = field(default_factory=dict[str, Row])
    addressed: dict[str, NoteWrite] = field(default_factory=dict[str, NoteWrite])
    answers: dict[str, ReplyWrite] = field(default_factory=dict[str, ReplyWrite])
    changed_at: dict[int, datetime] = field(default_factory=dict[int, datetime])
    next_note: int = 101

    def add(self, version: SeenVersion) -> None:
        """Put a version of ours into the tracker."""
        self.versions[version.version.id] = version
        self.changed_at[version.version.id] = self.clock()

    def delete(self, version: int) -> None:
        """Delete a version."""
        del self.versions[version]

    def set_status(self, version: int, status: str, by: Person | None) -> None:
        """Set a version's status as a person does in the tracker; None: as a script does."""
        seen = self.versions[version]
        if seen.status != status:
            self.changed_at[version] = now = self.clock()
            self.versions[version] = replace(seen, status=status, status_by=by, status_at=now)
            self.on_event(EventKind.VERSION_CHANGED, version, by_us=by is None)

    def note(
        self,
        version: int,
        text: str,
        by: Person | None,
        *,
        reply_to: int | None = None,
        by_us: bool = False,
    ) -> int:
        """Write a Note on a version, or a Reply to one, as a person does; return its id."""
        written = SeenNote(
            id=self.next_note,
            reply_to=reply_to,
            author=by,
            by_us=by_us,
            text=text,
            created_at=self.clock(),
        )
        self.next_note += 1
        self._show(version, written)
        kind = EventKind.NOTE_CHANGED if reply_to is None else EventKind.REPLY_CHANGED
        self.on_event(kind, written.id, by_us=by_us)
        return written.id

    def delete_note(self, version: int, note: int) -> None:
        """Delete a Note."""
        seen = self.versions[version]
        left = tuple(one for one in seen.notes if one.id != note)
        self.versions[version] = replace(seen, notes=left)

    def about(self, note: int) -> tuple[int, ...]:
        """Return the versions on which a Note or Reply stands."""
        return tuple(
            number
            for number, seen in self.versions.items()
            if any(one.id == note for one in seen.notes) and self.heeds(seen.project.name)
        )

    def look(self, versions: Sequence[int]) -> tuple[SeenVersion, ...]:
        """Return those of the versions that there are, in heeded projects."""
        found = (self.versions[one] for one in versions if one in self.versions)
        return tuple(seen for seen in found if self.heeds(seen.project.name))

    def changed(self, since: datetime) -> tuple[int, ...]:
        """Return the versions that changed since then, in order of id."""
        return tuple(sorted(one for one, at in self.changed_at.items() if at >= since))

    def write(self, change: ReviewWrite) -> Row:
        """
        Write one change, once.

        Raises:
            TrackerRejected: there is no such row, or it may not have that status.
        """
        if isinstance(change, StatusWrite):
            return self._set(change)
        if change.key in self.written:
            return self.written[change.key]
        row = self._note(change) if isinstance(change, NoteWrite) else self._reply(change)
        self.written[change.key] = row
        return row

    def statuses(self, entity_type: str) -> tuple[str, ...]:
        """Return the codes that rows of this type may have."""
        return self.version_statuses if entity_type == "Version" else self.task_statuses

    def close(self) -> None:
        """Nothing is open."""

    def _set(self, change: StatusWrite) -> Row:
        if change.status not in self.statuses(change.row.type):
            raise TrackerRejected(
                f"{change.status!r} is not a valid status of a {change.row.type}.",
                advice="Correct review.statuses.",
            )
        if change.row.type != "Version":
            self.task_status[change.row.id] = change.status
        elif change.row.id in self.versions:
            self.set_status(change.row.id, change.status, self.people.get(change.by))
        else:
            raise TrackerRejected(f"The tracker has no Version {change.row.id}.")
        return change.row

    def _note(self, change: NoteWrite) -> Row:
        self.addressed[change.key] = change
        versions = [
            link.id for link in change.links if link.type == "Version" and link.id in self.versions
        ]
        author = self.people.get(change.by)
        if not versions:
            # It stands on a playlist or a shot, where no reviewer looks.
            self.next_note += 1
            return Row(type="Note", id=self.next_note - 1, name=change.subject)
        first, *others = versions
        number = self.note(first, change.text, author, by_us=not change.by)
        for other in others:
            self._show(other, self._seen(number))
        return Row(type="Note", id=number, name=change.subject)

    def _reply(self, change: ReplyWrite) -> Row:
        self.answers[change.key] = change
        about = self.about(change.note)
        if not about:
            raise TrackerRejected(f"The tracker has no Note {change.note}.")
        number = self.note(about[0], change.text, None, reply_to=change.note, by_us=True)
        if change.link is not None and change.link.id not in about:
            self._show(change.link.id, self._seen(change.note))
        return Row(type="Reply", id=number, name="")

    def _seen(self, note: int) -> SeenNote:
        return next(one for seen in self.versions.values() for one in seen.notes if one.id == note)

    def _show(self, version: int, note: SeenNote) -> None:
        seen = self.versions[version]
        self.versions[version] = replace(seen, notes=(*seen.notes, note))
        self.changed_at[version] = self.clock()
