"""The part of a tracker that lists its projects and people, to check names in settings against."""

from dataclasses import dataclass
from typing import Protocol

from haikei.credits import Person


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
