"""The seam between pages and the tracker: who comes from there, and what they have selected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from haikei.trackers.tracker import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """An active person of the site."""

    login: str
    name: str
    person_id: str  #: such as `HumanUser:12`


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """One row, and where it belongs."""

    type: str
    id: int
    place: Place  #: the shot is empty when it belongs to none
    version: int | None  #: the Version that it is, or that its file belongs to


class SelectionDesk(Protocol):
    """The tracker's rows, read anew: a form's word is not taken for them. For one thread."""

    def read(self, entity_type: str, ids: Sequence[int]) -> tuple[Selected, ...]:
        """Return those rows that there are, in the order of the ids; nothing for other types."""
        ...

    def layouts_of(self, shots: Sequence[int]) -> tuple[int, ...]:
        """Return the newest layout of each name that is linked to these Shots."""
        ...

    def person(self, login: str) -> SignedIn | None:
        """Return the active person with this login."""
        ...

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        ...
