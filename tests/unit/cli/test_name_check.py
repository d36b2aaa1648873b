"""What in the settings means nothing that the tracker or the register knows is named."""

import unicodedata
from pathlib import Path

import pytest
from sqlalchemy import Connection

from haikei.checkup import Finding
from haikei.cli.name_check import episode_findings, people_findings, project_findings
from haikei.credits import Person, records
from haikei.settings import Settings
from haikei.trackers.contract.credits import Directory, ListedPerson, ListedProject
from support.jobs import studio_database, studio_settings
from support.records import a_background

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


def _made(connection: Connection, shot: str, episode: str, version: int = 1) -> None:
    told = a_background(shot, project="KAZE", sequence="A", version=version)
    records.save(
        connection,
        key=f"{told.key}-{episode}",
        project=told.project,
        episode=episode,
        sequence=told.sequence,
        shot=told.shot,
        season=told.season,
        time=told.time,
        version=told.version,
        code=f"{told.code}-{episode}",
        images=told.images,
        created_at=told.created_at,
    )


def _episodes(settings: Settings, *made: tuple[str, str]) -> list[Finding]:
    database = studio_database(settings)
    with database.begin() as connection:
        for version, (shot, episode) in enumerate(made, start=1):
            _made(connection, shot, episode, version)
        found = list(episode_findings(settings, connection))
    database.dispose()
    return found


def test_nothing_is_said_of_episodes_where_no_show_has_any(tmp_path: Path) -> None:
    assert _episodes(studio_settings(tmp_path), ("c001", ""), ("c002", "")) == []


def test_storage_without_episodes_is_named_in_a_show_that_has_some(tmp_path: Path) -> None:
    (declared,) = _episodes(
        studio_settings(tmp_path, shows=[{"project": "KAZE", "episodes": {"EP01": "1"}}])
    )

    assert declared.ok
    assert declared.subject == "storage.background, storage.stage, storage.touch_up"
    assert "KAZE has episodes" in declared.message


def test_cuts_of_two_episodes_in_one_folder_need_somebody(tmp_path: Path) -> None:
    (found,) = _episodes(studio_settings(tmp_path), ("c001", "EP01"), ("c001", "EP02"))

    assert not found.ok
    assert "as KAZE/A/c001 do" in found.message
    assert "{episode}" in found.advice


def test_records_from_before_there_were_episodes_are_counted(tmp_path: Path) -> None:
    *_, found = _episodes(studio_settings(tmp_path), ("c001", ""), ("c002", "EP01"))

    assert (found.ok, found.subject) == (True, "records of KAZE")
    assert found.message.startswith("1 versions name no episode")
