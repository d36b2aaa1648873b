"""What each write leaves in the event log."""

from typing import Any

import pytest

from haikei.sgserver.credentials import Caller
from haikei.sgserver.site import Site
from haikei.sgserver.values import Fault
from support.sites import number

FIELDS = ("event_type", "attribute_name", "entity", "project", "user", "meta", "session_uuid")


class Log:
    """The rows of the event log that came since the last look."""

    def __init__(self, site: Site, me: Caller) -> None:
        self._site, self._me, self._last = site, me, 0
        self.new()

    def new(self) -> list[dict[str, Any]]:
        filters: Any = [["id", "greater_than", self._last]]
        rows = self._site.find(self._me, "EventLogEntry", filters, FIELDS)
        self._last = max([self._last, *(number(row) for row in rows)])
        return [dict(row) for row in rows]


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(row["event_type"], row["attribute_name"]) for row in rows]


def test_a_create_tells_each_populated_field_and_then_the_row(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    log = Log(site, me)
    shot = site.create(me, "Shot", {"project": project, "code": "c001", "description": "Harbour"})
    rows = log.new()
    assert told(rows) == [
        ("Shotgun_Shot_Change", "description"),
        ("Shotgun_Shot_Change", "sg_status_list"),
        ("Shotgun_Shot_Change", "code"),
        ("Shotgun_Shot_New", None),
    ]
    assert all(row["meta"]["in_create"] for row in rows[:-1])
    assert rows[-1]["meta"] == {
        "type": "new_entity",
        "entity_type": "Shot",
        "entity_id": shot["id"],
    }
    assert rows[1]["meta"] == {
        "type": "attribute_change",
        "attribute_name": "sg_status_list",
        "entity_type": "Shot",
        "entity_id": shot["id"],
        "field_data_type": "status_list",
        "in_create": True,
        "old_value": None,
        "new_value": "wtg",
    }
    for row in rows:
        assert row["entity"] == {"type": "Shot", "id": shot["id"], "name": "c001"}
        assert row["project"] == project
        assert row["user"] == {"type": "ApiUser", "id": me.id, "name": "haikei"}
        assert row["session_uuid"] is None


def test_an_update_tells_what_changed_and_nothing_else(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    shot = site.create(me, "Shot", {"project": project, "code": "c001"})
    log = Log(site, me)
    site.update(me, "Shot", number(shot), {"sg_status_list": "ip", "code": "c001"})
    rows = log.new()
    assert told(rows) == [("Shotgun_Shot_Change", "sg_status_list")]
    assert rows[0]["meta"]["old_value"] == "wtg"
    assert rows[0]["meta"]["new_value"] == "ip"
    assert "in_create" not in rows[0]["meta"]


def test_a_link_is_told_on_both_its_ends(site: Site, me: Caller, project: dict[str, Any]) -> None:
    first, second = (
        {"type": "Shot", "id": site.create(me, "Shot", {"project": project, "code": c})["id"]}
        for c in ("c001", "c002")
    )
    log = Log(site, me)
    task = site.create(me, "Task", {"project": project, "content": "BG", "entity": first})
    rows = log.new()
    mirrored = next(row for row in rows if row["attribute_name"] == "tasks")
    original = next(row for row in rows if row["attribute_name"] == "entity")
    assert told(rows)[-1] == ("Shotgun_Task_New", None)
    assert mirrored["event_type"] == "Shotgun_Shot_Change"
    assert mirrored["entity"] == {**first, "name": "c001"}
    meta = mirrored["meta"]
    assert (meta["entity_type"], meta["entity_id"]) == ("Task", task["id"])
    assert meta["actual_attribute_changed"] == "Task.entity"
    assert meta["original_event_log_entry_id"] == original["id"]
    assert meta["in_create"] is True
    assert [one["name"] for one in meta["added"]] == ["BG"]
    assert meta["removed"] == []

    site.update(me, "Task", number(task), {"entity": second})
    moved = log.new()
    assert told(moved) == [
        ("Shotgun_Task_Change", "entity"),
        ("Shotgun_Shot_Change", "tasks"),
        ("Shotgun_Shot_Change", "tasks"),
    ]
    assert [len(row["meta"]["removed"]) for row in moved[1:]] == [1, 0]
    assert [row["entity"]["name"] for row in moved[1:]] == ["c001", "c002"]


def test_many_links_are_told_as_added_and_removed(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    asset = {"type": "Asset", "id": site.create(me, "Asset", {"project": project})["id"]}
    shot = site.create(me, "Shot", {"project": project, "code": "c001"})
    log = Log(site, me)
    site.update(me, "Shot", number(shot), {"assets": [asset]})
    rows = log.new()
    assert told(rows) == [("Shotgun_Shot_Change", "assets"), ("Shotgun_Asset_Change", "shots")]
    assert [one["id"] for one in rows[0]["meta"]["added"]] == [asset["id"]]
    assert rows[1]["meta"]["actual_attribute_changed"] == "Shot.assets"
    site.update(me, "Asset", number(asset), {"shots": []})
    back = log.new()
    assert told(back) == [("Shotgun_Asset_Change", "shots"), ("Shotgun_Shot_Change", "assets")]
    assert [one["id"] for one in back[0]["meta"]["removed"]] == [shot["id"]]


def test_a_version_put_into_a_playlist_is_told_on_both_and_on_their_connection(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    version = {"type": "Version", "id": site.create(me, "Version", {"project": project})["id"]}
    playlist = site.create(me, "Playlist", {"project": project})
    log = Log(site, me)
    site.update(me, "Playlist", number(playlist), {"versions": [version]})
    kinds = told(log.new())
    assert ("Shotgun_PlaylistVersionConnection_New", None) in kinds
    assert ("Shotgun_Playlist_Change", "versions") in kinds
    assert ("Shotgun_Version_Change", "playlists") in kinds
    site.update(me, "Playlist", number(playlist), {"versions": []})
    kinds = told(log.new())
    assert ("Shotgun_PlaylistVersionConnection_Retirement", None) in kinds
    assert ("Shotgun_Playlist_Change", "versions") in kinds


def test_a_retired_row_leaves_every_event_that_named_it(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    shot = site.create(me, "Shot", {"project": project, "code": "c001"})
    log = Log(site, me)
    site.delete(me, "Shot", number(shot))
    rows = log.new()
    assert told(rows) == [
        ("Shotgun_Shot_Retirement", None),
        ("Shotgun_Shot_Change", "retirement_date"),
    ]
    assert set(rows[0]["meta"]) == {
        *("type", "class_name", "display_name", "entity_id", "entity_type", "id"),
        "retirement_date",
    }
    assert rows[0]["meta"]["display_name"] == "c001"
    about: Any = [["entity", "is", {"type": "Shot", "id": shot["id"]}]]
    assert site.find(me, "EventLogEntry", about) == []
    every = site.find(me, "EventLogEntry", [["event_type", "contains", "_Shot_"]], ["entity"])
    assert every
    assert all(row["entity"] is None for row in every)
    site.revive(me, "Shot", number(shot))
    assert told(log.new()) == [("Shotgun_Shot_Revival", None)]
    assert len(site.find(me, "EventLogEntry", about)) == len(every) + 1


def test_a_script_that_generates_no_events_leaves_none(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    script = site.add_script("quiet", "key", generates_events=False)
    quiet = site.authenticate({"script_name": "quiet", "script_key": "key"})
    log = Log(site, me)
    shot = site.create(quiet, "Shot", {"project": project, "code": "c001"})
    site.update(quiet, "Shot", number(shot), {"code": "c002"})
    site.delete(quiet, "Shot", number(shot))
    assert log.new() == []
    site.update(quiet, "ApiUser", script, {"generate_event_log_entries": True})
    loud = site.authenticate({"script_name": "quiet", "script_key": "key"})
    site.create(loud, "Shot", {"project": project})
    assert log.new() != []


def test_a_thumbnail_is_told_twice_first_as_transient(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    site.base_url = "http://tracker"
    shot = site.create(me, "Shot", {"project": project})
    shot_id = number(shot)

    def upload() -> int:
        return site.create_attachment(
            me, filename="t.png", display_name="t.png", content_type="image/png", size=5
        )

    first = upload()
    log = Log(site, me)
    site.set_image(me, "Shot", shot_id, first, transient=True)
    found = site.find_one(me, "Shot", [], ["image"])
    assert found is not None
    pending = "http://tracker/images/status/transient/thumbnail_pending.png"
    assert found["image"] == pending
    assert site.image_of("Shot", shot_id) == (first, True)
    site.set_image(me, "Shot", shot_id, first, transient=False)
    metas = [row["meta"] for row in log.new()]
    assert [(m["old_value"], m["new_value"], m["is_transient"]) for m in metas] == [
        (None, first, True),
        (None, first, False),
    ]
    second = upload()
    log.new()
    site.set_image(me, "Shot", shot_id, second, transient=True)
    assert log.new()[0]["meta"]["old_value"] == first
    site.update(me, "Shot", shot_id, {"image": None})
    assert site.image_of("Shot", shot_id) is None
    with pytest.raises(Fault):
        site.set_image(me, "Shot", shot_id, shot_id + 10_000, transient=True)
    with pytest.raises(Fault, match="takes no thumbnail"):
        site.set_image(me, "Step", shot_id, second, transient=True)


def test_an_uploaded_file_is_told_and_read_at_the_sites_address(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    site.base_url = "http://tracker"
    version = site.create(me, "Version", {"project": project})
    version_id = number(version)
    attachment = site.create_attachment(
        me,
        filename="bg.png",
        display_name="Background",
        content_type="image/png",
        size=1234,
        link=("Version", version_id),
        tags=["night"],
        created_at="2026-01-02T03:04:05Z",
    )
    log = Log(site, me)
    site.set_file(me, "Version", version_id, "sg_uploaded_movie", attachment)
    assert told(log.new()) == [("Shotgun_Version_Change", "sg_uploaded_movie")]
    found = site.find_one(me, "Version", [], ["sg_uploaded_movie"])
    assert found is not None
    assert found["sg_uploaded_movie"] == {
        "url": f"http://tracker/file_serve/attachment/{attachment}",
        "name": "Background",
        "content_type": "image/png",
        "link_type": "upload",
        "type": "Attachment",
        "id": attachment,
    }
    links: Any = [["attachment_links", "is", {"type": "Version", "id": version_id}]]
    row = site.find(me, "Attachment", links, ["file_size", "filename", "tag_list", "created_at"])[0]
    assert row["file_size"] == 1234
    assert row["tag_list"] == ["night"]
    assert row["created_at"] == "2026-01-02T03:04:05Z"
    for entity_type, field in (("Version", "code"), ("Version", "nope")):
        with pytest.raises(Fault, match="takes no uploaded file"):
            site.set_file(me, entity_type, version_id, field, attachment)
    with pytest.raises(Fault, match="does not exist"):
        site.set_file(me, "Version", version_id, "sg_uploaded_movie", 999_999)
    with pytest.raises(Fault, match="Invalid date time format"):
        site.create_attachment(
            me, filename="x", display_name="x", content_type=None, size=None, created_at="soon"
        )


def test_events_are_written_by_hand_and_never_changed(
    site: Site, me: Caller, project: dict[str, Any]
) -> None:
    event = site.create(
        me, "EventLogEntry", {"project": project}, return_fields=["description", "event_type"]
    )
    assert event["description"] == "New Event"
    own = site.create(
        me,
        "EventLogEntry",
        {"project": project, "event_type": "Haikei_Version_Made", "meta": {"seconds": 5}},
    )
    assert own["meta"] == {"seconds": 5}
    with pytest.raises(Fault, match="DENY update_field FOR entity_type => EventLogEntry"):
        site.update(me, "EventLogEntry", number(event), {"description": "x"})
    with pytest.raises(Fault, match="DENY retire_entity FOR entity_type => EventLogEntry"):
        site.delete(me, "EventLogEntry", number(event))
    with pytest.raises(Fault, match="missing 'project' attribute"):
        site.create(me, "EventLogEntry", {})


def test_the_page_a_request_belongs_to_is_told(site: Site, project: dict[str, Any]) -> None:
    auth: Any = {"script_name": "haikei", "script_key": "key"}
    page = "dd6a1d6a-0000-11f0-8000-000000000000"
    caller = site.authenticate({**auth, "session_uuid": page})
    site.create(caller, "Shot", {"project": project, "code": "c1"})
    rows = site.find(caller, "EventLogEntry", [["session_uuid", "is", page]], ["event_type"])
    assert "Shotgun_Shot_New" in [row["event_type"] for row in rows]
