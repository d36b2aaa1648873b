"""Boats, quays, bollards, a lighthouse."""

import numpy as np

from haikei.scenes.camera import Camera, Point
from haikei.scenes.railway import upright
from haikei.scenes.sheet import Sheet, arc, box


def boat(
    sheet: Sheet, camera: Camera, x: float, z: float, length: float, *, bow: int, mast: bool = True
) -> None:
    """Draw a fishing boat broadside; `bow` is -1 to the left, 1 to the right."""
    weight = float(np.clip(0.5 + camera.scale(z) * 7, 0.6, 1.1))

    def side(*points: tuple[float, float]) -> list[Point]:
        return [(x + bow * along * length, up * length, z) for along, up in points]

    if mast:
        upright(sheet, camera, (x + bow * 0.08 * length, 0.1, z), length * 0.62, 0.16, weight)
        for end in (0.47, -0.45):
            stay = side((0.08, 0.64), (end, 0.17 if end > 0 else 0.13))
            sheet.stroke(camera.project(stay), 0.45)
    cabin = side((-0.3, 0.1), (0.02, 0.1), (-0.02, 0.3), (-0.28, 0.3))
    sheet.shape(camera.face(cabin), weight)
    roof = side((-0.32, 0.3), (0.03, 0.3), (0.03, 0.33), (-0.32, 0.33))
    sheet.shape(camera.face(roof), weight)
    for along in (-0.25, -0.16, -0.07):
        pane = side((along, 0.2), (along + 0.06, 0.2), (along + 0.06, 0.27), (along, 0.27))
        sheet.shape(camera.face(pane), weight * 0.75)
    hull = side(
        (-0.44, 0.0),
        (0.36, 0.0),
        (0.44, 0.09),
        (0.5, 0.19),
        (0.3, 0.135),
        (0.0, 0.115),
        (-0.3, 0.12),
        (-0.47, 0.14),
    )
    sheet.shape(camera.face(hull), weight)
    stripe = side((-0.465, 0.095), (-0.2, 0.085), (0.1, 0.082), (0.3, 0.1), (0.46, 0.14))
    sheet.stroke(camera.project(stripe), weight * 0.7)


def ripples(
    sheet: Sheet, camera: Camera, left: float, right: float, near: float, far: float, count: int
) -> None:
    """Draw short flat strokes on the water, denser towards the horizon."""
    random = sheet.random
    for _ in range(count):
        z = near / (1 - random.uniform(0, 1 - near / far))
        x = random.uniform(left, right) * (z / near) ** 0.8
        length = random.uniform(0.5, 1.6) * (1 + z * 0.03)
        part = np.linspace(0, 1, 6)
        points = np.stack([x + part * length, 0.05 * np.sin(part * 6.3), np.full(6, z)], axis=1)
        sheet.stroke(camera.project(points), 0.45)


def bollard(sheet: Sheet, camera: Camera, x: float, base: float, z: float) -> None:
    """Draw an iron bollard."""
    foot = camera.project([(x, base, z)])[0]
    size = camera.scale(z) * 0.2
    weight = float(np.clip(camera.scale(z) * 6, 0.6, 1.15))
    sheet.shape(box(foot[0] - size, foot[1] - size * 2.2, size * 2, size * 2.2), weight)
    sheet.shape(arc(foot[0], foot[1] - size * 2.3, size * 1.35, size * 0.55, 0, 360), weight)


def lighthouse(sheet: Sheet, camera: Camera, x: float, z: float, height: float) -> None:
    """Draw a small lighthouse on the end of its breakwater."""
    mole: list[Point] = [(x - 4, 0, z), (x + 60, 0, z), (x + 60, 1.6, z), (x - 2.5, 1.6, z)]
    sheet.shape(camera.face(mole), 0.7)
    tower: list[Point] = [
        (x - 1.1, 1.6, z),
        (x + 1.1, 1.6, z),
        (x + 0.75, height, z),
        (x - 0.75, height, z),
    ]
    sheet.shape(camera.face(tower), 0.7)
    gallery: list[Point] = [
        (x - 1.1, height, z),
        (x + 1.1, height, z),
        (x + 1.1, height + 0.3, z),
        (x - 1.1, height + 0.3, z),
    ]
    room: list[Point] = [
        (x - 0.6, height + 0.3, z),
        (x + 0.6, height + 0.3, z),
        (x + 0.6, height + 1.6, z),
        (x - 0.6, height + 1.6, z),
    ]
    sheet.shape(camera.face(room), 0.6)
    sheet.shape(camera.face(gallery), 0.6)
    top = camera.project([(x, height + 1.6, z)])[0]
    radius = camera.scale(z) * 0.75
    sheet.shape(arc(top[0], top[1], radius, radius, 180, 360), 0.6)


def crate(sheet: Sheet, camera: Camera, x: float, base: float, z: float, size: float) -> None:
    """Draw a fish crate with its boards."""
    half = size / 2
    side = half if x < 0 else -half
    flank: list[Point] = [
        (x + side, base, z),
        (x + side, base, z + size),
        (x + side, base + size * 0.7, z + size),
        (x + side, base + size * 0.7, z),
    ]
    lid: list[Point] = [
        (x - half, base + size * 0.7, z),
        (x + half, base + size * 0.7, z),
        (x + half, base + size * 0.7, z + size),
        (x - half, base + size * 0.7, z + size),
    ]
    front: list[Point] = [
        (x - half, base, z),
        (x + half, base, z),
        (x + half, base + size * 0.7, z),
        (x - half, base + size * 0.7, z),
    ]
    for face in (flank, lid, front):
        sheet.shape(camera.face(face), 0.9)
    for level in (0.25, 0.47):
        board = [(x - half * 0.9, base + size * level, z), (x + half * 0.9, base + size * level, z)]
        sheet.stroke(camera.project(board), 0.5)
