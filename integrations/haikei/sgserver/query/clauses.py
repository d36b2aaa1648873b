"""
Clauses of SQL for fields and paths, and how what they select travels.

Values, links with names, files and thumbnails are turned into what the wire carries.
"""

import calendar
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import cast

from haikei.sgserver.schema.entities import Back, DataType, EntityType, Field, Links, Relation
from haikei.sgserver.store import Session, SqlValue, quoted
from haikei.sgserver.values import Json, bad_request, inspect


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition in SQL that is true or false, never null."""

    sql: str
    parameters: tuple[SqlValue, ...] = ()

    def __invert__(self) -> "Clause":
        return Clause(f"NOT ({self.sql})", self.parameters)


NOTHING = Clause("0")
EVERYTHING = Clause("1")


def joined(clauses: Iterable[Clause], word: str) -> Clause:
    """Return clauses joined by AND or OR; no clauses are true."""
    parts = list(clauses)
    if not parts:
        return EVERYTHING
    if len(parts) == 1:
        return parts[0]  # parentheses are dear: SQLite takes about a hundred inside each other
    sql = f" {word} ".join(f"({part.sql})" for part in parts)
    return Clause(sql, tuple(value for part in parts for value in part.parameters))


@dataclass(slots=True)
class Scope:
    """
    The tables of one SELECT: the first, and those that dotted paths join to it.

    A link to a retired row joins nothing, so that whatever lies behind it reads as null.
    """

    alias: str = "t"
    joins: list[str] = field(default_factory=list[str])
    _known: dict[tuple[str, str, str], str] = field(default_factory=dict[tuple[str, str, str], str])
    _counter: list[int] = field(default_factory=lambda: [0])

    def join(self, alias: str, link: Field, far: EntityType) -> str:
        """Return the alias of the row of that type which a link of `alias` points to."""
        key = (alias, link.name, far.name)
        if key not in self._known:
            new = self.new_alias()
            self.joins.append(
                f"LEFT JOIN {quoted(far.name)} {new} "
                f"ON {new}.id = {column(alias, link.name)} AND {new}._retired = 0"
            )
            self._known[key] = new
        return self._known[key]

    def new_alias(self) -> str:
        """Return a table alias that is not in use yet."""
        self._counter[0] += 1
        return f"t{self._counter[0]}"

    def inner(self, alias: str) -> "Scope":
        """Return the scope of a SELECT inside this one, whose first table is `alias`."""
        return Scope(alias=alias, _counter=self._counter)


@dataclass(frozen=True, slots=True)
class LinkRows:
    """Where the links of a multi-entity field are: a table, and which of its rows are meant."""

    table: str  #: what stands after FROM, with its alias
    owner: str  #: the expression of the row that has the links
    target: str  #: the expression of the row that is linked
    where: str  #: which rows of the table are links that count


def link_rows(relation: Relation, alias: str) -> LinkRows:
    """Return where a multi-entity field's links are; `alias` is what to call their table."""
    match relation:
        case Links(key=key, outward=outward, open_only=open_only):
            target = f"{alias}.{'target' if outward else 'owner'}"
            where = f"{alias}.field = '{key}'"
            if open_only:
                where += (
                    f' AND EXISTS (SELECT 1 FROM "Note" o WHERE o.id = {target} '
                    "AND COALESCE(o.sg_status_list, '') <> 'clsd')"
                )
            owner = f"{alias}.{'owner' if outward else 'target'}"
            return LinkRows(f"links {alias}", owner, target, where)
        case Back(entity_type=far, field=name):
            table = f"{quoted(far)} {alias}"
            return LinkRows(table, column(alias, name), f"{alias}.id", f"{alias}._retired = 0")
        case _:
            table = f"{quoted(relation.entity_type)} {alias}"
            return LinkRows(
                table,
                column(alias, relation.near),
                column(alias, relation.far),
                f"{alias}._retired = 0",
            )


def column(alias: str, name: str) -> str:
    """Return the SQL of a table's column."""
    return f"{alias}.{quoted(name)}"


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


PENDING = "/images/status/transient/thumbnail_pending.png"
_JSON_KINDS = {DataType.SERIALIZABLE, DataType.JSONB, DataType.TAG_LIST}


def unsigned(path: str) -> str:
    """Return a thumbnail's path as it is."""
    return path


class Presenter:
    """
    What one request shows.

    Args:
        session: the transaction that the request runs in.
        base_url: where the site is, without a slash at the end.
        sign: makes of a thumbnail's or file's path one that opens without signing in.
    """

    def __init__(
        self, session: Session, base_url: str, sign: Callable[[str], str] = unsigned
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._sign = sign

    def value(self, field: Field, kept: SqlValue) -> Json:
        """Return the value of a field that is no link."""
        kind = field.data_type
        if kind is DataType.CHECKBOX:
            return bool(kept)
        if kind is DataType.TAG_LIST and kept is None:
            return []
        if kept is None:
            return None
        if kind is DataType.PASSWORD:
            return "*******"
        if kind is DataType.IMAGE:
            return self._image(str(kept))
        if kind is DataType.URL:
            return self._file(cast("dict[str, Json]", json.loads(str(kept))))
        if kind in _JSON_KINDS:
            return cast("Json", json.loads(str(kept)))
        return kept

    def _image(self, kept: str) -> str:
        attachment, transient = parse_image(kept)
        path = PENDING if transient else self._sign(f"/file_serve/thumbnail/{attachment}")
        return f"{self._base_url}{path}"

    def _file(self, kept: dict[str, Json]) -> Json:
        if kept.get("link_type") != "upload":
            return kept
        path = self._sign(f"/file_serve/attachment/{kept['id']}")
        return {"url": f"{self._base_url}{path}", **kept}

    def links(self, ids: Iterable[int]) -> dict[int, Json]:
        """Return the live rows of these ids as links."""
        sql = (
            "SELECT id, type, name FROM records "
            "WHERE id IN (SELECT value FROM json_each(?)) AND retired = 0"
        )
        found = self._session.rows(sql, (json.dumps(sorted(set(ids))),))
        return {int(row[0] or 0): {"type": row[1], "id": row[0], "name": row[2]} for row in found}

    def linked(self, relation: Relation, owners: Iterable[int]) -> dict[int, list[Json]]:
        """Return the live links of a multi-entity field, for each of these rows that has some."""
        rows = link_rows(relation, "k")
        order = "r.name, r.id" if relation.by_name else "r.id"
        sql = (
            f"SELECT {rows.owner}, r.type, r.id, r.name FROM {rows.table} "
            f"JOIN records r ON r.id = {rows.target} AND r.retired = 0 "
            f"WHERE {rows.owner} IN (SELECT value FROM json_each(?)) AND {rows.where} "
            f"ORDER BY {order}"
        )
        found: dict[int, list[Json]] = {}
        seen: set[tuple[SqlValue, SqlValue]] = set()
        for owner, kind, target, name in self._session.rows(sql, (json.dumps(list(owners)),)):
            if (owner, target) not in seen:
                seen.add((owner, target))
                link: Mapping[str, Json] = {"type": kind, "id": target, "name": name}
                found.setdefault(int(owner or 0), []).append(link)
        return found


def keep_image(attachment: int, *, transient: bool) -> str:
    """Return an image field's value as it is kept."""
    return f"{'transient' if transient else 'ready'}:{attachment}"


def parse_image(kept: str) -> tuple[int, bool]:
    """Return the attachment's id, and whether its thumbnail is still being made."""
    state, _, attachment = kept.partition(":")
    return int(attachment), state == "transient"
