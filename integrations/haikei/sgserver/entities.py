"""The entity types of a site: what exists, by which names, linked how."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from haikei.sgserver.fields import Back, Field, Links, Through


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
class Place:
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

    def mirrors(self, place: Place) -> tuple[Place, ...]:
        """Return the multi-entity fields that show the other end of this link."""
        return self._mirrors.get(place, ())

    def connections(self, entity_type: str) -> tuple[Place, ...]:
        """Return the fields of connection types that point to rows of this type."""
        return self._connections.get(entity_type, ())

    def shown_through(self, connection: str) -> tuple[tuple[Place, Through], ...]:
        """Return the multi-entity fields whose links are rows of this connection type."""
        return self._shown.get(connection, ())

    def replacing(self, kind: EntityType) -> "Schema":
        """Return this schema with one type replaced."""
        return Schema({**self.types, kind.name: kind}.values())


def _mirrors(types: Mapping[str, EntityType]) -> dict[Place, tuple[Place, ...]]:
    """Map each link that is stored to the fields on the far side which show it."""
    found: dict[Place, list[Place]] = {}
    for kind in types.values():
        for field in kind.fields.values():
            here = Place(kind.name, field.name)
            match field.relation:
                case Back(entity_type=far, field=name):
                    found.setdefault(Place(far, name), []).append(here)
                case Links(key=key, outward=False, open_only=False):
                    far, _, name = key.partition(".")
                    found.setdefault(Place(far, name), []).append(here)
                case _:
                    pass
    return {place: tuple(places) for place, places in found.items()}


def _connections(types: Mapping[str, EntityType]) -> dict[str, tuple[Place, ...]]:
    found: dict[str, set[tuple[str, str]]] = {}
    for kind in types.values():
        for field in kind.fields.values():
            if isinstance(field.relation, Through):
                there = (field.relation.entity_type, field.relation.near)
                found.setdefault(kind.name, set()).add(there)
    return {name: tuple(Place(*there) for there in sorted(all_)) for name, all_ in found.items()}


def _shown(types: Mapping[str, EntityType]) -> dict[str, tuple[tuple[Place, Through], ...]]:
    found: dict[str, list[tuple[Place, Through]]] = {}
    for kind in types.values():
        for field in kind.fields.values():
            if isinstance(field.relation, Through):
                shown = (Place(kind.name, field.name), field.relation)
                found.setdefault(field.relation.entity_type, []).append(shown)
    return {connection: tuple(places) for connection, places in found.items()}
