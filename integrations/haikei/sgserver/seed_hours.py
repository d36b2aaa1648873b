"""Hours of the small studio: what its people logged for layouts and for painting over."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from haikei.sgserver.seed_empty import find_or_create
from haikei.sgserver.site import Site
from haikei.sgserver.values import Row

_SATURDAY = 5


def log_hours(
    site: Site,
    *,
    project: Row,
    task: Row,
    artist: Row,
    minutes: Sequence[int],
    first: date,
    description: str,
) -> None:
    """Log time for a task, a row for each weekday from the first; what is there stays as it is."""
    for day, spent in zip(_weekdays(first), minutes, strict=False):
        find_or_create(
            site,
            "TimeLog",
            {"entity": task, "user": artist, "date": day.isoformat()},
            {"project": project, "duration": spent, "description": description},
        )


def _weekdays(first: date) -> Iterator[date]:
    day = first
    while True:
        if day.weekday() < _SATURDAY:
            yield day
        day += timedelta(days=1)
