"""The sheet of one image tells everything that is known of it, and how well it is known."""

import json
import re
from dataclasses import replace

import pytest

from haikei.credits import Grade, Role, people, records
from haikei.errors import ReportError
from haikei.provenance import MarkSigner
from haikei.reports import Format
from haikei.texts import Language
from support import signing
from support.records import (
    MORI,
    a_background,
    a_chain,
    a_contribution,
    a_generation,
    a_layout,
    a_person,
    a_recall,
    a_touch_up,
    save_background,
)
from support.reports import ReportDesk, pages_of, rows_of
from support.signing import four_steps

CODE = "c001_bg_summer_day_v001"


def test_every_facet_has_who_and_how_it_is_known(desk: ReportDesk) -> None:
    desk.save(a_background())

    rows = rows_of(desk.json("image-sheet", code=CODE), "contributions")

    known = [(row["role"]["en"], row["grade"]) for row in rows if row["grade"]]
    assert known == [
        ("Background Layout (Genzu)", {"en": "logged", "ja": "自動記録"}),
        ("AI Background Generation (tool)", {"en": "logged", "ja": "自動記録"}),
        ("AI Generation Operator", {"en": "logged", "ja": "自動記録"}),
        ("AI Background Generation (tool)", {"en": "logged", "ja": "自動記録"}),
        ("AI Generation Operator", {"en": "logged", "ja": "自動記録"}),
        ("Background Art (Paint-over)", {"en": "logged", "ja": "自動記録"}),
    ]
    assert [row["who"] for row in rows][-1] == {"en": "nothing recorded", "ja": "記録なし"}


def test_measures_stand_with_their_method_chance_and_pitfalls(desk: ReportDesk) -> None:
    layout = a_layout(
        contributions=(a_contribution(Role.GENZU, MORI, grade=Grade.MEASURED, recall=a_recall()),)
    )
    chain = a_chain()
    desk.save(a_background(images=(layout, *chain[1:])))

    page = desk.text("image-sheet", code=CODE)

    for words in ("3.5 % of the area, in 2 regions", "haikei-change/2", "0.938 of line pixels"):
        assert words in page
    assert "0.145 ± 0.009" in page
    assert "area is not effort" in page


def test_there_is_no_figure_of_how_much_is_ai(desk: ReportDesk) -> None:
    desk.save(a_background())

    page = re.sub(r"<style>.*?</style>", "", desk.text("image-sheet", code=CODE), flags=re.DOTALL)

    assert re.findall(r"\d[\d.]* ?%", page) == ["3.5 %"]


def test_hashes_ledger_entries_and_models_are_there(desk: ReportDesk) -> None:
    told = a_background()
    desk.save(told)

    found = desk.json("image-sheet", code=CODE)
    text = json.dumps(found, ensure_ascii=False)

    images = rows_of(found, "images")
    assert [row["hashes"] for row in images] == [[i.sha256, i.pixels_sha256] for i in told.images]
    assert [row["ledger"] for row in images] == [0, 1, 2, 3]
    assert "CreativeML Open RAIL++-M" in text
    assert '"seed": "1234"' in text


def test_a_later_approval_has_the_ledger_entry_of_its_own(desk: ReportDesk) -> None:
    told = a_background()
    with desk.database.begin() as connection:
        save_background(connection, told)
        entry = records.contribute(connection, told.final.key, a_contribution(Role.APPROVAL, MORI))

    rows = rows_of(desk.json("image-sheet", code=CODE), "contributions")

    assert [row["who"]["en"] for row in rows if row["ledger"] == entry] == ["K. Mori"]


def test_the_sheet_of_a_file_that_is_gone_or_another_says_so(desk: ReportDesk) -> None:
    told = a_background()
    desk.save(told)

    assert "The file is not there" in desk.text("image-sheet", code=CODE)

    desk.paint(told.final.path)
    assert "is not the one that was recorded" in desk.text("image-sheet", code=CODE)


def test_unnamed_work_is_shown_and_does_not_stop_the_sheet(desk: ReportDesk) -> None:
    layout = a_layout(artists=())
    desk.save(a_background(images=(layout, a_generation(layout=layout))))

    page = desk.text("image-sheet", code=CODE)

    assert "No credits without names" in page


def test_a_cut_without_touch_up_says_that_nothing_was_measured(desk: ReportDesk) -> None:
    desk.save(a_background(images=a_chain(touch_up_by=())))

    assert "Nothing was measured" in desk.text("image-sheet", code=CODE)


def test_artists_who_opted_out_are_not_on_the_sheet(desk: ReportDesk) -> None:
    quiet = a_person(9, name="Rin Aoki", name_ja="青木凛", opt_out="letter")
    desk.save(a_background(images=a_chain(artists=(quiet,))))

    page = desk.text("image-sheet", code=CODE, language=Language.BOTH)

    assert "Aoki" not in page
    assert "青木凛" not in page
    assert "HumanUser:9" not in page


def test_a_second_touch_up_is_told_from_the_first(desk: ReportDesk) -> None:
    chain = a_chain("c001")
    desk.save(a_background("c001", images=(*chain, a_touch_up("c001-again", parent=chain[-1]))))

    text = desk.text("image-sheet", Format.TXT)

    assert "Where Touch-up 1 changed the picture" in text
    assert "Where Touch-up 2 changed the picture" in text


def test_a_version_that_is_not_there_is_told(desk: ReportDesk) -> None:
    with pytest.raises(ReportError, match="'c009_v001'"):
        desk.write("image-sheet", Format.HTML, code="c009_v001")


def test_without_a_code_the_scope_must_hold_one_version(desk: ReportDesk) -> None:
    desk.save(a_background())
    assert CODE in desk.text("image-sheet")

    desk.save(a_background("c002", images=a_chain("other")))
    with pytest.raises(ReportError, match="several versions"):
        desk.write("image-sheet", Format.HTML)


def test_a_sheet_is_set_on_paper(desk: ReportDesk) -> None:
    told = a_background()
    desk.save(told)
    for image in told.images:
        desk.paint(image.path)

    (file,) = desk.write("image-sheet", Format.PDF, code=CODE, language=Language.BOTH)

    assert pages_of(file) >= 3


def test_who_asked_for_the_retake_stands_with_the_notes_on_the_sheet(desk: ReportDesk) -> None:
    (*before, last) = a_chain()
    said = "Note:12 on c001_bg_summer_day_v001"
    asked = a_contribution(Role.RETAKE, MORI, source=said, grade=Grade.LOGGED)
    desk.save(
        a_background(images=(*before, replace(last, contributions=(*last.contributions, asked))))
    )

    rows = rows_of(desk.json("image-sheet", code=CODE), "contributions")

    (row,) = (row for row in rows if row["role"] and row["role"]["en"] == "Retake Direction")
    assert MORI.name in json.dumps(row["who"])
    assert said in json.dumps(row)
    assert MORI.name in desk.text("image-sheet", code=CODE)


def test_people_in_a_files_own_marks_stand_as_credits_name_them_today(desk: ReportDesk) -> None:
    made = four_steps(desk.folder / "projects", MarkSigner.from_settings(desk.settings))
    chain = a_chain(artists=(signing.TANAKA,), touch_up_by=(signing.SATO,))
    final = replace(chain[-1], path=made.final.path.name)
    desk.save(a_background(images=(*chain[:-1], final)))
    assert "Yuki Tanaka" in desk.text("image-sheet", code=CODE)

    with desk.database.begin() as connection:
        people.erase(connection, signing.TANAKA.id, "letter of 2026-10-02")
        people.rename(connection, signing.SATO.id, name="Aoi Abe")

    for form in (Format.HTML, Format.JSON):
        page = desk.text("image-sheet", form, code=CODE)
        for name in ("Yuki Tanaka", "田中ゆき", "A. Sato", "佐藤葵"):
            assert name not in page
        assert "Aoi Abe" in page
        assert "as they were called when it was made" in page
