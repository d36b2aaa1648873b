"""Whom do we talk to? The seams to a tracker, and the adapters."""

from haikei.trackers.checkpoints import CheckpointBoard
from haikei.trackers.crediting import (
    CreditDesk,
    CreditRow,
    CreditsWritten,
    StatedCredits,
    TimeSpent,
)
from haikei.trackers.feed import FeedEvent, PublishedLayout, TrackerFeed
from haikei.trackers.loading import (
    load_board,
    load_desk,
    load_playlist_desk,
    load_review_desk,
    load_tracker,
    tracker_key,
)
from haikei.trackers.playlists import PlaylistDesk, PlaylistRequest
from haikei.trackers.reviewing import (
    NoteWrite,
    ReplyWrite,
    ReviewDesk,
    ReviewWrite,
    SeenNote,
    SeenVersion,
    StatusWrite,
)
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
    "CheckpointBoard",
    "ContextRequest",
    "CreditDesk",
    "CreditRow",
    "CreditsWritten",
    "FeedEvent",
    "Finding",
    "LayoutContext",
    "NoteWrite",
    "Place",
    "PlaylistDesk",
    "PlaylistRequest",
    "PublishRequest",
    "PublishResult",
    "PublishedImage",
    "PublishedLayout",
    "ReplyWrite",
    "ReviewDesk",
    "ReviewWrite",
    "Row",
    "SeenNote",
    "SeenVersion",
    "StatedCredits",
    "StatusWrite",
    "StoredFile",
    "TimeSpent",
    "TrackerAdapter",
    "TrackerFeed",
    "load_board",
    "load_desk",
    "load_playlist_desk",
    "load_review_desk",
    "load_tracker",
    "tracker_key",
]
