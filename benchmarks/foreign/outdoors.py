"""Open country: sea, woods, snow, a river, a village, a castle and a ruin."""

import numpy as np

from foreign.board import Board, down_to, lobes, oval, ragged, rectangle
from haikei.reading import Kind


def clouds(b: Board, count: int, low: float = 0.3) -> None:
    """Draw clouds: heaps, or flat lenses."""
    for _ in range(count):
        x, y = b.random.uniform(0, b.aspect), b.random.uniform(0.06, low)
        wide = b.random.uniform(0.1, 0.24)
        if b.random.random() < 0.35:
            b.shape(oval(x, y, wide, wide * 0.14), Kind.CLOUD, 0.7)
        else:
            heap = lobes(b.random, x, y, wide, wide * 0.36, int(b.random.integers(8, 14)))
            heap[:, 1] = np.minimum(heap[:, 1], y + wide * 0.22)
            b.shape(heap, Kind.CLOUD, 0.7)


def tree(b: Board, x: float, foot: float, high: float) -> None:
    """Draw a tree: one of three ways to draw its crown."""
    thick = high * 0.055
    way = b.random.integers(0, 3)
    if way == 2:
        b.shape(rectangle(x - thick * 0.6, foot - high * 0.2, x + thick * 0.6, foot), Kind.TRUNK)
        for tier in range(3):
            top = foot - high * (1.0 - 0.24 * tier)
            half = high * (0.16 + 0.09 * tier)
            low = top + high * 0.36
            rim = [(x + half * (1 - t / 3), low - (t % 2) * high * 0.03) for t in range(7)]
            b.shape([(x, top), *rim], Kind.TREE)
        return
    trunk = [
        (x - thick, foot),
        (x - thick * 0.5, foot - high * 0.35),
        (x - thick * 1.4, foot - high * 0.55),
        (x + thick * 1.2, foot - high * 0.55),
        (x + thick * 0.6, foot - high * 0.3),
        (x + thick, foot),
    ]
    b.shape(trunk, Kind.TRUNK)
    wide = high * b.random.uniform(0.28, 0.38)
    if way == 0:
        crown = lobes(
            b.random, x, foot - high * 0.68, wide, high * 0.3, int(b.random.integers(9, 16))
        )
        b.shape(crown, Kind.TREE)
        for _ in range(4):
            at = (
                x + b.random.uniform(-0.6, 0.6) * wide,
                foot - high * b.random.uniform(0.55, 0.85),
            )
            curl = oval(*at, wide * 0.16, wide * 0.1)[:16]
            b.stroke(curl, 0.5)
    else:
        for dx, dy, size in ((-0.5, 0.6, 0.62), (0.5, 0.63, 0.6), (0.0, 0.78, 0.8)):
            leaf = lobes(
                b.random, x + dx * wide, foot - high * dy, wide * size, high * 0.24 * size / 0.7, 18
            )
            leaf += b.random.uniform(-0.004, 0.004, leaf.shape)
            b.shape(leaf, Kind.TREE)


def bush(b: Board, x: float, foot: float, wide: float) -> None:
    """Draw a bush on the ground."""
    outline = lobes(b.random, x, foot - wide * 0.25, wide, wide * 0.45, 9)
    outline[:, 1] = np.minimum(outline[:, 1], foot)
    b.shape(outline, Kind.TREE)


def rock(b: Board, x: float, foot: float, wide: float) -> None:
    """Draw a boulder with one facet."""
    r = b.random.uniform(0.7, 1.2, 5)
    top = foot - wide * 0.6
    b.shape(
        [
            (x - wide, foot),
            (x - wide * 0.8 * r[0], foot - wide * 0.4 * r[1]),
            (x - wide * 0.2, top * 1.0),
            (x + wide * 0.5 * r[2], top + wide * 0.1),
            (x + wide * r[3], foot - wide * 0.1),
            (x + wide * 0.8, foot),
        ],
        Kind.ROCK,
    )
    b.stroke([(x - wide * 0.2, top), (x, foot - wide * 0.3), (x + wide * 0.1, foot)], 0.6)


def ground(b: Board, level: float, kind: Kind, rough: float = 0.0) -> None:
    """Draw ground from a level down to the bottom."""
    b.shape(down_to(ragged(b.random, -0.1, b.aspect + 0.1, level, rough), 1.2), kind)


def hills(b: Board, level: float, kind: Kind = Kind.HILL) -> None:
    """Draw one or two far ridges."""
    for rise in (0.07, 0.035):
        b.shape(
            down_to(ragged(b.random, -0.1, b.aspect + 0.1, level - rise, rise), level + 0.1),
            kind,
            0.7,
        )


def cottage(b: Board, x: float, foot: float, size: float) -> None:
    """Draw a house seen at a corner: two walls, a roof with its gable."""
    wide, deep, high = size, size * 0.55, size * 0.55
    ridge, slip = size * 0.42, size * 0.12
    b.shape(rectangle(x, foot - high, x + wide, foot), Kind.WALL)
    b.shape(
        [
            (x, foot),
            (x - deep, foot - slip),
            (x - deep, foot - high - slip * 0.6),
            (x - deep / 2, foot - high - ridge),
            (x, foot - high),
        ],
        Kind.WALL,
        shade=True,
    )
    b.shape(
        [
            (x - deep / 2, foot - high - ridge),
            (x + wide - deep * 0.3, foot - high - ridge),
            (x + wide + size * 0.07, foot - high + size * 0.05),
            (x - size * 0.02, foot - high + size * 0.05),
        ],
        Kind.ROOF,
    )
    b.shape(
        [
            (x - deep / 2, foot - high - ridge),
            (x - deep - size * 0.08, foot - high + size * 0.02),
            (x - deep - size * 0.06, foot - high - size * 0.06),
            (x - deep / 2 + size * 0.02, foot - high - ridge * 1.12),
        ],
        Kind.ROOF,
    )
    b.shape(
        rectangle(x + wide * 0.1, foot - high * 0.72, x + wide * 0.34, foot - high * 0.3),
        Kind.WINDOW,
    )
    b.stroke([(x + wide * 0.22, foot - high * 0.72), (x + wide * 0.22, foot - high * 0.3)], 0.6)
    b.shape(rectangle(x + wide * 0.6, foot - high * 0.75, x + wide * 0.82, foot), Kind.DOOR)


def port(b: Board) -> None:
    """A harbour: sea, boats at a quay, sheds, a light on the mole."""
    sea = b.random.uniform(0.42, 0.52)
    clouds(b, 3)
    hills(b, sea)
    ground(b, sea, Kind.WATER)
    b.shape(
        [
            (b.aspect * 0.6, sea + 0.015),
            (b.aspect + 0.1, sea - 0.01),
            (b.aspect + 0.1, sea + 0.05),
            (b.aspect * 0.62, sea + 0.035),
        ],
        Kind.ROCK,
    )
    x = b.aspect * 0.66
    b.shape(
        [(x, sea + 0.02), (x + 0.01, sea - 0.16), (x + 0.045, sea - 0.16), (x + 0.055, sea + 0.02)],
        Kind.WALL,
    )
    b.shape(rectangle(x + 0.005, sea - 0.2, x + 0.05, sea - 0.16), Kind.LAMP)
    for index in range(3):
        x, y = 0.5 + index * 0.36 + b.random.uniform(-0.05, 0.05), sea + 0.1 + index * 0.05
        size = 0.1 + 0.05 * index
        b.shape(
            [
                (x - size, y),
                (x + size * 1.1, y - size * 0.1),
                (x + size * 0.9, y + size * 0.3),
                (x - size * 0.8, y + size * 0.3),
            ],
            Kind.HULL,
        )
        b.shape(
            rectangle(x - size * 0.5, y - size * 0.4, x + size * 0.1, y - size * 0.02), Kind.HULL
        )
        b.shape(
            rectangle(x - size * 0.4, y - size * 0.32, x - size * 0.1, y - size * 0.15), Kind.WINDOW
        )
        b.shape(
            rectangle(x + size * 0.3, y - size * 1.1, x + size * 0.34, y - size * 0.05), Kind.POST
        )
        b.stroke(
            [(x + size * 0.32, y - size * 1.1), (x + size * 1.1, y - size * 0.1)], 0.5, Kind.WIRE
        )
    for _ in range(14):
        x, y = b.random.uniform(0.3, b.aspect), b.random.uniform(sea + 0.03, 0.8)
        b.stroke([(x, y), (x + 0.03, y + 0.004), (x + 0.06, y)], 0.5)
    quay = [(-0.1, sea + 0.06), (0.22, sea + 0.06), (b.aspect * 0.72, 1.1), (-0.1, 1.1)]
    b.shape(quay, Kind.PAVING)
    b.shape(
        [(0.22, sea + 0.06), (0.235, sea + 0.08), (b.aspect * 0.74, 1.16), (b.aspect * 0.72, 1.1)],
        Kind.PAVING,
    )
    cottage(b, 0.1, sea + 0.12, 0.22)
    for at in (0.25, 0.5, 0.8):
        x, y = 0.22 + (b.aspect * 0.72 - 0.22) * at, sea + 0.06 + (1.04 - sea) * at
        s = 0.02 + 0.03 * at
        b.shape(rectangle(x - 2 * s, y - s * 1.6, x - s, y), Kind.POST)


def forest_path(b: Board) -> None:
    """Between trees: trunks that leave the picture, a path, light from the end of it."""
    level = b.random.uniform(0.5, 0.6)
    b.shape(down_to(ragged(b.random, -0.1, b.aspect + 0.1, level - 0.3, 0.06), 0.9), Kind.FOREST)
    ground(b, level, Kind.GRASS, 0.015)
    end = b.aspect * b.random.uniform(0.4, 0.6)
    b.shape(
        [
            (end - 0.03, level),
            (end + 0.04, level),
            (end + 0.1, 0.72),
            (end + 0.5, 1.1),
            (end - 0.5, 1.1),
            (end - 0.06, 0.75),
        ],
        Kind.EARTH,
    )
    for _ in range(9):
        x = b.random.uniform(0, b.aspect)
        if abs(x - end) < 0.15:
            continue
        foot = b.random.uniform(level + 0.02, 0.7)
        thick = (foot - level + 0.1) * 0.12
        b.shape(
            [
                (x - thick, foot),
                (x - thick * 0.7, -0.1),
                (x + thick * 0.7, -0.1),
                (x + thick, foot),
            ],
            Kind.TRUNK,
        )
    for x, wide in ((0.12, 0.09), (b.aspect - 0.2, 0.12)):
        b.shape(
            [
                (x - wide * 1.5, 1.0),
                (x - wide, 0.85),
                (x - wide * 0.8, -0.1),
                (x + wide * 0.7, -0.1),
                (x + wide, 0.8),
                (x + wide * 1.6, 1.0),
            ],
            Kind.TRUNK,
        )
        b.stroke([(x, 0.2), (x + 0.01, 0.4), (x - 0.01, 0.6)], 0.6)
    for at in (0.15, 0.5, 0.85):
        crown = lobes(b.random, b.aspect * at, -0.04, 0.36, 0.22, 22)
        b.shape(crown, Kind.TREE)
    for at in (0.3, 0.42, 1.3):
        bush(b, b.aspect * at * 0.7, 0.82 + b.random.uniform(0, 0.1), 0.1)
    rock(b, end + 0.36, 0.86, 0.06)


def beach(b: Board) -> None:
    """Sea and sand, rocks, a hut, a palm or a pine."""
    sea = b.random.uniform(0.36, 0.46)
    clouds(b, 3, sea - 0.1)
    ground(b, sea, Kind.WATER)
    b.shape(
        down_to(ragged(b.random, b.aspect * 0.7, b.aspect + 0.2, sea - 0.04, 0.05), sea + 0.01),
        Kind.HILL,
    )
    shore = np.array([(-0.1, 0.66), (0.4, 0.62), (0.9, 0.66), (1.3, 0.6), (b.aspect + 0.1, 0.52)])
    for slip in (-0.05, -0.02):
        b.stroke(shore + np.array([0.0, slip]), 0.6)
    b.shape(down_to(shore, 1.2), Kind.SAND)
    for at in (0.2, 0.27, 1.4):
        rock(b, at, 0.72, b.random.uniform(0.04, 0.08))
    cottage(b, b.aspect * 0.7, 0.72, 0.24)
    x = b.aspect * 0.42
    b.shape(
        [
            (x, 0.9),
            (x + 0.03, 0.6),
            (x + 0.08, 0.38),
            (x + 0.1, 0.38),
            (x + 0.06, 0.62),
            (x + 0.04, 0.9),
        ],
        Kind.TRUNK,
    )
    for turn in np.linspace(-2.8, -0.2, 6):
        tip = (x + 0.09 + 0.22 * np.cos(turn), 0.4 + 0.16 * np.sin(turn))
        b.shape(
            [
                (x + 0.09, 0.37),
                ((x + 0.09 + tip[0]) / 2, (0.37 + tip[1]) / 2 - 0.05),
                tip,
                ((x + 0.09 + tip[0]) / 2, (0.37 + tip[1]) / 2),
            ],
            Kind.TREE,
        )
    b.shape([(0.9, 0.86), (1.2, 0.83), (1.22, 0.88), (0.94, 0.92)], Kind.WOOD)


def snow_field(b: Board) -> None:
    """Snow, firs, a fence, a far barn, mountains."""
    level = b.random.uniform(0.5, 0.6)
    clouds(b, 2)
    for _ in range(3):
        x = b.random.uniform(0, b.aspect)
        peak = [
            (x - 0.5, level + 0.02),
            (x - 0.2, level - 0.14),
            (x, level - 0.3),
            (x + 0.12, level - 0.2),
            (x + 0.2, level - 0.22),
            (x + 0.6, level + 0.02),
        ]
        b.shape(peak, Kind.HILL)
        b.stroke(
            [(x - 0.08, level - 0.22), (x - 0.02, level - 0.18), (x + 0.03, level - 0.24)], 0.6
        )
    ground(b, level, Kind.SNOW, 0.02)
    cottage(b, b.aspect * 0.7, level + 0.06, 0.14)
    for _ in range(6):
        x = b.random.uniform(0, b.aspect)
        foot = level + b.random.uniform(0.02, 0.2)
        for tier in range(4):
            half, top = 0.03 + 0.018 * tier, foot - 0.26 + 0.055 * tier
            b.shape(
                [(x, top), (x + half, top + 0.09), (x, top + 0.075), (x - half, top + 0.09)],
                Kind.TREE,
            )
    b.shape(down_to(ragged(b.random, -0.1, b.aspect + 0.1, 0.82, 0.03), 1.2), Kind.SNOW)
    for index in range(7):
        x, y = 0.05 + index * 0.2, 0.78 + 0.012 * index
        b.shape(rectangle(x, y - 0.12, x + 0.022, y + 0.05), Kind.WOOD)
        if index:
            for up in (0.09, 0.04):
                b.shape(
                    [
                        (x - 0.178, y - up - 0.012),
                        (x, y - up),
                        (x, y - up + 0.018),
                        (x - 0.178, y - up + 0.006),
                    ],
                    Kind.WOOD,
                )


def bridge(b: Board) -> None:
    """A river under a bridge, banks with reeds, a town behind."""
    far = b.random.uniform(0.44, 0.5)
    clouds(b, 3, 0.22)
    hills(b, far)
    for index in range(9):
        x = index * 0.21 + b.random.uniform(-0.03, 0.03)
        high, wide = b.random.uniform(0.05, 0.16), b.random.uniform(0.08, 0.17)
        b.shape(rectangle(x, far - high, x + wide, far + 0.02), Kind.WALL)
        b.shape(
            [
                (x - 0.01, far - high),
                (x + wide / 2, far - high - 0.05),
                (x + wide + 0.01, far - high),
            ],
            Kind.ROOF,
        )
        for dx in (0.25, 0.65):
            b.shape(
                rectangle(
                    x + wide * dx, far - high * 0.7, x + wide * (dx + 0.16), far - high * 0.4
                ),
                Kind.WINDOW,
            )
    ground(b, far, Kind.GRASS)
    b.shape(down_to(ragged(b.random, -0.1, b.aspect + 0.1, far + 0.12, 0.01), 1.2), Kind.WATER)
    deck = far + 0.02
    arch = [
        (-0.1, deck + 0.01),
        (0.5, deck - 0.06),
        (b.aspect / 2, deck - 0.08),
        (b.aspect - 0.5, deck - 0.06),
        (b.aspect + 0.1, deck + 0.01),
    ]
    lower = [(x, y + 0.07) for x, y in reversed(arch)]
    for x in (0.42, b.aspect - 0.46):
        b.shape(
            [(x, deck), (x + 0.06, deck), (x + 0.08, far + 0.26), (x - 0.02, far + 0.26)],
            Kind.WALL,
            shade=True,
        )
    b.shape([*arch, *lower], Kind.WALL)
    for x in np.linspace(0, b.aspect, 22):
        y = float(np.interp(x, [p[0] for p in arch], [p[1] for p in arch]))
        b.shape(rectangle(x - 0.005, y - 0.05, x + 0.005, y), Kind.POST)
    b.stroke([(x, y - 0.05) for x, y in arch], 0.8, Kind.POST)
    for _ in range(16):
        x, y = b.random.uniform(0, b.aspect), b.random.uniform(far + 0.28, 0.95)
        b.stroke([(x, y), (x + 0.05, y + 0.005), (x + 0.1, y)], 0.5)
    b.shape([(-0.1, 0.7), (0.25, 0.78), (0.5, 0.93), (0.55, 1.1), (-0.1, 1.1)], Kind.GRASS)
    for _ in range(4):
        bush(b, b.random.uniform(0, 0.4), 0.9 + b.random.uniform(0, 0.08), 0.06)
    tree(b, b.aspect - 0.2, 1.05, 0.85)


def village(b: Board) -> None:
    """Houses among fields, a lane, a wood, poles with wires."""
    level = b.random.uniform(0.44, 0.54)
    clouds(b, 3)
    hills(b, level)
    b.shape(
        down_to(
            np.concatenate(
                [
                    lobes(b.random, x, level - 0.02, 0.09, 0.05, 8)[:30]
                    for x in np.arange(0, b.aspect, 0.17)
                ]
            ),
            level + 0.05,
        ),
        Kind.FOREST,
    )
    ground(b, level, Kind.GRASS, 0.006)
    b.shape([(0.1, 0.6), (0.55, 0.58), (0.4, 0.7), (-0.1, 0.74), (-0.1, 0.62)], Kind.EARTH)
    b.stroke([(-0.1, 0.66), (0.3, 0.62)], 0.5)
    lane = b.aspect * 0.55
    b.shape(
        [
            (lane, level + 0.02),
            (lane + 0.03, level + 0.02),
            (lane - 0.02, 0.64),
            (lane + 0.1, 0.78),
            (lane + 0.45, 1.1),
            (lane - 0.3, 1.1),
            (lane - 0.14, 0.8),
            (lane - 0.1, 0.66),
        ],
        Kind.EARTH,
    )
    cottage(b, b.aspect * 0.3, level + 0.1, 0.15)
    cottage(b, b.aspect * 0.74, level + 0.16, 0.24)
    tree(b, b.aspect * 0.92, level + 0.24, 0.42)
    tree(b, b.aspect * 0.12, level + 0.2, 0.36)
    tops: list[tuple[float, float]] = []
    for at, foot in ((0.47, level + 0.06), (0.44, 0.72), (0.36, 0.98)):
        x, high = b.aspect * at, (foot - level + 0.08) * 1.3
        b.shape(
            [
                (x - 0.006, foot),
                (x - 0.004, foot - high),
                (x + 0.004, foot - high),
                (x + 0.006, foot),
            ],
            Kind.POST,
        )
        tops.append((x, foot - high * 0.95))
    for here, there in zip(tops, [*tops[1:], (-0.1, 0.05)], strict=True):
        sag = ((here[0] + there[0]) / 2, (here[1] + there[1]) / 2 + 0.03)
        b.stroke([here, sag, there], 0.5, Kind.WIRE)
    b.shape(rectangle(b.aspect * 0.66, 0.82, b.aspect * 0.665 + 0.01, 0.95), Kind.WOOD)
    b.shape(rectangle(b.aspect * 0.66, 0.84, b.aspect + 0.1, 0.86), Kind.WOOD)


def castle(b: Board) -> None:
    """A Japanese keep on its stone base, over a moat, pines."""
    level = b.random.uniform(0.6, 0.68)
    clouds(b, 3)
    hills(b, level)
    ground(b, level, Kind.GRASS, 0.01)
    x = b.aspect * b.random.uniform(0.42, 0.58)
    b.shape(
        [
            (x - 0.45, level + 0.06),
            (x - 0.32, level - 0.08),
            (x - 0.28, level - 0.16),
            (x + 0.28, level - 0.16),
            (x + 0.32, level - 0.08),
            (x + 0.45, level + 0.06),
        ],
        Kind.ROCK,
    )
    for row in range(3):
        y = level - 0.13 + row * 0.06
        b.stroke([(x - 0.3 - row * 0.03, y), (x + 0.3 + row * 0.03, y)], 0.5)
    for tier, half in enumerate((0.25, 0.19, 0.12)):
        base = level - 0.16 - tier * 0.15
        b.shape(rectangle(x - half, base - 0.1, x + half, base), Kind.WALL)
        for at in np.linspace(-0.7, 0.7, 5 - tier):
            b.shape(
                rectangle(x + half * at - 0.012, base - 0.075, x + half * at + 0.012, base - 0.035),
                Kind.WINDOW,
            )
        b.shape(
            [
                (x - half - 0.08, base - 0.08),
                (x - half - 0.02, base - 0.11),
                (x - half * 0.7, base - 0.16),
                (x + half * 0.7, base - 0.16),
                (x + half + 0.02, base - 0.11),
                (x + half + 0.08, base - 0.08),
                (x + half, base - 0.095),
                (x - half, base - 0.095),
            ],
            Kind.ROOF,
        )
    b.shape([(x - 0.1, level - 0.56), (x, level - 0.66), (x + 0.1, level - 0.56)], Kind.ROOF)
    b.shape(
        [(-0.1, level + 0.1), (b.aspect + 0.1, level + 0.08), (b.aspect + 0.1, 1.1), (-0.1, 1.1)],
        Kind.WATER,
    )
    b.shape([(-0.1, 0.9), (b.aspect * 0.6, 0.94), (b.aspect * 0.7, 1.1), (-0.1, 1.1)], Kind.PAVING)
    tree(b, 0.16, 0.96, 0.6)
    tree(b, b.aspect - 0.14, level + 0.12, 0.3)


def ruin(b: Board) -> None:
    """Broken columns and an arch in the grass, ivy, mountains."""
    level = b.random.uniform(0.5, 0.6)
    clouds(b, 3)
    hills(b, level)
    ground(b, level, Kind.GRASS, 0.012)
    b.shape(
        [(0.2, level + 0.06), (b.aspect - 0.3, level + 0.05), (b.aspect, 0.86), (-0.05, 0.88)],
        Kind.PAVING,
    )
    for _ in range(5):
        x, y = b.random.uniform(0.2, b.aspect - 0.2), b.random.uniform(0.68, 0.84)
        b.stroke([(x, y), (x + 0.1, y + 0.01), (x + 0.14, y + 0.05)], 0.5)
    x = b.aspect * 0.5
    ring = [
        (x + 0.3 * np.cos(t), level - 0.12 - 0.3 * np.sin(t)) for t in np.linspace(0, np.pi, 24)
    ]
    inner = [
        (x + 0.2 * np.cos(t), level - 0.12 - 0.2 * np.sin(t)) for t in np.linspace(np.pi, 0, 24)
    ]
    b.shape(
        [
            (x + 0.3, level + 0.14),
            *ring,
            (x - 0.3, level + 0.14),
            (x - 0.2, level + 0.14),
            *inner,
            (x + 0.2, level + 0.14),
        ],
        Kind.WALL,
    )
    for t in np.linspace(0.2, np.pi - 0.2, 8):
        b.stroke(
            [
                (x + 0.2 * np.cos(t), level - 0.12 - 0.2 * np.sin(t)),
                (x + 0.3 * np.cos(t), level - 0.12 - 0.3 * np.sin(t)),
            ],
            0.6,
        )
    for at, high in ((0.12, 0.5), (0.25, 0.3), (0.8, 0.42), (0.94, 0.24)):
        x, foot = b.aspect * at, level + 0.16 + 0.1 * abs(at - 0.5)
        wide = 0.045
        top = foot - high
        b.shape(
            [
                (x - wide, foot),
                (x - wide, top),
                (x - wide * 0.3, top + 0.03),
                (x + 0.01, top - 0.01),
                (x + wide, top + 0.04),
                (x + wide, foot),
            ],
            Kind.POST,
        )
        b.shape(rectangle(x - wide * 1.4, foot - 0.03, x + wide * 1.4, foot + 0.015), Kind.ROCK)
        b.stroke([(x - wide * 0.3, top + 0.06), (x - wide * 0.3, foot - 0.04)], 0.5)
    for _ in range(3):
        rock(
            b,
            b.random.uniform(0.2, b.aspect),
            b.random.uniform(0.85, 0.95),
            b.random.uniform(0.05, 0.1),
        )
    bush(b, b.aspect * 0.36, level + 0.15, 0.07)
    bush(b, b.aspect * 0.86, 0.97, 0.16)
