"""The file-system handler: folders in, `LayoutPublished` and `TouchUpPublished` out."""

from haikei.watch.filetable import rearm
from haikei.watch.limits import watch_findings
from haikei.watch.status import WatchStatus
from haikei.watch.watcher import Watcher

__all__ = ["WatchStatus", "Watcher", "rearm", "watch_findings"]
