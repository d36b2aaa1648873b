"""Rooms: class, tatami, kitchen, corridor, café, a bedroom; what a window shows is outside."""

import numpy as np

from foreign.board import Board, Eye, lobes, oval
from foreign.towns import flat, on_front, on_side
from haikei.reading import Kind


def shell(b: Board, x: tuple[float, float], high: float, deep: float) -> None:
    """Draw the five faces of a room that its visitor sees."""
    flat(b, x, (0.1, deep), Kind.FLOOR)
    b.face(
        [(x[0], high, 0.1), (x[1], high, 0.1), (x[1], high, deep), (x[0], high, deep)], Kind.CEILING
    )
    on_side(b, x[0], (0.1, deep), (0, high), Kind.ROOM_WALL)
    on_side(b, x[1], (0.1, deep), (0, high), Kind.ROOM_WALL)
    on_front(b, x, (0, high), deep, Kind.ROOM_WALL)


def view(b: Board, side: float, z: tuple[float, float], y: tuple[float, float]) -> None:
    """Draw a window in a side wall, divided in two."""
    on_side(b, side, z, y, Kind.WINDOW)
    middle = (z[0] + z[1]) / 2
    on_side(b, side, (middle - 0.03, middle + 0.03), y, Kind.WOOD)


def desk(
    b: Board, x: float, z: float, wide: float = 0.65, deep: float = 0.45, high: float = 0.72
) -> None:
    """Draw a table on four legs."""
    for dz in (deep - 0.05, 0.0):
        for dx in (0.02, wide - 0.06):
            b.block((x + dx, x + dx + 0.04), (0, high), (z + dz, z + dz + 0.04), Kind.FURNITURE)
    b.block((x, x + wide), (high - 0.05, high), (z, z + deep), Kind.FURNITURE)


def chair(b: Board, x: float, z: float) -> None:
    """Draw a chair that is seen from behind."""
    for dx in (0.0, 0.34):
        b.block((x + dx, x + dx + 0.04), (0, 0.42), (z + 0.34, z + 0.38), Kind.FURNITURE)
    b.block((x, x + 0.38), (0.4, 0.44), (z, z + 0.38), Kind.FURNITURE)
    for dx in (0.0, 0.34):
        b.block((x + dx, x + dx + 0.04), (0, 0.8), (z, z + 0.04), Kind.FURNITURE)
    b.block((x, x + 0.38), (0.6, 0.8), (z, z + 0.03), Kind.FURNITURE)


def classroom(b: Board) -> None:
    """Desks in rows, a board, windows on one side, lamps at the ceiling."""
    side = -3.6 if b.random.random() < 0.7 else 3.6
    b.eye = Eye(
        height=1.55,
        level=b.random.uniform(0.4, 0.5),
        middle=b.aspect * b.random.uniform(0.42, 0.58),
        focal=0.62,
        turn=b.random.uniform(-0.15, 0.15),
    )
    shell(b, (-3.6, 3.6), 3.0, 9.0)
    on_front(b, (-2.4, 2.4), (0.95, 2.2), 8.95, Kind.FURNITURE)
    b.block((-2.4, 2.4), (0.88, 0.95), (8.8, 8.95), Kind.FURNITURE)
    b.block((-0.6, 0.6), (0, 1.0), (7.6, 8.1), Kind.FURNITURE)
    for z in (7.0, 4.8, 2.6, 0.7):
        view(b, side, (z, z + 1.7), (0.95, 2.5))
    on_side(b, -side, (6.6, 7.8), (0, 2.1), Kind.DOOR)
    on_side(b, -side, (6.8, 7.6), (1.2, 1.9), Kind.WINDOW)
    on_side(b, -side, (2.0, 5.4), (1.1, 2.1), Kind.OTHER)
    for z in (6.6, 3.9):
        for x in (-1.8, 1.2):
            b.block((x, x + 0.8), (2.75, 2.85), (z, z + 0.25), Kind.LAMP)
    for z in (6.2, 4.9, 3.6, 2.3):
        for x in (-2.8, -1.2, 0.4, 2.0):
            desk(b, x, z)
            chair(b, x + 0.13, z - 0.4)


def japanese_room(b: Board) -> None:
    """Tatami, sliding doors, an alcove, a low table, an open door to a garden."""
    b.eye = Eye(
        height=1.1,
        level=b.random.uniform(0.42, 0.5),
        middle=b.aspect * b.random.uniform(0.4, 0.6),
        focal=0.7,
        turn=b.random.uniform(-0.1, 0.1),
    )
    shell(b, (-2.7, 2.7), 2.5, 5.4)
    for z in (0.9, 1.8, 2.7, 3.6, 4.5):
        b.line([(-2.7, 0, z), (2.7, 0, z)])
    for x in (-0.9, 0.9):
        b.line([(x, 0, 0.3), (x, 0, 5.4)])
    for x in (-1.3, 0.0, 1.3):
        b.line([(x, 2.5, 0.3), (x, 2.5, 5.4)], 0.5)
    b.block((-2.7, 2.7), (1.85, 1.95), (5.3, 5.4), Kind.WOOD)
    # The garden stands open in the back wall.
    x0, x1 = -1.1, 1.0
    on_front(b, (x0, x1), (0, 1.85), 5.35, Kind.SKY)
    on_front(b, (x0, x1), (0, 0.75), 5.34, Kind.GRASS)
    at = b.eye.see([(0.4, 1.0, 5.34), (0.9, 0.6, 5.34)])
    size = float(abs(at[1, 0] - at[0, 0]))
    b.shape(lobes(b.random, at[0, 0], at[0, 1], size * 0.9, size * 0.6, 9), Kind.TREE)
    for x in (-2.0, 1.0):
        on_front(b, (x, x + 0.9), (0, 1.85), 5.33, Kind.DOOR)
        for up in (0.5, 0.9, 1.35):
            b.line([(x, up, 5.33), (x + 0.9, up, 5.33)], 0.5)
        for across in (0.3, 0.6):
            b.line([(x + across, 0.5, 5.33), (x + across, 1.85, 5.33)], 0.5)
    for z in (3.6, 1.9, 0.4):
        on_side(b, -2.7, (z, z + 1.5), (0, 1.85), Kind.DOOR)
        on_side(b, -2.7, (z + 0.65, z + 0.8), (0.85, 1.0), Kind.FURNITURE, 0.6)
    on_side(b, 2.7, (2.6, 4.8), (0, 2.2), Kind.ROOM_WALL)
    on_side(b, 2.68, (3.2, 3.7), (0.7, 1.9), Kind.OTHER)
    b.block((2.62, 2.75), (0, 2.5), (2.5, 2.6), Kind.WOOD)
    where = b.eye.see([(0, 2.0, 3.2), (0, 2.5, 3.2)])
    b.stroke(where, 0.6)
    size = float(where[0, 1] - where[1, 1]) * 0.5
    b.shape(
        [
            (where[0, 0] - size * 1.5, where[0, 1] + size * 0.5),
            (where[0, 0] - size * 0.6, where[0, 1]),
            (where[0, 0] + size * 0.6, where[0, 1]),
            (where[0, 0] + size * 1.5, where[0, 1] + size * 0.5),
        ],
        Kind.LAMP,
    )
    desk(b, -0.7, 2.6, 1.4, 0.8, 0.34)
    for x in (-1.3, 0.8):
        b.block((x, x + 0.5), (0, 0.07), (2.8, 3.3), Kind.FURNITURE)


def kitchen(b: Board) -> None:
    """Worktop, sink under a window, hood, refrigerator, a table."""
    b.eye = Eye(
        height=1.5,
        level=b.random.uniform(0.4, 0.48),
        middle=b.aspect * b.random.uniform(0.45, 0.6),
        focal=0.7,
        turn=b.random.uniform(-0.25, -0.05),
    )
    shell(b, (-2.4, 2.0), 2.45, 4.2)
    for z in (1.0, 1.8, 2.6, 3.4):
        b.line([(-2.4, 0, z), (2.0, 0, z)], 0.5)
    on_front(b, (-0.9, 0.7), (1.15, 2.0), 4.18, Kind.WINDOW)
    on_front(b, (-0.13, -0.07), (1.15, 2.0), 4.17, Kind.WOOD)
    for x in (-2.35, -1.65):
        b.block((x, x + 0.68), (1.6, 2.3), (3.85, 4.2), Kind.FURNITURE)
    b.block((-2.4, 1.2), (0.0, 0.85), (3.6, 4.2), Kind.FURNITURE)
    for x in (-1.7, -1.0, -0.3, 0.4):
        b.line([(x, 0.1, 3.6), (x, 0.8, 3.6)])
        b.line([(x + 0.25, 0.7, 3.6), (x + 0.45, 0.7, 3.6)])
    b.block((-2.4, 1.2), (0.82, 0.88), (3.55, 4.2), Kind.FURNITURE)
    b.block((-1.9, -1.6), (0.88, 1.1), (3.8, 4.0), Kind.OTHER)
    b.stroke(b.eye.see([(0.0, 0.9, 4.0), (0.0, 1.15, 4.0), (0.0, 1.12, 3.85)]), 0.9, Kind.POST)
    b.block((1.25, 1.95), (0, 1.75), (3.5, 4.2), Kind.FURNITURE)
    b.line([(1.25, 1.1, 3.5), (1.95, 1.1, 3.5)])
    on_side(b, -2.4, (1.2, 2.2), (0, 2.0), Kind.DOOR)
    on_side(b, 2.0, (1.4, 2.6), (1.0, 2.0), Kind.WINDOW)
    b.block((-0.55, -0.15), (2.0, 2.2), (2.2, 2.5), Kind.LAMP)
    desk(b, -1.0, 2.0, 1.3, 0.75)
    for x in (-1.0, -0.2):
        chair(b, x, 1.55)
    bowl = b.eye.see([(-0.4, 0.78, 2.3), (-0.4, 0.7, 2.3)])[0]
    b.shape(oval(float(bowl[0]), float(bowl[1]), 0.03, 0.02), Kind.OTHER)


def corridor(b: Board) -> None:
    """A long corridor: windows on one side, doors on the other, light at its end."""
    side = -1.3 if b.random.random() < 0.5 else 1.3
    b.eye = Eye(
        height=1.45,
        level=b.random.uniform(0.42, 0.54),
        middle=b.aspect * b.random.uniform(0.4, 0.6),
        focal=0.75,
    )
    shell(b, (-1.3, 1.3), 2.7, 22)
    on_front(b, (-0.7, 0.7), (0.9, 2.2), 21.9, Kind.WINDOW)
    for z in (18, 15, 12, 9, 6.2, 3.6, 1.2):
        on_side(b, side, (z, z + 1.9), (1.0, 2.3), Kind.WINDOW)
        b.face(
            [
                (side, 1.0, z + 0.95),
                (side, 2.3, z + 0.95),
                (side, 2.3, z + 1.0),
                (side, 1.0, z + 1.0),
            ],
            Kind.WOOD,
            0.5,
        )
        on_side(b, -side, (z + 0.2, z + 1.3), (0, 2.0), Kind.DOOR)
        on_side(b, -side, (z + 0.4, z + 1.1), (1.2, 1.8), Kind.WINDOW, 0.6)
        b.face(
            [(-0.2, 2.7, z), (0.2, 2.7, z), (0.2, 2.7, z + 1.0), (-0.2, 2.7, z + 1.0)], Kind.LAMP
        )
    for x in (-0.65, 0.0, 0.65):
        b.line([(x, 0, 0.3), (x, 0, 21.9)], 0.5)
    b.line([(-side * 0.98, 0.12, 0.3), (-side * 0.98, 0.12, 22)], 0.6)
    b.block(
        (-side - 0.25 if side < 0 else -1.3, 1.3 if side < 0 else -1.05),
        (0, 0.9),
        (4.9, 5.5),
        Kind.FURNITURE,
    )


def cafe(b: Board) -> None:
    """A counter with stools, pendant lamps, a large front window to a street, tables."""
    b.eye = Eye(
        height=1.5,
        level=b.random.uniform(0.42, 0.5),
        middle=b.aspect * 0.5,
        focal=0.68,
        turn=b.random.uniform(0.05, 0.25),
    )
    shell(b, (-3.0, 3.0), 3.0, 7.0)
    on_front(b, (-0.6, 2.7), (0.6, 2.5), 6.98, Kind.WINDOW)
    for x in (0.5, 1.6):
        on_front(b, (x - 0.04, x + 0.04), (0.6, 2.5), 6.97, Kind.WOOD)
    on_front(b, (-2.4, -1.2), (0, 2.3), 6.98, Kind.DOOR)
    on_front(b, (-2.2, -1.4), (1.0, 2.1), 6.97, Kind.WINDOW)
    for y in (1.5, 2.0):
        b.block((-3.0, -2.7), (y, y + 0.06), (2.0, 5.8), Kind.FURNITURE)
        for z in np.arange(5.4, 2.0, -0.6):
            b.block((-2.95, -2.78), (y + 0.06, y + 0.3), (z, z + 0.2), Kind.OTHER)
    b.block((-2.4, -1.7), (0, 1.05), (1.8, 5.6), Kind.FURNITURE)
    b.block((-2.5, -1.6), (1.05, 1.13), (1.7, 5.7), Kind.FURNITURE)
    for z in (4.8, 3.9, 3.0):
        b.block((-1.35, -1.29), (0, 0.7), (z + 0.15, z + 0.2), Kind.FURNITURE)
        b.block((-1.5, -1.14), (0.68, 0.76), (z, z + 0.35), Kind.FURNITURE)
    for z in (5.0, 3.8):
        desk(b, 0.9, z, 0.9, 0.7)
        for x in (0.45, 1.9):
            chair(b, x, z + 0.1)
    for x, z in ((-1.9, 4.6), (-1.9, 3.2), (1.3, 4.2)):
        b.line([(x, 3.0, z), (x, 2.3, z)])
        b.block((x - 0.16, x + 0.16), (2.05, 2.3), (z - 0.1, z + 0.1), Kind.LAMP)
    where = b.eye.see([(2.4, 0.9, 5.6), (2.4, 0.4, 5.6)])
    size = float(where[1, 1] - where[0, 1])
    b.block((2.25, 2.6), (0, 0.5), (5.5, 5.8), Kind.OTHER)
    b.shape(lobes(b.random, where[0, 0], where[0, 1], size * 0.7, size * 0.8, 11), Kind.TREE)
    if b.random.random() < 0.5:
        foot = b.eye.see([(0.4, 0, 3.4), (0.4, 1.6, 3.4)])
        tall = float(foot[0, 1] - foot[1, 1])
        x, y = foot[1]
        b.shape(
            [
                (x - tall * 0.14, y + tall * 0.2),
                (x + tall * 0.14, y + tall * 0.2),
                (x + tall * 0.16, y + tall * 0.6),
                (x + tall * 0.1, y + tall),
                (x - tall * 0.1, y + tall),
                (x - tall * 0.16, y + tall * 0.6),
            ],
            Kind.FIGURE,
        )
        b.shape(oval(x, y + tall * 0.1, tall * 0.075, tall * 0.1), Kind.FIGURE)


def bedroom(b: Board) -> None:
    """A child's room: bed, desk with a lamp, shelf, curtains at a window."""
    b.eye = Eye(
        height=1.6,
        level=b.random.uniform(0.36, 0.46),
        middle=b.aspect * b.random.uniform(0.4, 0.55),
        focal=0.72,
        turn=b.random.uniform(0.1, 0.3),
    )
    shell(b, (-1.9, 1.9), 2.4, 4.0)
    on_front(b, (-0.8, 0.7), (0.95, 2.0), 3.98, Kind.WINDOW)
    on_front(b, (-0.08, -0.02), (0.95, 2.0), 3.97, Kind.WOOD)
    for x in (-1.2, 0.7):
        b.face(
            [(x, 0.7, 3.95), (x + 0.42, 0.7, 3.95), (x + 0.4, 2.15, 3.95), (x + 0.02, 2.15, 3.95)],
            Kind.FURNITURE,
        )
        for part in (0.12, 0.24, 0.34):
            b.line([(x + part, 0.72, 3.94), (x + part, 2.1, 3.94)], 0.5)
    b.block((1.5, 1.9), (0, 1.7), (2.4, 3.5), Kind.FURNITURE)
    for y in (0.5, 0.9, 1.3):
        b.line([(1.5, y, 2.4), (1.5, y, 3.5)])
    b.block((-1.9, -0.9), (0.0, 0.35), (1.6, 3.7), Kind.FURNITURE)
    b.block((-1.9, -0.9), (0.35, 0.55), (1.6, 3.7), Kind.FURNITURE)
    b.block((-1.75, -1.05), (0.55, 0.68), (3.2, 3.65), Kind.FURNITURE)
    desk(b, 0.2, 2.9, 1.2, 0.6)
    b.block((0.4, 0.44), (0.72, 1.0), (3.2, 3.24), Kind.POST)
    b.block((0.32, 0.52), (0.96, 1.12), (3.12, 3.3), Kind.LAMP)
    chair(b, 0.5, 2.4)
    b.face(
        [(-0.6, 0.01, 1.3), (1.0, 0.01, 1.3), (1.0, 0.01, 2.3), (-0.6, 0.01, 2.3)], Kind.FURNITURE
    )
    on_side(b, 1.9, (0.9, 1.8), (0, 2.0), Kind.DOOR)
    b.block((-0.25, 0.25), (2.3, 2.4), (2.2, 2.6), Kind.LAMP)
