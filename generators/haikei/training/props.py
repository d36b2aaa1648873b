"""What stands about: vehicles, boats, people, signs, furniture."""

import numpy as np

from haikei.reading import Kind
from haikei.training.built import block
from haikei.training.camera import UP, Face, Vector, World, sides, vector
from haikei.training.canvas import Points
from haikei.training.growth import bumpy


def _disc(world: World, middle: Vector, along: Vector, radius: float, kind: Kind) -> None:
    turns = np.linspace(0, 2 * np.pi, 18, endpoint=False)[:, None]
    along = along / max(float(np.linalg.norm(along)), 1e-9)
    world.polygon(middle + (np.cos(turns) * along + np.sin(turns) * UP) * radius, kind)


def car(world: World, where: Vector, degrees: float) -> None:
    """Draw a car, a van, a truck or a bus."""
    rng = world.rng
    style = rng.choice(["car", "car", "van", "bus", "truck"])
    long = {"car": 4.0, "van": 4.4, "bus": 10.0, "truck": 6.0}[style]
    body = {"car": 0.75, "van": 1.7, "bus": 2.8, "truck": 1.0}[style]
    floor = where + UP * 0.35
    turn = np.radians(degrees)
    along = vector(np.cos(turn), 0, np.sin(turn))
    lower = [face for face in sides(floor, (long, body, 1.7), degrees) if world.fronts(face)]
    lower.sort(key=lambda face: -world.distance(face.corners()))
    for face in lower:
        world.face(face, Kind.VEHICLE)
        if style in ("van", "bus"):
            count = max(1, round(face.width / 1.5))
            for bay in range(count):
                world.face(
                    face.part((bay + 0.1) / count, 0.5, (bay + 0.9) / count, 0.88), Kind.WINDOW
                )
        elif face.width < 2 and world.chance(0.8):
            for side in (0.05, 0.75):
                world.face(face.part(side, 0.45, side + 0.2, 0.75), Kind.LAMP)
    if style in ("car", "truck"):
        roof = floor + UP * body - along * long * (0.05 if style == "car" else -0.25)
        size = (long * (0.5 if style == "car" else 0.25), 0.62 if style == "car" else 1.2, 1.5)
        for face in block(world, roof, size, degrees, Kind.VEHICLE):
            world.face(face.part(0.08, 0.15, 0.92, 0.85), Kind.WINDOW)
    elif world.lens.eye > body + 0.4:
        world.polygon(
            np.stack([face.at(0, 1) for face in sides(floor, (long, body, 1.7), degrees)]),
            Kind.VEHICLE,
        )
    for face in lower:
        if face.width > 2:
            for part in (0.2, 0.8):
                middle = face.at(part, 0)
                _disc(world, middle, face.right, 0.36, Kind.VEHICLE)
                _disc(world, middle, face.right, 0.18, Kind.VEHICLE)


def train(world: World, where: Vector, degrees: float, cars: int) -> None:
    """Draw a train: boxes with rows of windows and doors."""
    turn = np.radians(degrees)
    along = vector(np.cos(turn), 0, np.sin(turn))
    for index in reversed(range(cars)):
        middle = where + along * (index * 16.5) + UP * 0.9
        for face in block(world, middle, (16, 2.8, 2.7), degrees, Kind.VEHICLE):
            count = 9 if face.width > 4 else 2
            for bay in range(count):
                if count == 9 and bay in (1, 4, 7):
                    leaf = face.part((bay + 0.15) / count, 0.05, (bay + 0.85) / count, 0.85)
                    world.face(leaf, Kind.DOOR)
                    world.face(leaf.part(0.2, 0.5, 0.8, 0.9), Kind.WINDOW)
                else:
                    world.face(
                        face.part((bay + 0.08) / count, 0.42, (bay + 0.92) / count, 0.8),
                        Kind.WINDOW,
                    )
            if world.chance(0.6):
                world.line([face.at(0, 0.3), face.at(1, 0.3)])


def boat(world: World, where: Vector, long: float, degrees: float) -> None:
    """Draw a boat, with a cabin, a mast or a sail as it comes."""
    rng = world.rng
    turn = np.radians(degrees)
    along = vector(np.cos(turn), 0, np.sin(turn)) * long / 2
    high = UP * long * rng.uniform(0.1, 0.2)
    sheer = UP * long * rng.uniform(0.0, 0.1)
    tall = long * rng.uniform(0.5, 1.1)
    masted = world.chance(0.5)
    if masted:
        block(world, where + high, (long * 0.03, tall, long * 0.03), degrees, Kind.POST)
        if world.chance(0.5):
            top = where + UP * tall
            world.polygon([top, where + along * 0.7 + high * 1.5, where + high * 1.5], Kind.OTHER)
            world.polygon([top, where + high * 1.5, where - along * 0.8 + high * 1.5], Kind.OTHER)
    away = vector(-np.sin(turn), 0, np.cos(turn)) * long * 0.14
    rim = [
        where - along + high + sheer,
        where - away + high,
        where + along * 1.15 + high + sheer * 2,
        where + away + high,
    ]
    if world.lens.eye > where[1] + float(high[1]):
        world.polygon(rim, Kind.HULL)
    if world.chance(0.5):
        size = (long * 0.3, float(high[1]) + long * rng.uniform(0.08, 0.2), long * 0.16)
        for face in block(world, where - along * rng.uniform(-0.2, 0.4), size, degrees, Kind.HULL):
            world.face(face.part(0.1, 0.6, 0.9, 0.9), Kind.WINDOW)
    keel = [where - along * 0.85, where + along * 0.85]
    world.polygon([rim[0], keel[0], keel[1], rim[2], rim[1]], Kind.HULL)
    if world.chance(0.5):
        world.line([(rim[0] + keel[0]) / 2, (rim[2] + keel[1]) / 2])


def figure(world: World, where: Vector, tall: float) -> None:
    """Draw somebody standing or walking."""
    ends = world.trail(np.stack([where, where + UP * tall]))
    if len(ends):
        size = float(np.hypot(*(ends[1] - ends[0])))
        person(world, ends[0], size, world.depth(where))


def person(world: World, foot: Points, size: float, depth: float) -> None:
    """Draw a person of some height, whose feet are there; as a cel, in front of all else."""
    rng, canvas = world.rng, world.canvas
    if size < 0.02:
        return
    head = size * rng.uniform(0.12, 0.24)
    wide = size * rng.uniform(0.1, 0.17)
    lean = rng.normal(0, 0.03) * size
    neck = foot + (lean, -(size - head))
    hip = foot + (lean / 2, -size * rng.uniform(0.38, 0.5))

    def part(points: list[tuple[float, float]] | Points) -> None:
        canvas.fill(points, Kind.FIGURE, depth=depth)

    gait = rng.uniform(0.02, 0.2) * size
    if world.chance(0.7):
        for side in (-1, 1):
            knee = hip + (side * gait * 0.5, (foot[1] - hip[1]) * 0.5)
            end = foot + (side * gait, 0)
            thick = wide * 0.35
            part(
                np.array(
                    [
                        hip + (side * thick, 0) - (thick, 0),
                        hip + (side * thick, 0) + (thick, 0),
                        knee + (thick, 0),
                        end + (thick, 0),
                        end - (thick, 0),
                        knee - (thick, 0),
                    ]
                )
            )
    hem = wide * rng.uniform(0.7, 2.0)
    part(
        np.array(
            [
                neck + (-wide * 0.7, head * 0.2),
                neck + (wide * 0.7, head * 0.2),
                hip + (hem, size * 0.06),
                hip + (-hem, size * 0.06),
            ]
        )
    )
    for side in (-1, 1):
        hand = neck + (side * rng.uniform(0.8, 2.2) * wide, rng.uniform(-0.1, 0.4) * size)
        shoulder = neck + (side * wide * 0.65, head * 0.25)
        off = np.array([wide * 0.2, wide * 0.15])
        part(np.array([shoulder - off, shoulder + off, hand + off, hand - off]))
    middle = neck - (0, head * 0.45)
    if world.chance(0.6):
        part(bumpy(world, middle, head * 0.62, head * 0.68, 9))
    turns = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    part(middle + np.stack([np.cos(turns) * head * 0.42, np.sin(turns) * head * 0.5], axis=1))
    if head > 0.05:
        fringe = (
            middle
            + np.array(
                [
                    (-0.45, -0.1),
                    (-0.2, -0.05),
                    (0, -0.2),
                    (0.2, -0.02),
                    (0.45, -0.15),
                    (0.35, -0.5),
                    (0, -0.6),
                    (-0.35, -0.5),
                ]
            )
            * head
        )
        part(fringe)
        for eye in (-0.18, 0.18):
            part(
                middle
                + (eye * head, 0.08 * head)
                + np.stack([np.cos(turns) * head * 0.07, np.sin(turns) * head * 0.1], axis=1)
            )


def sign(world: World, where: Vector, height: float) -> None:
    """Draw a sign or a vending machine beside a way."""
    rng = world.rng
    if world.chance(0.35):
        for face in block(world, where, (0.9, 1.8, 0.7), rng.uniform(-60, 60), Kind.OTHER):
            world.face(face.part(0.1, 0.45, 0.9, 0.92), Kind.OTHER)
        return
    block(world, where, (0.09, height, 0.09), 0, Kind.POST)
    board = Face(
        origin=where + vector(-0.4, height, 0),
        right=vector(0.8, 0, 0),
        up=UP * rng.uniform(0.3, 0.8),
    )
    world.face(board, Kind.OTHER)
    if world.chance(0.4):
        world.rule(board, 1, 3)


def table(world: World, where: Vector, size: tuple[float, float, float], degrees: float) -> None:
    """Draw a table or a desk: legs or panels, and a top."""
    wide, tall, long = size
    if world.chance(0.3):
        block(world, where, (wide * 0.94, tall * 0.94, long * 0.94), degrees, Kind.FURNITURE)
    else:
        feet = [face.origin for face in sides(where, (wide * 0.9, tall, long * 0.9), degrees)]
        for foot in sorted(feet, key=lambda foot: -world.distance(foot)):
            block(world, foot, (0.06, tall, 0.06), degrees, Kind.FURNITURE)
    block(world, where + UP * tall * 0.95, (wide, tall * 0.07, long), degrees, Kind.FURNITURE)
    if world.chance(0.5):
        for _ in range(world.rng.integers(1, 5)):
            spot = (
                where
                + UP * tall * 1.02
                + vector(world.uniform(-0.35, 0.35) * wide, 0, world.uniform(-0.35, 0.35) * long)
            )
            thing(world, spot, world.uniform(0.08, 0.35))


def thing(world: World, where: Vector, size: float) -> None:
    """Draw something small that stands on something: a box, a pot, a plant, a book."""
    rng = world.rng
    style = rng.random()
    if style < 0.5:
        block(
            world,
            where,
            (size, size * rng.uniform(0.2, 1.6), size * 0.8),
            rng.uniform(-45, 45),
            Kind.FURNITURE,
        )
        return
    ends = world.trail(np.stack([where, where + UP * size]))
    if not len(ends):
        return
    tall = float(np.hypot(*(ends[1] - ends[0])))
    profile = np.array([(-0.3, 0), (-0.45, -0.5), (-0.25, -1), (0.25, -1), (0.45, -0.5), (0.3, 0)])
    world.canvas.fill(ends[0] + profile * tall, Kind.FURNITURE, depth=world.depth(where))
    if style > 0.75:
        world.canvas.fill(
            bumpy(world, ends[1] - (0, tall * 0.4), tall * 0.6, tall * 0.6, 9),
            Kind.TREE,
            depth=world.depth(where),
        )


def chair(world: World, where: Vector, degrees: float) -> None:
    """Draw a chair, a stool or an armchair."""
    style = world.rng.random()
    turn = np.radians(degrees)
    away = vector(-np.sin(turn), 0, np.cos(turn))

    def back() -> None:
        block(world, where + away * 0.2 + UP * 0.45, (0.42, 0.5, 0.05), degrees, Kind.FURNITURE)

    if style < 0.2:
        block(world, where, (0.8, 0.42, 0.8), degrees, Kind.FURNITURE)
        block(world, where + away * 0.35, (0.8, 0.85, 0.18), degrees, Kind.FURNITURE)
        return
    behind = float(np.dot(world.axes[2], away)) > 0
    if style < 0.85 and behind:
        back()
    for face in sides(where, (0.36, 0.45, 0.36), degrees):
        block(world, face.origin, (0.04, 0.45, 0.04), degrees, Kind.FURNITURE)
    block(world, where + UP * 0.43, (0.44, 0.05, 0.44), degrees, Kind.FURNITURE)
    if style < 0.85 and not behind:
        back()


def shelf(world: World, face: Face, deep: float) -> None:
    """Draw a shelf, a locker, a cupboard or a fridge in front of a wall."""
    rng = world.rng
    middle = face.at(0.5, 0)
    inwards = np.cross(face.up, face.right)
    inwards = inwards / max(float(np.linalg.norm(inwards)), 1e-9) * deep / 2
    if float(np.dot(inwards, world.eye - middle)) < 0:
        inwards = -inwards
    degrees = float(np.degrees(np.arctan2(face.right[2], face.right[0])))
    shown = block(world, middle + inwards, (face.width, face.height, deep), degrees, Kind.FURNITURE)
    if not shown:
        return
    front = max(shown, key=lambda one: one.width * one.height)
    across, rows = int(rng.integers(1, 6)), int(rng.integers(1, 6))
    style = rng.random()
    for row in range(rows):
        for bay in range(across):
            cell = front.part(
                (bay + 0.06) / across,
                (row + 0.06) / rows,
                (bay + 0.94) / across,
                (row + 0.94) / rows,
            )
            world.face(cell, Kind.FURNITURE)
            if style < 0.4:
                at = 0.02
                while at < 0.9:
                    wide = rng.uniform(0.05, 0.16)
                    world.face(
                        cell.part(at, 0, min(at + wide, 1), rng.uniform(0.5, 0.95)), Kind.FURNITURE
                    )
                    at += wide
            elif style < 0.7:
                world.face(cell.part(0.4, 0.45, 0.6, 0.55), Kind.FURNITURE)
