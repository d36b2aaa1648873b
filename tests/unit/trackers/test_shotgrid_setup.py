"""Setup against a site that gives a field another name than the one asked for."""

from pathlib import Path

from pydantic import SecretStr

from haikei.trackers.shotgrid import ShotGridTracker
from haikei.trackers.shotgrid_fields import FIELDS_OF, HaikeiField
from support.scripted_site import results, rows, scripted_site
from support.show import studio_settings


def described(*fields: HaikeiField) -> dict[str, object]:
    return {
        field.name: {"data_type": {"value": field.data_type, "editable": False}} for field in fields
    }


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
        site.then(results(schemas["PublishedFile"]), results(schemas["Project"]))
        site.then(rows(*types), rows(storage))
        settings = studio_settings(site.url, "haikei", tmp_path, tmp_path)
        tracker = ShotGridTracker(settings, SecretStr("k"))

        findings = tracker.setup(dry_run=False)
        tracker.close()

    (finding,) = (one for one in findings if not one.ok)
    assert finding.subject == "field Version.sg_haikei_key"
    assert "sg_haikei_key_1" in finding.message
    assert site.asked[:3] == ["schema_field_read", "schema_field_create", "schema_field_delete"]
