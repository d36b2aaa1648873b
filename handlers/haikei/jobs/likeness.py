"""How alike an artist's file and versions of ours are; small pictures are compared."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import structlog
from numpy.typing import NDArray

from haikei.credits import BackgroundVersion, Relation
from haikei.errors import ImageUnreadable
from haikei.images import Picture, read_picture, resize
from haikei.jobs.tools import Tools
from haikei.measure import MeasuredChange, measure_change
from haikei.measure.ciede2000 import ciede2000, lab_of

log = structlog.get_logger()

Lab = NDArray[np.float32]  #: (height, width, 3), CIELAB

#: Longer side, in pixels, of the pictures that are compared.
_SIDE = 640
#: CIEDE2000 from which on paint is visible, as the measure of touch-ups has it.
_VISIBLE = 4.0
#: Of the difference between two versions, how far a file may be from the one that it shows.
_NEAR = 0.35
#: Of the paint, how much must be seen, or seen to be absent; and how much of that must agree.
_LEAST_SEEN, _SURE = 0.1, 0.8


def compared(
    file: Path, versions: Sequence[BackgroundVersion], tools: Tools
) -> Iterator[tuple[MeasuredChange, BackgroundVersion]]:
    """
    Yield what changed from each version to a file; versions that cannot be read are left out.

    Raises:
        ImageUnreadable: the file is no picture, or damaged.
    """
    most = tools.settings.watch.max_mib
    painted = _small(read_picture(file, max_mib=most))
    for one in versions:
        path = tools.storage.published(PurePosixPath(one.final.path))
        try:
            own = _small(read_picture(path, max_mib=most))
        except ImageUnreadable as error:
            log.warning("version_not_compared", version=one.code, error=str(error))
            continue
        yield measure_change(own, painted), one


def topmost(
    file: Path, first: BackgroundVersion, versions: Sequence[BackgroundVersion], tools: Tools
) -> BackgroundVersion | None:
    """
    Return which of these versions was painted over; None where that cannot be told.

    It is the last one, going up from the first, whose own paint is still to be seen in the file.

    Args:
        file: the artist's.
        first: the version on which all the others stand.
        versions: those others.
        tools: the studio's.

    Raises:
        ImageUnreadable: the file or a version is no picture, or damaged.
    """
    known = {one.final.sha256 for one in (first, *versions)}
    if any(_parent(one) not in known for one in versions):
        return None
    most = tools.settings.watch.max_mib
    painted = _small(read_picture(file, max_mib=most))
    size = (painted.width, painted.height)

    def lab(version: BackgroundVersion) -> Lab:
        path = tools.storage.published(PurePosixPath(version.final.path))
        return lab_of(resize(_small(read_picture(path, max_mib=most)), *size))

    seen, reached = lab_of(painted), first
    while True:
        parent = lab(reached)
        above = [one for one in versions if _parent(one) == reached.final.sha256]
        shown = [(_shows(seen, lab(one), parent), one) for one in above]
        if any(sure is None for sure, _ in shown):
            return None
        higher = [one for sure, one in shown if sure]
        if len(higher) != 1:
            return None if higher else reached
        (reached,) = higher


def _shows(seen: Lab, above: Lab, below: Lab) -> bool | None:
    """Return whether paint that lies above is seen, or what is below it; None: neither is."""
    gap = ciede2000(above, below)
    paint = gap > _VISIBLE
    near = gap * np.float32(_NEAR)
    for_above = int(np.count_nonzero(paint & (ciede2000(seen, above) < near)))
    for_below = int(np.count_nonzero(paint & (ciede2000(seen, below) < near)))
    told = for_above + for_below
    if told < max(_LEAST_SEEN * np.count_nonzero(paint), 1):
        return None
    share = for_above / told
    return None if 1 - _SURE < share < _SURE else share >= _SURE


def _parent(version: BackgroundVersion) -> str:
    parents = [one for one in version.final.ingredients if one.relation is Relation.PARENT]
    return parents[0].sha256 if parents else ""


def _small(picture: Picture) -> Picture:
    scale = _SIDE / max(picture.width, picture.height)
    if scale >= 1:
        return picture
    return resize(picture, round(picture.width * scale), round(picture.height * scale))
