"""Words that notes hold and that ask for nothing, and words that are no slips of others."""


def words(text: str) -> tuple[str, ...]:
    """Return the words of a list that is written as one text with commas, in its order."""
    return tuple(word for part in text.split(",") if (word := part.strip()))


#: Words that carry no wish and name no thing.
FILLER = words(
    "next to, beside, in front of, between, opposite, "
    "team, everyone, guys, folks, morning all, sensei, 先生, 皆さん, "
    "a, an, the, of, to, be, is, are, was, were, been, being, it's, its, his, her, their, "
    "our, your, my, i, we, you, he, she, they, us, me, please, pls, kindly, make, makes, "
    "made, making, turn, turned, paint, painted, repaint, colour it, color it, change, "
    "changed, set, get, give, have, has, had, having, let, let's, should, could, can, would, "
    "will, shall, may, might, must, need, needs, want, wants, like, i'd, we'd, i'll, we'll, "
    "i'm, we're, there's, there, here, just, also, still, too, so, then, now, again, maybe, "
    "perhaps, think, feel, feels, look, looks, looking, seem, seems, bit, little, lot, some, "
    "any, all, both, each, every, these, those, this, that, which, who, what, where, when, "
    "how, why, with, for, in, on, at, by, from, as, into, onto, over, under, up, down, out, "
    "off, than, if, or, do, does, did, done, go, goes, going, try, see, apply, use, bring, "
    "take, part, parts, side, area, areas, tone, tones, hue, shade, mood, feeling, look, "
    "version, take, shot, cut, hi, hello, hey, dear, thanks, thank, cheers, sorry, yes, yeah, "
    "ok, okay, um, uh, well, oh, one, ones, thing, time, next, same, other, another, even, "
    "only, right now, all right, alright, that's right, percent, per, cent, painted, kind, "
    "sort, quite, rather, bring out, work on, atmosphere, mostly, generally, sunset sky, "
    "in terms of, good morning, good evening, good night, back to, like this, i like it, "
    "in front of the camera, make sure, sure, am, pop, lit, お願いします, お願いいたします, "
    "お願い致します, お願い, 願います, よろしく, 宜しく, ください, 下さい, 頂けますか, "
    "頂けると, いただけますか, いただけると, もらえますか, もらえませんか, もらえると, "
    "してもらえ, 助かります, 思います, 思い, 感じ, 印象, 雰囲気, 修正, 調整, 変更, 指示, "
    "監督, 演出, 色, 色合い, 部分, 側, 方, 箇所, 所, 気, 様, 時間, 時間帯, 場合, 今, 次, "
    "前回, 今回, 再度, 改めて, 一度, 試し, 見せ, 見え, 見たい, 見る, 仕上げ, 塗っ, 塗り, "
    "染め, 出し, 出て, 変え, 替え, 直し, 直る, ちょうど, できれば, 可能, 可能なら, もし, "
    "とのこと, とのことです, ということ, です, ます, ました, でした, して, ほしいです, "
    "欲しいです, お疲れ様です, お疲れさまです, お世話になります, ありがとうございます, "
    "ありがとう, すみません, 申し訳ありません, 恐れ入ります, 全て, 夕方の, それと, あと, "
    "また, さらに, 更に, そして, とりあえず, やはり, やっぱり, 確認, 対応, 絵, 画, カット, "
    "こちら, そこ, ここ, 風, 的, 系, 版, バージョン, パターン, 希望, 状態, 程度, くらい, "
    "ぐらい, ほど, 大丈夫, 問題, 良く, よく, 件"
)
#: Words that look like a slip of a known one and are not.
OTHER_WORDS = frozenset(
    [
        "house",
        "horse",
        "mouse",
        "moose",
        "coat",
        "boast",
        "goat",
        "flower",
        "lower",
        "slower",
        "tower",
        "rower",
        "bread",
        "read",
        "ready",
        "read",
        "grey",
        "great",
        "grand",
        "round",
        "sound",
        "found",
        "pound",
        "mound",
        "wall",
        "walk",
        "ball",
        "tall",
        "well",
        "will",
        "wind",
        "winds",
        "window",
        "lamb",
        "lame",
        "limp",
        "shop",
        "ship",
        "chip",
        "whip",
        "shape",
        "sharp",
        "stair",
        "stare",
        "start",
        "state",
        "stats",
        "stone",
        "store",
        "story",
        "score",
        "scare",
        "scene",
        "seen",
        "green",
        "greed",
        "greet",
        "tree",
        "three",
        "free",
        "reef",
        "road",
        "roar",
        "roam",
        "load",
        "toad",
        "broad",
        "board",
        "pain",
        "paint",
        "point",
        "print",
        "plant",
        "plane",
        "place",
        "plate",
        "slate",
        "skate",
        "dress",
        "press",
        "wires",
        "wives",
        "wider",
        "pole",
        "pale",
        "mole",
        "hole",
        "role",
        "whole",
        "boat",
        "beat",
        "bleat",
        "float",
        "pier",
        "peer",
        "sand",
        "send",
        "hand",
        "land",
        "band",
        "blue",
        "blur",
        "glue",
        "clue",
        "pine",
        "pink",
        "ping",
        "wink",
        "sink",
        "link",
        "rink",
        "think",
        "thing",
        "brow",
        "crown",
        "grown",
        "groan",
        "brain",
        "brawn",
        "light",
        "right",
        "night",
        "fight",
        "might",
        "tight",
        "sight",
        "eight",
        "weight",
        "clear",
        "clean",
        "clearly",
        "cold",
        "gold",
        "bold",
        "told",
        "hold",
        "cool",
        "pool",
        "tool",
        "wood",
        "food",
        "mood",
        "good",
        "warn",
        "warp",
        "warms",
        "worm",
        "form",
        "farm",
        "harm",
        "dust",
        "rust",
        "must",
        "just",
        "lust",
        "mist",
        "most",
        "post",
        "past",
        "last",
        "fast",
        "cast",
        "vast",
        "signs",
        "sings",
        "songs",
        "bright",
        "brought",
        "bring",
        "stool",
        "floor",
        "flour",
        "door",
        "doors",
        "later",
        "after",
        "water",
        "waiter",
        "wetter",
        "letter",
        "better",
        "butter",
        "matter",
        "latter",
    ]
)
