"""The groups that a summary puts values into, by the grouping types of the client's reference."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from haikei.sgserver.values import Json

_STEPS = {
    "tens": 10,
    "hundreds": 100,
    "thousands": 1_000,
    "tensofthousands": 10_000,
    "hundredsofthousands": 100_000,
    "millions": 1_000_000,
}


def group_of(grouping: str, value: Json, now: datetime) -> tuple[str, Json]:
    """Return the name and the value of the group that a value falls into."""
    if value is None or value == []:
        return "", None
    if grouping in _STEPS and isinstance(value, int | float):
        low = int(value // _STEPS[grouping]) * _STEPS[grouping]
        return f"{low}-{low + _STEPS[grouping] - 1}", low
    if grouping == "entitytype" and isinstance(value, Mapping):
        return str(value["type"]), value["type"]
    if grouping == "firstletter":
        letter = _name(value)[:1].upper()
        return letter, letter
    day = _day(value)
    if grouping in _PERIODS and day is not None:
        name = _PERIODS[grouping](day, now.date())
        return name, name
    if isinstance(value, Mapping):
        return _name(value), {**value, "valid": "valid"}
    return _name(value), value


def _name(value: Json) -> str:
    match value:
        case bool():
            return "[X]" if value else "[ ]"
        case Mapping():
            return str(value.get("name") or "")
        case str():
            return value
        case Sequence():
            return ", ".join(sorted(_name(one) for one in value))
        case _:
            return str(value)


def _day(value: Json) -> date | None:
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def _clustered(day: date, today: date) -> str:
    """Return how near a day is: precise close to today, coarse far from it."""
    distance = (day - today).days
    if abs(distance) <= 1:
        return {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}[distance]
    monday = today - timedelta(days=today.weekday())
    weeks = (day - monday).days // 7
    near = {-1: "Last Week", 0: "This Week", 1: "Next Week"}
    return near.get(weeks, day.strftime("%Y-%m"))


_PERIODS: dict[str, Callable[[date, date], str]] = {
    "day": lambda day, _: day.isoformat(),
    "oneday": lambda day, _: day.isoformat(),
    "fivedays": lambda day, _: date.fromordinal(day.toordinal() // 5 * 5).isoformat(),
    "week": lambda day, _: (day - timedelta(days=day.weekday())).isoformat(),
    "month": lambda day, _: day.strftime("%Y-%m"),
    "quarter": lambda day, _: f"{day.year}-Q{(day.month + 2) // 3}",
    "year": lambda day, _: str(day.year),
    "clustered_date": _clustered,
}

#: Every grouping type there is.
GROUPINGS = ("exact", *_STEPS, *_PERIODS, "entitytype", "firstletter")
