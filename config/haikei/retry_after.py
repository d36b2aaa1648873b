"""
How long an answer over HTTP asks to wait.

Source: RFC 9110, section 10.2.3.
"""

import math
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_to_wait(header: object, *, most: float = math.inf) -> float | None:
    """
    Return the seconds that a `Retry-After` header asks for, 0 or more; None where it is illegible.

    Args:
        header: its value: seconds, or a moment, which is in UTC where it names no zone.
        most: the longest wait that is given back.
    """
    if not isinstance(header, str):
        return None
    with suppress(ValueError):
        # Some sites write fractions. In this order what is no number at all becomes 0.
        return min(max(0.0, float(header)), most)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), most)
