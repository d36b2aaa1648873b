"""What the check-up says of a site that is set up against us."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr

from haikei.settings import Tracker
from haikei.trackers.shotgrid.checkup import check_site
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.schema import check_permissions
from support.clocks import PATIENCE
from support.servers import ScriptedSite, fault, results, rows, scripted_site
from support.sites import site_settings

GONE = fault("API batch() request 1: Version 2147483647 does not exist.")
GONE_SECOND = fault("API batch() request 2: Version 2147483647 does not exist.")
PROJECT = {"type": "Project", "id": 1, "name": "Umi"}


@pytest.fixture
def site() -> Iterator[ScriptedSite]:
    with scripted_site() as running:
        yield running


@pytest.fixture
def client(site: ScriptedSite) -> Iterator[SiteClient]:
    made = SiteClient(Tracker(url=HttpUrl(site.url), timeout=PATIENCE), SecretStr("k"))
    yield made
    made.close()


def test_a_right_that_is_missing_is_told_from_the_refusal_that_was_asked_for(
    site: ScriptedSite, client: SiteClient
) -> None:
    refused = fault("User does not have permission to create PublishedFile.")
    site.then(rows(PROJECT))
    site.then(GONE, rows(), GONE_SECOND, rows())
    site.then(GONE, rows(), refused, rows())

    version, published_file = check_permissions(client)

    assert version.ok
    assert not published_file.ok
    assert published_file.subject == "permission to create PublishedFile"
    assert published_file.message == "User does not have permission to create PublishedFile."
    assert "permission role" in published_file.advice


def test_a_probe_that_a_site_kept_is_retired(site: ScriptedSite, client: SiteClient) -> None:
    left = {"type": "Version", "id": 5, "code": "haikei doctor"}
    site.then(rows(PROJECT))
    site.then(GONE, rows(), GONE_SECOND, rows(left), results([True]))
    site.then(GONE, rows(), GONE_SECOND, rows())

    assert all(finding.ok for finding in check_permissions(client))
    assert site.asked.count("batch") == 5


def test_a_site_without_projects_cannot_be_tried(site: ScriptedSite, client: SiteClient) -> None:
    site.then(rows(), GONE, rows(), GONE, rows())

    (finding,) = check_permissions(client)

    assert finding.ok
    assert "no project" in finding.message


@pytest.mark.parametrize(("ahead", "right"), [(0.0, True), (3600.0, False), (-3600.0, False)])
def test_a_clock_that_is_off_is_told(
    site: ScriptedSite, tmp_path: Path, ahead: float, *, right: bool
) -> None:
    site.clock = ahead
    script = {"type": "ApiUser", "id": 1, "firstname": "haikei"}
    site.then(rows(script))
    settings = site_settings(site.url, "haikei", tmp_path, tmp_path)
    key = SecretStr("k")
    client = SiteClient(settings.tracker, key)

    findings = {finding.subject: finding for finding in check_site(client, settings, key)}
    client.close()

    assert findings["clock"].ok == right
    assert findings["clock"].message.endswith("the site's.")
    assert not findings["permissions"].ok, "a part of the site that refuses is a finding"
