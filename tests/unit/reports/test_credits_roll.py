"""The end roll names everyone who is to be named, and refuses to leave anybody out."""

import csv

import pytest

from haikei.credits import Person, Scope, SourceType
from haikei.errors import CreditError
from haikei.reports import Format
from haikei.texts import Language
from support.records import (
    SATO,
    TANAKA,
    a_background,
    a_chain,
    a_generation,
    a_layout,
    a_person,
    a_system,
    save_show,
)
from support.reports import ReportDesk, pages_of, rows_of

LONG = "Maximiliana Konstantinopoulou-Wolfeschlegelsteinhausenbergerdorff"


def test_everyone_stands_under_their_role_in_both_languages(desk: ReportDesk) -> None:
    desk.save(a_background())

    text = desk.text("credits-roll", Format.TXT, language=Language.BOTH)

    for words in (
        "Background Layout (Genzu) / 背景原図",
        "Yuki Tanaka / 田中ゆき",
        "A. Sato / 佐藤葵",
        "SDXL 1.0 (operated by M. Ito) / SDXL 1.0（操作 伊藤真）",
    ):
        assert words in text
    assert text.index("田中ゆき") < text.index("SDXL") < text.index("佐藤葵")


def test_a_page_in_japanese_has_names_in_japanese_script_and_others_as_they_are(
    desk: ReportDesk,
) -> None:
    images = a_chain(artists=(TANAKA, a_person(7, name="O'Brien, Seán")))
    desk.save(a_background(images=images))

    page = desk.text("credits-roll", language=Language.JA)

    assert '<html lang="ja">' in page
    assert "田中ゆき" in page
    assert "Yuki Tanaka" not in page
    assert "O&#x27;Brien, Seán" in page


@pytest.mark.parametrize("form", [Format.TXT, Format.HTML, Format.CSV, Format.JSON, Format.PDF])
def test_unnamed_human_work_is_refused_in_every_format(form: Format, desk: ReportDesk) -> None:
    desk.save(
        a_background(),
        a_background("c002", images=(a_layout("c002", artists=()),)),
    )

    with pytest.raises(CreditError, match="c002_bg_summer_day_v001"):
        desk.write("credits-roll", form)

    assert not list(desk.folder.glob("credits-roll*"))


def test_those_who_opted_out_are_counted_and_not_named(desk: ReportDesk) -> None:
    quiet = Person(id="HumanUser:77", name="Rin Aoki", name_ja="青木凛", opt_out="letter")
    desk.save(a_background(images=a_chain(artists=(quiet,))))

    for form in (Format.TXT, Format.HTML, Format.CSV, Format.JSON):
        text = desk.text("credits-roll", form, language=Language.BOTH)
        assert "Aoki" not in text
        assert "青木凛" not in text
        assert "withheld at the artist" in text


def test_long_names_are_whole_in_text_and_on_the_page(desk: ReportDesk) -> None:
    desk.save(a_background(images=a_chain(artists=(a_person(5, name=LONG, name_ja="マ" * 60),))))

    assert LONG in desk.text("credits-roll", Format.TXT)
    assert LONG in desk.text("credits-roll")
    assert "マ" * 60 in desk.text("credits-roll", language=Language.JA)


def test_a_show_with_no_ai_has_no_ai_in_its_roll(desk: ReportDesk) -> None:
    desk.save(a_background(images=(a_layout(),)))

    text = desk.text("credits-roll", Format.TXT, language=Language.BOTH)

    assert "AI" not in text
    assert "田中ゆき" in text


def test_an_algorithm_without_training_data_is_not_called_ai(desk: ReportDesk) -> None:
    painter = a_system("haikei-painter", "1", SourceType.ALGORITHMIC)
    layout = a_layout()
    desk.save(a_background(images=(layout, a_generation(layout=layout, system=painter))))

    text = desk.text("credits-roll", Format.TXT)

    assert "Painting Algorithm (tool)\n    haikei-painter 1" in text
    assert "AI" not in text


def test_staff_and_employers_of_the_settings_are_in_the_roll(desk: ReportDesk) -> None:
    desk.save(a_background())
    plain = desk.settings.model_dump()
    plain["credits"] = {"staff": [{"role": "art_director", "name": "K. Mori", "name_ja": "森健"}]}
    plain["people"] = [{"name": "A. Sato", "employer": "Atelier Nagi"}]
    settings = type(desk.settings).model_validate(plain)

    text = desk.text("credits-roll", Format.TXT, settings=settings)

    assert "Art Director\n    K. Mori" in text
    assert "Background Art (Paint-over) · Atelier Nagi\n    A. Sato" in text


def test_an_empty_show_says_that_it_is_empty(desk: ReportDesk) -> None:
    assert "No background is recorded" in desk.text("credits-roll")
    assert desk.text("credits-roll", Format.CSV).startswith("role,")


def test_csv_has_one_row_a_name_and_role(desk: ReportDesk) -> None:
    desk.save(a_background())

    rows = list(csv.DictReader(desk.text("credits-roll", Format.CSV).splitlines()))

    genzu = next(row for row in rows if row["role"] == "genzu")
    assert (genzu["name_en"], genzu["name_ja"], genzu["images"]) == ("Yuki Tanaka", "田中ゆき", "1")
    tool = next(row for row in rows if row["role"] == "ai_generation")
    assert (tool["name_en"], tool["operated_by"], tool["images"]) == ("SDXL 1.0", "M. Ito", "2")


def test_a_name_that_is_a_formula_stays_a_name(desk: ReportDesk) -> None:
    desk.save(a_background(images=a_chain(artists=(a_person(9, name='=HYPERLINK("x")'),))))

    rows = list(csv.DictReader(desk.text("credits-roll", Format.CSV).splitlines()))

    assert any(row["name_en"] == '\'=HYPERLINK("x")' for row in rows)


def test_a_sequence_has_a_roll_of_its_own(desk: ReportDesk) -> None:
    desk.save(
        a_background("c001", images=a_chain("a", touch_up_by=(SATO,))),
        a_background("c002", sequence="ep02", images=a_chain("b", touch_up_by=(a_person(8),))),
    )

    found = desk.json("credits-roll", scope=Scope(project="akane", sequence="ep02"))

    names = {row["name_en"] for row in rows_of(found, "names")}
    assert "Artist 8" in names
    assert "A. Sato" not in names


def test_a_generated_show_is_set_on_paper(desk: ReportDesk) -> None:
    with desk.database.begin() as connection:
        save_show(connection, versions=60)

    (file,) = desk.write("credits-roll", Format.PDF, language=Language.BOTH)

    assert pages_of(file) >= 1
