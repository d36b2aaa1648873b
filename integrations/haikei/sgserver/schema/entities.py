"""
The entity types of a site, their fields, and how they link.

A field's data type says which filters it takes; dotted paths go through links to other fields.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from haikei.sgserver.values import Json


class DataType(StrEnum):
    """The data types of ShotGrid's schema."""

    CALCULATED = "calculated"
    CHECKBOX = "checkbox"
    COLOR = "color"
    CURRENCY = "currency"
    DATE = "date"
    DATE_TIME = "date_time"
    DURATION = "duration"
    ENTITY = "entity"
    ENTITY_TYPE = "entity_type"
    FLOAT = "float"
    FOOTAGE = "footage"
    IMAGE = "image"
    JSONB = "jsonb"
    LIST = "list"
    MULTI_ENTITY = "multi_entity"
    NUMBER = "number"
    PASSWORD = "password"  # noqa: S105 (the name of a data type)
    PERCENT = "percent"
    SERIALIZABLE = "serializable"
    STATUS_LIST = "status_list"
    SUMMARY = "summary"
    TAG_LIST = "tag_list"
    TEXT = "text"
    TIMECODE = "timecode"
    URL = "url"
    UUID = "uuid"


_EQUAL = ("is", "is_not")
_CHOICE = (*_EQUAL, "in", "not_in")
_NUMBER = (*_EQUAL, "greater_than", "less_than", "between", "not_between", "in", "not_in")
_DATE = (
    *_EQUAL,
    "greater_than",
    "less_than",
    "in_last",
    "not_in_last",
    "in_next",
    "not_in_next",
    "in_calendar_week",
    "in_calendar_month",
    "in_calendar_day",
    "in_calendar_year",
    "between",
    "in",
    "not_in",
)
_LINK = (
    *_EQUAL,
    "name_contains",
    "name_not_contains",
    "name_is",
    "name_starts_with",
    "name_ends_with",
    "type_is",
    "type_is_not",
    "in",
    "not_in",
)

#: Which relations a filter on each data type may use, from the client's reference and from the
#: lists that the real site prints; a type that is missing here cannot be filtered at all.
OPERATORS: dict[DataType, tuple[str, ...]] = {
    DataType.TEXT: (
        "contains",
        "not_contains",
        "is",
        "is_not",
        "starts_with",
        "ends_with",
        "in",
        "not_in",
    ),
    DataType.NUMBER: _NUMBER,
    DataType.FLOAT: _NUMBER,
    DataType.PERCENT: _NUMBER,
    DataType.DURATION: _NUMBER,
    DataType.CURRENCY: _NUMBER,
    DataType.TIMECODE: _NUMBER,
    DataType.DATE: _DATE,
    DataType.DATE_TIME: _DATE,
    DataType.ENTITY: _LINK,
    DataType.MULTI_ENTITY: _LINK,
    DataType.LIST: _CHOICE,
    DataType.STATUS_LIST: _CHOICE,
    DataType.ENTITY_TYPE: _CHOICE,
    DataType.UUID: _CHOICE,
    DataType.COLOR: _CHOICE,
    DataType.FOOTAGE: _CHOICE,
    DataType.CHECKBOX: _EQUAL,
    DataType.IMAGE: _EQUAL,
    DataType.TAG_LIST: (*_EQUAL, "name_contains", "name_not_contains", "name_id"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """A multi-entity field kept as rows of its own, seen from the side that owns them or not."""

    key: str  #: the owning side, such as `Shot.assets`
    outward: bool  #: True on the owning side
    by_name: bool = False
    open_only: bool = False  #: of Notes, those that are not closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """A multi-entity field that shows the rows whose link points here."""

    entity_type: str
    field: str
    owned: bool = False  #: rows taken out of the list are retired, as replies are
    by_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """A multi-entity field whose links are rows of a connection type."""

    entity_type: str
    near: str  #: the connection's field that points here
    far: str  #: the one that points to what the field shows
    by_name: bool = False


Relation = Links | Back | Through


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of an entity type."""

    name: str
    label: str
    data_type: DataType
    valid_types: tuple[str, ...] = ()  #: of a link; binding only where `binds` says so
    binds: bool = False
    valid_values: tuple[str, ...] = ()
    hidden_values: tuple[str, ...] = ()
    default: Json = None
    editable: bool = True
    create_only: bool = False  #: may be given when a row is created, never after
    mandatory: bool = False  #: what the schema says; the server does not insist
    description: str = ""
    custom: bool = False
    relation: Relation | None = None  #: where a multi-entity field's links are
    counts: str = ""  #: of a summary: the multi-entity field whose rows it counts
    properties: dict[str, Json] = dataclasses.field(
        default_factory=dict[str, Json]
    )  #: set by schema updates
    hidden_in: tuple[int, ...] = ()  #: ids of the projects whose pages do not show it

    @property
    def stored(self) -> bool:
        """Whether the field has a column of its own."""
        return self.name != "id" and self.data_type not in {
            DataType.MULTI_ENTITY,
            DataType.SUMMARY,
            DataType.CALCULATED,
        }

    @property
    def operators(self) -> tuple[str, ...]:
        """Which relations a filter on it may use."""
        found = OPERATORS.get(self.data_type, ())
        if self.data_type is DataType.MULTI_ENTITY and self.name.startswith("addressings_"):
            return (*found, "contains", "not_contains")
        return found


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
