"""The audit log of a Kitsu server, read to its end however much it holds."""

from datetime import UTC, datetime, timedelta

from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.rows import EventRow

PAGE = 1000  #: events that the server gives at most


def read_log(site: KitsuSite, after: datetime, before: datetime | None = None) -> list[EventRow]:
    """
    Return what the log holds of that time, oldest first, each event once.

    Raises:
        TrackerError: the server does not answer, or refuses.
    """
    found: dict[str, EventRow] = {}
    until = before
    while True:
        page = _page(site, after, until)
        fresh = [one for one in page if one.id not in found]
        found |= {one.id: one for one in fresh}
        if len(page) < PAGE:
            break
        # The next page begins within the second in which this one ends: moments are cut.
        oldest = page[-1].created_at + timedelta(seconds=1)
        if not fresh or oldest == until:
            oldest -= timedelta(seconds=1)
        until = oldest
    # Within one second the server's own order holds: the newest came first.
    order = list(found.values())
    order.reverse()
    order.sort(key=lambda one: one.created_at)
    return order


def _page(site: KitsuSite, after: datetime, before: datetime | None) -> tuple[EventRow, ...]:
    filters = {"after": _moment(after), "limit": str(PAGE)}
    if before is not None:
        filters["before"] = _moment(before)
    return site.rows(EventRow, "data/events/last", **filters)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
