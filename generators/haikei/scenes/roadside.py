"""Poles and wires, fences, walls, lamps: what stands along roads and tracks."""

from collections.abc import Sequence

import numpy as np

from haikei.scenes.camera import Camera, Point
from haikei.scenes.sheet import Sheet, arc, band


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
