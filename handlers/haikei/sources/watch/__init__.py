"""The file-system handler: folders in, `LayoutPublished` and `TouchUpPublished` out."""

from haikei.sources.watch.explaining import (
    Explanation,
    Outcome,
    TriedPath,
    WrittenPath,
    explain,
    standing_findings,
    try_path,
)
from haikei.sources.watch.file_table import rearm
from haikei.sources.watch.observer import watch_findings
from haikei.sources.watch.watcher import Watcher, WatchStatus

__all__ = [
    "Explanation",
    "Outcome",
    "TriedPath",
    "WatchStatus",
    "Watcher",
    "WrittenPath",
    "explain",
    "rearm",
    "standing_findings",
    "try_path",
    "watch_findings",
]
