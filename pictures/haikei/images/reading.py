"""
Decode a layout as it should look: composed, upright, on white paper, in sRGB.

What a Targa file says of its alpha is read from its bytes, since its pixels do not show it.
Source: Truevision TGA File Format Specification 2.0, fields 5.6 (image descriptor), 8 (footer)
and 24 (attributes type of the extension area).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable
from haikei.formats import EXR, PNG, TGA, TIFF
from haikei.images import photoshop
from haikei.images.colour import (
    AS_IT_IS,
    SRGB_SPACE,
    Look,
    displayed,
    exposed,
    linear_space_of,
    png_profile,
    to_linear,
)
from haikei.images.icc import IccProfile, MatrixProfile, icc_profile
from haikei.images.imagefile import OpenImage, open_image, read_pixels
from haikei.images.limits import DEFAULT_LIMITS, Limits
from haikei.images.picture import Decoded, Picture

_HEADER = struct.Struct("<BBB HHB HHHH BB")
_FOOTER = struct.Struct("<II18s")
_SIGNATURE = b"TRUEVISION-XFILE.\0"
_ATTRIBUTES = 494  #: from the start of the extension area
_USEFUL, _PREMULTIPLIED = 3, 4
_PALETTES = frozenset({1, 9})
_GREYS = frozenset({3, 11})


@dataclass(frozen=True, slots=True, kw_only=True)
class TargaAlpha:
    """What the last channel of a Targa file is."""

    exists: bool  #: whether it is transparency at all
    premultiplied: bool
    grey: bool  #: whether the picture is grey


def targa_alpha(path: Path) -> TargaAlpha:
    """
    Return what the last channel of a file is.

    Raises:
        ImageUnreadable: its transparency is stored in a way that is not read.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return TargaAlpha(exists=False, premultiplied=False, grey=False)
        _, _, kind, _, _, entry_bits, _, _, _, _, bits, descriptor = _HEADER.unpack(head)
        attributes = _attributes(path, file.seek(0, 2))
    alpha_bits = descriptor & 0x0F
    exists = alpha_bits > 0 and attributes not in {0, 1, 2}
    if exists and ((kind in _PALETTES and entry_bits == 32) or (bits == 16 and kind not in _GREYS)):
        raise ImageUnreadable(
            f"{path.name} has transparency in a palette or in 16 bits, which is not read.",
            advice="Save it as a Targa file of 32 bits, or as PNG.",
        )
    return TargaAlpha(
        exists=exists, premultiplied=attributes == _PREMULTIPLIED, grey=kind in _GREYS
    )


def _attributes(path: Path, size: int) -> int | None:
    """Return the attributes type, None for a file without an extension area."""
    if size < _FOOTER.size:
        return None
    with path.open("rb") as file:
        file.seek(size - _FOOTER.size)
        extension, _, signature = _FOOTER.unpack(file.read(_FOOTER.size))
        if signature != _SIGNATURE or not 0 < extension <= size - _ATTRIBUTES - 1:
            return None
        file.seek(extension + _ATTRIBUTES)
        return file.read(1)[0]


#: Rows are converted in bands of so many pixels: what lies between samples and result stays small.
_BAND = 1 << 20
_MINISWHITE = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Samples:
    """What a file stores, and what its channels mean."""

    stored: NDArray[Any]  #: (height, width, channels), of the type that the file has
    colours: tuple[int, ...]  #: one channel, or three
    alpha: int | None
    premultiplied: bool

    def colour(self, rows: slice) -> NDArray[Any]:
        return self.stored[rows][..., list(self.colours)]

    def cover(self, rows: slice) -> NDArray[np.float32] | None:
        if self.alpha is None:
            return None
        return np.clip(_numbers(self.stored[rows][..., [self.alpha]]), 0.0, 1.0)


def decode_picture(
    path: Path, *, limits: Limits = DEFAULT_LIMITS, look: Look = AS_IT_IS
) -> Decoded:
    """
    Decode an image file as (height, width, 3) float32, sRGB-encoded, 0 to 1, in this process.

    Colours are converted by the file's own profile, or by what a PNG says without one. Transparency
    shows white paper: composed in sRGB where the file is encoded, as paint programs do, and in
    linear light where it is linear. OpenEXR fills its display window. Photoshop files give their
    merged picture. Grey becomes RGB, further channels are left out. Orientation marks (EXIF) are
    applied. Values above 1 in linear files are clipped, unless `look` has a view that shows them.

    Args:
        path: a file of one of the formats that are read (`haikei.formats`).
        limits: what it may take, looked at before anything is decoded.
        look: how it is to be seen; generators get pictures as they are.

    Raises:
        ImageUnreadable: it is no such image, is damaged or truncated, is larger than allowed, or
            its colours are not known.
    """
    try:
        with open_image(path, limits=limits) as image:
            samples = _samples(image)
            convert = _conversion(image, samples, look)
            spec, note = image.spec, image.note
            window = _window(spec) if image.format is EXR else None
        pixels = np.empty((spec.height, spec.width, 3), np.float32)
        step = max(1, _BAND // spec.width)
        for start in range(0, spec.height, step):
            rows = slice(start, start + step)
            pixels[rows] = np.clip(convert(samples.colour(rows), samples.cover(rows)), 0.0, 1.0)
    except OSError as error:
        raise ImageUnreadable(
            f"{path.name} cannot be opened: {error.strerror or error}.",
            advice="See whether it is there, and whether it may be read.",
        ) from error
    del samples
    if window is not None:
        pixels = _on_canvas(pixels, window)
    upright = _upright(pixels, spec.get_int_attribute("Orientation", 1))
    return Decoded(picture=Picture(pixels=np.ascontiguousarray(upright)), note=note)


_Convert = Callable[[NDArray[Any], NDArray[np.float32] | None], NDArray[np.float32]]


def _conversion(image: OpenImage, samples: _Samples, look: Look) -> _Convert:
    """Return what makes sRGB on white paper of stored colours and their cover."""
    profile, tagged = _profile(image)
    name = image.path.name
    linear = _is_linear(image) and not tagged
    space = linear_space_of(image.spec, name=name) if linear else SRGB_SPACE
    if profile is None and space != SRGB_SPACE:

        def in_light(
            colour: NDArray[Any], cover: NDArray[np.float32] | None
        ) -> NDArray[np.float32]:
            # Premultiplied in linear light, so paper is laid under it there.
            linear = to_linear(_finite(_three(_numbers(colour))), space=space, name=name)
            shown = _over_white(linear, cover, premultiplied=samples.premultiplied)
            return displayed(shown, look, name=name)

        return in_light

    def encoded(colour: NDArray[Any], cover: NDArray[np.float32] | None) -> NDArray[np.float32]:
        if profile is None:
            plain = _three(_finite(_numbers(colour)))
            shown = _over_white(plain, cover, premultiplied=samples.premultiplied)
            return exposed(shown, look)
        if samples.premultiplied and cover is not None:
            safe = np.where(cover > 0, cover, np.float32(1.0))
            colour = _finite(_numbers(colour)) / safe
        shown = _over_white(_through(profile, colour), cover, premultiplied=False)
        return exposed(shown, look)

    return encoded


def _through(profile: IccProfile | MatrixProfile, colour: NDArray[Any]) -> NDArray[np.float32]:
    if isinstance(profile, IccProfile) and colour.dtype == np.uint8:
        return profile.to_srgb(colour)
    numbers = _finite(_numbers(colour))
    if isinstance(profile, MatrixProfile):
        return profile.to_srgb(_three(numbers))
    return profile.to_srgb(numbers)


def _profile(image: OpenImage) -> tuple[IccProfile | MatrixProfile | None, bool]:
    """Return the profile, None where it is sRGB's or there is none, and whether there is one."""
    if image.format is PNG:
        return png_profile(image.path), False
    data = image.spec.getattribute("ICCProfile")
    if data is None or image.format is EXR:
        return None, False
    return icc_profile(bytes(np.asarray(data, dtype=np.uint8)), image.path.name), True


def _is_linear(image: OpenImage) -> bool:
    # As OpenEXR defines it, and as programs that write floating-point numbers mean it.
    return image.format is EXR or str(image.spec.format) in {"half", "float", "double"}


def _samples(image: OpenImage) -> _Samples:
    if image.photoshop is not None:
        return _photoshop_samples(image, image.photoshop)
    spec = image.spec
    stored = read_pixels(image, "unknown")
    premultiplied = not spec.get_int_attribute("oiio:UnassociatedAlpha")
    alpha = spec.alpha_channel if spec.alpha_channel >= 0 else None
    if image.format is TGA:
        targa = targa_alpha(image.path)
        if targa.grey:
            alpha = 1 if targa.exists and spec.nchannels == 2 else None
            return _Samples(
                stored=stored, colours=(0,), alpha=alpha, premultiplied=targa.premultiplied
            )
        # Programs that know no transparency leave the fourth channel empty.
        if alpha is not None and not (targa.exists and stored[..., alpha].any()):
            alpha = None
        premultiplied = targa.premultiplied
    photometric = spec.get_int_attribute("tiff:PhotometricInterpretation", -1)
    if image.format is TIFF and photometric == _MINISWHITE and stored.dtype != np.uint8:
        # The library turns eight bits over, and no others; alpha is no colour.
        whole = stored.dtype.type(1 if stored.dtype.kind == "f" else np.iinfo(stored.dtype).max)
        stored[..., 0] = whole - stored[..., 0]
    return _Samples(
        stored=stored,
        colours=_colours(image, alpha),
        alpha=alpha,
        premultiplied=premultiplied,
    )


def _photoshop_samples(image: OpenImage, document: photoshop.PhotoshopFile) -> _Samples:
    alpha = None
    if document.transparency:
        stored: NDArray[Any] = photoshop.straight(image.path, document)
        alpha = stored.shape[2] - 1
        used, colours = tuple(range(alpha + 1)), tuple(range(alpha))
    else:
        stored = read_pixels(image, "unknown")
        used = colours = (0, 1, 2) if stored.shape[2] >= 3 else (0,)
    if all((stored[..., one] == stored[0, 0, one]).all() for one in used):
        photoshop.require_drawn_layers_merged(image.path, document)
    return _Samples(stored=stored, colours=colours, alpha=alpha, premultiplied=False)


def _colours(image: OpenImage, alpha: int | None) -> tuple[int, ...]:
    spec = image.spec
    names = [str(name).lower() for name in spec.channelnames]
    if {"ry", "by"} & set(names):
        raise ImageUnreadable(
            f"{image.path.name} stores luminance and chroma, which is not read.",
            advice="Save it as RGB.",
        )
    photometric = spec.get_int_attribute("tiff:PhotometricInterpretation", -1)
    if image.format is TIFF and photometric in {0, 1}:
        return (0,)
    for wanted in (("r", "g", "b"), ("red", "green", "blue")):
        if all(name in names for name in wanted):
            return tuple(names.index(name) for name in wanted)
    colours = [i for i in range(spec.nchannels) if i not in {alpha, spec.z_channel}]
    if not colours:
        raise ImageUnreadable(
            f"{image.path.name} holds no colour, only {', '.join(spec.channelnames)}.",
            advice="Publish the composed picture.",
        )
    return tuple(colours[:3]) if len(colours) >= 3 else (colours[0],)


def _numbers(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Return samples as numbers, integers from 0 to 1."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32, copy=False)
    most = np.iinfo(samples.dtype).max
    return (samples / np.float32(most)).astype(np.float32, copy=False)


def _three(colour: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.repeat(colour, 3, axis=-1) if colour.shape[-1] == 1 else colour


def _finite(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    if np.isfinite(pixels).all():
        return pixels
    return np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0)


def _over_white(
    colour: NDArray[np.float32], cover: NDArray[np.float32] | None, *, premultiplied: bool
) -> NDArray[np.float32]:
    if cover is None:
        return colour
    cover = _finite(cover)
    paint = colour if premultiplied else colour * cover
    flattened: NDArray[np.float32] = (paint + (np.float32(1.0) - cover)).astype(np.float32)
    return flattened


def _window(spec: oiio.ImageSpec) -> tuple[int, int, int, int] | None:
    data = (spec.x, spec.y, spec.width, spec.height)
    display = (spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    if data == display:
        return None
    return (spec.x - spec.full_x, spec.y - spec.full_y, spec.full_width, spec.full_height)


def _on_canvas(
    pixels: NDArray[np.float32], window: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    left, top, width, height = window
    canvas = np.ones((height, width, 3), dtype=np.float32)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + pixels.shape[1], width), min(top + pixels.shape[0], height)
    if x0 < x1 and y0 < y1:
        canvas[y0:y1, x0:x1] = pixels[y0 - top : y1 - top, x0 - left : x1 - left]
    return canvas


def _upright(pixels: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    # Source: EXIF 2.32, tag 0x0112: where row 0 and column 0 of the stored pixels belong.
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return pixels
