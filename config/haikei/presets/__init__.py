"""What Haikei brings along: recipes, and how prompts and retakes name what can be asked for."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand
from haikei.presets.changes import (
    COLOURS,
    PAINTER_ABILITIES,
    PARTS,
    QUALITIES,
    SHADES,
    SUBJECTS,
    Abilities,
    Act,
    NamedColour,
    Part,
    Quality,
    QualityTexts,
    RegionChange,
    RegionChanged,
    Shade,
    Subject,
    change_text,
)
from haikei.presets.drawn_places import (
    LEAST,
    REACH,
    Spot,
    noted,
    only_ticked,
    split_noted,
    spots_of,
    where_drawn,
    with_spots,
    without_spots,
)
from haikei.presets.prompts import (
    PROMPT,
    SEASON_PROMPTS,
    SEASON_WORDS,
    TIME_PROMPTS,
    TIME_WORDS,
    BoardWords,
    board_words,
    fill_prompt,
    season_or_time,
)

if TYPE_CHECKING:
    from haikei.presets.recipes import (
        RECIPES,
        ChosenRecipe,
        choose_recipe,
        device_label,
        recipe,
        recipe_sha256,
    )

__all__ = [
    "COLOURS",
    "LEAST",
    "PAINTER_ABILITIES",
    "PARTS",
    "PROMPT",
    "QUALITIES",
    "REACH",
    "RECIPES",
    "SEASON_PROMPTS",
    "SEASON_WORDS",
    "SHADES",
    "SUBJECTS",
    "TIME_PROMPTS",
    "TIME_WORDS",
    "Abilities",
    "Act",
    "BoardWords",
    "ChosenRecipe",
    "NamedColour",
    "Part",
    "Quality",
    "QualityTexts",
    "RegionChange",
    "RegionChanged",
    "Shade",
    "Spot",
    "Subject",
    "board_words",
    "change_text",
    "choose_recipe",
    "device_label",
    "fill_prompt",
    "noted",
    "only_ticked",
    "recipe",
    "recipe_sha256",
    "season_or_time",
    "split_noted",
    "spots_of",
    "where_drawn",
    "with_spots",
    "without_spots",
]

# Recipes are settings, and those take long to load: whoever needs only words does not wait.
__getattr__ = on_demand(
    __name__,
    {
        "haikei.presets.recipes": (
            "RECIPES", "ChosenRecipe", "choose_recipe", "device_label", "recipe",
            "recipe_sha256",
        )
    },
)  # fmt: skip
