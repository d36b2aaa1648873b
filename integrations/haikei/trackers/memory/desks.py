"""Credits, hours, playlists, heads, selected rows and the directory of a tracker in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from haikei.credits import Person
from haikei.errors import TrackerRejected
from haikei.show import Row
from haikei.trackers.contract.credits import CreditRow, CreditsWritten, StatedCredits, TimeSpent
from haikei.trackers.contract.directory import Directory, ListedPerson, ListedProject
from haikei.trackers.contract.playlists import PlaylistRequest
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
