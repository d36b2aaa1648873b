"""The parent of a touch-up: the version, its file and marks, and how alike pictures are."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from haikei.credits import BackgroundVersion, ImageKind, Relation, records
from haikei.database import jobs, reading
from haikei.errors import CreditError, ImageUnreadable, StorageUnavailable, TouchUpRefused
from haikei.files import sha256_of
from haikei.images import Picture, read_picture, resize
from haikei.jobs.chain import require_whole
from haikei.jobs.table import order_of
from haikei.jobs.tools import Tools
from haikei.measure import MeasuredChange, ciede2000, lab_of, measure_change
from haikei.provenance import FileMarks, read_marks
from haikei.show import Place, StoredFile

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The version that was painted over."""

    version: BackgroundVersion
    path: Path  #: of its file, which is the one that was recorded
    marks: FileMarks  #: they hold
    layout: StoredFile  #: as it is in the tracker
    episode: str = ""  #: as the path of its file says

    @property
    def place(self) -> Place:
        """Where in the show it belongs."""
        version = self.version
        return Place(
            project=version.project,
            episode=version.episode or self.episode,
            sequence=version.sequence,
            shot=version.shot,
        )

    @property
    def stream(self) -> str:
        """Versions are numbered within one shot and stream."""
        return f"{self.version.season}_{self.version.time}"


def parent_of(of: str, tools: Tools) -> Parent:
    """
    Return the version that was painted over, found by its code or its file's SHA-256.

    Raises:
        TouchUpRefused: there is no such version, or it is not the only one.
        MarksBroken: its file is not the one that was recorded, or its marks do not hold.
        StorageUnavailable: its file cannot be read.
    """
    with reading(tools.database) as connection:
        version = _version(connection, of)
        layout = _layout(connection, version, tools)
    path = tools.storage.published(PurePosixPath(version.final.path))
    try:
        found = sha256_of(path)
    except OSError as error:
        raise StorageUnavailable(
            f"{version.code} cannot be read from {path}: {error.strerror or error}.",
            advice="Mount the storage, or bring the file back from the backup.",
        ) from error
    marks = read_own(path, tools)
    require_whole(marks)
    if found != version.final.sha256:
        raise TouchUpRefused(
            f"{path} is not the file that was recorded as {version.code}: it was changed.",
            advice="Bring the published file back; nothing stands on a changed one.",
        )
    episode = tools.storage.episode_of(PurePosixPath(version.final.path))
    return Parent(version=version, path=path, marks=marks, layout=layout, episode=episode)


def read_own(path: Path, tools: Tools) -> FileMarks:
    """
    Return the marks of a file, checked against the trusted roots.

    Raises:
        MarksUnreadable: its structure is malformed.
    """
    signer = tools.marks()
    return read_marks(
        path, trust_pem=signer.trust_pem, timestamp_trust_pem=signer.timestamp_trust_pem
    )


def _version(connection: Connection, of: str) -> BackgroundVersion:
    if _SHA256.fullmatch(of):
        whole = records.backgrounds_with(connection, of)
        found = [version for version in whole if version.final.sha256 == of]
        if len(found) == 1:
            return found[0]
        if whole:
            codes = ", ".join(sorted({version.code for version in found or whole}))
            raise TouchUpRefused(
                f"The file {of[:12]}… is a step of {codes}, and not one version's picture alone.",
                advice="Say by its code which version was painted over.",
            )
    else:
        try:
            version = records.named(connection, of)
        except CreditError as error:
            raise TouchUpRefused(error.message, advice=error.advice) from error
        if version is not None:
            return version
    raise TouchUpRefused(
        f"No version of ours is {of!r}.",
        advice="Name the version by its code in the tracker, such as c001_bg_summer_day_v001.",
    )


def _layout(connection: Connection, version: BackgroundVersion, tools: Tools) -> StoredFile:
    """Return the artist's own layout, where its job is known; else what was recorded of it."""
    for image in version.images:
        if image.kind is not ImageKind.BACKGROUND:
            continue
        query = select(jobs.c.order_json).where(jobs.c.key == image.key.rpartition("/")[0])
        text = connection.execute(query).scalar()
        if text:
            order = order_of(text)
            return tools.storage.stored(order.layout, order.layout_sha256)
    first = version.images[0]
    return tools.storage.stored(tools.storage.published(PurePosixPath(first.path)), first.sha256)


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
    limits = tools.limits
    painted = _small(read_picture(file, limits=limits))
    for one in versions:
        path = tools.storage.published(PurePosixPath(one.final.path))
        try:
            own = _small(read_picture(path, limits=limits))
        except ImageUnreadable as error:
            log.warning("version_not_compared", version=one.code, error=str(error))
            continue
        yield measure_change(own, painted), one


def topmost(
    file: Path, first: BackgroundVersion, versions: Sequence[BackgroundVersion], tools: Tools
) -> BackgroundVersion | None:
    """
    Return which of these versions was painted over; None where it is not clear.

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
    limits = tools.limits
    painted = _small(read_picture(file, limits=limits))
    size = (painted.width, painted.height)

    def lab(version: BackgroundVersion) -> Lab:
        path = tools.storage.published(PurePosixPath(version.final.path))
        return lab_of(resize(_small(read_picture(path, limits=limits)), *size))

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
    compared_pixels = for_above + for_below
    if compared_pixels < max(_LEAST_SEEN * np.count_nonzero(paint), 1):
        return None
    share = for_above / compared_pixels
    return None if 1 - _SURE < share < _SURE else share >= _SURE


def _parent(version: BackgroundVersion) -> str:
    parents = [one for one in version.final.ingredients if one.relation is Relation.PARENT]
    return parents[0].sha256 if parents else ""


def _small(picture: Picture) -> Picture:
    scale = _SIDE / max(picture.width, picture.height)
    if scale >= 1:
        return picture
    return resize(picture, round(picture.width * scale), round(picture.height * scale))
