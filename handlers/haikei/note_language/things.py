"""What notes call the things in a picture, their places and their colours, in both languages."""

from collections.abc import Mapping

from haikei.note_language.plain_words import words
from haikei.presets import Part, Subject

#: Nouns of the things that a reading of the layout tells apart.
SUBJECT_WORDS: Mapping[Subject, tuple[str, ...]] = {
    Subject.PICTURE: words(
        "everything, all of it, whole picture, whole image, the picture, the image, "
        "whole scene, entire scene, the scene, the shot, the background, overall, in general, "
        "all over, the whole thing, 全体, 全体的, 画面, 画面全体, 画全体, 絵全体, 全部, "
        "背景全体, 背景"
    ),
    Subject.SKY: words("sky, skies, 空, 大空, 青空, 夜空"),
    Subject.CLOUDS: ("clouds", "cloud", "雲"),
    Subject.HILL: words(
        "hill, hills, mountain, mountains, ridge, ridges, 山, 山々, 山並み, 丘, 遠山"
    ),
    Subject.FOREST: words("forest, forests, woods, woodland, 森, 林"),
    Subject.TREE: words(
        "tree, trees, foliage, leaves, bush, bushes, shrubs, hedge, hedges, 木, 木々, 樹, "
        "樹木, 葉, 葉っぱ, 植え込み, 茂み, 生垣"
    ),
    Subject.TRUNK: words("trunk, trunks, tree trunk, tree trunks, 幹"),
    Subject.GRASS: words("grass, lawn, meadow, field, fields, 草, 芝生, 草むら, 草原, 草地"),
    Subject.GROUND: words("ground, soil, 地面, 地べた, 土"),
    Subject.PATH: words(
        "road, roads, street, streets, path, paths, pavement, sidewalk, lane, platform, quay, "
        "asphalt, stairs, steps, 道, 道路, 歩道, 路面, 石畳, アスファルト, 階段, 小道, "
        "ホーム, 岸壁"
    ),
    Subject.WATER: words(
        "water, sea, ocean, river, lake, pond, stream, 水, 海, 川, 湖, 池, 水面, 海面"
    ),
    Subject.HOUSE: words(
        "house, houses, building, buildings, home, homes, hut, cottage, shop, "
        "station building, 家, 家々, 建物, 民家, 家屋, 小屋, ビル, 駅舎, 校舎, お店"
    ),
    Subject.WALL: words("wall, walls, facade, façade, 壁, 外壁, 壁面"),
    Subject.ROOF: words("roof, roofs, rooftop, rooftops, roof tiles, 屋根, 瓦, 屋根瓦"),
    Subject.WINDOW: words("window, windows, panes, glass, 窓, 窓ガラス, ガラス"),
    Subject.DOOR: words("door, doors, 扉, ドア, 戸, 玄関"),
    Subject.POLE: words(
        "pole, poles, utility pole, utility poles, telephone pole, telephone poles, "
        "power pole, power poles, telegraph poles, mast, masts, post, posts, 電柱, 柱, "
        "ポール, 支柱, 電信柱"
    ),
    Subject.WIRES: words(
        "power line, power lines, powerline, powerlines, wire, wires, cable, cables, "
        "power cables, overhead line, overhead lines, telephone wires, telephone lines, "
        "electric wires, electric lines, 電線, 架線, ケーブル, 送電線, ワイヤー, 配線"
    ),
    Subject.BOAT: words("boat, boats, ship, ships, 船, 舟, ボート, 漁船"),
    Subject.VEHICLE: words(
        "car, cars, train, trains, bus, truck, vehicle, vehicles, 車, 自動車, 電車, 列車, "
        "バス, トラック"
    ),
    Subject.FENCE: words(
        "fence, fences, railing, railings, torii, pier, 柵, フェンス, 塀, 鳥居, 桟橋, 手すり"
    ),
    Subject.ROCK: words("rock, rocks, stone, stones, boulder, boulders, cliff, 岩, 石, 崖, 岩場"),
    Subject.SAND: words("sand, beach, 砂, 砂浜, 浜辺, 浜"),
    Subject.SNOW: ("snow", "雪"),
    Subject.RAIL: words("rail, rails, track, tracks, railway, 線路, レール"),
    Subject.LAMP: words(
        "lamp, lamps, lantern, lanterns, street lamp, street lamps, street light, "
        "street lights, streetlight, streetlights, 街灯, ランプ, 提灯, 電灯, 照明"
    ),
    Subject.FIGURE: words(
        "person, persons, people, figure, figures, character, characters, 人, 人物, 人々, "
        "人影, キャラ, キャラクター"
    ),
    Subject.FLOOR: words("floor, floors, tatami, 床, 畳, フローリング"),
    Subject.CEILING: ("ceiling", "天井"),
    Subject.FURNITURE: words(
        "furniture, table, tables, chair, chairs, desk, desks, sofa, bed, shelf, shelves, "
        "家具, 机, 椅子, テーブル, ソファ, 棚, ベッド"
    ),
}
#: Things that people name and that no region of a layout stands for.
UNSEEN = words(
    "shadow, shadows, reflection, reflections, highlight, highlights, flower, flowers, sun, "
    "moon, star, stars, bird, birds, sign, signs, text, texture, outline, outlines, "
    "perspective, composition, camera, horizon, smoke, rain, chimney, 影, 陰, 映り込み, 反射, "
    "ハイライト, 花, 太陽, 月, 星, 鳥, 看板, 文字, 質感, 線画, 輪郭線, 輪郭, パース, "
    "レイアウト, カメラ, 構図, 煙, 雨, 煙突"
)
PART_WORDS: Mapping[Part, tuple[str, ...]] = {
    Part.LEFT: words(
        "left, on the left, at left, at the left, left side, left half, left-hand, "
        "on the left side, on the left hand side, on the left-hand side, leftmost, 左, 左側, "
        "左手, 左端, 左半分, 画面左"
    ),
    Part.RIGHT: words(
        "right, on the right, at right, at the right, right side, right half, right-hand, "
        "on the right side, on the right hand side, on the right-hand side, rightmost, 右, "
        "右側, 右手, 右端, 右半分, 画面右"
    ),
    Part.NEAR: words(
        "front, in front, in the front, up front, foreground, in the foreground, near, "
        "nearest, nearby, close to us, closest, near us, 手前, 手前側, 前景, 近景, 近く, 前面"
    ),
    Part.FAR: words(
        "behind, background, in the back, at the back, in back, back, in the background, "
        "distance, in the distance, distant, far, far away, farther away, further away, rear, "
        "奥, 奥側, 遠景, 遠く, 後ろ, 背後, 遠方, 奥の方"
    ),
    Part.TOP: words(
        "top, at the top, top half, upper, upper half, upper part, 上側, 上部, 上の, 上の方, "
        "上半分, 画面上"
    ),
    Part.BOTTOM: words(
        "bottom, at the bottom, bottom half, lower half, lower part, 下側, 下部, 下の, "
        "下の方, 下半分, 画面下"
    ),
    Part.MIDDLE: words(
        "middle, in the middle, centre, center, in the centre, in the center, 中央, 真ん中, 中心"
    ),
    Part.BIG: words(
        "big, biggest, large, largest, tall, tallest, huge, 大きい, 大きな, 一番大きい, "
        "一番大きな, でかい, 巨大な"
    ),
    Part.SMALL: words("small, smallest, little ones, 小さい, 小さな"),
}
#: Names of colours by their name in `COLOURS`; Japanese ones without their endings.
COLOUR_WORDS: Mapping[str, tuple[str, ...]] = {
    "red": words(
        "red, crimson, scarlet, vermilion, terracotta, 赤, 赤色, 真っ赤, 朱, 朱色, 紅色, レッド"
    ),
    "orange": words("orange, 橙, 橙色, オレンジ, オレンジ色"),
    "yellow": ("yellow", "黄", "黄色", "イエロー"),
    "green": words("green, olive, 緑, 緑色, グリーン, 黄緑, 黄緑色, みどり"),
    "turquoise": words("turquoise, teal, cyan, 青緑, 青緑色, 水色, エメラルド, エメラルドグリーン"),
    "blue": words("blue, 青, 青色, 真っ青, ブルー, 藍色"),
    "navy": ("navy", "navy blue", "紺", "紺色"),
    "purple": words("purple, violet, lilac, lavender, 紫, 紫色, パープル"),
    "pink": words("pink, magenta, ピンク, ピンク色, 桃色, 桜色"),
    "brown": words("brown, 茶, 茶色, ブラウン, こげ茶, 焦げ茶, 焦げ茶色"),
    "beige": words(
        "beige, cream, cream-coloured, cream-colored, ivory, tan, ベージュ, クリーム, クリーム色"
    ),
    "gold": words("gold, golden, 金, 金色, ゴールド"),
    "white": words("white, 白, 白色, 真っ白, ホワイト"),
    "grey": words("grey, gray, silver, 灰, 灰色, グレー, ねずみ色, 銀色, シルバー"),
    "black": words("black, 黒, 黒色, 真っ黒, ブラック"),
}
#: One word that moves something towards a hue.
TINT_WORDS: Mapping[str, tuple[str, ...]] = {
    "red": ("redder", "reddish", "more reddish"),
    "orange": ("oranger",),
    "yellow": ("yellower", "yellowish"),
    "blue": ("bluer", "bluish"),
    "purple": ("purpler", "purplish"),
    "pink": ("pinker", "pinkish", "rosier"),
    "brown": ("browner", "brownish"),
    "white": ("whiter", "whitish"),
    "grey": ("greyer", "grayer", "greyish", "grayish"),
    "black": ("blacker", "blackish"),
    "green": ("greenish",),
}
#: Endings behind a Japanese colour that move towards it: 青っぽく, 青みを, 青寄りに.
JA_TINT_ENDS = words("っぽい, っぽく, っぽ, みがかった, みがかって, み, 味, 寄り, より, め")
SHADE_WORDS: Mapping[str, tuple[str, ...]] = {
    "light": words("light, lighter, bright, brighter, 明るい, 明るめの, 明るめな, ライト"),
    "dark": words("dark, darker, deep, deeper, 濃い, 濃いめの, 暗い, 暗めの, 深い, 濃く, ダーク"),
    "pale": words("pale, paler, pastel, faint, soft, 薄い, 淡い, 薄く, 淡く, うすい, パステル"),
    "vivid": words("vivid, strong, rich, 鮮やかな, 鮮やかで, ビビッドな, 派手な"),
    "dull": words("dull, muted, dusty, greyish, grayish, くすんだ, 渋い, 落ち着いた"),
}
