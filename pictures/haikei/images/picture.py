"""Pixels in memory, with what they mean: their size, and whether anything is drawn on them."""

import hashlib
from dataclasses import dataclass
from typing import Self

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

SRGB = "srgb"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picture:
    """
    An image as every generator takes and gives it.

    `pixels` is (height, width, 3), float32, sRGB-encoded (display-referred), 0 to 1, read-only.
    """

    pixels: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.float32:
            message = f"a picture is (height, width, 3) float32, not {self.pixels.shape}"
            raise ValueError(message)
        self.pixels.setflags(write=False)

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    def sha256(self) -> str:
        """
        Return the hash of the pixels as 16-bit values, with the size in front.

        Sixteen bits are what a stage is stored with, so the hash survives writing and reading.
        """
        digest = hashlib.sha256(f"{self.width}x{self.height}:rgb16\n".encode())
        digest.update(np.ascontiguousarray(self.as_uint16().astype("<u2")).tobytes())
        return digest.hexdigest()

    def as_uint16(self) -> NDArray[np.uint16]:
        """Return the pixels rounded to 16 bits."""
        rounded: NDArray[np.uint16] = np.rint(np.clip(self.pixels, 0.0, 1.0) * 65535.0).astype(
            np.uint16
        )
        return rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A picture, and what should be known of how its file was read."""

    picture: Picture
    note: str  #: empty when there is nothing to know


@dataclass(frozen=True, slots=True, kw_only=True)
class Padding:
    """Pixels repeated at the right and the bottom edge so that both sides divide evenly."""

    width: int  #: of the picture without padding
    height: int
    right: int
    bottom: int

    @classmethod
    def to_multiple(cls, picture: Picture, multiple: int) -> Self:
        """Return the padding that makes both sides multiples of `multiple` pixels."""
        return cls(
            width=picture.width,
            height=picture.height,
            right=-picture.width % multiple,
            bottom=-picture.height % multiple,
        )

    def pad(self, picture: Picture) -> Picture:
        """Return the picture with its edge pixels repeated."""
        if not (self.right or self.bottom):
            return picture
        widths = ((0, self.bottom), (0, self.right), (0, 0))
        return Picture(pixels=np.pad(picture.pixels, widths, mode="edge"))

    def crop(self, picture: Picture) -> Picture:
        """Return the picture without what `pad` added."""
        if (picture.width, picture.height) == (self.width, self.height):
            return picture
        pixels = picture.pixels[: self.height, : self.width]
        return Picture(pixels=np.ascontiguousarray(pixels))


def resize(picture: Picture, width: int, height: int) -> Picture:
    """
    Return the picture at width x height pixels, filtered with Lanczos 3 in sRGB-encoded values.

    Encoded values keep drawn lines as dark as they look; the filter's overshoot is clipped.
    """
    if width < 1 or height < 1:
        message = f"a picture cannot be {width} x {height} pixels"
        raise ValueError(message)
    if (width, height) == (picture.width, picture.height):
        return picture
    source = oiio.ImageBuf(np.ascontiguousarray(picture.pixels))
    made = oiio.ImageBufAlgo.resize(
        source, filtername="lanczos3", roi=oiio.ROI(0, width, 0, height, 0, 1, 0, 3), nthreads=1
    )
    pixels = made.get_pixels("float")
    if pixels is None:
        message = f"resizing to {width} x {height} failed: {made.geterror()}"
        raise MemoryError(message)
    return Picture(pixels=np.clip(pixels, 0.0, 1.0).astype(np.float32, copy=False))


def shrink(picture: Picture, width: int, height: int) -> Picture:
    """
    Return a small form of the picture to look at, of the mean of what each pixel covers.

    From twice the size on it looks as `resize` has it in a fraction of the time; nearer
    than that, `resize` keeps drawn lines sharper and is taken.
    """
    if picture.width < 2 * width or picture.height < 2 * height:
        return resize(picture, width, height)
    import cv2

    pixels = cv2.resize(picture.pixels, (width, height), interpolation=cv2.INTER_AREA)
    return Picture(pixels=np.clip(pixels, 0.0, 1.0).astype(np.float32, copy=False))


def fit_within(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return the size, in pixels, that fits into a square of `longest`, never larger."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


#: The longer side, in pixels, at which a sheet is looked at: pencil lines stay lines.
_SIDE = 2048
#: A picture with a shorter side below this, in pixels, has no room for grain and dust.
_SMALL = 64
#: Paper is what a wide median of the sheet shows, as a fraction of the longer side.
_PAPER = 0.02
#: A mark differs from its paper by more than the sheet's own grain, and by so much of 255 at least.
#: No paper is coarser than the most: what is drawn all over a sheet is no grain.
_GRAINS, _LEAST, _MOST = 6.0, 2.5, 16.0
#: Fractions of the longer side: a stroke is longer, and a scanner's shade lies within the edge.
_STROKE, _EDGE = 0.025, 0.015
#: Fraction of the sheet that marks shorter than strokes cover where they are a drawing after all.
_COVERED = 0.01


def is_blank(picture: Picture) -> bool:
    """
    Tell whether a sheet bears no drawing: nothing but paper of any tint, its grain, and dust.

    Each channel is compared with its own paper, so that coloured pencil counts as ink does. Faint
    lines count: what decides is length, not darkness.
    """
    import cv2

    sheet = _reduced(picture)
    if min(sheet.shape[:2]) < _SMALL:
        return bool(np.ptp(sheet.reshape(-1, 3).astype(np.float32), axis=0).max() <= _LEAST)
    edge = round(_EDGE * max(sheet.shape))
    sheet = np.ascontiguousarray(sheet[edge : sheet.shape[0] - edge, edge : sheet.shape[1] - edge])
    height, width = sheet.shape[:2]
    longest = max(height, width)
    marks = np.zeros((height, width), np.uint8)
    for index in range(sheet.shape[2]):
        marks |= _marks(np.ascontiguousarray(sheet[..., index]), longest)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
    lengths = boxes[1:count, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    if bool((lengths >= _STROKE * longest).any()):
        return False
    covered = int(boxes[1:count, cv2.CC_STAT_AREA].sum())
    return bool(covered < _COVERED * height * width)


def _reduced(picture: Picture) -> NDArray[np.uint8]:
    import cv2

    scale = _SIDE / max(picture.width, picture.height)
    pixels = picture.pixels
    if scale < 1.0:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    rounded: NDArray[np.uint8] = np.rint(pixels * 255.0).astype(np.uint8)
    return rounded


def _marks(channel: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Return 1 where a channel differs from its paper."""
    import cv2

    # Smoothed, grain sinks and lines stay: a line's neighbours are line.
    smooth = cv2.GaussianBlur(channel.astype(np.float32), (0, 0), 1.2)
    reach = max(3, round(_PAPER * longest / 4) * 2 + 1)
    small = cv2.resize(channel, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    # Continued beyond its borders as it falls off towards them: shade makes no mark there.
    wide = [(min(reach, side - 1),) * 2 for side in small.shape]
    beyond = np.pad(small.astype(np.float32), wide, mode="reflect", reflect_type="odd")
    paper = cv2.medianBlur(np.clip(beyond, 0, 255).astype(np.uint8), min(reach, 255))
    paper = cv2.GaussianBlur(paper.astype(np.float32), (0, 0), reach / 3)
    paper = paper[
        wide[0][0] : wide[0][0] + small.shape[0], wide[1][0] : wide[1][0] + small.shape[1]
    ]
    paper = cv2.resize(paper, (channel.shape[1], channel.shape[0]), interpolation=cv2.INTER_LINEAR)
    gap = np.abs(smooth - paper)
    grain = float(np.median(gap)) / 0.6745
    found: NDArray[np.uint8] = (gap > min(max(_GRAINS * grain, _LEAST), _MOST)).astype(np.uint8)
    return found
