"""A reading as it would be if every region were named rightly: the painter judged alone."""

from dataclasses import replace

import cv2
import numpy as np

from foreign import ForeignDrawing
from haikei.reading import Kind, Reading, read_layout
from haikei.reading.classes import depths, facings


def true_reading(drawing: ForeignDrawing) -> Reading:
    """Return the regions that a reader finds, each with the kind that most of it truly is."""
    reading = read_layout(drawing.pixels, "", lambda: None)
    height, width = reading.shape
    truth = cv2.resize(
        drawing.kinds.astype(np.int16), (width, height), interpolation=cv2.INTER_NEAREST
    )
    count = len(reading.kinds)
    # What lies under ink belongs to no side: the line's own pixels decide nothing.
    line = cv2.resize(reading.line, (width, height), interpolation=cv2.INTER_AREA) < 0.2
    pairs = reading.labels[line].astype(np.int64) * len(Kind) + truth[line]
    votes = np.bincount(pairs, minlength=count * len(Kind)).reshape(count, len(Kind))
    # Outside a sheet's frame nothing is true; a region of the picture may reach out there.
    votes[:, Kind.UNKNOWN] = np.minimum(votes[:, Kind.UNKNOWN], 1)
    kinds = votes.argmax(axis=1).astype(np.int32)
    return replace(
        reading,
        kinds=kinds,
        sure=np.where(votes.any(axis=1), 1.0, 0.0),
        depth=depths(reading.shapes, kinds),
        facing=facings(kinds),
        reader="the truth",
    )
