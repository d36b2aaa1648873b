"""Files and thumbnails go up both ways and come back byte for byte."""

import hashlib
import os
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Literal

import httpx
import OpenImageIO as oiio
import pytest
import shotgun_api3

from haikei.sgserver.media.media_store import MediaStore
from haikei.sgserver.media.thumbnails import make_renditions
from support.clocks import PATIENCE
from support.sites import (
    KEY,
    SCRIPT,
    TRANSIENT,
    RunningSite,
    await_thumbnail,
    running_site,
    write_image,
)

# The official client opens each file that it uploads and never closes it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

Style = Literal["classic", "cloud"]


@pytest.fixture(scope="module", params=["classic", "cloud"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[RunningSite]:
    style: Style = request.param
    with running_site(
        tmp_path_factory.mktemp("uploads"), uploads=style, thumbnail_delay=0.0
    ) as running:
        yield running


@pytest.fixture
def held(site: RunningSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let no thumbnail be made until the event is set."""
    del site
    may_go_on = threading.Event()

    def wait_and_make(media: MediaStore, attachment: int, filename: str) -> None:
        assert may_go_on.wait(PATIENCE)
        make_renditions(media, attachment, filename)

    monkeypatch.setattr("haikei.sgserver.media.thumbnails.make_renditions", wait_and_make)
    yield may_go_on
    may_go_on.set()


@pytest.fixture(scope="module")
def sg(site: RunningSite) -> shotgun_api3.Shotgun:
    return site.connect()


@pytest.fixture(scope="module")
def project(sg: shotgun_api3.Shotgun) -> Any:
    return sg.create("Project", {"name": "背景 Uploads", "tank_name": "UP"})


@pytest.fixture
def version(sg: shotgun_api3.Shotgun, project: Any) -> Any:
    return sg.create("Version", {"project": project, "code": "c001_v001"})


def _image_events(sg: shotgun_api3.Shotgun, version: Any) -> list[bool]:
    rows: Any = sg.find(
        "EventLogEntry",
        [
            ["entity", "is", version],
            ["attribute_name", "is", "image"],
            ["event_type", "is", "Shotgun_Version_Change"],
        ],
        ["meta"],
        order=[{"field_name": "id", "direction": "asc"}],
    )
    return [row["meta"]["is_transient"] for row in rows if "is_transient" in row["meta"]]


def test_the_client_uploads_in_the_way_that_the_site_tells(
    site: RunningSite, sg: shotgun_api3.Shotgun
) -> None:
    cloud = sg.info()["s3_uploads_enabled"]

    assert sg._requires_direct_s3_upload("Shot", "thumb_image") is cloud
    assert sg._requires_direct_s3_upload("Version", "sg_uploaded_movie") is cloud


def test_a_file_comes_back_byte_for_byte(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    source = tmp_path / "原図 α.bin"
    source.write_bytes(os.urandom(300_001))

    number = sg.upload("Version", version["id"], str(source), display_name="The layout")
    row: Any = sg.find_one(
        "Attachment",
        [["id", "is", number]],
        ["this_file", "attachment_links", "file_size", "filename", "created_by"],
    )

    assert sg.download_attachment(row["this_file"]) == source.read_bytes()
    assert sg.download_attachment({"type": "Attachment", "id": number}) == source.read_bytes()
    target = tmp_path / "copy"
    assert sg.download_attachment(row["this_file"], file_path=str(target)) == str(target)
    assert target.read_bytes() == source.read_bytes()
    assert row["this_file"]["name"] == "The layout"
    assert row["this_file"]["link_type"] == "upload"
    assert row["filename"] == "原図 α.bin"
    assert row["file_size"] == 300_001
    assert row["attachment_links"] == [
        {"type": "Version", "id": version["id"], "name": "c001_v001"}
    ]
    assert row["created_by"]["name"] == SCRIPT


def test_a_file_in_several_parts_comes_back_byte_for_byte(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    source = tmp_path / "large.bin"
    block = os.urandom(1_000_003)
    with source.open("wb") as file:
        for _ in range(45):
            file.write(block)

    number = sg.upload("Version", version["id"], str(source))
    target = tmp_path / "copy.bin"
    sg.download_attachment(attachment_id=number, file_path=str(target))

    with source.open("rb") as one, target.open("rb") as other:
        assert (
            hashlib.file_digest(one, "sha256").digest()
            == hashlib.file_digest(other, "sha256").digest()
        )


def test_media_stands_in_its_field_and_gives_the_version_its_thumbnail(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path, held: threading.Event
) -> None:
    source = write_image(tmp_path / "review.png", width=1280, height=720)

    number = sg.upload("Version", version["id"], str(source), field_name="sg_uploaded_movie")
    at_once: Any = sg.find_one(
        "Version", [["id", "is", version["id"]]], ["image", "sg_uploaded_movie"]
    )
    held.set()
    address = await_thumbnail(sg, "Version", version["id"])

    assert TRANSIENT in at_once["image"]
    assert at_once["sg_uploaded_movie"]["id"] == number
    assert at_once["sg_uploaded_movie"]["content_type"] == "image/png"
    assert sg.download_attachment(at_once["sg_uploaded_movie"]) == source.read_bytes()
    thumbnail = httpx.get(address, timeout=PATIENCE)
    made = tmp_path / "made.jpg"
    made.write_bytes(thumbnail.content)
    spec = oiio.ImageBuf(str(made)).spec()
    assert thumbnail.headers["content-type"] == "image/jpeg"
    assert (spec.width, spec.height) == (480, 270)
    assert _image_events(sg, version) == [True, False]


def test_a_thumbnail_is_pending_first_and_then_there(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path, held: threading.Event
) -> None:
    number = sg.upload_thumbnail("Version", version["id"], str(write_image(tmp_path / "thumb.jpg")))
    pending: Any = sg.find_one("Version", [["id", "is", version["id"]]], ["image"])
    held.set()
    address = await_thumbnail(sg, "Version", version["id"])

    assert number > 0
    assert TRANSIENT in pending["image"]
    assert httpx.get(pending["image"], timeout=PATIENCE).headers["content-type"] == "image/png"
    assert httpx.get(address, timeout=PATIENCE).status_code == 200
    assert _image_events(sg, version) == [True, False]


def test_a_thumbnail_that_somebody_chose_is_not_replaced_by_media(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    chosen = write_image(tmp_path / "chosen.png", width=200, height=200)
    sg.upload_thumbnail("Version", version["id"], str(chosen))
    before = await_thumbnail(sg, "Version", version["id"])

    media = write_image(tmp_path / "media.png")
    sg.upload("Version", version["id"], str(media), field_name="sg_uploaded_movie")
    after: Any = sg.find_one("Version", [["id", "is", version["id"]]], ["image"])

    assert after["image"].split("?")[0] == before.split("?")[0]


def test_new_media_replaces_the_thumbnail_of_the_old(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    media = write_image(tmp_path / "media.png")
    sg.upload("Version", version["id"], str(media), field_name="sg_uploaded_movie")
    first = await_thumbnail(sg, "Version", version["id"])
    sg.upload("Version", version["id"], str(media), field_name="sg_uploaded_movie")
    second = await_thumbnail(sg, "Version", version["id"])

    assert first.split("?")[0] != second.split("?")[0]


def test_a_filmstrip_stands_beside_the_thumbnail(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    strip = write_image(tmp_path / "strip.png", width=960, height=100)

    sg.upload_filmstrip_thumbnail("Version", version["id"], str(strip))
    address = await_thumbnail(sg, "Version", version["id"], "filmstrip_image")

    row: Any = sg.find_one("Version", [["id", "is", version["id"]]], ["image"])
    assert httpx.get(address, timeout=PATIENCE).status_code == 200
    assert row["image"] is None


def test_a_thumbnail_is_shared_once_it_is_there(
    sg: shotgun_api3.Shotgun, project: Any, version: Any, tmp_path: Path, held: threading.Event
) -> None:
    others = [sg.create("Shot", {"project": project, "code": f"shared_{n}"}) for n in range(2)]
    number = sg.upload_thumbnail("Version", version["id"], str(write_image(tmp_path / "thumb.jpg")))
    with pytest.raises(shotgun_api3.ShotgunThumbnailNotReady):
        sg.share_thumbnail(others, source_entity=version)
    held.set()
    address = await_thumbnail(sg, "Version", version["id"])

    shared = sg.share_thumbnail(others, source_entity=version)

    rows: Any = sg.find("Shot", [["code", "starts_with", "shared_"]], ["image"])
    assert shared == number
    assert {row["image"].split("?")[0] for row in rows} == {address.split("?")[0]}


def test_a_thumbnail_for_many_rows_is_uploaded_once(
    sg: shotgun_api3.Shotgun, project: Any, tmp_path: Path
) -> None:
    one: Any = [sg.create("Shot", {"project": project, "code": "alone"})]

    number = sg.share_thumbnail(one, thumbnail_path=str(write_image(tmp_path / "thumb.jpg")))

    assert isinstance(number, int)


def test_clearing_the_image_takes_the_thumbnail_away(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    sg.upload_thumbnail("Version", version["id"], str(write_image(tmp_path / "thumb.jpg")))
    await_thumbnail(sg, "Version", version["id"])

    sg.update("Version", version["id"], {"image": None})

    row: Any = sg.find_one("Version", [["id", "is", version["id"]]], ["image"])
    assert row["image"] is None


def test_a_damaged_picture_ends_as_no_thumbnail(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"\x89PNG\r\n\x1a\n" + b"not a picture" * 20)
    good = write_image(tmp_path / "good.png")

    sg.upload_thumbnail("Version", version["id"], str(damaged))
    other = sg.create("Version", {"project": version["project"], "code": "after"})
    sg.upload_thumbnail("Version", other["id"], str(good))
    await_thumbnail(sg, "Version", other["id"])

    row: Any = sg.find_one("Version", [["id", "is", version["id"]]], ["image"])
    assert row["image"] is None


def test_a_note_gets_its_attachment_in_its_thread(
    sg: shotgun_api3.Shotgun, project: Any, tmp_path: Path
) -> None:
    note: Any = sg.create("Note", {"project": project, "content": "see the drawing"})
    source = write_image(tmp_path / "drawing.png")

    number = sg.upload("Note", note["id"], str(source), field_name="attachments")

    thread: Any = sg.note_thread_read(note["id"])
    assert [(part["type"], part["id"]) for part in thread] == [
        ("Note", note["id"]),
        ("Attachment", number),
    ]


@pytest.mark.parametrize(
    ("entity_type", "number", "field", "reason"),
    [
        ("Version", 99_999_999, None, "99999999"),
        ("Versiom", 1, None, "Versiom"),
        ("Version", None, "code", "code"),
        ("Version", None, "nope", "nope"),
        ("Version", 99_999_999, "thumb_image", "99999999"),
    ],
)
def test_an_upload_to_nowhere_says_why(
    sg: shotgun_api3.Shotgun,
    version: Any,
    tmp_path: Path,
    entity_type: str,
    number: int | None,
    field: str | None,
    reason: str,
) -> None:
    source = write_image(tmp_path / "picture.png")

    with pytest.raises(shotgun_api3.ShotgunError, match=reason):
        sg.upload(entity_type, number or version["id"], str(source), field_name=field)


def test_what_is_no_picture_is_refused_as_a_thumbnail(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    source = tmp_path / "words.txt"
    source.write_text("words", encoding="utf-8")

    with pytest.raises(shotgun_api3.ShotgunError, match=r"words\.txt is not an image"):
        sg.upload_thumbnail("Version", version["id"], str(source))


def test_whoever_has_no_key_uploads_nothing(
    site: RunningSite, version: Any, tmp_path: Path
) -> None:
    stranger = site.connect()
    stranger.config.api_key = "wrong"
    before = sorted(site.data.rglob("*"))

    with pytest.raises(shotgun_api3.ShotgunError, match="authenticate"):
        stranger.upload("Version", version["id"], str(write_image(tmp_path / "a.png")))

    assert sorted(site.data.rglob("*")) == before


@pytest.mark.parametrize(
    "name", ["../../../evil.png", "..\\..\\evil.png", "/etc/evil.png", "evil.png"]
)
def test_no_file_name_leads_out_of_the_sites_folder(
    site: RunningSite, version: Any, name: str
) -> None:
    before = {path for path in site.data.rglob("*") if path.is_file()}

    answer = httpx.post(
        f"{site.url}/upload/upload_file",
        data={
            "script_name": SCRIPT,
            "script_key": KEY,
            "entity_type": "Version",
            "entity_id": str(version["id"]),
            "display_name": name,
        },
        files={"file": (name, b"bytes")},
        timeout=PATIENCE,
    )

    number = answer.text.split(":")[1]
    new = {path for path in site.data.rglob("*") if path.is_file()} - before
    assert answer.text == f"1:{number}:evil.png\n"
    assert [path.name for path in new if path.suffix not in {".db-wal", ".db-shm"}] == [number]
    assert not list(site.data.parent.glob("evil*"))


def test_a_download_never_acts_in_the_sites_name(
    site: RunningSite, sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    source = tmp_path / "page.html"
    source.write_text("<script>alert(1)</script>", encoding="utf-8")
    number = sg.upload("Version", version["id"], str(source))
    address = f"{site.url}/file_serve/attachment/{number}"

    answer = httpx.get(address, timeout=PATIENCE)

    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_an_unknown_attachment_is_no_download(site: RunningSite, sg: shotgun_api3.Shotgun) -> None:
    assert (
        httpx.get(f"{site.url}/file_serve/attachment/99999999", timeout=PATIENCE).status_code == 400
    )
    with pytest.raises(shotgun_api3.ShotgunFileDownloadError, match="may not exist"):
        sg.download_attachment(attachment_id=99_999_999)


def test_a_thumbnail_opens_only_by_its_signed_address(
    sg: shotgun_api3.Shotgun, version: Any, tmp_path: Path
) -> None:
    sg.upload_thumbnail("Version", version["id"], str(write_image(tmp_path / "thumb.jpg")))
    address = await_thumbnail(sg, "Version", version["id"])

    assert httpx.get(address, timeout=PATIENCE).status_code == 200
    assert httpx.get(address.split("?")[0], timeout=PATIENCE).status_code == 403
    assert httpx.get(address[:-1] + "x", timeout=PATIENCE).status_code == 403


def test_old_clients_can_ask_for_a_thumbnails_path(
    site: RunningSite,
    sg: shotgun_api3.Shotgun,
    version: Any,
    tmp_path: Path,
    held: threading.Event,
) -> None:
    question = f"{site.url}/upload/get_thumbnail_url?entity_type=Version&entity_id={version['id']}"
    none = httpx.get(question, timeout=PATIENCE).text
    sg.upload_thumbnail("Version", version["id"], str(write_image(tmp_path / "thumb.jpg")))
    pending = httpx.get(question, timeout=PATIENCE).text
    held.set()
    await_thumbnail(sg, "Version", version["id"])
    there = httpx.get(question, timeout=PATIENCE).text

    assert none.startswith("0\n")
    assert TRANSIENT in pending
    assert httpx.get(site.url + there.splitlines()[1], timeout=PATIENCE).status_code == 200
    assert httpx.get(f"{site.url}/upload/get_thumbnail_url", timeout=PATIENCE).text.startswith(
        "0\n"
    )
