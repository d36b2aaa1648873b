"""End cards show every step of a background with everyone who made it."""

import json
from dataclasses import replace

import cv2
import pytest

from haikei.credits import Grade, Role, Scope
from haikei.errors import CreditError, ReportError
from haikei.reports import Format
from haikei.texts import Language
from support.records import (
    SATO,
    TANAKA,
    a_background,
    a_chain,
    a_contribution,
    a_generation,
    a_layout,
    a_person,
    a_recall,
    save_show,
)
from support.reports import ReportDesk, pages_of

BY_HAND = {"en": "made by hand, as declared when it was handed in", "ja": "手作業（提出時の申告）"}


def test_a_card_has_each_step_with_its_names(desk: ReportDesk) -> None:
    desk.save(a_background())

    (card,) = desk.json("breakdown", language=Language.BOTH)["blocks"]

    shown = [(one["caption"]["en"], one["lines"]) for one in card["pictures"]]
    operated = {"en": "operated by M. Ito", "ja": "操作 伊藤真"}
    assert shown == [
        ("Layout", [{"en": "Yuki Tanaka", "ja": "田中ゆき"}]),
        ("AI generation 1", ["SDXL 1.0", operated]),
        ("AI generation 2", ["SDXL 1.0", operated]),
        ("Touch-up", [{"en": "A. Sato", "ja": "佐藤葵"}, BY_HAND]),
    ]
    assert "Yuki Tanaka" in card["lines"][0]["en"]
    assert "佐藤葵" in card["lines"][0]["ja"]


def test_each_card_is_a_page_on_paper_and_a_picture_of_its_own(desk: ReportDesk) -> None:
    for number in range(3):
        told = a_background(f"c00{number}", images=a_chain(f"n{number}"))
        desk.save(told)
        for level, image in enumerate(told.images):
            desk.paint(image.path, level=40 * level)

    (pdf,) = desk.write("breakdown", Format.PDF, language=Language.BOTH)
    files = desk.write("breakdown", Format.PNG, language=Language.BOTH)

    assert pages_of(pdf) == 3
    assert [file.name for file in files] == [
        f"breakdown-c00{number}_bg_summer_day_v001.png" for number in range(3)
    ]
    first = cv2.imread(str(files[0]))
    assert first is not None
    # The touch-up's grey stands on the right half of the card.
    assert (first[:, 960:] == 120).all(axis=2).sum() > 10_000


def test_one_cut_alone_can_be_asked_for(desk: ReportDesk) -> None:
    desk.save(a_background("c001"), a_background("c002", images=a_chain("other")))

    found = desk.json("breakdown", scope=Scope(project="akane", shot="c002"))

    assert [card["title"]["en"] for card in found["blocks"]] == ["Cut c002"]


def test_a_missing_picture_leaves_its_place_and_its_names(desk: ReportDesk) -> None:
    told = a_background()
    desk.save(told)
    for image in told.images[:-1]:
        desk.paint(image.path)

    page = desk.text("breakdown")

    assert page.count("picture not found") == 1
    assert told.final.path in page
    assert page.count("<img") == 3
    assert "A. Sato" in page


def test_a_cut_with_no_ai_says_nothing_of_ai(desk: ReportDesk) -> None:
    with desk.database.begin() as connection:
        save_show(connection, versions=1, by_hand_every=1)

    text = desk.text("breakdown", Format.TXT, language=Language.BOTH)

    assert "AI" not in text
    assert "Background art" in text


def test_artists_who_opted_out_are_not_on_the_card(desk: ReportDesk) -> None:
    quiet = a_person(9, name="Rin Aoki", name_ja="青木凛", opt_out="letter")
    desk.save(a_background(images=a_chain(touch_up_by=(quiet, SATO))))

    text = json.dumps(desk.json("breakdown"), ensure_ascii=False)

    assert "Aoki" not in text
    assert "青木凛" not in text
    assert "(name withheld at the artist's request), A. Sato" in text


def test_work_without_a_name_stops_all_cards(desk: ReportDesk) -> None:
    nobody = a_layout("b", artists=())
    desk.save(
        a_background("c001"),
        a_background("c002", images=(nobody, a_generation("b", layout=nobody))),
    )

    with pytest.raises(CreditError, match="c002"):
        desk.write("breakdown", Format.PNG)

    assert not list(desk.folder.glob("breakdown*"))


def test_an_empty_show_has_nothing_to_draw(desk: ReportDesk) -> None:
    with pytest.raises(ReportError, match="No background is recorded for akane / ep09"):
        desk.write("breakdown", Format.PDF, scope=Scope(project="akane", sequence="ep09"))


def test_two_artists_on_one_picture_are_both_named(desk: ReportDesk) -> None:
    desk.save(a_background(images=a_chain(touch_up_by=(SATO, TANAKA))))

    assert "佐藤葵、田中ゆき" in desk.text("breakdown", language=Language.JA)


def test_an_artist_whose_lines_were_measured_in_a_picture_did_not_make_it(
    desk: ReportDesk,
) -> None:
    layout, first, second = a_chain(touch_up_by=())
    measured = a_contribution(Role.GENZU, TANAKA, grade=Grade.MEASURED, recall=a_recall())
    second = replace(second, contributions=(*second.contributions, measured))
    desk.save(a_background(images=(layout, first, second)))

    (card,) = desk.json("breakdown")["blocks"]

    assert "Yuki Tanaka" in json.dumps(card["pictures"][0])
    assert "Yuki Tanaka" not in json.dumps(card["pictures"][2])
