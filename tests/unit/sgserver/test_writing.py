"""Create and update: defaults, checks, links from both sides."""

import re
from typing import Any

import pytest

from haikei.sgserver.credentials import Caller
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault
from support.sites import link, number


def test_a_version_needs_its_project_alone_and_gets_what_the_site_gives(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    row = site.create(
        me,
        "Version",
        {"project": project},
        return_fields=["code", "user", "sg_status_list", "flagged", "created_by", "created_at"],
    )
    assert row["code"] == f"New Version {row['id']}"
    assert row["sg_status_list"] == "rev"
    assert row["flagged"] is False
    assert row["user"] == row["created_by"] == {"type": "ApiUser", "id": me.id, "name": "haikei"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(row["created_at"]))
    with pytest.raises(Fault) as caught:
        site.create(me, "Version", {"code": "v1"})
    assert caught.value.code == 103
    assert caught.value.message == 'API create() missing \'project\' attribute: {"code" => "v1"}'


def test_ids_of_all_types_come_from_one_sequence(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    types = ["Shot", "Asset", "Task", "Version", "Note", "Playlist"]
    ids = [number(site.create(me, kind, {"project": project})) for kind in types]
    events = site.find(me, "EventLogEntry")
    assert len({*ids, *(number(row) for row in events)}) == len(ids) + len(events)
    assert ids == sorted(ids)


def test_text_is_stripped_and_empty_text_is_null(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    row = site.create(me, "Shot", {"project": project, "code": "  c001 ", "description": "   "})
    assert row["code"] == "c001"
    assert row["description"] is None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("nope", 1, "API update() Version.nope doesn't exist."),
        ("id", 1, "API update() Version.id is read only."),
        ("created_at", "2026-01-01", "API update() Version.created_at is editable on create only."),
        ("code", 5, "Version.code expected [String, NilClass] data type(s) but got Integer: 5"),
        (
            "frame_count",
            1.5,
            "expected [String, Integer, NilClass] data type(s) but got Float: 1.5",
        ),
        ("frame_count", "x", "Invalid data for 'number' data type. Value: x"),
        ("frame_count", 2**31, "Update failed for [Version.frame_count]: Invalid statement."),
        ("sg_movie_aspect_ratio", 2, "expected [String, BigDecimal, Float, NilClass]"),
        ("flagged", None, "expected [String, FalseClass, TrueClass] data type(s) but got NilClass"),
        ("flagged", "yes", "Invalid data for 'checkbox' data type. Value: yes"),
        ("client_approved_at", "soon", "Invalid date time format: soon."),
        ("sg_status_list", "Final", "'Final' is not a valid status. Valid statuses: 'na', 'rev'"),
        ("viewed_by_current_user", "x", "'x' is not a valid list value. Valid list values: 'read'"),
        ("entity", 5, "Version.entity expected [Hash, "),
        (
            "entity",
            {"id": 5},
            "API update() invalid/missing entity hash string 'type': {\"id\" => 5}",
        ),
        ("entity", {"type": "Shot", "id": None}, "invalid/missing entity hash integer 'id'"),
        ("entity", {"type": "Shot", "id": 99999}, "[Version.entity]: Value is not legal."),
        ("project", {"type": "Shot", "id": 5}, "Project expected, got Shot"),
        ("playlists", None, "expected [Array, Hash] data type(s) but got NilClass: nil"),
        ("playlists", {"type": "Playlist", "id": 1}, "missing string 'multi_entity_update_mode'"),
        ("playlists", [{"type": "Shot", "id": 1}], "Value is not legal."),
        ("image", "x.png", "Version.image expected [Hash, "),
        ("image", {"type": "Attachment", "id": 1}, "not yet supported in API"),
        ("sg_uploaded_movie", "x.mov", "Version.sg_uploaded_movie expected [Hash, "),
        ("sg_uploaded_movie", {}, "API update() invalid/missing url hash string 'url': {}"),
        ("tag_list", "night", "Version.tag_list expected [Array, NilClass]"),
        ("tag_list", [5], "Invalid data for 'tag_list' data type."),
    ],
)
def test_a_wrong_value_is_refused_and_changes_nothing(
    site: Site, me: Caller, project: dict[str, Any], field: str, value: Any, words: str
) -> None:
    row = site.create(me, "Version", {"project": project, "code": "v1"})
    before = site.find(me, "EventLogEntry")
    with pytest.raises(Fault) as caught:
        site.update(me, "Version", number(row), {"description": "x", field: value})
    assert words in caught.value.message
    assert site.find_one(me, "Version", [], ["description"]) == {
        "type": "Version",
        "id": row["id"],
        "description": None,
    }
    assert site.find(me, "EventLogEntry") == before


def test_what_a_create_refuses_is_said_in_its_own_words(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    with pytest.raises(Fault, match=r"^Invalid field value, update failed \[5 - Update failed for"):
        site.create(me, "Version", {"project": project, "sg_status_list": "Final"})
    with pytest.raises(Fault, match="integer out of range"):
        site.create(me, "Version", {"project": project, "frame_count": -(2**31) - 1})
    with pytest.raises(Fault, match="invalid/missing string entity 'type'"):
        site.create(me, "Nonsense", {})


def test_stamps_may_be_given_when_a_row_is_created(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    person = site.create(me, "HumanUser", {"login": "ann", "firstname": "Ann", "lastname": "Lee"})
    row = site.create(
        me,
        "Version",
        {
            "project": project,
            "created_at": "2020-01-02T03:04:05+09:00",
            "created_by": link(person),
            "user": link(person),
        },
    )
    assert row["created_at"] == "2020-01-01T18:04:05Z"
    assert row["created_by"] == {"type": "HumanUser", "id": person["id"], "name": "Ann Lee"}
    site.update(me, "HumanUser", number(person), {"lastname": "Ray"})
    named = site.find_one(me, "Version", [], ["user", "updated_by"])
    assert named is not None
    assert named["user"] == {"type": "HumanUser", "id": person["id"], "name": "Ann Ray"}


def test_multi_entity_modes_set_add_and_remove_once(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    shot = site.create(me, "Shot", {"project": project})
    assets = [
        link(site.create(me, "Asset", {"project": project, "code": code})) for code in ("a", "b")
    ]

    def changed(value: list[Any], mode: Any) -> list[Any]:
        site.update(me, "Shot", number(shot), {"assets": value}, modes={"assets": mode})
        found = site.find_one(me, "Shot", [], ["assets"])
        assert found is not None
        links: Any = found["assets"]
        return [one["name"] for one in links]

    assert changed([assets[0], assets[0]], "set") == ["a"]
    assert changed([assets[1], assets[0]], "add") == ["a", "b"]
    assert changed([], "add") == ["a", "b"]
    assert changed([assets[0]], "remove") == ["b"]
    assert changed([assets[0]], "remove") == ["b"]
    assert changed([assets[0]], "set") == ["a"]
    assert changed([], "set") == []


@pytest.mark.parametrize("side", ["Version", "PublishedFile"])
def test_a_link_may_be_written_from_either_side(
    site: Site, me: Caller, project: dict[str, Any], side: str
) -> None:
    version = site.create(me, "Version", {"project": project, "code": "v"})
    file = site.create(me, "PublishedFile", {"project": project, "code": "f"})
    if side == "Version":
        site.update(me, "Version", number(version), {"published_files": [link(file)]})
    else:
        site.update(me, "PublishedFile", number(file), {"version": link(version)})
    rows = (
        site.find_one(me, "Version", [], ["published_files"]),
        site.find_one(me, "PublishedFile", [], ["version"]),
    )
    assert rows[0] is not None
    assert rows[1] is not None
    assert rows[0]["published_files"] == [{**link(file), "name": "f"}]
    assert rows[1]["version"] == {**link(version), "name": "v"}
    site.update(me, "Version", number(version), {"published_files": []})
    assert site.find(me, "PublishedFile", [["version", "is_not", None]]) == []


def test_files_show_what_they_were_made_from_and_what_was_made_from_them(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    layout = site.create(me, "PublishedFile", {"project": project, "code": "layout"})
    background = site.create(
        me,
        "PublishedFile",
        {"project": project, "code": "bg", "upstream_published_files": [link(layout)]},
    )
    found = site.find(me, "PublishedFile", [], ["downstream_published_files"], limit=1)
    assert found[0]["downstream_published_files"] == [{**link(background), "name": "bg"}]
    dependency = site.find(me, "PublishedFileDependency", [], ["dependent_published_file"])
    assert [row["dependent_published_file"] for row in dependency] == [
        {**link(layout), "name": "layout"}
    ]
    fields: dict[str, Any] = {"downstream_published_files": []}
    site.update(me, "PublishedFile", number(layout), fields)
    assert site.find(me, "PublishedFileDependency") == []


def test_a_playlist_shows_its_versions_by_name_and_joins_each_once(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    versions = [
        link(site.create(me, "Version", {"project": project, "code": code})) for code in "cba"
    ]
    playlist = site.create(me, "Playlist", {"project": project, "versions": versions})
    listed: Any = playlist["versions"]
    assert [one["name"] for one in listed] == ["a", "b", "c"]
    with pytest.raises(Fault, match="There is already a connection between the entities"):
        site.create(
            me, "PlaylistVersionConnection", {"playlist": link(playlist), "version": versions[0]}
        )
    join = site.find(me, "PlaylistVersionConnection", [["version", "is", versions[1]]])[0]
    site.update(me, "PlaylistVersionConnection", number(join), {"sg_sort_order": 3})
    fields: dict[str, Any] = {"version": versions[0]}
    with pytest.raises(Fault, match="editable on create only"):
        site.update(me, "PlaylistVersionConnection", number(join), fields)
    order: Any = [("sg_sort_order", "desc")]
    assert site.find(me, "PlaylistVersionConnection", order=order)[0]["id"] == join["id"]


def test_replies_taken_out_of_a_note_are_retired(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    note = site.create(me, "Note", {"project": project, "subject": "Sky", "content": "Darker"})
    reply = site.create(me, "Reply", {"entity": link(note), "content": "Done"})
    found = site.find_one(me, "Note", [], ["replies", "cached_display_name"])
    assert found is not None
    assert found["replies"] == [{**link(reply), "name": "Done"}]
    assert found["cached_display_name"] == "Sky - Darker"
    site.update(me, "Note", number(note), {"replies": []})
    assert site.find(me, "Reply") == []
    assert site.find(me, "Reply", retired_only=True) == [{"type": "Reply", "id": reply["id"]}]


def test_notes_show_on_what_they_are_about_and_count_while_open(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    shot = site.create(me, "Shot", {"project": project})
    links: dict[str, Any] = {"project": project, "note_links": [link(shot)]}
    site.create(me, "Note", {**links, "subject": "open"})
    site.create(me, "Note", {**links, "subject": "done", "sg_status_list": "clsd"})
    found = site.find_one(me, "Shot", [], ["notes", "open_notes", "open_notes_count"])
    assert found is not None
    notes: Any = found["notes"]
    open_notes: Any = found["open_notes"]
    assert [one["name"] for one in notes] == ["open", "done"]
    assert [one["name"] for one in open_notes] == ["open"]
    assert found["open_notes_count"] == 1


def test_a_name_written_to_the_cached_one_is_dropped(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    shot = site.create(me, "Shot", {"project": project, "code": "c1", "cached_display_name": "x"})
    site.update(me, "Shot", number(shot), {"code": "c2"})
    found = site.find_one(me, "Shot", [], ["cached_display_name"])
    assert found is not None
    assert found["cached_display_name"] == "c2"


def test_time_is_logged_for_today_and_by_the_person_who_asks(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    person = site.create(me, "HumanUser", {"login": "ann", "name": "Ann"})
    site.set_password(number(person), "secret")
    ann = site.authenticate({"user_login": "ann", "user_password": "secret"})
    row = site.create(
        ann, "TimeLog", {"project": project}, return_fields=["user", "date", "description"]
    )
    assert row["user"] == {"type": "HumanUser", "id": person["id"], "name": "Ann"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(row["date"]))
    assert row["description"] == "New Time Log"
    with pytest.raises(Fault, match="HumanUser expected, got ApiUser"):
        site.create(me, "TimeLog", {"project": project, "user": {"type": "ApiUser", "id": me.id}})
