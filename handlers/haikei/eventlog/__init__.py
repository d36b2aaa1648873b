"""The event-log handler: the tracker's rows in, events and wakes out."""

from haikei.eventlog.backfill import BackfillEntry, Outcome
from haikei.eventlog.follower import Follower, PollResult

__all__ = ["BackfillEntry", "Follower", "Outcome", "PollResult"]
