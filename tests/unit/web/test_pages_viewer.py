"""The page of a cut as a place to compare: steps by name, drawn notes, layers, many decisions."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from httpx2 import Response
from psd_tools import PSDImage
from psd_tools.constants import Resource

from haikei.credits import BackgroundVersion, ImageKind, records
from haikei.errors import TrackerUnavailable
from haikei.files import sha256_of
from haikei.images import Layer, Picture, read_picture, write_layered, write_picture
from haikei.presets import Spot, spots_of
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.records import a_background, a_chain, a_touch_up, save_background
from support.studio import ReviewStudio, make_version, retake_jobs
from support.trackers import MORI
from support.web import Page, Web, csrf, get, pages_of, read, with_pictures

CUT = "/shows/akane/ep01/c001"
BOX = {"kind": "box", "points": [[100, 200], [400, 600]]}
ARROW = {"kind": "arrow", "points": [[500, 500], [700, 300]]}


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with pages_of(tmp_path, review={"settle": 0}) as one:
        yield one


def shown(web: Web, told: BackgroundVersion, number: int = 1) -> BackgroundVersion:
    """Save a version whose files are there and that the tracker shows."""
    there = with_pictures(web.settings.storage.roots[0].path, told)
    with web.database.begin() as connection:
        save_background(connection, there)
        web.desk.show(number, there.key, there.code)
        records.published(connection, there.key, tracker_id=number, url="")
    return there


@pytest.fixture
def version(web: Web) -> BackgroundVersion:
    """Return a version in review, with its files."""
    return shown(web, a_background(images=a_chain(touch_up_by=())))


def decide(web: Web, key: str, decision: str, **fields: str) -> Response:
    form = {"csrf": csrf(get(web, CUT)), "decision": decision, **fields}
    return web.client.post(f"/versions/{key}/decision", data=form, follow_redirects=False)


def names(page: Page) -> list[tuple[str, str]]:
    return [(one["data-role"], one["data-name"]) for one in page.all("figure")]


def test_the_finished_picture_comes_first_and_then_the_version_before_it(web: Web) -> None:
    images = a_chain(touch_up_by=())
    with web.database.begin() as connection:
        save_background(connection, a_background(images=images))
        save_background(connection, a_background(version=2, images=a_chain("w", touch_up_by=())))

    assert names(get(web, CUT)) == [
        ("finished", "v002 Finish (AI)"),
        ("previous", "Previous version (v001)"),
        ("step", "Layout"),
        ("step", "Base paint (AI)"),
    ]
    japanese = get(web, CUT, {"accept-language": "ja"})
    assert [name for _, name in names(japanese)] == [
        "v002 仕上げ（AI）",
        "前の版（v001）",
        "原図",
        "下塗り（AI）",
    ]


def test_a_touch_up_stands_behind_the_finish_that_it_is_painted_on(web: Web) -> None:
    first = a_chain(touch_up_by=())
    over = a_touch_up(parent=first[-1])
    with web.database.begin() as connection:
        save_background(connection, a_background(images=(*first, over)))

    assert [name for _, name in names(get(web, CUT))] == [
        "v001 Touch-up",
        "Layout",
        "Base paint (AI)",
        "Finish (AI)",
    ]


def test_the_version_that_was_painted_over_stands_there_once(web: Web) -> None:
    first = a_background(images=a_chain(touch_up_by=()))
    over = a_touch_up(parent=first.final)
    with web.database.begin() as connection:
        save_background(connection, first)
        save_background(connection, a_background(version=2, images=(*first.images, over)))

    assert [name for _, name in names(get(web, CUT))] == [
        "v002 Touch-up",
        "Previous version (v001)",
        "Layout",
        "Base paint (AI)",
    ]


def test_neighbours_lead_to_the_cuts_before_and_after(web: Web) -> None:
    with web.database.begin() as connection:
        for shot in ("c001", "c002", "c010"):
            save_background(connection, a_background(shot, images=a_chain(shot, touch_up_by=())))
    page = get(web, "/shows/akane/ep01/c002")
    (before,), (after,) = page.all("a", rel="prev"), page.all("a", rel="next")

    assert before["aria-label"] == "Previous cut (c001)"
    assert "Cut c001" in get(web, before["href"]).text
    assert "Cut c010" in get(web, after["href"]).text
    assert not get(web, CUT).all("a", rel="prev")
    assert not get(web, after["href"]).all("a", rel="next")


def test_what_is_drawn_stands_in_the_note_and_hangs_on_it_as_a_picture(
    web: Web, version: BackgroundVersion
) -> None:
    answer = decide(web, version.key, "retake", note="the roof red", marks=json.dumps([BOX, ARROW]))

    assert answer.status_code == 303
    (note,) = web.desk.versions[1].notes
    assert note.text == "the roof red\n[box 10.0,20.0-40.0,60.0 %] [point 70.0,30.0 %]"
    assert spots_of(note.text)[0] == Spot(left=100, top=200, right=400, bottom=600)
    assert web.board.attached == {("Note", note.id): [f"{version.code}_annotation.png"]}
    drawn = cv2.imdecode(
        np.frombuffer(web.board.files["Note", note.id], np.uint8), cv2.IMREAD_COLOR
    )
    assert drawn is not None
    blue, green, red = (drawn[36, 16].astype(int), *[0, 0])[0]
    assert red - max(blue, green) > 80  # the box's left side
    studio = ReviewStudio(
        settings=web.settings,
        database=web.database,
        desk=web.desk,
        order=None,  # type: ignore[arg-type]
    )
    studio.review()
    page = get(web, CUT)
    assert [one["data-spots"] for one in page.all("li") if "data-spots" in one] == [
        "100,200,400,600;700,300,700,300;"
    ]


def test_a_drawing_alone_is_a_note_and_asks_what_is_meant(
    web: Web, version: BackgroundVersion
) -> None:
    decide(web, version.key, "hold", marks=json.dumps([BOX]))

    assert [note.text for note in web.desk.versions[1].notes] == ["[box 10.0,20.0-40.0,60.0 %]"]


def test_a_page_in_japanese_writes_places_in_japanese(web: Web, version: BackgroundVersion) -> None:
    web.client.cookies.set("haikei_language", "ja")
    decide(web, version.key, "retake", note="屋根を赤に", marks=json.dumps([BOX]))

    (note,) = web.desk.versions[1].notes
    assert note.text == "屋根を赤に\n[枠 10.0,20.0-40.0,60.0 %]"


@pytest.mark.parametrize("marks", ["{}", '[{"kind":"box"}]', "[" * 900, '[{"kind":"<b>"}]'])
def test_a_drawing_that_is_none_of_ours_writes_nothing(
    web: Web, version: BackgroundVersion, marks: str
) -> None:
    answer = decide(web, version.key, "approve", note="good", marks=marks)

    assert answer.status_code == 409
    assert "Your decision was not written." in read(answer.text).text
    assert (web.desk.versions[1].status, web.desk.versions[1].notes) == ("rev", ())


def test_a_drawing_of_a_version_without_its_file_writes_nothing(web: Web) -> None:
    with web.database.begin() as connection:
        order = make_version(connection, web.desk, 1)
    answer = decide(web, order.key, "retake", note="red", marks=json.dumps([BOX]))

    assert answer.status_code == 409
    assert "send it without a drawing" in read(answer.text).text
    assert web.desk.versions[1].notes == ()


def test_a_tracker_that_goes_away_keeps_note_and_drawing_and_writes_each_once(
    web: Web, version: BackgroundVersion
) -> None:
    web.board.failures.append(TrackerUnavailable("No answer."))
    marks = json.dumps([BOX])
    refused = decide(web, version.key, "retake", note="the roof red", marks=marks)
    page = read(refused.text)

    assert refused.status_code == 503
    assert page.all("input", name="marks")[0]["value"] == marks
    assert web.desk.versions[1].status == "rev"

    assert decide(web, version.key, "retake", note="the roof red", marks=marks).status_code == 303
    assert len(web.desk.versions[1].notes) == 1
    assert [len(one) for one in web.board.attached.values()] == [1]
    assert web.desk.versions[1].status == "rtk"


def test_the_version_that_a_note_asked_for_shows_it_with_its_answer(web: Web) -> None:
    with web.database.begin() as connection:
        order = make_version(connection, web.desk, 1)
    studio = ReviewStudio(settings=web.settings, database=web.database, desk=web.desk, order=order)
    decide(web, order.key, "retake", note="less green")
    studio.review()
    (retake,) = retake_jobs(web.database)
    studio.make(retake)
    studio.review()
    page = get(web, f"/versions/{retake.key}")

    assert "What this version was asked for" in page.text
    assert "less green" in page.text
    assert "is ready for review" in page.text


def test_a_refusal_does_not_stand_beside_that_haikei_is_acting(web: Web) -> None:
    with web.database.begin() as connection:
        order = make_version(connection, web.desk, 1)
    studio = ReviewStudio(settings=web.settings, database=web.database, desk=web.desk, order=order)
    said = decide(web, order.key, "retake", note="[box 1,1-20,20 %]").headers["location"]
    acting = "Haikei is acting on it."

    assert acting in get(web, said).text
    studio.review()
    asked = get(web, said).text
    assert "I read nothing in this note" in asked
    assert acting not in asked
    assert acting not in get(web, CUT).text


def test_several_cuts_are_decided_at_once(web: Web) -> None:
    with web.database.begin() as connection:
        for number in (1, 2, 3):
            make_version(connection, web.desk, number, shot=f"c00{number}")
    page = get(web, "/shows/akane")
    boxes = [one for one in page.all("input", type="checkbox") if one.get("form") == "picked"]
    assert [one["aria-label"] for one in boxes] == ["Pick c001", "Pick c002", "Pick c003"]
    picked = {one["name"]: one["value"] for one in boxes[:2]}
    web.desk.set_status(2, "hld", MORI)
    form = {"csrf": csrf(page), "decision": "approve", "note": "", **picked}
    answer = web.client.post("/shows/akane/decisions", data=form)
    told = read(answer.text)

    assert [web.desk.versions[one].status for one in (1, 2, 3)] == ["apr", "hld", "rev"]
    assert answer.status_code == 409
    assert "1 of 2 written" in told.text
    assert "was set to hld (hold)" in told.text


def test_one_note_for_several_cuts_is_written_on_each(web: Web) -> None:
    with web.database.begin() as connection:
        for number in (1, 2):
            make_version(connection, web.desk, number, shot=f"c00{number}")
    page = get(web, "/shows/akane")
    picked = {
        one["name"]: one["value"]
        for one in page.all("input", type="checkbox")
        if one.get("form") == "picked"
    }
    form = {"csrf": csrf(page), "decision": "retake", "note": "less green", **picked}
    answer = web.client.post("/shows/akane/decisions", data=form)

    assert answer.status_code == 200
    assert [[note.text for note in one.notes] for one in web.desk.versions.values()] == [
        ["less green"],
        ["less green"],
    ]


@pytest.mark.parametrize(
    "name", ["pick:", "pick:ep01/c009/summer/day/1", "pick:a/b", "pick:ep01/c001/summer/day/x"]
)
def test_what_is_not_there_is_not_decided(web: Web, version: BackgroundVersion, name: str) -> None:
    form = {"csrf": csrf(get(web, CUT)), "decision": "approve", name: "in_review"}
    answer = web.client.post("/shows/akane/decisions", data=form)

    assert answer.status_code == 409
    assert "There is no such version any more." in read(answer.text).text
    assert web.desk.versions[1].status == "rev"
    assert version.code


def test_no_pick_decides_nothing_and_says_so(web: Web, version: BackgroundVersion) -> None:
    form = {"csrf": csrf(get(web, CUT)), "decision": "approve"}
    answer = web.client.post("/shows/akane/decisions", data=form)

    assert answer.status_code == 409
    assert "No cut was picked" in read(answer.text).text
    assert web.desk.versions[1].status == "rev"
    assert version.code


def test_who_only_looks_can_pick_nothing(tmp_path: Path) -> None:
    with pages_of(tmp_path, web={"supervisors": ["mori"]}) as web:
        with web.database.begin() as connection:
            make_version(connection, web.desk, 1)
        page = get(web, "/shows/akane")
        form = {"csrf": csrf(page), "decision": "approve", "pick:ep01/c001/summer/day/1": ""}

        assert not page.all("input", form="picked")
        assert web.client.post("/shows/akane/decisions", data=form).status_code == 403


def test_who_sits_at_this_machine_decides_by_name(tmp_path: Path) -> None:
    with pages_of(tmp_path, web={"local_person": "mori"}) as web:
        with web.database.begin() as connection:
            order = make_version(connection, web.desk, 1)
        page = get(web, CUT)
        decide(web, order.key, "approve", note="good")

        assert f"You decide as {MORI.name}." in page.text
        assert not page.all("form", action="/sign-out")
        assert web.desk.versions[1].status_by is not None
        assert web.desk.versions[1].status_by.name == MORI.name
        assert web.desk.versions[1].notes[0].author is not None


def test_a_login_that_the_tracker_does_not_know_names_nobody(tmp_path: Path) -> None:
    with pages_of(tmp_path, web={"local_person": "nobody"}) as web:
        with web.database.begin() as connection:
            order = make_version(connection, web.desk, 1)

        assert "You decide as" not in get(web, CUT).text
        assert decide(web, order.key, "approve").status_code == 303
        assert web.desk.versions[1].status_by is None


def test_the_published_file_comes_byte_for_byte(web: Web, version: BackgroundVersion) -> None:
    answer = web.client.get(f"/versions/{version.key}/file")
    file = web.settings.storage.roots[0].path / version.final.path

    assert answer.content == file.read_bytes()
    assert file.name in answer.headers["content-disposition"]
    assert web.client.get("/versions/nothing/file").status_code == 404


def test_all_layers_come_as_they_were_published_with_what_stands_beside_them(
    web: Web, version: BackgroundVersion
) -> None:
    root = web.settings.storage.roots[0].path
    (root / f"{version.final.path}.json").write_text("{}")
    (root / version.final.path).with_suffix(".xmp").write_text("<x/>")
    answer = web.client.get(f"/versions/{version.key}/layers.zip")

    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert [name.partition("/")[0] for name in bundle.namelist()] == [
            "01_layout",
            "02_base_paint_ai",
            "03_finish_ai",
            "03_finish_ai",
            "03_finish_ai",
        ]
        first = bundle.read(bundle.namelist()[0])
    assert first == (root / version.images[0].path).read_bytes()
    assert list((web.settings.work_folder / "web-downloads").iterdir()) == []


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_layered_file_holds_the_pictures_and_hidden_above_what_was_read(
    web: Web, version: BackgroundVersion, language: str
) -> None:
    root = web.settings.storage.roots[0].path
    (root / version.final.path).with_suffix(".xmp").write_bytes(b"<x:xmpmeta/>")
    answer = web.client.get(
        f"/versions/{version.key}/layers.psd?bits=8", headers={"accept-language": language}
    )
    opened = PSDImage.open(io.BytesIO(answer.content))
    names = {
        "en": ["Layout", "Base paint (AI)", "Finish (AI)", "Sheet", "Regions", "Trace lines"],
        "ja": ["原図", "下塗り（AI）", "仕上げ（AI）", "用紙", "領域", "色トレス線"],
    }[language]
    shown, published = opened.numpy(), read_picture(root / version.final.path).pixels

    assert [one.name for one in opened][:-1] == names
    assert [one.visible for one in opened] == [True] * 3 + [False] * 4
    assert shown is not None
    assert float(np.abs(shown[..., :3] - published).max()) < 1 / 255
    assert opened.image_resources.get_data(Resource.XMP_METADATA) == b"<x:xmpmeta/>"
    assert f"{version.code}.psd" in answer.headers["content-disposition"]
    assert list((web.settings.work_folder / "web-downloads").iterdir()) == []


@pytest.mark.parametrize("changed", [False, True])
def test_books_stay_layers_of_the_layered_file_where_nobody_changed_them(
    web: Web, changed: bool
) -> None:
    root = web.settings.storage.roots[0].path
    layout, first, finish = a_chain(touch_up_by=())
    layered = replace(finish, key=f"{finish.key}/books", sha256="b" * 64, kind=ImageKind.GENERATION)
    asked = a_background(images=(layout, first, layered, finish))
    books = root / "c001_books.psd"
    books.parent.mkdir(parents=True, exist_ok=True)
    back = Picture(pixels=np.full((90, 160, 3), 0.25, np.float32))
    cover = np.zeros((90, 160), np.float32)
    cover[30:60, 20:50] = 0.5
    write_layered(
        [Layer(name="BG", picture=back), Layer(name="手前の木", picture=back, cover=cover)], books
    )
    digest = sha256_of(books)
    if changed:
        books.write_bytes(books.read_bytes() + b" ")
    there = with_pictures(root, asked)
    images = list(there.images)
    images[2] = replace(images[2], path="c001_books.psd", sha256=digest)
    version = replace(there, images=tuple(images))
    with web.database.begin() as connection:
        save_background(connection, version)
    opened = PSDImage.open(
        io.BytesIO(web.client.get(f"/versions/{version.key}/layers.psd").content)
    )
    found = [one.name for one in opened if one.visible]

    if changed:
        assert found == ["Layout", "Base paint (AI)", "BOOK layers", "Finish (AI)"]
        return
    assert found == ["Layout", "Base paint (AI)", "BG", "手前の木", "Finish (AI)"]
    assert [(one.left, one.top, one.right, one.bottom) for one in opened][3] == (20, 30, 50, 60)


def test_a_layered_file_is_refused_in_other_depths_and_without_its_picture(
    web: Web, version: BackgroundVersion
) -> None:
    address = f"/versions/{version.key}/layers.psd"
    deep = web.client.get(f"{address}?bits=32").status_code
    (web.settings.storage.roots[0].path / version.final.path).unlink()

    assert (deep, web.client.get(address).status_code) == (400, 404)


def test_an_exr_is_seen_through_the_display_transform(web: Web, tmp_path: Path) -> None:
    told = a_background(images=a_chain(touch_up_by=()))
    final = replace(told.final, path=told.final.path.replace(".png", ".exr"))
    there = shown(web, replace(told, images=(*told.images[:-1], final)))
    (figure,) = get(web, CUT).all("figure", **{"data-role": "finished"})
    seen: dict[str, float] = {}
    for query in ("", "?view=aces", "?stops=-2", "?view=aces&stops=2"):
        answer = web.client.get(f"/pictures/{there.final.sha256}/1600.jpg{query}")
        file = tmp_path / "seen.jpg"
        file.write_bytes(answer.content)
        seen[query] = float(read_picture(file).pixels.mean())

    assert "data-light" in figure
    assert len({round(one, 2) for one in seen.values()}) == 4
    assert seen["?stops=-2"] < seen[""]


@pytest.mark.parametrize("query", ["view=raw", "stops=99", "stops=1.5", "stops=-7", "view=../x"])
def test_other_looks_are_not_made(web: Web, version: BackgroundVersion, query: str) -> None:
    assert web.client.get(f"/pictures/{version.final.sha256}/1600.jpg?{query}").status_code == 404


def test_what_was_read_of_a_layout_is_shown_as_layers_and_in_words(web: Web) -> None:
    told = a_background(images=a_chain(touch_up_by=()))
    there = shown(web, told)
    layout = web.settings.storage.roots[0].path / there.images[0].path
    save_layout(draw(Scene(kind=SceneKind.VILLAGE, width=320, height=180, seed=3)), layout)
    page = get(web, f"/versions/{there.key}/sheet")
    layers = {
        name: web.client.get(f"/versions/{there.key}/layers/{name}.png")
        for name in ("sheet", "regions", "traces", "doubts")
    }

    assert "of the picture" in page.text
    assert "Haikei reading network" in page.text
    assert {one.status_code for one in layers.values()} == {200}
    regions = cv2.imdecode(np.frombuffer(layers["regions"].content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert regions is not None
    assert regions.shape == (180, 320, 4)
    assert len(np.unique(regions.reshape(-1, 4), axis=0)) > 3
    assert web.client.get(f"/versions/{there.key}/layers/../x.png").status_code == 404
    assert web.client.get(f"/versions/{there.key}/layers/other.png").status_code == 404


def test_a_layout_that_cannot_be_read_is_said(web: Web, version: BackgroundVersion) -> None:
    layout = web.settings.storage.roots[0].path / version.images[0].path
    layout.write_bytes(b"no picture")
    page = read(web.client.get(f"/versions/{version.key}/sheet").text)
    layout.unlink()
    gone = web.client.get(f"/versions/{version.key}/layers/sheet.png")

    assert "The layout could not be read." in page.text
    assert gone.status_code == 404


def test_a_picture_is_drawn_on_in_its_own_shape(tmp_path: Path) -> None:
    from haikei.web.pages.files import draw_marks
    from haikei.web.pages.marks import read_marks

    marks = read_marks(json.dumps([BOX, ARROW, {"kind": "line", "points": [[0, 0], [999, 999]]}]))
    grey = np.full((90, 160, 3), 0.5, np.float32)
    drawn = draw_marks(grey, marks)
    write_picture(Picture(pixels=drawn), tmp_path / "drawn.png")

    assert np.any(drawn != grey, axis=2).mean() < 0.3
    assert not np.array_equal(drawn[27, 111], grey[0, 0])  # the arrow's tip
