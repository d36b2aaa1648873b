"""What Haikei brings along: built-in recipes, seasons, times of day and their words."""

from haikei.presets.recipes import RECIPES, recipe
from haikei.presets.words import SEASONS, TIMES, Word

__all__ = ["RECIPES", "SEASONS", "TIMES", "Word", "recipe"]
