"""Additional filter presets: the latest Version or PublishedFile of each entity."""

from collections.abc import Mapping, Sequence

from haikei.sgserver.clauses import Clause
from haikei.sgserver.faults import bad_request
from haikei.sgserver.store import quoted
from haikei.sgserver.values import Json, inspect

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
    order = _LATEST.get((entity_type, str(preset.get("latest_by"))))
    if order is None:
        raise bad_request(
            f"API read() invalid 'latest_by' for the LATEST preset of {entity_type}: "
            f"{inspect(preset)}"
        )
    # One pass over the type's rows; asking of each row whether a later one exists took seconds.
    return Clause(
        "t.id IN (SELECT id FROM (SELECT n.id, ROW_NUMBER() OVER (PARTITION BY n.entity "
        f"ORDER BY {order}) AS place FROM {quoted(entity_type)} n "
        "WHERE n._retired = 0 AND n.entity IS NOT NULL) WHERE place = 1)"
    )
