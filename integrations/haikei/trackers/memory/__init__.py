"""A tracker in memory: the whole contract without a site, for tests of plug-ins and for trying out.

What is kept is forgotten with the process. People's side, what they would do in the tracker's own
pages, is in plain methods: `add_shot`, `review.set_status`, `review.note`, `feed.publish`.
"""

from haikei.trackers.memory.desks import (
    MemoryCheckpointBoard,
    MemoryCreditDesk,
    MemoryPlaylistDesk,
    MemoryReviewDesk,
    MemorySelectionDesk,
)
from haikei.trackers.memory.feed import MemoryFeed
from haikei.trackers.memory.tracker import MemoryTracker, open_memory

__all__ = [
    "MemoryCheckpointBoard",
    "MemoryCreditDesk",
    "MemoryFeed",
    "MemoryPlaylistDesk",
    "MemoryReviewDesk",
    "MemorySelectionDesk",
    "MemoryTracker",
    "open_memory",
]
