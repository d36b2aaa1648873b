"""Read again where ids were missing."""

from collections.abc import Sequence

import structlog

from haikei.eventlog import metrics
from haikei.eventlog.gaps import Gap, Reach, holding, reaches, without
from haikei.trackers import FeedEvent, TrackerFeed

log = structlog.get_logger()

#: Ranges read again in one poll: many gaps cost each poll a little, and none of them much.
_REACHES = 2


class GapReader:
    """
    Reads open gaps again, a few ranges at a time and in turn.

    Args:
        feed: the event log.
        limit: rows read in one call.
    """

    def __init__(self, feed: TrackerFeed, limit: int) -> None:
        self._feed = feed
        self._limit = limit
        self._next = 0

    def read(self, gaps: Sequence[Gap], clock: float) -> tuple[Sequence[FeedEvent], Sequence[Gap]]:
        """
        Return the events that have appeared in some of the gaps, and the gaps still open.

        A gap is given up when its deadline has passed and it was read once more after that.

        Raises:
            TrackerError: the site does not answer, or refuses.
        """
        ranges = reaches(gaps, self._limit)
        start = self._next % len(ranges)
        chosen = [*ranges[start:], *ranges[:start]][:_REACHES]
        self._next = start + len(chosen)
        events = [event for reach in chosen for event in self._within(reach)]
        held = holding(gaps, [event.id for event in events])
        appeared = [event for event in events if event.id in held]
        left: list[Gap] = []
        for gap in without(gaps, held):
            looked = any(reach.first <= gap.first <= reach.last for reach in chosen)
            if looked and gap.deadline <= clock:
                log.info("event_ids_given_up", first=gap.first, last=gap.last)
                metrics.GIVEN_UP.labels(self._feed.name).inc(gap.last - gap.first + 1)
            else:
                left.append(gap)
        return appeared, left

    def _within(self, reach: Reach) -> Sequence[FeedEvent]:
        found: list[FeedEvent] = []
        after = reach.first - 1
        while True:
            page = self._feed.events(after=after, until=reach.last, limit=self._limit)
            found += page
            if len(page) < self._limit:
                return found
            after = page[-1].id
