"""
What a retake can ask of a part of a picture: which things, where, and what shall become of them.

Names of things and colours stand in requests and records; they are never renamed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from haikei.presets.drawn_places import Spot, where_drawn
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


class Subject(StrEnum):
    """A thing that people name in a picture."""

    PICTURE = "picture"  #: all of it, or all that lies at the place named
    SKY = "sky"
    CLOUDS = "clouds"
    HILL = "hill"
    FOREST = "forest"
    TREE = "tree"
    TRUNK = "trunk"
    GRASS = "grass"
    GROUND = "ground"
    PATH = "path"
    WATER = "water"
    HOUSE = "house"
    WALL = "wall"
    ROOF = "roof"
    WINDOW = "window"
    DOOR = "door"
    POLE = "pole"
    WIRES = "wires"
    BOAT = "boat"
    VEHICLE = "vehicle"
    FENCE = "fence"
    ROCK = "rock"
    SAND = "sand"
    SNOW = "snow"
    RAIL = "rail"
    LAMP = "lamp"
    FIGURE = "figure"
    FLOOR = "floor"
    CEILING = "ceiling"
    FURNITURE = "furniture"


class Part(StrEnum):
    """Which of several things, or which side of one."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"
    MIDDLE = "middle"
    NEAR = "near"
    FAR = "far"
    BIG = "big"
    SMALL = "small"


class Act(StrEnum):
    """What becomes of it."""

    TURN = "turn"  #: a quality is turned up or down
    COLOUR = "colour"  #: it gets another colour, with its light and shade
    TINT = "tint"  #: it moves towards a hue and stays as light as it is
    REMOVE = "remove"  #: what lies behind it is seen instead


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionChange:
    """One change of some regions of a picture."""

    subject: Subject
    act: Act
    parts: tuple[Part, ...] = ()  #: all of them hold; none means wherever it is
    quality: str = ""  #: of a turn: a `Quality`
    colour: str = ""  #: of a colour or tint: a name in `COLOURS`
    shade: str = ""  #: of a colour: a name in `SHADES`, or empty
    amount: int = 100  #: of a turn -100 to 100, else 1 to 100 percent
    apart: tuple[Subject, ...] = ()  #: what stays as it is within that
    within: tuple[Spot, ...] = ()  #: where it was drawn; nothing outside of all of them changes

    @property
    def aim(self) -> tuple[str, ...]:
        """What it acts on and in which way, without how much."""
        parts = sorted(one.value for one in self.parts)
        spots = sorted(one.name for one in self.within)
        return (self.subject.value, self.act.value, self.quality, *parts, *spots)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionChanged:
    """One change of regions, and how much of the picture it acted on."""

    change: RegionChange
    ppm: int  #: millionths of the picture's area; 0: there is no such thing in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What the generators of a recipe, together, can do with a note."""

    turns: tuple[Quality, ...] = ()  #: qualities that are turned exactly
    acts: tuple[Act, ...] = ()  #: changes of regions that are made exactly
    reads: bool = False  #: words reach a model
    negates: bool = False  #: words reach a model as what must not be seen


#: Of Haikei's own painter: it reads no words, and can do whatever a note's grammar can say.
PAINTER_ABILITIES = Abilities(turns=tuple(Quality), acts=tuple(Act))

SUBJECTS: Mapping[Subject, Bilingual] = {
    Subject.PICTURE: Bilingual("picture", "画面"),
    Subject.SKY: Bilingual("sky", "空"),
    Subject.CLOUDS: Bilingual("clouds", "雲"),
    Subject.HILL: Bilingual("hills", "山"),
    Subject.FOREST: Bilingual("forest", "森"),
    Subject.TREE: Bilingual("trees", "木"),
    Subject.TRUNK: Bilingual("trunks", "幹"),
    Subject.GRASS: Bilingual("grass", "草"),
    Subject.GROUND: Bilingual("ground", "地面"),
    Subject.PATH: Bilingual("road", "道"),
    Subject.WATER: Bilingual("water", "水"),
    Subject.HOUSE: Bilingual("houses", "家"),
    Subject.WALL: Bilingual("walls", "壁"),
    Subject.ROOF: Bilingual("roof", "屋根"),
    Subject.WINDOW: Bilingual("windows", "窓"),
    Subject.DOOR: Bilingual("doors", "ドア"),
    Subject.POLE: Bilingual("poles", "電柱・柱"),
    Subject.WIRES: Bilingual("power lines", "電線"),
    Subject.BOAT: Bilingual("boats", "船"),
    Subject.VEHICLE: Bilingual("vehicles", "車両"),
    Subject.FENCE: Bilingual("fences and woodwork", "柵・木部"),
    Subject.ROCK: Bilingual("rocks", "岩"),
    Subject.SAND: Bilingual("sand", "砂"),
    Subject.SNOW: Bilingual("snow", "雪"),
    Subject.RAIL: Bilingual("rails", "線路"),
    Subject.LAMP: Bilingual("lamps", "照明"),
    Subject.FIGURE: Bilingual("figures", "人物"),
    Subject.FLOOR: Bilingual("floor", "床"),
    Subject.CEILING: Bilingual("ceiling", "天井"),
    Subject.FURNITURE: Bilingual("furniture", "家具"),
}
PARTS: Mapping[Part, Bilingual] = {
    Part.LEFT: Bilingual("left", "左"),
    Part.RIGHT: Bilingual("right", "右"),
    Part.TOP: Bilingual("top", "上"),
    Part.BOTTOM: Bilingual("bottom", "下"),
    Part.MIDDLE: Bilingual("middle", "中央"),
    Part.NEAR: Bilingual("near", "手前"),
    Part.FAR: Bilingual("far", "奥"),
    Part.BIG: Bilingual("largest", "一番大きい"),
    Part.SMALL: Bilingual("smaller", "小さい"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedColour:
    """A colour as people name it, and as paint of that name is under neutral light."""

    name: Bilingual
    code: str  #: `#rrggbb`, sRGB


COLOURS: Mapping[str, NamedColour] = {
    "red": NamedColour(name=Bilingual("red", "赤"), code="#b8433a"),
    "orange": NamedColour(name=Bilingual("orange", "オレンジ"), code="#d9823b"),
    "yellow": NamedColour(name=Bilingual("yellow", "黄"), code="#e3c14c"),
    "green": NamedColour(name=Bilingual("green", "緑"), code="#5b8f4e"),
    "turquoise": NamedColour(name=Bilingual("turquoise", "青緑"), code="#4a9d9c"),
    "blue": NamedColour(name=Bilingual("blue", "青"), code="#3f6fae"),
    "navy": NamedColour(name=Bilingual("navy", "紺"), code="#2c3a66"),
    "purple": NamedColour(name=Bilingual("purple", "紫"), code="#7b579e"),
    "pink": NamedColour(name=Bilingual("pink", "ピンク"), code="#e29bb0"),
    "brown": NamedColour(name=Bilingual("brown", "茶"), code="#80583d"),
    "beige": NamedColour(name=Bilingual("beige", "ベージュ"), code="#d8c6a2"),
    "gold": NamedColour(name=Bilingual("gold", "金"), code="#c9a043"),
    "white": NamedColour(name=Bilingual("white", "白"), code="#f1efe9"),
    "grey": NamedColour(name=Bilingual("grey", "灰色"), code="#8c8d90"),
    "black": NamedColour(name=Bilingual("black", "黒"), code="#2b2a2e"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shade:
    """What a word before a colour does to it, in L*a*b*."""

    name: Bilingual
    lightness: float  #: added to L*
    chroma: float  #: factor on a* and b*


SHADES: Mapping[str, Shade] = {
    "light": Shade(name=Bilingual("light", "明るい"), lightness=14.0, chroma=0.85),
    "dark": Shade(name=Bilingual("dark", "濃い"), lightness=-15.0, chroma=0.95),
    "pale": Shade(name=Bilingual("pale", "薄い"), lightness=10.0, chroma=0.5),
    "vivid": Shade(name=Bilingual("vivid", "鮮やかな"), lightness=2.0, chroma=1.35),
    "dull": Shade(name=Bilingual("dull", "くすんだ"), lightness=-2.0, chroma=0.55),
}


def change_text(change: RegionChange) -> Bilingual:
    """Return a change as people read it: "roof (left): dark red"."""
    subject = SUBJECTS[change.subject]
    en, ja = subject.en, subject.ja
    if change.parts:
        en += f" ({', '.join(PARTS[part].en for part in change.parts)})"
        ja = "・".join(PARTS[part].ja for part in change.parts) + f"の{ja}"
    if change.within:
        where = where_drawn(change.within)
        en, ja = f"{en} {where.en}", f"{where.ja}の{ja}"
    if change.apart:
        en += f" without {', '.join(SUBJECTS[one].en for one in change.apart)}"
        ja += f"（{'・'.join(SUBJECTS[one].ja for one in change.apart)}を除く）"
    what = _what(change)
    return Bilingual(f"{en}: {what.en}", f"{ja}：{what.ja}")


def _what(change: RegionChange) -> Bilingual:
    part = f" {change.amount} %" if change.amount != 100 else ""
    match change.act:
        case Act.REMOVE:
            return Bilingual("removed", "消去")
        case Act.TURN:
            name = QUALITIES[Quality(change.quality)].name
            return Bilingual(f"{name.en} {change.amount:+d} %", f"{name.ja} {change.amount:+d} %")
        case Act.COLOUR | Act.TINT:
            colour = COLOURS[change.colour].name
            shade = SHADES[change.shade].name if change.shade else Bilingual("", "")
            toward, toward_ja = ("more ", "み寄り") if change.act is Act.TINT else ("", "")
            return Bilingual(
                f"{toward}{f'{shade.en} {colour.en}'.strip()}{part}",
                f"{shade.ja}{colour.ja}{toward_ja}{part}",
            )
