"""What in the settings means nothing that the tracker or the register knows is named."""

import unicodedata
from pathlib import Path

import pytest

from haikei.cli.name_check import people_findings, project_findings
from haikei.credits import Person
from haikei.settings import Settings
from haikei.trackers.contract.credits import Directory, ListedPerson, ListedProject
from support.jobs import studio_settings

DIRECTORY = Directory(
    projects=(ListedProject(id="Project:12", path_name="PORT", title="Port Town"),),
    people=(
        ListedPerson(
            person=Person(id="HumanUser:7", name="Aoi Tanaka", name_ja="田中葵"),
            names=("aoi", "Aoi Tanaka", "田中葵"),
        ),
        ListedPerson(person=Person(id="HumanUser:8", name="Ken Mori"), names=("ken", "Ken Mori")),
        ListedPerson(person=Person(id="HumanUser:9", name="Ken Mori"), names=("ken2", "Ken Mori")),
    ),
)
REGISTER = (Person(id="person:5f", name="Rin Abe", name_ja="ガク"),)


def wrong(settings: Settings) -> list[tuple[str, str]]:
    findings = [
        *project_findings(settings, DIRECTORY),
        *people_findings(settings, DIRECTORY, REGISTER),
    ]
    return [(one.subject, one.message) for one in findings if not one.ok]


@pytest.mark.parametrize("rule", ["PORT", "port*", "Port  Town", "Project:12", "ＰＯＲＴ"])
def test_a_rule_that_fits_a_project_is_right(tmp_path: Path, rule: str) -> None:
    assert wrong(studio_settings(tmp_path, policy={"no_ai_projects": [rule]})) == []


def test_a_rule_that_fits_no_project_is_named(tmp_path: Path) -> None:
    settings = studio_settings(
        tmp_path,
        policy={"no_ai_projects": ["PORTO"]},
        routes=[{"project": "HILLS", "recipe": "watercolour"}],
        credits={"staff": [{"role": "art_director", "name": "K. Mori", "project": "Hills"}]},
    )

    assert wrong(settings) == [
        ("policy.no_ai_projects", "'PORTO' fits no project of the tracker."),
        ("routes[0].project", "'HILLS' fits no project of the tracker."),
        ("credits.staff[0].project", "'Hills' fits no project of the tracker."),
    ]


def test_a_route_by_the_name_that_people_see_is_named(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path, routes=[{"project": "Port Town", "recipe": "watercolour"}])

    assert wrong(settings) == [
        ("routes[0].project", "'Port Town' is what people see; paths say PORT.")
    ]


def test_an_entry_that_means_nobody_or_several_is_named(tmp_path: Path) -> None:
    settings = studio_settings(
        tmp_path,
        people=[
            {"name": "Aoi Sato", "consent": False},
            {"name": "Ken Mori", "consent": False},
            {"name": "Somebody", "id": "HumanUser:8"},
            {"name": unicodedata.normalize("NFD", "ガク")},
        ],
    )

    assert wrong(settings) == [
        (
            "people[0] Aoi Sato",
            "It means nobody whom the tracker or the register of credits knows.",
        ),
        ("people[1] Ken Mori", "It means several people: HumanUser:8, HumanUser:9."),
    ]
