"""Whatever a call holds, it is answered or refused in words."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.rpc import METHODS, dispatch, fault_body, results_body
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
    if isinstance(call, dict) and method in METHODS:
        # What a method does not know is refused at once; beyond that only known names get.
        known = METHODS[method][1].split()
        call = {name: value for name, value in call.items() if name in known}
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
        ("read", {**_EVERY_SHOT, "filter_operator": "any"}),
        ("read", [_EVERY_SHOT]),
        ("nav_expand", {"path": "/", "seed_entity_field": "Task.entity"}),
        ("nav_expand", {"path": "/", "entity_fields": {"Shot": ["code"]}}),
        ("nav_expand", {"path": "/", "depth": 2}),
        ("nav_search", {"root_path": "/Project/999", "search_criteria": {"search_string": "c"}}),
        ("nav_search", {"root_path": "/Shot/id/1", "search_criteria": {"search_string": "c"}}),
        ("nav_search", {"root_path": "/", "search_criteria": {"search_string": "c", "limit": 3}}),
        ("nav_search", {"root_path": "/", "search_criteria": {"entity": {"type": "Shot"}}}),
        (
            "nav_search",
            {"root_path": "/", "search_criteria": {"entity": {"type": "Task", "id": 1}}},
        ),
        ("followers", {"entity": {"type": "Shot", "id": 999_999}}),
        ("followers", {"entity": {"type": "Project", "id": 1}, "user": None}),
        ("following", {"user": {"type": "HumanUser", "id": 999_999}}),
        ("following", {"user": {"type": "Shot", "id": 1}}),
        ("activity_stream", {"type": "Project", "id": 1, "entity_fields": ["code"]}),
        ("note_thread_contents", {"note_id": 1, "entity_fields": {"Nothing": ["code"]}}),
        ("schema_field_read", {"type": "Shot", "project": {"type": "Shot", "id": 1}}),
        ("schema_read", {"project": 3}),
        ("update_project_last_accessed_by_current_user", {"project_id": 1, "user_id": 999_999}),
        ("get_session_token", {"minutes": 5}),
        ("user_subscriptions_read", {"users": []}),
        ("batch", [{"request_type": "delete", "type": "Shot", "id": 1, "force": True}]),
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


@pytest.mark.parametrize(
    "properties",
    [
        {"colour": "red"},
        {"name": " "},
        {"name": 3},
        {"description": {"de": "…"}},
        {"summary_default": "median"},
        {"valid_values": ["a"]},
        {"valid_types": ["Shot"]},
        {"hidden_values": ["a"]},
        {"default_value": {"type": "Shot"}},
        {"custom_metadata": ["a"]},
    ],
)
def test_a_fields_property_that_cannot_be_kept_is_refused(
    site: Site, me: Caller, properties: dict[str, Any]
) -> None:
    named = [{"property_name": "name", "value": "Mood"}]
    new: Any = {"type": "Shot", "data_type": "text", "properties": named}
    name = dispatch(site, me, "schema_field_create", new)
    where: Any = {"type": "Shot", "field_name": name}
    before = dispatch(site, me, "schema_field_read", where)

    changed = [{"property_name": key, "value": value} for key, value in properties.items()]
    with pytest.raises(Fault):
        dispatch(site, me, "schema_field_update", {**where, "properties": changed})

    assert dispatch(site, me, "schema_field_read", where) == before


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("emile", ["Émile Zola"]),
        ("ÉMILE zola", ["Émile Zola"]),
        ("E\u0301mile", ["Émile Zola"]),
        ("c012a", ["Ｃ０１２Ａ"]),
        ("ｚｏｌａ", ["Émile Zola"]),
        ("かぐや", ["かぐや"]),
        ("ｶﾞﾝ", ["ガン"]),
        ("カン　", []),
        ("100%", ["100％"]),
        ("1_0", []),
    ],
)
def test_a_search_by_words_folds_accents_and_full_width(
    site: Site, me: Caller, project: dict[str, Any], text: str, found: list[str]
) -> None:
    for code in ("Émile Zola", "Ｃ０１２Ａ", "かぐや", "ガン", "100％"):
        site.create(me, "Shot", {"project": project, "code": code})

    answer: Any = dispatch(
        site, me, "query_display_name_cache", {"text": text, "entity_types": {"Shot": []}}
    )

    assert [one["name"] for one in answer["matches"]] == found
