"""Consent, the show's rule and licences: each refusal is one clear sentence."""

import unicodedata
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from haikei.credits import Person, SourceType, System
from haikei.errors import PolicyRefusal
from haikei.jobs.background.policy import (
    named_artists,
    project_names,
    require_allowed,
    require_drawn,
    require_licensed,
)
from haikei.settings import Stage
from haikei.show import Place, Row
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

    require_drawn(["OTHER"], "c001.png", settings)
    with pytest.raises(PolicyRefusal, match=r"layout c001\.png carries marks of a trained model"):
        require_drawn(["HAND_DRAWN"], "c001.png", settings)


def test_a_project_without_ai_takes_algorithms_only(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path, policy={"no_ai_projects": ["HAND*"]})

    require_allowed(["HAND_DRAWN"], lambda: [PAINTER], settings)
    require_allowed(["OTHER"], lambda: [AI], settings)
    with pytest.raises(PolicyRefusal, match="HAND_DRAWN takes no AI"):
        require_allowed(["HAND_DRAWN"], lambda: [PAINTER, AI], settings)


def test_a_project_without_ai_takes_no_algorithm_that_a_trained_model_helps(
    tmp_path: Path,
) -> None:
    settings = studio_settings(tmp_path, policy={"no_ai_projects": ["HAND*"]})
    helped = replace(PAINTER, sha256="0f" * 32, data="line drawings by our own code")

    require_allowed(["OTHER"], lambda: [helped], settings)
    with pytest.raises(PolicyRefusal, match="helped by a trained model: line drawings") as caught:
        require_allowed(["HAND_DRAWN"], lambda: [helped], settings)

    assert 'reader = "geometric"' in str(caught.value)


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
        require_licensed([stage], lambda: [AI], settings)
    with pytest.raises(PolicyRefusal, match="not declared"):
        require_licensed([stage], lambda: [AI], studio_settings(tmp_path))
    allowed = studio_settings(
        tmp_path, models={"brush": model}, policy={"allow_non_commercial": True}
    )
    require_licensed(
        [stage, Stage(name="gen2", generator="painter")], lambda: [AI, PAINTER], allowed
    )


@pytest.mark.parametrize("rule", ["PORT", "port", "Port  Town", "P*", "Project:12", "ＰＯＲＴ"])
@pytest.mark.parametrize("folder", ["PORT", "port", "Port Town"])
def test_a_rule_holds_for_a_project_by_each_of_its_names(
    tmp_path: Path, rule: str, folder: str
) -> None:
    settings = studio_settings(tmp_path, policy={"no_ai_projects": [rule]})
    project = Row(type="Project", id=12, name="Port Town")
    known = replace(context(AOI), project=project, project_names=("PORT",))
    place = Place(project=folder, sequence="s01", shot="c001")

    with pytest.raises(PolicyRefusal, match=f"{folder} takes no AI"):
        require_allowed(project_names(place, known), lambda: [AI], settings)


def test_a_rule_holds_for_the_decomposed_folder_of_a_mac(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path, policy={"no_ai_projects": ["ガラス"]})

    with pytest.raises(PolicyRefusal, match="takes no AI"):
        require_allowed([unicodedata.normalize("NFD", "ガラス")], lambda: [AI], settings)


REFUSING = {"id": "HumanUser:7", "name": "Aoi Sato", "name_ja": "佐藤葵", "consent": False}


@pytest.mark.parametrize(
    ("entry", "artist"),
    [
        (REFUSING, Person(id="HumanUser:7", name="Aoi Tanaka")),
        ({**REFUSING, "id": ""}, Person(id="HumanUser:7", name="Aoi  Sato ")),
        ({**REFUSING, "id": ""}, Person(id="HumanUser:7", name="", name_ja="佐藤葵")),
        ({**REFUSING, "id": ""}, Person(id="HumanUser:7", name="ＡＯＩ ＳＡＴＯ")),
        ({**REFUSING, "id": "", "aliases": ["A. S."]}, Person(id="HumanUser:7", name="a. s.")),
    ],
)
def test_a_refusal_holds_whatever_the_artist_is_called(
    tmp_path: Path, entry: dict[str, object], artist: Person
) -> None:
    settings = studio_settings(tmp_path, people=[entry])

    with pytest.raises(PolicyRefusal, match="Aoi Sato does not consent"):
        named_artists(context(artist), settings)


def test_a_refusal_holds_under_a_name_that_the_artist_had(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path, people=[{"name": "Aoi Sato", "consent": False}])
    renamed = context(Person(id="HumanUser:7", name="Aoi Tanaka"))

    with pytest.raises(PolicyRefusal, match="Aoi Sato does not consent"):
        named_artists(renamed, settings, earlier_names={"HumanUser:7": ("Aoi Sato",)})
    assert named_artists(renamed, settings)


def test_a_namesake_with_another_id_did_not_refuse(tmp_path: Path) -> None:
    settings = studio_settings(tmp_path, people=[REFUSING])

    (found,) = named_artists(context(Person(id="HumanUser:8", name="Aoi Sato")), settings)

    assert found.id == "HumanUser:8"


def test_the_wish_not_to_be_named_holds_in_another_spelling(tmp_path: Path) -> None:
    people = [{"name": "Aoi Sato", "opt_out": "letter of 2026-10-02"}]
    settings = studio_settings(tmp_path, people=people)

    (found,) = named_artists(context(Person(id="HumanUser:7", name="aoi  SATO")), settings)

    assert found.opt_out == "letter of 2026-10-02"


@pytest.mark.parametrize("name", ["Midjourney v7", "Adobe Firefly", "ミッドジャーニー"])
def test_a_generator_that_the_tracker_names_is_no_artist(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyRefusal, match="is a generator, not a person"):
        named_artists(context(Person(id="HumanUser:9", name=name)), studio_settings(tmp_path))


@pytest.mark.parametrize("source", [SourceType.TRAINED, SourceType.COMPOSITE_TRAINED])
def test_a_trained_system_without_a_model_states_its_licence_and_data_itself(
    tmp_path: Path, source: SourceType
) -> None:
    settings = studio_settings(tmp_path)
    stage = Stage(name="gen1", generator="flat")
    bare = System(name="Brush", version="2", source_type=source)

    for lacking in (bare, replace(bare, licence="MIT"), replace(bare, data="Own", licence=" ")):
        with pytest.raises(PolicyRefusal, match="without a licence or a statement"):
            require_licensed([stage], partial(list[System], [lacking]), settings)
    require_licensed(
        [stage], lambda: [replace(bare, licence="MIT", data="Own paintings.")], settings
    )
