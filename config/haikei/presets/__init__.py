"""What Haikei brings along: recipes, and how prompts and retakes name what can be asked for."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand
from haikei.presets.changes import (
    COLOURS,
    PAINTER_ABILITIES,
    PARTS,
    SHADES,
    SUBJECTS,
    Abilities,
    Act,
    NamedColour,
    Part,
    RegionChange,
    RegionChanged,
    Shade,
    Subject,
    change_text,
)
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
    "COLOURS",
    "PAINTER_ABILITIES",
    "PARTS",
    "PROMPT",
    "QUALITIES",
    "RECIPES",
    "SEASON_PROMPTS",
    "SHADES",
    "SUBJECTS",
    "TIME_PROMPTS",
    "Abilities",
    "Act",
    "NamedColour",
    "Part",
    "Quality",
    "QualityTexts",
    "RegionChange",
    "RegionChanged",
    "Shade",
    "Subject",
    "change_text",
    "recipe",
]

# Recipes are settings, and those take long to load: whoever needs only words does not wait.
__getattr__ = on_demand(__name__, {"haikei.presets.recipes": ("RECIPES", "recipe")})
