"""What Haikei brings along: recipes, and how prompts and retakes name what can be asked for."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand
from haikei.presets.qualities import (
    PROMPT,
    QUALITIES,
    SEASON_PROMPTS,
    TIME_PROMPTS,
    Quality,
    QualityTexts,
)

if TYPE_CHECKING:
    from haikei.presets.recipes import RECIPES, recipe

__all__ = [
    "PROMPT",
    "QUALITIES",
    "RECIPES",
    "SEASON_PROMPTS",
    "TIME_PROMPTS",
    "Quality",
    "QualityTexts",
    "recipe",
]

# Recipes are settings, and those take long to load: whoever needs only words does not wait.
__getattr__ = on_demand(__name__, {"haikei.presets.recipes": ("RECIPES", "recipe")})
