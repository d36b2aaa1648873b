"""All places outdoors by name; what is near the camera, and what stands alone."""

from collections.abc import Callable
from functools import partial

import numpy as np

from haikei.reading import Facing, Kind
from haikei.training.built import house, torii, wires
from haikei.training.camera import UP, Face, Vector, World, vector
from haikei.training.country import heights, on_bridge, pond, port, river, ruin, shore, snow, woods
from haikei.training.growth import bumpy, crown, rock, sky, skyline, tree
from haikei.training.props import boat, car, figure, train
from haikei.training.towns import (
    alley,
    campus,
    castle,
    from_above,
    keep,
    shrine,
    station,
    street,
    village,
)


def close_up(world: World) -> None:
    """Something near the camera that fills much of the picture; no horizon to be seen."""
    canvas, rng = world.canvas, world.rng
    back = (Kind.SKY, Kind.TREE, Kind.WALL, Kind.WOOD, Kind.ROCK, Kind.CLOUD)[int(rng.integers(6))]
    wide = canvas.aspect
    frame = [(-1.0, -1.0), (wide + 1, -1.0), (wide + 1, 2.0), (-1.0, 2.0)]
    if back in (Kind.SKY, Kind.CLOUD):
        sky(world, 5.0 if back is Kind.CLOUD else 1.0)
        if world.chance(0.6):
            level = world.uniform(0.2, 1.2)
            skyline(world, Kind.FOREST if world.chance(0.5) else Kind.TREE, level * 0.5, 0.1)
        if world.chance(0.5):
            where = vector(world.uniform(-3, 3), world.uniform(-3, 0), world.uniform(4, 10))
            house(world, where, (5, 4, 5), world.uniform(-60, 60))
        if world.chance(0.4):
            tops = [vector(x, world.uniform(3, 5), world.uniform(4, 9)) for x in (-9.0, 0.0, 9.0)]
            wires(world, tops)
    else:
        canvas.fill(
            frame,
            back,
            depth=0.4,
            facing=Facing.NONE if back is Kind.TREE else Facing.FRONT,
            line=False,
        )
        if back is Kind.TREE:
            for _ in range(rng.integers(4, 25)):
                middle = rng.uniform(0, 1, 2) * (wide, 1)
                crown(world, middle, world.uniform(0.1, 0.4), world.uniform(0.08, 0.3), 0.4)
        else:
            front = Face(
                origin=vector(-4, world.lens.eye - 2.5, 3),
                right=vector(8, 0, world.uniform(-1, 1)),
                up=UP * 5,
            )
            world.face(front, back)
            if world.chance(0.7):
                world.rule(front, int(rng.integers(1, 14)), int(rng.integers(1, 14)))
            if back is Kind.WALL:
                for _ in range(rng.integers(1, 5)):
                    left, low = world.uniform(0, 0.8), world.uniform(0.1, 0.7)
                    pane = front.part(
                        left, low, left + world.uniform(0.08, 0.25), low + world.uniform(0.1, 0.35)
                    )
                    world.face(pane.part(-0.08, -0.08, 1.08, 1.08), Kind.WALL)
                    world.face(pane, Kind.WINDOW)
                    world.rule(pane, int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    for _ in range(rng.integers(0, 8)):
        middle = np.array([world.uniform(0, wide), world.uniform(0.8, 1.1)])
        crown(world, middle, world.uniform(0.05, 0.3), world.uniform(0.05, 0.25), 0.15)


def lone_object(world: World) -> None:
    """One thing on empty paper."""
    makers: list[Callable[[Vector], object]] = [
        lambda where: house(
            world,
            where,
            (world.uniform(3, 8), world.uniform(3, 9), world.uniform(3, 8)),
            world.uniform(-60, 60),
        ),
        lambda where: tree(world, where, world.uniform(3, 6)),
        lambda where: car(world, where, world.uniform(0, 360)),
        lambda where: boat(world, where, world.uniform(3, 6), world.uniform(0, 360)),
        lambda where: torii(world, where, world.uniform(3, 6), world.uniform(-40, 40)),
        lambda where: keep(world, where, world.uniform(3, 6), 1.0, eastern=world.chance(0.5)),
        lambda where: rock(world, where, world.uniform(1, 3)),
        lambda where: figure(world, where, world.uniform(1, 4)),
        lambda where: train(world, where, world.uniform(0, 180), 1),
    ]
    for _ in range(world.rng.integers(1, 3)):
        where = vector(world.uniform(-2, 2), 0, world.uniform(7, 14))
        world.add(where, partial(makers[int(world.rng.integers(len(makers)))], where))
    world.show()


def over_leaves(world: World) -> None:
    """Put leaves, a branch or a bush before a finished picture, as foregrounds are framed."""
    rng, canvas = world.rng, world.canvas
    side = float(rng.choice([0, canvas.aspect]))
    for _ in range(rng.integers(2, 8)):
        middle = np.array(
            [
                side + rng.normal(0, 0.12),
                rng.choice([rng.uniform(-0.05, 0.3), rng.uniform(0.8, 1.05)]),
            ]
        )
        outline = bumpy(
            world,
            middle,
            rng.uniform(0.05, 0.25),
            rng.uniform(0.04, 0.15),
            int(rng.integers(6, 14)),
        )
        canvas.fill(outline, Kind.TREE, depth=0.08)


OUTDOORS: dict[str, Callable[[World], None]] = {
    "street": street,
    "alley": alley,
    "village": village,
    "port": port,
    "beach": shore,
    "lake": pond,
    "river": river,
    "bridge": on_bridge,
    "forest": woods,
    "shrine": shrine,
    "school": campus,
    "station": station,
    "city": from_above,
    "snow": snow,
    "castle": castle,
    "ruin": ruin,
    "mountain": heights,
    "close-up": close_up,
    "object": lone_object,
}
