"""Filters as they travel, and additional filter presets, compiled to SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from haikei.sgserver.query.clauses import Clause, Scope, joined, link_rows
from haikei.sgserver.query.conditions import Subject, condition
from haikei.sgserver.schema.entities import DataType, EntityType, FieldPath, Schema, find_path
from haikei.sgserver.store import Session, quoted
from haikei.sgserver.values import Json, bad_request, inspect

#: The real site gives up at this depth of nested groups.
DEEPEST = 266


class Filters:
    """
    Compile the filters of one request.

    Args:
        session: the transaction that the request runs in.
        schema: the site's schema.
        kind: the entity type whose rows are filtered.
        verb: whose words refusals use: `read` or `summarize`.
        now: the moment that relative dates count from.
    """

    def __init__(
        self, session: Session, schema: Schema, kind: EntityType, *, verb: str, now: datetime
    ) -> None:
        self._session = session
        self._schema = schema
        self._kind = kind
        self._verb = verb
        self._now = now

    def compile(self, filters: Json, scope: Scope) -> Clause:
        """
        Return the WHERE of a group; what it joins is added to the scope.

        Raises:
            Fault: a field, relation or value is wrong.
        """
        if not filters:
            return joined((), "AND")
        return self._group(filters, scope, 1)

    def _group(self, group: Json, scope: Scope, depth: int) -> Clause:
        if not isinstance(group, Mapping) or depth > DEEPEST:
            raise bad_request(f"API {self._verb}() invalid/missing hash 'filters'")
        operator = group.get("logical_operator", "and")
        conditions = group.get("conditions", ())
        if operator not in ("and", "or"):
            raise bad_request(
                f"API {self._verb}() invalid/missing string 'logical_operator': {inspect(group)} "
                'Valid logical operators: ["and", "or"]'
            )
        if not isinstance(conditions, Sequence) or isinstance(conditions, str):
            raise bad_request(
                f"API {self._verb}() invalid/missing array 'conditions': {inspect(group)}"
            )
        parts = [
            self._group(part, scope, depth + 1)
            if isinstance(part, Mapping) and "conditions" in part
            else self._condition(part, scope)
            for part in conditions
        ]
        return joined(parts, "AND" if operator == "and" else "OR")

    def _condition(self, wire: Json, scope: Scope) -> Clause:
        if not isinstance(wire, Mapping):
            raise bad_request(f"API {self._verb}() invalid condition: {inspect(wire)}")
        path, relation = wire.get("path"), wire.get("relation")
        if not isinstance(path, str) or not isinstance(relation, str):
            raise bad_request(
                f"API {self._verb}() invalid/missing string 'path' or 'relation': {inspect(wire)}"
            )
        values = wire.get("values")
        if not isinstance(values, Sequence) or isinstance(values, str):
            values = [values]
        place = f"{self._kind.name}.{path}"
        found = find_path(self._schema, self._kind, path)
        if found is None:
            raise bad_request(f"API {self._verb}() {place} doesn't exist.")
        self._check_relation(place, found, relation, wire)
        return self._along(found, scope.alias, scope, relation, values)

    def _check_relation(
        self, place: str, found: FieldPath, relation: str, wire: Mapping[str, Json]
    ) -> None:
        kind, operators = found.field.data_type, found.field.operators
        if not operators:
            raise bad_request(
                f"API {self._verb}() {place}'s '{kind}' data type cannot be used in a filter."
            )
        if relation not in operators:
            raise bad_request(
                f"API {self._verb}() {place}'s '{kind}' data type doesn't support '{relation}' "
                f"'relation'. Value: {inspect(wire)} Valid relations: {inspect(operators)}"
            )

    def _along(
        self, path: FieldPath, alias: str, scope: Scope, relation: str, values: Sequence[Json]
    ) -> Clause:
        """Compile a condition at the end of a path that starts at the row under `alias`."""
        for position, hop in enumerate(path.hops):
            if hop.field.relation is None:
                alias = scope.join(alias, hop.field, hop.far)
                continue
            # Beyond a multi-entity field a row is enough for which the rest of the path holds.
            rows = link_rows(hop.field.relation, scope.new_alias())
            inner = scope.inner(scope.new_alias())
            rest = FieldPath(path.hops[position + 1 :], path.owner, path.field)
            clause = self._along(rest, inner.alias, inner, relation, values)
            sql = (
                f"EXISTS (SELECT 1 FROM {rows.table} JOIN {quoted(hop.far.name)} {inner.alias} "
                f"ON {inner.alias}.id = {rows.target} AND {inner.alias}._retired = 0 "
                f"{' '.join(inner.joins)} WHERE {rows.owner} = {alias}.id AND {rows.where} "
                f"AND ({clause.sql}))"
            )
            return Clause(sql, clause.parameters)
        subject = Subject(
            session=self._session,
            scope=scope,
            known=self._schema.types,
            verb=self._verb,
            alias=alias,
            entity_type=path.owner.name,
            field=path.field,
            now=self._now,
        )
        return condition(subject, relation, values)


def wire_filters(filters: Sequence[Json]) -> Json:
    """Return filters that are written as the client's callers do as they travel."""
    return {"logical_operator": "and", "conditions": [_wire(part) for part in filters]}


def _wire(part: Json) -> Json:
    if isinstance(part, Mapping):
        if "filters" not in part:
            return part
        inner = part["filters"]
        operator = "or" if part.get("filter_operator") == "any" else "and"
        conditions = [_wire(p) for p in inner] if isinstance(inner, Sequence) else []
        return {"logical_operator": operator, "conditions": conditions}
    if not isinstance(part, Sequence) or isinstance(part, str) or len(part) < 3:
        raise bad_request(f"Invalid condition: {inspect(part)}")
    path, relation, *values = part
    first = values[0]
    if len(values) == 1 and isinstance(first, Sequence) and not isinstance(first, str):
        values = list(first)
    return {"path": path, "relation": relation, "values": values}


#: Data types by which rows cannot be ordered; asked for, such an order is ignored.
UNSORTABLE = {
    DataType.MULTI_ENTITY,
    DataType.SERIALIZABLE,
    DataType.JSONB,
    DataType.SUMMARY,
    DataType.CALCULATED,
    DataType.URL,
    DataType.PASSWORD,
    DataType.TAG_LIST,
}


_STEP = (
    'COALESCE((SELECT s.list_order FROM "Task" k JOIN "Step" s ON s.id = k.step '
    "WHERE k.id = n.sg_task), -1) DESC"
)
#: In which order the first row of an entity is its latest, for each `latest_by`.
_LATEST = {
    ("Version", "ENTITIES_CREATED_AT"): "n.created_at DESC, n.id DESC",
    ("Version", "BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT"): (
        f"{_STEP}, n.created_at DESC, n.id DESC"
    ),
    ("PublishedFile", "ENTITIES_CREATED_AT"): "n.created_at DESC, n.id DESC",
    ("PublishedFile", "VERSION_NUMBER"): "n.version_number DESC, n.id DESC",
}


def preset_orders(entity_type: str, presets: Json) -> list[str]:
    """
    Return, for each preset, the order (of rows `n`) whose first row of an entity is wanted.

    Raises:
        Fault: a preset is malformed, or not one of this entity type's.
    """
    if presets is None:
        return []
    if not isinstance(presets, Sequence) or isinstance(presets, str):
        raise bad_request(
            f"API read() invalid/missing array 'additional_filter_presets': {inspect(presets)}"
        )
    return [_latest(entity_type, preset) for preset in presets]


def _latest(entity_type: str, preset: Json) -> str:
    if not isinstance(preset, Mapping) or preset.get("preset_name") != "LATEST":
        raise bad_request(
            f"API read() invalid 'additional_filter_presets' for {entity_type}: {inspect(preset)}"
        )
    order = _LATEST.get((entity_type, str(preset.get("latest_by"))))
    if order is None:
        raise bad_request(
            f"API read() invalid 'latest_by' for the LATEST preset of {entity_type}: "
            f"{inspect(preset)}"
        )
    return order
