"""A day ends at its close, whatever the clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from haikei.dailies.summary import closing, day_at

TOKYO, BERLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")


def test_after_the_close_it_is_tomorrow_also_over_midnight() -> None:
    def day(hour: int, minute: int = 0, *, of: int = 22) -> date:
        return day_at(datetime(2026, 11, of, hour, minute, tzinfo=TOKYO), "18:00", TOKYO)

    assert day(0) == day(9) == day(17, 59) == date(2026, 11, 22)
    assert day(18) == day(23, 59) == day(0, of=23) == day(17, 59, of=23) == date(2026, 11, 23)
    assert day(18, of=30) == date(2026, 12, 1)


def test_the_date_is_the_studios_own() -> None:
    # 08:30 on the 23rd in Tokyo.
    moment = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)

    assert day_at(moment, "18:00", TOKYO) == date(2026, 11, 23)
    assert closing(date(2026, 11, 23), "18:00", TOKYO) == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_close_at_midnight_ends_the_day_before() -> None:
    assert day_at(datetime(2026, 11, 22, 0, 0, tzinfo=TOKYO), "00:00", TOKYO) == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("day", "close_at", "hours"),
    [
        (date(2026, 3, 29), "18:00", 23),  # clocks go forward
        (date(2026, 10, 25), "18:00", 25),  # and back
        (date(2026, 10, 26), "02:30", 25),  # the day before, 02:30 came twice: the first counts
        (date(2026, 3, 29), "02:30", 24),  # 02:30 never comes: it is 03:30
    ],
)
def test_days_are_longer_and_shorter_where_clocks_are_set(
    day: date, close_at: str, hours: int
) -> None:
    before = closing(day - timedelta(days=1), close_at, BERLIN)

    assert closing(day, close_at, BERLIN) - before == timedelta(hours=hours)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
@pytest.mark.parametrize("close_at", ["00:00", "02:30", "03:00", "18:00", "23:59"])
def test_every_moment_is_before_the_close_of_its_day_and_not_before_that_of_the_one_before(
    day: date, close_at: str
) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=30)
    for minutes in range(0, 60 * 60, 10):
        moment = start + timedelta(minutes=minutes)
        found = day_at(moment, close_at, BERLIN)
        assert moment < closing(found, close_at, BERLIN)
        assert moment >= closing(found - timedelta(days=1), close_at, BERLIN)


def test_without_a_zone_it_is_this_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert closing(date(2026, 11, 23), "18:00") == datetime(2026, 11, 23, 9, tzinfo=UTC)
        assert day_at(datetime(2026, 11, 23, 9, tzinfo=UTC), "18:00") == date(2026, 11, 24)
    finally:
        monkeypatch.undo()
        time.tzset()
