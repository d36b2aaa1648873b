"""Places that people build, each put together from parts by chance."""

from functools import partial

import numpy as np

from haikei.reading import Facing, Kind
from haikei.training.built import block, house, stairs, torii, track, wall
from haikei.training.camera import UP, Face, Vector, World, vector
from haikei.training.growth import ground, marks, sky, skyline, strip, tree, winding
from haikei.training.props import train
from haikei.training.scattering import backdrop, life, row_of_houses, row_of_poles, scatter_trees


def street(world: World) -> None:
    """A street between houses or shops."""
    sky(world)
    backdrop(world)
    soft = world.chance(0.2)
    ground(world, Kind.EARTH if soft else Kind.PAVING)
    half = world.uniform(1.8, 6)
    if not soft:
        _markings(world, half)
    roofs = (("gable", "hip", "flat", "shed"), ("flat",), ("gable", "stack"))[
        int(world.rng.integers(3))
    ]
    tall = (2.8, world.uniform(4, 20))
    start = world.uniform(-2, 6)
    row_of_houses(world, -half - world.uniform(0.5, 3), start, 80, tall=tall, roofs=roofs)
    if world.chance(0.85):
        row_of_houses(
            world,
            half + world.uniform(0.5, 3),
            start + world.uniform(-2, 9),
            80,
            tall=tall,
            roofs=roofs,
        )
    if world.chance(0.3):
        where = vector(world.uniform(-3, 3), 0, world.uniform(30, 60))
        world.add(
            where,
            partial(house, world, where, (14, world.uniform(4, 14), 6), world.uniform(-10, 10)),
        )
    if world.chance(0.6):
        row_of_poles(world, half * world.rng.choice([-1.0, 1.0]), world.uniform(9, 16))
    if world.chance(0.4):
        for z in np.arange(4, 30, world.uniform(3, 6)):  # awnings and banners over the way
            where = vector(-half - 0.4, 2.4, z)
            awning = Face(origin=where, right=vector(1.1, -0.4, 0), up=vector(0, 0, 2.5))
            world.add(where, partial(world.face, awning, Kind.OTHER), nearer=1)
    life(world, half)
    scatter_trees(world, int(world.rng.integers(0, 5)), 5, 50, half)
    world.show()


def _markings(world: World, half: float) -> None:
    """Draw pavements, the line in the middle and a crossing."""
    for side in (-1, 1):
        if world.chance(0.7):
            walk = Face(
                origin=vector(side * half, 0.02, 0.1),
                right=vector(side * world.uniform(0.8, 2.5), 0, 0),
                up=vector(0, 0, 300),
            )
            world.face(walk, Kind.PAVING)
    if world.chance(0.5):
        for z in np.arange(1.5, 40, 4):
            mark = Face(origin=vector(-0.1, 0.01, z), right=vector(0.2, 0, 0), up=vector(0, 0, 2))
            world.face(mark, Kind.PAVING)
    if world.chance(0.3):
        for x in np.linspace(-half, half, 8)[:-1]:
            world.face(
                Face(origin=vector(x, 0.01, 5), right=vector(half / 8, 0, 0), up=vector(0, 0, 3)),
                Kind.PAVING,
            )


def alley(world: World) -> None:
    """A narrow way between walls."""
    sky(world)
    ground(world, Kind.PAVING if world.chance(0.7) else Kind.EARTH)
    half = world.uniform(0.8, 2.0)
    for side in (-half, half):
        if world.chance(0.5):
            row_of_houses(world, side, 0.5, 40, tall=(3, 9), roofs=("gable", "flat", "shed"))
        else:
            end = world.uniform(10, 50)
            kind = Kind.WALL if world.chance(0.7) else Kind.WOOD
            where = vector(side, 0, 3)
            world.add(
                where,
                partial(
                    wall,
                    world,
                    vector(side, 0, end),
                    vector(side, 0, 0.3),
                    world.uniform(1.4, 3),
                    kind,
                ),
            )
            row_of_houses(
                world, side + np.sign(side) * 2, 1, 30, tall=(3, 7), roofs=("gable", "hip")
            )
    if world.chance(0.5):
        where = vector(0, 0, world.uniform(8, 20))
        world.add(
            where,
            partial(stairs, world, where, half * 2, int(world.rng.integers(4, 18)), 0.35, 0.2),
        )
    if world.chance(0.5):
        row_of_poles(world, half * 0.9, world.uniform(8, 14))
    for _ in range(world.rng.integers(0, 8)):
        where = vector(world.rng.choice([-1.0, 1.0]) * half * 0.8, 0, world.uniform(1.5, 12))
        size = world.uniform(0.2, 0.8)
        kind = Kind.OTHER if world.chance(0.5) else Kind.WOOD
        world.add(
            where,
            partial(block, world, where, (size, size * 1.2, size), world.uniform(-20, 20), kind),
        )
    life(world, half)
    world.show()


def village(world: World) -> None:
    """Houses among fields, trees and ways."""
    sky(world)
    backdrop(world)
    ground(world, Kind.GRASS if world.chance(0.8) else Kind.EARTH)
    for _ in range(world.rng.integers(0, 7)):  # fields
        x, z = world.uniform(-25, 25), world.uniform(4, 60)
        size = world.uniform(4, 16)
        kind = (Kind.GRASS, Kind.EARTH, Kind.WATER)[int(world.rng.choice(3, p=[0.6, 0.3, 0.1]))]
        field = Face(
            origin=vector(x, 0.001, z),
            right=vector(size, 0, world.uniform(-1, 1)),
            up=vector(world.uniform(-2, 2), 0, size),
        )
        world.face(field, kind)
        if world.chance(0.5):
            world.rule(field, int(world.rng.integers(3, 10)), 1)
    if world.chance(0.75):
        way = winding(world, world.uniform(-3, 3), world.uniform(0, 1.5), 250)
        strip(world, way, world.uniform(1, 4), Kind.EARTH if world.chance(0.7) else Kind.PAVING)
    if world.chance(0.3):
        strip(world, winding(world, world.uniform(-9, 9), 2, 250), world.uniform(1, 5), Kind.WATER)
    marks(world, Kind.GRASS, 30)
    for _ in range(world.rng.integers(1, 9)):
        z = float(np.exp(world.uniform(np.log(7), np.log(70))))
        where = vector(world.uniform(-1, 1) * (3 + z * 0.8), 0, z)
        shape = (world.uniform(4, 10), world.uniform(2.4, 5.5), world.uniform(4, 10))
        world.add(
            where,
            partial(
                house,
                world,
                where,
                shape,
                world.uniform(-60, 60),
                roof=str(world.rng.choice(["gable", "gable", "hip", "stack"])),
            ),
        )
    scatter_trees(world, int(world.rng.integers(1, 14)), 4, 80, 3)
    if world.chance(0.5):
        z = world.uniform(3, 12)
        kind = (Kind.WOOD, Kind.WALL, Kind.ROCK)[int(world.rng.integers(3))]
        start = vector(world.uniform(-14, -2), 0, z)
        world.add(
            start,
            partial(
                wall,
                world,
                start,
                start + (world.uniform(4, 20), 0, world.uniform(-1, 3)),
                world.uniform(0.6, 1.6),
                kind,
            ),
        )
    if world.chance(0.4):
        row_of_poles(world, world.uniform(-6, 6), 12)
    life(world, 4)
    world.show()


def campus(world: World) -> None:
    """A large building with a yard: a school, an office, a hospital, a factory, a temple."""
    sky(world)
    backdrop(world)
    yard = (Kind.EARTH, Kind.PAVING, Kind.GRASS, Kind.SAND)[
        int(world.rng.choice(4, p=[0.4, 0.3, 0.2, 0.1]))
    ]
    ground(world, yard)
    z = world.uniform(10, 45)
    for index in range(int(world.rng.integers(1, 4))):
        where = vector(world.uniform(-12, 12) + index * 14, 0, z + index * world.uniform(0, 14))
        size = (world.uniform(10, 45), world.uniform(4, 16), world.uniform(6, 14))
        world.add(
            where,
            partial(
                house,
                world,
                where,
                size,
                world.uniform(-35, 35),
                roof=str(world.rng.choice(["flat", "flat", "gable", "shed"])),
            ),
        )
    if world.chance(0.35):  # chimneys, tanks
        for _ in range(world.rng.integers(1, 5)):
            where = vector(world.uniform(-20, 20), 0, z + world.uniform(-4, 12))
            thick = world.uniform(1, 4)
            kind = Kind.WALL if world.chance(0.6) else Kind.POST
            world.add(
                where,
                partial(
                    block,
                    world,
                    where,
                    (thick, world.uniform(4, 24), thick),
                    world.uniform(0, 60),
                    kind,
                ),
            )
    if world.chance(0.5):
        kind = (Kind.WALL, Kind.WOOD, Kind.TREE)[int(world.rng.integers(3))]
        far = world.uniform(4, z * 0.8)
        high = world.uniform(0.8, 2.2)
        start = vector(-60, 0, far)
        if world.chance(0.5):
            world.add(start, partial(wall, world, start, vector(-3, 0, far), high, kind), nearer=50)
            world.add(
                -start,
                partial(wall, world, vector(3, 0, far), vector(60, 0, far), high, kind),
                nearer=50,
            )
            for side in (-3, 3):
                where = vector(side, 0, far)
                world.add(where, partial(block, world, where, (0.6, high * 1.2, 0.6), 0, Kind.WALL))
        else:
            world.add(start, partial(wall, world, start, vector(60, 0, far), high, kind), nearer=50)
    if world.chance(0.5):
        strip(world, winding(world, 0, 0.3, z), world.uniform(2, 6), Kind.PAVING)
    scatter_trees(world, int(world.rng.integers(0, 10)), 5, 50, 5)
    life(world, 6)
    world.show()


def station(world: World) -> None:
    """Tracks, a platform with its roof, a train, wires."""
    sky(world)
    backdrop(world)
    ground(world, Kind.GRASS if world.chance(0.5) else Kind.EARTH)
    slant = world.uniform(-0.1, 0.1)
    side = float(world.rng.choice([-1, 1]))
    for index in range(int(world.rng.integers(1, 4))):
        track(world, -side * (1.0 + index * 3.6), slant)
    edge, top, end = side * world.uniform(0.6, 2.5), world.uniform(0.3, 1.0), world.uniform(25, 120)
    lean = vector(end * slant, 0, end)
    deck = Face(
        origin=vector(edge, top, -0.5), right=vector(side * world.uniform(3, 9), 0, 0), up=lean
    )
    if world.chance(0.85):
        world.face(Face(origin=deck.origin - UP * top, right=lean, up=UP * top), Kind.PAVING)
        world.face(deck, Kind.PAVING)
        if world.chance(0.7):
            world.face(deck.part(0.08, 0, 0.14, 1), Kind.PAVING)
        high = world.uniform(2.6, 3.6)
        if world.chance(0.7):
            first, last = world.uniform(0.05, 0.2), world.uniform(0.3, 0.9)
            for part in np.linspace(last, first, int(world.rng.integers(3, 8))):
                where = deck.at(0.5, part)
                world.add(where, partial(block, world, where, (0.18, high, 0.18), 0, Kind.POST))
            eave = deck.part(0.1, first, 1.0, last)
            roof = Face(
                origin=eave.origin + UP * high,
                right=eave.right + UP * world.uniform(-0.4, 0.8),
                up=eave.up,
            )
            world.add(roof.at(0.5, 0.1), partial(world.face, roof, Kind.ROOF))
            rim = Face(origin=roof.origin, right=roof.up, up=UP * 0.3)
            world.add(roof.at(0, 0), partial(world.face, rim, Kind.ROOF))
        if world.chance(0.6):
            where = deck.at(1.3, 0.2)
            where[1] = 0
            world.add(where, partial(house, world, where, (4, 3.6, world.uniform(6, 20)), 0))
        for _ in range(world.rng.integers(0, 5)):
            where = deck.at(world.uniform(0.3, 0.9), world.uniform(0.03, 0.3))
            world.add(where, partial(block, world, where, (0.5, 0.45, 1.6), 0, Kind.WOOD))
    if world.chance(0.4):
        where = vector(-side * 1.0 + slant * 20, 0, world.uniform(10, 26))
        world.add(
            where,
            partial(
                train, world, where, 90 - float(np.degrees(slant)), int(world.rng.integers(1, 4))
            ),
        )
    if world.chance(0.6):
        row_of_poles(world, -side * world.uniform(3, 5), world.uniform(10, 20))
    scatter_trees(world, int(world.rng.integers(0, 9)), 8, 80, 8)
    life(world, 2)
    world.show()


def from_above(world: World) -> None:
    """A town seen from a hill or a roof: roofs over roofs."""
    sky(world)
    backdrop(world)
    ground(world, (Kind.PAVING, Kind.GRASS, Kind.EARTH)[int(world.rng.integers(3))])
    grid = world.uniform(9, 18)
    roofs = ("flat",) if world.chance(0.4) else ("gable", "hip", "gable", "flat")
    turn = world.uniform(-45, 45)
    spin = np.radians(turn)
    for across in range(-9, 10):
        for away in range(14):
            x, z = across * grid, 8 + away * grid
            if (abs(x) < 1.2 * z + 12) and world.chance(0.75):
                where = vector(
                    x * np.cos(spin) * 0.9 + world.uniform(-2, 2), 0, z + world.uniform(-2, 2)
                )
                size = (
                    grid * world.uniform(0.5, 0.85),
                    world.uniform(2.5, 7 if len(roofs) > 1 else 30),
                    grid * world.uniform(0.5, 0.85),
                )
                if world.chance(0.15):
                    world.add(where, partial(tree, world, where, world.uniform(4, 9)))
                else:
                    world.add(
                        where,
                        partial(
                            house,
                            world,
                            where,
                            size,
                            turn,
                            roof=roofs[int(world.rng.integers(len(roofs)))],
                        ),
                    )
    if world.chance(0.4):
        strip(
            world,
            winding(world, world.uniform(-9, 9), 2, 300),
            world.uniform(6, 25),
            Kind.WATER if world.chance(0.5) else Kind.PAVING,
        )
    world.show()


def shrine(world: World) -> None:
    """Steps that lead up to a gate and a hall."""
    sky(world)
    skyline(world, Kind.FOREST, world.uniform(0.1, 0.5), 0.1)
    ground(world, (Kind.EARTH, Kind.PAVING, Kind.GRASS)[int(world.rng.integers(3))])
    width = world.uniform(2, 6)
    start = world.uniform(3, 10)
    if world.chance(0.7):
        strip(
            world,
            np.stack([np.zeros(4), np.zeros(4) + 0.002, np.linspace(0.5, start, 4)], axis=1),
            width,
            Kind.PAVING,
        )
    for side in (-1, 1):
        slope = [
            vector(side * width / 2, 0, start),
            vector(side * 40, 0, start),
            vector(side * 40, 7, start + 16),
            vector(side * width / 2, 5, start + 14),
        ]
        world.polygon(slope, Kind.GRASS if world.chance(0.7) else Kind.ROCK, facing=Facing.ROOF)
    end = stairs(
        world,
        vector(0, 0, start),
        width,
        int(world.rng.integers(6, 30)),
        0.35,
        world.uniform(0.15, 0.22),
    )
    for side in (-1, 1):
        if world.chance(0.5):
            bank = [
                vector(side * width / 2, 0, start),
                vector(side * (width / 2 + 0.6), 0, start),
                end + (side * (width / 2 + 0.6), 0.2, 0),
                end + (side * width / 2, 0.2, 0),
            ]
            world.polygon(bank, Kind.ROCK if world.chance(0.5) else Kind.PAVING)
    if world.chance(0.8):
        world.add(end, partial(torii, world, end + (0, 0, 0.5), width * world.uniform(0.9, 1.4), 0))
    if world.chance(0.5):
        where = vector(0, 0, start - 0.8)
        world.add(where, partial(torii, world, where, width * 1.3, 0))
    if world.chance(0.7):
        where = end + (0, 0, world.uniform(5, 12))
        world.add(
            where, partial(house, world, where, (world.uniform(6, 12), 3.5, 6), 0, roof="stack")
        )
    for side in (-1, 1):
        for _ in range(world.rng.integers(1, 6)):
            where = vector(
                side * world.uniform(width * 0.7, width * 2 + 2),
                0,
                world.uniform(start * 0.5, start + 14),
            )
            where[1] = max(0.0, (where[2] - start) * 0.4)
            world.add(where, partial(tree, world, where, world.uniform(4, 12)))
        if world.chance(0.5):
            where = vector(side * (width / 2 + 1), 0, start - 1)
            kind = Kind.ROCK if world.chance(0.6) else Kind.LAMP
            world.add(where, partial(block, world, where, (0.5, 1.8, 0.5), 0, kind))
    life(world, width)
    world.show()


def castle(world: World) -> None:
    """A castle or a fortress on its stone base."""
    sky(world)
    backdrop(world)
    ground(world, Kind.GRASS if world.chance(0.6) else Kind.WATER)
    z = world.uniform(14, 40)
    style = world.chance(0.5)
    base = world.uniform(2, 6)
    wide = world.uniform(8, 16)
    where = vector(world.uniform(-5, 5), 0, z)
    world.add(where, partial(keep, world, where, wide, base, eastern=style))
    for _ in range(world.rng.integers(0, 4)):
        spot = where + (world.uniform(-22, 22), 0, world.uniform(-5, 8))
        world.add(
            spot,
            partial(
                house,
                world,
                spot,
                (world.uniform(3, 5), world.uniform(5, 14), 4),
                world.uniform(0, 45),
                roof="stack" if style else "cone",
            ),
        )
    far = z - world.uniform(6, 9)
    start = vector(-50, 0, far)
    world.add(
        vector(0, 0, far),
        partial(
            wall,
            world,
            start,
            vector(50, 0, far),
            world.uniform(1.5, 4),
            Kind.ROCK if world.chance(0.5) else Kind.WALL,
        ),
    )
    if world.chance(0.4):
        strip(
            world,
            np.stack([np.linspace(-60, 60, 6), np.full(6, 0.003), np.full(6, far - 3)], axis=1),
            5,
            Kind.WATER,
        )
    if world.chance(0.5):
        strip(world, winding(world, 0, 1, far), world.uniform(1.5, 4), Kind.EARTH)
    scatter_trees(world, int(world.rng.integers(1, 10)), 5, 60, 4)
    world.show()


def keep(world: World, where: Vector, wide: float, base: float, *, eastern: bool) -> None:
    """Draw a tower of several floors on a base of stones."""
    degrees = world.uniform(-40, 40)
    block(world, where, (wide * 1.15, base, wide), degrees, Kind.ROCK)
    level = where + UP * base
    for _ in range(int(world.rng.integers(2, 5))):
        tall = world.uniform(2.5, 5)
        house(
            world,
            level,
            (wide, tall, wide * 0.85),
            degrees,
            roof="stack" if eastern else "flat",
            floors=1,
        )
        level = level + UP * (tall + (wide * 0.08 if eastern else 0))
        wide *= world.uniform(0.65, 0.85)
    house(
        world,
        level,
        (wide, 2.5, wide * 0.85),
        degrees,
        roof="gable" if eastern else "cone",
        floors=1,
    )
