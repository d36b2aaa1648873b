"""A supervisor's note in the tracker becomes the version that it asks for, or a question."""

from collections.abc import Generator
from typing import Any, cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from haikei.images import Picture, decode_picture, write_picture
from haikei.jobs import JobState
from haikei.painting import read_layout
from haikei.reading import Kind
from support.studio import SiteRow, Studio, studio

WIDTH, HEIGHT = 480, 270
SUPERVISOR = "haruka"
BEFORE, AFTER = "c001_bg_summer_day_v001", "c001_bg_summer_day_v002"


def house() -> NDArray[np.float32]:
    """Draw a house on a plain under an open sky."""
    paper = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for points in (
        [(0, 170), (70, 170)],
        [(190, 170), (WIDTH, 170)],
        [(70, 215), (70, 130), (190, 130), (190, 215), (70, 215)],
        [(58, 130), (92, 92), (168, 92), (202, 130), (58, 130)],
        [(90, 150), (112, 150), (112, 172), (90, 172), (90, 150)],
    ):
        cv2.polylines(paper, [np.array(points, np.int32)], False, 0, 2, cv2.LINE_AA)
    return np.repeat(paper[..., None], 3, axis=2).astype(np.float32) / np.float32(255)


@pytest.fixture
def here(tmp_path: Any) -> Generator[Studio]:
    with studio(tmp_path / "studio", extra_settings="[review]\nsettle = 0.5\n") as one:
        one.cast([("PORT", "s01", "c001")])
        client = one.connect()
        client.create("HumanUser", {"login": SUPERVISOR, "name": "Haruka Mori"})
        client.close()
        path = one.projects / "PORT" / "s01" / "c001" / "layout" / "c001_bg_v001.png"
        path.parent.mkdir(parents=True)
        write_picture(Picture(pixels=house()), path)
        one.start()
        one.wait_for("the first version", lambda: len(one.jobs(JobState.DONE)) == 1)
        yield one


def ask(here: Studio, text: str) -> int:
    """Write a note on the first version and want a retake of it; return the note's id."""
    client = here.connect(as_login=SUPERVISOR)
    version = cast(
        "SiteRow", client.find_one("Version", [["code", "is", BEFORE]], ["project", "code"])
    )
    link = {"type": "Version", "id": version["id"]}
    note = client.create(
        "Note", {"project": version["project"], "note_links": [link], "content": text}
    )
    client.update("Version", version["id"], {"sg_status_list": "rtk"})
    client.close()
    return int(note["id"])


def replies(here: Studio, note: int) -> list[str]:
    client = here.connect()
    link = {"type": "Note", "id": note}
    found = cast("list[SiteRow]", client.find("Reply", [["entity", "is", link]], ["content"]))
    client.close()
    return [str(one["content"]) for one in sorted(found, key=lambda one: one["id"])]


def background(here: Studio, code: str) -> NDArray[np.float32]:
    """Return the published picture of a version, in L*a*b*."""
    client = here.connect()
    found = cast(
        "list[SiteRow]",
        client.find(
            "PublishedFile",
            [["version.Version.code", "is", code]],
            ["path", "published_file_type.PublishedFileType.code"],
        ),
    )
    client.close()
    (path,) = [
        one["path"]["local_path"]
        for one in found
        if one["published_file_type.PublishedFileType.code"] == "Background"
    ]
    pixels = decode_picture(here.projects / path).picture.pixels[..., :3]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2Lab), np.float32)


def test_a_note_in_japanese_gives_a_red_roof_and_leaves_the_rest(here: Studio) -> None:
    note = ask(here, "屋根を赤に。電線を消して。")
    here.wait_for("the answer", lambda: any(AFTER in text for text in replies(here, note)))

    first, last = replies(here, note)
    assert "変更します：屋根：赤、電線：消去。" in first
    assert "反映しました：屋根：赤（画面の" in last
    assert "この原図に電線は見つかりませんでした" in last

    roof = read_layout(house(), "", lambda: None).mask(Kind.ROOF)
    around = cv2.dilate(roof.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    inside = cv2.erode(roof.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    before, after = background(here, BEFORE), background(here, AFTER)
    assert float(after[inside][:, 1].mean()) > 25
    assert float(np.linalg.norm(before - after, axis=2)[~around].max()) < 1


def test_a_note_that_cannot_be_read_is_a_question_and_makes_no_version(here: Studio) -> None:
    note = ask(here, "It feels a bit lonely somehow.")
    here.wait_for("the question", lambda: bool(replies(here, note)))

    (question,) = replies(here, note)
    assert "no version is made" in question
    assert "it feels a bit lonely somehow" in question
    assert len(here.jobs()) == 1

    # What is meant can be said in the same thread.
    client = here.connect(as_login=SUPERVISOR)
    client.create("Reply", {"entity": {"type": "Note", "id": note}, "content": "darker"})
    client.close()
    here.wait_for("the answer", lambda: any(AFTER in text for text in replies(here, note)))
