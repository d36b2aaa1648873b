"""Where to begin in an event log that was never followed, or is not the one it was."""

from datetime import datetime, timedelta

from haikei.database import utc_now
from haikei.eventlog.cursor import Progress
from haikei.trackers import TrackerFeed

_FIRST_STEP = 500
#: A site without events says nothing of its clock.
_SKEW = timedelta(hours=1)


def begin(feed: TrackerFeed, *, overlap: timedelta) -> Progress:
    """
    Return the position from which all events of the last `overlap` before the newest are ahead.

    It is found in a few reads of one row each, every one four times as far back.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    newest = feed.newest()
    latest = feed.events(after=newest - 1, until=newest, limit=1) if newest else ()
    if not latest:
        return _at_zero(utc_now() - overlap - _SKEW)
    since = latest[0].created_at - overlap
    step = _FIRST_STEP
    while step < newest:
        found = feed.events(after=newest - step, until=newest, limit=1)
        if found and found[0].created_at < since:
            return Progress(
                frontier=found[0].id,
                frontier_at=found[0].created_at,
                clock=0.0,
                since=since,
                reconciled_at=None,
                gaps=(),
            )
        step *= 4
    return _at_zero(since)


def _at_zero(since: datetime) -> Progress:
    return Progress(
        frontier=0, frontier_at=None, clock=0.0, since=since, reconciled_at=None, gaps=()
    )
