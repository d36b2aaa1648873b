"""One layout fans out to seasons and times of day: by one command, and by one publish."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from haikei.cli import app
from haikei.images import read_picture
from haikei.jobs import JobState
from haikei.jobs.table import order_of
from haikei.scenes import Scene, SceneKind, draw
from haikei.settings import Route
from haikei.show import Season, TimeOfDay
from support.jobs import OpenJobStudio, job_studios

SEASONS = [one.value for one in Season]
TIMES = ["day", "sunset", "night"]
ALL = {(season, time) for season in SEASONS for time in TIMES}


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def test_one_publish_makes_twelve_streams_on_one_layout_sheet(open_studio: OpenJobStudio) -> None:
    route = {"recipe": "flat", "seasons": SEASONS, "times": TIMES}
    studio = open_studio(routes=[route])

    studio.publish()

    jobs = studio.store.list(limit=50)
    assert {(job.season, job.time) for job in jobs} == ALL
    assert {job.state for job in jobs} == {JobState.DONE}
    assert len(studio.tracker.published) == 12
    root = studio.settings.storage.roots[0].path
    assert len(list((root / ".haikei" / "layouts").rglob("*.png"))) == 1


@pytest.mark.parametrize(("shared", "seeds"), [(True, 1), (False, 4)])
def test_a_route_may_share_one_seed_between_its_variants(
    open_studio: OpenJobStudio, *, shared: bool, seeds: int
) -> None:
    route = {"recipe": "flat", "seasons": SEASONS, "shared_seed": shared}
    studio = open_studio(routes=[route])

    studio.publish()

    from sqlalchemy import select

    from haikei.database import jobs

    with studio.database.begin() as connection:
        texts = connection.execute(select(jobs.c.order_json)).scalars().all()
    assert len({order_of(text).seed for text in texts}) == seeds


def test_seasons_and_times_stand_for_their_variants() -> None:
    route = Route.model_validate({"seasons": ["winter", "spring"], "times": ["night"]})

    assert [(one.season, one.time) for one in route.variants] == [
        (Season.WINTER, TimeOfDay.NIGHT),
        (Season.SPRING, TimeOfDay.NIGHT),
    ]
    assert Route.model_validate(route.model_dump()) == route


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"seasons": ["winter"], "variants": [{"season": "spring"}]}, "not both"),
        ({"seasons": ["winter", "winter"]}, "stands twice"),
        ({"seasons": ["monsoon"]}, "winter"),
    ],
)
def test_variants_that_are_not_clear_are_mistakes(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Route.model_validate(given)


def test_one_command_makes_twelve_backgrounds_and_one_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    layout = tmp_path / "c001.png"
    from haikei.images import write_picture

    drawn = draw(Scene(kind=SceneKind.HILLS, width=160, height=96, seed=3)).picture()
    write_picture(drawn, layout, bits=8)
    asked = [f"--season={one}" for one in SEASONS] + [f"--time={one}" for one in TIMES]

    result = CliRunner().invoke(app, ["generate", str(layout), *asked, "--json"])

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    made = found["variants"]
    assert {(one["season"], one["time"]) for one in made} == ALL
    assert len({one["stages"][-1]["path"] for one in made}) == 12
    assert all(Path(one["stages"][-1]["path"]).is_file() for one in made)
    assert all(Path(one["record"]).is_file() for one in made)
    sheet = read_picture(Path(found["sheet"]))
    assert sheet.width > 3 * 300
    again = CliRunner().invoke(app, ["generate", str(layout), *asked, "--json"])
    assert json.loads(again.stdout)["sheet"] == found["sheet"]
