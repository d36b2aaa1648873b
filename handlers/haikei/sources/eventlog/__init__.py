"""The event-log handler: the tracker's rows in, events and wakes out."""

from haikei.sources.eventlog.arrivals import BackfillEntry, BackfillOutcome
from haikei.sources.eventlog.follower import Follower, PollResult

__all__ = ["BackfillEntry", "BackfillOutcome", "Follower", "PollResult"]
