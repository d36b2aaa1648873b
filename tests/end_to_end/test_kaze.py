"""
A studio that names everything in its own way: episodes, cuts with letters, takes, Japanese steps.

Its folders have other names than its tracker, a check task stands beside the layout's, and its
people are Japanese. Nothing but settings tells Haikei so.
"""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest

from haikei.jobs import JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.studio import SiteRow, Studio, studio

_SETTINGS = r"""
[studio]
name = "スタジオ風"
state = "state"
[tracker]
script = "haikei"
key_file = "tracker.key"
projects = ["風の町"]
layout_types = ["原図"]
background_type = "背景"
stage_type = "背景 中間"
touch_up_type = "背景 加筆"
layout_step = "原図"
background_step = "美術"
review_status = "chk"
episode_field = "sg_sequence.Sequence.episode"
[tracker.person_fields]
name_latin = "sg_romaji"
name_kana = "sg_kana"
[review.statuses]
approve = ["ok"]
retake = ["ret"]
hold = ["mat"]
omit = ["nak"]
[credits]
people_file = "people.csv"
[storage]
reserve_mib = 0
layout = '{project}/{episode}/LO/{cut:C\d{3}[A-Z]?}_LO[_{name}]_t{take:02d}.{ext}'
background = "{project}/{episode}/BG/{cut}/{cut}_{season}_{time}_v{version:03d}.{ext}"
stage = "{project}/{episode}/BG/{cut}/wip/{cut}_{season}_{time}_v{version:03d}_{stage}.{ext}"
touch_up = "{project}/{episode}/BG/{cut}/{cut}_{season}_{time}_v{version:03d}.{ext}"
[[storage.roots]]
name = "primary"
path = "projects"
[[storage.roots]]
name = "library"
path = "library"
[[watch.folders]]
path = "projects"
template = '{project}/{episode}/LO/{cut:C\d{3}[A-Z]?}_LO[_{name}]_t{take:02d}.{ext}'
[watch]
settle = 0.3
folder_pass = 1.0
[events]
poll = 0.5
[engine]
poll = 0.05
backoff = 0.2
[web]
enabled = false
[[shows]]
project = "KAZE"
folder = "kaze_tv"
shot_code = "{episode}_{shot}"
[shows.episodes]
EP01 = "第1話"
"""
_PEOPLE = "id,name,name_ja,reading\n,Aoi Sato,佐藤 葵,さとう あおい\n"
#: The tracker's person, and how credits print them.
_LAYOUT_ARTIST = {"login": "tanaka", "firstname": "ゆき", "lastname": "田中"}
_CHECKER = {"login": "kato", "firstname": "匠", "lastname": "加藤"}
_ANOTHER = {"login": "sato", "firstname": "葵", "lastname": "佐藤"}


def _cast(here: Studio) -> None:
    """Give the tracker the show, its own steps and statuses, and its people."""
    client = here.connect()

    def make(kind: str, **fields: Any) -> SiteRow:
        return client.create(kind, fields)

    client.schema_field_create("HumanUser", "text", "Romaji")
    client.schema_field_create("HumanUser", "text", "Kana")
    make("Status", code="chk", name="チェック待ち")
    schema: Any = client.schema_field_read("Version", "sg_status_list")
    valid = schema["sg_status_list"]["properties"]["valid_values"]["value"]
    client.schema_field_update("Version", "sg_status_list", {"valid_values": [*valid, "chk"]})
    artist = make("HumanUser", **_LAYOUT_ARTIST, sg_romaji="Yuki Tanaka", sg_kana="たなか ゆき")
    checker, another = make("HumanUser", **_CHECKER), make("HumanUser", **_ANOTHER)
    steps = {
        code: make("Step", code=code, short_name=code, entity_type="Shot")
        for code in ("LO", "美術")
    }
    project = make("Project", name="風の町", tank_name="KAZE")
    episode = make("Episode", code="第1話", project=project)
    sequence = make("Sequence", code="EP01_A", project=project, episode=episode)
    for number, drawn_by in (("C012A", artist), ("C013", another)):
        shot = make("Shot", code=f"EP01_{number}", project=project, sg_sequence=sequence)
        for step, content, person in (
            ("LO", "原図", drawn_by),
            ("LO", "LO作監", checker),
            ("美術", "美術", another),
        ):
            make(
                "Task",
                content=content,
                project=project,
                entity=shot,
                step=steps[step],
                task_assignees=[person],
            )
    client.close()
    here.call("setup")


@pytest.fixture
def kaze(tmp_path: Path) -> Generator[Studio]:
    with studio(tmp_path / "studio") as here:
        here.settings_file.write_text(_SETTINGS, encoding="utf-8")
        (here.folder / "people.csv").write_text(_PEOPLE, encoding="utf-8")
        (here.folder / "library").mkdir()
        _cast(here)
        yield here


def _draw(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name("." + path.name)
    scene = Scene(kind=SceneKind.VILLAGE, width=192, height=108, seed=seed)
    save_layout(draw(scene), whole)
    return whole.rename(path)


def _publish(here: Studio, path: Path, shot: str) -> None:
    """Publish a layout as a person's tool does, with the task that it belongs to."""
    client = here.connect(as_login="sato")
    found = cast("SiteRow", client.find_one("Shot", [["code", "is", shot]], ["project"]))
    task = client.find_one("Task", [["entity", "is", found], ["content", "is", "原図"]])
    client.create(
        "PublishedFile",
        {
            "code": path.name,
            "project": found["project"],
            "entity": {"type": "Shot", "id": found["id"]},
            "task": task,
            "published_file_type": client.find_one("PublishedFileType", [["code", "is", "原図"]]),
            "version_number": 1,
            "path": {"local_path": str(path)},
        },
    )
    client.close()


def _rows(here: Studio, kind: str, *fields: str) -> list[SiteRow]:
    client = here.connect()
    found = cast("list[SiteRow]", client.find(kind, [], list(fields)))
    client.close()
    return found


def test_a_studio_with_names_of_its_own_goes_through_by_file_and_by_publish(kaze: Studio) -> None:
    drawings = kaze.projects / "kaze_tv" / "EP01" / "LO"
    tried = json.loads(kaze.call("config", "try", str(drawings / "C012A_LO_t02.png"), "--json"))
    report = json.loads(kaze.call("doctor", "--json"))
    kaze.start()

    _draw(drawings / "C012A_LO_t02.png", seed=1)
    # Outside of every template: its row alone says where it belongs.
    _publish(kaze, _draw(kaze.folder / "library" / "納品" / "cut13.png", seed=2), "EP01_C013")
    kaze.wait_for("two backgrounds", lambda: len(kaze.jobs(JobState.DONE)) >= 2)
    _draw(drawings / "C012A_LO_t03.png", seed=3)
    kaze.wait_for("the next take", lambda: len(kaze.jobs(JobState.DONE)) >= 3)
    jobs = kaze.jobs()
    kaze.stop()

    assert [one for one in report["findings"] if not one["ok"]] == []
    (path,) = tried["paths"]
    assert (path["show"], path["episode"], path["shot"]) == ("KAZE", "第1話", "EP01_C012A")
    assert (path["version"], path["as"]) == (2, "layout")
    assert path["writes"][0]["path"] == "kaze_tv/EP01/BG/C012A/C012A_summer_day_v001.png"

    assert {job.state for job in jobs} == {JobState.DONE}
    assert {(job.place.project, job.place.sequence, job.place.shot) for job in jobs} == {
        ("KAZE", "EP01_A", "EP01_C012A"),
        ("KAZE", "EP01_A", "EP01_C013"),
    }
    backgrounds = kaze.projects / "kaze_tv" / "EP01" / "BG"
    assert sorted(one.name for one in backgrounds.glob("*/*.png")) == [
        "C012A_summer_day_v001.png",
        "C012A_summer_day_v002.png",
        "C013_summer_day_v001.png",
    ]

    credit = ("sg_haikei_credit", "sg_haikei_credit_ja")
    versions = _rows(kaze, "Version", "code", "entity", "sg_status_list", "sg_task", *credit)
    printed = {(one["entity"]["name"], one[credit[0]], one[credit[1]]) for one in versions}
    assert {one["sg_status_list"] for one in versions} == {"chk"}
    assert {one["sg_task"]["name"] for one in versions} == {"美術"}
    assert len(versions) == 3
    for shot, english, japanese in printed:
        # From the tracker's own fields, and from the studio's list where it has none.
        name, name_ja = ("Yuki Tanaka", "田中 ゆき") if "C012A" in shot else ("Aoi Sato", "佐藤 葵")
        assert name in english
        assert name_ja in japanese
        assert "加藤" not in english + japanese

    files = _rows(kaze, "PublishedFile", "name", "version_number", "published_file_type", "code")
    takes = {
        (one["name"], one["version_number"])
        for one in files
        if one["published_file_type"]["name"] == "原図" and "C012A" in one["code"]
    }
    assert takes == {("C012A_LO", 2), ("C012A_LO", 3)}
