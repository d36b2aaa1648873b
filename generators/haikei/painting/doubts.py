"""What a painter says about the parts of a layout that it could not read."""

import numpy as np
from numpy.typing import NDArray

from haikei.reading import Kind, Plane, Reading
from haikei.reading.layout_reading import DOUBTFUL

SAID = 0.02  #: part of the picture below which nothing is said
PLACES = (
    ("upper left", "upper middle", "upper right"),
    ("left", "middle", "right"),
    ("lower left", "lower middle", "lower right"),
)


def doubtful(reading: Reading) -> NDArray[np.bool_]:
    """Return which regions are not read: of no known kind, or of one that is not at all sure."""
    unknown = np.isin(reading.kinds, (Kind.UNKNOWN, Kind.OTHER))
    return np.asarray(unknown | (reading.sure < DOUBTFUL), np.bool_)


def notes_of(reading: Reading) -> tuple[str, ...]:
    """Return what a reviewer should know, a sentence each; none where all was read."""
    notes: list[str] = []
    if reading.unread >= SAID:
        where = _places(reading.spread(doubtful(reading).astype(np.float64)))
        notes.append(
            f"{reading.unread:.0%} of the drawing could not be read ({where}); "
            "it is painted quietly, in the colours around it."
        )
    figures = reading.shapes.area[reading.kinds == Kind.FIGURE].sum()
    if figures > 0:
        notes.append(
            f"{float(figures):.1%} of the picture looks like a figure or a cel area; "
            "it is left as paper."
        )
    return (*notes, *reading.sheet.doubts)


def _places(plane: Plane) -> str:
    """Name where most of it lies: parts that hold at least a fifth of it, largest first."""
    height, width = plane.shape
    sums = {
        PLACES[row][column]: float(
            plane[
                row * height // 3 : (row + 1) * height // 3,
                column * width // 3 : (column + 1) * width // 3,
            ].sum()
        )
        for row in range(3)
        for column in range(3)
    }
    whole = max(sum(sums.values()), 1e-9)
    main = sorted(sums, key=lambda name: -sums[name])
    large = [name for name in main if sums[name] >= 0.2 * whole]
    return ", ".join(large[:3] or main[:2])
