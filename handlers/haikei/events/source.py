"""Who tells us that something happened."""

from enum import StrEnum


class Source(StrEnum):
    """Who told us."""

    WATCH = "watch"
    EVENT_LOG = "event_log"
    RECONCILIATION = "reconciliation"
    BACKFILL = "backfill"
    COMMAND = "command"
    WEBHOOK = "webhook"
    PAGE = "page"
    MENU = "menu"
