"""A `Retry-After` header is read as RFC 9110 writes it, and bounded."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from haikei.retry_after import seconds_to_wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("9" * 400, 600.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 600.0),
        ("", None),
        ("soon", None),
        ("-5", 0.0),
        ("1.5", 1.5),
        ("nan", 0.0),
        ("inf", 600.0),
        ("Fri, 99 Foo 2026 00:00:00 GMT", None),
        (None, None),
        (7, None),
    ],
)
def test_seconds_and_moments_are_read_and_bounded(header: object, seconds: float | None) -> None:
    assert seconds_to_wait(header, most=600.0) == seconds


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000"])
def test_a_moment_to_come_is_waited_for(zone: str) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(hours=2)).replace("+0000", zone)
    waited = seconds_to_wait(moment)

    assert waited is not None
    assert 3600 < waited <= 7200
