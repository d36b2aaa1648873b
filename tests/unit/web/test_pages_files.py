"""Pictures, records, ledger entries and reports, as browsers are given them."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from haikei.credits import BackgroundVersion
from haikei.images import read_picture
from haikei.reports import reports
from haikei.web.pages.files import Size
from support.records import save_background
from support.web import Web, a_version, get, pages_of, with_pictures

VERSION = "/versions/job-akane_ep01_c001_summer_day_v001"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with pages_of(tmp_path) as one:
        yield one


@pytest.fixture
def told(web: Web) -> BackgroundVersion:
    """Return a version whose files stand below the storage root."""
    version = with_pictures(root(web), a_version())
    with web.database.begin() as connection:
        save_background(connection, version)
    return version


def root(web: Web) -> Path:
    return web.settings.storage.roots[0].path


def kept(web: Web) -> list[Path]:
    return sorted((web.settings.studio.state / "web-thumbnails").rglob("*.*"))


@pytest.mark.parametrize("size", list(Size))
def test_a_published_picture_is_shown_in_every_size(
    web: Web, told: BackgroundVersion, size: Size, tmp_path: Path
) -> None:
    answer = web.client.get(f"/pictures/{told.final.sha256}/{size.value}.jpg")
    file = tmp_path / "seen.jpg"
    file.write_bytes(answer.content)

    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    assert read_picture(file).width == 160


def test_a_picture_is_made_once(web: Web, told: BackgroundVersion) -> None:
    address = f"/pictures/{told.final.sha256}/360.jpg"
    first = web.client.get(address)
    (root(web) / told.final.path).unlink()

    assert web.client.get(address).content == first.content
    assert len(kept(web)) == 1


@pytest.mark.parametrize("address", ["/pictures/{sha}/361.jpg", "/pictures/{no}/360.jpg"])
def test_other_sizes_and_unknown_hashes_are_not_served(
    web: Web, told: BackgroundVersion, address: str
) -> None:
    found = web.client.get(address.format(sha=told.final.sha256, no="0" * 64))

    assert found.status_code == 404
    assert not kept(web)


def test_a_picture_that_is_gone_gives_a_sign_instead(web: Web, told: BackgroundVersion) -> None:
    (root(web) / told.final.path).unlink()
    answer = web.client.get(f"/pictures/{told.final.sha256}/360.jpg")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "image/svg+xml")
    assert answer.headers["cache-control"] == "no-store"


def test_a_damaged_picture_is_not_kept(web: Web, told: BackgroundVersion) -> None:
    (root(web) / told.final.path).write_bytes(b"no picture")

    assert web.client.get(f"/pictures/{told.final.sha256}/360.jpg").status_code == 404
    assert not kept(web)


@pytest.mark.parametrize("path", ["../secret.png", "/etc/hostname", "link/secret.png"])
def test_a_record_is_no_permission_to_read_other_files(web: Web, path: str) -> None:
    outside = root(web).parent
    version = with_pictures(root(web), a_version())
    (outside / "secret.png").write_bytes((root(web) / version.final.path).read_bytes())
    (root(web) / "link").symlink_to(outside)
    images = (*version.images[:-1], replace(version.final, path=path))
    with web.database.begin() as connection:
        save_background(connection, replace(version, images=images))

    assert web.client.get(f"/pictures/{version.final.sha256}/360.jpg").status_code == 404
    assert web.client.get(f"{VERSION}/record").status_code == 404


@pytest.mark.parametrize("name", ["..", "%2e%2e%2fhaikei.db", "x" * 64, "A" * 64])
def test_only_hashes_name_pictures(web: Web, name: str) -> None:
    assert web.client.get(f"/pictures/{name}/360.jpg").status_code == 404


def test_the_signed_record_beside_a_file_is_handed_out(web: Web, told: BackgroundVersion) -> None:
    beside = root(web) / f"{told.final.path}.json"
    beside.write_text('{"signed": true}')
    answer = web.client.get(f"{VERSION}/record")

    assert answer.json() == {"signed": True}
    assert answer.headers["content-type"].startswith("application/json")


def test_a_ledger_entry_is_shown_as_it_is_sealed(web: Web, told: BackgroundVersion) -> None:
    payload = json.loads(web.client.get("/ledger/0").text)

    assert told.images[0].sha256 in json.dumps(payload)
    assert web.client.get("/ledger/9999").status_code == 404


@pytest.mark.parametrize("number", ["9" * 19, "9" * 5000, "-1", "x"])
@pytest.mark.parametrize("address", ["/ledger/{}", "/pictures/" + "0" * 64 + "/{}.jpg"])
def test_a_number_that_nothing_can_have_is_not_found(web: Web, address: str, number: str) -> None:
    assert web.client.get(address.format(number)).status_code == 404


def test_every_report_but_the_sheet_is_offered(web: Web, told: BackgroundVersion) -> None:
    page = get(web, f"/shows/{told.project}/reports")
    offered = {
        one["href"].split("/")[3].split(".")[0] for one in page.all("a", **{"class": "button"})
    }

    assert offered | {"image-sheet"} >= {one.name for one in reports()} - {"omc"}
    assert web.client.get("/shows/none/reports").status_code == 404


def test_a_report_is_shown_under_the_policy_that_fits_its_styles(
    web: Web, told: BackgroundVersion
) -> None:
    answer = web.client.get(f"/reports/{told.project}/credits-roll.html")
    policy = answer.headers["content-security-policy"]
    (styles,) = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()

    assert answer.status_code == 200
    assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "Yuki Tanaka" in answer.text


def test_a_report_speaks_the_reader_s_language(web: Web, told: BackgroundVersion) -> None:
    address = f"/reports/{told.project}/credits-roll.html"

    assert 'lang="ja"' in web.client.get(address, headers={"accept-language": "ja"}).text


def test_a_report_is_handed_out_as_a_file(web: Web, told: BackgroundVersion) -> None:
    answer = web.client.get(f"/reports/{told.project}/credits-roll.csv")

    assert answer.headers["content-type"].startswith("text/csv")
    assert "credits-roll-akane.csv" in answer.headers["content-disposition"]
    assert "Yuki Tanaka" in answer.text


def test_the_sheet_of_one_version_is_a_pdf_too(web: Web, told: BackgroundVersion) -> None:
    answer = web.client.get(f"/reports/{told.project}/image-sheet.pdf?of={told.code}")

    assert answer.content.startswith(b"%PDF-")


def test_a_report_that_cannot_be_made_says_why(web: Web, told: BackgroundVersion) -> None:
    answer = web.client.get(f"/reports/{told.project}/image-sheet.html?of=none")

    assert answer.status_code == 409
    assert "Give the code of a Version" in answer.text


@pytest.mark.parametrize("name", ["none.html", "credits-roll.exe", "credits-roll.png"])
def test_reports_that_there_are_not_are_not_found(
    web: Web, told: BackgroundVersion, name: str
) -> None:
    assert web.client.get(f"/reports/{told.project}/{name}").status_code == 404
