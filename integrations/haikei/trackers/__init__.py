"""Whom do we talk to? The seams to a tracker, and the adapters."""

from haikei.trackers.feed import FeedEvent, PublishedLayout, TrackerFeed
from haikei.trackers.loading import load_tracker, tracker_key
from haikei.trackers.tracker import (
    ContextRequest,
    Finding,
    LayoutContext,
    Place,
    PublishedImage,
    PublishRequest,
    PublishResult,
    Row,
    StoredFile,
    TrackerAdapter,
)

__all__ = [
    "ContextRequest",
    "FeedEvent",
    "Finding",
    "LayoutContext",
    "Place",
    "PublishRequest",
    "PublishResult",
    "PublishedImage",
    "PublishedLayout",
    "Row",
    "StoredFile",
    "TrackerAdapter",
    "TrackerFeed",
    "load_tracker",
    "tracker_key",
]
