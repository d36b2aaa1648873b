"""
How prompts ask for what a cut is to look like: season, time of day, weather, and what boards note.

People write Japanese and English; models know English words. What is not known is given back, so
that nobody believes that a model has read it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from haikei.names import plain_name
from haikei.presets.changes import SUBJECTS, Subject
from haikei.show import Season, TimeOfDay

PROMPT = (
    "hand-painted anime background, {place}, {season}, {time}, {weather}, {notes}, {colours}, "
    "no people"
)

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


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


#: Times of day and seasons as people write them, by the values of `Season` and `TimeOfDay`.
TIME_WORDS: Mapping[str, tuple[str, ...]] = {
    "morning": _words("morning, dawn, sunrise, 朝, 早朝, 夜明け, 朝焼け"),
    "day": _words("daytime, midday, noon, daylight, 昼, 日中, 真昼"),
    "sunset": _words("sunset, dusk, evening, golden hour, 夕方, 夕焼け, 夕暮れ, 夕景"),
    "night": _words("night, night-time, nighttime, moonlight, 夜, 夜景, 月夜"),
}
SEASON_WORDS: Mapping[str, tuple[str, ...]] = {
    "spring": ("spring", "春"),
    "summer": ("summer", "夏"),
    "autumn": _words("autumn, fall colours, fall colors, 秋, 紅葉"),
    "winter": _words("winter, snow, snowy, 冬, 雪"),
}
#: Short forms that stand in a tracker's field alone, where nothing else can be meant.
_SHORT: Mapping[str, tuple[str, ...]] = {
    "day": ("day", "d", "デイ"),
    "night": ("n", "ナイト"),
    "sunset": ("夕", "黄昏", "sundown"),
    "morning": ("m", "明け方"),
    "autumn": ("fall",),
}
#: The weather, and what else a board asks for, by what models read.
_BOARD_WORDS: Mapping[str, tuple[str, ...]] = {
    "clear weather": _words("clear, sunny, fine, 晴れ, 晴, 快晴, 晴天"),
    "overcast sky": _words("overcast, cloudy, 曇り, 曇天, くもり, 曇"),
    "rain, wet ground": _words("rain, rainy, raining, 雨, 雨天, 小雨"),
    "heavy rain": _words("heavy rain, downpour, 大雨, 豪雨, 土砂降り"),
    "sudden evening shower": _words("shower, 夕立, にわか雨"),
    "early summer rain": _words("rainy season, 梅雨"),
    "after rain, puddles": _words("after rain, puddles, 雨上がり, 水たまり"),
    "falling snow": _words("snow, snowing, snowfall, 雪, 降雪, 粉雪"),
    "snow lying on everything": _words("snow cover, snowy, 積雪, 雪景色"),
    "blizzard": _words("blizzard, 吹雪"),
    "fog": _words("fog, foggy, mist, misty, 霧, 靄, もや, 霞"),
    "strong wind": _words("wind, windy, strong wind, 強風, 風"),
    "storm, dark clouds": _words("storm, stormy, typhoon, 嵐, 台風, 暴風雨"),
    "lightning": _words("thunder, lightning, 雷, 稲妻"),
    "rainbow": _words("rainbow, 虹"),
    "starry sky": _words("stars, starry, 星空, 満天の星"),
    "full moon": _words("full moon, 満月"),
    "moonlight": _words("moonlight, 月明かり, 月光"),
    "backlight": _words("backlight, backlit, 逆光"),
    "dappled light through leaves": _words("dappled light, 木漏れ日, 木もれ日"),
    "dim light": _words("dim, 薄暗い, 薄暗がり"),
    "lit street lamps": _words("street lamps, 街灯, 街灯り"),
    "lit windows": _words("lit windows, 窓明かり, 窓の灯り"),
    "view from high above": _words("high angle, bird's-eye, 俯瞰, フカン"),
    "view from below": _words("low angle, アオリ, 煽り, あおり"),
    "wide-angle view": _words("wide angle, wide-angle, 広角"),
    "telephoto view": _words("telephoto, 望遠"),
    "cherry blossom": _words("cherry blossom, cherry trees, 桜, 桜並木"),
    "autumn leaves": _words("autumn leaves, 紅葉, 落ち葉"),
    "sunflowers": _words("sunflowers, ひまわり, 向日葵"),
    "hydrangeas": _words("hydrangeas, あじさい, 紫陽花"),
    "rice paddies": _words("rice paddies, rice fields, 田んぼ, 田園, 水田"),
    "shrine": _words("shrine, 神社"),
    "temple": _words("temple, 寺, お寺"),
    "torii gate": _words("torii, 鳥居"),
    "stone steps": _words("stone steps, 石段, 石階段"),
    "shopping street": _words("shopping street, arcade, 商店街"),
    "alley": _words("alley, back street, 路地, 路地裏, 裏道"),
    "residential street": _words("residential street, 住宅街"),
    "level crossing": _words("level crossing, 踏切, 踏み切り"),
    "railway station": _words("station, railway station, 駅, 駅前"),
    "station platform": _words("platform, ホーム, 駅のホーム"),
    "harbour": _words("port, harbour, harbor, 港, 港町, 漁港"),
    "lighthouse": _words("lighthouse, 灯台"),
    "sea": _words("sea, ocean, 海"),
    "beach": _words("beach, 海岸, 砂浜, 浜辺"),
    "river": _words("river, 川, 河原"),
    "bridge": _words("bridge, 橋"),
    "village": _words("village, 村, 集落"),
    "town": _words("town, 町, 街"),
    "school building": _words("school, 校舎, 学校"),
    "classroom": _words("classroom, 教室"),
    "school roof": _words("school roof, rooftop, 屋上"),
    "tatami room": _words("tatami room, 和室, 座敷"),
    "veranda of an old house": _words("engawa, 縁側"),
    "corridor": _words("corridor, 廊下"),
    "kitchen": _words("kitchen, 台所"),
    "ruins": _words("ruins, ruined, 廃墟"),
    "signboards": _words("signboards, 看板"),
    "washing on a line": _words("washing, laundry, 洗濯物"),
    "vending machine": _words("vending machine, 自販機, 自動販売機"),
    "people": _words("people, crowd, 人, 人物, 人影, モブ"),
}
#: What stands after a Japanese word, or before an English one, that must not be seen.
_JA_NONE = ("は描かない", "を描かない", "なし", "無し", "ナシ", "不要", "いらない", "抜き")
_EN_NONE = re.compile(r"^(?:no|without|not)\s+(?:any\s+)?", re.IGNORECASE)
#: What holds words together and asks for nothing.
_JA_GLUE = re.compile(
    r"[\sのがはをにでとへもやよりからまで、。,.・:;!?()（）「」『』\[\]〜~\-–—/]|です|ます|する|ある"
)


def _board_table() -> Mapping[str, str]:
    table = {plain_name(word): text for text, words in _BOARD_WORDS.items() for word in words}
    for subject, names in SUBJECTS.items():
        if subject is not Subject.PICTURE:
            for word in names.ja.split("・"):
                table.setdefault(plain_name(word), names.en)
    for name, words in (*SEASON_WORDS.items(), *TIME_WORDS.items()):
        for word in words:
            table.setdefault(plain_name(word), name)
    return table


_BOARD = _board_table()
_LONGEST_FIRST = sorted(_BOARD, key=len, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardWords:
    """What a text asks of a picture, in the words that models know."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()  #: phrases, or what is left of them, that are in no table


def board_words(text: str) -> BoardWords:
    """
    Return what a note, weather or location asks of a picture.

    English is taken as it is written where it is not in the table; Japanese is translated as far
    as the table goes, and the rest of a phrase is given back as unread.
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    unread: list[str] = []
    for phrase in _phrases(text):
        plain, refused = _without_refusal(phrase)
        found, rest = _known(plain)
        into = unwanted if refused else wanted
        if rest and not found and _is_latin(rest):
            found, rest = (plain,), ""
        into.extend(found)
        if rest:
            unread.append(phrase if not found else rest)
    return BoardWords(
        wanted=tuple(dict.fromkeys(wanted)),
        unwanted=tuple(dict.fromkeys(unwanted)),
        unread=tuple(dict.fromkeys(unread)),
    )


def _phrases(text: str) -> Iterator[str]:
    for part in re.split(r"[,、。;；\n\r/／]|(?<=\w)\.(?:\s|$)", text):
        phrase = " ".join(part.split())
        if phrase:
            yield phrase


def _without_refusal(phrase: str) -> tuple[str, bool]:
    for ending in _JA_NONE:
        if phrase.endswith(ending) and len(phrase) > len(ending):
            return phrase.removesuffix(ending), True
    plain = _EN_NONE.sub("", phrase)
    return plain, plain != phrase


def _known(phrase: str) -> tuple[tuple[str, ...], str]:
    """Return what a phrase asks for, and what of it is not known."""
    plain = plain_name(phrase)
    whole = _BOARD.get(plain)
    if whole is not None:
        return (whole,), ""
    if plain.isascii():
        # A sentence in English says more than the words in it that a table knows.
        return (), plain
    found: list[tuple[int, str]] = []
    rest = plain
    for word in _LONGEST_FIRST:
        if not word.isascii() and word in rest:
            found.append((plain.index(word), _BOARD[word]))
            rest = rest.replace(word, "\n")
    return tuple(text for _, text in sorted(found)), _JA_GLUE.sub("", rest)


def _is_latin(text: str) -> bool:
    return not re.search(r"[^\x00-\u024f\u2010-\u2027]", text)


def season_or_time(text: str, kinds: Mapping[str, tuple[str, ...]]) -> str:
    """
    Return the season or time of day that a tracker's field says; empty where it is none, or two.

    Args:
        text: the field's.
        kinds: `SEASON_WORDS` or `TIME_WORDS`.
    """
    plain = plain_name(text)
    known = {
        plain_name(word): name
        for name, words in kinds.items()
        for word in (name, *words, *_SHORT.get(name, ()))
    }
    if plain in known:
        return known[plain]
    rest, found = plain, set[str]()
    for word in sorted(known, key=len, reverse=True):
        if len(word) == 1 and word.isascii():
            continue
        pattern = rf"(?<![\w]){re.escape(word)}(?![\w])" if word.isascii() else re.escape(word)
        if re.search(pattern, rest):
            found.add(known[word])
            rest = re.sub(pattern, " ", rest)
    return found.pop() if len(found) == 1 else ""


def fill_prompt(text: str, words: Mapping[str, str]) -> str:
    """
    Return `text` with its tokens filled in.

    Seasons and times become the words that models know; others are taken as they are. A phrase
    whose tokens all stay empty, as by an unknown place, is dropped with its comma.

    Args:
        text: with tokens such as `{place}`.
        words: what fills each token, by its name.
    """
    spoken = {
        **words,
        "season": SEASON_PROMPTS.get(words.get("season", ""), words.get("season", "")),
        "time": TIME_PROMPTS.get(words.get("time", ""), words.get("time", "")),
    }
    made: list[str] = []
    for phrase in text.split(","):
        tokens = [token for token in re.findall(r"\{(\w+)\}", phrase) if token in spoken]
        if tokens and not any(spoken[token] for token in tokens):
            continue
        for token in tokens:
            # Not str.format: a recipe's braces must not reach into our objects.
            phrase = phrase.replace(f"{{{token}}}", spoken[token])  # noqa: PLW2901
        made.append(phrase)
    return ", ".join(part for one in ",".join(made).split(",") if (part := one.strip()))
