"""Where the studio's own state lives: one database, one schema, one way to open it."""

from haikei.database.connection import open_database, reading
from haikei.database.moments import Moment, utc_now
from haikei.database.schema import (
    events,
    feed_cursors,
    feed_gaps,
    feed_rows,
    files,
    image_records,
    jobs,
    ledger,
    metadata,
)

__all__ = [
    "Moment",
    "events",
    "feed_cursors",
    "feed_gaps",
    "feed_rows",
    "files",
    "image_records",
    "jobs",
    "ledger",
    "metadata",
    "open_database",
    "reading",
    "utc_now",
]
