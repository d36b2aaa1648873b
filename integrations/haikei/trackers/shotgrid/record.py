"""What a ShotGrid site hands back, narrowed to types at the one place where it comes in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A field's pointer to another row."""

    type: str
    id: int
    name: str  #: empty when the site did not say

    @classmethod
    def of(cls, value: object) -> "Link | None":
        """Return the link that a value holds, None when it holds none."""
        if not isinstance(value, dict):
            return None
        found = cast("Mapping[str, object]", value)
        kind, number, name = found.get("type"), found.get("id"), found.get("name")
        if not isinstance(kind, str) or not isinstance(number, int):
            return None
        return cls(type=kind, id=number, name=name if isinstance(name, str) else "")

    def wire(self) -> dict[str, object]:
        """Return it as the client sends it."""
        return {"type": self.type, "id": self.id}


@dataclass(frozen=True, slots=True)
class Record:
    """
    One row as it was read: each method reads one field as one type.

    A field that holds nothing, or something else, reads as that type's "nothing": 0, False and
    "" are values and stay what they are.
    """

    type: str
    id: int
    values: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Record":
        """Return the record of a row in the client's shape."""
        return cls(str(row.get("type", "")), int(row.get("id") or 0), row)

    def has(self, field: str) -> bool:
        """Tell whether the site said anything about a field."""
        return field in self.values

    def filled(self, field: str) -> bool:
        """Tell whether a field holds something."""
        value = self.values.get(field)
        return value is not None and value not in ("", [], {})

    def text(self, field: str) -> str:
        """Return a text, empty for none."""
        value = self.values.get(field)
        return value if isinstance(value, str) else ""

    def number(self, field: str) -> int | None:
        """Return a whole number."""
        value = self.values.get(field)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, field: str) -> bool | None:
        """Return a checkbox, None when the site did not say."""
        value = self.values.get(field)
        return value if isinstance(value, bool) else None

    def link(self, field: str) -> Link | None:
        """Return a link to one row."""
        return Link.of(self.values.get(field))

    def links(self, field: str) -> tuple[Link, ...]:
        """Return the links of a multi-entity field."""
        value = self.values.get(field)
        if not isinstance(value, list):
            return ()
        found = (Link.of(entry) for entry in cast("list[object]", value))
        return tuple(link for link in found if link is not None)

    def mapping(self, field: str) -> Mapping[str, object]:
        """Return a structured value, such as a file link or an event's `meta`."""
        value = self.values.get(field)
        return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}

    def day(self, field: str) -> date | None:
        """Return a day; the client hands it out as the site wrote it."""
        try:
            return date.fromisoformat(self.text(field))
        except ValueError:
            return None

    def moment(self, field: str) -> datetime | None:
        """Return a moment; the site speaks UTC."""
        value = self.values.get(field)
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def instant(self, field: str) -> datetime:
        """Return a moment that every row has; the beginning of time when the site hides it."""
        return self.moment(field) or datetime.fromtimestamp(0, UTC)
