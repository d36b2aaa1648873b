"""A pin-hole camera that stands upright and looks along the road."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float, float]  #: metres: right of the camera's axis, up, away from it
Line2 = NDArray[np.float64]  #: (n, 2) picture points: right and down, in fractions of the height

NEAR = 0.55  #: metres; what is nearer than this is cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Lengths on the picture are in fractions of its height, so that any size looks the same."""

    aspect: float  #: width over height
    eye: float  #: metres above the ground
    horizon: float  #: where the horizon lies, from the top
    centre: float  #: where the axis lies, from the left, in heights too
    focal: float  #: focal length

    def project(self, points: Sequence[Point] | NDArray[np.float64]) -> Line2:
        """Return where points in front of the camera are seen."""
        space = np.asarray(points, np.float64)
        depth = np.maximum(space[:, 2], NEAR)
        across = self.centre + self.focal * space[:, 0] / depth
        down = self.horizon - self.focal * (space[:, 1] - self.eye) / depth
        return np.stack([across, down], axis=1)

    def face(self, points: Sequence[Point]) -> Line2:
        """Return a flat face as seen, cut at the near plane; empty when all of it is behind."""
        kept: list[Point] = []
        for index, here in enumerate(points):
            there = points[(index + 1) % len(points)]
            ahead, beyond = here[2] - NEAR, there[2] - NEAR
            if ahead >= 0:
                kept.append(here)
            if ahead * beyond < 0:
                part = ahead / (ahead - beyond)
                kept.append(
                    (
                        here[0] + (there[0] - here[0]) * part,
                        here[1] + (there[1] - here[1]) * part,
                        NEAR,
                    )
                )
        return self.project(kept) if len(kept) > 2 else np.empty((0, 2))

    def faces_us(self, points: Sequence[Point]) -> bool:
        """Tell whether we see the outside of a face whose corners go round anticlockwise."""
        first, second, third = (np.asarray(point) for point in points[:3])
        normal = np.cross(second - first, third - first)
        return bool(np.dot(normal, np.asarray((0.0, self.eye, 0.0)) - first) < 0)

    def scale(self, depth: float) -> float:
        """Return how long a metre is on the picture at that depth."""
        return self.focal / max(depth, NEAR)
