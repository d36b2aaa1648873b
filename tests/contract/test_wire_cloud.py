"""The cloud's steps one by one: what is out of order, changed or missing is refused in words."""

import hashlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from haikei.sgserver.http.hosting import SiteOptions
from support.clocks import PATIENCE
from support.sites import KEY, SCRIPT, RunningSite, running_site, write_image

_MIB = 1024 * 1024
_AUTH = {"script_name": SCRIPT, "script_key": KEY}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningSite]:
    options = SiteOptions(uploads="cloud", file_limit=20 * _MIB, thumbnail_delay=0.05)
    with running_site(tmp_path_factory.mktemp("cloud"), options=options) as running:
        yield running


@pytest.fixture(scope="module")
def version(site: RunningSite) -> Any:
    sg = site.connect()
    project: Any = sg.create("Project", {"name": "Cloud"})
    return sg.create("Version", {"project": project, "code": "v001"})


def _post(site: RunningSite, endpoint: str, **fields: object) -> str:
    answer = httpx.post(
        f"{site.url}/upload/{endpoint}",
        data=_AUTH | {k: str(v) for k, v in fields.items()},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200
    return answer.text


def _begin(
    site: RunningSite, *, filename: str = "a.bin", multipart: bool = False, kind: str = "Attachment"
) -> tuple[str, str, str]:
    text = _post(
        site,
        "api_get_upload_link_info",
        upload_type=kind,
        filename=filename,
        multipart_upload=multipart,
    )
    lines = text.split("\n")
    assert (lines[0], lines[3]) == ("1", kind)
    return text, lines[1], lines[4]


def _link(site: RunningSite, version: Any, info: str, **fields: object) -> str:
    return _post(
        site,
        "api_link_file",
        entity_type="Version",
        entity_id=version["id"],
        upload_link_info=info,
        display_name="a",
        **fields,
    )


def _put_part(site: RunningSite, upload: str, number: int, content: bytes) -> str:
    text = _post(
        site,
        "api_get_upload_link_for_part",
        upload_type="Attachment",
        filename="a.bin",
        timestamp="t",
        upload_id=upload,
        part_number=number,
    )
    answer = httpx.put(text.split("\n")[1], content=content, timeout=PATIENCE)
    assert answer.status_code == 200
    etag: str = answer.headers["etag"]
    return etag


def _complete(site: RunningSite, upload: str, *etags: str) -> str:
    return _post(
        site,
        "api_complete_multipart_upload",
        upload_type="Attachment",
        filename="a.bin",
        timestamp="t",
        upload_id=upload,
        etags=",".join(etags),
    )


def test_the_etag_is_what_clouds_answer(site: RunningSite) -> None:
    _, url, _ = _begin(site)

    answer = httpx.put(url, content=b"bytes", timeout=PATIENCE)

    assert answer.headers["etag"] == f'"{hashlib.md5(b"bytes").hexdigest()}"'


def test_linking_again_after_a_lost_answer_makes_no_second_attachment(
    site: RunningSite, version: Any
) -> None:
    info, url, _ = _begin(site)
    httpx.put(url, content=b"bytes", timeout=PATIENCE)

    first, again = _link(site, version, info), _link(site, version, info)

    assert first.startswith("1:")
    assert again == first


def test_what_was_never_uploaded_is_not_linked(site: RunningSite, version: Any) -> None:
    info, _, _ = _begin(site)

    assert _link(site, version, info).startswith("0\na.bin was never uploaded")


def test_a_thumbnail_goes_the_same_way(site: RunningSite, version: Any, tmp_path: Path) -> None:
    info, url, _ = _begin(site, filename="t.png", kind="Thumbnail")
    httpx.put(url, content=write_image(tmp_path / "t.png").read_bytes(), timeout=PATIENCE)

    assert _link(site, version, info).startswith("1:")
    row: Any = site.connect().find_one("Version", [["id", "is", version["id"]]], ["image"])
    assert row["image"]


@pytest.mark.parametrize("line", range(5))
def test_the_link_that_the_site_gave_cannot_be_changed(
    site: RunningSite, version: Any, line: int
) -> None:
    info, url, _ = _begin(site)
    httpx.put(url, content=b"bytes", timeout=PATIENCE)
    lines = info.split("\n")
    lines[line] += "x"

    answer = _link(site, version, "\n".join(lines))

    assert answer.startswith("0\n")


def test_parts_are_put_together_in_order(site: RunningSite, version: Any) -> None:
    info, _, upload = _begin(site, multipart=True)
    parts = [bytes([n]) * (5 * _MIB) for n in range(2)] + [b"end"]

    etags = [_put_part(site, upload, n, part) for n, part in enumerate(parts, 1)]

    assert _complete(site, upload, *etags) == "1\n"
    number = int(_link(site, version, info).split(":")[1])
    assert site.connect().download_attachment(attachment_id=number) == b"".join(parts)


def test_parts_that_are_missing_or_changed_are_refused(site: RunningSite) -> None:
    _, _, upload = _begin(site, multipart=True)
    etag = _put_part(site, upload, 1, b"one")

    assert "Not every part" in _complete(site, upload, etag, etag)
    assert "is not the one" in _complete(site, upload, '"0"')
    assert _complete(site, upload, etag) == "1\n"


def test_parts_before_the_last_have_a_least_size(site: RunningSite) -> None:
    _, _, upload = _begin(site, multipart=True)
    etags = [_put_part(site, upload, n, b"small") for n in (1, 2)]

    assert "smaller than 5 MiB" in _complete(site, upload, *etags)


def test_parts_together_are_not_larger_than_a_file_may_be(site: RunningSite) -> None:
    _, _, upload = _begin(site, multipart=True)
    etags = [_put_part(site, upload, n, b"x" * (11 * _MIB)) for n in (1, 2)]

    assert "larger than 20 MiB" in _complete(site, upload, *etags)


def test_an_address_takes_one_file_of_bounded_size(site: RunningSite) -> None:
    _, url, _ = _begin(site)

    too_large = httpx.put(url, content=b"x" * (21 * _MIB), timeout=PATIENCE)
    changed = httpx.put(url + "0", content=b"x", timeout=PATIENCE)
    elsewhere = httpx.put(url.replace("/whole?", "/../../x?"), content=b"x", timeout=PATIENCE)

    assert (too_large.status_code, changed.status_code) == (400, 403)
    assert elsewhere.status_code in {403, 404, 405}


@pytest.mark.parametrize(
    "fields",
    [
        {"upload_type": "Secret", "filename": "a"},
        {"upload_type": "Attachment"},
        {"filename": "a"},
    ],
)
def test_a_place_is_given_for_a_known_kind_and_name_only(
    site: RunningSite, fields: dict[str, str]
) -> None:
    assert _post(site, "api_get_upload_link_info", **fields).startswith("0\n")


@pytest.mark.parametrize("upload", ["../../..", "0" * 32, "x"])
def test_an_unknown_upload_has_no_parts(site: RunningSite, upload: str) -> None:
    for number in ("1", "0", "10001", "x", "-1"):
        text = _post(site, "api_get_upload_link_for_part", upload_id=upload, part_number=number)
        assert text.startswith("0\n")
    assert _complete(site, upload, "e").startswith("0\n")
