"""What a retake can ask more or less of, in the words of people, of prompts and of the painter."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


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
class QualityWords:
    """A quality as people name it, and as prompts ask for more and for less of it."""

    en: str
    ja: str
    more: str
    less: str


QUALITIES: Mapping[Quality, QualityWords] = {
    Quality.GREEN: QualityWords(
        en="green", ja="緑", more="lush green vegetation", less="muted, greyish green vegetation"
    ),
    Quality.CLOUDS: QualityWords(
        en="clouds", ja="雲", more="towering cumulus clouds, cloudy sky", less="clear cloudless sky"
    ),
    Quality.WARMTH: QualityWords(
        en="warmth", ja="暖かさ", more="warm golden light", less="cool bluish light"
    ),
    Quality.LIGHT: QualityWords(en="light", ja="明るさ", more="bright", less="dark, low key"),
    Quality.CONTRAST: QualityWords(
        en="contrast", ja="コントラスト", more="high contrast", less="soft low contrast"
    ),
    Quality.SATURATION: QualityWords(
        en="saturation", ja="彩度", more="vivid saturated colours", less="muted desaturated colours"
    ),
    Quality.HAZE: QualityWords(
        en="haze", ja="霞", more="misty, hazy distance", less="crisp clear air"
    ),
}
