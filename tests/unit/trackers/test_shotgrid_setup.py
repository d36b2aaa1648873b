"""Setup against a site that gives a field another name than the one asked for."""

from pathlib import Path

from pydantic import SecretStr

from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.schema import FIELDS_OF, HaikeiField
from haikei.trackers.shotgrid.statuses import set_up_statuses
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.servers import fault, results, rows, scripted_site
from support.sites import site_settings


def described(*fields: HaikeiField) -> dict[str, object]:
    return {
        field.name: {"data_type": {"value": field.data_type, "editable": False}} for field in fields
    }


def statuses(*codes: str) -> dict[str, object]:
    return {"sg_status_list": {"properties": {"valid_values": {"value": codes}}}}


def test_a_twin_that_the_site_makes_silently_is_removed_and_reported(tmp_path: Path) -> None:
    schemas = {owner: described(*fields) for owner, fields in FIELDS_OF.items()}
    del schemas["Version"]["sg_haikei_key"]
    codes = ("Layout", "Background", "Background Stage", "Background Touch-up")
    types = [
        {"type": "PublishedFileType", "id": number, "code": code}
        for number, code in enumerate(codes, 1)
    ]
    storage = {"type": "LocalStorage", "id": 1, "code": "primary", "linux_path": str(tmp_path)}
    with scripted_site() as site:
        site.then(results(schemas["Version"]), results("sg_haikei_key_1"), results(True))
        others = [owner for owner in schemas if owner != "Version"]
        site.then(*(results(schemas[owner]) for owner in others))
        site.then(rows(*types), rows(storage), results(statuses("apr", "fin", "rtk", "hld", "omt")))
        settings = site_settings(site.url, "haikei", tmp_path, tmp_path)
        tracker = ShotGridTracker(settings, SecretStr("k"))

        findings = tracker.setup(dry_run=False)
        tracker.close()

    (finding,) = (one for one in findings if not one.ok)
    assert finding.subject == "field Version.sg_haikei_key"
    assert "sg_haikei_key_1" in finding.message
    assert site.asked[:3] == ["schema_field_read", "schema_field_create", "schema_field_delete"]


def test_statuses_that_a_site_does_not_let_us_add_are_told_of(tmp_path: Path) -> None:
    refused = fault("schema_field_update() is not permitted for status lists.")
    with scripted_site() as site:
        site.then(results(statuses("apr", "fin", "hld")), rows(), results([{"id": 1}, {"id": 2}]))
        site.then(refused)
        settings = site_settings(site.url, "haikei", tmp_path, tmp_path)
        client = SiteClient(settings.tracker, SecretStr("k"))

        findings = list(set_up_statuses(client, settings, dry_run=False))
        client.close()

    wrong = [one for one in findings if not one.ok]
    assert [one.subject for one in wrong] == ["status Version rtk", "status Version omt"]
    assert all("not permitted" in one.message for one in wrong)
    assert all("As an admin of the site" in one.advice for one in wrong)


def test_statuses_that_a_site_takes_without_a_word_and_drops_are_told_of(tmp_path: Path) -> None:
    before = statuses("apr", "fin", "hld", "omt")
    with scripted_site() as site:
        site.then(results(before), rows(), results([{"id": 1}]), results(True), results(before))
        settings = site_settings(site.url, "haikei", tmp_path, tmp_path)
        client = SiteClient(settings.tracker, SecretStr("k"))

        findings = list(set_up_statuses(client, settings, dry_run=False))
        client.close()

    (wrong,) = (one for one in findings if not one.ok)
    assert wrong.subject == "status Version rtk"
    assert "did not take rtk up" in wrong.message
