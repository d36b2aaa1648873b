"""Dotted field paths: `entity.Shot.sg_sequence.Sequence.code`."""

from dataclasses import dataclass

from haikei.sgserver.entities import EntityType, Schema
from haikei.sgserver.fields import DataType, Field

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
