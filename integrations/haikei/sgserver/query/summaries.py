"""
`summarize`: counts, sums and extremes of the rows that a filter means, in groups if
wanted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from haikei.sgserver.credentials import Caller
from haikei.sgserver.query.reading import query_of
from haikei.sgserver.query.totals import Figure, Level, Totals, adds_up, rank
from haikei.sgserver.schema.entities import DataType, EntityType, Schema, find_path
from haikei.sgserver.site import Site
from haikei.sgserver.values import Call, Json, Row, bad_request, inspect, utc_now

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


_UNGROUPABLE = {
    DataType.IMAGE,
    DataType.URL,
    DataType.SUMMARY,
    DataType.SERIALIZABLE,
    DataType.JSONB,
    DataType.PASSWORD,
}


@dataclass(frozen=True, slots=True)
class Summary:
    """One figure that is asked for."""

    field: str
    kind: str
    value: Json  #: of percentages: the status or value whose share is meant


@dataclass(frozen=True, slots=True)
class Grouping:
    """One level of groups."""

    field: str
    kind: str
    descending: bool


def summarize(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `summarize`: the figures of all rows, and of each group."""
    del caller
    schema, now = site.schema, utc_now()
    query = query_of(schema, "summarize", call)
    summaries = [_summary(schema, query.kind, one) for one in _items(call, "summaries")]
    groupings = [_grouping(schema, query.kind, one) for one in _items(call, "grouping")]
    figures = [
        Figure(name=one.field, kind=one.kind, wanted=one.value, field=path.field)
        for one in summaries
        if (path := find_path(schema, query.kind, one.field)) is not None
    ]
    levels = [
        Level(
            field=path.field,
            path=one.field,
            kind=one.kind,
            descending=one.descending,
            name_of=partial(group_of, one.kind),
        )
        for one in groupings
        if (path := find_path(schema, query.kind, one.field)) is not None
    ]
    with site.reading() as (_, reader):
        if adds_up(figures, levels):
            totals, groups = Totals(figures, levels, now).read(reader, query)
            return {"summaries": totals, "groups": groups}
        rows = reader.page(query, [*(one.name for one in figures), *(one.path for one in levels)])
    return {
        "summaries": _figures(summaries, rows.rows),
        "groups": _groups(summaries, groupings, rows.rows, now),
    }


def _items(call: Call, key: str) -> list[Mapping[str, Json]]:
    found = call.get(key) or []
    if not isinstance(found, Sequence) or not all(isinstance(one, Mapping) for one in found):
        raise bad_request(f"API summarize() invalid/missing array '{key}': {inspect(found)}")
    return [one for one in found if isinstance(one, Mapping)]


def _summary(schema: Schema, kind: EntityType, wire: Mapping[str, Json]) -> Summary:
    field = _checked(schema, kind, wire)
    summary = wire.get("type")
    if summary not in SUMMARIES:
        raise bad_request(
            f"API summarize() 'summaries' type must be one of: {', '.join(SUMMARIES)}: "
            f"{inspect(wire)}"
        )
    return Summary(field, str(summary), wire.get("value"))


def _grouping(schema: Schema, kind: EntityType, wire: Mapping[str, Json]) -> Grouping:
    field = _checked(schema, kind, wire)
    path = find_path(schema, kind, field)
    if path is not None and path.field.data_type in _UNGROUPABLE:
        raise bad_request(f"Grouping is not allowed for field {kind.name}.{field}.")
    grouping = wire.get("type", "exact")
    if grouping not in GROUPINGS:
        raise bad_request(
            f"API summarize() 'grouping' type must be one of: {', '.join(GROUPINGS)}: "
            f"{inspect(wire)}"
        )
    direction = wire.get("direction") or "asc"
    if direction not in {"asc", "desc"}:
        raise bad_request(
            f"API summarize() 'grouping' direction must be asc or desc: {inspect(wire)}"
        )
    return Grouping(field, str(grouping), direction == "desc")


def _checked(schema: Schema, kind: EntityType, wire: Mapping[str, Json]) -> str:
    field = wire.get("field")
    if not isinstance(field, str) or find_path(schema, kind, field) is None:
        raise bad_request(f"API summarize() {kind.name}.{field} doesn't exist.")
    return field


def _figures(summaries: Sequence[Summary], rows: Sequence[Row]) -> dict[str, Json]:
    # As on the real site the last figure of a field is the one that is returned.
    return {
        one.field: SUMMARIES[one.kind]([row.get(one.field) for row in rows], one.value)
        for one in summaries
    }


def _groups(
    summaries: Sequence[Summary],
    groupings: Sequence[Grouping],
    rows: Sequence[Row],
    now: datetime,
) -> list[Json]:
    if not groupings:
        return []
    first, *deeper = groupings
    members: dict[str, tuple[str, Json, list[Row]]] = {}
    for row in rows:
        name, value = group_of(first.kind, row.get(first.field), now)
        members.setdefault(inspect(value), (name, value, []))[2].append(row)
    result: list[Json] = []
    for name, value, inside in sorted(
        members.values(), key=lambda group: rank(group[0], group[1]), reverse=first.descending
    ):
        group: dict[str, Json] = {
            "group_name": name,
            "group_value": value,
            "summaries": _figures(summaries, inside),
        }
        if deeper:
            group["groups"] = _groups(summaries, deeper, inside, now)
        result.append(group)
    return result


def _present(values: Sequence[Json]) -> list[Json]:
    return [value for value in values if value is not None and value != []]


def _numbers(values: Sequence[Json]) -> list[int | float]:
    # Boxes are counted as 0 and 1.
    return [+value for value in values if isinstance(value, int | float)]


def _texts(values: Sequence[Json]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _share(values: Sequence[Json], wanted: Json) -> float:
    # Links and lists among the values cannot be hashed; 0 counts as a box without a cross.
    found = [
        value
        for value in values
        if (value == wanted if wanted is not None else value not in (None, False, []))
    ]
    return 100 * len(found) / len(values) if values else 0.0


def _common_status(values: Sequence[Json], _: Json) -> Json:
    """Return the status that all rows share; rows that differ are in progress together."""
    statuses = set(_texts(values))
    if len(statuses) == 1:
        return statuses.pop()
    return "ip" if statuses else None


def _average(values: Sequence[Json], _: Json) -> Json:
    numbers = _numbers(values)
    return sum(numbers) / len(numbers) if numbers else 0.0


#: Every summary type: the values of a field, and what was asked of them, to a figure.
SUMMARIES: dict[str, Callable[[Sequence[Json], Json], Json]] = {
    "record_count": lambda values, _: len(values),
    "count": lambda values, _: len(_present(values)),
    "sum": lambda values, _: sum(_numbers(values)),
    "maximum": lambda values, _: max(_numbers(values), default=0),
    "minimum": lambda values, _: min(_numbers(values), default=0),
    "average": _average,
    "earliest": lambda values, _: min(_texts(values), default=None),
    "latest": lambda values, _: max(_texts(values), default=None),
    "percentage": lambda values, wanted: round(_share(values, wanted)),
    "status_percentage": lambda values, wanted: round(_share(values, wanted)),
    "status_percentage_as_float": _share,
    "status_list": _common_status,
    "checked": lambda values, _: sum(value is True for value in values),
    "unchecked": lambda values, _: sum(value is not True for value in values),
}
