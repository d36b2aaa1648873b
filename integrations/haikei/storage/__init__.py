"""Where published files go: path templates, version numbers and atomic writes."""

from haikei.storage.folders import PlacedLayout
from haikei.storage.publications import PublishedRecord
from haikei.storage.storage import Storage

__all__ = ["PlacedLayout", "PublishedRecord", "Storage"]
