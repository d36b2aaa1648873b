"""Pieces of SQL with their parameters, and the joins that they need."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from haikei.sgserver.entities import EntityType
from haikei.sgserver.fields import Back, Field, Links, Relation
from haikei.sgserver.store import SqlValue, quoted


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
