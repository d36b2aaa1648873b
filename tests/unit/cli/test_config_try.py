"""`config check` and `config try` say what settings make of a path before any file stands there."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from haikei.cli import app

SETTINGS = r"""
[studio]
state = "state"
[storage]
layout = '{project}/{episode}/LO/{cut:[CX]\d+}_t{take:02d}.{ext}'
background = "{project}/{episode}/[{sequence}/]{cut}_{season}_{time}_v{version:03d}.{ext}"
stage = "{project}/{episode}/wip/{cut}_{season}_{time}_v{version:03d}_{stage}.{ext}"
touch_up = "{project}/{episode}/{sequence}/{cut}_{season}_{time}_v{version:03d}.{ext}"
[[storage.roots]]
name = "primary"
path = "projects"
[[watch.folders]]
path = "projects"
template = '{project}/{episode}/LO/{cut:C\d+[A-Z]?}[_{name}]_t{take:02d}.{ext}'
[[watch.folders]]
path = "elsewhere"
template = "{project}/{episode}/{cut}.{ext}"
[[watch.touch_ups]]
path = "paint"
template = "{project}/{cut}_{season}_{time}_v{version:03d}_{name}.{ext}"
[[shows]]
project = "KAZE"
folder = "kaze_tv"
shot_code = "{episode}_{shot}"
[[routes]]
project = "KAZE"
variants = [{ season = "summer", time = "day" }, { season = "winter", time = "night" }]
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("HAIKEI_"):
            monkeypatch.delenv(name)
    (tmp_path / "projects").mkdir()
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def tried(*paths: str) -> list[dict[str, Any]]:
    done = call("config", "try", *paths, "--json")
    answer = json.loads(done.stdout)
    assert answer["ok"] == (done.exit_code == 0) == all(one["taken"] for one in answer["paths"])
    return list(answer["paths"])


def test_a_path_is_said_with_its_place_and_where_everything_would_go() -> None:
    (one,) = tried("projects/kaze_tv/EP01/LO/C012A_bg_t02.psd")

    assert (one["as"], one["show"], one["episode"]) == ("layout", "KAZE", "EP01")
    assert (one["shot"], one["version"], one["stream"]) == ("EP01_C012A", 2, "bg")
    assert [write["path"] for write in one["writes"] if write["what"] == "background"] == [
        "kaze_tv/EP01/{sequence}/C012A_summer_day_v001.png",
        "kaze_tv/EP01/{sequence}/C012A_winter_night_v001.png",
    ]
    assert any(write["path"].endswith("_layout.psd") for write in one["writes"])


def test_a_paint_over_and_a_published_layout_are_said_as_such() -> None:
    paint, published = tried(
        "paint/kaze_tv/C1_summer_day_v002_sato.psd", "projects/kaze_tv/EP01/LO/X9_t01.png"
    )

    assert (paint["as"], paint["season"], paint["version"]) == ("touch_up", "summer", 2)
    assert paint["artist"] == "sato"
    assert published["as"] == "published_layout"
    assert "when the tracker names it" in published["note"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("other/C1.png", "below no watched folder"),
        ("projects/kaze_tv/EP01/comp/C1_t01.png", "does not look like"),
        ("projects/kaze_tv/EP01/LO/C1_t01.mov", "none of watch.extensions"),
        ("projects/kaze_tv/EP01/LO/.C1_bg_t01.png", "watch.ignore"),
        ("projects/kaze_tv/EP01/C1_summer_day_v001.png", "Haikei itself publishes"),
        ("elsewhere/kaze_tv/EP01/C1.png", "below no storage root"),
        ("projects/PORT/EP01/LO/C1_t01.png", "No route"),
    ],
)
def test_what_would_not_be_taken_fails_with_why(path: str, why: str) -> None:
    done = call("config", "try", path)
    (one,) = tried(path)

    assert done.exit_code == 1
    assert why in one["reason"]
    assert "not taken" in done.stdout


def test_for_people_it_prints_the_same_words() -> None:
    done = call("config", "try", "projects/kaze_tv/EP01/LO/C012A_t02.psd")

    assert done.exit_code == 0
    assert "show KAZE, episode EP01, shot EP01_C012A, version 2, stream layout" in done.stdout
    assert "background summer_day: kaze_tv/EP01" in done.stdout


def test_check_takes_the_file_as_an_argument(here: Path) -> None:
    other = here / "other.toml"
    other.write_text(SETTINGS.replace("{take:02d}", "{teik}", 1), encoding="utf-8")

    right, wrong = call("config", "check", "haikei.toml"), call("config", "check", str(other))
    both = call("config", "check", str(other), "--settings", "haikei.toml")

    assert right.exit_code == 0
    assert wrong.exit_code == 3
    assert "unknown token {teik}" in wrong.stdout
    assert both.exit_code == 2
