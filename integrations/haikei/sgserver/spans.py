"""The stretches of time that relative date filters mean."""

import calendar
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from haikei.sgserver.faults import bad_request
from haikei.sgserver.values import Json, inspect

UNITS = ("HOUR", "DAY", "WEEK", "MONTH", "YEAR")


def shifted(moment: datetime, amount: int, unit: str) -> datetime:
    """Return a moment so many units later; months and years keep the day where they can."""
    match unit:
        case "HOUR":
            return moment + timedelta(hours=amount)
        case "DAY":
            return moment + timedelta(days=amount)
        case "WEEK":
            return moment + timedelta(weeks=amount)
        case _:
            months = amount if unit == "MONTH" else amount * 12
            return datetime.combine(
                _months_later(moment.date(), months), moment.timetz(), moment.tzinfo
            )


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year < date.min.year:
        return date.min
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def relative_span(
    relation: str, values: Sequence[Json], now: datetime
) -> tuple[datetime, datetime]:
    """
    Return the first and the last moment that `in_last` and `in_next` mean.

    Raises:
        Fault: the values are not a positive count and a unit.
    """
    if len(values) != 2:
        raise bad_request(
            f"API read() '{relation}' 'relation' expects a 2-element array: {inspect(values)}"
        )
    amount, unit = values
    if not isinstance(unit, str) or unit not in UNITS:
        raise bad_request(
            f"API read() '{relation}' 'relation' doesn't support the '{unit}' time unit: "
            f"{inspect(values)} Valid time units: {inspect(UNITS)}"
        )
    if isinstance(amount, bool) or not isinstance(amount, int) or amount <= 0:
        raise bad_request(
            f"API read() '{relation}' 'relation' expects at a positive Integer time unit: "
            f"{inspect(values)}"
        )
    try:
        other = shifted(now, -amount if relation.endswith("in_last") else amount, unit)
    except OverflowError:
        raise bad_request(
            f"API read() '{relation}' 'relation' reaches beyond the calendar: {inspect(values)}"
        ) from None
    return min(now, other), max(now, other)


def calendar_span(relation: str, values: Sequence[Json], now: datetime) -> tuple[date, date]:
    """
    Return the first day that `in_calendar_*` means, and the first one after it.

    Days are those of UTC, as on the real site; weeks begin on Monday.

    Raises:
        Fault: the value is no whole number.
    """
    offset = values[0] if len(values) == 1 else None
    if isinstance(offset, bool) or not isinstance(offset, int):
        raise bad_request(
            f"API read() '{relation}' 'relation' expects a 1-element Integer array: "
            f"{inspect(values)}"
        )
    today = now.date()
    try:
        match relation:
            case "in_calendar_day":
                start = today + timedelta(days=offset)
                return start, start + timedelta(days=1)
            case "in_calendar_week":
                start = today - timedelta(days=today.weekday()) + timedelta(weeks=offset)
                return start, start + timedelta(weeks=1)
            case "in_calendar_month":
                first = today.replace(day=1)
                return _months_later(first, offset), _months_later(first, offset + 1)
            case _:
                first = today.replace(month=1, day=1)
                return _months_later(first, offset * 12), _months_later(first, (offset + 1) * 12)
    except OverflowError:
        raise bad_request(
            f"API read() '{relation}' 'relation' reaches beyond the calendar: {inspect(values)}"
        ) from None
