"""
What a retake can ask more or less of, in the words of people, of prompts and of the painter.

Generators that read words get a prompt from here where a recipe has none of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from haikei.show import Season, TimeOfDay
from haikei.texts import Bilingual


class Quality(StrEnum):
    """One side of a picture that can be turned up or down."""

    GREEN = "green"
    CLOUDS = "clouds"
    WARMTH = "warmth"
    LIGHT = "light"
    CONTRAST = "contrast"
    SATURATION = "saturation"
    HAZE = "haze"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityTexts:
    """A quality as people name it, and as prompts ask for more and for less of it."""

    name: Bilingual
    more: str
    less: str


QUALITIES: Mapping[Quality, QualityTexts] = {
    Quality.GREEN: QualityTexts(
        name=Bilingual("green", "緑"),
        more="lush green vegetation",
        less="muted, greyish green vegetation",
    ),
    Quality.CLOUDS: QualityTexts(
        name=Bilingual("clouds", "雲"),
        more="towering cumulus clouds, cloudy sky",
        less="clear cloudless sky",
    ),
    Quality.WARMTH: QualityTexts(
        name=Bilingual("warmth", "暖かさ"), more="warm golden light", less="cool bluish light"
    ),
    Quality.LIGHT: QualityTexts(
        name=Bilingual("light", "明るさ"), more="bright", less="dark, low key"
    ),
    Quality.CONTRAST: QualityTexts(
        name=Bilingual("contrast", "コントラスト"), more="high contrast", less="soft low contrast"
    ),
    Quality.SATURATION: QualityTexts(
        name=Bilingual("saturation", "彩度"),
        more="vivid saturated colours",
        less="muted desaturated colours",
    ),
    Quality.HAZE: QualityTexts(
        name=Bilingual("haze", "霞"), more="misty, hazy distance", less="crisp clear air"
    ),
}


PROMPT = "hand-painted anime background, {place}, {season}, {time}, no people"

SEASON_PROMPTS: Mapping[str, str] = {
    Season.SPRING: "spring, fresh leaves, cherry blossom",
    Season.SUMMER: "summer, deep green leaves, cumulus clouds",
    Season.AUTUMN: "autumn, red and golden leaves",
    Season.WINTER: "winter, snow on roofs and ground",
}
TIME_PROMPTS: Mapping[str, str] = {
    TimeOfDay.MORNING: "early morning, soft low light",
    TimeOfDay.DAY: "midday, clear light",
    TimeOfDay.SUNSET: "sunset, warm orange light, long shadows",
    TimeOfDay.NIGHT: "night, moonlight, lit windows",
}
