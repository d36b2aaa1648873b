"""The file-system handler: folders in, `LayoutPublished` and `TouchUpPublished` out."""

from haikei.sources.watch.file_table import rearm
from haikei.sources.watch.limits import watch_findings
from haikei.sources.watch.watcher import Watcher, WatchStatus

__all__ = ["WatchStatus", "Watcher", "rearm", "watch_findings"]
