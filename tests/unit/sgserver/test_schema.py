"""The schema over the wire: read it, add to it, change it, take away."""

from pathlib import Path
from typing import Any

import pytest

from haikei.sgserver.credentials import Caller
from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault
from support.sites import link, number


def make(site: Site, me: Caller, data_type: str, label: str, **properties: Any) -> Any:
    given = [{"property_name": name, "value": value} for name, value in properties.items()]
    given.insert(0, {"property_name": "name", "value": label})
    call: Any = {"type": "Version", "data_type": data_type, "properties": given}
    return dispatch(site, me, "schema_field_create", call)


def fields(site: Site, me: Caller, name: str | None = None) -> dict[str, Any]:
    call: Any = {"type": "Version"} if name is None else {"type": "Version", "field_name": name}
    found: Any = dispatch(site, me, "schema_field_read", call)
    return dict(found)


def test_every_type_of_a_studio_is_there_with_its_fields(site: Site, me: Caller) -> None:
    types: Any = dispatch(site, me, "schema_entity_read", None)
    assert set(types) >= {
        *("Project", "Episode", "Sequence", "Shot", "Asset", "Task", "Step", "Version"),
        *("PublishedFile", "PublishedFileType", "PublishedFileDependency", "Note", "Reply"),
        *("Attachment", "Playlist", "PlaylistVersionConnection", "TimeLog", "HumanUser"),
        *("ApiUser", "Group", "Department", "Status", "LocalStorage", "Tag", "EventLogEntry"),
        *("ActionMenuItem", "Page", "TaskTemplate", "TaskDependency", "CustomEntity01"),
    }
    assert types["PublishedFile"]["name"] == {"value": "Published File", "editable": False}
    schema: Any = dispatch(site, me, "schema_read", None)
    entity = schema["Version"]["entity"]
    assert entity["data_type"]["value"] == "entity"
    assert "Shot" in entity["properties"]["valid_types"]["value"]
    status = schema["Version"]["sg_status_list"]["properties"]
    assert status["default_value"]["value"] == "rev"
    assert "apr" in status["valid_values"]["value"]
    assert status["hidden_values"]["value"] == []
    assert schema["Shot"]["code"]["mandatory"]["value"] is True


def test_a_new_field_is_named_by_its_label_and_a_second_one_gets_a_number(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    assert make(site, me, "text", "AI Model (v2)") == "sg_ai_model__v2_"
    assert make(site, me, "text", "sg_model") == "sg_sg_model"
    assert make(site, me, "text", "Key", description="ours") == "sg_key"
    assert make(site, me, "text", "Key") == "sg_key_1"
    described = fields(site, me, "sg_key")["sg_key"]
    assert described["description"]["value"] == "ours"
    assert described["name"]["value"] == "Key"
    row = site.create(me, "Version", {"project": project, "sg_key": "abc"})
    assert site.find(me, "Version", [["sg_key", "is", "ABC"]]) == [
        {"type": "Version", "id": row["id"]}
    ]


@pytest.mark.parametrize(
    ("data_type", "properties", "words"),
    [
        ("color", {}, "invalid/missing string 'data_type'"),
        ("image", {}, "invalid/missing string 'data_type'"),
        ("calculated", {}, "invalid/missing string 'data_type'"),
        ("entity", {}, "'valid_types' value expected Array with one element"),
        ("multi_entity", {"valid_types": ["Shot", "Asset"]}, "expected Array with one element"),
        ("entity", {"valid_types": ["Nope"]}, "unknown entity types"),
        ("checkbox", {}, "Only true or false allowed in checkbox"),
        ("list", {"valid_values": "x"}, "'valid_values' value expected Array"),
    ],
)
def test_a_field_that_cannot_be_is_refused(
    site: Site, me: Caller, data_type: str, properties: dict[str, Any], words: str
) -> None:
    before = fields(site, me)
    with pytest.raises(Fault, match=words):
        make(site, me, data_type, "New", **properties)
    assert fields(site, me) == before
    with pytest.raises(Fault, match="missing required 'name' property"):
        make(site, me, "text", " ")
    call: Any = {"type": "Version", "data_type": "text", "properties": ["x"]}
    with pytest.raises(Fault, match="invalid 'properties'"):
        dispatch(site, me, "schema_field_create", call)


def test_a_deleted_field_is_gone_and_its_name_is_spent(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    make(site, me, "text", "Key")
    call: Any = {"type": "Version", "field_name": "sg_key"}
    assert dispatch(site, me, "schema_field_delete", call) is True
    assert "sg_key" not in fields(site, me)
    with pytest.raises(Fault, match="sg_key doesn't exist"):
        site.create(me, "Version", {"project": project, "sg_key": "x"})
    with pytest.raises(Fault, match=r"schema_field_create\(\) failed"):
        make(site, me, "text", "Key")
    with pytest.raises(Fault, match="sg_key doesn't exist"):
        dispatch(site, me, "schema_field_delete", call)
    with pytest.raises(Fault, match="is a shipped field"):
        dispatch(site, me, "schema_field_delete", {"type": "Version", "field_name": "code"})


def test_links_of_custom_fields_and_every_change_outlive_the_site(
    tmp_path: Path, site: Site, me: Caller, project: dict[str, Any]
) -> None:
    made_from = make(site, me, "multi_entity", "Made From", valid_types=["Version"])
    flag = make(site, me, "checkbox", "Checked", default_value=True)
    first = site.create(me, "Version", {"project": project, "code": "a"})
    assert site.find_one(me, "Version", (), [flag]) == {
        "type": "Version",
        "id": first["id"],
        flag: True,
    }
    link: Any = {"type": "Version", "id": first["id"]}
    site.create(me, "Version", {"project": project, made_from: [link], flag: False})
    properties = [
        {"property_name": "valid_values", "value": ["wtg", "done"]},
        {"property_name": "summary_default", "value": "count"},
        {"property_name": "default_value", "value": "done"},
    ]
    call: Any = {"type": "Shot", "field_name": "sg_status_list", "properties": properties}
    assert dispatch(site, me, "schema_field_update", call) is True
    shot = site.create(me, "Shot", {"project": project}, return_fields=["sg_status_list"])
    assert shot["sg_status_list"] == "done"
    site.close()

    again = Site.open(tmp_path)
    try:
        assert len(again.find(me, "Version", [[made_from, "is", link]])) == 1
        described: Any = dispatch(again, me, "schema_read", None)
        found = described["Shot"]["sg_status_list"]["properties"]
        assert found["valid_values"]["value"] == ["wtg", "done"]
        assert found["summary_default"]["value"] == "count"
        with pytest.raises(Fault, match="'ip' is not a valid status"):
            again.update(me, "Shot", number(shot), {"sg_status_list": "ip"})
        assert again.authenticate({"script_name": "haikei", "script_key": "key"}) == me
    finally:
        again.close()


def test_pipelines_editorial_and_deliveries_have_their_types(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    shot = link(site.create(me, "Shot", {"project": project, "code": "c001"}))
    version = link(site.create(me, "Version", {"project": project, "code": "v1", "entity": shot}))
    config: Any = {"project": project, "code": "Primary", "linux_path": "/studio/config"}
    primary = link(site.create(me, "PipelineConfiguration", config))
    site.create(
        me, "Software", {"code": "Krita", "engine": "tk-krita", "linux_args": "--canvasonly"}
    )
    place: Any = {
        "project": project,
        "code": "c001",
        "entity": shot,
        "pipeline_configuration": primary,
    }
    site.create(me, "FilesystemLocation", {**place, "is_primary": True})
    cut = link(
        site.create(me, "Cut", {"project": project, "code": "Reel 1", "fps": 24.0, "entity": shot})
    )
    site.update(me, "Cut", number(cut), {"versions": [version]})
    item: Any = {"project": project, "code": "1", "cut": cut, "shot": shot, "version": version}
    site.create(me, "CutItem", {**item, "cut_order": 1, "edit_in": 1, "edit_out": 48})
    site.create(me, "Delivery", {"project": project, "title": "To the client"})
    bug = link(site.create(me, "Ticket", {"project": project, "title": "A line is missing"}))
    other = link(site.create(me, "Ticket", {"project": project, "title": "Two lines are missing"}))
    site.update(me, "Ticket", number(bug), {"related_tickets": [other]})
    site.create(me, "Reply", {"entity": bug, "content": "Seen."})

    def shown(row: dict[str, Any], *names: str) -> Any:
        return site.find_one(me, row["type"], [["id", "is", row["id"]]], names)

    of_cut = shown(cut, "cut_items", "versions")
    assert [one["name"] for one in of_cut["cut_items"]] == ["1"]
    assert [one["id"] for one in of_cut["versions"]] == [number(version)]
    joined = site.find(me, "CutVersionConnection", [["cut", "is", cut]], ["version"])
    assert [row["version"] for row in joined] == [{**version, "name": "v1"}]
    of_bug = shown(bug, "related_tickets", "replies")
    assert [one["id"] for one in of_bug["related_tickets"]] == [number(other)]
    assert len(of_bug["replies"]) == 1
    assert "Shot" in shown(project, "tracking_settings")["tracking_settings"]["navchains"]


def test_who_may_use_a_pipeline_configuration_is_a_row_of_its_own(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    person = link(site.create(me, "HumanUser", {"login": "aki", "name": "Aki"}))
    config = link(
        site.create(
            me, "PipelineConfiguration", {"code": "dev", "project": project, "users": [person]}
        )
    )

    rows: Any = site.find(
        me,
        "PipelineConfigurationUserConnection",
        [["user", "is", person]],
        ["pipeline_configuration"],
    )
    assert [row["pipeline_configuration"]["id"] for row in rows] == [number(config)]
    shown: Any = site.find_one(me, "PipelineConfiguration", [["users", "is", person]], ["users"])
    assert [one["id"] for one in shown["users"]] == [number(person)]


def test_a_site_has_fifty_slots_in_projects_and_fifteen_outside(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    for name in ("CustomEntity01", "CustomEntity50"):
        site.create(me, name, {"project": project, "code": "a board"})
    site.create(me, "CustomNonProjectEntity15", {"code": "a studio"})
    with pytest.raises(Fault, match="missing 'project'"):
        site.create(me, "CustomEntity50", {"code": "nowhere"})
    with pytest.raises(Fault, match="entity 'type'"):
        site.create(me, "CustomEntity51", {"project": project, "code": "a board"})
