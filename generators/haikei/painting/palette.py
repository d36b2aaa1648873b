"""The colours: what things are made of in each season, and the light of each time of day."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haikei.reading import Kind

Colour = NDArray[np.float32]  #: (3,), sRGB, 0 to 1


def rgb(code: str) -> Colour:
    """Return a colour written as `#rrggbb`."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / np.float32(255)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """What a time of day does to colours."""

    sky: tuple[str, str, str, str]  #: from the zenith to the horizon
    cloud: tuple[str, str]  #: lit and shaded
    haze: str  #: what distance fades into
    key: tuple[float, float, float]  #: factor on what the light meets
    shade: tuple[float, float, float]  #: factor on what it does not
    glow: str  #: of the sun or moon in the sky
    lit: float  #: part of the windows that are lit
    stars: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """What a season makes of materials."""

    leaves: tuple[str, ...]
    hill: tuple[str, str]  #: far and near
    forest: tuple[str, ...]
    grass: tuple[str, ...]
    paving: str
    earth: str
    roofs: tuple[str, ...]
    snow: bool = False


LIGHTS: Mapping[str, Light] = {
    "morning": Light(
        sky=("#8fb9dd", "#bcd7e6", "#e6e6dc", "#f8e6c9"),
        cloud=("#fff8ec", "#c9d3df"),
        haze="#e9e6dc",
        key=(1.04, 0.99, 0.92),
        shade=(0.70, 0.76, 0.88),
        glow="#fff0cc",
        lit=0.12,
    ),
    "day": Light(
        sky=("#4389cb", "#6cabdf", "#a3d0ec", "#dcedf2"),
        cloud=("#ffffff", "#b9cfe4"),
        haze="#cfe3ef",
        key=(1.05, 1.04, 1.0),
        shade=(0.60, 0.66, 0.80),
        glow="#ffffff",
        lit=0.0,
    ),
    "sunset": Light(
        sky=("#52619f", "#a87a9d", "#ee9a72", "#ffd693"),
        cloud=("#ffc79a", "#9a7799"),
        haze="#e6b09a",
        key=(1.02, 0.83, 0.73),
        shade=(0.50, 0.47, 0.66),
        glow="#ffe0a0",
        lit=0.4,
    ),
    "night": Light(
        sky=("#0d1838", "#172a57", "#27427a", "#46659b"),
        cloud=("#5a719f", "#2a3f70"),
        haze="#3a5484",
        key=(0.40, 0.48, 0.70),
        shade=(0.22, 0.28, 0.50),
        glow="#dfe8f5",
        lit=0.75,
        stars=True,
    ),
}

ROOFS = ("#5c6b7a", "#8a4f42", "#4f5560", "#73584a", "#4d6a68", "#7d6654")
SNOWY = ("#e6edf4", "#dfe8f1", "#eaf0f5")

SEASONS: Mapping[str, Season] = {
    "spring": Season(
        leaves=("#8fb768", "#f2c3cf", "#a2c272", "#f5d0d6", "#7dab62"),
        hill=("#8db09a", "#7faa70"),
        forest=("#7ba76a", "#8ab070", "#9ab57d"),
        grass=("#adc87a", "#9fc070", "#b4cd83"),
        paving="#c6c0b4",
        earth="#c8b08a",
        roofs=ROOFS,
    ),
    "summer": Season(
        leaves=("#4c8f46", "#3f8343", "#5a9a49", "#37763f"),
        hill=("#6f9d93", "#4f8c5c"),
        forest=("#3d7c48", "#47864c", "#33703f"),
        grass=("#8db06a", "#81a661", "#95b773"),
        paving="#c2bdb2",
        earth="#bda27a",
        roofs=ROOFS,
    ),
    "autumn": Season(
        leaves=("#cf7a35", "#dba441", "#b4512f", "#c89a44", "#a8742f"),
        hill=("#a39a8c", "#b08654"),
        forest=("#b9783c", "#a8622f", "#c2933f"),
        grass=("#c0a95c", "#b39f55", "#c9b166"),
        paving="#c4b9a8",
        earth="#b3946a",
        roofs=ROOFS,
    ),
    "winter": Season(
        leaves=("#7f9a92", "#95aaa6", "#a9b9b8", "#8aa19b"),
        hill=("#ccd8e3", "#c3d2dd"),
        forest=("#93aab0", "#a3b7bc"),
        grass=("#dee7f0", "#d8e2ec", "#e2eaf2"),
        paving="#d9e1ea",
        earth="#cfcac4",
        roofs=SNOWY,
        snow=True,
    ),
}

WALLS = ("#efe4cd", "#e8dcc4", "#dfd8cb", "#d9c4a0", "#f2ebdd", "#cbb493", "#d5d6d0")
HULLS = ("#e9e7e0", "#3f5f86", "#a04a3d", "#3c6f68", "#d8d3c4")
FIXED: Mapping[Kind, tuple[str, ...]] = {
    Kind.WALL: WALLS,
    Kind.HULL: HULLS,
    Kind.WINDOW: ("#5f7a8c", "#55707f", "#6b8494"),
    Kind.DOOR: ("#7a5a42", "#6a5a50", "#5a6a66"),
    Kind.POST: ("#7c6a58", "#6f6054", "#857565"),
    Kind.OTHER: ("#b3a892", "#a8a090", "#bdb09a"),
}
LAMPLIGHT = ("#ffdc8c", "#ffd27a", "#ffe6a8")
WATERS: Mapping[str, tuple[str, str]] = {
    "morning": ("#a9c4cc", "#6f9aae"),
    "day": ("#7fb6d2", "#2f78a8"),
    "sunset": ("#dfa48c", "#7a6a8c"),
    "night": ("#3a5688", "#12213f"),
}
SHADOW_TINT = rgb("#4a5a86")


def materials(season: Season, kind: Kind) -> tuple[str, ...]:
    """Return what a kind of region may be coloured with, before any light falls on it."""
    seasonal: Mapping[Kind, tuple[str, ...]] = {
        Kind.TREE: season.leaves,
        Kind.FOREST: season.forest,
        Kind.HILL: season.hill,
        Kind.GRASS: season.grass,
        Kind.PAVING: (season.paving,),
        Kind.EARTH: (season.earth,),
        Kind.ROOF: season.roofs,
    }
    return seasonal.get(kind) or FIXED.get(kind, ("#b3a892",))
