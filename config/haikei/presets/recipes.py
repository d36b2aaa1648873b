"""The recipes that every studio has without writing one."""

from collections.abc import Mapping

from haikei.errors import SettingsError
from haikei.settings import Recipe, Settings, Stage

RECIPES: Mapping[str, Recipe] = {
    "watercolour": Recipe(
        stages=(
            Stage(name="gen1", generator="painter", options={"finish": "wash"}),
            Stage(name="gen2", generator="painter", options={"finish": "full"}),
        ),
    ),
}


def recipe(settings: Settings, name: str) -> Recipe:
    """
    Return the recipe called `name`; the studio's own wins over a built-in one.

    Raises:
        SettingsError: there is no such recipe.
    """
    found = settings.recipes.get(name) or RECIPES.get(name)
    if found is None:
        known = ", ".join(sorted({*settings.recipes, *RECIPES}))
        raise SettingsError(f"There is no recipe {name!r}.", advice=f"Known recipes: {known}.")
    return found
