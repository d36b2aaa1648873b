"""Consent, the show's rule and licences: each refusal is one clear sentence."""

from pathlib import Path

import pytest

from haikei.credits import Person, SourceType, System
from haikei.errors import PolicyRefusal
from haikei.jobs.background.validate import (
    named_artists,
    require_allowed,
    require_drawn,
    require_licensed,
)
from haikei.settings import Stage
from haikei.show import Row
from haikei.trackers import LayoutContext
from support.jobs import studio_settings

AOI = Person(id="HumanUser:7", name="Aoi Sato")
AI = System(name="Brush", version="2", source_type=SourceType.TRAINED)
PAINTER = System(name="Painter", version="1", source_type=SourceType.ALGORITHMIC)


def context(*artists: Person, logins: tuple[str, ...] = ()) -> LayoutContext:
    row = Row(type="Shot", id=1, name="c001")
    return LayoutContext(
        project=row,
        sequence=None,
        shot=row,
        task=None,
        layout_file=None,
        artists=artists,
        artist_logins=logins,
        latest_version=0,
    )


@pytest.mark.parametrize("logins", [("AOI",), ("Aoi Sato",), ("someone", "aoi")])
def test_a_layout_whose_artist_said_no_is_refused(tmp_path: Path, logins: tuple[str, ...]) -> None:
    people = [{"name": "Aoi Sato", "logins": ["aoi"], "consent": False}]
    settings = studio_settings(tmp_path, people=people)

    with pytest.raises(PolicyRefusal, match="Aoi Sato does not consent"):
        named_artists(context(AOI, logins=logins), settings)


def test_artists_are_named_as_the_studio_names_them(tmp_path: Path) -> None:
    people = [{"name": "Aoi SATO", "name_ja": "佐藤葵", "logins": ["Aoi Sato"]}]
    settings = studio_settings(tmp_path, people=people)

    (found,) = named_artists(context(AOI), settings)

    assert (found.id, found.name, found.name_ja) == ("HumanUser:7", "Aoi SATO", "佐藤葵")


def test_a_layout_without_a_name_is_refused_unless_the_studio_allows_it(tmp_path: Path) -> None:
    with pytest.raises(PolicyRefusal, match="names nobody"):
        named_artists(context(), studio_settings(tmp_path))

    allowed = studio_settings(tmp_path, policy={"unnamed_layouts": "allow"})
    (somebody,) = named_artists(context(), allowed)
    assert (somebody.id, somebody.name) == ("person:layout-of-Shot:1", "")


def test_the_wish_not_to_be_named_goes_with_the_artist(tmp_path: Path) -> None:
    people = [{"name": "Aoi Sato", "opt_out": "letter of 2026-10-02"}]
    settings = studio_settings(tmp_path, people=people)

    (found,) = named_artists(context(AOI), settings)

    assert found.opt_out == "letter of 2026-10-02"


def test_a_layout_that_says_it_is_ai_is_refused_where_no_ai_may_be(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path, policy={"no_ai_projects": ["HAND*"]})

    require_drawn("OTHER", "c001.png", settings)
    with pytest.raises(PolicyRefusal, match=r"layout c001\.png carries marks of a trained model"):
        require_drawn("HAND_DRAWN", "c001.png", settings)


def test_a_project_without_ai_takes_algorithms_only(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path, policy={"no_ai_projects": ["HAND*"]})

    require_allowed("HAND_DRAWN", lambda: [PAINTER], settings)
    require_allowed("OTHER", lambda: [AI], settings)
    with pytest.raises(PolicyRefusal, match="HAND_DRAWN takes no AI"):
        require_allowed("HAND_DRAWN", lambda: [PAINTER, AI], settings)


def test_a_model_must_be_declared_and_licensed(tmp_path: Path) -> None:
    model = {
        "folder": "/models/brush",
        "name": "Brush",
        "version": "2",
        "licence": "CC-BY-NC-4.0",
        "licence_url": "https://creativecommons.org/licenses/by-nc/4.0/",
        "commercial": "no",
        "data": "Own paintings.",
    }
    settings = studio_settings(tmp_path, models={"brush": model})
    stage = Stage(name="gen1", generator="diffusers", model="brush")

    with pytest.raises(PolicyRefusal, match="forbids commercial use"):
        require_licensed([stage], settings)
    with pytest.raises(PolicyRefusal, match="not declared"):
        require_licensed([stage], studio_settings(tmp_path))
    allowed = studio_settings(
        tmp_path, models={"brush": model}, policy={"allow_non_commercial": True}
    )
    require_licensed([stage, Stage(name="gen2", generator="painter")], allowed)
