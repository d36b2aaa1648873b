"""What people do in the demonstration: look at versions in review, and paint over some of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine

from haikei.credits import BackgroundVersion, credit_line, records
from haikei.database import reading
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs.job import Job, JobState
from haikei.settings import Settings
from haikei.trackers import Part, SeenVersion, load_tracker, needed

Pixels = NDArray[np.float32]  #: (height, width, 3), sRGB-encoded, 0 to 1
Point = tuple[float, float]  #: x and y in pixels; the origin is top left
Colour = tuple[float, float, float]
#: Fractional bits of the coordinates that OpenCV draws at.
_BITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Something that is filled with paint."""

    outline: NDArray[np.float64]  #: (n, 2), x and y of its corners
    soft: float = 0.0  #: standard deviation, in pixels, by which its edge is blurred

    def paint(self, pixels: Pixels, colour: Colour, opacity: float) -> None:
        """Blend the colour over the pixels inside, in place."""
        height, width = pixels.shape[:2]
        margin = 3.0 * self.soft + 2.0
        left, top = np.floor(self.outline.min(axis=0) - margin).astype(int)
        right, bottom = np.ceil(self.outline.max(axis=0) + margin).astype(int)
        left, top = max(int(left), 0), max(int(top), 0)
        right, bottom = min(int(right), width), min(int(bottom), height)
        if left >= right or top >= bottom:
            return
        mask = np.zeros((bottom - top, right - left), np.uint8)
        corners = np.rint((self.outline - (left, top)) * 2**_BITS).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, _BITS)
        cover = np.asarray(mask, np.float32) / np.float32(255)
        if self.soft:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), self.soft), np.float32)
        part = pixels[top:bottom, left:right]
        part += (np.array(colour, np.float32) - part) * (cover * np.float32(opacity))[..., None]


def disc(centre: Point, radius: float, *, soft: float = 0.0) -> Shape:
    """Return a round shape."""
    turn = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    outline = np.stack((np.cos(turn), np.sin(turn)), axis=1) * radius + np.array(centre)
    return Shape(outline=outline, soft=soft)


def blade(foot: Point, bend: Point, tip: Point, *, thickness: float) -> Shape:
    """Return a stroke along a quadratic curve that runs out thin."""
    at = np.linspace(0.0, 1.0, 12)[:, None]
    first, middle, last = (np.array(point, np.float64) for point in (foot, bend, tip))
    line = (1 - at) ** 2 * first + 2 * at * (1 - at) * middle + at**2 * last
    along = np.gradient(line, axis=0)
    across = np.stack((-along[:, 1], along[:, 0]), axis=1)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    half = thickness * 0.5 * (1 - at) ** 0.7 + 0.3
    return Shape(outline=np.concatenate((line + across * half, (line - across * half)[::-1])))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """One background in review."""

    layout: str
    code: str  #: the Version's name
    status: str
    credit_en: str
    credit_ja: str
    url: str
    lineage: tuple[Path, ...]  #: the pictures in the order they were made, the result last
    seconds: float  #: from the layout's landing to the Version in review


def in_review(settings: Settings, database: Engine, jobs: Sequence[Job]) -> tuple[ReviewRow, ...]:
    """Return those jobs' backgrounds that the tracker has in review, in order of cut."""
    done = {job.key: job for job in jobs if job.state is JobState.DONE}
    with reading(database) as connection:
        found = [records.background(connection, key) for key in done]
    versions = {one.tracker_id: one for one in found if one and one.tracker_id is not None}
    if not versions:
        return ()
    tracker = load_tracker(settings)
    desk = needed(tracker.parts.review, tracker, Part.REVIEW)
    rows = [
        _row(settings, done[seen.key], versions[seen.version.id], seen)
        for seen in desk.look([*versions])
        if seen.status == settings.tracker.review_status and seen.version.id in versions
    ]
    tracker.close()
    return tuple(sorted(rows, key=lambda row: row.layout))


def _row(settings: Settings, job: Job, version: BackgroundVersion, seen: SeenVersion) -> ReviewRow:
    root = settings.storage.roots[0].path
    made = tuple(root / image.path for image in version.images[1:])
    line = credit_line(version.images)
    end = job.finished_at or job.updated_at
    return ReviewRow(
        layout=job.layout,
        code=version.code,
        status=seen.status,
        credit_en=line.en,
        credit_ja=line.ja,
        url=job.version_url,
        lineage=made,
        seconds=(end - job.created_at).total_seconds(),
    )
