"""What one field of an entity type is, and which filters its data type takes."""

import dataclasses
from dataclasses import dataclass
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
