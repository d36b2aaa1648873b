"""What is drawn on the sheets of `drawn_sheets.py`: scenes, a room, a city, woods, a lone thing."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.scenes import Scene, SceneKind, draw

Plane = NDArray[np.float32]
Random = np.random.Generator


def wavering(patch: Plane, random: Random, amount: float, scale: float) -> Plane:
    height, width = patch.shape
    maps: list[Plane] = []
    for base in np.meshgrid(np.arange(width), np.arange(height)):
        rough = random.normal(size=(height, width)).astype(np.float32)
        noise = np.asarray(cv2.GaussianBlur(rough, (0, 0), max(scale, 1.0)), np.float64)
        noise *= amount / max(float(noise.std()), 1e-6)
        maps.append((base + noise).astype(np.float32))
    return np.asarray(cv2.remap(patch, maps[0], maps[1], cv2.INTER_LINEAR), np.float32)


def _scene(random: Random, width: int, height: int) -> Plane:
    kind = list(SceneKind)[int(random.integers(len(SceneKind)))]
    made = draw(Scene(kind=kind, width=width, height=height, seed=int(random.integers(9999))))
    return np.asarray(1 - made.picture().pixels.min(axis=2), np.float32)


def draw_line(
    plane: Plane, one: tuple[float, float], other: tuple[float, float], thick: int = 1
) -> None:
    ends = [(round(x * 16), round(y * 16)) for x, y in (one, other)]
    cv2.line(plane, ends[0], ends[1], 1.0, thick, cv2.LINE_AA, 4)


def draw_curve(
    plane: Plane, points: NDArray[np.float64], thick: int, *, closed: bool = False
) -> None:
    cv2.polylines(
        plane,
        [(points * 16).round().astype(np.int32)],
        isClosed=closed,
        color=1.0,
        thickness=thick,
        lineType=cv2.LINE_AA,
        shift=4,
    )


def draw_box(plane: Plane, x: float, y: float, w: float, h: float, thick: int = 1) -> None:
    corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    for index in range(4):
        draw_line(plane, corners[index], corners[(index + 1) % 4], thick)


def _room(random: Random, width: int, height: int) -> Plane:
    """A room: back wall, boards, a window with a view, a shelf, a table."""
    plane = np.zeros((height, width), np.float32)
    left, right = random.uniform(0.08, 0.3) * width, random.uniform(0.7, 0.92) * width
    top, bottom = random.uniform(0.08, 0.2) * height, random.uniform(0.62, 0.8) * height
    draw_box(plane, left, top, right - left, bottom - top)
    for x, y, far in ((left, top, (0, 0)), (right, top, (width, 0)), (left, bottom, (0, height)),
                      (right, bottom, (width, height))):  # fmt: skip
        draw_line(plane, (x, y), far)
    for part in np.linspace(0, 1, int(random.integers(5, 12)))[1:-1]:
        draw_line(
            plane, (left + part * (right - left), bottom), ((part * 1.8 - 0.4) * width, height)
        )
    wide, high = 0.45 * (right - left), 0.55 * (bottom - top)
    x, y = left + random.uniform(0.05, 0.5) * (right - left), top + 0.15 * (bottom - top)
    draw_box(plane, x, y, wide, high)
    draw_box(plane, x - 5, y - 5, wide + 10, high + 10)
    draw_line(plane, (x + wide / 2, y), (x + wide / 2, y + high))
    for _ in range(4):
        points = np.cumsum(random.normal(0, 4, (12, 2)), axis=0)
        points[:, 0] = np.linspace(x, x + wide, 12)
        points[:, 1] = np.clip(y + 0.6 * high + points[:, 1], y, y + high)
        draw_curve(plane, points, 1)
    table = random.uniform(0.2, 0.5) * width
    draw_box(plane, table, 0.78 * height, 0.3 * width, 0.05 * height, 2)
    for leg in (0.02, 0.26):
        draw_box(plane, table + leg * width, 0.83 * height, 0.015 * width, 0.14 * height)
    for shelf in range(4):
        draw_box(
            plane,
            right - 0.1 * width,
            top + (0.1 + 0.14 * shelf) * height,
            0.09 * width,
            0.1 * height,
        )
        for book in range(6):
            draw_box(plane, right - (0.098 - 0.014 * book) * width,
                 top + (0.12 + 0.14 * shelf) * height, 0.012 * width, 0.08 * height)  # fmt: skip
    return plane


def _city(random: Random, width: int, height: int) -> Plane:
    """Blocks with rows of windows, wires, signs without writing, a street."""
    plane = np.zeros((height, width), np.float32)
    x = -0.03 * width
    ground = random.uniform(0.7, 0.85) * height
    while x < width:
        wide = random.uniform(0.08, 0.22) * width
        roof = random.uniform(0.1, 0.55) * height
        draw_box(plane, x, roof, wide, ground - roof)
        rows, columns = int(random.integers(3, 10)), int(random.integers(2, 7))
        w, h = wide / columns * random.uniform(0.35, 0.7), (ground - roof) / rows * 0.5
        for row in range(rows):
            for column in range(columns):
                draw_box(plane, x + (column + 0.25) * wide / columns,
                     roof + (row + 0.3) * (ground - roof) / rows, w, h)  # fmt: skip
                if random.random() < 0.3:
                    draw_line(plane, (x + (column + 0.25) * wide / columns + w / 2,
                                  roof + (row + 0.3) * (ground - roof) / rows),
                          (x + (column + 0.25) * wide / columns + w / 2,
                           roof + (row + 0.3) * (ground - roof) / rows + h))  # fmt: skip
        x += wide * random.uniform(1.0, 1.2)
    draw_line(plane, (0, ground), (width, ground + random.normal(0, 3)))
    for part in np.linspace(-0.5, 1.5, 9):
        draw_line(plane, (0.5 * width, ground), (part * width, height))
    for _ in range(3):
        sag = np.linspace(0, 1, 30)
        y = random.uniform(0.05, 0.3) * height + 60 * (sag - 0.5) ** 2 * random.uniform(0.5, 2)
        points = np.stack([sag * width, y], axis=1)
        draw_curve(plane, points, 1)
    return plane


def _woods(random: Random, width: int, height: int) -> Plane:
    """Trunks, clumps of leaf marks, grass tufts, stones, hatched shadows."""
    plane = np.zeros((height, width), np.float32)
    for _ in range(int(random.integers(4, 9))):
        x, wide = random.uniform(0, width), random.uniform(0.01, 0.04) * width
        foot = random.uniform(0.65, 0.95) * height
        for side in (-1, 1):
            down = np.linspace(0, foot, 14)
            line = x + side * wide * (0.5 + 0.5 * (down / foot) ** 3) + random.normal(0, 1.5, 14)
            points = np.stack([line, down], axis=1)
            draw_curve(plane, points, 1)
        for _ in range(10):
            y = random.uniform(0.1, 0.9) * foot
            draw_line(plane, (x - wide * 0.3, y), (x - wide * 0.3 + 3, y + random.uniform(6, 24)))
    for _ in range(int(random.integers(60, 260))):
        x, y, size = (
            random.uniform(0, width),
            random.uniform(0, 0.6 * height),
            random.uniform(3, 10),
        )
        turn = random.uniform(0, 360)
        cv2.ellipse(plane, (int(x), int(y)), (int(size), int(size * 0.6) + 1), turn, 0,
                    random.uniform(90, 220), 1.0, 1, cv2.LINE_AA)  # fmt: skip
    for _ in range(int(random.integers(40, 160))):
        x, y = random.uniform(0, width), random.uniform(0.7, 1) * height
        for lean in (-4, -1, 3):
            draw_line(
                plane, (x, y), (x + lean * random.uniform(0.5, 1.5), y - random.uniform(5, 14))
            )
    for _ in range(int(random.integers(5, 25))):
        x, y, size = (
            random.uniform(0, width),
            random.uniform(0.7, 1) * height,
            random.uniform(4, 16),
        )
        around = np.linspace(0, 2 * np.pi, 9)
        ring = np.stack([x + size * 1.4 * np.cos(around), y + size * np.sin(around)], axis=1)
        ring += random.normal(0, size * 0.1, ring.shape)
        draw_curve(plane, ring, 1, closed=True)
    for _ in range(int(random.integers(1, 5))):
        x, y = random.uniform(0, width), random.uniform(0.6, 0.95) * height
        for step in range(int(random.integers(8, 24))):
            draw_line(plane, (x + 5 * step, y), (x + 5 * step - 14, y + 22 + random.normal(0, 3)))
    return plane


def _lone(random: Random, width: int, height: int) -> Plane:
    """One thing on empty paper: a crate, a window, a rock."""
    plane = np.zeros((height, width), np.float32)
    x, y = random.uniform(0.25, 0.45) * width, random.uniform(0.25, 0.4) * height
    w, h = random.uniform(0.15, 0.35) * width, random.uniform(0.25, 0.45) * height
    draw_box(plane, x, y, w, h, 2)
    draw_box(plane, x + 8, y + 8, w - 16, h - 16)
    for part in np.linspace(0, 1, int(random.integers(3, 6)))[1:-1]:
        draw_line(plane, (x + part * w, y + 8), (x + part * w, y + h - 8))
    for shift in (0, w):
        draw_line(plane, (x + shift, y), (x + shift + 0.08 * width, y - 0.1 * height), 2)
    draw_line(
        plane, (x + 0.08 * width, y - 0.1 * height), (x + w + 0.08 * width, y - 0.1 * height), 2
    )
    return plane


DRAWINGS: tuple[Callable[[Random, int, int], Plane], ...] = (
    _scene, _scene, _scene, _scene, _room, _city, _woods, _lone,
)  # fmt: skip


def drawn(random: Random, width: int, height: int) -> Plane:
    """Return a drawing by one of several hands."""
    plane = DRAWINGS[int(random.integers(len(DRAWINGS)))](random, width, height)
    if random.random() < 0.35:
        plane = wavering(plane, random, random.uniform(0.4, 1.2), 14)
    if random.random() < 0.25:
        plane = np.asarray(cv2.dilate(plane, np.ones((2, 2), np.uint8)), np.float32)
    return plane * np.float32(random.uniform(0.72, 1.0))
