"""The words that notes are read by, in English and Japanese: qualities, ways, amounts, refusals."""

from collections.abc import Mapping

from haikei.note_language.plain_words import words
from haikei.presets import Quality

#: Lights that are switched on where a clause names nothing but them and their place.
LAMPS = words("lights, 明かり, 灯り, あかり")
#: As photographers count light, by the percent that is meant.
STOPS: Mapping[int, tuple[str, ...]] = {
    50: words("a stop, one stop, 1 stop, a full stop, 一段, 1段, 一絞り"),
    25: words("half a stop, half stop, a half stop, 1/2 stop, 半段, 半絞り"),
}
#: What people call a quality after "more", "less" and their likes.
NOUNS: Mapping[Quality, tuple[str, ...]] = {
    Quality.GREEN: words("green, greens, greenery, vegetation, 緑, みどり, グリーン"),
    Quality.CLOUDS: ("clouds", "cloud", "cloudiness", "雲"),
    Quality.WARMTH: words("warmth, warm tones, orange, 暖色, 暖かみ, 温かみ, 暖かさ"),
    Quality.LIGHT: (
        *words("light, brightness, lightness, glow, 明るさ, 明度, 光, 光量"),
        *LAMPS,
        *(word for stops in STOPS.values() for word in stops),
    ),
    Quality.CONTRAST: ("contrast", "コントラスト", "メリハリ"),
    Quality.SATURATION: words(
        "saturation, colour, color, colours, colors, chroma, 彩度, 色味, 鮮やかさ"
    ),
    Quality.HAZE: words(
        "haze, mist, fog, aerial perspective, atmospheric perspective, 霞, もや, 靄, 霧, 空気感, "
        "空気遠近"
    ),
}
#: Words that say by themselves which way a quality is to be turned.
COMPARATIVES: Mapping[str, tuple[Quality, int]] = {
    "greener": (Quality.GREEN, 1),
    "lusher": (Quality.GREEN, 1),
    "lush": (Quality.GREEN, 1),
    "cloudier": (Quality.CLOUDS, 1),
    "overcast": (Quality.CLOUDS, 1),
    "cloudy": (Quality.CLOUDS, 1),
    "warmer": (Quality.WARMTH, 1),
    "warm": (Quality.WARMTH, 1),
    "warm up": (Quality.WARMTH, 1),
    "warmly": (Quality.WARMTH, 1),
    "cooler": (Quality.WARMTH, -1),
    "cool": (Quality.WARMTH, -1),
    "colder": (Quality.WARMTH, -1),
    "cold": (Quality.WARMTH, -1),
    "cool down": (Quality.WARMTH, -1),
    "cool off": (Quality.WARMTH, -1),
    "chillier": (Quality.WARMTH, -1),
    "brighter": (Quality.LIGHT, 1),
    "bright": (Quality.LIGHT, 1),
    "brighten": (Quality.LIGHT, 1),
    "brighten up": (Quality.LIGHT, 1),
    "lighten": (Quality.LIGHT, 1),
    "lighten up": (Quality.LIGHT, 1),
    "lighter": (Quality.LIGHT, 1),
    "light up": (Quality.LIGHT, 1),
    "sunnier": (Quality.LIGHT, 1),
    "darker": (Quality.LIGHT, -1),
    "dark": (Quality.LIGHT, -1),
    "darken": (Quality.LIGHT, -1),
    "dim": (Quality.LIGHT, -1),
    "dimmer": (Quality.LIGHT, -1),
    "dim down": (Quality.LIGHT, -1),
    "gloomier": (Quality.LIGHT, -1),
    "softer": (Quality.CONTRAST, -1),
    "soften": (Quality.CONTRAST, -1),
    "flatter": (Quality.CONTRAST, -1),
    "punchier": (Quality.CONTRAST, 1),
    "contrasty": (Quality.CONTRAST, 1),
    "vivid": (Quality.SATURATION, 1),
    "more vivid": (Quality.SATURATION, 1),
    "saturate": (Quality.SATURATION, 1),
    "saturated": (Quality.SATURATION, 1),
    "richer": (Quality.SATURATION, 1),
    "colourful": (Quality.SATURATION, 1),
    "colorful": (Quality.SATURATION, 1),
    "livelier": (Quality.SATURATION, 1),
    "desaturate": (Quality.SATURATION, -1),
    "desaturated": (Quality.SATURATION, -1),
    "mute": (Quality.SATURATION, -1),
    "muted": (Quality.SATURATION, -1),
    "duller": (Quality.SATURATION, -1),
    "dull": (Quality.SATURATION, -1),
    "paler": (Quality.SATURATION, -1),
    "washed out": (Quality.SATURATION, -1),
    "hazier": (Quality.HAZE, 1),
    "hazy": (Quality.HAZE, 1),
    "mistier": (Quality.HAZE, 1),
    "misty": (Quality.HAZE, 1),
    "foggier": (Quality.HAZE, 1),
    "foggy": (Quality.HAZE, 1),
    "crisper": (Quality.HAZE, -1),
    "crisp": (Quality.HAZE, -1),
    "clearer": (Quality.HAZE, -1),
    "明るく": (Quality.LIGHT, 1),
    "明るい": (Quality.LIGHT, 1),
    "明るめ": (Quality.LIGHT, 1),
    "明るくし": (Quality.LIGHT, 1),
    "暗く": (Quality.LIGHT, -1),
    "暗い": (Quality.LIGHT, -1),
    "暗め": (Quality.LIGHT, -1),
    "暗くし": (Quality.LIGHT, -1),
    "暗くなり": (Quality.LIGHT, -1),
    "暖かく": (Quality.WARMTH, 1),
    "暖かい": (Quality.WARMTH, 1),
    "暖かめ": (Quality.WARMTH, 1),
    "温かく": (Quality.WARMTH, 1),
    "暖色に": (Quality.WARMTH, 1),
    "暖色寄り": (Quality.WARMTH, 1),
    "あたたかく": (Quality.WARMTH, 1),
    "寒色に": (Quality.WARMTH, -1),
    "寒色寄り": (Quality.WARMTH, -1),
    "冷たく": (Quality.WARMTH, -1),
    "寒々しく": (Quality.WARMTH, -1),
    "涼しく": (Quality.WARMTH, -1),
    "涼しげに": (Quality.WARMTH, -1),
    "鮮やかに": (Quality.SATURATION, 1),
    "鮮やか": (Quality.SATURATION, 1),
    "派手に": (Quality.SATURATION, 1),
    "渋く": (Quality.SATURATION, -1),
    "くすませ": (Quality.SATURATION, -1),
    "地味に": (Quality.SATURATION, -1),
    "淡く": (Quality.SATURATION, -1),
    "柔らかく": (Quality.CONTRAST, -1),
    "やわらかく": (Quality.CONTRAST, -1),
    "くっきり": (Quality.CONTRAST, 1),
    "霞ませ": (Quality.HAZE, 1),
    "霞んだ": (Quality.HAZE, 1),
    "ぼんやり": (Quality.HAZE, 1),
    "曇らせ": (Quality.CLOUDS, 1),
    "曇りに": (Quality.CLOUDS, 1),
    "曇り空に": (Quality.CLOUDS, 1),
}
#: Japanese words that say that there is too much of something, and which way it is then turned.
TOO_MUCH: Mapping[str, tuple[Quality, int]] = {
    "暗すぎ": (Quality.LIGHT, 1),
    "暗過ぎ": (Quality.LIGHT, 1),
    "明るすぎ": (Quality.LIGHT, -1),
    "明る過ぎ": (Quality.LIGHT, -1),
    "鮮やかすぎ": (Quality.SATURATION, -1),
    "鮮やか過ぎ": (Quality.SATURATION, -1),
    "派手すぎ": (Quality.SATURATION, -1),
    "暖かすぎ": (Quality.WARMTH, -1),
    "冷たすぎ": (Quality.WARMTH, 1),
    "地味すぎ": (Quality.SATURATION, 1),
    "霞みすぎ": (Quality.HAZE, -1),
}
MORE = words(
    "more, increase, add, boost, stronger, too little, too few, raise, push, higher, turn up, "
    "heavier, strengthen, 増や, 増し, 足し, もっと, 強く, 強め, 上げ, 多く, 多め, 足りな, "
    "欲し, ほし, 加え, かけて, 高く, 高め"
)
#: Straight behind the name of a quality they ask for more of it: 空気感がほしい.
WANTED = words("ほしい, 欲しい")
LESS = words(
    "less, fewer, not so, not as, not quite so, not quite as, reduce, too much, too many, "
    "lower, weaker, weaken, tone down, turn down, decrease, ease off, cut back, calm down, calm, "
    "tame, rein in, pull back, dial back, dial down, knock back, knock down, bring down, 減ら, "
    "抑え, "
    "弱く, 弱め, 下げ, 少なく, 少なめ, 控え, 多すぎ, 多過ぎ, 強すぎ, 強過ぎ, 濃すぎ, 落とし, "
    "低く, 低め, 和らげ, 落ち着か, 落ち着け, 控えて"
)
#: What follows the name of a quality: "the green is too strong".
AFTER_LESS = words("too strong, too much, too heavy, too high, too dense")
AFTER_MORE = ("too weak", "too little", "too low", "too thin")
NONE = ("no", "without", "zero")
#: What takes a thing out of the picture.
REMOVE = words(
    "remove, removed, removing, leave out, left out, delete, deleted, erase, erased, "
    "get rid of, take out, take away, taken out, drop, lose, clear away, kill, scrap, ditch, "
    "wipe, cut out, eliminate, should go, must go, has to go, have to go, "
    "should not be there, shouldn't be there, should disappear, disappear, vanish, hide, "
    "clean out, get out, 消し, 消す, 消去, 削除, 取って, 取る, 取り除, 取り去, 取り払, "
    "なくし, 無くし, なしで, なしに, 無しで, 無しに, なし, 除去, 外し, 抜い, 撤去, 省い"
)
#: They take a thing out, or refuse what stands before them: 電線はいらない, 増やすのは不要.
NOT_NEEDED = words(
    "don't want, do not want, don't need, do not need, not needed, no longer needed, "
    "いらない, 要らない, いりません, 要りません, 不要, 必要ない, 必要はない, 必要ありません, "
    "必要はありません"
)
#: Behind a thing they take it out: "all clouds out", "take the fence away".
REMOVE_BEHIND = ("out", "away", "gone", "off")
#: They narrow what was asked before to what they name: "warmer, but only the walls".
ONLY = ("only", "just", "だけ", "のみ")
#: Colours of which there can be too much in all of a picture, and which way its warmth then goes.
CASTS: Mapping[str, int] = {"blue": 1, "red": -1, "orange": -1, "yellow": -1}
#: Behind a quality they turn it: "knock the contrast down".
BEHIND_MORE, BEHIND_LESS = ("up",), ("down", "back", "off")
#: A sky out of which the clouds are taken.
CLEAR_SKY = words(
    "cloudless, cloudless sky, clear sky, clear skies, a clear sky, cloud-free, 快晴, "
    "雲ひとつない, 雲一つない, 雲のない"
)
STRONGLY = words(
    "much, a lot, way, far, very, strongly, significantly, considerably, greatly, really, "
    "もっと, かなり, 大幅, 大幅に, ずっと, とても, だいぶ, すごく, 思い切り, 思いっきり, "
    "ぐっと, 大きく"
)
SLIGHTLY = words(
    "slightly, a bit, a little, a touch, somewhat, a tad, a little bit, just a bit, subtly, "
    "少し, やや, ちょい, ちょっと, 若干, もう少し, もうちょっと, わずかに, 少しだけ, 気持ち, "
    "ほんのり, 微妙に, 多少"
)
#: Amounts that are named, in percent.
AMOUNTS: Mapping[int, tuple[str, ...]] = {
    50: (
        *words("half, by half, half as, half as many, half as much, halve, 半分, 半分に, 半減"),
        *STOPS[50],
    ),
    25: ("a quarter", "by a quarter", *STOPS[25]),
    33: ("a third", "by a third"),
    100: words(
        "completely, totally, fully, entirely, twice, twice as, double, 完全に, すべて, 倍, 倍に"
    ),
}
KEEP_SEED = words(
    "keep seed, keep the seed, same seed, same composition, 同じシード, シード維持, "
    "シードはそのまま, 構図はそのまま"
)
NEW_SEED = words(
    "new seed, another seed, different seed, other seed, another variation, another version, "
    "another take, シード変更, シードを変え, 別シード, 別のシード, 別パターン, 別案"
)
CHANGE = words("make, at, to, change, set, in, as, should be, want, try, now")
KEEP = words("keep, like, love, good, nice, ok, fine")
#: What leaves a thing as it is.
KEEP_AS_IT_IS = words(
    "keep, leave, preserve, as it is, as is, as they are, as it was, alone, unchanged, "
    "untouched, don't touch, do not touch, don't change, do not change, hands off, そのまま, "
    "そのままで, 触らない, 触らず, さわらない, いじらない, いじらず, 変えない, 変えず, "
    "変更しない, 維持, キープ, 残し, 残す"
)
#: What sets a thing apart from the rest.
APART = words(
    "except, except for, apart from, other than, everything but, excluding, 以外, 以外は, "
    "以外を, 以外の, を除いて, を除き, を除く, は除いて"
)
#: A clause with one of these asks for nothing, whatever else stands in it.
REFUSED = words(
    "not, never, no more, no need, no change, no changes, don't, dont, doesn't, didn't, "
    "isn't, aren't, wasn't, won't, can't, cannot, shouldn't, wouldn't, mustn't, avoid, stop"
)
#: The moment or colour behind one of these is the one that is not wanted.
INSTEAD = ("instead of", "rather than", "from", "not")
JA_CHANGE = words("のバージョン, バージョン, 版, に, で, へ, 変更, して")
#: The same in Japanese. Polite requests end in ませんか, and 足りない asks for more.
JA_REFUSED = words(
    "ないで, ないように, ない方が, ないほうが, なくていい, なくて良い, なくてよい, "
    "なくて大丈夫, なくてもいい, なくても良い, なくてもよい, なくて結構, やめて, じゃない, "
    "ではない, せずに, ずに"
)
#: How a clause ends that says what is not to be done.
JA_REFUSED_ENDS = ("さない", "しない", "やさない", "らさない")
JA_INSTEAD = words("ではなく, でなく, じゃなく, から, より")
JA_KEEP = words("いい, 良い, 維持, そのまま, 好き, OK")
#: A clause with one of these praises.
PRAISE = words(
    "like, love, nice, good, great, beautiful, perfect, lovely, fine, works, happy, いい, "
    "良い, よい, 好き, 素敵, 綺麗, きれい, 素晴らしい, 最高, ok, バッチリ"
)
#: A clause with one of these wishes, also where it praises what it wishes for.
WISH = words(
    "would be, would like, i'd like, we'd like, would love, i'd love, should, could, please, "
    "can you, can we, could you, want, need, needs, better if, make, 方がいい, ほうがいい, "
    "方が良い, ほうが良い, 方がよい, といい, と良い, たらいい, がいいです, ほしい, 欲しい, "
    "お願い, ください, 下さい, 頂け, いただけ, もらえ"
)
#: A sentence that begins so asks why or whether.
WHY = words(
    "why, what is, what's, who, when, where, is, are, was, were, does, did, do you, has, "
    "have you, which, how many, なぜ, 何故, どうして, なんで, 誰, いつ"
)
#: What no generator of ours does to a thing that is drawn.
BEYOND = words(
    "move, shift, rotate, zoom, crop, bigger, smaller, nearer, larger, taller, shorter, "
    "wider, narrower, resize, draw, insert, put, place, replace, swap, flip, straighten, "
    "redraw, thicker, thinner, closer, 動か, 移動, 追加, 描い, 描き足し, 描き直, ずらし, "
    "ずらす, 置い, 配置, 回転, 反転, 差し替え, 入れ替え, 小さく, 広く, 太く, 細く, 短く, "
    "長く, 寄せ, 近づけ, 入れ"
)
