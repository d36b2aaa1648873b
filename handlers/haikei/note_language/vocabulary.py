"""The words that notes are read by, in English and Japanese."""

from collections.abc import Mapping

from haikei.presets import Quality

#: Times of day and seasons, by the values of `haikei.show.Season` and `TimeOfDay`.
TIME_WORDS: Mapping[str, tuple[str, ...]] = {
    "morning": ("morning", "dawn", "sunrise", "朝", "早朝", "夜明け", "朝焼け"),
    "day": ("daytime", "midday", "noon", "daylight", "昼", "日中", "真昼"),
    "sunset": ("sunset", "dusk", "evening", "golden hour", "夕方", "夕焼け", "夕暮れ", "夕景"),
    "night": ("night", "night-time", "nighttime", "moonlight", "夜", "夜景", "月夜"),
}
SEASON_WORDS: Mapping[str, tuple[str, ...]] = {
    "spring": ("spring", "春"),
    "summer": ("summer", "夏"),
    "autumn": ("autumn", "fall colours", "fall colors", "秋", "紅葉"),
    "winter": ("winter", "snow", "snowy", "冬", "雪"),
}
#: What people call a quality after "more", "less" and their likes.
NOUNS: Mapping[Quality, tuple[str, ...]] = {
    Quality.GREEN: ("green", "greens", "greenery", "vegetation", "緑", "みどり", "グリーン"),
    Quality.CLOUDS: ("clouds", "cloud", "cloudy", "雲"),
    Quality.WARMTH: ("warm", "warmth", "orange", "暖色", "暖かみ", "暖かさ"),
    Quality.LIGHT: ("light", "bright", "brightness", "明るさ", "光"),
    Quality.CONTRAST: ("contrast", "コントラスト", "メリハリ"),
    Quality.SATURATION: (
        "saturation",
        "saturated",
        "colour",
        "color",
        "vivid",
        "彩度",
        "色味",
        "鮮やかさ",
    ),
    Quality.HAZE: ("haze", "hazy", "mist", "misty", "fog", "foggy", "霞", "もや", "霧"),
}
#: Words that say by themselves which way a quality is to be turned.
COMPARATIVES: Mapping[str, tuple[Quality, int]] = {
    "greener": (Quality.GREEN, 1),
    "cloudier": (Quality.CLOUDS, 1),
    "overcast": (Quality.CLOUDS, 1),
    "cloudless": (Quality.CLOUDS, -1),
    "clear sky": (Quality.CLOUDS, -1),
    "warmer": (Quality.WARMTH, 1),
    "cooler": (Quality.WARMTH, -1),
    "colder": (Quality.WARMTH, -1),
    "bluer": (Quality.WARMTH, -1),
    "brighter": (Quality.LIGHT, 1),
    "lighter": (Quality.LIGHT, 1),
    "darker": (Quality.LIGHT, -1),
    "too dark": (Quality.LIGHT, 1),
    "too bright": (Quality.LIGHT, -1),
    "softer": (Quality.CONTRAST, -1),
    "flatter": (Quality.CONTRAST, -1),
    "punchier": (Quality.CONTRAST, 1),
    "more vivid": (Quality.SATURATION, 1),
    "desaturate": (Quality.SATURATION, -1),
    "desaturated": (Quality.SATURATION, -1),
    "muted": (Quality.SATURATION, -1),
    "too saturated": (Quality.SATURATION, -1),
    "hazier": (Quality.HAZE, 1),
    "mistier": (Quality.HAZE, 1),
    "crisper": (Quality.HAZE, -1),
    "明るく": (Quality.LIGHT, 1),
    "暗く": (Quality.LIGHT, -1),
    "暗すぎ": (Quality.LIGHT, 1),
    "明るすぎ": (Quality.LIGHT, -1),
    "暖かく": (Quality.WARMTH, 1),
    "暖色寄り": (Quality.WARMTH, 1),
    "寒色寄り": (Quality.WARMTH, -1),
    "冷たく": (Quality.WARMTH, -1),
    "鮮やかに": (Quality.SATURATION, 1),
    "渋く": (Quality.SATURATION, -1),
    "柔らかく": (Quality.CONTRAST, -1),
}
MORE = ("more", "increase", "add", "boost", "stronger", "not enough", "too little", "raise")
LESS = (
    "less",
    "fewer",
    "reduce",
    "too much",
    "too many",
    "remove",
    "lower",
    "weaker",
    "tone down",
    "turn down",
)
#: What is said of a quality after its name: "the green is too strong".
AFTER_LESS = ("too strong", "too much", "too heavy")
AFTER_MORE = ("too weak", "too little")
NONE = ("no", "without")
JA_MORE = ("増や", "足し", "もっと", "強く", "上げ", "多く", "足りな", "欲し")
JA_LESS = ("減ら", "抑え", "弱く", "下げ", "少なく", "控え", "多すぎ", "強すぎ", "なくし", "消し")
STRONGLY = ("much", "a lot", "way", "far", "very", "もっと", "かなり", "大幅", "ずっと", "とても")
SLIGHTLY = (
    "slightly",
    "a bit",
    "a little",
    "a touch",
    "somewhat",
    "少し",
    "やや",
    "ちょっと",
    "若干",
)
KEEP_SEED = (
    "keep seed",
    "keep the seed",
    "same seed",
    "same composition",
    "同じシード",
    "シード維持",
    "構図はそのまま",
)
NEW_SEED = ("new seed", "another seed", "シード変更", "別パターン")
CHANGE = ("make", "at", "to", "change", "set", "in", "as", "should be", "want", "try", "now")
KEEP = ("keep", "like", "love", "good", "nice", "ok", "fine")
#: A clause with one of these asks for nothing, whatever else stands in it.
REFUSED = (
    "not",
    "never",
    "no more",
    "don't",
    "doesn't",
    "didn't",
    "isn't",
    "aren't",
    "wasn't",
    "won't",
    "can't",
    "shouldn't",
    "wouldn't",
)
#: The moment behind one of these is the one that is not wanted.
INSTEAD = ("instead of", "rather than", "from", "not")
JA_CHANGE = ("に", "で", "へ", "変更", "して")
#: The same in Japanese. Polite requests end in ませんか, and 足りない asks for more.
JA_REFUSED = (
    "ないで",
    "ないように",
    "ない方が",
    "ないほうが",
    "なくていい",
    "なくて良い",
    "なくてよい",
    "なくて大丈夫",
    "なくてもいい",
    "なくても良い",
    "なくてもよい",
    "いらない",
    "要らない",
    "不要",
    "必要ない",
    "必要はない",
    "必要ありません",
    "必要はありません",
    "やめて",
)
#: How a clause ends that says what is not to be done.
JA_REFUSED_ENDS = ("さない", "しない")
JA_INSTEAD = ("ではなく", "でなく", "じゃなく", "から", "より")
JA_KEEP = ("いい", "良い", "維持", "そのまま", "好き", "OK")
