"""
The recipes that every studio has without writing one, and how a recipe is put together for a cut.

Each shipped recipe of a model names that model as `haikei models add --known` does; a studio that
calls its own otherwise extends the recipe.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from haikei.canonical import canonical_json
from haikei.errors import SettingsError
from haikei.names import plain_name
from haikei.presets.prompts import PROMPT
from haikei.settings import Look, Recipe, Settings, Stage
from haikei.settings.recipe_entry import Option
from haikei.show import CutFacts, Place

_SHIPPED = files("haikei.presets").joinpath("recipes.toml").read_text(encoding="utf-8")
RECIPES: Mapping[str, Recipe] = {
    name: Recipe.model_validate(table) for name, table in tomllib.loads(_SHIPPED).items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRecipe:
    """A recipe as it is for one cut, with what the looks of its show ask for."""

    name: str
    recipe: Recipe
    sha256: str  #: of everything in it, as `recipe_sha256` gives it
    cut: CutFacts  #: with what looks say where the tracker says nothing
    board: Path | None = None  #: the approved picture of the location


def recipe(settings: Settings, name: str) -> Recipe:
    """
    Return the recipe called `name`, with all that it takes from those that it extends.

    The studio's own wins over a shipped one; of the same name, it may extend that.

    Raises:
        SettingsError: there is no such recipe, it extends itself, or has options of no stage.
    """
    given = _given(settings, name, ())
    model, options = given.pop("model", None), given.pop("options", {})
    stages = tuple(
        _run_by(model, stage) if model and stage.model is None else stage
        for stage in given.pop("stages")
    )
    made = Recipe.model_validate({**given, "stages": stages})
    return _with_options(made, options, f"the recipe {name!r}")


def device_label(settings: Settings, name: str) -> str:
    """Return the label of devices that make a recipe, empty for all of them or an unknown one."""
    try:
        return recipe(settings, name).device_label
    except SettingsError:
        return ""


def choose_recipe(
    settings: Settings, name: str, *, place: Place, season: str, time: str, cut: CutFacts
) -> ChosenRecipe:
    """
    Return a recipe as it is for one cut.

    Raises:
        SettingsError: as `recipe`, or a look has options of a stage that the recipe lacks.
    """
    chosen = recipe(settings, name)
    looks = sorted(
        (look for look in settings.looks if _holds(look, name, place, season, time, cut)),
        key=lambda look: look.narrowness,
    )
    board: Path | None = None
    for look in looks:
        chosen = _with_options(chosen, look.options, f"a look for the recipe {name!r}")
        board = look.board or board
    words = [look.prompt for look in looks if look.prompt]
    unwanted = [look.negative_prompt for look in looks if look.negative_prompt]
    if words or unwanted:
        chosen = chosen.model_copy(
            update={
                "prompt": ", ".join((chosen.prompt or PROMPT, *words)) if words else chosen.prompt,
                "negative_prompt": ", ".join(filter(None, (chosen.negative_prompt, *unwanted))),
            }
        )
    usual = {
        field: next((text for look in reversed(looks) if (text := getattr(look, field))), "")
        for field in ("weather", "colours")
    }
    return ChosenRecipe(
        name=name,
        recipe=chosen,
        sha256=recipe_sha256(chosen),
        cut=replace(
            cut, weather=cut.weather or usual["weather"], colours=cut.colours or usual["colours"]
        ),
        board=board,
    )


def recipe_sha256(recipe: Recipe) -> str:
    """Return the hash by which a record names a recipe: another one, where anything differs."""
    return hashlib.sha256(canonical_json(recipe.model_dump()).encode()).hexdigest()


def _given(settings: Settings, name: str, before: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields that a recipe and those that it extends give, the nearest last."""
    # A recipe that is named like a shipped one and extends it means that one.
    own = None if name in before else settings.recipes.get(name)
    found = own or RECIPES.get(name)
    if found is None or (name in before and before[-1] != name):
        if name in before:
            raise SettingsError(
                f"The recipe {name!r} extends itself: {' → '.join((*before, name))}.",
                advice=f"Correct recipes.{before[-1]}.extends.",
            )
        known = ", ".join(sorted({*settings.recipes, *RECIPES}))
        raise SettingsError(f"There is no recipe {name!r}.", advice=f"Known recipes: {known}.")
    given = {field: getattr(found, field) for field in found.model_fields_set}
    if found.extends is None:
        return given
    base = _given(settings, found.extends, (*before, name))
    if found.stages:
        # Its own stages take the place of those, and of what was asked of them.
        base.pop("options", None)
    elif found.model is not None:
        base["stages"] = tuple(_run_by(found.model, stage) for stage in base["stages"])
    options = {**base.get("options", {}), **given.get("options", {})}
    return {**base, **given, "options": options, "extends": None}


def _run_by(model: str, stage: Stage) -> Stage:
    if stage.generator != "diffusers":
        return stage
    return stage.model_copy(update={"model": model})


def _with_options(recipe: Recipe, options: Mapping[str, Option], whose: str) -> Recipe:
    if not options:
        return recipe
    by_stage: dict[str, dict[str, Option]] = {}
    for key, value in options.items():
        stage, _, option = key.partition(".")
        by_stage.setdefault(stage, {})[option] = value
    names = [stage.name for stage in recipe.stages]
    if unknown := sorted(set(by_stage) - set(names)):
        raise SettingsError(
            f"The options of {whose} are of a stage {unknown[0]!r}, which it does not have.",
            advice=f"Its stages are {', '.join(names)}.",
        )
    stages: tuple[Stage, ...] = tuple(
        stage.model_copy(update={"options": {**stage.options, **by_stage.get(stage.name, {})}})
        for stage in recipe.stages
    )
    return recipe.model_copy(update={"stages": stages})


def _holds(look: Look, recipe: str, place: Place, season: str, time: str, cut: CutFacts) -> bool:
    return (
        look.fits(place.project, place.sequence, place.shot, cut.location)
        and look.recipe in {"", recipe}
        and (not look.seasons or plain_name(season) in look.seasons)
        and (not look.times or plain_name(time) in look.times)
    )
