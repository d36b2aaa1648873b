"""What setup makes on a site, and what the check-up says about one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import HttpUrl, SecretStr

from haikei.checkup import Finding
from haikei.settings import Settings, Storage, StorageRoot
from haikei.trackers.shotgrid.schema import FIELDS_OF
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.sites import Show, make_show, running_site, running_studio, site_settings


@pytest.fixture
def show(tmp_path: Path) -> Iterator[Show]:
    with running_site(tmp_path, thumbnail_delay=0.0) as site:
        settings = site_settings(site.url, site.script, tmp_path / "projects", tmp_path / "state")
        yield make_show(site.connect(), settings, SecretStr(site.key))


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    """A show on a site that was set up, for tests that leave the site as it is."""
    with running_studio(tmp_path_factory.mktemp("ready"), uploads="classic") as studio:
        yield studio.show()


def with_adapter(
    show: Show,
    work: Callable[[ShotGridTracker], tuple[Finding, ...]],
    settings: Settings | None = None,
) -> tuple[Finding, ...]:
    tracker = ShotGridTracker(settings or show.settings, show.key)
    try:
        return work(tracker)
    finally:
        tracker.close()


def set_up(show: Show, *, dry_run: bool = False) -> tuple[Finding, ...]:
    return with_adapter(show, lambda tracker: tracker.setup(dry_run=dry_run))


def check(show: Show, settings: Settings | None = None) -> tuple[Finding, ...]:
    return with_adapter(show, lambda tracker: tracker.check(), settings)


def failing(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.subject for finding in findings if not finding.ok]


def changed(show: Show, **tracker: object) -> Settings:
    section = show.settings.tracker.model_copy(update=tracker)
    return show.settings.model_copy(update={"tracker": section})


def test_setup_makes_fields_types_and_storages(show: Show) -> None:
    findings = set_up(show)

    assert failing(findings) == []
    for owner, fields in FIELDS_OF.items():
        schema = show.sg.schema_field_read(owner)
        for field in fields:
            assert schema[field.name]["data_type"]["value"] == field.data_type
            assert schema[field.name]["name"]["value"] == field.label
    (storage,) = show.find("LocalStorage", ["code", "is", "primary"], fields="linux_path")
    assert storage["linux_path"] == str(show.root)
    codes = ["Layout", "Background", "Background Stage", "Background Touch-up"]
    assert len(show.find("PublishedFileType", ["code", "in", codes])) == 4
    statuses = show.sg.schema_field_read("Version", "sg_status_list")["sg_status_list"]
    assert {"na", "rev", "apr", "rtk", "omt"} <= set(
        statuses["properties"]["valid_values"]["value"]
    )
    (retake,) = show.find("Status", ["code", "is", "rtk"], fields="name")
    assert retake["name"] == "Retake"


def test_setup_a_second_time_changes_nothing(show: Show) -> None:
    set_up(show)
    newest = show.find("EventLogEntry")[-1]["id"]

    findings = set_up(show)

    messages = {finding.message for finding in findings}
    assert {one for one in messages if not one.startswith("None is made")} == {"It stands already."}
    assert show.find("EventLogEntry")[-1]["id"] == newest


def test_a_dry_run_makes_nothing(show: Show) -> None:
    findings = set_up(show, dry_run=True)

    assert failing(findings) == []
    missing = [one.subject for one in findings if one.planned]
    for field in ("Version.sg_haikei_key", "PublishedFile.sg_haikei_ledger"):
        assert f"field {field}" in missing
    assert "field Project.sg_haikei_checkpoint" in missing
    assert "published file type Background Touch-up" in missing
    assert "status Version rtk" in missing
    assert show.find("Status", ["code", "is", "rtk"]) == []
    assert "sg_haikei_key" not in show.sg.schema_field_read("Version")
    assert show.find("LocalStorage", ["code", "is", "primary"]) == []


def test_setup_reports_a_name_that_was_deleted_on_the_site(show: Show) -> None:
    show.sg.schema_field_create("Version", "text", "Haikei Key")
    show.sg.schema_field_delete("Version", "sg_haikei_key")

    findings = set_up(show)

    assert failing(findings) == ["field Version.sg_haikei_key"]
    assert "sg_haikei_key_1" not in show.sg.schema_field_read("Version")


def test_setup_makes_no_twin_beside_one_that_stands(show: Show) -> None:
    show.sg.schema_field_create("Version", "text", "Haikei Key")
    twin = show.sg.schema_field_create("Version", "text", "Haikei Key")
    show.sg.schema_field_delete("Version", "sg_haikei_key")
    before = set(show.sg.schema_field_read("Version"))

    findings = set_up(show)

    assert failing(findings) == ["field Version.sg_haikei_key"]
    assert twin in " ".join(finding.message for finding in findings)
    assert "sg_haikei_key" not in show.sg.schema_field_read("Version")
    assert "sg_haikei_key" not in before


def test_setup_reports_a_field_of_another_type(show: Show) -> None:
    show.sg.schema_field_create("Version", "number", "Haikei Credit")

    findings = set_up(show)

    assert failing(findings) == ["field Version.sg_haikei_credit"]


def test_setup_reports_a_text_field_where_a_number_belongs(show: Show) -> None:
    show.sg.schema_field_create("Version", "text", "Haikei Ledger")

    (finding,) = (one for one in set_up(show) if not one.ok)

    assert finding.subject == "field Version.sg_haikei_ledger"
    assert "no number field" in finding.message


def test_setup_reports_a_storage_that_is_elsewhere(show: Show) -> None:
    show.sg.create("LocalStorage", {"code": "primary", "linux_path": "/mnt/other"})

    findings = set_up(show)

    assert failing(findings) == ["local storage primary"]


def test_a_site_that_was_set_up_passes_the_check(ready: Show) -> None:
    findings = check(ready)

    assert [finding for finding in findings if not finding.ok] == []
    subjects = " ".join(finding.subject for finding in findings)
    for subject in (
        "site",
        "sign-in",
        "clock",
        "events",
        "status",
        "permission",
        "thumbnails",
        "hours",
    ):
        assert subject in subjects


def test_a_check_leaves_nothing_behind(ready: Show) -> None:
    check(ready)

    assert ready.find("Version") == []
    assert ready.find("PublishedFile") == []


def test_the_check_covers_changes_once_there_are_rows_of_ours(show: Show) -> None:
    set_up(show)
    tracker = ShotGridTracker(show.settings, show.key)
    tracker.publish(show.background(tracker.context(show.ask())))
    tracker.close()

    findings = {finding.subject: finding for finding in check(show)}

    assert findings["permission to change Version"].ok
    assert findings["permission to create PublishedFile"].ok
    assert findings["permission to change Project"].ok
    assert failing(tuple(findings.values())) in ([], ["thumbnails"])


def test_the_check_leaves_the_ledgers_head_as_it_is(ready: Show) -> None:
    ready.sg.update("Project", ready.project, {"sg_haikei_checkpoint": "a head"})

    check(ready)

    (row,) = ready.find("Project", ["id", "is", ready.project], fields="sg_haikei_checkpoint")
    assert row["sg_haikei_checkpoint"] == "a head"


def test_the_check_says_when_no_hours_can_be_seen(ready: Show) -> None:
    (hours,) = (one for one in check(ready) if one.subject == "hours")

    assert hours.ok
    assert "without hours" in hours.message


def test_a_bare_site_lacks_what_setup_makes(show: Show) -> None:
    found = failing(check(show))

    assert "field Version.sg_haikei_key" in found
    assert "field PublishedFile.sg_haikei_record" in found
    assert "local storage primary" in found
    assert "published file type Background Stage" in found


def test_the_check_names_a_twin_and_a_wrong_type(show: Show) -> None:
    show.sg.schema_field_create("PublishedFile", "number", "Haikei Credit")
    set_up(show)
    show.sg.schema_field_create("Version", "text", "Haikei Key")

    assert failing(check(show)) == [
        "field Version.sg_haikei_key_1",
        "field PublishedFile.sg_haikei_credit",
    ]


def test_the_check_names_scripts_without_events(show: Show) -> None:
    set_up(show)
    (ours,) = show.find("ApiUser", ["firstname", "is", "haikei"])
    show.sg.update("ApiUser", ours["id"], {"generate_event_log_entries": False})
    show.sg.create("ApiUser", {"firstname": "publisher", "generate_event_log_entries": False})

    findings = check(show)

    assert failing(findings) == ["events of script haikei", "events of other scripts"]
    assert "publisher" in " ".join(finding.message for finding in findings)


@pytest.mark.parametrize(
    ("setting", "value", "subject"),
    [
        ("review_status", "zzz", "status Version zzz"),
        ("layout_step", "Nowhere", "pipeline step Nowhere"),
        ("background_type", "Nothing", "published file type Nothing"),
    ],
)
def test_the_check_names_what_the_settings_ask_for_in_vain(
    ready: Show, setting: str, value: str, subject: str
) -> None:
    assert failing(check(ready, changed(ready, **{setting: value}))) == [subject]


def test_the_check_names_a_status_that_a_project_hides(show: Show) -> None:
    set_up(show)
    show.sg.schema_field_update(
        "Version",
        "sg_status_list",
        {"hidden_values": ["rev"]},
        {"type": "Project", "id": show.project},
    )

    findings = check(show)

    assert failing(findings) == ["status Version rev"]
    assert "Umi no Machi" in " ".join(finding.message for finding in findings)


def test_the_check_names_a_storage_root_that_is_elsewhere(ready: Show, tmp_path: Path) -> None:
    roots = (StorageRoot(name="primary", path=tmp_path / "other"),)
    settings = ready.settings.model_copy(update={"storage": Storage(roots=roots)})

    (finding,) = (found for found in check(ready, settings) if not found.ok)

    assert finding.subject == "local storage primary"
    assert str(ready.root) in finding.message
    assert str(tmp_path / "other") in finding.message


def test_a_wrong_key_is_one_finding(ready: Show) -> None:
    tracker = ShotGridTracker(ready.settings, SecretStr("wrong"))

    findings = tracker.check()
    tracker.close()

    assert failing(findings) == ["sign-in"]
    assert "wrong" not in " ".join(finding.message for finding in findings)


def test_a_site_that_is_away_is_one_finding(ready: Show) -> None:
    (finding,) = check(ready, changed(ready, url=HttpUrl("http://127.0.0.1:9")))

    assert not finding.ok
    assert "takes no connections" in finding.message


def with_web(show: Show, **web: object) -> Settings:
    section = show.settings.web.model_copy(update=web)
    return show.settings.model_copy(update={"web": section})


PAGES = {"url": HttpUrl("https://haikei.studio.test"), "menu_secret": SecretStr("a secret")}


def set_up_with(show: Show, settings: Settings, *, dry_run: bool = False) -> list[Finding]:
    findings = with_adapter(show, lambda tracker: tracker.setup(dry_run=dry_run), settings)
    return [one for one in findings if one.subject.startswith("menu item")]


def menu(show: Show) -> list[dict[str, Any]]:
    fields = "title url entity_type folder selection_required list_order secret_token"
    return show.find("ActionMenuItem", fields=fields)


def test_without_an_address_no_menu_items_are_made_and_what_to_set_is_said(show: Show) -> None:
    (finding,) = set_up_with(show, show.settings)

    assert finding.ok
    assert "web.url is not set" in finding.message
    assert menu(show) == []


def test_menu_items_lead_to_the_pages(show: Show) -> None:
    findings = set_up_with(show, with_web(show, **PAGES))

    assert all(one.ok for one in findings)
    rows = menu(show)
    assert len(rows) == len(findings) == 11
    of_versions = {row["title"]: row for row in rows if row["entity_type"] == "Version"}
    assert set(of_versions) == {"Retake with …", "Show credits", "Open in Haikei"}
    retake = of_versions["Retake with …"]
    assert retake["url"] == "https://haikei.studio.test/menu/retake"
    assert (retake["folder"], retake["selection_required"]) == ("Haikei", True)
    assert retake["secret_token"] == "*******"


def test_menu_items_are_made_once_and_follow_the_address(show: Show) -> None:
    set_up_with(show, with_web(show, **PAGES))
    before = [row["id"] for row in menu(show)]

    again = set_up_with(show, with_web(show, **PAGES))
    assert {one.message for one in again} == {"It stands already."}

    moved = with_web(show, **PAGES | {"url": HttpUrl("https://new.studio.test")})
    assert {one.message for one in set_up_with(show, moved)} == {"Mended."}
    assert [row["id"] for row in menu(show)] == before
    assert {str(row["url"]).rpartition("/menu/")[0] for row in menu(show)} == {
        "https://new.studio.test"
    }


def test_a_dry_run_makes_no_menu_items(show: Show) -> None:
    findings = set_up_with(show, with_web(show, **PAGES), dry_run=True)

    assert all(one.ok and one.planned for one in findings)
    assert menu(show) == []


def test_menu_items_without_a_secret_are_told_of(show: Show) -> None:
    settings = with_web(show, url=PAGES["url"])
    findings = set_up_with(show, settings)

    assert not any(one.ok for one in findings)
    assert all("HAIKEI_WEB__MENU_SECRET" in one.advice for one in findings)


def test_the_check_names_menu_items_that_are_missing_or_lead_elsewhere(show: Show) -> None:
    set_up_with(show, with_web(show, **PAGES))
    set_up(show)
    first, second, *_ = menu(show)
    show.sg.delete("ActionMenuItem", first["id"])
    show.sg.update("ActionMenuItem", second["id"], {"url": "https://elsewhere.test"})

    findings = [one for one in check(show, with_web(show, **PAGES)) if not one.ok]

    assert [one.subject for one in findings] == [
        f"menu item {row['entity_type']} {row['title']!r}" for row in (first, second)
    ]
    assert "elsewhere.test" in findings[1].message
