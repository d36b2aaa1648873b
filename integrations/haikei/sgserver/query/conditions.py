"""
One filter condition on one field, as SQL.

The semantics are those of the real site: text compares without case, `""` is null, every negating
relation also matches null, comparisons never do, `between` includes both ends.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from haikei.sgserver.query.clauses import (
    NOTHING,
    Clause,
    Scope,
    calendar_span,
    column,
    joined,
    link_rows,
    relative_span,
)
from haikei.sgserver.schema.entities import DataType, Field
from haikei.sgserver.store import Session, SqlValue
from haikei.sgserver.values import Json, bad_request, failed, fold, inspect, moment_text
from haikei.sgserver.write.coercing import HASHES, Coercion, reference

_TEXTS = {DataType.TEXT, DataType.LIST, DataType.STATUS_LIST, DataType.COLOR, DataType.FOOTAGE}
_MANY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a condition is about: a field of the row that stands under `alias`."""

    session: Session
    scope: Scope
    known: Mapping[str, object]  #: the entity types there are
    verb: str
    alias: str
    entity_type: str
    field: Field
    now: datetime

    @property
    def sql(self) -> str:
        """The field's column."""
        return column(self.alias, self.field.name)

    @property
    def coerce(self) -> Coercion:
        """How values become ones that the column can be compared with."""
        return Coercion(self.verb, self.entity_type, self.field)


def condition(subject: Subject, relation: str, values: Sequence[Json]) -> Clause:
    """
    Return one condition; the relation is one that the field's data type takes.

    Raises:
        Fault: a value does not fit.
    """
    match subject.field.data_type:
        case DataType.ENTITY | DataType.MULTI_ENTITY:
            return _negatable(_linked, subject, relation, values)
        case DataType.IMAGE:
            return _image(subject, relation, values)
        case DataType.TAG_LIST:
            return _negatable(_tagged, subject, relation, values)
        case _:
            return _negatable(_plain, subject, relation, values)


_NEGATIONS = {
    "is_not": "is",
    "not_in": "in",
    "not_contains": "contains",
    "not_between": "between",
    "not_in_last": "in_last",
    "not_in_next": "in_next",
    "name_not_contains": "name_contains",
    "type_is_not": "type_is",
}


def _negatable(
    build: Callable[[Subject, str, Sequence[Json]], Clause],
    subject: Subject,
    relation: str,
    values: Sequence[Json],
) -> Clause:
    positive = _NEGATIONS.get(relation)
    if positive is None:
        return build(subject, relation, values)
    # COALESCE: where the positive form is null, because the field is, the negation is true.
    clause = build(subject, positive, values)
    return Clause(f"NOT COALESCE({clause.sql}, 0)", clause.parameters)


def _one(subject: Subject, relation: str, values: Sequence[Json]) -> Json:
    if len(values) != 1:
        raise bad_request(
            f"API {subject.verb}() '{relation}' 'relation' expects a 1-element array: "
            f"{inspect(values)}"
        )
    return values[0]


def _two(subject: Subject, relation: str, values: Sequence[Json]) -> tuple[Json, Json]:
    if len(values) != 2:
        raise bad_request(
            f"API {subject.verb}() '{relation}' 'relation' expects a 2-element array: "
            f"{inspect(values)}"
        )
    return values[0], values[1]


def _some(subject: Subject, relation: str, values: Sequence[Json]) -> Sequence[Json]:
    if not values:
        raise bad_request(
            f"API {subject.verb}() '{relation}' 'relation' expects at least a 1-element array: []"
        )
    return values


def _plain(subject: Subject, relation: str, values: Sequence[Json]) -> Clause:
    sql, coerce = subject.sql, subject.coerce
    match relation:
        case "is":
            return _equal(subject, coerce(_one(subject, relation, values)))
        case "in":
            return _among(subject, _some(subject, relation, values))
        case "greater_than" | "less_than":
            bound = coerce(_one(subject, relation, values))
            sign = ">" if relation == "greater_than" else "<"
            return NOTHING if bound is None else Clause(f"{sql} {sign} ?", (bound,))
        case "between":
            low, high = (coerce(value) for value in _two(subject, relation, values))
            if low is None or high is None:
                return NOTHING
            if subject.field.data_type in {DataType.DATE, DataType.DATE_TIME}:
                low, high = sorted((str(low), str(high)))
            return Clause(f"{sql} BETWEEN ? AND ?", (low, high))
        case "in_last" | "in_next":
            first, last = relative_span(relation, values, subject.now)
            return Clause(f"{sql} BETWEEN ? AND ?", (_dated(subject, first), _dated(subject, last)))
        case "in_calendar_day" | "in_calendar_week" | "in_calendar_month" | "in_calendar_year":
            start, end = calendar_span(relation, values, subject.now)
            bounds = (_day(subject, start), _day(subject, end))
            return Clause(f"{sql} >= ? AND {sql} < ?", bounds)
        case _:
            return _like(sql, relation, coerce(_one(subject, relation, values)))


def _dated(subject: Subject, moment: datetime) -> str:
    if subject.field.data_type is DataType.DATE:
        return moment.date().isoformat()
    return moment_text(moment)


def _day(subject: Subject, day: date) -> str:
    midnight = "" if subject.field.data_type is DataType.DATE else "T00:00:00Z"
    return day.isoformat() + midnight


def _equal(subject: Subject, value: SqlValue) -> Clause:
    if value is None:
        return Clause(f"{subject.sql} IS NULL")
    if isinstance(value, str) and subject.field.data_type in _TEXTS and _has_case(value):
        return Clause(f"fold({subject.sql}) = ?", (fold(value),))
    return Clause(f"{subject.sql} = ?", (value,))


def _among(subject: Subject, values: Sequence[Json]) -> Clause:
    kind = subject.field.data_type
    if kind is DataType.TEXT:
        if None in values:
            raise failed(f"Read failed for entity type [{subject.entity_type}]")
        values = [value for value in values if value != ""]
    if kind is DataType.UUID and "" in values:
        raise failed(
            "Please check your filters for possible invalid value, invalid input syntax for type "
            f'uuid: "" -- Read failed for entity type [{subject.entity_type}]'
        )
    wanted = [subject.coerce(value) for value in values]
    special = [value for value in wanted if value is None or _needs_folding(subject, value)]
    clauses = [_equal(subject, value) for value in special]
    rest = [value for value in wanted if value not in special]
    if rest:
        clauses.append(_member(subject.sql, rest))
    return joined(clauses, "OR") if clauses else NOTHING


def _needs_folding(subject: Subject, value: SqlValue) -> bool:
    return isinstance(value, str) and subject.field.data_type in _TEXTS and _has_case(value)


def _member(sql: str, values: Sequence[SqlValue]) -> Clause:
    if len(values) <= _MANY:
        return Clause(f"{sql} IN ({', '.join('?' * len(values))})", tuple(values))
    return Clause(f"{sql} IN (SELECT value FROM json_each(?))", (json.dumps(list(values)),))


def _has_case(text: str) -> bool:
    # SQLite compares ASCII letters without case by itself; others need the slower `fold`.
    return any(ord(c) > 127 and (c.upper() != c or c.lower() != c) for c in text)


def _like(sql: str, relation: str, value: SqlValue) -> Clause:
    text = "" if value is None else str(value)
    if _has_case(text):
        sql, text = f"fold({sql})", fold(text)
    pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if not relation.endswith("starts_with"):
        pattern = f"%{pattern}"
    if not relation.endswith("ends_with"):
        pattern = f"{pattern}%"
    return Clause(f"{sql} LIKE ? ESCAPE '\\'", (pattern,))


def _image(subject: Subject, relation: str, values: Sequence[Json]) -> Clause:
    if _one(subject, relation, values) is not None:
        raise bad_request(
            f"API {subject.verb}() '{relation}' 'relation' expects a nil value for 'image' data "
            f"type: {inspect(values)}"
        )
    word = "IS" if relation == "is" else "IS NOT"
    return Clause(f"{subject.sql} {word} NULL")


def _tagged(subject: Subject, relation: str, values: Sequence[Json]) -> Clause:
    value = _one(subject, relation, values)
    if value is None or value == "":
        return Clause(f"COALESCE({subject.sql}, '[]') = '[]'")
    if not isinstance(value, str):
        raise subject.coerce.refusal(value, "String, NilClass")
    name = "j.value COLLATE NOCASE"
    if relation == "name_contains":
        clause = _like(name, relation, value)
    elif _has_case(value):
        clause = Clause("fold(j.value) = ?", (fold(value),))
    else:
        clause = Clause(f"{name} = ?", (value,))
    sql = f"EXISTS (SELECT 1 FROM json_each({subject.sql}) j WHERE {clause.sql})"
    return Clause(sql, clause.parameters)


def _linked(subject: Subject, relation: str, values: Sequence[Json]) -> Clause:
    if relation in {"is", "in", "contains"}:
        return _linked_rows(subject, relation, values)
    value = _one(subject, relation, values)
    if relation == "type_is" and value is None:
        return NOTHING
    if not isinstance(value, str):
        raise subject.coerce.refusal(value, "String")
    if relation == "type_is":
        return _link_exists(subject, Clause("r.type = ?", (value,)))
    if relation == "name_is":
        folded = _has_case(value)
        name = Clause("fold(r.name) = ?", (fold(value),)) if folded else None
        return _link_exists(subject, name or Clause("r.name = ?", (value,)))
    return _link_exists(subject, _like("r.name", relation.removeprefix("name_"), value))


def _linked_rows(subject: Subject, relation: str, values: Sequence[Json]) -> Clause:
    if relation == "in":
        wanted = _some(subject, relation, values)
    else:
        wanted = [_one(subject, relation, values)]
    clauses: list[Clause] = []
    ids: list[int] = []
    for value in wanted:
        if value is None:
            clauses.append(~_link_exists(subject, Clause("1")))
            continue
        if not isinstance(value, Mapping):
            raise _no_link(subject, value)
        entity_type, entity_id = reference(subject.verb, value, subject.known)
        sql = "SELECT 1 FROM records WHERE id = ? AND type = ? AND retired = 0"
        if subject.session.row(sql, (entity_id, entity_type)) is not None:
            ids.append(entity_id)
    if ids and subject.field.data_type is DataType.ENTITY:
        # The rows are known to be live, so the link's own column is enough, and its index serves.
        clauses.append(_member(subject.sql, ids))
    elif ids:
        clauses.append(_link_exists(subject, _member("r.id", ids)))
    return joined(clauses, "OR") if clauses else NOTHING


def _no_link(subject: Subject, value: Json) -> Exception:
    if subject.field.data_type is DataType.ENTITY:
        return subject.coerce.refusal(value, f"{HASHES}, NilClass")
    return bad_request(f"API {subject.verb}() invalid/missing entity hash: {inspect(value)}")


def _link_exists(subject: Subject, wanted: Clause) -> Clause:
    """Return the clause that a live row which fits (`r` is its record) is linked."""
    if subject.field.relation is None:
        sql = (
            f"EXISTS (SELECT 1 FROM records r WHERE r.id = {subject.sql} AND r.retired = 0 "
            f"AND {wanted.sql})"
        )
        return Clause(sql, wanted.parameters)
    rows = link_rows(subject.field.relation, subject.scope.new_alias())
    sql = (
        f"EXISTS (SELECT 1 FROM {rows.table} JOIN records r ON r.id = {rows.target} "
        f"AND r.retired = 0 WHERE {rows.owner} = {subject.alias}.id AND {rows.where} "
        f"AND {wanted.sql})"
    )
    return Clause(sql, wanted.parameters)
