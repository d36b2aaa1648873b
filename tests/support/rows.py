"""Small words for the rows that a tracker answers with."""

from collections.abc import Mapping
from typing import Any


def link(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as other rows point to it."""
    return {"type": row["type"], "id": row["id"]}


def number(row: Mapping[str, Any]) -> int:
    """Return a row's id."""
    return int(row["id"])
