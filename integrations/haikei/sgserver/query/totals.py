"""
Figures of `summarize` that SQLite adds up itself, group by group, for fields with plain values.

What the sums of smaller groups cannot be added to (links, files, lists) is left to
`haikei.sgserver.query.summaries`, which reads the rows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from haikei.sgserver.query.clauses import Clause, Presenter
from haikei.sgserver.query.reading import Query, Reader
from haikei.sgserver.schema.entities import DataType, Field
from haikei.sgserver.store import SqlValue
from haikei.sgserver.values import Json, inspect

Numbers = tuple[SqlValue, ...]
Part = Literal["rows", "present", "numbers", "sum", "low", "high", "first", "last", "on", "equal"]

_NUMBERS = {
    DataType.NUMBER,
    DataType.FLOAT,
    DataType.PERCENT,
    DataType.DURATION,
    DataType.CURRENCY,
    DataType.TIMECODE,
    DataType.CHECKBOX,
}
_TEXTS = {
    DataType.TEXT,
    DataType.LIST,
    DataType.STATUS_LIST,
    DataType.COLOR,
    DataType.FOOTAGE,
    DataType.UUID,
    DataType.DATE,
    DataType.DATE_TIME,
    DataType.ENTITY_TYPE,
}
#: Groupings that look at the day of a date alone.
PERIODS = frozenset(
    ("day", "oneday", "fivedays", "week", "month", "quarter", "year", "clustered_date")
)
#: Of which part of the wire's figures each is made: of sums that SQL gives for each group.
_MADE_OF: Mapping[str, tuple[Part, ...]] = {
    "record_count": ("rows",),
    "count": ("present",),
    "sum": ("sum",),
    "maximum": ("high",),
    "minimum": ("low",),
    "average": ("sum", "numbers"),
    "earliest": ("first",),
    "latest": ("last",),
    "percentage": ("equal", "rows"),
    "status_percentage": ("equal", "rows"),
    "status_percentage_as_float": ("equal", "rows"),
    "status_list": ("first", "last"),
    "checked": ("on",),
    "unchecked": ("rows", "on"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure that is asked for: the name it is returned under, its kind, and whose share."""

    name: str
    kind: str
    wanted: Json
    field: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of groups: by which field, and what a value's group is called."""

    field: Field
    path: str
    kind: str
    descending: bool
    name_of: Callable[[Json, datetime], tuple[str, Json]]


def adds_up(figures: Sequence[Figure], levels: Sequence[Level]) -> bool:
    """Tell whether SQL can give these figures of these groups."""
    plain = _NUMBERS | _TEXTS
    return all(
        one.field.data_type in plain or one.kind == "record_count" or one.field.name == "id"
        for one in figures
    ) and all(
        one.field.data_type in plain or one.field.data_type is DataType.ENTITY for one in levels
    )


class Totals:
    """
    Adds up one request's figures.

    Args:
        figures: what is asked for.
        levels: by what it is grouped, the outermost first.
        now: the moment that relative groups count from.
    """

    def __init__(self, figures: Sequence[Figure], levels: Sequence[Level], now: datetime) -> None:
        self._figures = figures
        self._levels = levels
        self._now = now

    def read(self, reader: Reader, query: Query) -> tuple[dict[str, Json], list[Json]]:
        """
        Return the figures of all rows, and the groups.

        Raises:
            Fault: a filter is wrong.
        """
        fields = [*(one.path for one in self._levels), *(one.name for one in self._figures)]
        rows = reader.grouped(query, fields, self._select)
        depth = len(self._levels)
        groups = [([*row[:depth]], row[depth:]) for row in rows]
        keys = self._presented(reader.presenter, [key for key, _ in groups])
        cut = list(zip(keys, (parts for _, parts in groups), strict=True))
        return self._summed([parts for _, parts in cut]), self._grouped(self._levels, cut)

    def _select(self, columns: Sequence[str]) -> tuple[Sequence[str], Sequence[Clause]]:
        depth = len(self._levels)
        keys = [_key(one, sql) for one, sql in zip(self._levels, columns[:depth], strict=True)]
        parts = [
            _part(part, one, sql)
            for one, sql in zip(self._figures, columns[depth:], strict=True)
            for part in _MADE_OF[one.kind]
        ]
        return keys, parts

    def _presented(
        self, presenter: Presenter, keys: Sequence[Sequence[SqlValue]]
    ) -> list[list[Json]]:
        shown: list[list[Json]] = [[] for _ in keys]
        for place, level in enumerate(self._levels):
            values = [key[place] for key in keys]
            if level.field.data_type is DataType.ENTITY:
                links = presenter.links(int(one) for one in values if one is not None)
                found = [None if one is None else links.get(int(one)) for one in values]
            else:
                found = [presenter.value(level.field, one) for one in values]
            for row, value in zip(shown, found, strict=True):
                row.append(value)
        return shown

    def _grouped(
        self, levels: Sequence[Level], rows: Sequence[tuple[Sequence[Json], Numbers]]
    ) -> list[Json]:
        if not levels:
            return []
        first, *deeper = levels
        members: dict[str, tuple[str, Json, list[tuple[Sequence[Json], Numbers]]]] = {}
        for key, parts in rows:
            name, value = first.name_of(key[0], self._now)
            inside = members.setdefault(inspect(value), (name, value, []))[2]
            inside.append((key[1:], parts))
        ordered = sorted(
            members.values(), key=lambda one: rank(one[0], one[1]), reverse=first.descending
        )
        groups: list[Json] = []
        for name, value, inside in ordered:
            figures = self._summed([parts for _, parts in inside])
            group: dict[str, Json] = {
                "group_name": name,
                "group_value": value,
                "summaries": figures,
            }
            groups.append(group | {"groups": self._grouped(deeper, inside)} if deeper else group)
        return groups

    def _summed(self, rows: Sequence[Numbers]) -> dict[str, Json]:
        figures: dict[str, Json] = {}
        at = 0
        for figure in self._figures:
            sums: dict[Part, SqlValue] = {}
            for part in _MADE_OF[figure.kind]:
                sums[part] = _together(part, (row[at] for row in rows))
                at += 1
            # As on the real site the last figure of a field is the one that is returned.
            figures[figure.name] = _figure(figure.kind, sums)
        return figures


def rank(name: str, value: Json) -> tuple[bool, float, str]:
    """Return by what groups are ordered: nothing first, numbers, then names without case."""
    number = value if isinstance(value, int | float) else 0
    return value is not None, number, name.casefold()


def _key(level: Level, sql: str) -> str:
    kind = level.field.data_type
    if kind in {DataType.DATE, DataType.DATE_TIME} and level.kind in PERIODS:
        return f"substr({sql}, 1, 10)"
    if kind in _TEXTS and level.kind == "firstletter":
        return f"substr({sql}, 1, 1)"
    return f"{sql} COLLATE BINARY" if kind in _TEXTS else sql


def _part(part: Part, figure: Figure, sql: str) -> Clause:
    kind = figure.field.data_type
    box, number = kind is DataType.CHECKBOX, kind in _NUMBERS
    value = f"COALESCE({sql}, 0)" if box else sql
    match part:
        case "rows":
            return Clause("COUNT(*)")
        case "present" | "numbers":
            counted = "COUNT(*)" if box else f"COUNT({sql})"
            return Clause(counted if number or part == "present" else "0")
        case "sum" | "low" | "high":
            word = {"sum": "SUM", "low": "MIN", "high": "MAX"}[part]
            return Clause(f"{word}({value})" if number else "NULL")
        case "first" | "last":
            word = "MIN" if part == "first" else "MAX"
            return Clause("NULL" if number else f"{word}({sql} COLLATE BINARY)")
        case "on":
            return Clause(f"SUM({value} = 1)" if box else "0")
        case "equal":
            return _equal(figure.wanted, value, number=number)


def _equal(wanted: Json, value: str, *, number: bool) -> Clause:
    if wanted is None:
        return Clause(f"SUM(COALESCE({value}, 0) <> 0)" if number else f"COUNT({value})")
    if number and isinstance(wanted, int | float):
        return Clause(f"SUM({value} IS ?)", (wanted,))
    if not number and isinstance(wanted, str):
        return Clause(f"SUM(({value} COLLATE BINARY) IS ?)", (wanted,))
    return Clause("0")


def _together(part: Part, values: Iterable[SqlValue]) -> SqlValue:
    known = [one for one in values if one is not None]
    match part:
        case "low" | "high":
            numbers = [one for one in known if not isinstance(one, str)]
            return (min if part == "low" else max)(numbers, default=None)
        case "first" | "last":
            return (min if part == "first" else max)(map(str, known), default=None)
        case _:
            return sum(one for one in known if not isinstance(one, str))


def _figure(kind: str, sums: Mapping[Part, SqlValue]) -> Json:
    def count(part: Part) -> float:
        found = sums[part]
        return 0 if found is None or isinstance(found, str) else found

    match kind:
        case "earliest" | "latest":
            return sums["first" if kind == "earliest" else "last"]
        case "status_list":
            # Rows that differ are in progress together.
            return sums["first"] if sums["first"] == sums["last"] else "ip"
        case "average":
            return count("sum") / count("numbers") if count("numbers") else 0.0
        case "unchecked":
            return count("rows") - count("on")
        case "percentage" | "status_percentage" | "status_percentage_as_float":
            share = 100 * count("equal") / count("rows") if count("rows") else 0.0
            return share if kind.endswith("float") else round(share)
        case _:
            return count(_MADE_OF[kind][0])
