"""Whatever a call holds, it is answered or refused in words."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.rpc import dispatch, fault_body, results_body
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault

_SCALARS = some.one_of(
    some.none(),
    some.booleans(),
    some.sampled_from([0, -1, 1, 2**31, 2**63, 2**70, -(2**70), 1.5, 1e300]),
    some.sampled_from(["", "x", "\ud800", "a\x00b", "2026-01-01", "ip", "9" * 400, "%_\\", "ü"]),
)
_ANY = some.recursive(
    _SCALARS,
    lambda inner: some.one_of(
        some.lists(inner, max_size=3),
        some.fixed_dictionaries({"type": some.sampled_from(["Shot", "Project", "x"]), "id": inner}),
    ),
    max_leaves=4,
)
_FIELDS = some.sampled_from(
    [
        "id",
        "code",
        "project",
        "project.Project.name",
        "sg_status_list",
        "image",
        "assets",
        "tags",
        "created_at",
        "sg_cut_duration",
        "x",
        "open_notes_count",
        "sg_versions",
    ]
)
_RELATIONS = some.sampled_from(
    [
        "is",
        "is_not",
        "in",
        "not_in",
        "between",
        "in_last",
        "contains",
        "starts_with",
        "type_is",
        "name_is",
        "greater_than",
        "in_calendar_day",
        "x",
    ]
)
_CONDITION = some.fixed_dictionaries(
    {"path": _FIELDS | _ANY, "relation": _RELATIONS | _ANY, "values": some.lists(_ANY) | _ANY}
)
_FILTERS = some.recursive(
    _CONDITION | _ANY,
    lambda inner: some.fixed_dictionaries(
        {
            "logical_operator": some.sampled_from(["and", "or"]) | _ANY,
            "conditions": some.lists(inner, max_size=3),
        }
    ),
    max_leaves=5,
)
_VALUES = some.lists(
    some.fixed_dictionaries(
        {"field_name": _FIELDS | _ANY, "value": _ANY},
        optional={"multi_entity_update_mode": some.sampled_from(["set", "add", "remove"]) | _ANY},
    ),
    max_size=3,
)
_FIGURES = some.lists(
    some.fixed_dictionaries(
        {"field": _FIELDS | _ANY, "type": some.sampled_from(["count", "sum", "latest", "x"]) | _ANY}
    ),
    max_size=2,
)
_GROUPS = some.lists(
    some.fixed_dictionaries(
        {"field": _FIELDS, "type": some.sampled_from(["exact", "month", "tens", "firstletter"])}
    ),
    max_size=2,
)
_METHODS = some.sampled_from(
    [
        "read",
        "create",
        "update",
        "delete",
        "revive",
        "summarize",
        "batch",
        "follow",
        "following",
        "schema_field_read",
        "schema_field_create",
        "schema_field_update",
        "schema_field_delete",
        "note_thread_contents",
        "query_display_name_cache",
        "activity_stream",
        "nav_expand",
        "nav_search",
        "work_schedule_read",
        "work_schedule_update",
        "user_subscriptions_create",
        "preferences_read",
        "export_page",
        "update_project_last_accessed_by_current_user",
    ]
)
_CALLS = some.fixed_dictionaries(
    {"type": some.sampled_from(["Shot", "Version", "Note", "HumanUser"]) | _ANY},
    optional={
        **dict.fromkeys(["filters", "entity_types", "search_criteria"], _FILTERS),
        **dict.fromkeys(["fields", "properties", "users"], _VALUES | _ANY),
        **dict.fromkeys(["summaries", "grouping"], _FIGURES | _GROUPS | _ANY),
        **dict.fromkeys(
            [
                "id",
                "paging",
                "sorts",
                "project",
                "user",
                "entity",
                "text",
                "note_id",
                "limit",
                "field_name",
                "data_type",
                "prefs",
                "path",
                "root_path",
                "start_date",
                "end_date",
                "return_fields",
                "additional_filter_presets",
                "project_ids",
                "entity_fields",
                "max_results",
                "working",
                "date",
                "description",
                "page_id",
                "format",
                "min_id",
            ],
            _ANY,
        ),
    },
)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(method=_METHODS, call=_CALLS | some.lists(_CALLS, max_size=2))
def test_every_call_is_answered_or_refused(site: Site, me: Caller, method: str, call: Any) -> None:
    try:
        body = results_body(method, dispatch(site, me, method, call))
    except Fault as fault:
        body = fault_body(fault)
    json.loads(body)


def test_a_number_beyond_the_database_is_refused_in_words(site: Site, me: Caller) -> None:
    with pytest.raises(Fault, match="out of range"):
        dispatch(site, me, "note_thread_contents", {"note_id": 2**70})


_EVERY_SHOT = {"type": "Shot", "filters": {"logical_operator": "and", "conditions": []}}
_SHOT_NAMES = {"text": "c00", "entity_types": {"Shot": []}}


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("read", {**_EVERY_SHOT, "sorts": "code"}),
        ("read", {**_EVERY_SHOT, "sorts": [{"field_name": "code", "direction": "sideways"}]}),
        ("read", {**_EVERY_SHOT, "sorts": [{"direction": "asc"}]}),
        ("read", {**_EVERY_SHOT, "return_fields": ["code", 3]}),
        ("read", {**_EVERY_SHOT, "return_fields": 3}),
        ("read", {**_EVERY_SHOT, "return_only": "everything"}),
        ("query_display_name_cache", {**_SHOT_NAMES, "max_results": "all"}),
        ("query_display_name_cache", {**_SHOT_NAMES, "max_results": 0}),
        ("query_display_name_cache", {**_SHOT_NAMES, "project_ids": "all"}),
        ("query_display_name_cache", {**_SHOT_NAMES, "project_ids": ["PORT"]}),
        (
            "create",
            {
                "type": "Project",
                "fields": [
                    {"field_name": "name", "value": "Umi"},
                    {"field_name": "tracking_settings", "value": 3},
                ],
            },
        ),
        (
            "summarize",
            {
                **_EVERY_SHOT,
                "summaries": [{"field": "id", "type": "count"}],
                "grouping": [{"field": "code", "type": "exact", "direction": "sideways"}],
            },
        ),
    ],
)
def test_what_cannot_be_heeded_is_refused_and_not_left_out(
    site: Site, me: Caller, method: str, call: Any
) -> None:
    with pytest.raises(Fault):
        dispatch(site, me, method, call)
