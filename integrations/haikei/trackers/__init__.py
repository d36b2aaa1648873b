"""Whom do we talk to? The seams to a tracker, and the adapters."""

from haikei.trackers.contract.credits import (
    CheckpointBoard,
    CreditDesk,
    CreditRow,
    CreditsWritten,
    StatedCredits,
    TimeSpent,
)
from haikei.trackers.contract.feed import FeedEvent, PublishedLayout, TrackerFeed
from haikei.trackers.contract.playlists import PlaylistDesk, PlaylistRequest
from haikei.trackers.contract.review import (
    NoteWrite,
    ReplyWrite,
    ReviewDesk,
    ReviewWrite,
    SeenNote,
    SeenVersion,
    StatusWrite,
)
from haikei.trackers.contract.tracker import (
    ContextRequest,
    LayoutContext,
    PublishedImage,
    PublishRequest,
    PublishResult,
    TrackerAdapter,
)
from haikei.trackers.loading import (
    load_board,
    load_desk,
    load_playlist_desk,
    load_review_desk,
    load_tracker,
    tracker_key,
)

__all__ = [
    "CheckpointBoard",
    "ContextRequest",
    "CreditDesk",
    "CreditRow",
    "CreditsWritten",
    "FeedEvent",
    "LayoutContext",
    "NoteWrite",
    "PlaylistDesk",
    "PlaylistRequest",
    "PublishRequest",
    "PublishResult",
    "PublishedImage",
    "PublishedLayout",
    "ReplyWrite",
    "ReviewDesk",
    "ReviewWrite",
    "SeenNote",
    "SeenVersion",
    "StatedCredits",
    "StatusWrite",
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
