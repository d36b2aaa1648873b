"""Houses: walls, gables, roofs with eaves, windows and doors, in space."""

from dataclasses import dataclass

import numpy as np

from haikei.scenes.sheet import Camera, Point, Sheet

EAVES = 0.35  #: metres that a roof reaches over its walls


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A gabled box on the ground; lengths in metres."""

    x: float  #: middle of the front
    z: float  #: the front's distance
    width: float
    depth: float
    height: float  #: to the eaves
    roof: float  #: height of the roof above the eaves
    gable_front: bool  #: whether we see the gable, not the eaves, from the front
    base: float = 0.0  #: height of the ground that it stands on
    door: bool = True
    chimney: bool = False
    storeys: int = 1


def house(sheet: Sheet, camera: Camera, plan: House) -> None:
    """Draw a house: what faces away from us is left out, what is nearer comes later."""
    weight = _weight(camera, plan.z)
    left, right = plan.x - plan.width / 2, plan.x + plan.width / 2
    front, back = plan.z, plan.z + plan.depth
    low, high = plan.base, plan.base + plan.height
    walls: list[list[Point]] = [
        [(left, low, back), (left, low, front), (left, high, front), (left, high, back)],
        [(right, low, front), (right, low, back), (right, high, back), (right, high, front)],
        [(left, low, front), (right, low, front), (right, high, front), (left, high, front)],
    ]
    top = high + plan.roof
    if plan.gable_front:
        walls[2] = [
            (left, low, front),
            (right, low, front),
            (right, high, front),
            (plan.x, top, front),
            (left, high, front),
        ]
    else:
        middle = (front + back) / 2
        walls[0].insert(3, (left, top, middle))
        walls[1].insert(3, (right, top, middle))
    for wall in walls:
        if camera.faces_us(wall):
            sheet.shape(camera.face(wall), weight)
    _windows(sheet, camera, plan, weight)
    if plan.chimney:
        _chimney(sheet, camera, plan, weight)
    _roof(sheet, camera, plan, weight)


def _weight(camera: Camera, depth: float) -> float:
    return float(np.clip(0.5 + camera.scale(depth) * 8, 0.6, 1.15))


def _roof(sheet: Sheet, camera: Camera, plan: House, weight: float) -> None:
    high, top = plan.base + plan.height, plan.base + plan.height + plan.roof
    front, back = plan.z - EAVES, plan.z + plan.depth + EAVES
    left, right = plan.x - plan.width / 2 - EAVES, plan.x + plan.width / 2 + EAVES
    thick = 0.16 + plan.roof * 0.03
    if plan.gable_front:
        drop = high - plan.roof * EAVES / (plan.width / 2)
        slopes: list[list[Point]] = [
            [(left, drop, back), (left, drop, front), (plan.x, top, front), (plan.x, top, back)],
            [(right, drop, front), (right, drop, back), (plan.x, top, back), (plan.x, top, front)],
        ]
        for slope in slopes:
            if camera.faces_us(slope):
                sheet.shape(camera.face(slope), weight)
        sides: tuple[tuple[float, float], ...] = ((left, drop), (right, drop))
        for x, y in sides:
            board: list[Point] = [
                (x, y, front),
                (plan.x, top, front),
                (plan.x, top - thick, front),
                (x, y - thick, front),
            ]
            sheet.shape(camera.face(board), weight)
        return
    drop = high - plan.roof * EAVES / (plan.depth / 2)
    middle = plan.z + plan.depth / 2
    slope = [(left, drop, front), (right, drop, front), (right, top, middle), (left, top, middle)]
    if camera.faces_us(slope):
        sheet.shape(camera.face(slope), weight)
        seams = np.linspace(left, right, max(3, int(plan.width / 1.1)) + 1)[1:-1]
        if camera.scale(plan.z) * (plan.width / len(seams)) > 0.03:
            for x in seams:
                slanted: list[Point] = [
                    (x, drop + (top - drop) * 0.12, front + (middle - front) * 0.12),
                    (x, drop + (top - drop) * 0.3, front + (middle - front) * 0.3),
                ]
                sheet.stroke(camera.project(slanted), weight * 0.5)
    sheet.shape(
        camera.face(
            [
                (left, drop - thick, front),
                (right, drop - thick, front),
                (right, drop, front),
                (left, drop, front),
            ]
        ),
        weight,
    )


def _chimney(sheet: Sheet, camera: Camera, plan: House, weight: float) -> None:
    x = plan.x + plan.width * 0.22
    z = plan.z + plan.depth * 0.5
    low, high = plan.base + plan.height, plan.base + plan.height + plan.roof + 0.9
    sheet.shape(
        camera.face([(x, low, z), (x + 0.7, low, z), (x + 0.7, high, z), (x, high, z)]), weight
    )
    sheet.shape(
        camera.face(
            [
                (x - 0.1, high, z),
                (x + 0.8, high, z),
                (x + 0.8, high + 0.2, z),
                (x - 0.1, high + 0.2, z),
            ]
        ),
        weight,
    )


def _windows(sheet: Sheet, camera: Camera, plan: House, weight: float) -> None:
    storey = plan.height / plan.storeys
    left, right = plan.x - plan.width / 2, plan.x + plan.width / 2
    front: float = plan.z - 0.01
    count = max(1, int(plan.width / 2.4))
    door = int(sheet.random.integers(0, count)) if plan.door else -1
    for level in range(plan.storeys):
        floor = plan.base + level * storey
        for index in range(count):
            middle = left + (index + 0.5) * plan.width / count
            if level == 0 and index == door:
                half = min(0.5, plan.width / count * 0.3)
                high = floor + min(2.05, storey * 0.78)
                _pane(
                    sheet,
                    camera,
                    [(middle - half, front), (middle + half, front)],
                    (floor, high),
                    weight,
                    bars=False,
                )
                continue
            half = min(0.75, plan.width / count * 0.3)
            _pane(
                sheet,
                camera,
                [(middle - half, front), (middle + half, front)],
                (floor + storey * 0.36, floor + storey * 0.76),
                weight,
                bars=True,
            )
        for x, sees_us in ((left - 0.01, left > 0), (right + 0.01, right < 0)):
            if not sees_us:
                continue
            along = max(1, int(plan.depth / 3.0))
            for index in range(along):
                middle = plan.z + (index + 0.5) * plan.depth / along
                half = min(0.7, plan.depth / along * 0.25)
                _pane(
                    sheet,
                    camera,
                    [(x, middle - half), (x, middle + half)],
                    (floor + storey * 0.36, floor + storey * 0.76),
                    weight,
                    bars=True,
                )


def _pane(
    sheet: Sheet,
    camera: Camera,
    ends: list[tuple[float, float]],
    rise: tuple[float, float],
    weight: float,
    *,
    bars: bool,
) -> None:
    (x0, z0), (x1, z1) = ends
    low, high = rise
    face: list[Point] = [(x0, low, z0), (x1, low, z1), (x1, high, z1), (x0, high, z0)]
    outline = camera.face(face)
    if not len(outline):
        return
    sheet.shape(outline, weight * 0.9)
    if not bars or np.ptp(outline[:, 0]) < 0.026 or np.ptp(outline[:, 1]) < 0.026:
        return
    x, z, y = (x0 + x1) / 2, (z0 + z1) / 2, low + (high - low) * 0.6
    sheet.stroke(camera.project([(x, low, z), (x, high, z)]), weight * 0.7)
    sheet.stroke(camera.project([(x0, y, z0), (x1, y, z1)]), weight * 0.6)
    sill = [(x0, low, z0), (x1, low, z1)]
    sheet.stroke(camera.project(sill), weight * 1.25)
