"""The entity types of a site, how they link, and dotted field paths through these links."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from haikei.sgserver.schema.fields import Back, DataType, Field, Links, Through


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType:
    """One entity type and its fields."""

    name: str
    label: str
    fields: Mapping[str, Field]
    name_field: str | None  #: whose value is the row's name in links
    needs_project: bool = False
    auto_name: bool = True  #: without a name a new row is called `New <label> <id>`
    connection: bool = False  #: a join of two rows, retired with either
    permanent: bool = False  #: rows are never changed and never retired
    visible: bool = True

    def with_field(self, field: Field) -> "EntityType":
        """Return this type with one field added or replaced."""
        return replace(self, fields={**self.fields, field.name: field})

    def without_field(self, name: str) -> "EntityType":
        """Return this type with one field less."""
        return replace(self, fields={k: v for k, v in self.fields.items() if k != name})


@dataclass(frozen=True, slots=True)
class FieldPlace:
    """A field of an entity type."""

    entity_type: str
    field: str

    def __str__(self) -> str:
        return f"{self.entity_type}.{self.field}"


class Schema:
    """
    Every entity type of a site, unchanging: a changed schema is a new object.

    Args:
        types: the entity types.
    """

    def __init__(self, types: Iterable[EntityType]) -> None:
        self.types: Mapping[str, EntityType] = {kind.name: kind for kind in types}
        self._mirrors = _mirrors(self.types)
        self._connections = _connections(self.types)
        self._shown = _shown(self.types)

    def get(self, entity_type: object) -> EntityType | None:
        """Return the type of that name, None when there is none."""
        return self.types.get(entity_type) if isinstance(entity_type, str) else None

    def mirrors(self, place: FieldPlace) -> tuple[FieldPlace, ...]:
        """Return the multi-entity fields that show the other end of this link."""
        return self._mirrors.get(place, ())

    def connections(self, entity_type: str) -> tuple[FieldPlace, ...]:
        """Return the fields of connection types that point to rows of this type."""
        return self._connections.get(entity_type, ())

    def shown_through(self, connection: str) -> tuple[tuple[FieldPlace, Through], ...]:
        """Return the multi-entity fields whose links are rows of this connection type."""
        return self._shown.get(connection, ())

    def replacing(self, kind: EntityType) -> "Schema":
        """Return this schema with one type replaced."""
        return Schema({**self.types, kind.name: kind}.values())


def _mirrors(types: Mapping[str, EntityType]) -> dict[FieldPlace, tuple[FieldPlace, ...]]:
    """Map each link that is stored to the fields on the far side which show it."""
    found: dict[FieldPlace, list[FieldPlace]] = {}
    for kind in types.values():
        for field in kind.fields.values():
            here = FieldPlace(kind.name, field.name)
            match field.relation:
                case Back(entity_type=far, field=name):
                    found.setdefault(FieldPlace(far, name), []).append(here)
                case Links(key=key, outward=False, open_only=False):
                    far, _, name = key.partition(".")
                    found.setdefault(FieldPlace(far, name), []).append(here)
                case _:
                    pass
    return {place: tuple(places) for place, places in found.items()}


def _connections(types: Mapping[str, EntityType]) -> dict[str, tuple[FieldPlace, ...]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for kind in types.values():
        for field in kind.fields.values():
            if isinstance(field.relation, Through):
                there = (field.relation.entity_type, field.relation.near)
                found.setdefault(kind.name, set()).add(there)
    return {
        name: tuple(FieldPlace(*there) for there in sorted(all_)) for name, all_ in found.items()
    }


def _shown(types: Mapping[str, EntityType]) -> dict[str, tuple[tuple[FieldPlace, Through], ...]]:
    found: dict[str, list[tuple[FieldPlace, Through]]] = {}
    for kind in types.values():
        for field in kind.fields.values():
            if isinstance(field.relation, Through):
                shown = (FieldPlace(kind.name, field.name), field.relation)
                found.setdefault(field.relation.entity_type, []).append(shown)
    return {connection: tuple(places) for connection, places in found.items()}


_LINKS = {DataType.ENTITY, DataType.MULTI_ENTITY}


@dataclass(frozen=True, slots=True)
class Hop:
    """One step from a row to those that it links."""

    owner: EntityType
    field: Field
    far: EntityType


@dataclass(frozen=True, slots=True)
class FieldPath:
    """Where a path leads: over these hops to a field of the last type."""

    hops: tuple[Hop, ...]
    owner: EntityType
    field: Field

    @property
    def readable(self) -> bool:
        """
        Whether a row can show it: single links only, each to a type that its field allows.

        The real site drops every other path from an answer without a word.
        """
        return all(
            hop.field.data_type is DataType.ENTITY and hop.far.name in hop.field.valid_types
            for hop in self.hops
        )


def find_path(schema: Schema, start: EntityType, path: str) -> FieldPath | None:
    """Return where a path leads, None when a field or type on it does not exist."""
    parts = path.split(".")
    hops: list[Hop] = []
    owner = start
    while len(parts) > 1:
        if len(parts) < 3:
            return None
        field = owner.fields.get(parts[0])
        far = schema.get(parts[1])
        if field is None or far is None or field.data_type not in _LINKS:
            return None
        hops.append(Hop(owner, field, far))
        owner = far
        del parts[:2]
    field = owner.fields.get(parts[0])
    return None if field is None else FieldPath(tuple(hops), owner, field)
