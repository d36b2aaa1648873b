"""Places by water, in woods and on heights, each put together from parts by chance."""

from functools import partial

import numpy as np

from haikei.reading import Facing, Kind
from haikei.training.built import block, house
from haikei.training.camera import UP, Face, Vector, World, vector
from haikei.training.growth import crown, ground, marks, ragged, rock, sky, skyline, strip, winding
from haikei.training.props import boat
from haikei.training.scattering import backdrop, life, row_of_houses, scatter_trees


def port(world: World) -> None:
    """Water, quays and boats."""
    sky(world)
    backdrop(world)
    ground(world, Kind.WATER)
    if world.chance(0.7):  # the far shore
        z = world.uniform(40, 120)
        world.face(
            Face(
                origin=vector(-200, 0.02, z),
                right=vector(world.uniform(150, 400), 0, 0),
                up=vector(0, 0, 60),
            ),
            Kind.PAVING,
        )
        for _ in range(world.rng.integers(3, 16)):
            where = vector(world.uniform(-80, 80), 0, z + world.uniform(4, 40))
            world.add(
                where,
                partial(
                    house,
                    world,
                    where,
                    (world.uniform(6, 14), world.uniform(3, 12), 8),
                    world.uniform(-30, 30),
                ),
            )
    side = float(world.rng.choice([-1, 1]))
    edge = side * world.uniform(0.5, 7)
    if world.chance(0.8):
        top = world.uniform(0.05, 0.6)
        end = world.uniform(15, 70)
        deck = Face(
            origin=vector(edge, top, -0.5),
            right=vector(side * 90, 0, 0),
            up=vector(world.uniform(-3, 3), 0, end),
        )
        kind = Kind.PAVING if world.chance(0.8) else Kind.WOOD
        world.face(Face(origin=deck.origin - UP * top, right=deck.up, up=UP * top), kind)
        world.face(deck, kind)
        if world.chance(0.5):
            world.face(deck.part(0, 0, 0.01, 1), kind)
        row_of_houses(
            world,
            edge + side * world.uniform(4, 10),
            8,
            end,
            tall=(3, 8),
            roofs=("gable", "flat", "shed"),
        )
        for z in np.arange(2, 20, world.uniform(2, 5)):
            where = vector(edge + side * 0.4, top, z)
            world.add(where, partial(block, world, where, (0.3, 0.5, 0.3), 0, Kind.POST))
        for _ in range(world.rng.integers(0, 7)):
            where = vector(edge + side * world.uniform(1, 5), top, world.uniform(2, 20))
            size = world.uniform(0.4, 1.4)
            world.add(
                where,
                partial(
                    block,
                    world,
                    where,
                    (size, size * 0.8, size),
                    world.uniform(-40, 40),
                    Kind.WOOD if world.chance(0.5) else Kind.OTHER,
                ),
            )
    elif world.chance(0.7):
        pier = Face(
            origin=vector(-0.9, 0.5, 0.3),
            right=vector(1.8, 0, 0),
            up=vector(world.uniform(-3, 3), 0, world.uniform(8, 30)),
        )
        world.face(pier, Kind.WOOD)
        world.rule(pier, 1, int(pier.height * 2))
    for _ in range(world.rng.integers(1, 7)):
        z = float(np.exp(world.uniform(np.log(6), np.log(80))))
        where = vector(edge - side * world.uniform(1.5, 3 + z * 0.7), 0, z)
        world.add(where, partial(boat, world, where, world.uniform(3, 11), world.uniform(0, 360)))
    if world.chance(0.2):
        where = vector(-edge * 3, 0, world.uniform(25, 60))
        world.add(where, partial(house, world, where, (3, world.uniform(8, 14), 3), 0, roof="cone"))
    life(world, 3)
    world.show()


def shore(world: World, kind: Kind = Kind.SAND) -> None:
    """A beach, a lake's side or a rocky coast."""
    sky(world)
    backdrop(world)
    ground(world, Kind.WATER)
    bend = world.uniform(2, 12)
    xs = np.linspace(-60, 60, 20)
    sway = world.uniform(-0.4, 0.4)
    z = bend + xs * sway + np.sin(xs * 0.2 + world.uniform(0, 6)) * world.uniform(0, 2)
    beach = [
        vector(-60, 0.01, -60),
        *(vector(float(x), 0.01, float(far)) for x, far in zip(xs, z, strict=True)),
        vector(60, 0.01, -60),
    ]
    if world.chance(0.6):
        foam = np.array(
            [vector(float(x), 0.005, float(far) + 0.6) for x, far in zip(xs, z, strict=True)]
        )
        world.line(foam[foam[:, 2] > 0.5], 0.8)
    world.polygon(np.array(beach), kind, facing=Facing.UP)
    marks(world, kind, 15)
    for _ in range(world.rng.integers(0, 9)):
        where = vector(world.uniform(-9, 9), 0, world.uniform(2.5, 25))
        world.add(where, partial(rock, world, where, world.uniform(0.3, 2)))
    if world.chance(0.5):
        for _ in range(world.rng.integers(1, 4)):
            where = vector(world.uniform(-15, 15), 0, world.uniform(12, 60))
            world.add(
                where, partial(boat, world, where, world.uniform(3, 9), world.uniform(0, 360))
            )
    scatter_trees(
        world,
        int(world.rng.integers(0, 6)),
        3,
        12,
        4,
        "palm" if kind is Kind.SAND and world.chance(0.5) else "",
    )
    if world.chance(0.3):
        where = vector(world.uniform(-6, 6), 0, world.uniform(4, 10))
        world.add(where, partial(house, world, where, (4, 2.6, 4), world.uniform(-40, 40)))
    life(world, 3)
    world.show()


def pond(world: World) -> None:
    """A lake among meadows and woods."""
    shore(world, (Kind.GRASS, Kind.EARTH, Kind.ROCK)[int(world.rng.choice(3, p=[0.6, 0.2, 0.2]))])


def river(world: World) -> None:
    """A river between banks, with a bridge as it comes."""
    sky(world)
    backdrop(world)
    bank = (Kind.GRASS, Kind.EARTH, Kind.PAVING, Kind.ROCK)[
        int(world.rng.choice(4, p=[0.6, 0.15, 0.15, 0.1]))
    ]
    ground(world, bank)
    line = winding(world, world.uniform(-4, 4), world.uniform(0, 2.5), 300)
    width = world.uniform(3, 14)
    strip(world, line, width * 1.3, Kind.ROCK if world.chance(0.3) else bank, rough=0.08)
    strip(world, line, width, Kind.WATER, rough=world.uniform(0, 0.08))
    for _ in range(world.rng.integers(0, 12)):
        z = world.uniform(2, 25)
        x = float(np.interp(z, line[:, 2], line[:, 0])) + world.uniform(-0.7, 0.7) * width
        where = vector(x, 0, z)
        world.add(where, partial(rock, world, where, world.uniform(0.2, 1)))
    if world.chance(0.6):
        z = world.uniform(8, 40)
        middle = vector(float(np.interp(z, line[:, 2], line[:, 0])), 0, z)
        world.add(middle, partial(bridge, world, middle, width + world.uniform(2, 9)))
    if world.chance(0.5):
        for side in (-1, 1):
            row_of_houses(
                world, side * (width / 2 + 5), 8, 60, tall=(3, 8), roofs=("gable", "hip", "flat")
            )
    scatter_trees(world, int(world.rng.integers(2, 14)), 4, 70, width * 0.8)
    world.show()


def bridge(world: World, middle: Vector, long: float) -> None:
    """Draw a bridge that is seen from its side: an arch, a deck on piers, a truss."""
    rng = world.rng
    kind = (Kind.WALL, Kind.WOOD, Kind.POST, Kind.ROCK)[int(rng.integers(4))]
    rise, base = rng.uniform(0, 1.5), rng.uniform(1.5, 4)
    part = np.linspace(-0.5, 0.5, 13)
    deck = np.stack(
        [middle[0] + part * long, base + rise * np.cos(part * np.pi), np.full(13, middle[2])],
        axis=1,
    )
    if world.chance(0.5):
        for x in np.linspace(-0.4, 0.4, int(rng.integers(2, 6))):
            block(world, middle + vector(x * long, 0, 0), (0.5, base, 2.5), 0, kind)
        low = deck[::-1] - (0, rng.uniform(0.3, 0.8), 0)
    else:
        arch = np.maximum(base * 0.9 * np.cos(part[::-1] * np.pi * 0.95), 0) + rise * 0.6
        low = np.stack([deck[::-1, 0], arch, deck[::-1, 2]], axis=1)
    world.polygon(np.concatenate([deck, low]), kind, facing=Facing.FRONT)
    rail = deck + (0, 1.0, 0)
    if world.chance(0.4):
        world.polygon(np.concatenate([rail, deck[::-1]]), kind, facing=Facing.FRONT)
    else:
        world.polygon(np.concatenate([rail, rail[::-1] - (0, 0.15, 0)]), kind, facing=Facing.FRONT)
    for here, there in zip(deck, rail, strict=True):
        world.polygon(
            [here - (0.08, 0, 0), here + (0.08, 0, 0), there + (0.08, 0, 0), there - (0.08, 0, 0)],
            kind,
            facing=Facing.FRONT,
        )


def on_bridge(world: World) -> None:
    """The way over a bridge, seen along it."""
    sky(world)
    backdrop(world)
    ground(world, Kind.WATER)
    half, end = world.uniform(1.5, 5), world.uniform(20, 80)
    world.face(
        Face(origin=vector(-half, 0.02, -1), right=vector(half * 2, 0, 0), up=vector(0, 0, end)),
        Kind.PAVING if world.chance(0.7) else Kind.WOOD,
    )
    kind = (Kind.WALL, Kind.WOOD, Kind.POST)[int(world.rng.integers(3))]
    for side in (-half, half):
        for z in np.arange(1, end, world.uniform(1, 3))[::-1]:
            where = vector(side, 0, z)
            world.add(where, partial(block, world, where, (0.15, 1, 0.15), 0, kind))
        rail = Face(origin=vector(side, 0.9, end), right=vector(0, 0, -end), up=UP * 0.15)
        world.add(vector(side, 0, 3), partial(world.face, rail, kind))
    for _ in range(world.rng.integers(0, 5)):
        where = vector(world.uniform(-30, 30), 0, end + world.uniform(3, 40))
        world.add(
            where,
            partial(house, world, where, (9, world.uniform(3, 18), 9), world.uniform(-40, 40)),
        )
    life(world, half)
    world.show()


def woods(world: World) -> None:
    """A way among trees, near and far."""
    sky(world, 0.3)
    for height in sorted(world.rng.uniform(0.1, 0.7, world.rng.integers(0, 4)))[::-1]:
        skyline(world, Kind.FOREST if world.chance(0.6) else Kind.TREE, float(height), 0.1)
    ground(world, Kind.GRASS if world.chance(0.7) else Kind.EARTH)
    if world.chance(0.8):
        strip(
            world,
            winding(world, world.uniform(-1, 1), world.uniform(0, 1.2), 120),
            world.uniform(0.8, 3),
            Kind.EARTH,
            rough=0.06,
        )
    marks(world, Kind.GRASS, 50)
    style = str(world.rng.choice(["", "conifer", "round", "bare"]))
    scatter_trees(world, int(world.rng.integers(8, 40)), 2.5, 60, 1.5, style)
    for _ in range(world.rng.integers(0, 6)):
        where = vector(world.uniform(-5, 5), 0, world.uniform(2, 14))
        world.add(where, partial(rock, world, where, world.uniform(0.2, 1.2)))
    world.show()
    if world.chance(0.4):  # big stems close to the camera
        for _ in range(world.rng.integers(1, 4)):
            x, wide = world.uniform(0, world.canvas.aspect), world.uniform(0.03, 0.16)
            stem = np.array(
                [
                    (x - wide, 1.1),
                    (x - wide * 0.8, -0.1),
                    (x + wide * 0.8, -0.1),
                    (x + wide * 1.2, 1.1),
                ]
            )
            world.canvas.fill(ragged(world, stem, 0.006), Kind.TRUNK, depth=0.1)
            world.canvas.hatch(stem, 0.02, 90, 0.6)
    if world.chance(0.4):  # leaves that hang in from above
        for _ in range(world.rng.integers(2, 7)):
            middle = np.array([world.uniform(0, world.canvas.aspect), world.uniform(-0.05, 0.12)])
            crown(world, middle, world.uniform(0.1, 0.4), world.uniform(0.06, 0.2), 0.1)


def snow(world: World) -> None:
    """A field of snow."""
    sky(world, 0.6)
    for height in sorted(world.rng.uniform(0.02, 0.4, world.rng.integers(0, 4)))[::-1]:
        kind = (Kind.HILL, Kind.FOREST, Kind.SNOW)[int(world.rng.integers(3))]
        skyline(world, kind, float(height), world.uniform(0, 0.4))
    ground(world, Kind.SNOW)
    for _ in range(world.rng.integers(0, 4)):
        x = np.linspace(-40, 40, 12)
        z = world.uniform(3, 30)
        drift = np.stack(
            [
                x,
                np.abs(np.sin(x * 0.15 + world.uniform(0, 6))) * world.uniform(0.1, 0.7),
                np.full(12, z),
            ],
            axis=1,
        )
        low = drift[::-1] * (1, 0, 1)
        world.add(
            vector(0, 0, z),
            partial(world.polygon, np.concatenate([drift, low]), Kind.SNOW, facing=Facing.UP),
        )
    if world.chance(0.4):
        strip(world, winding(world, 0, 1, 120), world.uniform(0.8, 3), Kind.SNOW)
    marks(world, Kind.SNOW, 12)
    for _ in range(world.rng.integers(0, 4)):
        z = world.uniform(8, 40)
        where = vector(world.uniform(-1, 1) * (3 + z * 0.6), 0, z)
        world.add(
            where,
            partial(
                house,
                world,
                where,
                (5, world.uniform(2.5, 4), 5),
                world.uniform(-50, 50),
                roof="gable",
            ),
        )
    scatter_trees(
        world,
        int(world.rng.integers(0, 14)),
        4,
        60,
        2,
        str(world.rng.choice(["conifer", "bare", ""])),
    )
    life(world, 4)
    world.show()


def ruin(world: World) -> None:
    """Broken walls, columns and arches that things grow over."""
    sky(world)
    backdrop(world, (Kind.HILL, Kind.FOREST, Kind.ROCK))
    ground(world, (Kind.GRASS, Kind.EARTH, Kind.SAND)[int(world.rng.integers(3))])
    if world.chance(0.5):
        floor = Face(origin=vector(-5, 0.01, 2), right=vector(10, 0, 0), up=vector(0, 0, 30))
        world.face(floor, Kind.PAVING)
        world.rule(floor, 7, 16)
    for _ in range(world.rng.integers(3, 12)):
        z = world.uniform(4, 40)
        where = vector(world.uniform(-1, 1) * (2 + z * 0.6), 0, z)
        style = world.rng.random()
        if style < 0.5:
            size = world.uniform(0.5, 1.2)
            world.add(
                where,
                partial(
                    block,
                    world,
                    where,
                    (size, world.uniform(0.5, 8), size),
                    world.uniform(0, 45),
                    Kind.POST if world.chance(0.5) else Kind.WALL,
                ),
            )
        elif style < 0.8:
            end = world.uniform(2, 9)
            top = np.array([(part * end, world.uniform(1, 6)) for part in np.linspace(0, 1, 7)])
            turn = np.radians(world.uniform(-60, 60))
            along = vector(np.cos(turn), 0, np.sin(turn))
            shape = np.concatenate(
                [where + top[:, :1] * along + top[:, 1:] * UP, [where + along * end, where]]
            )
            world.add(where, partial(world.polygon, shape, Kind.WALL))
        else:
            world.add(where, partial(rock, world, where, world.uniform(0.5, 2.5)))
    scatter_trees(world, int(world.rng.integers(0, 12)), 4, 50, 3)
    world.show()


def heights(world: World) -> None:
    """Mountains, cliffs, rocks and meadows."""
    sky(world)
    kinds = (Kind.HILL, Kind.HILL, Kind.FOREST, Kind.ROCK, Kind.SNOW)
    for height in sorted(world.rng.uniform(0.05, 0.5, world.rng.integers(2, 6)))[::-1]:
        skyline(
            world, kinds[int(world.rng.integers(len(kinds)))], float(height), world.uniform(0, 0.5)
        )
    ground(world, Kind.GRASS)
    for height in sorted(world.rng.uniform(0.0, 0.12, world.rng.integers(0, 3)))[::-1]:
        skyline(world, Kind.GRASS, float(height), 0.02, shift=world.uniform(0.02, 0.2))
    if world.chance(0.5):
        strip(
            world, winding(world, world.uniform(-3, 3), 2, 300), world.uniform(0.8, 3), Kind.EARTH
        )
    marks(world, Kind.GRASS, 40)
    if world.chance(0.4):  # a cliff at one side
        x = world.uniform(0.0, 0.4)
        line = np.linspace(-0.1, 1.2, 8)
        edge = np.stack([x + world.rng.normal(0, 0.04, 8), line], axis=1)
        cliff = np.concatenate([[(-0.3, -0.1)], edge, [(-0.3, 1.2)]])
        if world.chance(0.5):
            cliff[:, 0] = world.canvas.aspect - cliff[:, 0]
        world.canvas.fill(cliff, Kind.ROCK, depth=0.3)
        world.canvas.hatch(cliff, world.uniform(0.03, 0.1), world.uniform(60, 120), 0.7)
    for _ in range(world.rng.integers(0, 10)):
        where = vector(world.uniform(-9, 9), 0, world.uniform(2.5, 30))
        world.add(where, partial(rock, world, where, world.uniform(0.3, 2.5)))
    scatter_trees(world, int(world.rng.integers(0, 10)), 4, 80, 2)
    world.show()
