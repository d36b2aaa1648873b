"""
What the demonstration's artists paint over a background, drawn by our own code.

Each brush paints over some pixels, (height, width, 3) float32, sRGB-encoded, 0 to 1, and leaves
all others as they are. The same random numbers paint the same strokes.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from haikei.demo.strokes import Colour, Pixels, Point, Shape, blade, disc

Brush = Callable[[Pixels, np.random.Generator], None]

_PETALS: tuple[Colour, ...] = ((0.96, 0.93, 0.86), (0.93, 0.70, 0.35), (0.72, 0.55, 0.80))


def foreground_grass(pixels: Pixels, random: np.random.Generator) -> None:
    """Paint tall grass and a few flowers along the lower edge, as if one stood in the meadow."""
    height, width = pixels.shape[:2]
    for layer, (reach, light) in enumerate(((0.27, 0.62), (0.2, 0.82), (0.13, 1.0))):
        for x in np.sort(random.uniform(-0.02, 1.02, 150)):
            # Higher towards the sides, so that the grass frames the view.
            side = abs(x - 0.5) * 2
            tall = height * reach * (0.25 + 0.75 * side**2) * random.uniform(0.5, 1.1)
            foot = (x * width, height + 4.0)
            lean = random.normal(0.0, 0.22) * tall
            tip = (foot[0] + lean, foot[1] - tall)
            bend = (foot[0] + lean * 0.25, foot[1] - tall * 0.6)
            green = np.array((0.30, 0.50, 0.16)) * light * random.uniform(0.8, 1.25)
            blade(foot, bend, tip, thickness=height * 0.008).paint(pixels, _colour(green), 0.94)
            if layer == 1 and random.random() < 0.09:
                _flower(pixels, tip, height * random.uniform(0.006, 0.011), random)


def birds(pixels: Pixels, random: np.random.Generator) -> None:
    """Paint a loose flock in the upper sky."""
    height, width = pixels.shape[:2]
    for index in range(11):
        spread = height * random.uniform(0.016, 0.04)
        x = width * (0.55 + 0.032 * index + random.uniform(-0.012, 0.012))
        y = height * (0.2 - 0.011 * index + random.uniform(-0.035, 0.035))
        lift = random.uniform(0.35, 0.75)
        for side in (-1.0, 1.0):
            tip = (x + side * spread, y - spread * lift * random.uniform(0.8, 1.1))
            bend = (x + side * spread * 0.45, y - spread * lift)
            wing = blade((x, y), bend, tip, thickness=spread * 0.22)
            wing.paint(pixels, (0.20, 0.23, 0.30), 0.92)


def funnel_smoke(pixels: Pixels, random: np.random.Generator) -> None:
    """Paint smoke that leaves a boat's funnel and drifts with the wind."""
    height, width = pixels.shape[:2]
    x, y = 0.228 * width, 0.365 * height
    for step in range(80):
        age = step / 80
        x += width * (0.0009 + 0.0042 * age) + random.normal(0.0, 1.2)
        y -= height * 0.0044 * (1.0 - 0.6 * age) + random.normal(0.0, 0.9)
        radius = height * (0.008 + 0.055 * age) * random.uniform(0.75, 1.2)
        grey = np.array((0.42, 0.35, 0.42)) + 0.26 * age + random.normal(0.0, 0.02)
        puff = disc((x, y), radius, soft=0.8 + radius * 0.22)
        puff.paint(pixels, _colour(grey), 0.42 * (1.0 - age) ** 0.8)


def platform_lights(pixels: Pixels, random: np.random.Generator) -> None:
    """Paint warm light that falls from the station's windows, and snow that begins to fall."""
    height, width = pixels.shape[:2]
    size = np.array((width, height))
    for left, right in ((0.31, 0.335), (0.352, 0.374)):
        window = [(left, 0.465), (right, 0.468), (right, 0.56), (left, 0.566)]
        floor = [
            (left + 0.004, 0.645),
            (right, 0.638),
            (right + 0.045, 0.715),
            (left + 0.025, 0.727),
        ]
        for outline, soft, opacity in ((window, 0.034, 0.4), (floor, 0.011, 0.5)):
            light = Shape(outline=np.array(outline) * size, soft=soft * height)
            light.paint(pixels, (1.0, 0.80, 0.45), opacity)
    for _ in range(230):
        near = random.random() ** 3
        place = (random.uniform(0, width), random.uniform(0, height))
        flake = disc(place, height * (0.0016 + 0.0042 * near), soft=0.7 + 1.6 * near)
        flake.paint(pixels, (0.90, 0.93, 1.0), 0.85)


def _flower(pixels: Pixels, centre: Point, radius: float, random: np.random.Generator) -> None:
    colour = _PETALS[int(random.integers(len(_PETALS)))]
    for turn in np.linspace(0, 2 * np.pi, 5, endpoint=False):
        place = (centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn))
        disc(place, radius * 0.8).paint(pixels, colour, 0.95)
    disc(centre, radius * 0.6).paint(pixels, (0.85, 0.62, 0.18), 1.0)


def _colour(values: NDArray[np.float64]) -> Colour:
    red, green, blue = np.clip(values, 0.0, 1.0)
    return float(red), float(green), float(blue)
