"""Canonical JSON: one text for one record, so that its hash is its identity."""

import dataclasses
import json
from datetime import datetime
from enum import Enum
from pathlib import PurePath

Plain = str | int | bool | None | list["Plain"] | dict[str, "Plain"]


def to_plain(value: object) -> Plain:
    """
    Return a record as plain JSON values.

    Floats become strings in their shortest exact form: RFC 8785 leaves their spelling to
    ECMAScript, and a record must hash alike in every language.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Enum):
        return to_plain(value.value)
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    message = f"{type(value).__name__} cannot stand in a record"
    raise TypeError(message)


def canonical_json(value: object) -> str:
    """
    Return the canonical JSON text of a record.

    Source: RFC 8785 for strings, integers, booleans, null, arrays and objects.
    """
    return json.dumps(
        to_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
