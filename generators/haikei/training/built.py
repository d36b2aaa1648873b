"""What people build outdoors: houses, towers, walls, steps, bridges, tracks and poles."""

from itertools import pairwise

import numpy as np

from haikei.reading import Kind
from haikei.training.camera import UP, Face, Vector, World, sides, vector


def windows(world: World, face: Face, floors: int, bays: int, *, door: bool) -> None:
    """Draw rows of windows on a wall, and a door at its foot."""
    rng, detail = world.rng, world.canvas.hand.detail
    wide, high = rng.uniform(0.3, 0.75), rng.uniform(0.3, 0.65)
    row_style = rng.random()
    gate = int(rng.integers(bays)) if door else -1
    for floor in range(floors):
        if row_style < 0.12:  # one band of glass a floor
            band = face.part(
                0.05, (floor + 0.5 - high / 2) / floors, 0.95, (floor + 0.5 + high / 2) / floors
            )
            world.face(band, Kind.WINDOW)
            world.rule(band, bays * 2, 1)
            continue
        for bay in range(bays):
            left, right = (bay + 0.5 - wide / 2) / bays, (bay + 0.5 + wide / 2) / bays
            if floor == 0 and bay == gate:
                leaf = face.part(left, 0, right, min(0.95, rng.uniform(0.7, 0.9) / floors))
                world.face(leaf, Kind.DOOR)
                if world.chance(detail):
                    world.rule(leaf, int(rng.integers(1, 3)), int(rng.integers(1, 4)))
                continue
            if world.chance(0.08):
                continue
            pane = face.part(
                left, (floor + 0.5 - high / 2) / floors, right, (floor + 0.5 + high / 2) / floors
            )
            if world.chance(0.3 * detail):  # a frame around it
                world.face(pane.part(-0.12, -0.12, 1.12, 1.12), Kind.WALL)
            world.face(pane, Kind.WINDOW)
            if world.chance(0.5):
                world.rule(pane, int(rng.integers(1, 4)), int(rng.integers(1, 3)))
            if world.chance(0.1):
                rail = pane.part(-0.3, -0.35, 1.3, 0.25)
                world.face(rail, Kind.WALL)
                world.rule(rail, 8, 1)


def tiled(world: World, corners: Vector) -> None:
    """Draw lines of tiles on a roof whose first two corners are its eaves."""
    if not world.chance(world.canvas.hand.detail):
        return
    low, high = corners[1] - corners[0], corners[2] - corners[3]
    count = int(world.rng.integers(4, 18))
    if world.chance(0.7):
        for part in np.linspace(0, 1, count)[1:-1]:
            world.line([corners[0] + low * part, corners[3] + high * part], 0.5)
    if world.chance(0.4):
        for part in np.linspace(0, 1, max(3, count // 2))[1:-1]:
            left = corners[0] + (corners[3] - corners[0]) * part
            world.line([left, corners[1] + (corners[2] - corners[1]) * part], 0.5)


def coursed(world: World, face: Face, kind: Kind) -> None:
    """Draw a wall, with boards, bricks or stones on it now and then."""
    world.face(face, kind)
    if not world.chance(0.3 * world.canvas.hand.detail):
        return
    rows = int(np.clip(face.height / 0.35, 2, 24))
    if world.chance(0.5):
        world.rule(face, 1, rows)
    else:
        world.rule(face, int(np.clip(face.width / 0.35, 2, 24)), 1)
    if world.chance(0.3):
        for row in range(rows):
            for part in np.arange(0, 1, 1.2 / max(face.width, 2)) + (row % 2) * 0.05:
                world.line([face.at(part, row / rows), face.at(part, (row + 1) / rows)], 0.5)


def house(
    world: World,
    where: Vector,
    size: tuple[float, float, float],
    degrees: float,
    *,
    roof: str = "",
    floors: int = 0,
) -> None:
    """Draw a building with its roof: gable, hip, flat, shed, cone or a stack of roofs."""
    rng = world.rng
    roof = roof or str(rng.choice(["gable", "gable", "hip", "flat", "shed"]))
    wide, tall, long = size
    floors = floors or max(1, round(tall / 3))
    kind = Kind.WALL
    shown = [face for face in sides(where, size, degrees) if world.fronts(face)]
    shown.sort(key=lambda face: -world.distance(face.corners()))
    blind = world.chance(0.12)
    for index, face in enumerate(shown):
        coursed(world, face, kind)
        if not blind and face.width > 1.2:
            bays = max(1, round(face.width / rng.uniform(1.6, 3.5)))
            windows(world, face, floors, bays, door=index == len(shown) - 1 or world.chance(0.3))
    top = where + UP * tall
    if roof == "flat":
        flat_roof(world, top, wide, long, degrees)
    elif roof == "stack":
        eaves(world, top, (wide, long), degrees, rise=0.25 * wide, over=0.18 * wide, gable=False)
    else:
        over = rng.uniform(0.1, 0.7)
        rise = rng.uniform(0.2, 0.7) * min(wide, long)
        if roof == "cone":
            rise *= 2
        eaves(
            world,
            top,
            (wide, long),
            degrees,
            rise=rise,
            over=over,
            gable=roof in ("gable", "shed"),
            shed=roof == "shed",
            point=roof == "cone",
        )
    if roof in ("gable", "hip") and world.chance(0.15):
        stack = top + vector(rng.uniform(-0.2, 0.2) * wide, 0.3, rng.uniform(-0.2, 0.2) * long)
        for face in sides(stack, (0.5, rng.uniform(1.5, 3), 0.5), degrees):
            if world.fronts(face):
                world.face(face, Kind.WALL)


def flat_roof(world: World, top: Vector, wide: float, long: float, degrees: float) -> None:
    """Draw what stands on a flat roof."""
    deck = np.stack([face.origin for face in sides(top, (wide, 0.0, long), degrees)])
    if world.lens.eye > top[1]:
        world.polygon(deck, Kind.ROOF)
    rng = world.rng
    if world.chance(0.4):
        for face in sides(top - UP * 0.2, (wide + 0.3, 0.5, long + 0.3), degrees):
            if world.fronts(face):
                world.face(face, Kind.WALL)
    for _ in range(rng.poisson(0.7)):
        spot = top + vector(rng.uniform(-0.3, 0.3) * wide, 0, rng.uniform(-0.3, 0.3) * long)
        block(
            world,
            spot,
            (rng.uniform(0.6, 2), rng.uniform(0.6, 2), rng.uniform(0.6, 2)),
            degrees,
            Kind.OTHER if world.chance(0.4) else Kind.WALL,
        )
    if world.chance(0.2):
        world.line([top, top + UP * world.uniform(1, 4)])


def eaves(
    world: World,
    top: Vector,
    size: tuple[float, float],
    degrees: float,
    *,
    rise: float,
    over: float,
    gable: bool,
    shed: bool = False,
    point: bool = False,
) -> None:
    """Draw the faces of a sloping roof on a box, the farther ones first."""
    wide, long = size
    base = np.stack(
        [face.origin for face in sides(top, (wide + 2 * over, 0.0, long + 2 * over), degrees)]
    )
    drop = UP * min(0.3, over * 0.6)
    slopes, gables = _slopes(world, base - drop, rise, gable=gable, shed=shed, point=point)
    shrink = over / max(min(wide, long) / 2 + over, 0.1)
    for corners in sorted(slopes, key=lambda corners: -world.distance(corners)):
        if _outside(world, corners, top):
            world.polygon(corners, Kind.ROOF)
            tiled(world, corners if len(corners) == 4 else corners[[0, 1, 2, 2]])
    for corners in gables:
        if _outside(world, corners, top):
            middle = corners.mean(axis=0)
            world.polygon(corners, Kind.ROOF if shrink > 0.15 and world.chance(0.6) else Kind.WALL)
            if shrink > 0.1:
                world.polygon(middle + (corners - middle) * (1 - shrink * 1.3), Kind.WALL)
    if over > 0.25 and world.chance(0.4):
        for face in sides(
            top - drop * 1.6,
            (wide + 2 * over, float(drop[1]) * 0.7 + 0.05, long + 2 * over),
            degrees,
        ):
            if world.fronts(face):
                world.face(face, Kind.ROOF)


def _slopes(
    world: World, base: Vector, rise: float, *, gable: bool, shed: bool, point: bool
) -> tuple[list[Vector], list[Vector]]:
    """Return the sloping faces over four corners, and the upright ones at their ends."""
    a, b, c, d = base
    up = UP * rise
    if point:
        peak = (a + b + c + d) / 4 + up
        pairs = ((a, b), (b, c), (c, d), (d, a))
        return [np.stack([one, two, peak]) for one, two in pairs], []
    if shed:
        return [np.stack([a, b, c + up, d + up])], []
    if world.chance(0.5):
        a, b, c, d = b, c, d, a
    one, two = (a + b) / 2 + up, (d + c) / 2 + up
    if not gable:
        inset = (two - one) * world.uniform(0.15, 0.4)
        one, two = one + inset, two - inset
    slopes = [np.stack([d, a, one, two]), np.stack([b, c, two, one])]
    ends = [np.stack([a, b, one]), np.stack([c, d, two])]
    return (slopes, ends) if gable else (slopes + ends, [])


def _outside(world: World, corners: Vector, inside: Vector) -> bool:
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[1])
    if float(np.dot(normal, corners[0] - inside)) < 0:
        normal = -normal
    return float(np.dot(normal, world.eye - corners[0])) > 0


def block(
    world: World, where: Vector, size: tuple[float, float, float], degrees: float, kind: Kind
) -> list[Face]:
    """Draw a plain box, its lid when we look down on it; return its faces that are seen."""
    shown = [face for face in sides(where, size, degrees) if world.fronts(face)]
    for face in sorted(shown, key=lambda face: -world.distance(face.corners())):
        world.face(face, kind)
    if world.lens.eye > where[1] + size[1]:
        world.polygon(np.stack([face.at(0, 1) for face in sides(where, size, degrees)]), kind)
    elif world.lens.eye < where[1]:
        world.polygon(np.stack([face.origin for face in sides(where, size, degrees)]), kind)
    return shown


def wall(world: World, start: Vector, end: Vector, height: float, kind: Kind) -> None:
    """Draw an upright plane between two points: a garden wall, a fence, a hedge, a bank."""
    if kind is not Kind.WOOD or world.chance(0.4):
        coursed(world, Face(origin=start, right=end - start, up=UP * height), kind)
        if world.chance(0.3):
            cap = Face(origin=start + UP * height, right=end - start, up=UP * height * 0.12)
            world.face(cap, kind)
        return
    count = int(np.clip(float(np.linalg.norm(end - start)) / 0.5, 3, 40))
    for part in (0.3, 0.8):
        beam = Face(origin=start + UP * height * part, right=end - start, up=UP * height * 0.1)
        world.face(beam, Kind.WOOD)
    for part in np.linspace(0, 1, count):
        slat = Face(
            origin=start + (end - start) * part,
            right=(end - start) * (0.35 / count),
            up=UP * height,
        )
        world.face(slat, Kind.WOOD)


def stairs(
    world: World,
    foot: Vector,
    width: float,
    steps: int,
    going: float,
    rise: float,
    kind: Kind = Kind.PAVING,
) -> Vector:
    """Draw steps that lead up and away; return where they end."""
    for step in reversed(range(steps)):
        low = foot + vector(0, step * rise, step * going)
        riser = Face(origin=low - vector(width / 2, 0, 0), right=vector(width, 0, 0), up=UP * rise)
        tread = Face(origin=riser.at(0, 1), right=riser.right, up=vector(0, 0, going))
        if world.lens.eye > tread.origin[1]:
            world.face(tread, kind)
        world.face(riser, kind)
    return foot + vector(0, steps * rise, steps * going)


def pole(world: World, where: Vector, height: float, *, wired: bool) -> Vector:
    """Draw a pole with arms; return its top."""
    rng = world.rng
    kind = Kind.POST
    thick = rng.uniform(0.14, 0.35)
    block(world, where, (thick, height, thick), 0, kind)
    top = where + UP * height
    if wired:
        for drop in (0.3, 0.9)[: int(rng.integers(1, 3))]:
            arm = Face(origin=top - vector(0.9, drop, 0), right=vector(1.8, 0, 0), up=UP * 0.14)
            world.face(arm, kind)
        if world.chance(0.4):
            block(world, top - vector(0.4, 2.2, 0), (0.5, 0.8, 0.5), 0, Kind.OTHER)
    return top


def wires(world: World, tops: list[Vector]) -> None:
    """Hang wires from pole to pole; close ones have a width."""
    for side in np.linspace(-0.8, 0.8, int(world.rng.integers(1, 5))):
        for here, there in pairwise(tops):
            part = np.linspace(0, 1, 9)[:, None]
            line = here + (there - here) * part + (side, -0.3, 0)
            line[:, 1] -= np.sin(part[:, 0] * np.pi) * 0.9
            seen = world.trail(line)
            if not len(seen):
                continue
            if world.chance(0.25):
                thick = world.uniform(0.002, 0.006)
                band = np.concatenate([seen, seen[::-1] + (0, thick)])
                world.canvas.fill(band, Kind.WIRE, depth=world.depth(line))
            else:
                world.canvas.stroke(seen, weight=0.6)


def lantern(world: World, where: Vector, height: float) -> None:
    """Draw a street lamp."""
    block(world, where, (0.12, height, 0.12), 0, Kind.POST)
    top = where + UP * height
    if world.chance(0.5):
        arm = vector(world.uniform(-1.5, 1.5), 0, 0)
        world.face(Face(origin=top, right=arm, up=UP * 0.12), Kind.POST)
        top = top + arm
    block(world, top, (0.45, world.uniform(0.2, 0.6), 0.45), 0, Kind.LAMP)


def torii(world: World, where: Vector, size: float, degrees: float) -> None:
    """Draw a shrine's gate."""
    turn = np.radians(degrees)
    along = vector(np.cos(turn), 0, np.sin(turn)) * size
    for side in (-0.5, 0.5):
        block(
            world, where + along * side, (size * 0.1, size * 0.95, size * 0.1), degrees, Kind.WOOD
        )
    for part, reach, thick in ((0.72, 0.62, 0.07), (0.95, 0.75, 0.1)):
        beam = Face(
            origin=where - along * reach + UP * size * part,
            right=along * reach * 2,
            up=UP * size * thick,
        )
        world.face(beam, Kind.WOOD)


def track(world: World, x: float, slant: float) -> None:
    """Draw a railway that leads away: ballast, sleepers, rails."""
    rng = world.rng
    z = np.concatenate([[-0.5], np.geomspace(0.8, 400, 40)])
    line = np.stack([x + z * slant, np.full_like(z, 0.002), z], axis=1)
    bed = np.stack([line - (1.5, 0, 0), line + (1.5, 0, 0)])
    world.polygon(np.concatenate([bed[0], bed[1][::-1]]), Kind.EARTH)
    step = rng.uniform(0.5, 0.9)
    for far in np.arange(0.6, 30, step)[::-1]:
        middle = vector(x + far * slant, 0.01, far)
        tie = Face(
            origin=middle - (1.1, 0, 0), right=vector(2.2, 0, 0), up=vector(0, 0, step * 0.4)
        )
        world.face(tie, Kind.WOOD)
    for side in (-0.6, 0.6):
        rail = np.concatenate([line + (side - 0.05, 0.1, 0), (line + (side + 0.05, 0.1, 0))[::-1]])
        world.polygon(rail, Kind.RAIL)
