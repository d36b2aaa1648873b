"""Water: what stands above it turned over, broken by ripples, and light on their crests."""

import cv2
import numpy as np

from haikei.painting.classes import Kind
from haikei.painting.light import below
from haikei.painting.palette import rgb
from haikei.painting.reading import Reading
from haikei.painting.strokes import Brush, Colours
from haikei.painting.wash import Mood


def add_reflections(picture: Colours, reading: Reading, mood: Mood, brush: Brush) -> None:
    """Mirror each column of the picture about the water's edge above it, in place."""
    water = reading.mask(Kind.WATER)
    if not water.any():
        return
    height, width = reading.shape
    depth = below(~water)
    # The edge is followed loosely, or each mast would cut the water into columns.
    depth = np.asarray(cv2.blur(depth, (max(3, width // 110) | 1, 1)), np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    down = np.clip((rows / height - reading.horizon) / max(1 - reading.horizon, 0.1), 0, 1)
    near = brush.noise(height / 22, octaves=3, stretch=7)
    far = brush.noise(height / 80, octaves=2, stretch=9)
    swell = near * down + far * (1 - down)
    across = np.arange(width, dtype=np.float32)[None, :]
    source_x = across + swell * np.float32(height / 240) * (np.float32(0.4) + 2 * down)
    edge = rows - depth
    source_y = edge - depth * np.float32(0.92) - swell * np.float32(height / 200) * down
    source_y = np.clip(np.abs(source_y), 0, np.maximum(edge, 0))
    mirrored = np.float32(0.9) * cv2.remap(
        picture,
        source_x.astype(np.float32),
        source_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    clear = np.float32(0.62) * np.exp(-depth / np.float32(height * 0.42))
    picture += (mirrored - picture) * (clear * water)[..., None].astype(np.float32)
    crest = np.clip(swell - np.float32(0.85), 0, 1.2) * np.float32(0.34)
    trough = np.clip(-swell - np.float32(0.6), 0, 1.2) * np.float32(0.2)
    glitter = rgb(mood.light.glow if mood.time != "day" else "#f4fbff")
    path = np.exp(-(((across / width - mood.sun) / 0.16) ** 2))
    crest = (
        crest
        * np.float32(0.55 if mood.light.stars else 1.0)
        * (np.float32(0.55) + path * np.float32(1.0))
    )
    picture += (glitter - picture) * (np.clip(crest, 0, 0.8) * water)[..., None].astype(np.float32)
    picture *= (1 - trough * water)[..., None].astype(np.float32)
