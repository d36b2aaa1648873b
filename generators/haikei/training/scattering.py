"""What is put about in many places: ranges behind, trees, rows of houses and poles, people."""

from functools import partial

import numpy as np

from haikei.reading import Kind
from haikei.training.built import house, lantern, pole, wires
from haikei.training.camera import UP, World, vector
from haikei.training.growth import bush, skyline, tree
from haikei.training.props import car, figure, sign


def backdrop(world: World, kinds: tuple[Kind, ...] = (Kind.HILL, Kind.FOREST)) -> None:
    """Draw ranges behind everything, the highest first."""
    for height in sorted(world.rng.uniform(0.02, 0.32, world.rng.integers(0, 4)))[::-1]:
        kind = kinds[int(world.rng.integers(len(kinds)))]
        skyline(world, kind, float(height), world.uniform(0, 0.3))


def scatter_trees(
    world: World, count: int, near: float, far: float, spread: float, style: str = ""
) -> None:
    """Put trees and bushes about, none of them within half the spread of the middle."""
    for _ in range(count):
        z = float(np.exp(world.uniform(np.log(near), np.log(far))))
        x = world.uniform(-1, 1) * (spread + z * 0.8)
        if abs(x) < spread * 0.5:
            x = np.sign(x + 1e-6) * (spread * 0.5 + abs(x))
        where = vector(x, 0, z)
        if world.chance(0.3):
            world.add(where, partial(bush, world, where, world.uniform(0.5, 2)))
        else:
            world.add(where, partial(tree, world, where, world.uniform(3, 11), style))


def row_of_houses(
    world: World,
    side: float,
    start: float,
    end: float,
    *,
    tall: tuple[float, float],
    roofs: tuple[str, ...],
    turn: float = 0,
) -> None:
    """Put houses along a street on one side."""
    z = start
    while z < end:
        long = world.uniform(4, 11)
        deep = world.uniform(4, 9)
        high = world.uniform(*tall)
        where = vector(side + np.sign(side) * deep / 2, 0, z + long / 2)
        roof = roofs[int(world.rng.integers(len(roofs)))]
        world.add(
            where,
            partial(
                house, world, where, (deep, high, long), turn + world.uniform(-3, 3), roof=roof
            ),
        )
        z += long + world.uniform(0, 2.5)


def row_of_poles(world: World, x: float, step: float) -> None:
    """Put poles along a line, and hang wires on them."""
    height = world.uniform(6, 10)
    spots = [vector(x, 0, z) for z in np.arange(world.uniform(3, 8), 90, step)]
    for spot in spots:
        world.add(spot, partial(pole, world, spot, height, wired=True))
    world.add(vector(x, 0, 2.5), partial(wires, world, [spot + UP * height for spot in spots]))


def life(world: World, spread: float) -> None:
    """Put people, cars, lamps and signs about."""
    for _ in range(world.rng.poisson(0.8)):
        z = world.uniform(2.5, 25)
        where = vector(world.uniform(-1, 1) * spread * (0.5 + z * 0.08), 0, z)
        style = world.rng.random()
        if style < 0.35:
            world.add(where, partial(figure, world, where, world.uniform(1.2, 1.8)))
        elif style < 0.55:
            world.add(where, partial(car, world, where, 90 + world.uniform(-20, 20)))
        elif style < 0.8:
            world.add(where, partial(lantern, world, where, world.uniform(2.5, 6)))
        else:
            world.add(where, partial(sign, world, where, world.uniform(1, 3)))
