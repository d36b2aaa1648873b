"""Artists paint over some of the demonstration's backgrounds, one of them twice."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from haikei.demo.brushes import Brush, birds, foreground_grass, funnel_smoke, platform_lights
from haikei.images import Picture, read_picture, write_picture


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintOver:
    """What one artist adds to a cut's background, on top of what was there."""

    project: str
    sequence: str
    shot: str
    artist: str  #: as the tracker knows them
    brush: Brush
    seed: int

    @property
    def cut(self) -> tuple[str, str, str]:
        """The cut that it belongs to."""
        return self.project, self.sequence, self.shot


#: In the order in which they are done: the second artist of a cut goes on from the first.
PAINT_OVERS: tuple[PaintOver, ...] = (
    PaintOver(
        project="PORT", sequence="s01", shot="c002", artist="Sakura Ito",
        brush=funnel_smoke, seed=7,
    ),
    PaintOver(
        project="PORT", sequence="s02", shot="c010", artist="Aoi Suzuki",
        brush=foreground_grass, seed=7,
    ),
    PaintOver(
        project="PORT", sequence="s02", shot="c010", artist="Sakura Ito",
        brush=birds, seed=8,
    ),
    PaintOver(
        project="STATION", sequence="s01", shot="c002", artist="Sakura Ito",
        brush=platform_lights, seed=7,
    ),
)  # fmt: skip


def paint(over: PaintOver, background: Path, target: Path) -> None:
    """
    Paint over a background and save it as a paint program does: one layer, none of its marks.

    Raises:
        ImageUnreadable: the background cannot be read.
        StorageUnavailable: the target cannot be written.
    """
    pixels = read_picture(background).pixels.copy()
    over.brush(pixels, np.random.default_rng(over.seed))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_picture(Picture(pixels=pixels), target)
