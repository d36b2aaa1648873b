"""Where a tracker finds Haikei's pages: the items in its menus, and its webhooks."""

from dataclasses import dataclass
from enum import StrEnum

#: Below the public address; the action's name follows.
MENU_PATH = "/menu"
#: Below the public address.
WEBHOOK_PATH = "/webhooks/shotgrid"


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
