"""What a tracker is: one adapter, and the parts that it may have."""

from haikei.trackers.contract.credits import KeepsCredits
from haikei.trackers.contract.review import TakesReviews
from haikei.trackers.contract.visiting import (
    MENU,
    MENU_PATH,
    WEBHOOK_PATH,
    MenuAction,
    Selected,
    SelectionDesk,
    SignedIn,
)

__all__ = [
    "MENU",
    "MENU_PATH",
    "WEBHOOK_PATH",
    "KeepsCredits",
    "MenuAction",
    "Selected",
    "SelectionDesk",
    "SignedIn",
    "TakesReviews",
]
