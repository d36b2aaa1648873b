"""Read rows: which, in which order, and which of their fields."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from haikei.sgserver.query.clauses import Clause, Presenter, Scope, column, joined, unsigned
from haikei.sgserver.query.filters import UNSORTABLE, Filters, preset_orders
from haikei.sgserver.schema.entities import (
    DataType,
    EntityType,
    FieldPath,
    Relation,
    Schema,
    find_path,
)
from haikei.sgserver.store import Session, SqlValue, quoted
from haikei.sgserver.values import Call, Json, Row, bad_request, inspect, searched
from haikei.sgserver.wire_calls import entity_type_of


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of an order."""

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which rows of one type are meant."""

    kind: EntityType
    filters: Json = None
    presets: Sequence[str] = ()  #: orders whose first row of each entity is meant
    retired: bool = False  #: retired rows only, instead of the live ones
    with_archived: bool = True  #: also rows of archived projects
    words: Sequence[str] = ()  #: what a row's name has, as `text_search` compares
    verb: str = "read"


def query_of(schema: Schema, verb: str, call: Call) -> Query:
    """
    Return which rows a request means.

    Raises:
        Fault: its type, a preset or `return_only` is wrong.
    """
    kind = entity_type_of(schema, verb, call)
    rows = call.get("return_only") or "active"
    if rows not in {"active", "retired"}:
        raise bad_request(f"API {verb}() invalid 'return_only', active or retired: {inspect(rows)}")
    return Query(
        kind=kind,
        filters=call.get("filters"),
        presets=preset_orders(kind.name, call.get("additional_filter_presets")),
        retired=rows == "retired",
        with_archived=call.get("include_archived_projects") is not False,
        verb=verb,
    )


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and whether there are more."""

    rows: list[Row]
    more: bool


class Reader:
    """
    Answer queries of one request.

    Args:
        session: the transaction that the request runs in.
        schema: the site's schema.
        base_url: where the site is, for links to files.
        now: the moment that relative dates count from.
        sign: makes of a thumbnail's path one that opens without signing in.
    """

    def __init__(
        self,
        session: Session,
        schema: Schema,
        base_url: str,
        now: datetime,
        sign: Callable[[str], str] = unsigned,
    ) -> None:
        self._session = session
        self._schema = schema
        self.presenter = Presenter(session, base_url, sign)
        self._now = now

    def page(
        self,
        query: Query,
        fields: Sequence[str],
        *,
        sorts: Sequence[Sort] = (),
        limit: int = 0,
        offset: int = 0,
    ) -> Page:
        """
        Return rows in order, at most `limit` (0: all); ties and no order at all go by id.

        Raises:
            Fault: a filter is wrong.
        """
        scope = Scope()
        where = self.where(query, scope)
        order = [key for sort in sorts for key in self._order(query.kind, sort, scope)]
        columns = _Columns(scope)
        for name in dict.fromkeys(fields):
            path = find_path(self._schema, query.kind, name)
            if path is not None and path.readable:
                columns.add(name, path)
        bare = _bare(query, sorts)
        sql = (
            f"SELECT {', '.join(columns.sql)} FROM {quoted(query.kind.name)} t{bare} "
            f"{' '.join(scope.joins)} WHERE {where.sql} ORDER BY {', '.join([*order, 't.id'])} "
            "LIMIT ? OFFSET ?"
        )
        asked = limit + 1 if limit else -1
        found = self._session.rows(sql, (*where.parameters, asked, offset))
        more = bool(limit) and len(found) > limit
        if more:
            del found[limit:]
        return Page(self._rows(query.kind.name, columns, found), more)

    def rows(
        self, kind: EntityType, ids: Sequence[int], fields: Sequence[str], *, retired: bool = False
    ) -> list[Row]:
        """Return the rows of these ids, by id."""
        condition: Json = {"path": "id", "relation": "in", "values": list(ids)}
        query = Query(kind=kind, filters={"conditions": [condition]}, retired=retired)
        return self.page(query, fields).rows if ids else []

    def count(self, query: Query) -> int:
        """
        Return how many rows are meant.

        Raises:
            Fault: a filter is wrong.
        """
        scope = Scope()
        where = self.where(query, scope)
        sql = (
            f"SELECT COUNT(*) FROM {quoted(query.kind.name)} t {' '.join(scope.joins)} "
            f"WHERE {where.sql}"
        )
        return self._session.numbers(sql, where.parameters)[0]

    def grouped(
        self,
        query: Query,
        fields: Sequence[str],
        build: Callable[[Sequence[str]], tuple[Sequence[str], Sequence[Clause]]],
    ) -> list[tuple[SqlValue, ...]]:
        """
        Return keys and figures of each group of rows, in the order of the groups' first rows.

        Args:
            query: which rows.
            fields: names of single-valued fields; one that cannot be read is NULL.
            build: is given their SQL in this order, and returns the keys to group by and the
                aggregates wanted of each group; without keys there is one group.

        Raises:
            Fault: a filter is wrong.
        """
        scope = Scope()
        where = self.where(query, scope)
        named: list[str] = []
        for name in fields:
            path = find_path(self._schema, query.kind, name)
            known = path is not None and path.readable
            named.append(
                column(_joined_alias(path, scope), path.field.name) if path and known else "NULL"
            )
        keys, figures = build(named)
        group = f" GROUP BY {', '.join(keys)} ORDER BY MIN(t.id)" if keys else ""
        sql = (
            f"SELECT {', '.join([*keys, *(one.sql for one in figures)]) or 'NULL'} "
            f"FROM {quoted(query.kind.name)} t {' '.join(scope.joins)} WHERE {where.sql}{group}"
        )
        given = [value for one in figures for value in one.parameters]
        return self._session.rows(sql, (*given, *where.parameters))

    def where(self, query: Query, scope: Scope) -> Clause:
        """
        Return the WHERE of a query; what it joins is added to the scope.

        Raises:
            Fault: a filter is wrong.
        """
        kind = query.kind
        clauses = [Clause(f"t._retired = {int(query.retired)}")]
        clauses += [
            Clause("instr(searched(t.cached_display_name), ?)", (searched(word),))
            for word in query.words
        ]
        if not query.with_archived and kind.name == "Project":
            clauses.append(Clause("NOT COALESCE(t.archived, 0)"))
        elif not query.with_archived and "project" in kind.fields:
            archived = 'SELECT id FROM "Project" WHERE archived'
            clauses.append(Clause(f"(t.project IS NULL OR t.project NOT IN ({archived}))"))
        filters = Filters(
            self._session, self._schema, kind, verb=query.verb, now=self._now
        ).compile(query.filters, scope)
        wanted = joined([*clauses, filters], "AND")
        for order in query.presets:
            wanted = _first_of_each(kind.name, order, wanted, scope)
        return wanted

    def _order(self, kind: EntityType, sort: Sort, scope: Scope) -> list[str]:
        path = find_path(self._schema, kind, sort.path)
        if path is None or path.field.data_type in UNSORTABLE or not path.readable:
            return []
        sql = column(_joined_alias(path, scope), path.field.name)
        if path.field.data_type is DataType.ENTITY:
            name = f"SELECT r.name FROM records r WHERE r.id = {sql} AND r.retired = 0"
            sql = f"({name}) COLLATE NOCASE"
        return [f"{sql} DESC" if sort.descending else sql]

    def _rows(
        self, entity_type: str, columns: "_Columns", found: Sequence[tuple[SqlValue, ...]]
    ) -> list[Row]:
        rows: list[Row] = [{"type": entity_type, "id": values[0]} for values in found]
        for name, position, path in columns.values:
            for row, values in zip(rows, found, strict=True):
                row[name] = self.presenter.value(path.field, values[position])
        wanted = {
            int(target)
            for _, position in columns.links
            for values in found
            if (target := values[position]) is not None
        }
        links = self.presenter.links(wanted) if wanted else {}
        for name, position in columns.links:
            for row, values in zip(rows, found, strict=True):
                target = values[position]
                row[name] = None if target is None else links.get(int(target))
        for name, position, relation, show in columns.many:
            owners = {int(owner) for v in found if (owner := v[position]) is not None}
            linked = self.presenter.linked(relation, owners)
            for row, values in zip(rows, found, strict=True):
                owner = values[position]
                row[name] = None if owner is None else show(linked.get(int(owner), []))
        return rows


def _first_of_each(entity_type: str, order: str, wanted: Clause, scope: Scope) -> Clause:
    """Return the clause for the first row of each entity, in that order, of the rows wanted."""
    # One pass over these rows; asking of each whether a later one exists took seconds.
    sql = (
        "t.id IN (SELECT id FROM (SELECT n.id, ROW_NUMBER() OVER (PARTITION BY n.entity ORDER BY "
        f"{order}) AS place FROM {quoted(entity_type)} n WHERE n.entity IS NOT NULL AND n.id IN "
        f"(SELECT t.id FROM {quoted(entity_type)} t {' '.join(scope.joins)} WHERE {wanted.sql})) "
        "WHERE place = 1)"
    )
    return Clause(sql, wanted.parameters)


class _Columns:
    """Which columns a SELECT has, and what becomes of each."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.sql = ["t.id"]
        self.values: list[tuple[str, int, FieldPath]] = []
        self.links: list[tuple[str, int]] = []
        self.many: list[tuple[str, int, Relation, Callable[[list[Json]], Json]]] = []

    def add(self, name: str, path: FieldPath) -> None:
        """Let the rows show one more field."""
        alias = _joined_alias(path, self._scope)
        field = path.field
        if field.relation is not None:
            self.many.append((name, self._column(f"{alias}.id"), field.relation, list[Json]))
        elif field.counts:
            counted = path.owner.fields[field.counts].relation
            if counted is not None:
                self.many.append((name, self._column(f"{alias}.id"), counted, len))
        elif field.data_type is DataType.ENTITY:
            self.links.append((name, self._column(column(alias, field.name))))
        else:
            kept = column(alias, field.name) if field.stored or field.name == "id" else "NULL"
            self.values.append((name, self._column(kept), path))

    def _column(self, sql: str) -> int:
        self.sql.append(sql)
        return len(self.sql) - 1


def _joined_alias(path: FieldPath, scope: Scope) -> str:
    alias = scope.alias
    for hop in path.hops:
        alias = scope.join(alias, hop.field, hop.far)
    return alias


def _bare(query: Query, sorts: Sequence[Sort]) -> str:
    """
    Return the hint for reads that follow ids upwards, as consumers of the event log do.

    Such a read wants the next few rows by id; by any other index SQLite would collect and order
    all that are left before it returned the first.
    """
    filters = query.filters
    if not isinstance(filters, dict) or any(sort.path != "id" for sort in sorts):
        return ""
    if filters.get("logical_operator", "and") != "and":
        return ""
    conditions = filters.get("conditions")
    following = isinstance(conditions, list) and any(
        isinstance(part, dict)
        and part.get("path") == "id"
        and part.get("relation") in {"greater_than", "less_than", "between"}
        for part in conditions
    )
    return " NOT INDEXED" if following else ""
