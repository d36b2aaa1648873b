"""One lesson a number: a place, a camera and a hand drawn by chance, and what is drawn there."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from haikei.reading import Kind
from haikei.training.camera import Lens, World
from haikei.training.canvas import Canvas, Lesson, draw_hand
from haikei.training.flat import flat_outdoors, flat_room
from haikei.training.interiors import ROOMS
from haikei.training.open_country import open_country
from haikei.training.outdoors import OUTDOORS, over_leaves
from haikei.training.props import person

ASPECTS = (16 / 9, 16 / 9, 1.5, 4 / 3, 1.85, 2.35, 1.0)
DRAWERS = {**OUTDOORS, **ROOMS, "flat": flat_outdoors, "flat-room": flat_room, "open": open_country}
PLACES = tuple(DRAWERS)
FLAT = 0.14  #: part of the lessons without perspective
OPEN = 0.3  #: part of those outdoors that are plain open country


def draw_lesson(seed: int, *, height: int = 540, place: str = "") -> Lesson:
    """Return the lesson of a number: always the same one."""
    rng = np.random.default_rng(seed)
    indoors = rng.random() < 0.3
    names = list(ROOMS if indoors else OUTDOORS)
    name = names[int(rng.integers(len(names)))]
    if rng.random() < FLAT:
        name = "flat-room" if indoors else "flat"
    elif not indoors and rng.random() < OPEN:
        name = "open"
    name = place or name
    aspect = float(rng.choice(ASPECTS))
    canvas = Canvas(height, aspect, draw_hand(rng), rng)
    if rng.random() < 0.35:
        zoom = rng.uniform(1.0, 1.7)
        slack = (1 - 1 / zoom) / 2
        middle = (
            aspect * (0.5 + rng.uniform(-slack, slack)),
            0.5 + rng.uniform(-slack, slack),
        )
        canvas.turn(float(rng.normal(0, 3.5)), zoom, middle)
    lens = _indoors(rng) if name in ROOMS else _outdoors(rng, name)
    world = World(canvas, lens)
    DRAWERS[name](world)
    if name not in ("object", "close-up", "flat-room", *ROOMS) and rng.random() < 0.12:
        over_leaves(world)
    if rng.random() < 0.1:
        _cels(world)
    return dataclasses.replace(canvas.finish(mirrored=rng.random() < 0.5), place=name)


def _outdoors(rng: np.random.Generator, name: str) -> Lens:
    style = rng.random()
    if name == "city" or style < 0.12:  # from above
        return Lens(
            eye=rng.uniform(9, 45),
            yaw=rng.uniform(-12, 12),
            pitch=rng.uniform(-38, -4),
            focal=rng.uniform(0.8, 1.8),
        )
    if style < 0.24:  # from low, looking up
        return Lens(
            eye=rng.uniform(0.3, 1.2),
            yaw=rng.uniform(-25, 25),
            pitch=rng.uniform(3, 26),
            focal=rng.uniform(0.7, 1.3),
        )
    return Lens(
        eye=float(np.exp(rng.uniform(np.log(0.7), np.log(7)))),
        yaw=rng.uniform(-28, 28),
        pitch=rng.normal(0, 3),
        focal=float(np.exp(rng.uniform(np.log(0.7), np.log(2.4)))),
        shift=rng.uniform(-0.18, 0.2),
    )


def _indoors(rng: np.random.Generator) -> Lens:
    return Lens(
        eye=rng.uniform(0.5, 2.1),
        yaw=rng.normal(0, 14 if rng.random() < 0.65 else 40),
        pitch=rng.normal(-2, 7),
        focal=rng.uniform(0.55, 1.3),
        shift=rng.uniform(-0.1, 0.1),
    )


def _cels(world: World) -> None:
    """Stand people in front of everything, as cel areas are."""
    rng = world.rng
    for _ in range(rng.integers(1, 4)):
        size = rng.uniform(0.3, 1.5)
        foot = np.array(
            [rng.uniform(0.1, world.canvas.aspect - 0.1), rng.uniform(0.8, 1.0) + size * 0.5]
        )
        person(world, foot, size, 0.02)


#: A plain colour a kind, 8-bit sRGB: for maps that people look at.
MAP_COLOURS: dict[Kind, tuple[int, int, int]] = {
    Kind.SKY: (150, 200, 245),
    Kind.CLOUD: (245, 248, 255),
    Kind.HILL: (130, 160, 150),
    Kind.FOREST: (70, 120, 90),
    Kind.WATER: (60, 110, 190),
    Kind.GRASS: (150, 195, 90),
    Kind.PAVING: (185, 185, 185),
    Kind.EARTH: (190, 155, 110),
    Kind.TREE: (50, 150, 50),
    Kind.WALL: (235, 220, 190),
    Kind.ROOF: (190, 70, 60),
    Kind.WINDOW: (40, 60, 110),
    Kind.DOOR: (120, 60, 30),
    Kind.POST: (90, 90, 100),
    Kind.HULL: (230, 120, 40),
    Kind.OTHER: (255, 0, 255),
    Kind.SAND: (240, 225, 150),
    Kind.SNOW: (215, 230, 240),
    Kind.ROCK: (120, 115, 110),
    Kind.TRUNK: (110, 80, 50),
    Kind.WOOD: (165, 115, 65),
    Kind.RAIL: (60, 40, 40),
    Kind.WIRE: (20, 20, 20),
    Kind.VEHICLE: (240, 200, 0),
    Kind.ROOM_WALL: (250, 235, 215),
    Kind.FLOOR: (205, 170, 130),
    Kind.CEILING: (225, 225, 215),
    Kind.FURNITURE: (175, 100, 140),
    Kind.LAMP: (255, 255, 120),
    Kind.FIGURE: (255, 150, 170),
    Kind.UNKNOWN: (128, 0, 128),
}
_COLOURS = np.array([MAP_COLOURS[kind] for kind in Kind], np.uint8)


def map_of(kinds: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return a map of kinds in colours, (height, width, 3), 8-bit sRGB."""
    return np.asarray(_COLOURS[kinds], np.uint8)
