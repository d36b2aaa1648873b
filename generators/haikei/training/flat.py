"""
Places drawn flat: no vanishing point, houses from straight ahead, rooms as a wall and a floor.

Many layouts are drawn so, and what is drawn by rule of thumb looks more like these than like a
photograph's perspective.
"""

import numpy as np

from haikei.reading import Facing, Kind
from haikei.training.camera import World
from haikei.training.canvas import Points
from haikei.training.growth import bumpy, cloud, crown

DEPTH = 0.5

Pair = tuple[float, float]


def upright_box(world: World, low: Pair, size: Pair, kind: Kind, depth: float = DEPTH) -> None:
    """Draw an upright rectangle by its lower left corner and its size."""
    x, y = low
    wide, high = size
    corners = [(x, y), (x + wide, y), (x + wide, y - high), (x, y - high)]
    world.canvas.fill(corners, kind, depth=depth, facing=Facing.FRONT)


def _lines(world: World, low: Pair, size: Pair, across: int, upwards: int) -> None:
    x, y = low
    wide, high = size
    for part in np.linspace(0, 1, across + 1)[1:-1]:
        world.canvas.stroke([(x + wide * part, y), (x + wide * part, y - high)], weight=0.6)
    for part in np.linspace(0, 1, upwards + 1)[1:-1]:
        world.canvas.stroke([(x, y - high * part), (x + wide, y - high * part)], weight=0.6)


def _oval(middle: Pair, across: float, upwards: float) -> Points:
    turns = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    return np.stack(
        [middle[0] + np.cos(turns) * across, middle[1] + np.sin(turns) * upwards], axis=1
    )


def flat_house(world: World, x: float, foot: float, size: float, depth: float) -> None:
    """Draw a house from its front or its long side, perhaps with a sliver of its other side."""
    wide, high = size * world.uniform(0.7, 1.8), size * world.uniform(0.5, 1.4)
    aside = wide * world.uniform(0.2, 0.6) if world.chance(0.4) else 0.0
    rise = world.uniform(0.1, 0.3) * size
    over = size * world.uniform(0.0, 0.12)
    upright_box(world, (x, foot), (wide, high), Kind.WALL, depth)
    if aside:
        slope = aside * world.uniform(-0.1, 0.3)
        face = [
            (x + wide, foot),
            (x + wide + aside, foot - slope),
            (x + wide + aside, foot - high - slope * 0.3),
            (x + wide, foot - high),
        ]
        world.canvas.fill(face, Kind.WALL, depth=depth, facing=Facing.RIGHT)
    floors, bays = max(1, round(high / size * 1.6)), int(world.rng.integers(1, 5))
    pane = (wide / bays * world.uniform(0.35, 0.75), high / floors * world.uniform(0.3, 0.6))
    gate = int(world.rng.integers(bays)) if world.chance(0.7) else -1
    for floor in range(floors):
        for bay in range(bays):
            left = x + (bay + 0.5) * wide / bays - pane[0] / 2
            if floor == 0 and bay == gate:
                upright_box(world, (left, foot), (pane[0], high / floors * 0.75), Kind.DOOR, depth)
                continue
            low = foot - (floor + 0.3) * high / floors
            upright_box(world, (left, low), pane, Kind.WINDOW, depth)
            if world.chance(0.6):
                _lines(world, (left, low), pane, int(world.rng.integers(1, 3)), 2)
    top, style = foot - high, world.rng.random()
    left, right = x - over, x + wide + over + aside * 0.9
    if style < 0.35:  # gable end
        roof = [
            (left, top),
            ((left + x + wide + over) / 2, top - rise * 1.4),
            (x + wide + over, top),
        ]
    elif style < 0.8:  # the long side of a roof
        inset = world.uniform(-0.05, 0.3) * wide
        roof = [(left, top), (left + inset, top - rise), (right - inset, top - rise), (right, top)]
    else:
        roof = [(left, top), (left, top - rise * 0.25), (right, top - rise * 0.25), (right, top)]
    world.canvas.fill(roof, Kind.ROOF, depth=depth, facing=Facing.ROOF)
    if world.chance(world.canvas.hand.detail * 0.6):
        world.canvas.hatch(np.array(roof), size * 0.08, world.uniform(0, 180), 0.6)


def flat_tree(world: World, x: float, foot: float, size: float, depth: float) -> None:
    """Draw a tree as a child would: a stem and a ball, a triangle, or a bush to the ground."""
    style = world.rng.random()
    stem = size * world.uniform(0.03, 0.09)
    if style < 0.85:
        upright_box(world, (x - stem / 2, foot), (stem, size * 0.6), Kind.TRUNK, depth)
    middle, wide = (x, foot - size * 0.7), size * world.uniform(0.2, 0.45)
    if style < 0.3:
        world.canvas.fill(_oval(middle, wide, size * 0.35), Kind.TREE, depth=depth)
    elif style < 0.6:
        crown(world, np.array(middle), wide, size * 0.35, depth)
    elif style < 0.85:
        tiers = int(world.rng.integers(1, 4))
        for tier in range(tiers):
            low = foot - size * (0.2 + 0.25 * tier)
            spread = wide * (1 - 0.25 * tier)
            tip = (x, low - size * (0.8 if tiers == 1 else 0.4))
            world.canvas.fill([(x - spread, low), tip, (x + spread, low)], Kind.TREE, depth=depth)
    else:
        crown(world, np.array((x, foot - size * 0.2)), wide, size * 0.25, depth)


def _land(world: World, level: float) -> None:
    """Draw what the ground is: one kind, a shore, a way, bands of several kinds."""
    canvas, rng = world.canvas, world.rng
    wide = canvas.aspect
    kinds = (Kind.GRASS, Kind.GRASS, Kind.EARTH, Kind.PAVING, Kind.SNOW, Kind.SAND, Kind.WATER)
    bands = sorted([level, *rng.uniform(level, 1.05, rng.integers(0, 4))])
    for band in bands:
        kind = kinds[int(rng.integers(len(kinds)))]
        x = np.linspace(-0.3, wide + 0.3, 9)
        wave = rng.normal(0, 0.004 if world.chance(0.6) else 0.02, 9)
        edge = np.stack([x, band + wave], axis=1)
        shape = np.concatenate([edge, [(wide + 0.3, 1.4), (-0.3, 1.4)]])
        canvas.fill(shape, kind, depth=0.9 - 0.7 * band, facing=Facing.UP)
        if kind is Kind.WATER or world.chance(0.2 * canvas.hand.detail):
            for _ in range(rng.integers(0, 9)):
                at = np.array((rng.uniform(0, wide), rng.uniform(band, 1.1)))
                canvas.stroke(np.stack([at, at + (rng.uniform(0.02, 0.15), 0.0)]), weight=0.6)
    if world.chance(0.5):
        top, foot = rng.uniform(0.2, wide - 0.2), rng.uniform(0.0, wide)
        near, far = rng.uniform(0.1, 0.5), rng.uniform(0.005, 0.05)
        path = [(top - far, level), (top + far, level), (foot + near, 1.1), (foot - near, 1.1)]
        kind = (Kind.EARTH, Kind.PAVING, Kind.WATER)[int(rng.choice(3, p=[0.5, 0.3, 0.2]))]
        canvas.fill(path, kind, depth=0.3, facing=Facing.UP)


def flat_outdoors(world: World) -> None:
    """Hills, houses and trees on bands of ground."""
    canvas, rng = world.canvas, world.rng
    wide, level = canvas.aspect, world.uniform(0.35, 0.85)
    frame = [(-1.0, -1.0), (wide + 1, -1.0), (wide + 1, 2.0), (-1.0, 2.0)]
    canvas.fill(frame, Kind.SKY, depth=1.0, line=False)
    for _ in range(rng.poisson(1.6)):
        cloud(world, 0.0, level * 0.7)
    if world.chance(0.3):
        spot = (rng.uniform(0, wide), rng.uniform(0.05, level * 0.5))
        canvas.fill(_oval(spot, 0.05, 0.05), Kind.LAMP, depth=1.0)
    for _ in range(rng.integers(0, 4)):
        peak, spread = (rng.uniform(0, wide), level - rng.uniform(0.05, 0.4)), rng.uniform(0.2, 0.9)
        foot = [(peak[0] - spread, level + 0.1), (peak[0] + spread, level + 0.1)]
        if world.chance(0.5):
            hill = _oval((peak[0], level + 0.1), spread, level + 0.1 - peak[1])
        else:
            hill = np.array([foot[0], peak, foot[1]])
        kind = (Kind.HILL, Kind.FOREST, Kind.ROCK)[int(rng.choice(3, p=[0.7, 0.2, 0.1]))]
        canvas.fill(hill, kind, depth=0.95)
        if world.chance(0.2) and len(hill) == 3:
            cap = peak + (hill - peak) * rng.uniform(0.2, 0.4)
            canvas.fill(cap, Kind.SNOW, depth=0.95)
    _land(world, level)
    count = int(rng.integers(1, 14))
    for foot in np.sort(rng.uniform(level, min(level + 0.4, 0.98), count)):
        near = (foot - level) / max(1 - level, 0.1)
        size = rng.uniform(0.1, 0.3) * (0.6 + 1.6 * near)
        x, depth = rng.uniform(-0.1, wide), 0.8 - 0.6 * near
        style = rng.random()
        if style < 0.45:
            flat_house(world, x, float(foot), size, depth)
        elif style < 0.85:
            flat_tree(world, x, float(foot), size * 1.2, depth)
        elif style < 0.92:
            upright_box(world, (x, float(foot)), (0.012, size * 2), Kind.POST, depth)
            upright_box(
                world, (x - 0.05, float(foot) - size * 1.8), (0.11, 0.012), Kind.POST, depth
            )
        else:
            fence = (size * 2, size * 0.3)
            upright_box(world, (x, float(foot)), fence, Kind.WOOD, depth)
            _lines(world, (x, float(foot)), fence, 9, 1)


def flat_room(world: World) -> None:
    """A wall, a floor and what stands before it."""
    canvas, rng = world.canvas, world.rng
    wide, level, top = canvas.aspect, world.uniform(0.55, 0.9), world.uniform(-0.1, 0.16)
    upright_box(world, (-0.5, 2.0), (wide + 1, 3.0), Kind.ROOM_WALL)
    floor = [(-0.5, level), (wide + 0.5, level), (wide + 0.5, 1.4), (-0.5, 1.4)]
    canvas.fill(floor, Kind.FLOOR, depth=0.2, facing=Facing.UP)
    if world.chance(0.5):
        for x in np.linspace(-0.5, wide + 0.5, int(rng.integers(4, 16))):
            canvas.stroke([(wide / 2 + (x - wide / 2) * 0.7, level), (x, 1.1)], weight=0.6)
    ceiling = [(-0.5, -0.5), (wide + 0.5, -0.5), (wide + 0.5, top), (-0.5, top)]
    canvas.fill(ceiling, Kind.CEILING, depth=0.3, facing=Facing.DOWN)
    _on_wall(world, top, level)
    _before_wall(world, level)
    if world.chance(0.6):
        x = rng.uniform(0.2, wide - 0.2)
        canvas.stroke([(x, top), (x, top + 0.12)])
        shade = [
            (x - 0.04, top + 0.12),
            (x + 0.04, top + 0.12),
            (x + 0.09, top + 0.2),
            (x - 0.09, top + 0.2),
        ]
        canvas.fill(shade, Kind.LAMP, depth=0.2)


def _on_wall(world: World, top: float, level: float) -> None:
    """Draw windows, doors and boards along the wall."""
    rng, wide = world.rng, world.canvas.aspect
    x = world.uniform(-0.1, 0.2)
    while x < wide:
        size = (world.uniform(0.12, 0.5), world.uniform(0.15, 0.4))
        low = world.uniform(top + size[1] + 0.04, level - 0.1)
        style = rng.random()
        if style < 0.45:
            upright_box(world, (x, low), size, Kind.WINDOW)
            _lines(world, (x, low), size, int(rng.integers(1, 5)), int(rng.integers(1, 4)))
            if world.chance(0.4):
                for side in (x - 0.05, x + size[0] - 0.02):
                    upright_box(world, (side, low + 0.06), (0.07, size[1] + 0.1), Kind.FURNITURE)
        elif style < 0.65:
            upright_box(world, (x, level), (size[0] * 0.6, level - top - 0.12), Kind.DOOR)
        elif style < 0.85:
            upright_box(world, (x, low), (size[0], size[1] * 0.6), Kind.FURNITURE)
        x += size[0] + world.uniform(0.05, 0.4)


def _before_wall(world: World, level: float) -> None:
    """Draw tables, cupboards and plants on the floor."""
    canvas, rng, wide = world.canvas, world.rng, world.canvas.aspect
    for _ in range(rng.integers(1, 7)):
        x, foot = rng.uniform(-0.1, wide), world.uniform(level + 0.01, 1.0)
        size = (world.uniform(0.1, 0.6), world.uniform(0.08, 0.4))
        style = rng.random()
        if style < 0.3:  # a table from its side
            for leg in (x + 0.01, x + size[0] - 0.03):
                upright_box(world, (leg, foot), (0.02, size[1]), Kind.FURNITURE, 0.2)
            upright_box(
                world, (x - 0.02, foot - size[1]), (size[0] + 0.04, 0.025), Kind.FURNITURE, 0.2
            )
        elif style < 0.9:
            upright_box(world, (x, foot), size, Kind.FURNITURE, 0.2)
            _lines(world, (x, foot), size, int(rng.integers(1, 4)), int(rng.integers(1, 5)))
            lid = np.array([(x, foot - size[1]), (x + size[0], foot - size[1])])
            lid = np.concatenate([lid, lid[::-1] + (world.uniform(-0.1, 0.1), -0.05)])
            canvas.fill(lid, Kind.FURNITURE, depth=0.2, facing=Facing.UP)
        else:
            upright_box(world, (x, foot), (0.1, 0.09), Kind.FURNITURE, 0.2)
            leaves = bumpy(world, np.array((x + 0.05, foot - 0.18)), 0.09, 0.11, 9)
            canvas.fill(leaves, Kind.TREE, depth=0.2)
