"""Names are one name in whatever spelling; people are matched by id first."""

import unicodedata
from pathlib import Path

import pytest

from haikei.names import fits, same_name, spellings
from haikei.settings import PersonEntry, read

NFD_GARASU = unicodedata.normalize("NFD", "ガラス")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PORT", "port"),
        ("Port Town", "port  town "),
        ("ガラス", NFD_GARASU),
        ("ＰＯＲＴ", "port"),
        ("Straße", "STRASSE"),
        ("PORT", "PO\u200bRT"),
    ],
)
def test_spellings_of_one_name_are_the_same_name(one: str, other: str) -> None:
    assert same_name(one, other)


def test_other_names_stay_other_names() -> None:
    assert not same_name("PORT", "PORT2")
    assert not same_name("ハ", "バ")


@pytest.mark.parametrize("name", ["port", "Port Town", "Project:12"])
def test_a_pattern_takes_a_thing_by_any_of_its_names(name: str) -> None:
    assert fits(name, ("PORT", "Port Town", "Project:12"))
    assert not fits(name, ("OTHER", "", "Project:1"))


def test_a_database_is_asked_for_the_composed_spelling_too() -> None:
    assert "ガラス" in spellings(NFD_GARASU)
    assert "Aoi Sato" in spellings("Aoi  Sato")


def test_ids_decide_where_both_have_one_and_names_where_not() -> None:
    entry = PersonEntry(id="HumanUser:7", name="Aoi Sato", aliases=("佐藤葵",))

    assert entry.means("HumanUser:7", ("Aoi Tanaka",))
    assert not entry.means("HumanUser:8", ("Aoi Sato",))
    assert entry.means("person:5f", ("aoi  SATO",))
    assert entry.means("", ("佐藤葵",))
    assert not entry.means("", ("", " "))


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ('[policy]\nno_ai_projects = [" "]\n', "policy.no_ai_projects"),
        ('[tracker]\nprojects = [""]\n', "tracker.projects"),
        ('[[routes]]\nproject = ""\n', "routes[0].project"),
        ('[[people]]\nname = "Aoi Sato"\n[[people]]\nname = "aoi  SATO"\n', "people[1]"),
        (
            '[[people]]\nid = "HumanUser:7"\nname = "A"\n[[people]]\nid = "HumanUser:7"\nname=""\n',
            "people[1]",
        ),
    ],
)
def test_rules_that_fit_nothing_or_twice_the_same_are_mistakes(
    tmp_path: Path, more: str, key: str
) -> None:
    file = tmp_path / "haikei.toml"
    file.write_text(
        f'[studio]\nstate = "state"\n[[storage.roots]]\nname = "p"\npath = "p"\n{more}',
        encoding="utf-8",
    )

    assert [mistake.key for mistake in read(file, {}).mistakes] == [key]


def test_namesakes_with_ids_are_two_people(tmp_path: Path) -> None:
    file = tmp_path / "haikei.toml"
    file.write_text(
        '[studio]\nstate = "state"\n[[storage.roots]]\nname = "p"\npath = "p"\n'
        '[[people]]\nid = "HumanUser:7"\nname = "Aoi Sato"\nconsent = false\n'
        '[[people]]\nid = "HumanUser:8"\nname = "Aoi Sato"\n',
        encoding="utf-8",
    )

    assert read(file, {}).mistakes == ()
