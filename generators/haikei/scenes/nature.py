"""Clouds, hills, trees and grass: the outlines that nobody rules with a straight edge."""

import cv2
import numpy as np

from haikei.scenes.sheet import Line2, Sheet, arc, band

DETAIL = 900  #: lines of the mask on which soft outlines are joined, a picture height


def clump(discs: list[tuple[float, float, float]], floor: float | None = None) -> Line2:
    """Return the outline around discs (x, y, radius), cut flat below `floor`."""
    xs = [disc[0] for disc in discs]
    ys = [disc[1] for disc in discs]
    reach = max(disc[2] for disc in discs) * 1.2
    left, top = min(xs) - reach, min(ys) - reach
    detail = min(DETAIL, 500 / max(max(xs) + reach - left, max(ys) + reach - top))
    detail = max(detail, 60.0)
    size = (
        int((max(ys) + reach - top) * detail) + 2,
        int((max(xs) + reach - left) * detail) + 2,
    )
    mask = np.zeros(size, np.uint8)
    for x, y, radius in discs:
        centre = (round((x - left) * detail), round((y - top) * detail))
        cv2.circle(mask, centre, max(1, round(radius * detail)), (255,), -1)
    if floor is not None:
        mask[max(0, int((floor - top) * detail)) :] = 0
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not found:
        return np.empty((0, 2))
    longest = max(found, key=len)[:, 0, :].astype(np.float64)
    return longest / detail + (left, top)


def cloud(sheet: Sheet, x: float, base: float, width: float, height: float) -> None:
    """Draw a fair-weather cumulus on the cloud sheet: a heap of billows on a flat base."""
    random = sheet.random
    discs: list[tuple[float, float, float]] = []
    count = int(np.clip(width / height * 5, 6, 16))
    for place in np.linspace(-0.5, 0.5, count):
        rise = np.exp(-((place * 2.3 + random.uniform(-0.15, 0.15)) ** 2))
        radius = height * (0.13 + 0.17 * rise) * random.uniform(0.8, 1.2)
        top = base - radius * 0.45 - height * rise * random.uniform(0.25, 0.62)
        discs.append((x + place * width, top, radius))
        discs.append((x + place * width, base - radius * 0.4, radius * 0.85))
        discs.append((x + place * width * 0.8, (top + base) / 2, radius * 1.1))
    outline = clump(discs, floor=base)
    # The base is flat, but not ruled.
    sag = np.sin(outline[:, 0] * 37 + base * 90) + np.sin(outline[:, 0] * 83)
    outline[:, 1] += np.where(outline[:, 1] > base - 0.01, 0.0016 * sag, 0.0)
    previous, sheet.layer = sheet.layer, "clouds"
    sheet.shape(outline, 0.72)
    for _ in range(int(random.integers(2, 5))):
        across, up, radius = discs[3 * int(random.integers(1, count - 1))]
        curl = arc(
            across, up + radius * 0.9, radius * 0.75, radius * 0.7, 190, random.uniform(265, 330)
        )
        sheet.stroke(curl, 0.5)
    sheet.layer = previous


def ridge(sheet: Sheet, *, level: float, rise: float, rough: float, waves: float) -> Line2:
    """Return a hill line from edge to edge: a few long waves and a little unrest."""
    random = sheet.random
    x = np.linspace(-0.05, sheet.aspect + 0.05, 240)
    y = np.zeros_like(x)
    for octave in range(1, 7):
        turn = waves * octave**1.25 * random.uniform(0.8, 1.2)
        y += np.sin(x * turn * 2 * np.pi / sheet.aspect + random.uniform(0, 6.28)) / octave ** (
            2.2 - rough
        )
    y = (y - y.min()) / max(np.ptp(y), 1e-9)
    return np.stack([x, level - rise * y], axis=1)


def hill(sheet: Sheet, line: Line2, floor: float, weight: float) -> None:
    """Draw a hill under its line; only the line itself is inked."""
    ends = np.array([[line[-1, 0], floor], [line[0, 0], floor]])
    sheet.fill(np.concatenate([line, ends]))
    sheet.stroke(line, weight)


def wooded_hill(sheet: Sheet, line: Line2, floor: float, size: float, weight: float) -> None:
    """Draw a hill whose line is made of tree tops, with a few crowns hinted inside."""
    random = sheet.random
    points: list[Line2] = []
    x = line[0, 0]
    while x < line[-1, 0]:
        radius = size * random.uniform(0.7, 1.5)
        y = float(np.interp(x + radius, line[:, 0], line[:, 1]))
        points.append(arc(x + radius, y, radius, radius * random.uniform(0.8, 1.15), 185, 355))
        x += radius * 1.8
    hill(sheet, np.concatenate(points), floor, weight)
    for _ in range(int(14 * sheet.aspect)):
        at = random.uniform(0, sheet.aspect)
        top = float(np.interp(at, line[:, 0], line[:, 1]))
        y = top + (floor - top) * random.uniform(0.15, 0.6)
        radius = size * random.uniform(0.6, 1.2)
        sheet.stroke(arc(at, y, radius, radius * 0.8, 195, random.uniform(290, 340)), weight * 0.6)


def broadleaf(sheet: Sheet, x: float, ground: float, height: float, weight: float = 1.0) -> None:
    """Draw a round-crowned tree standing at `ground`."""
    random = sheet.random
    lean = height * random.uniform(-0.05, 0.05)
    trunk = np.stack(
        [x + lean * np.linspace(0, 1, 6) ** 2, ground - height * np.linspace(0, 0.62, 6)], axis=1
    )
    sheet.shape(band(trunk, height * 0.085, taper=0.55), weight)
    centre = (x + lean, ground - height * 0.66)
    discs = [(centre[0], centre[1], height * 0.2)]
    lobes = ((-0.17, 0.07, 0.15), (0.17, 0.05, 0.16), (0.02, -0.16, 0.16), (-0.08, -0.03, 0.2))
    for across, down, size in lobes:
        lobe = (
            centre[0] + height * (across + random.uniform(-0.03, 0.03)),
            centre[1] + height * (down + random.uniform(-0.03, 0.03)),
        )
        for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False) + random.uniform(0, 1):
            away = height * size * random.uniform(0.62, 0.85)
            discs.append(
                (
                    lobe[0] + np.cos(angle) * away * 1.15,
                    lobe[1] + np.sin(angle) * away * 0.85,
                    height * random.uniform(0.055, 0.085),
                )
            )
    sheet.shape(clump(discs), weight)
    if height > 0.06:
        for disc in discs[3::6]:
            radius = disc[2] * 1.2
            sheet.stroke(
                arc(
                    (disc[0] + centre[0]) / 2,
                    (disc[1] + centre[1]) / 2,
                    radius,
                    radius * 0.8,
                    190,
                    random.uniform(280, 330),
                ),
                weight * 0.55,
            )


def conifer(sheet: Sheet, x: float, ground: float, height: float, weight: float = 1.0) -> None:
    """Draw a cedar: a tall jagged cone on a short trunk."""
    random = sheet.random
    sheet.shape(
        np.array(
            [
                [x - height * 0.025, ground],
                [x + height * 0.025, ground],
                [x + height * 0.02, ground - height * 0.2],
                [x - height * 0.02, ground - height * 0.2],
            ]
        ),
        weight,
    )
    sides: list[list[tuple[float, float]]] = [[], []]
    steps = 6
    for side, sign in zip(sides, (-1, 1), strict=True):
        for step in range(steps):
            part = step / steps
            out = height * 0.2 * (1 - part) * random.uniform(0.88, 1.1) + height * 0.015
            y = ground - height * (0.1 + 0.86 * part)
            side.append((x + sign * out, y))
            side.append((x + sign * out * 0.52, y - height * 0.075))
    sheet.shape(np.array([*sides[0], (x, ground - height), *sides[1][::-1]]), weight)


def bush(sheet: Sheet, x: float, ground: float, width: float, weight: float = 1.0) -> None:
    """Draw a low bush."""
    random = sheet.random
    discs = [
        (x + place * width, ground - width * 0.1, width * random.uniform(0.15, 0.23))
        for place in np.linspace(-0.38, 0.38, 5)
    ]
    discs += [(x, ground - width * 0.22, width * 0.22)]
    sheet.shape(clump(discs, floor=ground), weight)


def grass(sheet: Sheet, x: float, ground: float, size: float, weight: float = 0.7) -> None:
    """Draw a tuft of three or four blades."""
    for lean in sheet.random.uniform(-0.7, 0.7, int(sheet.random.integers(3, 5))):
        blade = np.array([[0, 0], [lean * 0.35, -0.6], [lean, -1.0]]) * size
        sheet.stroke(blade + np.array([x + lean * size * 0.25, ground]), weight)


def gull(sheet: Sheet, x: float, y: float, size: float) -> None:
    """Draw a bird far off: two strokes."""
    sheet.stroke(arc(x - size / 2, y, size / 2, size * 0.22, 200, 345), 0.7)
    sheet.stroke(arc(x + size / 2, y, size / 2, size * 0.22, 195, 340), 0.7)
