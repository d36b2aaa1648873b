"""
Plain drawings of open country: long lines from edge to edge, and little on the ground.

What is empty here is as often a meadow, a field or a street as it is water: water shows itself by
its ripples, its shore and what floats on it. Crowns and clouds are heaps of discs, alike but for
what stands below them.
"""

from functools import partial

import numpy as np

from haikei.reading import Facing, Kind
from haikei.training.built import house
from haikei.training.camera import World, vector
from haikei.training.canvas import Points
from haikei.training.flat import flat_house, flat_tree, upright_box
from haikei.training.growth import bush, crown, heap, scalloped, sky, tree

GROUNDS = (Kind.GRASS, Kind.EARTH, Kind.PAVING, Kind.SNOW, Kind.SAND)
LIKELY = (0.58, 0.14, 0.12, 0.09, 0.07)


def open_country(world: World) -> None:
    """Ranges, a shore or none, bands of ground, a way, and what stands on them."""
    rng, canvas = world.rng, world.canvas
    level = world.horizon
    if not 0.1 < level < 0.85:
        level = world.uniform(0.15, 0.8)
    sky(world)
    ranges(world, level)
    kind = GROUNDS[int(rng.choice(5, p=LIKELY))]
    shore = 0.0
    if world.chance(0.3):
        shore = water(world, level)
    edges = bands(world, max(level, shore), kind, watery=shore > 0)
    if shore == 0 and world.chance(0.6):
        way(world, edges[-1] if world.chance(0.6) else edges[0], kind)
    if shore == 0 and world.chance(0.25):
        fields(world, level, kind)
    stand(world, edges, level)
    if kind is Kind.GRASS and world.chance(0.5):
        tufts(world, edges[0])
    if world.chance(0.3):
        lone_tree(world, edges[-1])
    if world.chance(0.3):
        for _ in range(rng.integers(1, 5)):
            x, foot = rng.uniform(0, canvas.aspect), world.uniform(edges[-1], 1.05)
            wide = world.uniform(0.05, 0.25)
            canvas.fill(heap(world, (x, foot), wide, wide * 0.4, flat=True), Kind.TREE, depth=0.15)
    if world.chance(0.3):
        fence(world, edges[0])


def long_line(world: World, level: float, rise: float, waves: float) -> Points:
    """Return a line from edge to edge in a few long waves, no point of it below its level."""
    rng = world.rng
    x = np.linspace(-0.6, world.canvas.aspect + 0.6, 90)
    y = np.zeros_like(x)
    fall = rng.uniform(1.4, 2.6)
    for octave in range(1, 6):
        turn = waves * octave**1.2 * rng.uniform(0.8, 1.2)
        y += np.sin(x * turn * 2 * np.pi / world.canvas.aspect + rng.uniform(0, 6)) / octave**fall
    y = (y - y.min()) / max(float(np.ptp(y)), 1e-9)
    return np.stack([x, level - rise * y], axis=1)


def below(world: World, line: Points, kind: Kind, depth: float) -> None:
    """Cover all that lies under a line; only the line itself is seen."""
    end = world.canvas.aspect + 0.6
    facing = Facing.NONE if kind in (Kind.HILL, Kind.FOREST) else Facing.UP
    shape = np.concatenate([line, [(end, 2.5), (-0.6, 2.5)]])
    world.canvas.fill(shape, kind, depth=depth, facing=facing)


def ranges(world: World, level: float) -> None:
    """Draw smooth ranges, pointed peaks and woods, the highest behind."""
    rng = world.rng
    count = int(rng.choice([0, 1, 2, 3, 4], p=[0.15, 0.25, 0.3, 0.2, 0.1]))
    rises = np.sort(rng.uniform(0.02, 0.34, count))[::-1]
    for index, rise in enumerate(rises):
        last = index == count - 1
        wooded = world.chance(0.5 if last else 0.15)
        kind = Kind.FOREST if wooded else Kind.HILL
        if world.chance(0.06):
            kind = (Kind.ROCK, Kind.SNOW)[int(rng.integers(2))]
        line = long_line(world, level + 0.02, min(rise, level * 0.8), world.uniform(0.5, 2.2))
        if wooded:
            steps = int(rng.integers(16, 90))
            x = np.linspace(-0.6, world.canvas.aspect + 0.6, steps)
            ridge = np.stack([x, np.interp(x, line[:, 0], line[:, 1])], axis=1)
            line = scalloped(ridge, world.uniform(0.3, 0.8))
        below(world, line, kind, 0.97 - 0.02 * index)
        if wooded and world.chance(0.5):
            for _ in range(rng.integers(2, 14)):
                at = rng.uniform(0, world.canvas.aspect)
                low = world.uniform(0.01, float(rise) * 0.6)
                y = float(np.interp(at, line[:, 0], line[:, 1])) + low
                turns = np.radians(np.linspace(190, rng.uniform(290, 340), 7))
                arc = np.stack([at + np.cos(turns) * 0.014, y + np.sin(turns) * 0.011], axis=1)
                world.canvas.stroke(arc, weight=0.6)


def water(world: World, level: float) -> float:
    """Draw water from a far shore down, and return how far down it may be land again."""
    rng, canvas = world.rng, world.canvas
    shore = level + world.uniform(0.0, 0.03)
    line = np.array([[-0.6, shore], [canvas.aspect + 0.6, shore]])
    if world.chance(0.3):
        line = long_line(world, shore + 0.01, 0.015, world.uniform(0.5, 2))
    below(world, line, Kind.WATER, 0.7)
    count = rng.poisson(45) if world.chance(0.8) else rng.poisson(3)
    curved = world.chance(0.5)
    for _ in range(count):
        down = rng.uniform(0, 1) ** 1.5
        at = np.array([rng.uniform(-0.1, canvas.aspect), shore + 0.01 + down * (1.02 - shore)])
        long = (0.02 + 0.13 * down) * rng.uniform(0.5, 1.5)
        x = np.linspace(0, 1, 9)
        lift = np.sin(x * np.pi * rng.integers(1, 5)) * long * 0.06 if curved else x * 0
        canvas.stroke(at + np.stack([x * long, lift], axis=1), weight=0.6)
    if world.chance(0.45):
        for _ in range(rng.integers(1, 4)):
            rowing_boat(world, shore)
    return world.uniform(shore + (1 - shore) * 0.4, 1.02)


def rowing_boat(world: World, shore: float) -> None:
    """Draw a boat from its side, with a mast, a cabin or nothing on it."""
    rng, canvas = world.rng, world.canvas
    foot = world.uniform(shore + 0.04, 0.95)
    long = (0.05 + 0.35 * (foot - shore)) * rng.uniform(0.6, 1.3)
    x, high = rng.uniform(0, canvas.aspect), long * rng.uniform(0.12, 0.25)
    if world.chance(0.4):
        upright_box(world, (x + long * 0.3, foot - high), (long * 0.3, high * 1.2), Kind.HULL)
        upright_box(
            world, (x + long * 0.36, foot - high * 1.4), (long * 0.1, high * 0.5), Kind.WINDOW
        )
    if world.chance(0.5):
        tall = long * rng.uniform(0.5, 1.0)
        upright_box(world, (x + long * 0.5, foot - high), (long * 0.03, tall), Kind.POST)
        if world.chance(0.5):
            mast = x + long * 0.54
            sail = [
                (mast, foot - high * 1.2),
                (mast, foot - high - tall),
                (x + long, foot - high * 1.2),
            ]
            canvas.fill(sail, Kind.OTHER, depth=0.5)
    hull = [
        (x, foot - high),
        (x + long, foot - high * 1.1),
        (x + long * 0.86, foot),
        (x + long * 0.12, foot),
    ]
    canvas.fill(hull, Kind.HULL, depth=0.5, facing=Facing.FRONT)


def bands(world: World, level: float, kind: Kind, *, watery: bool) -> list[float]:
    """Draw ground in one or more bands down to the bottom edge; return where each begins."""
    rng = world.rng
    count = int(rng.choice([1, 2, 3, 4], p=[0.45, 0.3, 0.17, 0.08]))
    level = min(level, 0.97)
    tops = sorted([level, *rng.uniform(level, 1.0, count - 1)])
    mixed = world.chance(0.25)
    for top in tops:
        rolling = world.chance(0.5)
        rise = world.uniform(0.02, 0.14) if rolling and not watery else 0.008
        line = long_line(world, top + rise * 0.5, rise, world.uniform(0.3, 1.2))
        if not rolling and not watery and world.chance(0.5):
            line = np.array([[-0.6, top], [world.canvas.aspect + 0.6, top]])
        mine = GROUNDS[int(rng.choice(5, p=LIKELY))] if mixed else kind
        below(world, line, mine, 0.9 - 0.75 * top)
    return tops


def way(world: World, top: float, around: Kind) -> None:
    """Draw a way from the bottom edge up to a crest, straight or in bends."""
    rng, wide = world.rng, world.canvas.aspect
    part = np.linspace(0, 1, 30)
    start, end = rng.uniform(-0.1, wide + 0.1), rng.uniform(0.1, wide - 0.1)
    sway = rng.uniform(0, 0.2) * np.sin(part * rng.uniform(2, 8)) * (1 - part)
    x = start + (end - start) * part + sway
    y = 1.08 + (top + 0.005 - 1.08) * part ** rng.uniform(0.5, 1.0)
    half = rng.uniform(0.04, 0.4) * (1 - part) ** rng.uniform(1.0, 1.8) + 0.005
    edge = np.stack([half, np.zeros_like(half)], axis=1)
    middle = np.stack([x, y], axis=1)
    kind = Kind.PAVING if world.chance(0.35) or around is Kind.EARTH else Kind.EARTH
    if around is Kind.SNOW and world.chance(0.5):
        kind = Kind.SNOW
    if world.chance(0.08):
        kind = Kind.WATER
    band = np.concatenate([middle - edge, (middle + edge)[::-1]])
    world.canvas.fill(band, kind, depth=0.3, facing=Facing.UP)
    if kind is Kind.PAVING and world.chance(0.4):
        for index in range(0, 28, 3):
            world.canvas.stroke(middle[index : index + 2], weight=0.7)


def fields(world: World, level: float, around: Kind) -> None:
    """Draw fields as strips of ground in perspective."""
    rng, wide = world.rng, world.canvas.aspect
    for _ in range(rng.integers(1, 5)):
        top = world.uniform(level + 0.01, 0.8)
        foot = top + world.uniform(0.02, 0.2)
        left = rng.uniform(-0.3, wide)
        long, lean = rng.uniform(0.2, 1.0), rng.uniform(-0.2, 0.2)
        shape = [
            (left, top),
            (left + long, top),
            (left + long * 1.2 + lean, foot),
            (left - 0.1 + lean, foot),
        ]
        kind = around if world.chance(0.4) else (Kind.GRASS, Kind.EARTH)[int(rng.integers(2))]
        world.canvas.fill(shape, kind, depth=0.4, facing=Facing.UP)
        if world.chance(0.3):
            for part in np.linspace(0, 1, int(rng.integers(4, 12)))[1:-1]:
                ends = [
                    (left + long * part, top),
                    (left - 0.1 + lean + (long * 1.2 + 0.1) * part, foot),
                ]
                world.canvas.stroke(ends, weight=0.55)


def stand(world: World, edges: list[float], level: float) -> None:
    """Put houses and trees about, small ones far and large ones near."""
    rng, canvas = world.rng, world.canvas
    deep = world.chance(0.5) and abs(level - world.horizon) < 1e-6
    for _ in range(rng.integers(0, 12)):
        far = world.chance(0.6)
        foot = (
            edges[0] + 0.02 + (0.06 * rng.random() if far else (1 - edges[0]) * 0.7 * rng.random())
        )
        near = float(np.clip((foot - level) / max(1 - level, 0.1), 0.02, 1))
        if deep:
            away = world.lens.eye * world.lens.focal / max(foot - level, 0.01)
            if not 3 < away < 200:
                continue
            where = vector(
                rng.uniform(-0.5, 0.5) * canvas.aspect / world.lens.focal * away, 0, away
            )
            size = (world.uniform(5, 10), world.uniform(2.6, 6), world.uniform(5, 9))
            style = rng.random()
            if style < 0.4:
                draw = partial(house, world, where, size, rng.uniform(-60, 60))
            elif style < 0.8:
                draw = partial(tree, world, where, world.uniform(4, 10))
            else:
                draw = partial(bush, world, where, world.uniform(0.6, 2))
            world.add(where, draw)
        else:
            x, size_of = rng.uniform(-0.1, canvas.aspect), 0.03 + near * world.uniform(0.1, 0.4)
            if world.chance(0.4):
                flat_house(world, x, foot, size_of, 0.8 - 0.5 * near)
            else:
                flat_tree(world, x, foot, size_of * 1.4, 0.8 - 0.5 * near)
    world.show()


def lone_tree(world: World, top: float) -> None:
    """Draw a tree near the camera, its crown before the sky; another one now and then."""
    rng, canvas = world.rng, world.canvas
    for _ in range(int(rng.choice([1, 1, 1, 2]))):
        tall = world.uniform(0.25, 0.95)
        foot = world.uniform(top + 0.01, 1.05)
        x = rng.uniform(0.02, canvas.aspect - 0.02)
        stem, lean = tall * rng.uniform(0.025, 0.055), tall * rng.uniform(-0.05, 0.05)
        neck = foot - tall * rng.uniform(0.4, 0.62)
        trunk = [
            (x - stem, foot),
            (x + lean - stem * 0.6, neck),
            (x + lean + stem * 0.6, neck),
            (x + stem, foot),
        ]
        canvas.fill(trunk, Kind.TRUNK, depth=0.25)
        wide, high = tall * rng.uniform(0.22, 0.42), tall * rng.uniform(0.2, 0.34)
        middle = np.array([x + lean, foot - tall + high])
        if world.chance(0.75):
            canvas.fill(heap(world, (middle[0], middle[1]), wide, high), Kind.TREE, depth=0.25)
            for _ in range(rng.integers(0, 9)):
                at = middle + rng.uniform(-0.6, 0.6, 2) * (wide, high)
                turns = np.radians(np.linspace(190, rng.uniform(260, 350), 8))
                size = wide * rng.uniform(0.1, 0.25)
                arc = np.stack([np.cos(turns) * size, np.sin(turns) * size * 0.8], axis=1)
                canvas.stroke(at + arc, weight=0.6)
        else:
            crown(world, middle, wide, high, 0.25)


def tufts(world: World, top: float) -> None:
    """Draw tufts of a few blades on a meadow."""
    rng = world.rng
    for _ in range(rng.poisson(40 * world.canvas.hand.detail)):
        down = rng.uniform(0.1, 1)
        foot = np.array([rng.uniform(0, world.canvas.aspect), top + (1.02 - top) * down])
        size = 0.012 + 0.035 * down
        for lean in rng.uniform(-0.7, 0.7, rng.integers(2, 5)):
            blade = np.array([[0, 0], [lean * 0.35, -0.6], [lean, -1.0]]) * size
            world.canvas.stroke(foot + blade, weight=0.7)


def fence(world: World, top: float) -> None:
    """Draw a fence that leads away: posts and two rails."""
    rng, canvas = world.rng, world.canvas
    near = np.array([rng.uniform(-0.1, canvas.aspect), rng.uniform(0.85, 1.05)])
    far = np.array([rng.uniform(0.1, canvas.aspect - 0.1), world.uniform(top + 0.03, 0.85)])
    tall, less = rng.uniform(0.06, 0.2), rng.uniform(0.2, 0.8)
    parts = np.linspace(0, 1, int(rng.integers(4, 14))) ** 0.7
    feet = near + (far - near) * parts[:, None]
    size = tall * (1 - less * parts)
    for up in rng.choice([0.35, 0.5, 0.65, 0.85], 2, replace=False):
        line = feet - np.stack([size * 0, size * up], axis=1)
        thick = np.stack([size * 0, size * 0.1], axis=1)
        canvas.fill(np.concatenate([line, (line + thick)[::-1]]), Kind.WOOD, depth=0.2)
    for foot, high in zip(feet, size, strict=True):
        box = (float(foot[0]), float(foot[1]))
        upright_box(world, box, (float(high) * 0.12, float(high)), Kind.WOOD, 0.2)
