"""Built places, seen through an eye: streets, steps, a station, a works, a city from above."""

from itertools import pairwise

import numpy as np

from foreign.board import Board, Eye, Solid, lobes, oval, rectangle
from foreign.outdoors import bush, clouds, hills, tree
from haikei.reading import Kind


def flat(
    b: Board, x: tuple[float, float], z: tuple[float, float], kind: Kind, y: float = 0.0
) -> None:
    """Draw something level."""
    b.face([(x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1])], kind)


def on_side(
    b: Board,
    x: float,
    z: tuple[float, float],
    y: tuple[float, float],
    kind: Kind,
    weight: float = 0.8,
) -> None:
    """Draw something that lies in a wall along the street."""
    b.face([(x, y[0], z[0]), (x, y[0], z[1]), (x, y[1], z[1]), (x, y[1], z[0])], kind, weight)


def on_front(
    b: Board,
    x: tuple[float, float],
    y: tuple[float, float],
    z: float,
    kind: Kind,
    weight: float = 0.8,
) -> None:
    """Draw something that lies in a wall across the street."""
    b.face([(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)], kind, weight)


def pole(b: Board, x: float, z: float, high: float) -> Solid:
    """Draw an upright pole with an arm; returns where its wires hang."""
    b.block((x - 0.13, x + 0.13), (0, high), (z, z + 0.2), Kind.POST)
    b.block((x - 0.8, x + 0.8), (high - 0.8, high - 0.65), (z, z + 0.1), Kind.POST)
    return (x, high - 0.65, z)


def wires(b: Board, points: list[Solid]) -> None:
    """Hang wires from pole to pole."""
    for here, there in pairwise(points):
        for dx in (-0.7, 0.7):
            middle = (
                (here[0] + there[0]) / 2 + dx,
                (here[1] + there[1]) / 2 - 0.5,
                (here[2] + there[2]) / 2,
            )
            path = b.eye.see([(here[0] + dx, *here[1:]), middle, (there[0] + dx, *there[1:])])
            b.stroke(path[:3], 0.45, Kind.WIRE)


def shop(b: Board, side: float, z: tuple[float, float], high: float) -> None:
    """Draw one shop of a row: wall, upper windows, awning, a show window, a door."""
    x, out = side, side - np.sign(side) * 1.1
    deep = z[1] - z[0]
    b.block((min(x, x + np.sign(x) * 7), max(x, x + np.sign(x) * 7)), (0, high), z, Kind.WALL)
    on_side(b, x, z, (0, high), Kind.WALL)
    if b.random.random() < 0.6:
        b.face(
            [
                (x - np.sign(x) * 0.5, high - 0.1, z[0]),
                (x - np.sign(x) * 0.5, high - 0.1, z[1]),
                (x + np.sign(x) * 3, high + 1.5, z[1]),
                (x + np.sign(x) * 3, high + 1.5, z[0]),
            ],
            Kind.ROOF,
        )
    for part in (0.2, 0.6):
        on_side(
            b,
            x,
            (z[0] + deep * part, z[0] + deep * (part + 0.22)),
            (high * 0.6, high * 0.82),
            Kind.WINDOW,
        )
    on_side(b, x, (z[0] + deep * 0.08, z[0] + deep * 0.6), (0.5, 2.2), Kind.WINDOW)
    on_side(b, x, (z[0] + deep * 0.68, z[0] + deep * 0.9), (0.0, 2.2), Kind.DOOR)
    b.face(
        [
            (x, 3.0, z[0] + 0.1),
            (x, 3.0, z[1] - 0.1),
            (out, 2.5, z[1] - 0.1),
            (out, 2.5, z[0] + 0.1),
        ],
        Kind.OTHER,
    )
    if b.random.random() < 0.5:
        b.block((out - 0.1, out + 0.1), (3.2, 4.6), (z[0] + 0.4, z[0] + 0.7), Kind.OTHER)


def shopping_street(b: Board) -> None:
    """A row of shops on both sides, poles and wires, somebody walking."""
    b.eye = Eye(
        height=1.6,
        level=b.random.uniform(0.5, 0.6),
        middle=b.aspect * b.random.uniform(0.4, 0.6),
        focal=0.75,
        turn=b.random.uniform(-0.12, 0.12),
    )
    clouds(b, 2, 0.2)
    flat(b, (-60, 60), (0.1, 400), Kind.PAVING)
    on_front(b, (-14, 12), (0, 9), 62, Kind.WALL)
    for z in (46, 37, 29, 22, 16, 11, 7):
        for side in (-4.2, 4.0):
            shop(
                b,
                side,
                (z, z + {46: 9, 37: 8, 29: 7, 22: 6.5, 16: 5.5, 11: 4.5, 7: 3.6}[z]),
                b.random.uniform(5.5, 8.5),
            )
    b.line([(-2.6, 0, 1), (-2.6, 0, 60)])
    b.line([(2.6, 0, 1), (2.6, 0, 60)])
    tops = [pole(b, 3.2, z, 7.5) for z in (40, 25, 14, 8)]
    wires(b, tops)
    x, foot = b.aspect * 0.45, 0.8
    b.shape(oval(x, foot - 0.24, 0.022, 0.028), Kind.FIGURE)
    b.shape(
        [
            (x - 0.04, foot - 0.21),
            (x + 0.04, foot - 0.21),
            (x + 0.045, foot - 0.1),
            (x + 0.03, foot),
            (x - 0.03, foot),
            (x - 0.045, foot - 0.1),
        ],
        Kind.FIGURE,
    )


def alley(b: Board) -> None:
    """A narrow lane between walls, pipes, a lantern, pots, stairs at its end."""
    b.eye = Eye(
        height=1.4,
        level=b.random.uniform(0.54, 0.64),
        middle=b.aspect * b.random.uniform(0.42, 0.58),
        focal=0.72,
    )
    flat(b, (-3, 3), (0.1, 40), Kind.PAVING)
    on_front(b, (-6, 6), (0, 7), 24, Kind.WALL)
    for step in range(6):
        b.block(
            (-1.4, 1.4), (0.2 * (5 - step), 0.2 * (6 - step)), (19 - step * 0.5, 19.6), Kind.PAVING
        )
    for z, high in ((17, 8), (12, 6.5), (8, 9), (4.5, 7), (0.3, 8)):
        for side in (-1.5, 1.5):
            far = z + {17: 6, 12: 5, 8: 4, 4.5: 3.5, 0.3: 4.2}[z]
            on_side(b, side * 1.0, (z, far), (0, high + side), Kind.WALL)
            on_side(b, side, (z + 0.6, z + 1.7), (2.6, 3.9), Kind.WINDOW)
            if b.random.random() < 0.5:
                on_side(b, side, (z + 1.9, z + 2.8), (0, 2.1), Kind.DOOR)
            else:
                on_side(b, side, (z + 1.9, z + 2.7), (1.0, 1.9), Kind.WINDOW)
    b.block((-1.5, -1.36), (0, 6), (7.6, 7.8), Kind.POST)
    b.block((0.9, 1.45), (2.2, 2.9), (6, 6.4), Kind.LAMP)
    b.block((1.0, 1.4), (0, 0.45), (4.2, 4.6), Kind.OTHER)
    where = b.eye.see([(1.2, 0.8, 4.2), (1.2, 0.8, 4.4)])[0]
    b.shape(lobes(b.random, where[0], where[1], 0.07, 0.07, 9), Kind.TREE)
    b.block((-1.4, -0.8), (0, 0.9), (5, 5.6), Kind.WOOD)
    b.stroke(b.eye.see([(-1.5, 5.5, 9), (0, 5.0, 8.5), (1.5, 5.6, 8)]), 0.5, Kind.WIRE)


def shrine_steps(b: Board) -> None:
    """A stone stair through a torii, lanterns, cedars, a hall above."""
    b.eye = Eye(height=1.5, level=b.random.uniform(0.56, 0.64), middle=b.aspect / 2, focal=0.85)
    clouds(b, 2, 0.15)
    b.shape(
        [
            (0 - 0.1, 0.62),
            (0.3, 0.36),
            (b.aspect / 2, 0.24),
            (b.aspect - 0.3, 0.34),
            (b.aspect + 0.1, 0.6),
            (b.aspect + 0.1, 1.1),
            (-0.1, 1.1),
        ],
        Kind.FOREST,
    )
    for x in np.linspace(0.05, b.aspect - 0.05, 9):
        if abs(x - b.aspect / 2) > 0.25:
            tree(b, float(x) + b.random.uniform(-0.05, 0.05), 0.74, b.random.uniform(0.5, 0.75))
    flat(b, (-30, 30), (0.1, 9), Kind.EARTH)
    on_front(b, (-3.4, 3.4), (7.8, 10.8), 27, Kind.WALL)
    on_front(b, (-1.0, 1.0), (7.8, 10), 26.9, Kind.DOOR)
    b.face([(-5, 10.6, 26), (5, 10.6, 26), (2.6, 13, 27), (-2.6, 13, 27)], Kind.ROOF)
    for step in range(26, -1, -1):
        z, y = 9 + step * 0.6, 0.3 * step
        flat(b, (-2.4, 2.4), (z, z + 0.6), Kind.PAVING, y + 0.3)
        on_front(b, (-2.4, 2.4), (y, y + 0.3), z, Kind.PAVING, 0.6)
    for side in (-1, 1):
        b.face(
            [(side * 2.4, 0, 9), (side * 2.4, 8, 24.6), (side * 3, 8.2, 24.6), (side * 3, 0.4, 9)],
            Kind.ROCK,
        )
        b.block((side * 3.8 - 0.3, side * 3.8 + 0.3), (0, 1.5), (7, 7.5), Kind.ROCK)
        b.block((side * 3.8 - 0.4, side * 3.8 + 0.4), (1.5, 2.0), (6.9, 7.6), Kind.LAMP)
        b.block((side * 3.8 - 0.6, side * 3.8 + 0.6), (2.0, 2.3), (6.8, 7.7), Kind.ROCK)
    flat(b, (-2.0, 2.0), (0.1, 9), Kind.PAVING)
    for side in (-1, 1):
        b.block((side * 2.7 - 0.22, side * 2.7 + 0.22), (0, 4.4), (6, 6.4), Kind.WOOD)
    b.block((-3.2, 3.2), (3.5, 3.85), (6, 6.3), Kind.WOOD)
    b.face(
        [
            (-3.9, 4.7, 6),
            (-3.6, 4.4, 6),
            (3.6, 4.4, 6),
            (3.9, 4.7, 6),
            (3.9, 4.95, 6),
            (-3.9, 4.95, 6),
        ],
        Kind.WOOD,
    )


def station(b: Board) -> None:
    """A country platform: track, rails, shelter, name board, overhead wires, a train or none."""
    b.eye = Eye(
        height=2.6, level=b.random.uniform(0.46, 0.54), middle=b.aspect * 0.62, focal=0.8, turn=0.1
    )
    clouds(b, 3, 0.25)
    hills(b, b.eye.level)
    flat(b, (-90, 90), (0.1, 500), Kind.GRASS)
    for x in np.linspace(0.1, b.aspect, 6):
        bush(b, float(x), b.eye.level + 0.02, 0.06)
    flat(b, (-0.6, 3.6), (0.1, 300), Kind.EARTH)
    for z in np.geomspace(60, 1.4, 34):
        b.face(
            [(0.3, 0.02, z), (2.7, 0.02, z), (2.7, 0.02, z + 0.28), (0.3, 0.02, z + 0.28)],
            Kind.WOOD,
            0.6,
        )
    for x in (0.75, 2.2):
        b.face(
            [(x, 0.15, 0.3), (x + 0.09, 0.15, 0.3), (x + 0.09, 0.15, 200), (x, 0.15, 200)],
            Kind.RAIL,
            0.6,
        )
    b.block((-7, -1.0), (0, 1.0), (1.2, 80), Kind.PAVING)
    b.line([(-1.6, 1.0, 1.3), (-1.6, 1.0, 80)])
    if b.random.random() < 0.6:
        b.block((0.2, 2.9), (0.9, 4.0), (26, 60), Kind.VEHICLE)
        on_front(b, (0.5, 1.4), (2.3, 3.4), 26, Kind.WINDOW)
        on_front(b, (1.7, 2.6), (2.3, 3.4), 26, Kind.WINDOW)
        b.face([(1.3, 1.2, 25.9), (1.8, 1.2, 25.9), (1.8, 1.6, 25.9), (1.3, 1.6, 25.9)], Kind.LAMP)
    on_front(b, (-6.5, -3), (1.0, 3.6), 24, Kind.WALL)
    b.block((-6.5, -3.0), (1.0, 3.5), (14, 24), Kind.WALL)
    on_side(b, -3.0, (16, 18), (1.9, 3.0), Kind.WINDOW)
    on_side(b, -3.0, (20, 21.6), (1.0, 3.0), Kind.DOOR)
    on_front(b, (-5.6, -4.2), (1.9, 2.9), 14, Kind.WINDOW)
    b.face([(-7.5, 3.5, 13), (-2.2, 3.5, 13), (-4.8, 5.0, 14), (-4.8, 5.0, 14)], Kind.WALL)
    b.face([(-2.0, 3.4, 13), (-2.0, 3.4, 25), (-4.8, 5.1, 25), (-4.8, 5.1, 13)], Kind.ROOF)
    for z in (17, 10):
        b.block((-2.1, -1.9), (1.0, 3.4), (z, z + 0.2), Kind.POST)
    b.block((-4.4, -2.6), (2.0, 2.8), (8, 8.1), Kind.OTHER)
    for x in (-4.3, -2.75):
        b.block((x, x + 0.12), (1.0, 2.0), (8, 8.1), Kind.POST)
    b.block((-5.2, -3.4), (1.4, 1.5), (5.4, 5.9), Kind.WOOD)
    for x in (-5.0, -3.6):
        b.block((x, x + 0.08), (1.0, 1.4), (5.5, 5.7), Kind.WOOD)
    ends: list[Solid] = []
    for z in (50, 30, 17, 9):
        b.block((4.0, 4.25), (0, 6.6), (z, z + 0.25), Kind.POST)
        b.block((1.0, 4.1), (5.8, 5.95), (z, z + 0.1), Kind.POST)
        ends.append((1.6, 5.5, z))
    for here, there in pairwise(ends):
        b.stroke(b.eye.see([here, there]), 0.5, Kind.WIRE)


def factory(b: Board) -> None:
    """A works: saw-tooth roofs, chimneys, tanks, a yard with a lorry, a fence."""
    b.eye = Eye(
        height=3.0, level=b.random.uniform(0.5, 0.58), middle=b.aspect * 0.4, focal=0.9, turn=-0.15
    )
    clouds(b, 3, 0.25)
    flat(b, (-90, 90), (0.1, 400), Kind.PAVING)
    for x, high in ((-8.0, 26), (-3.0, 22), (14.0, 30)):
        b.face([(x, 0, 48), (x + 2.2, 0, 48), (x + 1.7, high, 48), (x + 0.5, high, 48)], Kind.POST)
        b.face(
            [
                (x + 0.35, high * 0.8, 47.9),
                (x + 1.85, high * 0.8, 47.9),
                (x + 1.8, high * 0.86, 47.9),
                (x + 0.4, high * 0.86, 47.9),
            ],
            Kind.POST,
        )
    b.block((-16, 10), (0, 7), (34, 50), Kind.WALL)
    for index in range(6):
        x = -16.0 + index * 4.33
        b.face([(x, 7, 34), (x + 4.33, 7, 34), (x + 4.33, 9.6, 34)], Kind.WALL)
        b.face([(x, 7, 34), (x + 4.33, 9.6, 34), (x + 4.33, 9.6, 48), (x, 7, 48)], Kind.ROOF)
        on_front(b, (x + 0.6, x + 3.6), (4, 6), 33.9, Kind.WINDOW)
        b.line([(x + 2.1, 4, 33.9), (x + 2.1, 6, 33.9)])
    on_front(b, (-6, -2), (0, 3.6), 33.9, Kind.DOOR)
    for x in (13.0, 19.0):
        b.face([(x, 0, 36), (x + 5, 0, 36), (x + 5, 8, 36), (x, 8, 36)], Kind.OTHER)
        b.face([(x, 8, 36), (x + 5, 8, 36), (x + 4, 9, 36), (x + 1, 9, 36)], Kind.ROOF)
        for y in (2, 4, 6):
            b.line([(x, y, 36), (x + 5, y, 36)], 0.5)
    b.block((9, 18), (5.5, 6.3), (33, 33.8), Kind.OTHER)
    b.block((3.0, 5.2), (0.6, 3.2), (16, 17), Kind.VEHICLE)
    b.block((2.9, 5.3), (0.6, 3.6), (17, 24), Kind.VEHICLE)
    on_front(b, (3.2, 5.0), (2.0, 2.9), 15.95, Kind.WINDOW)
    for x in (3.0, 4.8):
        where = b.eye.see([(x + 0.2, 0.5, 16), (x + 0.2, 0.0, 16)])
        size = float(where[1, 1] - where[0, 1])
        b.shape(oval(where[0, 0], where[0, 1], size * 0.5, size), Kind.VEHICLE)
    for x in np.arange(-14, 1, 1.6).tolist():
        b.block((x, x + 0.12), (0, 1.8), (9, 9.1), Kind.POST)
    for rail in (0.5, 1.5):
        b.block((-14, 0.5), (rail, rail + 0.08), (9, 9.05), Kind.POST)


def city_above(b: Board) -> None:
    """A city from a height: blocks to the horizon, a road, a tower."""
    b.eye = Eye(
        height=42,
        level=b.random.uniform(0.2, 0.3),
        middle=b.aspect * 0.5,
        focal=0.9,
        turn=b.random.uniform(0.2, 0.5),
    )
    clouds(b, 2, 0.12)
    hills(b, b.eye.level)
    flat(b, (-3000, 3000), (1, 9000), Kind.PAVING)
    cos, sin = np.cos(b.eye.turn), np.sin(b.eye.turn)
    lots = [(x, z) for x in range(-340, 341, 24) for z in range(20, 620, 26)]
    lots = [(x, z) for x, z in lots if x * sin + z * cos > 34 and not -2 < x / 24 % 6 < 0.9]
    lots.sort(key=lambda lot: -(lot[0] * sin + lot[1] * cos))
    for x, z in lots:
        if b.random.random() < 0.12:
            for _ in range(2):
                at = b.eye.see([(x + b.random.uniform(0, 15), 2, z), (x, 2, z + 1)])
                if len(at) and abs(at[0, 0]) < 4:
                    size = 6 * b.eye.focal / max(x * sin + z * cos, 20)
                    b.shape(lobes(b.random, at[0, 0], at[0, 1], size, size * 0.7, 8), Kind.TREE)
            continue
        wide, deep = b.random.uniform(12, 19), b.random.uniform(12, 20)
        far = x * sin + z * cos
        high = b.random.uniform(5, 16) if b.random.random() < 0.85 else b.random.uniform(18, 34)
        b.block((x, x + wide), (0, high), (z, z + deep), Kind.WALL, Kind.ROOF)
        if far < 130:
            for row in range(int(high / 4)):
                for column in range(3):
                    left = x + wide * (0.1 + 0.3 * column)
                    on_front(
                        b,
                        (left, left + wide * 0.18),
                        (1.4 + row * 4, 3.2 + row * 4),
                        z,
                        Kind.WINDOW,
                        0.5,
                    )
    tower, level = b.aspect * 0.75, b.eye.level
    b.shape(
        [
            (tower - 0.05, level + 0.2),
            (tower - 0.012, level - 0.1),
            (tower + 0.012, level - 0.1),
            (tower + 0.05, level + 0.2),
            (tower + 0.03, level + 0.2),
            (tower, level + 0.02),
            (tower - 0.03, level + 0.2),
        ],
        Kind.POST,
    )
    b.shape(rectangle(tower - 0.025, level - 0.03, tower + 0.025, level), Kind.POST)
