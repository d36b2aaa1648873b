"""Which day a moment belongs to, where a day ends at its close and not at midnight."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

_DAY = timedelta(days=1)


def closing(day: date, close_at: str, zone: tzinfo | None = None) -> datetime:
    """
    Return the moment at which a day is finished, in UTC.

    Where clocks are set, an hour that comes twice means the first one, and one that never comes
    means as long after midnight as it would have been.

    Args:
        day: the local date.
        close_at: local time, such as `18:00`.
        zone: the studio's; by default this machine's.
    """
    local = datetime.combine(day, time.fromisoformat(close_at), tzinfo=zone)
    # Without a zone, Python takes this machine's.
    return local.astimezone(UTC)


def day_at(now: datetime, close_at: str, zone: tzinfo | None = None) -> date:
    """Return the day on which a version that arrives now is shown: after the close, tomorrow."""
    today = now.astimezone(zone).date()
    return today if now < closing(today, close_at, zone) else today + _DAY


def next_day(day: date) -> date:
    """Return the day after."""
    return day + _DAY
