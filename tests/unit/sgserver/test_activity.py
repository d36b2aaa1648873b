"""What happens around rows, the tree of a site, working days and subscriptions."""

from typing import Any

import pytest

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault
from support.sites import link, number


def call(site: Site, me: Caller, method: str, /, **parameters: Any) -> Any:
    return dispatch(site, me, method, parameters)


def test_the_activity_of_a_shot_is_its_own_and_that_of_what_links_to_it(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    shot = link(site.create(me, "Shot", {"project": project, "code": "c001"}))
    other = link(site.create(me, "Shot", {"project": project, "code": "c002"}))
    note: Any = {"project": project, "content": "Warmer!", "note_links": [shot]}
    number(site.create(me, "Note", note))
    site.create(me, "Version", {"project": project, "code": "v1", "entity": other})
    site.update(me, "Shot", number(shot), {"sg_status_list": "ip"})
    site.update(me, "Shot", number(shot), {"description": "not shown"})

    found = call(
        site, me, "activity_stream", **shot, entity_fields={"Note": ["content"], "Shot": ["code"]}
    )

    seen = [(one["update_type"], one["primary_entity"]["type"]) for one in found["updates"]]
    assert seen == [("update", "Shot"), ("create", "Note"), ("create", "Shot")]
    assert found["updates"][1]["primary_entity"]["content"] == "Warmer!"
    assert set(found["updates"][2]["primary_entity"]) == {"type", "id", "name", "status", "code"}
    assert found["updates"][0]["created_by"]["name"] == "haikei"
    assert found["latest_update_id"] == found["updates"][0]["id"]
    assert found["earliest_update_id"] == found["updates"][2]["id"]
    older = call(site, me, "activity_stream", **shot, max_id=found["latest_update_id"] - 1, limit=1)
    assert [one["meta"]["entity_type"] for one in older["updates"]] == ["Note"]
    everything = call(site, me, "activity_stream", **{k: project[k] for k in ("type", "id")})
    assert "Version" in {one["primary_entity"]["type"] for one in everything["updates"]}


def test_activity_is_asked_for_of_rows_that_there_are(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    for wrong, words in (
        ({"type": "Shot", "id": 999_999}, "does not exist"),
        ({"type": "Nothing", "id": 1}, "invalid/missing string entity 'type'"),
        ({"type": "Project", "id": project["id"], "limit": "many"}, "integer 'limit'"),
    ):
        with pytest.raises(Fault, match=words):
            call(site, me, "activity_stream", **wrong)


def test_the_tree_leads_from_the_site_to_a_row(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    shot = link(site.create(me, "Shot", {"project": project, "code": "c001"}))

    top = call(site, me, "nav_expand", path="/")
    assert [one["label"] for one in top["children"]] == ["Show"]
    types = call(site, me, "nav_expand", path=top["children"][0]["path"])
    shots = next(one for one in types["children"] if one["ref"]["value"] == "Shot")
    assert shots["has_children"]
    below = call(site, me, "nav_expand", path=shots["path"])
    assert below["parent_path"] == types["path"]
    place = below["children"][0]["path"]
    assert call(site, me, "nav_expand", path=place)["ref"]["value"] == shot
    for criteria in ({"search_string": "C001"}, {"entity": shot}):
        found = call(site, me, "nav_search", root_path="/", search_criteria=criteria)
        assert [one["incremental_path"][-1] for one in found] == [place]
    other = number(site.create(me, "Project", {"name": "Other"}))
    elsewhere = call(
        site,
        me,
        "nav_search",
        root_path=f"/Project/{other}",
        search_criteria={"search_string": "c001"},
    )
    assert elsewhere == []
    for wrong in ("/Project", "/Shot/id/1", 7, "/Project/999999", f"{place}/more"):
        with pytest.raises(Fault):
            call(site, me, "nav_expand", path=wrong)


def test_a_persons_day_off_goes_before_the_projects_and_the_studios(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    ann = link(site.create(me, "HumanUser", {"login": "ann"}))
    show = {k: project[k] for k in ("type", "id")}

    def reasons(**whose: Any) -> list[tuple[str, bool]]:
        week: Any = {"start_date": "2026-11-27", "end_date": "2026-11-30"}
        found = call(site, me, "work_schedule_read", **week, **whose)
        return [(rule["reason"], rule["working"]) for rule in found.values()]

    usual = "STUDIO_WORK_WEEK"
    plain = [(usual, True), (usual, False), (usual, False), (usual, True)]
    assert reasons(project=show, user=ann) == plain
    update: Any = {"date": "2026-11-30", "working": False, "description": "Holiday"}
    told = call(site, me, "work_schedule_update", **update, project=None, user=None)
    assert told == {**update, "project": None, "user": None}
    call(site, me, "work_schedule_update", date="2026-11-30", working=True, project=show)
    assert reasons()[-1] == ("STUDIO_EXCEPTION", False)
    assert reasons(project=show)[-1] == ("PROJECT_EXCEPTION", True)
    call(site, me, "work_schedule_update", date="2026-11-30", working=False, user=ann)
    assert reasons(project=show, user=ann)[-1] == ("USER_EXCEPTION", False)
    for wrong in (
        {**update, "date": "30.11.2026"},
        {**update, "working": "no"},
        {**update, "project": show, "user": ann},
        {**update, "project": ann},
        {**update, "recalculate_field": "due_date"},
    ):
        with pytest.raises(Fault):
            call(site, me, "work_schedule_update", **wrong)


def test_subscriptions_are_given_to_people_only(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    ann = number(site.create(me, "HumanUser", {"login": "ann"}))
    users: Any = [{"humanUserId": ann, "subscription": ["animation", "review"]}]
    done = call(site, me, "user_subscriptions_create", users=users)
    assert done == {"status": "success"}
    wrong: Any = [{"humanUserId": project["id"], "subscription": None}]
    with pytest.raises(Fault, match="humanUserId"):
        call(site, me, "user_subscriptions_create", users=wrong)
    assert call(site, me, "user_subscriptions_read") == users


def test_a_page_is_not_exported_and_says_so(site: Site, me: Caller) -> None:
    page = number(site.create(me, "Page", {"name": "Shots", "entity_type": "Shot"}))
    with pytest.raises(Fault, match=f"Export for Page id={page} not available"):
        call(site, me, "export_page", page_id=page, format="csv")
    with pytest.raises(Fault, match="'format' missing"):
        call(site, me, "export_page", page_id=page, format=None)


def test_a_field_hidden_in_one_project_is_shown_in_another(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    other = link(site.create(me, "Project", {"name": "Other"}))
    show = {k: project[k] for k in ("type", "id")}
    made: Any = {"type": "Asset", "data_type": "text"}
    label: Any = [{"property_name": "name", "value": "Mood"}]
    name = call(site, me, "schema_field_create", **made, properties=label)

    def visible(where: dict[str, Any] | None) -> Any:
        found = call(site, me, "schema_field_read", type="Asset", field_name=name, project=where)
        return found[name]["visible"]

    hide: Any = [{"property_name": "visible", "value": False}]
    update: Any = {"type": "Asset", "properties": hide}
    call(site, me, "schema_field_update", **update, field_name=name, project=show)

    assert visible(show) == {"value": False, "editable": True}
    assert visible(other) == visible(None) == {"value": True, "editable": True}
    whole = call(site, me, "schema_read", project=show)["Asset"]
    assert whole[name]["visible"]["value"] is False
    assert whole["code"]["visible"] == {"value": True, "editable": False}
    for wrong in (
        {**update, "field_name": name},
        {**update, "field_name": "code", "project": show},
        {**update, "field_name": name, "project": {"type": "Project", "id": 999_999}},
    ):
        with pytest.raises(Fault):
            call(site, me, "schema_field_update", **wrong)


def test_statuses_are_shown_by_their_names(site: Site, me: Caller) -> None:
    found = call(site, me, "schema_field_read", type="Shot", field_name="sg_status_list")
    shown = found["sg_status_list"]["properties"]["display_values"]["value"]
    assert shown["wtg"] == "Waiting to Start"
