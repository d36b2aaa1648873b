"""Additional filter presets: the latest Version or PublishedFile of each entity."""

from collections.abc import Mapping, Sequence

from haikei.sgserver.clauses import Clause
from haikei.sgserver.faults import bad_request
from haikei.sgserver.store import quoted
from haikei.sgserver.values import Json, inspect

_STEP = (
    'COALESCE((SELECT s.list_order FROM "Task" k JOIN "Step" s ON s.id = k.step '
    "WHERE k.id = {a}.sg_task), -1)"
)
#: By which columns the newest row of an entity is found, for each `latest_by`.
_LATEST = {
    ("Version", "ENTITIES_CREATED_AT"): ("{a}.created_at", "{a}.id"),
    ("Version", "BY_PIPELINE_STEP_NUMBER_AND_ENTITIES_CREATED_AT"): (
        _STEP,
        "{a}.created_at",
        "{a}.id",
    ),
    ("PublishedFile", "ENTITIES_CREATED_AT"): ("{a}.created_at", "{a}.id"),
    ("PublishedFile", "VERSION_NUMBER"): ("COALESCE({a}.version_number, -1)",),
}


def preset_clauses(entity_type: str, presets: Json) -> list[Clause]:
    """
    Return what presets ask of the rows under the alias `t`.

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


def _latest(entity_type: str, preset: Json) -> Clause:
    if not isinstance(preset, Mapping) or preset.get("preset_name") != "LATEST":
        raise bad_request(
            f"API read() invalid 'additional_filter_presets' for {entity_type}: {inspect(preset)}"
        )
    columns = _LATEST.get((entity_type, str(preset.get("latest_by"))))
    if columns is None:
        raise bad_request(
            f"API read() invalid 'latest_by' for the LATEST preset of {entity_type}: "
            f"{inspect(preset)}"
        )
    newer, mine = (", ".join(c.format(a=alias) for c in columns) for alias in ("n", "t"))
    return Clause(
        f"t.entity IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {quoted(entity_type)} n "
        f"WHERE n.entity = t.entity AND n._retired = 0 AND ({newer}) > ({mine}))"
    )
