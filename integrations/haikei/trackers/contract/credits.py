"""
The parts of a tracker that show credits, hours, the ledger's signed head, and a directory.

The directory lists projects and people, to check names in settings against.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from haikei.credits import Person
from haikei.names import is_japanese_name
from haikei.settings import PersonEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCredits:
    """Who made a version, in the words of the tracker's fields."""

    credit_en: str
    credit_ja: str
    roles: str  #: one line a role, such as `genzu: Yuki Tanaka (HumanUser:12)`
    system: str  #: what made the pixels, with version; empty when people did
    source_type: str  #: IPTC Digital Source Type term
    ledger_index: int  #: the ledger's entry of the version's own image; the first is 0
    record_link: str  #: the full record: a path below its storage root, or a URL


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRow:
    """The credits of one version, for its Version and each of its files."""

    version: int  #: the Version's row
    key: str  #: ours; a Version that carries another key is not touched
    stated: StatedCredits
    artist: str = ""  #: the id of who drew the layout, for a Version that is nobody's yet


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsWritten:
    """What became of the credits of some versions."""

    changed: int  #: rows, Versions and files, in which something was different
    unknown: tuple[int, ...]  #: of the Versions: not there, or not ours


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpent:
    """Time that was logged in the tracker."""

    person: Person  #: with an empty id when the row names nobody
    shot: str  #: empty when it was logged for something else than a shot or its task
    sequence: str  #: empty when unknown
    step: str  #: the pipeline step's name, else the task's; empty when it was logged for no task
    minutes: int
    date: date
    episode: str = ""  #: empty when the tracker has none


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedNames:
    """What a tracker calls a person; empty where it says nothing."""

    shown: str  #: as people see it
    family: str
    given: str
    japanese: str = ""  #: the whole name, family name first
    latin: str = ""  #: the whole name, given name first, where those above are Japanese
    kana: str = ""  #: its reading
    known: tuple[str, ...] = ()  #: logins and addresses

    @property
    def written(self) -> tuple[str, str]:
        """The name as credits print it in English, and in Japanese."""
        if is_japanese_name(f"{self.family}{self.given}" or self.shown):
            # Trackers show the given name first, which no line of Japanese names does.
            whole = f"{self.family} {self.given}" if self.family and self.given else self.shown
            return self.latin or whole, self.japanese or whole
        if self.family and self.given:
            return self.latin or f"{self.given} {self.family}", self.japanese
        return self.shown, self.japanese

    @property
    def logins(self) -> tuple[str, ...]:
        """Every login and name by which consent and lists may know the person."""
        known = (*self.known, self.shown, self.written[0], self.kana)
        return tuple(dict.fromkeys(filter(None, known)))

    def person(self, id_: str, listed: Sequence[PersonEntry]) -> Person:
        """Return the person as credits name them: what the studio's own list says comes first."""
        name, japanese = self.written
        entry = next((one for one in listed if one.means(id_, (*self.logins, japanese))), None)
        if entry is None:
            return Person(id=id_, name=name, name_ja=japanese)
        # A list may know the Japanese name alone, and the tracker its Latin form.
        keeps = is_japanese_name(entry.name) and not is_japanese_name(name)
        return Person(
            id=id_,
            name=name if keeps else entry.name,
            name_ja=entry.name_ja or japanese,
            opt_out=entry.opt_out,
        )


class CreditDesk(Protocol):
    """A tracker's credits and hours. One object belongs to one thread."""

    def write(self, rows: Sequence[CreditRow], *, dry_run: bool = False) -> CreditsWritten:
        """
        Write the credits where they differ from what stands; with `dry_run` only count.

        A Version that is nobody's becomes the artist's whom its row names, where it names one.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def hours(self, project: str) -> tuple[TimeSpent, ...]:
        """
        Return all time that was logged in a project, in order of date.

        Raises:
            TrackerRejected: there is no such project, or it is refused.
            TrackerUnavailable: the tracker does not answer.
        """
        ...

    def people(self, known: Sequence[str]) -> Mapping[str, Person]:
        """
        Return people as the tracker names them today, by their id, login, address or full name.

        What nobody is known by, or more than one person, is left out.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        ...


class CheckpointBoard(Protocol):
    """Where a tracker shows the ledger's newest head on its projects."""

    def post(self, notes: Mapping[str, str]) -> tuple[str, ...]:
        """
        Show a signed note on each of these projects; return those projects that are not there.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def posted(self, projects: Sequence[str]) -> Mapping[str, str]:
        """
        Return the notes that stand on these projects now, by project.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedProject:
    """A project and what it is called."""

    id: str  #: such as `Project:12`
    path_name: str  #: in paths
    title: str  #: what people see


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPerson:
    """A person, and every name and login of theirs."""

    person: Person
    names: tuple[str, ...]
    reading: str = ""  #: of the name, in kana, where the tracker has a field for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """All projects and people of a tracker."""

    projects: tuple[ListedProject, ...]
    people: tuple[ListedPerson, ...]


class DirectoryReader(Protocol):
    """The list of a tracker's projects and people."""

    def read(self) -> Directory:
        """
        Return all projects and people, as the tracker names them.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...
