"""Places indoors: a box seen from within, its openings, and what stands in it."""

from functools import partial

import numpy as np

from haikei.reading import Kind
from haikei.training.built import block, stairs
from haikei.training.camera import UP, Face, Vector, World, vector
from haikei.training.growth import bumpy
from haikei.training.props import chair, shelf, table, thing


class Room:
    """A room: the camera stands in it and looks at its far wall."""

    def __init__(self, world: World, *, width: float, height: float, length: float) -> None:
        self.world, self.height, self.length = world, height, length
        at = world.uniform(0.25, 0.75)
        left, right = -width * at, width * (1 - at)
        near, self.far = -1.0, length
        away, across, up = vector(0, 0, length - near), vector(right - left, 0, 0), UP * height
        self.left = Face(origin=vector(left, 0, near), right=away, up=up)
        self.right = Face(origin=vector(right, 0, near), right=away, up=up)
        self.back = Face(origin=vector(left, 0, length), right=across, up=up)
        self.floor = Face(origin=vector(left, 0, near), right=across, up=away)
        self.ceiling = Face(origin=vector(left, height, near), right=across, up=away)
        self.x = (left, right)

    def shell(self, floor: str) -> None:
        """Draw walls, floor and ceiling: tatami, boards, squares or a plain floor."""
        world, detail = self.world, self.world.canvas.hand.detail
        for face, kind in ((self.ceiling, Kind.CEILING), (self.floor, Kind.FLOOR)):
            world.face(face, kind)
        for face in (self.back, self.left, self.right):
            world.face(face, Kind.ROOM_WALL)
        if floor == "tatami":
            rows, across = max(2, int(self.length)), max(2, int(self.back.width / 1.8))
            world.rule(self.floor, across, rows)
        elif floor == "boards":
            world.rule(self.floor, int(self.back.width * 4), 1)
        elif floor == "across":
            world.rule(self.floor, 1, int(self.length * 4))
        elif floor == "squares":
            world.rule(self.floor, int(self.back.width / 0.6), int(self.length / 0.6))
        if world.chance(0.6 * detail):
            world.rule(self.ceiling, int(world.rng.integers(1, 6)), int(world.rng.integers(2, 9)))
        for face in (self.back, self.left, self.right):
            if world.chance(0.5):
                world.face(face.part(0, 0, 1, world.uniform(0.02, 0.05)), Kind.ROOM_WALL)
            if world.chance(0.15 * detail):
                world.rule(face.part(0, 0, 1, 0.35), int(face.width * 2), 1)
            if world.chance(0.2):
                world.line([face.at(0, 0.35), face.at(1, 0.35)])

    def beams(self, kind: Kind) -> None:
        """Draw pillars at the walls and beams under the ceiling."""
        world = self.world
        for face in (self.left, self.right):
            for part in np.linspace(1, 0.2, int(world.rng.integers(2, 7))):
                world.face(face.part(part - 0.25 / face.width, 0, part, 1), kind)
        for part in np.linspace(1, 0.3, int(world.rng.integers(1, 6))):
            world.face(self.ceiling.part(0, part - 0.03, 1, part), kind)

    def openings(self, face: Face, count: int, style: str) -> None:
        """Draw windows, doors, boards or paper screens along a wall."""
        world, rng = self.world, self.world.rng
        low, high = rng.uniform(0.3, 0.4), rng.uniform(0.75, 0.92)
        margin = rng.uniform(0.05, 0.25)
        for index in reversed(range(count)):
            left, right = (index + margin) / count, (index + 1 - margin) / count
            if style == "windows":
                frame = face.part(left, low, right, high)
                world.face(frame, Kind.WOOD if world.chance(0.3) else Kind.ROOM_WALL)
                world.face(frame.part(0.04, 0.04, 0.96, 0.96), Kind.WINDOW)
                world.rule(frame, int(rng.integers(1, 5)), int(rng.integers(1, 4)))
                if world.chance(0.3):
                    for side in ((-0.15, 0.12), (0.88, 1.15)):
                        cloth = frame.part(side[0], -0.3, side[1], 1.1)
                        world.face(cloth, Kind.FURNITURE)
                        world.rule(cloth, 5, 1)
            elif style == "doors":
                leaf = face.part(left, 0, right, high)
                world.face(leaf.part(-0.06, 0, 1.06, 1.04), Kind.ROOM_WALL)
                world.face(leaf, Kind.DOOR)
                if world.chance(0.6):
                    world.face(leaf.part(0.2, 0.5, 0.8, 0.9), Kind.WINDOW)
                if world.chance(0.4):
                    world.rule(leaf, 2, 3)
            elif style == "screens":
                sheet = face.part(index / count, 0.02, (index + 1) / count, high)
                world.face(sheet, Kind.DOOR if world.chance(0.35) else Kind.WINDOW)
                world.rule(sheet, int(rng.integers(1, 5)), int(rng.integers(1, 7)))
            else:
                board = face.part(left, low, right, high)
                world.face(board, Kind.FURNITURE)
                world.face(board.part(0.03, 0.06, 0.97, 0.94), Kind.FURNITURE)

    def lamps(self) -> None:
        """Hang lamps under the ceiling."""
        world, rng = self.world, self.world.rng
        rows = int(rng.integers(1, 5))
        long = world.chance(0.5)
        for far in np.linspace(self.length * 0.9, 1.5, rows):
            for x in np.linspace(*self.x, int(rng.integers(3, 5)))[1:-1]:
                top = vector(x, self.height, far)
                if long:
                    tube = Face(
                        origin=top - vector(0.15, 0.02, 0),
                        right=vector(0.3, 0, 0),
                        up=vector(0, 0, 1.2),
                    )
                    world.face(tube, Kind.LAMP)
                else:
                    drop = rng.uniform(0.2, 0.9)
                    world.line([top, top - UP * drop])
                    block(world, top - UP * (drop + 0.25), (0.4, 0.25, 0.4), 0, Kind.LAMP)

    def spot(self, margin: float = 0.6, nearest: float = 1.6) -> Vector:
        """Return a place on the floor."""
        world = self.world
        return vector(
            world.uniform(self.x[0] + margin, self.x[1] - margin),
            0,
            world.uniform(nearest, self.length - margin),
        )


def _wild(room: Room) -> None:
    """Put openings and shelves on each wall, as they come."""
    world, rng = room.world, room.world.rng
    for face in (room.back, room.left, room.right):
        style = str(rng.choice(["windows", "doors", "board", "screens", "shelf", "none"]))
        if style == "shelf":
            for _ in range(rng.integers(1, 3)):
                left = rng.uniform(0.1, 0.7)
                shelf(
                    world,
                    face.part(left, 0, left + rng.uniform(0.1, 0.3), rng.uniform(0.3, 0.8)),
                    0.45,
                )
        elif style != "none":
            room.openings(face, int(rng.integers(1, max(2, int(face.width / 1.5)) + 1)), style)


def classroom(world: World) -> None:
    """A classroom."""
    room = Room(
        world,
        width=world.uniform(6, 10),
        height=world.uniform(2.7, 3.5),
        length=world.uniform(6, 11),
    )
    room.shell(str(world.rng.choice(["boards", "squares", "plain", "across"])))
    room.openings(room.back, 1 if world.chance(0.7) else 3, "board")
    lit, dark = (room.left, room.right) if world.chance(0.5) else (room.right, room.left)
    room.openings(lit, int(world.rng.integers(3, 7)), "windows")
    room.openings(dark, int(world.rng.integers(2, 4)), "doors" if world.chance(0.6) else "windows")
    room.lamps()
    facing = world.uniform(-8, 8) + (180 if world.chance(0.3) else 0)
    for far in np.linspace(room.length - 2, 1.2, int(world.rng.integers(2, 6))):
        for x in np.linspace(room.x[0] + 1, room.x[1] - 1, int(world.rng.integers(3, 6))):
            where = vector(x, 0, far)

            world.add(where, partial(table, world, where, (0.65, 0.7, 0.45), facing))
            world.add(where - (0, 0, 0.5), partial(chair, world, where - vector(0, 0, 0.5), facing))
    world.show()


def japanese_room(world: World) -> None:
    """A room with mats and paper screens."""
    room = Room(
        world,
        width=world.uniform(3.5, 8),
        height=world.uniform(2.3, 2.8),
        length=world.uniform(3.5, 9),
    )
    room.shell("tatami")
    room.openings(
        room.back, int(world.rng.integers(2, 6)), "screens" if world.chance(0.7) else "windows"
    )
    for face in (room.left, room.right):
        if world.chance(0.8):
            room.openings(face, int(world.rng.integers(2, 6)), "screens")
    if world.chance(0.6):
        room.beams(Kind.WOOD)
    if world.chance(0.6):
        room.lamps()
    if world.chance(0.8):
        where = room.spot(1.0, 2.2)
        world.add(where, partial(table, world, where, (1.4, 0.35, 0.9), world.uniform(-20, 20)))
    for _ in range(world.rng.integers(0, 5)):
        place = room.spot(0.8, 1.8)
        world.add(
            place,
            partial(block, world, place, (0.6, 0.08, 0.6), world.uniform(-30, 30), Kind.FURNITURE),
        )
    world.show()


def kitchen(world: World) -> None:
    """A kitchen: counters, a sink, cupboards on the wall, a fridge, a table."""
    room = Room(
        world,
        width=world.uniform(2.5, 5),
        height=world.uniform(2.3, 2.8),
        length=world.uniform(2.5, 5.5),
    )
    room.shell(str(world.rng.choice(["boards", "squares", "plain", "across"])))
    room.openings(room.back, int(world.rng.integers(1, 3)), "windows")
    side, other = (room.left, room.right) if world.chance(0.5) else (room.right, room.left)
    if world.chance(0.5):
        room.openings(other, int(world.rng.integers(1, 3)), "doors")
    if world.chance(0.6):
        shelf(world, room.back.part(0, 0, 1, 0.33), 0.6)
        for _ in range(3):
            thing(
                world,
                vector(world.uniform(*room.x), room.height * 0.335, room.length - 0.4),
                world.uniform(0.15, 0.4),
            )
    shelf(world, side.part(0.3, 0, 1, 0.34), 0.6)
    if world.chance(0.7):
        shelf(world, side.part(world.uniform(0.2, 0.6), 0.62, 1, 0.92), 0.35)
    if world.chance(0.6):
        shelf(world, other.part(0.7, 0, 0.95, 0.7), 0.65)
    room.lamps()
    if world.chance(0.7):
        where = room.spot(0.9, 1.7)
        world.add(where, partial(table, world, where, (1.3, 0.72, 0.8), world.uniform(-15, 15)))
        for _ in range(world.rng.integers(1, 5)):
            place = where + (world.uniform(-1, 1), 0, world.uniform(-0.9, 0.9))
            world.add(place, partial(chair, world, place, world.uniform(0, 360)))
    world.show()


def corridor(world: World) -> None:
    """A corridor: long, narrow, windows on one side and doors on the other."""
    room = Room(
        world,
        width=world.uniform(1.8, 4),
        height=world.uniform(2.4, 3.5),
        length=world.uniform(9, 35),
    )
    room.shell(str(world.rng.choice(["boards", "squares", "plain", "across"])))
    room.openings(room.back, 1, str(world.rng.choice(["windows", "doors", "board"])))
    one, other = (room.left, room.right) if world.chance(0.5) else (room.right, room.left)
    room.openings(
        one, int(world.rng.integers(3, 10)), "windows" if world.chance(0.7) else "screens"
    )
    room.openings(
        other,
        int(world.rng.integers(2, 7)),
        str(world.rng.choice(["doors", "doors", "windows", "board"])),
    )
    if world.chance(0.4):
        room.beams(Kind.WOOD if world.chance(0.4) else Kind.ROOM_WALL)
    if world.chance(0.3):
        shelf(world, other.part(0.15, 0, 0.45, 0.55), 0.35)
    room.lamps()


def cafe(world: World) -> None:
    """A cafe or a shop: a counter, shelves, tables and chairs, plants."""
    room = Room(
        world, width=world.uniform(4, 9), height=world.uniform(2.5, 4), length=world.uniform(4, 10)
    )
    room.shell(str(world.rng.choice(["boards", "squares", "plain"])))
    _wild(room)
    room.lamps()
    if world.chance(0.6):
        at = world.uniform(room.length * 0.5, room.length - 0.8)
        counter = vector(world.uniform(-0.5, 0.5), 0, at)
        world.add(
            counter,
            partial(block, world, counter, (room.back.width * 0.6, 1.05, 0.6), 0, Kind.FURNITURE),
        )
    for _ in range(world.rng.integers(2, 7)):
        where = room.spot(0.8, 1.8)
        world.add(where, partial(table, world, where, (0.8, 0.72, 0.8), world.uniform(-30, 30)))
        for _ in range(world.rng.integers(1, 4)):
            place = where + (world.uniform(-0.9, 0.9), 0, world.uniform(-0.7, 0.7))
            world.add(place, partial(chair, world, place, world.uniform(0, 360)))
    world.show()


def living_room(world: World) -> None:
    """Any room to live in: bed or sofa, shelves, curtains, pictures, a rug."""
    room = Room(
        world, width=world.uniform(3, 7), height=world.uniform(2.3, 3.2), length=world.uniform(3, 7)
    )
    room.shell(str(world.rng.choice(["boards", "plain", "plain", "across"])))
    if world.chance(0.4):
        rug = room.floor.part(0.2, 0.4, world.uniform(0.6, 0.9), 0.8)
        world.face(rug, Kind.FURNITURE)
    _wild(room)
    room.lamps()
    for _ in range(world.rng.integers(1, 4)):
        where = room.spot(0.9, 1.8)
        size = (world.uniform(0.5, 2), world.uniform(0.3, 1.1), world.uniform(0.5, 1.8))
        degrees = world.uniform(-10, 10)
        world.add(where, partial(_bed, world, where, size, degrees))
    if world.chance(0.5):
        where = room.spot(0.6, 1.6)
        world.add(where, partial(table, world, where, (1.1, 0.6, 0.7), world.uniform(-20, 20)))
    if world.chance(0.4):
        ends = world.trail(np.stack([where := room.spot(0.5, 1.6), where + UP]))
        if len(ends):
            tall = abs(float(ends[1, 1] - ends[0, 1]))
            world.canvas.fill(
                ends[0] + np.array([(-0.2, 0), (-0.28, -0.4), (0.28, -0.4), (0.2, 0)]) * tall,
                Kind.FURNITURE,
                depth=world.depth(where),
            )
            world.canvas.fill(
                bumpy(world, ends[1], tall * 0.4, tall * 0.6, 12),
                Kind.TREE,
                depth=world.depth(where),
            )
    world.show()


def _bed(world: World, where: Vector, size: tuple[float, float, float], degrees: float) -> None:
    block(world, where, size, degrees, Kind.FURNITURE)
    if world.chance(0.5):
        pillow = (size[0] * 0.9, 0.12, size[2] * 0.3)
        block(world, where + UP * size[1], pillow, degrees, Kind.FURNITURE)


def hall(world: World) -> None:
    """A large hall, a factory's inside or a station concourse: pillars, trusses, stairs."""
    room = Room(
        world, width=world.uniform(9, 22), height=world.uniform(4, 10), length=world.uniform(10, 40)
    )
    room.shell(str(world.rng.choice(["squares", "plain", "plain", "across"])))
    for face in (room.left, room.right, room.back):
        if world.chance(0.8):
            room.openings(
                face,
                int(world.rng.integers(2, 8)),
                str(world.rng.choice(["windows", "windows", "doors", "board"])),
            )
    if world.chance(0.5):
        room.beams(Kind.POST if world.chance(0.5) else Kind.ROOM_WALL)
    room.lamps()
    thick = world.uniform(0.4, 1.0)
    if world.chance(0.7):
        for far in np.linspace(room.length * 0.9, 4, int(world.rng.integers(2, 6))):
            for part in (0.25, 0.75):
                where = vector(room.x[0] + (room.x[1] - room.x[0]) * part, 0, far)
                world.add(
                    where, partial(block, world, where, (thick, room.height, thick), 0, Kind.POST)
                )
    if world.chance(0.3):
        where = vector(world.uniform(-2, 2), 0, room.length * 0.7)
        world.add(where, partial(stairs, world, where, 3, 10, 0.3, 0.17, Kind.FLOOR))
    for _ in range(world.rng.integers(0, 8)):
        where = room.spot(1, 3)
        size = (world.uniform(0.5, 3), world.uniform(0.4, 2.5), world.uniform(0.5, 3))
        world.add(where, partial(block, world, where, size, world.uniform(-20, 20), Kind.FURNITURE))
    world.show()


ROOMS = {
    "classroom": classroom,
    "room": japanese_room,
    "kitchen": kitchen,
    "corridor": corridor,
    "cafe": cafe,
    "living": living_room,
    "hall": hall,
}
