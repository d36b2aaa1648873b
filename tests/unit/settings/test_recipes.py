"""A recipe is put together from what ships, from the studio's settings and from the cut."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from haikei.errors import SettingsError
from haikei.presets import (
    RECIPES,
    SEASON_WORDS,
    TIME_WORDS,
    ChosenRecipe,
    board_words,
    choose_recipe,
    fill_prompt,
    recipe,
    recipe_sha256,
    season_or_time,
)
from haikei.settings import Settings
from haikei.show import NO_CUT_FACTS, CutFacts, Place

CUT = Place(project="KAZE", sequence="S01", shot="c012")


def studio(folder: Path, **more: object) -> Settings:
    return Settings.model_validate(
        {
            "studio": {"state": folder / "state"},
            "storage": {"roots": [{"name": "work", "path": folder}]},
            **more,
        }
    )


def chosen(
    settings: Settings, name: str = "sdxl", *, time: str = "day", cut: CutFacts = NO_CUT_FACTS
) -> ChosenRecipe:
    return choose_recipe(settings, name, place=CUT, season="summer", time=time, cut=cut)


def test_every_shipped_recipe_is_whole_and_has_a_hash_of_its_own(tmp_path: Path) -> None:
    settings = studio(tmp_path)
    found = {name: recipe(settings, name) for name in RECIPES}

    assert all(one.stages for one in found.values())
    named = [
        (name, stage.generator)
        for name, one in found.items()
        for stage in one.stages
        if (stage.generator == "diffusers") != bool(stage.model)
    ]
    assert named == []
    assert len({recipe_sha256(one) for one in found.values()}) == len(found)


def test_a_studios_recipe_takes_what_it_does_not_say_from_the_one_it_extends(
    tmp_path: Path,
) -> None:
    ours: Mapping[str, object] = {
        "extends": "sdxl-line", "model": "ours", "options": {"gen2.strength": 0.3},
    }  # fmt: skip
    settings = studio(tmp_path, recipes={"ours": ours, "wide": {"extends": "ours", "width": 1920}})
    shipped, wide = recipe(settings, "sdxl-line"), recipe(settings, "wide")

    assert [stage.name for stage in wide.stages] == [stage.name for stage in shipped.stages]
    assert wide.stages[1].model == "ours"
    assert wide.stages[1].options == {**shipped.stages[1].options, "strength": 0.3}
    assert (wide.width, wide.negative_prompt) == (1920, shipped.negative_prompt)
    assert recipe_sha256(wide) != recipe_sha256(recipe(settings, "ours"))


def test_a_recipe_of_a_shipped_name_may_extend_the_shipped_one(tmp_path: Path) -> None:
    own = {"extends": "watercolour", "options": {"gen2.finish": "wash"}}
    found = recipe(studio(tmp_path, recipes={"watercolour": own}), "watercolour")

    assert [stage.options["finish"] for stage in found.stages] == ["wash", "wash"]


@pytest.mark.parametrize(
    ("recipes", "words"),
    [
        ({"a": {"extends": "b"}, "b": {"extends": "a"}}, "a → b → a"),
        ({"a": {"extends": "nothing"}}, "no recipe 'nothing'"),
        ({"a": {"extends": "sdxl", "options": {"gen3.steps": 4}}}, "stage 'gen3'"),
    ],
)
def test_a_recipe_that_cannot_be_put_together_says_why(
    tmp_path: Path, recipes: Mapping[str, object], words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        recipe(studio(tmp_path, recipes=recipes), "a")

    assert words in f"{caught.value.message} {caught.value.advice}"


def test_looks_of_a_show_come_before_those_of_a_cut_whatever_their_order(tmp_path: Path) -> None:
    board, own = tmp_path / "kaze.png", tmp_path / "c012.png"
    settings = studio(
        tmp_path,
        looks=[
            {
                "shot": "C012", "prompt": "seen from the roof", "board": own,
                "recipe": "sdxl", "options": {"gen2.strength": 0.2},
            },
            {"project": "kaze", "prompt": "gouache", "colours": "青緑と金", "board": board},
            {"sequence": "S01", "negative_prompt": "cars", "recipe": "sdxl",
             "options": {"gen2.strength": 0.9, "gen2.steps": 12}},
            {"project": "UMI", "prompt": "never"},
            {"times": ["night"], "colours": "deep blue", "sequence": "S0*"},
        ],
    )  # fmt: skip
    day, night = chosen(settings), chosen(settings, time="night")

    assert day.recipe.prompt.endswith("no people, gouache, seen from the roof")
    assert day.recipe.negative_prompt.endswith(", cars")
    assert day.recipe.stages[1].options["strength"] == 0.2
    assert day.recipe.stages[1].options["steps"] == 12
    assert day.board == own
    assert (day.cut.colours, night.cut.colours) == ("青緑と金", "deep blue")
    # The sequence's options are of one recipe; the show's words are of each.
    other = chosen(settings, "flux1-dev")
    assert "gouache" in other.recipe.prompt
    assert other.recipe.stages == recipe(settings, "flux1-dev").stages


def test_what_the_tracker_says_of_a_cut_counts_before_what_looks_say(tmp_path: Path) -> None:
    settings = studio(tmp_path, looks=[{"location": "港", "weather": "fog", "colours": "grey"}])
    there = chosen(settings, cut=CutFacts(location="港", weather="雨"))

    assert (there.cut.weather, there.cut.colours) == ("雨", "grey")
    assert chosen(settings, cut=CutFacts(location="駅")).cut.weather == ""


def test_a_look_with_options_of_a_stage_that_its_recipe_lacks_is_an_error(tmp_path: Path) -> None:
    look = {"recipe": "sdxl", "options": {"paint.steps": 3}}
    with pytest.raises(SettingsError, match="look for the recipe 'sdxl'"):
        chosen(studio(tmp_path, looks=[look]))


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted", "unread"),
    [
        ("夕立、逆光。人物なし", ("sudden evening shower", "backlight"), ("people",), ()),
        ("雨の商店街", ("rain, wet ground", "shopping street"), (), ()),
        ("雨上がり", ("after rain, puddles",), (), ()),
        ("Overcast; no people, wet asphalt", ("overcast sky", "wet asphalt"), ("people",), ()),
        ("俯瞰で港町\n洗濯物不要", ("view from high above", "harbour"), ("washing on a line",), ()),
        ("龍の彫像、橋", ("bridge",), (), ("龍の彫像",)),
        ("神社と謎の塔", ("shrine",), (), ("謎塔",)),
        ("", (), (), ()),
    ],
)
def test_a_boards_note_becomes_words_that_models_know(
    text: str, wanted: tuple[str, ...], unwanted: tuple[str, ...], unread: tuple[str, ...]
) -> None:
    found = board_words(text)

    assert (found.wanted, found.unwanted, found.unread) == (wanted, unwanted, unread)


@pytest.mark.parametrize(
    ("text", "season", "time"),
    [
        ("春", "spring", ""),
        ("AUTUMN", "autumn", ""),
        ("秋・夕方", "autumn", "sunset"),
        ("夕", "", "sunset"),
        ("N", "", "night"),
        ("夏から秋", "", ""),
        ("梅雨", "", ""),
    ],
)
def test_a_field_says_one_season_and_one_time_of_day_or_none(
    text: str, season: str, time: str
) -> None:
    assert (season_or_time(text, SEASON_WORDS), season_or_time(text, TIME_WORDS)) == (season, time)


def test_a_phrase_of_which_nothing_is_known_is_left_out() -> None:
    text = "painted, view of {place} in {season}, {weather} everywhere, no people"
    said = {"place": "port", "season": "winter", "weather": ""}

    assert fill_prompt(text, said) == (
        "painted, view of port in winter, snow on roofs and ground, no people"
    )
    assert fill_prompt("{place.__class__}, {weather}", said) == "{place.__class__}"
