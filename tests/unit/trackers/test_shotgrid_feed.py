"""Rows of an event log as sites really have them: without entity, with paths of others."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from haikei.errors import TrackerRejected
from haikei.trackers import EventKind
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.feed import ShotGridFeed
from haikei.trackers.shotgrid.requests import kind_of_delivery, kind_of_event
from support.servers import ScriptedSite, rows, scripted_site
from support.sites import site_settings

US = {"type": "ApiUser", "id": 3}


@pytest.fixture
def site() -> Iterator[ScriptedSite]:
    with scripted_site() as running:
        yield running


@pytest.fixture
def feed(site: ScriptedSite, tmp_path: Path) -> Iterator[ShotGridFeed]:
    settings = site_settings(site.url, "haikei", tmp_path / "projects", tmp_path)
    made = ShotGridFeed(SiteClient(settings.tracker, SecretStr("k")), settings)
    yield made
    made.close()


def event(**fields: object) -> dict[str, object]:
    return {
        "type": "EventLogEntry",
        "id": 9,
        "event_type": "Shotgun_PublishedFile_New",
        "created_at": "2026-11-22T01:02:03Z",
        **fields,
    }


def test_an_event_without_meta_entity_project_or_user_is_still_an_event(
    site: ScriptedSite, feed: ShotGridFeed
) -> None:
    site.then(rows(US), rows(event(meta=None, entity=None, project=None, user=None)))

    (found,) = feed.events(after=0, until=None, limit=10)

    assert (found.kind, found.row, found.project) == (EventKind.FILE_PUBLISHED, None, "")
    assert not found.by_us
    assert found.created_at.isoformat() == "2026-11-22T01:02:03+00:00"


def test_an_event_with_an_entity_alone_names_that(site: ScriptedSite, feed: ShotGridFeed) -> None:
    entity = {"type": "PublishedFile", "id": 77, "name": "x"}
    site.then(rows(US), rows(event(meta={}, entity=entity, user=US)))

    (found,) = feed.events(after=0, until=None, limit=10)

    assert (found.kind, found.row, found.by_us) == (EventKind.FILE_PUBLISHED, 77, True)


def test_a_person_with_our_number_is_not_us(site: ScriptedSite, feed: ShotGridFeed) -> None:
    site.then(rows(US), rows(event(user={"type": "HumanUser", "id": 3})))

    (found,) = feed.events(after=0, until=None, limit=10)

    assert not found.by_us


def test_a_script_that_cannot_see_itself_is_refused(site: ScriptedSite, feed: ShotGridFeed) -> None:
    site.then(rows())

    with pytest.raises(TrackerRejected, match="cannot see its own row"):
        feed.events(after=0, until=None, limit=10)


def test_an_empty_event_log_has_no_newest(site: ScriptedSite, feed: ShotGridFeed) -> None:
    site.then(rows())

    assert feed.newest() == 0


@pytest.mark.parametrize(
    ("storage", "relative"),
    [
        ("primary", "umi/../../etc/passwd"),
        ("primary", ""),
        ("primary", None),
        ("of others", "umi/c001.png"),
        (None, "umi/c001.png"),
    ],
)
def test_a_path_outside_our_roots_is_no_path(
    site: ScriptedSite, feed: ShotGridFeed, storage: str | None, relative: str | None
) -> None:
    where = {"type": "LocalStorage", "id": 1, "name": storage} if storage else None
    path = {"link_type": "local", "local_storage": where, "relative_path": relative}
    site.then(rows({"type": "PublishedFile", "id": 4, "code": "x", "path": path}))

    (layout,) = feed.layouts([4])

    assert (layout.path, layout.ready) == ("", False)


FILE, VERSION = "PublishedFile", "Version"


@pytest.mark.parametrize(
    ("event_type", "entity_type", "attribute", "in_create", "kind"),
    [
        ("Shotgun_PublishedFile_New", FILE, "", False, EventKind.FILE_PUBLISHED),
        ("Shotgun_PublishedFile_Change", FILE, "path", False, EventKind.FILE_CHANGED),
        (
            "Shotgun_PublishedFile_Change",
            FILE,
            "published_file_type",
            False,
            EventKind.FILE_CHANGED,
        ),
        ("Shotgun_PublishedFile_Change", FILE, "entity", False, EventKind.FILE_CHANGED),
        ("Shotgun_PublishedFile_Change", FILE, "", False, EventKind.FILE_CHANGED),
        ("Shotgun_PublishedFile_Change", FILE, "sg_status_list", False, EventKind.OTHER),
        ("Shotgun_PublishedFile_Change", FILE, "path", True, EventKind.OTHER),
        ("Shotgun_PublishedFile_Retirement", FILE, "", False, EventKind.OTHER),
        ("Shotgun_Version_New", VERSION, "", False, EventKind.OTHER),
        ("Shotgun_Version_Change", VERSION, "sg_status_list", False, EventKind.VERSION_CHANGED),
        ("Shotgun_Version_Change", VERSION, "", False, EventKind.VERSION_CHANGED),
        ("Shotgun_Version_Change", VERSION, "sg_status_list", True, EventKind.OTHER),
        ("Shotgun_Version_Change", VERSION, "description", False, EventKind.OTHER),
        ("Shotgun_Note_New", "Note", "", False, EventKind.NOTE_CHANGED),
        ("Shotgun_Note_Change", "Note", "content", False, EventKind.NOTE_CHANGED),
        ("Shotgun_Note_Retirement", "Note", "", False, EventKind.OTHER),
        ("Shotgun_Reply_New", "Reply", "", False, EventKind.REPLY_CHANGED),
        ("Shotgun_Shot_New", "Shot", "", False, EventKind.OTHER),
    ],
)
def test_an_event_means_what_its_type_and_field_say(
    event_type: str, entity_type: str, attribute: str, *, in_create: bool, kind: EventKind
) -> None:
    found = kind_of_event(
        event_type, entity_type=entity_type, attribute=attribute, in_create=in_create
    )

    assert found is kind


@pytest.mark.parametrize(
    ("entity_type", "operation", "attribute", "kind"),
    [
        (VERSION, "update", "sg_status_list", EventKind.VERSION_CHANGED),
        (VERSION, "update", "notes", EventKind.VERSION_CHANGED),
        (VERSION, "update", "description", EventKind.OTHER),
        (VERSION, "delete", "", EventKind.OTHER),
        (FILE, "create", "", EventKind.FILE_PUBLISHED),
        (FILE, "update", "path", EventKind.FILE_CHANGED),
        (FILE, "delete", "", EventKind.OTHER),
        ("Note", "create", "", EventKind.NOTE_CHANGED),
        ("Reply", "update", "content", EventKind.REPLY_CHANGED),
        ("Shot", "create", "", EventKind.OTHER),
    ],
)
def test_a_delivery_means_what_its_row_and_field_say(
    entity_type: str, operation: str, attribute: str, kind: EventKind
) -> None:
    found = kind_of_delivery(entity_type=entity_type, operation=operation, attribute=attribute)

    assert found is kind
