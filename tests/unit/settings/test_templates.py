"""Path templates read names from paths and write them back, and never leave their root."""

import unicodedata

import pytest

from haikei.errors import PathRefused, SettingsError
from haikei.settings import TOKENS, PathTemplate

LAYOUT = PathTemplate("{project}/{sequence}/{cut}/layout/{cut}_{name}_v{version:03d}.{ext}")


def test_a_path_gives_its_names() -> None:
    names = LAYOUT.match("PORT/s01/c012/layout/c012_bg_main_v003.psd")

    assert names == {
        "project": "PORT",
        "sequence": "s01",
        "shot": "c012",
        "name": "bg_main",
        "version": "003",
        "ext": "psd",
    }


def test_a_token_that_stands_twice_must_agree() -> None:
    assert LAYOUT.match("PORT/s01/c012/layout/c013_bg_v003.psd") is None


def test_names_give_the_path_back() -> None:
    path = LAYOUT.format(
        {
            "project": "港町",
            "sequence": "s01",
            "shot": "c012",
            "name": "bg",
            "version": 3,
            "ext": "png",
        }
    )

    assert str(path) == "港町/s01/c012/layout/c012_bg_v003.png"


@pytest.mark.parametrize("shot", ["..", ".", "", "a/b", "a\\b", "a\0b"])
def test_a_name_that_would_leave_its_folder_is_refused(shot: str) -> None:
    values: dict[str, str | int] = {
        "project": "P",
        "sequence": "s",
        "shot": shot,
        "name": "n",
        "version": 1,
        "ext": "png",
    }

    with pytest.raises(PathRefused):
        LAYOUT.format(values)


@pytest.mark.parametrize("text", ["/abs/{shot}", "../{shot}", "{shot}/{nonsense}", "{shot", ""])
def test_a_template_that_cannot_work_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        PathTemplate(text)


KAZE = PathTemplate(
    r"{project}/{episode}/[{sequence}/]{cut:C\d{3}[A-Z]?}/**/{cut}_*[_{name}]_t{take:02d}.{ext}"
)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "KAZE/EP01/C012A/C012A_LO_bg_t02.psd",
            {"shot": "C012A", "name": "bg", "version": "02"},
        ),
        (
            "KAZE/EP01/A/C012A/work/new/c012a_原図_t1.psd",
            {"sequence": "A", "shot": "C012A", "version": "1"},
        ),
    ],
)
def test_optional_parts_wildcards_and_classes_are_read(path: str, said: dict[str, str]) -> None:
    assert KAZE.match(path) == {"project": "KAZE", "episode": "EP01", "ext": "psd"} | said


@pytest.mark.parametrize(
    "path", ["KAZE/EP01/C12/C12_LO_t02.psd", "KAZE/EP01/C012A/C012A_LO_v02.psd", "KAZE/C012A.psd"]
)
def test_what_a_class_or_a_literal_does_not_take_is_no_match(path: str) -> None:
    assert KAZE.match(path) is None


def test_a_class_that_would_take_a_folder_as_well_takes_none() -> None:
    assert PathTemplate("{project}/{shot:[^_]+}_{name}.png").match("P/a/b_bg.png") is None


def test_paths_are_read_in_any_unicode_form() -> None:
    template = PathTemplate("{project}/原図/{shot}.png")

    assert template.match(unicodedata.normalize("NFD", "ガク/原図/ぷ1.png")) == {
        "project": "ガク",
        "shot": "ぷ1",
    }


def test_an_optional_part_is_written_where_all_of_it_is_known() -> None:
    template = PathTemplate("{project}/[{episode}/]{shot}/bg[_{season}_{time}].{ext}")
    known = {"project": "P", "shot": "c1", "season": "summer", "ext": "png"}

    assert str(template.format(known)) == "P/c1/bg.png"
    assert str(template.format({**known, "episode": "EP01", "time": "day"})) == (
        "P/EP01/c1/bg_summer_day.png"
    )
    assert (template.tokens - template.required) == {"episode", "season", "time"}


def test_what_is_written_is_as_its_class_wants_it() -> None:
    with pytest.raises(PathRefused, match="C12"):
        PathTemplate(r"{project}/{shot:C\d{3}}.png").format({"project": "P", "shot": "C12"})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{shot:[}.png", "no regular expression"),
        ("{shot:(a)b}.png", "no capturing group"),
        ("{shot:a/b}.png", "no /"),
        ("{shot:.*}.png", "nothing at all"),
        ("{shot}[.png", "never closed"),
        ("{shot}].png", "stands alone"),
        ("{shot}[_bg].png", "no token"),
        ("[{shot}_]{shot}.png", "may be missing first"),
        ("{shot}_v{version:x}.png", "no number's format"),
        ("{shot}/{nonsense}", r"unknown token \{nonsense\}"),
    ],
)
def test_a_mistake_in_a_template_says_what_is_wrong_and_all_that_may_stand(
    text: str, why: str
) -> None:
    with pytest.raises(SettingsError, match=why) as refused:
        PathTemplate(text)

    assert all(f"{{{token}}}" in str(refused.value) for token in (*TOKENS, "cut", "take"))


def test_brackets_braces_and_versions_in_folders_are_literal_when_doubled() -> None:
    template = PathTemplate("[[old]]/{{x}}/{shot}_v{version:03d}.png")
    path = template.format({"shot": "c1", "version": 7})

    assert str(path) == "[old]/{x}/c1_v007.png"
    assert template.match(path) == {"shot": "c1", "version": "007"}
