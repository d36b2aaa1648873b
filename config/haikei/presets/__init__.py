"""What Haikei brings along: built-in recipes, roles, seasons and times of day, in words."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand
from haikei.presets.facets import FACET_STATES, FACETS, GRADES, Label
from haikei.presets.qualities import QUALITIES, Quality, QualityWords
from haikei.presets.roles import ROLES, RoleName
from haikei.presets.season_time import SEASONS, TIMES, Word

if TYPE_CHECKING:
    from haikei.presets.recipes import PROMPT, RECIPES, recipe

__all__ = [
    "FACETS",
    "FACET_STATES",
    "GRADES",
    "PROMPT",
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

# Recipes are settings, and those take long to load: whoever needs only words does not wait.
__getattr__ = on_demand(__name__, {"haikei.presets.recipes": ("PROMPT", "RECIPES", "recipe")})
