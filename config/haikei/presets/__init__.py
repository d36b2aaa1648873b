"""What Haikei brings along: built-in recipes, roles, seasons and times of day, in words."""

from haikei.presets.facets import FACET_STATES, FACETS, GRADES, Label
from haikei.presets.qualities import QUALITIES, Quality, QualityWords
from haikei.presets.recipes import RECIPES, recipe
from haikei.presets.roles import ROLES, RoleName
from haikei.presets.words import SEASONS, TIMES, Word

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
