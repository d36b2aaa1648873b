"""`haikei credits` tells who made what, and changes names only as people ask."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.cli.output import Stated
from haikei.credits import Person, StatementKind, people
from haikei.database import reading
from haikei.errors import CreditError
from haikei.ledger import size
from haikei.settings import Settings
from haikei.trackers.memory import MemoryTracker
from support.databases import fresh_database
from support.records import (
    SATO,
    TANAKA,
    a_background,
    a_change,
    a_layout,
    a_touch_up,
    save_background,
)

SETTINGS = """
[studio]
state = "state"
[storage]
[[storage.roots]]
name = "primary"
path = "projects"
"""


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Engine]:
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    database = fresh_database(tmp_path / "state" / "haikei.db")
    with database.begin() as connection:
        save_background(connection, a_background())
    yield database
    database.dispose()


def _call(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["credits", *arguments], input=answer)


def _done(*arguments: str) -> str:
    result = _call(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.usefixtures("studio")
def test_a_version_is_shown_by_its_sides_with_evidence_and_grade() -> None:
    text = _done("show", "c001_bg_summer_day_v001")

    for expected in (
        "Background: Layout Yuki Tanaka · AI generation SDXL 1.0 (operated by M. Ito)",
        "背景：原図 田中ゆき",
        "Concept and layout: human",
        "Generation: AI: 2 passes, operated",
        "Touch-up: local, in 2 regions",
        "Selection and review: none",
        "[logged: PublishedFile created_by; measured: 34800 ppm of the area in 2 regions",
        "45 min, self-reported",
        "entry 3",
    ):
        assert expected in text
    assert "%" not in text


@pytest.mark.usefixtures("studio")
def test_a_version_is_told_to_programs_with_its_entries() -> None:
    told = json.loads(_done("show", "c001_bg_summer_day_v001", "--json"))

    assert told["credit"]["ja"].startswith("背景：原図 田中ゆき")
    assert [image["ledger"] for image in told["images"]] == [0, 1, 2, 3]
    assert [one["facet"] for one in told["facets"]] == [
        "layout",
        "generation",
        "touch_up",
        "review",
    ]
    assert {part["kind"] for part in told["facets"][1]["parts"]} == {"person", "system"}


def test_a_refused_line_says_why_beside_what_is_known(studio: Engine) -> None:
    nobody = Person(id="HumanUser:404", name="")
    with studio.begin() as connection:
        images = (a_layout("x"), a_touch_up("x", artists=(nobody,), change=a_change()))
        save_background(connection, a_background("c009", images=images))

    text = _done("show", "c009_bg_summer_day_v001")

    assert "HumanUser:404, who has no name" in text
    assert "Concept and layout: human" in text


@pytest.mark.usefixtures("studio")
def test_an_unknown_version_is_named() -> None:
    assert isinstance(_call("show", "nothing").exception, CreditError)


@pytest.mark.usefixtures("studio")
def test_people_are_listed_with_what_they_did() -> None:
    assert "田中ゆき" in _done("people")
    listed = {one["id"]: one for one in json.loads(_done("people", "--json"))["people"]}
    assert listed[SATO.id]["contributions"] == 1


@pytest.mark.usefixtures("studio")
def test_a_new_name_is_printed_at_once() -> None:
    _done("rename", TANAKA.id, "--name", "Yuki Abe", "--ja", "阿部ゆき")

    assert "Layout Yuki Abe" in _done("show", "c001_bg_summer_day_v001")


@pytest.mark.usefixtures("studio")
def test_who_opts_out_is_withheld_at_once() -> None:
    _done("opt-out", SATO.id, "--reference", "letter of 2026-11-20")

    text = _done("show", "c001_bg_summer_day_v001")
    assert "(name withheld at the artist's request)" in text
    assert "Sato" not in text


def test_a_name_is_erased_only_when_somebody_says_yes(studio: Engine, tmp_path: Path) -> None:
    asked = _call("erase", SATO.id, "--reference", "letter", answer="n\n")
    assert asked.exit_code != 0
    with reading(studio) as connection:
        assert people.look_up(connection, [SATO.id])[SATO.id] == SATO
    studio.dispose()

    text = _done("erase", SATO.id, "--reference", "letter", "--yes")

    assert "cannot be opened any more" in text
    for file in (tmp_path / "state").glob("haikei.db*"):
        assert SATO.name.encode() not in file.read_bytes()
    assert "Sato" not in _done("show", "c001_bg_summer_day_v001")


def test_a_statement_is_sealed_once_and_listed(studio: Engine) -> None:
    said = (
        *("declare", "union_notice", "--project", "akane", "--by", "佐藤葵"),
        *("--text", "The guild was told.", "--to", "TAG 839", "--reference", "mail"),
    )

    first, again = json.loads(_done(*said, "--json")), json.loads(_done(*said, "--json"))

    assert first == again
    assert first["by"] == SATO.id
    with reading(studio) as connection:
        assert size(connection) == 5
    assert "The guild was told." in _done("statements", "--project", "akane")
    (listed,) = json.loads(_done("statements", "--project", "akane", "--json"))["statements"]
    assert (listed["to"], listed["ledger"]) == ("TAG 839", first["ledger"])
    assert "guild" not in _done("statements", "--project", "akane", "--kind", "no_ai")


def test_whether_a_picture_is_a_deep_fake_is_said_of_it_by_somebody(studio: Engine) -> None:
    said = ("declare", "deepfake_assessment", "--project", "akane", "--by", "佐藤葵")
    text = ("--text", "A drawn street.")
    one = ("--of", "c001_bg_summer_day_v001")

    refused = [
        _call(*said, *text, "--answer", "no"),
        _call(*said, *text, "--answer", "no", "--sequence", "ep01", "--shot", "c001"),
        _call(*said, *text, *one),
        _call(*said, *text, *one, "--answer", "maybe"),
        _call(*said, *text, *one, "--answer", "no", "--on", "2020-01-01"),
        _call(*said, *text, "--image", "0" * 64, "--answer", "no"),
        _call(*said[:3], "port", *said[4:], *text, *one, "--answer", "no"),
        _call(*said[:5], "Midjourney v7", *text, *one, "--answer", "no", "--new-person"),
    ]
    entry = json.loads(_done(*said, *text, *one, "--answer", "no", "--json"))

    words = ("of one picture", "of one picture", "no default", "no default", "was made on")
    for result, word in zip(
        refused, (*words, "No published", "is of akane", "machine"), strict=True
    ):
        assert isinstance(result.exception, CreditError)
        assert word in str(result.exception)
    (listed,) = json.loads(_done("statements", "--project", "akane", "--json"))["statements"]
    assert (listed["answer"], listed["ledger"]) == ("no", entry["ledger"])
    assert listed["image_sha256"] == a_background().final.sha256
    assert _call(*said, *text, *one, "--image", "0" * 64).exit_code == 2


@pytest.mark.usefixtures("studio")
def test_someone_new_gets_an_id_that_tells_nothing_and_keeps_it() -> None:
    said = ("declare", "no_ai", "--project", "akane", "--by", "Legal Lee", "--answer", "yes")

    asked = _call(*said, "--text", "None.")
    first = json.loads(_done(*said, "--text", "None.", "--new-person", "--json"))
    second = json.loads(_done(*said, "--text", "None at all.", "--json"))

    assert isinstance(asked.exception, CreditError)
    assert "--new-person" in (asked.exception.advice or "")
    assert first["by"] == second["by"]
    assert first["by"].startswith("person:")
    assert "lee" not in first["by"]


@pytest.mark.usefixtures("studio")
@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
def test_a_generator_answers_for_nothing_and_nobody_is_renamed_to_it(name: str) -> None:
    said = ("declare", "no_ai", "--project", "akane", "--text", "None.", "--by", name)

    declared = _call(*said, "--new-person")
    renamed = _call("rename", TANAKA.id, "--name", name)

    assert "the name of a machine" in str(declared.exception)
    assert "no person is" in str(renamed.exception)


def test_a_name_that_two_people_have_is_asked_back(studio: Engine) -> None:
    with studio.begin() as connection:
        people.note(connection, Person(id="HumanUser:99", name="a.  sato"))

    refused = _call("declare", "no_ai", "--project", "akane", "--by", "A. Sato", "--text", "None.")
    unknown = _call("declare", "no_ai", "--project", "akane", "--by", "HumanUser:7", "--text", "No")

    assert "HumanUser:99" in str(refused.exception)
    assert isinstance(unknown.exception, CreditError)


def test_what_can_be_stated_is_what_there_is() -> None:
    assert {one.value for one in Stated} == {kind.value for kind in StatementKind}


def test_a_name_that_reorders_letters_is_printed_as_they_stand(studio: Engine) -> None:
    spoofed = "\u202eakanaT ikuY"
    with studio.begin() as connection:
        people.note(connection, Person(id="HumanUser:99", name=spoofed))

    table, data = _done("people"), _done("people", "--json")

    assert "akanaT ikuY" in table
    assert "\u202e" not in table + data
    assert spoofed in {one["name"] for one in json.loads(data)["people"]}


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> MemoryTracker:
    site = MemoryTracker()
    site.add_person(Person(id="HumanUser:22", name="Riku Mori", name_ja="森陸"), "riku")
    site.add_person(Person(id="HumanUser:23", name="Midjourney v7"), "mj")

    def open_site(_: Settings) -> MemoryTracker:
        return site

    monkeypatch.setattr("haikei.trackers.load_tracker", open_site)
    return site


_DRAWN = ("declare", "drawn_by", "--project", "akane", "--by", "佐藤葵", "--text", "Seen it.")


@pytest.mark.usefixtures("tracker")
def test_who_drew_a_layout_is_declared_of_people_whom_only_the_tracker_knows(
    studio: Engine,
) -> None:
    said = (*_DRAWN, "--image", "1" * 64, "--artist", "riku", "--artist", SATO.id)

    first = _done(*said)
    again = _done(*said)

    assert first == again
    assert "Riku Mori" in first
    told = json.loads(_done("statements", "--project", "akane", "--kind", "drawn_by", "--json"))
    assert [one["subject"] for one in told["statements"]] == [f"HumanUser:22, {SATO.id}"]
    with reading(studio) as connection:
        assert people.look_up(connection, ["HumanUser:22"])["HumanUser:22"].name == "Riku Mori"


@pytest.mark.usefixtures("tracker")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--image", "1" * 64), "names nobody"),
        (("--artist", "riku"), "names no image"),
        (("--image", "1" * 64, "--artist", "mj"), "the name of a machine"),
        (("--image", "1" * 64, "--artist", "Midjourney v7"), "the name of a machine"),
        (("--image", "1" * 64, "--artist", "Nobody Known"), "Nobody called 'Nobody Known'"),
        (("--image", "1" * 64, "--artist", "HumanUser:99"), "Nobody with the id"),
        (("--image", "1" * 64, "--artist", "riku", "--answer", "yes"), "takes --artist"),
    ],
)
def test_who_drew_a_layout_is_not_declared_by_halves(
    studio: Engine, options: tuple[str, ...], words: str
) -> None:
    with reading(studio) as connection:
        before = size(connection)

    refused = _call(*_DRAWN, *options)

    assert refused.exit_code != 0
    assert words in f"{refused.exception} {' '.join(refused.output.split())}"
    with reading(studio) as connection:
        assert size(connection) == before


def test_only_who_drew_a_layout_takes_artists() -> None:
    refused = _call("declare", "no_ai", *_DRAWN[2:], "--artist", SATO.id)

    assert refused.exit_code == 2
    assert "takes none" in refused.output
