"""What Haikei brings along: built-in recipes, roles, seasons and times of day, in words."""

from typing import TYPE_CHECKING

from haikei.presets.facets import FACET_STATES, FACETS, GRADES, Label
from haikei.presets.qualities import QUALITIES, Quality, QualityWords
from haikei.presets.roles import ROLES, RoleName
from haikei.presets.words import SEASONS, TIMES, Word

if TYPE_CHECKING:
    from haikei.presets.recipes import RECIPES, recipe

__all__ = [
    "FACETS",
    "FACET_STATES",
    "GRADES",
    "QUALITIES",
    "RECIPES",
    "ROLES",
    "SEASONS",
    "TIMES",
    "Label",
    "Quality",
    "QualityWords",
    "RoleName",
    "Word",
    "recipe",
]


def __getattr__(name: str) -> object:
    # Recipes are settings, and those take long to load: whoever needs only words does not wait.
    if name in {"RECIPES", "recipe"}:
        from haikei.presets import recipes

        return getattr(recipes, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
