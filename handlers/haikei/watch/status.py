"""How the watcher is doing, for logs and metrics."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchStatus:
    """A snapshot; all counts are since the watcher began."""

    folders: int = 0  #: known in all trees
    known: int = 0  #: files judged in their present state
    pending: int = 0  #: files that are not known to be complete yet
    oldest_pending: float = 0.0  #: seconds
    judging: int = 0  #: files at the readers or waiting for them
    unrecorded: int = 0  #: judged files that the database has not taken yet
    database_failures: int = 0  #: times that the database did not take them
    published: int = 0  #: layouts that were news to the inbox
    refused: int = 0
    found_by_scan: int = 0  #: files in natively watched trees of which no event told
    overflows: int = 0  #: times that the kernel's event queue ran over
    walks: int = 0  #: full walks completed
    last_walk: float = 0.0  #: seconds that the last full walk of all trees took
    away: tuple[str, ...] = ()  #: watched folders that cannot be reached now
