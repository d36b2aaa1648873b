"""
What stands along tracks, roads and quays: platforms, wires, poles, lamps, boats, a lighthouse.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from haikei.scenes.sheet import Camera, Point, Sheet, arc, band, box


def upright(
    sheet: Sheet, camera: Camera, foot: Point, height: float, thick: float, weight: float = 1.0
) -> None:
    """Draw a post of that height and thickness, in metres."""
    x, y, z = foot
    line = camera.project([(x, y, z), (x, y + height * 0.5, z), (x, y + height, z)])
    sheet.shape(band(line, max(thick * camera.scale(z), 0.0035), taper=0.8), weight)


def poles(
    sheet: Sheet,
    camera: Camera,
    feet: Sequence[Point],
    height: float,
    *,
    wires: Sequence[tuple[float, float]] = ((-0.9, 0.0), (0.9, 0.0), (0.0, 0.6)),
) -> None:
    """Draw a row of utility poles, the farthest first, with sagging wires between them."""
    previous: Point | None = None
    for foot in sorted(feet, key=lambda foot: -foot[2]):
        x, y, z = foot
        if previous is not None:
            for across, up in wires:
                part = np.linspace(0, 1, 24)
                start = np.array(
                    [previous[0] + across, previous[1] + height * 0.9 + up, previous[2]]
                )
                end = np.array([x + across, y + height * 0.9 + up, z])
                wire = start + (end - start) * part[:, None]
                wire[:, 1] -= 4 * part * (1 - part) * height * 0.07
                sheet.stroke(camera.project(wire), 0.42)
        weight = float(np.clip(0.5 + camera.scale(z) * 5, 0.55, 1.1))
        upright(sheet, camera, foot, height, 0.28, weight)
        for level, half in ((0.9, 1.1), (0.8, 0.8)):
            beam = camera.project(
                [(x - half, y + height * level, z), (x + half, y + height * level, z)]
            )
            sheet.shape(band(beam, max(0.16 * camera.scale(z), 0.0028)), weight)
        previous = foot


def fence(
    sheet: Sheet, camera: Camera, start: Point, end: Point, *, posts: int, height: float
) -> None:
    """Draw a wooden fence: posts and two rails, the far end first."""
    feet = [
        tuple(float(value) for value in np.asarray(start) + (np.asarray(end) - start) * part)
        for part in np.linspace(0, 1, posts)
    ]
    feet.sort(key=lambda foot: -foot[2])
    for level in (0.45, 0.82):
        rail = camera.project([(x, y + height * level, z) for x, y, z in feet])
        sheet.stroke(rail, 0.7)
        lower = camera.project([(x, y + height * (level - 0.1), z) for x, y, z in feet])
        sheet.stroke(lower, 0.6)
    for x, y, z in feet:
        upright(sheet, camera, (x, y, z), height, 0.12, float(np.clip(camera.scale(z) * 9, 0.5, 1)))


def lamp(sheet: Sheet, camera: Camera, foot: Point, height: float, reach: float) -> None:
    """Draw a street lamp whose arm reaches to one side."""
    x, y, z = foot
    weight = float(np.clip(0.5 + camera.scale(z) * 5, 0.55, 1.1))
    upright(sheet, camera, foot, height, 0.16, weight)
    head = camera.project([(x + reach, y + height, z)])[0]
    arm = camera.project([(x, y + height * 0.97, z), (x + reach, y + height, z)])
    sheet.stroke(arm, weight * 1.2)
    size = camera.scale(z) * 0.28
    sheet.shape(arc(head[0], head[1], size, size, 0, 180), weight)


def kerb(
    sheet: Sheet, camera: Camera, points: Sequence[Point], height: float, weight: float = 0.9
) -> None:
    """Draw the upright face of a kerb or low wall along points on the ground."""
    upper = [(x, y + height, z) for x, y, z in reversed(points)]
    sheet.shape(camera.face([*points, *upper]), weight)


GAUGE = 1.067  #: metres between the rails on Japanese narrow gauge


def ground_strip(
    sheet: Sheet,
    camera: Camera,
    x0: float,
    x1: float,
    near: float,
    far: float,
    up: float = 0.0,
    weight: float = 0.8,
) -> None:
    """Draw a level strip that runs away from us."""
    strip: list[Point] = [(x0, up, near), (x1, up, near), (x1, up, far), (x0, up, far)]
    sheet.shape(camera.face(strip), weight)


def track(sheet: Sheet, camera: Camera, x: float, far: float) -> None:
    """Draw one track: ballast, sleepers, rails."""
    ground_strip(sheet, camera, x - 1.75, x + 1.75, 0.6, far, weight=0.7)
    for z in np.arange(1.2, min(far, 26.0), 0.72)[::-1]:
        sleeper: list[Point] = [
            (x - 1.1, 0.03, z),
            (x + 1.1, 0.03, z),
            (x + 1.1, 0.03, z + 0.26),
            (x - 1.1, 0.03, z + 0.26),
        ]
        sheet.shape(camera.face(sleeper), float(np.clip(camera.scale(z) * 3, 0.4, 0.85)))
    for rail in (x - GAUGE / 2, x + GAUGE / 2):
        ground_strip(sheet, camera, rail - 0.06, rail + 0.06, 0.6, far, up=0.16, weight=0.7)


def platform(
    sheet: Sheet, camera: Camera, edge: float, width: float, near: float, far: float, height: float
) -> None:
    """Draw a platform left of its edge, with the coping and the line nobody crosses."""
    face: list[Point] = [(edge, 0, near), (edge, 0, far), (edge, height, far), (edge, height, near)]
    sheet.shape(camera.face(face), 0.9)
    end: list[Point] = [
        (edge - width, 0, near),
        (edge, 0, near),
        (edge, height, near),
        (edge - width, height, near),
    ]
    sheet.shape(camera.face(end), 0.9)
    ground_strip(sheet, camera, edge - width, edge, near, far, up=height, weight=0.95)
    ground_strip(sheet, camera, edge - 0.95, edge - 0.62, near, far, up=height, weight=0.6)


def canopy(
    sheet: Sheet,
    camera: Camera,
    *,
    left: float,
    right: float,
    near: float,
    far: float,
    base: float,
    height: float,
) -> None:
    """Draw a platform roof on posts, the far posts first."""
    top = base + height
    under: list[Point] = [
        (left, top, near),
        (right, top, near),
        (right, top, far),
        (left, top, far),
    ]
    sheet.shape(camera.face(under), 0.9)
    for z in np.arange(far - 1.0, near, -4.2):
        beam: list[Point] = [
            (left, top, z),
            (right, top, z),
            (right, top - 0.22, z),
            (left, top - 0.22, z),
        ]
        sheet.shape(camera.face(beam), 0.7)
        upright(sheet, camera, (right - 0.9, base, z), height - 0.2, 0.2, 0.85)
    edge: list[Point] = [
        (right, top - 0.1, near),
        (right, top - 0.1, far),
        (right, top + 0.32, far),
        (right, top + 0.32, near),
    ]
    sheet.shape(camera.face(edge), 0.9)
    middle = (left + right) / 2
    gable: list[Point] = [
        (left, top - 0.1, near),
        (right, top - 0.1, near),
        (right, top + 0.32, near),
        (middle, top + 0.95, near),
        (left, top + 0.32, near),
    ]
    sheet.shape(camera.face(gable), 1.0)


def name_board(sheet: Sheet, camera: Camera, x: float, base: float, z: float) -> None:
    """Draw a station's name board on two posts; nothing is written on it."""
    for foot in (x - 0.8, x + 0.8):
        upright(sheet, camera, (foot, base, z), 2.1, 0.1, 0.8)
    board: list[Point] = [
        (x - 1.05, base + 1.05, z),
        (x + 1.05, base + 1.05, z),
        (x + 1.05, base + 2.0, z),
        (x - 1.05, base + 2.0, z),
    ]
    sheet.shape(camera.face(board), 0.95)
    band_: list[Point] = [
        (x - 1.05, base + 1.25, z),
        (x + 1.05, base + 1.25, z),
        (x + 1.05, base + 1.38, z),
        (x - 1.05, base + 1.38, z),
    ]
    sheet.shape(camera.face(band_), 0.6)


def bench(sheet: Sheet, camera: Camera, x: float, base: float, z: float, length: float) -> None:
    """Draw a bench that stands along the platform."""
    for end in (z + 0.1, z + length - 0.1):
        upright(sheet, camera, (x, base, end), 0.42, 0.1, 0.8)
    seat: list[Point] = [
        (x - 0.25, base + 0.45, z),
        (x + 0.25, base + 0.45, z),
        (x + 0.25, base + 0.45, z + length),
        (x - 0.25, base + 0.45, z + length),
    ]
    back: list[Point] = [
        (x - 0.27, base + 0.55, z),
        (x - 0.27, base + 0.55, z + length),
        (x - 0.3, base + 0.95, z + length),
        (x - 0.3, base + 0.95, z),
    ]
    sheet.shape(camera.face(back), 0.85)
    sheet.shape(camera.face(seat), 0.85)


def catenary(sheet: Sheet, camera: Camera, feet: Sequence[float], x: float, arm: float) -> None:
    """Draw the masts of an electric line with their arms over the track, and its wire."""
    height = 6.4
    for up, sag in ((5.2, 0.0), (6.0, 0.35)):
        runs = sorted(feet, reverse=True)
        for far, near in pairwise(runs):
            part = np.linspace(0, 1, 12)
            wire = np.stack(
                [
                    np.full(12, x + arm),
                    up - 4 * sag * part * (1 - part),
                    far + (near - far) * part,
                ],
                axis=1,
            )
            sheet.stroke(camera.project(wire), 0.42)
    for z in sorted(feet, reverse=True):
        weight = float(np.clip(0.5 + camera.scale(z) * 5, 0.5, 1.0))
        upright(sheet, camera, (x, 0, z), height, 0.26, weight)
        for level, drop in ((6.1, 0.0), (5.3, 0.5)):
            beam = camera.project([(x, level - drop, z), (x + arm, level, z)])
            sheet.stroke(beam, weight)


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
