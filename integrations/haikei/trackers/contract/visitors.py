"""The parts of a tracker that lead people to our pages: sign-in, menus, selected rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from haikei.show import Place

if TYPE_CHECKING:
    from pydantic import SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """An active person of the site."""

    login: str
    name: str
    person_id: str  #: such as `HumanUser:12`


class PasswordCheck(Protocol):
    """Lets the tracker check a password; threads may share it."""

    def __call__(self, login: str, password: "SecretStr", /, *, code: str = "") -> SignedIn | None:
        """
        Return who has this login and password; None when nobody active has.

        Args:
            login: as the person wrote it.
            password: sent to the tracker alone and kept nowhere.
            code: the one-time code, where the tracker asks for a second factor.

        Raises:
            TrackerError: the tracker does not answer.
        """
        ...


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


#: Below the public address; the action's name follows.
MENU_PATH = "/menu"


class MenuAction(StrEnum):
    """What a menu item asks for; the last part of its address."""

    GENERATE = "generate"
    RETAKE = "retake"
    CREDITS = "credits"
    OPEN = "open"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuItem:
    """One item, in the menus of these types of rows."""

    action: MenuAction
    title: str
    entity_types: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its address below the public one."""
        return f"{MENU_PATH}/{self.action.value}"


MENU = (
    MenuItem(
        action=MenuAction.GENERATE,
        title="Generate background",
        entity_types=("Shot", "PublishedFile"),
    ),
    MenuItem(action=MenuAction.RETAKE, title="Retake with …", entity_types=("Version",)),
    MenuItem(
        action=MenuAction.CREDITS,
        title="Show credits",
        entity_types=("Version", "Shot", "PublishedFile"),
    ),
    MenuItem(
        action=MenuAction.OPEN,
        title="Open in Haikei",
        entity_types=("Version", "Shot", "PublishedFile"),
    ),
    MenuItem(
        action=MenuAction.REFUSED,
        title="Why was this refused?",
        entity_types=("Shot", "PublishedFile"),
    ),
)
