"""
What programs do to a picture that is only saved anew, so that it is not taken for painting.

Strong compression, a palette, a mirrored copy and another frame change most pixels, and nobody
painted any of them. What an earlier picture looks like after such a saving is made from it here;
only what differs from that was done by a hand.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture, resize

_Bytes = NDArray[np.uint8]

#: Side of the middle in which ways of saving are compared.
_MIDDLE = 640
#: A way of saving explains a difference when it leaves no more than this part of it.
_LEFT = 0.5
_QUALITIES = range(5, 100, 5)
_SAMPLINGS = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
_COLOURS = 256
#: From how far dithered pixels are one colour, and how many of 255 levels off that may be in a
#: whole palette.
_AFAR, _DITHER = 2.0, 8.0
#: How much of each side may be cut off or put around.
_FRAME = 0.3
#: Longer side at which a frame is looked for, and how alike the pictures must be there.
_COARSE, _ALIKE = 480, 0.6


def as_resaved(before: Picture, after: Picture) -> tuple[Picture, str]:
    """
    Return an earlier picture as a program would have saved it, and in which way.

    Args:
        before: the earlier picture.
        after: what was saved, and perhaps painted over.

    Returns:
        the earlier picture itself and an empty text where no way of saving explains more of what
        differs than half.
    """
    saved = _codes(after)
    base, ways = _as_large(before, after)
    least = _distance(_codes(base), saved)
    for name, turned in _turned(before):
        made, more = _as_large(turned, after)
        if _distance(_codes(made), saved) < _LEFT * least:
            base, ways = made, [name, *more]
            break
    named, made = _best_compressed(base, saved)
    if named:
        base, ways = made, [*ways, named]
    return (base, " and ".join(ways)) if ways else (before, "")


def _as_large(before: Picture, after: Picture) -> tuple[Picture, list[str]]:
    framed, way = _framed(before, after)
    if (framed.width, framed.height) != (after.width, after.height):
        framed = resize(framed, after.width, after.height)
    return framed, [way] if way else []


def _turned(picture: Picture) -> Iterator[tuple[str, Picture]]:
    for name, turned in (
        ("mirrored", picture.pixels[:, ::-1]),
        ("turned upside down", picture.pixels[::-1, ::-1]),
        ("mirrored upside down", picture.pixels[::-1]),
    ):
        yield name, Picture(pixels=np.ascontiguousarray(turned))


def _best_compressed(before: Picture, after: _Bytes) -> tuple[str, Picture]:
    """Return before as the palette or the JPEG quality leaves it that comes nearest to after."""
    codes = _codes(before)
    first, second = _middle(codes), _middle(after)
    least = _LEFT * _distance(first, second)
    colours = _colours(after)
    if len(colours) <= _COLOURS < len(_colours(codes)):
        made = _in_palette(first, second, colours)
        if _distance(made, second) < least:
            return f"in {len(colours)} colours", _picture(_in_palette(codes, after, colours))
    best: tuple[int, int] | None = None
    for quality in _QUALITIES:
        for sampling in _SAMPLINGS:
            left = _distance(_as_jpeg(first, quality, sampling), second)
            if left < least:
                least, best = left, (quality, sampling)
    if best is None:
        return "", before
    return f"as JPEG of about quality {best[0]}", _picture(_as_jpeg(codes, *best))


def _framed(before: Picture, after: Picture) -> tuple[Picture, str]:
    """Return before in the frame of after, where one is cut out of the other as it stands."""
    if (before.width, before.height) == (after.width, after.height):
        return before, ""
    wide, high = after.width - before.width, after.height - before.height
    if wide * high < 0 or abs(wide) > _FRAME * before.width or abs(high) > _FRAME * before.height:
        return before, ""
    larger, smaller = (after, before) if wide + high > 0 else (before, after)
    x, y, alike = _place(_grey(larger), _grey(smaller))
    if alike < _ALIKE:
        return before, ""
    down, across = slice(y, y + smaller.height), slice(x, x + smaller.width)
    if larger is before:
        cut = np.ascontiguousarray(before.pixels[down, across])
        return Picture(pixels=cut), "cropped"
    # Of what was put around nobody can say that it was painted.
    pixels = after.pixels.copy()
    pixels[down, across] = before.pixels
    return Picture(pixels=pixels), "with a border"


def _place(larger: _Bytes, smaller: _Bytes) -> tuple[int, int, float]:
    """Return where a picture lies in a larger one, and how alike they are there."""
    scale = min(1.0, _COARSE / max(larger.shape))
    big, small = (
        cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for one in (larger, smaller)
    )
    # A row or column less, where both sizes were rounded up on their own.
    small = small[: big.shape[0], : big.shape[1]]
    found = cv2.matchTemplate(big, small, cv2.TM_CCOEFF_NORMED)
    _, alike, _, (left, top) = cv2.minMaxLoc(found)
    around = int(np.ceil(2 / scale))
    high, wide = (one - other for one, other in zip(larger.shape, smaller.shape, strict=True))
    # The middle is enough to find the pixel, once it is known about where.
    down, across = smaller.shape[0] // 4, smaller.shape[1] // 4
    middle = smaller[down : 3 * down + 1, across : 3 * across + 1]
    y0, y1 = max(0, round(top / scale) - around), min(high, round(top / scale) + around)
    x0, x1 = max(0, round(left / scale) - around), min(wide, round(left / scale) + around)
    window = larger[
        y0 + down : y1 + down + middle.shape[0], x0 + across : x1 + across + middle.shape[1]
    ]
    fine = cv2.matchTemplate(window, middle, cv2.TM_CCOEFF_NORMED)
    _, _, _, (left, top) = cv2.minMaxLoc(fine)
    return x0 + left, y0 + top, float(alike)


def _codes(picture: Picture) -> _Bytes:
    return np.rint(np.clip(picture.pixels, 0, 1) * 255).astype(np.uint8)


def _picture(codes: _Bytes) -> Picture:
    return Picture(pixels=codes.astype(np.float32) / np.float32(255))


def _grey(picture: Picture) -> _Bytes:
    return np.asarray(cv2.cvtColor(_codes(picture), cv2.COLOR_RGB2GRAY), np.uint8)


def _middle(codes: _Bytes) -> _Bytes:
    # Blocks of a compressed picture begin at its corner.
    top = max(0, codes.shape[0] - _MIDDLE) // 2 // 16 * 16
    left = max(0, codes.shape[1] - _MIDDLE) // 2 // 16 * 16
    return np.ascontiguousarray(codes[top : top + _MIDDLE, left : left + _MIDDLE])


def _distance(first: _Bytes, second: _Bytes) -> float:
    """Return how far apart most of two pictures is: what was painted is the lesser part."""
    apart = np.abs(first.astype(np.int16) - second.astype(np.int16)).mean(axis=2)
    return float(np.minimum(apart, 32).mean())


def _as_jpeg(codes: _Bytes, quality: int, sampling: int) -> _Bytes:
    asked = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    _, made = cv2.imencode(".jpg", cv2.cvtColor(codes, cv2.COLOR_RGB2BGR), asked)
    decoded = cv2.imdecode(made, cv2.IMREAD_COLOR)
    if decoded is None:
        raise AssertionError("unreachable: it was encoded just now")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _colours(codes: _Bytes) -> _Bytes:
    """Return the colours of a picture, each once: (colours, 3)."""
    # As one number a pixel: rows of three take many times as long to sort.
    parts = codes.reshape(-1, 3).astype(np.uint32)
    found = np.unique(parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2])
    return np.stack([found >> 16, found >> 8 & 255, found & 255], axis=1).astype(np.uint8)


def _in_palette(before: _Bytes, after: _Bytes, colours: _Bytes) -> _Bytes:
    """
    Return before in the few colours that after has, dithered as after is.

    Programs spread what a palette lacks over the pixels around, each in its own pattern. Where
    both are the same from a little further away, the pattern is after's; elsewhere each pixel has
    the nearest colour, and is compared as it is.
    """
    nearest = _in_colours(before, colours)
    seen = _from_afar(after)
    apart = np.minimum(
        np.abs(seen - _from_afar(before)).max(axis=2),
        np.abs(seen - _from_afar(nearest)).max(axis=2),
    )
    # The fewer colours there are, the further off they leave what lies between them.
    most = _DITHER * np.sqrt(_COLOURS / max(64, len(colours)))
    return np.where(apart[..., None] <= most, after, nearest)


def _from_afar(codes: _Bytes) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(codes.astype(np.float32), (0, 0), _AFAR), np.float32)


def _in_colours(codes: _Bytes, colours: _Bytes) -> _Bytes:
    """Return a picture in which each pixel has the nearest of some colours."""
    rows = np.empty_like(codes)
    table = colours.astype(np.float32)
    square = (table * table).sum(axis=1)
    for number, row in enumerate(codes.astype(np.float32)):
        rows[number] = colours[np.argmin(square - 2 * row @ table.T, axis=1)]
    return rows
