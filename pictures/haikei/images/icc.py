"""
Colours by a file's own ICC profile, never by a profile's name.

LittleCMS converts, relative colorimetric, without black point compensation: its default. Through
Pillow it takes 8 bits a channel; deeper samples are computed here where a profile is curves and
a matrix, and found between its steps where it is for grey. All agree within one step of 255.
Source: ICC.1:2022 (7.2 header, 9.2 tags, 10.6 curveType, 10.18 parametricCurveType, annex F.3).
"""

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from haikei.errors import ImageUnreadable

Curve = Callable[[NDArray[np.float32]], NDArray[np.float32]]

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
#: Of 255: a profile that moves no colour further is sRGB itself, stored by another program.
_SAME = 1
_LUT_TAGS = (b"A2B0", b"A2B1")
#: Bradford's cone responses, and the white that profiles connect through (ICC.1, annex E).
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50 = np.array([0.9642, 1.0, 0.8249])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MatrixProfile:
    """Colours that are curves and a matrix: a display's or a working space's."""

    curves: tuple[Curve, Curve, Curve]  #: from encoded samples to light, both 0 to 1
    matrix: NDArray[np.float64]  #: from light to linear Rec.709

    def to_linear(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (height, width, 3) linear Rec.709, unbounded, of encoded samples."""
        light = np.stack(
            [curve(pixels[..., index]) for index, curve in enumerate(self.curves)], axis=-1
        ).astype(np.float32, copy=False)
        linear: NDArray[np.float32] = light @ self.matrix.T.astype(np.float32)
        return linear

    def to_srgb(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (height, width, 3) sRGB, 0 to 1, of encoded samples."""
        return encode_srgb(np.clip(self.to_linear(pixels), 0.0, 1.0))


class IccProfile:
    """
    One ICC profile, as a file holds it.

    Args:
        data: the profile.
        name: of the file, for messages.

    Raises:
        ImageUnreadable: it cannot be read, or stands for something else than RGB and grey.
    """

    def __init__(self, data: bytes, *, name: str) -> None:
        self._name = name
        try:
            self._profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
            space = data[16:20].decode("ascii").strip()
        except (OSError, ValueError, TypeError, ImageCms.PyCMSError) as error:
            raise _unusable(name, "cannot be read") from error
        if space not in {"RGB", "GRAY"}:
            raise _unusable(name, f"is for {space}")
        self.is_grey = space == "GRAY"
        self._mode = "L" if self.is_grey else "RGB"
        try:
            self._transform = ImageCms.buildTransform(
                self._profile, _SRGB, self._mode, "RGB", _INTENT
            )
        except ImageCms.PyCMSError as error:
            raise _unusable(name, "cannot be used") from error
        self._matrix = _parse(data)

    @property
    def is_srgb(self) -> bool:
        """Whether it leaves sRGB as it is, up to the rounding of 8 bits."""
        steps = np.arange(0, 256, 17, dtype=np.uint8)
        if self.is_grey:
            ramp = np.arange(256, dtype=np.uint8)[None, :, None]
            grey = np.repeat(ramp, 3, axis=2).astype(np.int16)
            return bool(np.abs(self._eight_bits(ramp).astype(np.int16) - grey).max() <= _SAME)
        grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
        moved = self._eight_bits(np.ascontiguousarray(grid)).astype(np.int16) - grid
        return bool(np.abs(moved).max() <= _SAME)

    def to_srgb(self, pixels: NDArray[Any]) -> NDArray[np.float32]:
        """
        Return (height, width, 3) sRGB, 0 to 1.

        Args:
            pixels: (height, width, 1 or 3): integers as stored, or numbers from 0 to 1.

        Raises:
            ImageUnreadable: it is a profile for grey, and the picture has colours.
        """
        if self.is_grey and pixels.shape[-1] != 1:
            raise _unusable(self._name, "is for grey, and the picture has colours")
        if not self.is_grey and pixels.shape[-1] == 1:
            return self.to_srgb(np.broadcast_to(pixels, (*pixels.shape[:-1], 3)))
        if pixels.dtype == np.uint8:
            eight = pixels.astype(np.uint8, copy=False)
        else:
            clipped = np.clip(pixels, 0.0, 1.0).astype(np.float32, copy=False)
            if self.is_grey:
                return self._between_greys(clipped[..., 0])
            if self._matrix is not None:
                return self._matrix.to_srgb(clipped)
            eight = np.rint(clipped * 255.0).astype(np.uint8)
        return self._eight_bits(eight).astype(np.float32) / np.float32(255.0)

    def _between_greys(self, grey: NDArray[np.float32]) -> NDArray[np.float32]:
        steps = np.arange(256, dtype=np.uint8)[None, :, None]
        ramp = self._eight_bits(steps)[0].astype(np.float32) / np.float32(255.0)
        places = np.linspace(0.0, 1.0, 256)
        channels = [np.interp(grey, places, ramp[:, index]) for index in range(3)]
        return np.stack(channels, axis=-1).astype(np.float32)

    def _eight_bits(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        flat = np.ascontiguousarray(pixels[..., 0] if self.is_grey else pixels)
        source = Image.fromarray(flat)
        converted = ImageCms.applyTransform(source, self._transform)
        if converted is None:
            raise _unusable(self._name, "cannot be used")
        return np.asarray(converted)


def icc_profile(data: bytes, name: str) -> IccProfile | None:
    """
    Return the profile, None where it is sRGB itself.

    Raises:
        ImageUnreadable: it cannot be read, or stands for something else than RGB and grey.
    """
    profile = IccProfile(data, name=name)
    return None if profile.is_srgb else profile


def profile_of_primaries(primaries: Sequence[float], curve: Curve) -> MatrixProfile:
    """
    Return a profile made from what a file says of its primaries.

    Args:
        primaries: CIE x and y of red, green, blue and white.
        curve: from encoded samples to light.

    Raises:
        ValueError: no colours can be mixed of them.
    """
    columns = [_xyz(x, y) for x, y in zip(primaries[0:6:2], primaries[1:6:2], strict=True)]
    white = _xyz(primaries[6], primaries[7])
    mixing = np.stack(columns, axis=1)
    try:
        scaled = mixing * np.linalg.solve(mixing, white)
    except np.linalg.LinAlgError as error:
        message = "the primaries lie on a line"
        raise ValueError(message) from error
    matrix = _to_rec709(_adapted(white) @ scaled)
    return MatrixProfile(curves=(curve, curve, curve), matrix=matrix)


def gamma(exponent: float) -> Curve:
    """Return the curve that raises samples to a power; values below 0 keep their sign."""

    def curve(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        raised: NDArray[np.float32] = np.sign(samples) * np.abs(samples) ** np.float32(exponent)
        return raised

    return curve


def decode_srgb(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return light of sRGB samples; IEC 61966-2-1."""
    return _parametric(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)(samples)


def encode_srgb(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sRGB samples of light from 0 to 1; IEC 61966-2-1."""
    encoded = np.float32(1.055) * np.power(light, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.where(light <= 0.0031308, light * np.float32(12.92), encoded)


def decode_rec709(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return light of samples as ITU-R BT.709 encodes them."""
    return _parametric(1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)(samples)


def _parametric(
    g: float, a: float, b: float, c: float, d: float, e: float = 0.0, f: float = 0.0
) -> Curve:
    def curve(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        base = np.maximum(samples * np.float32(a) + np.float32(b), np.float32(0.0))
        high = np.power(base, np.float32(g)) + np.float32(e)
        low = samples * np.float32(c) + np.float32(f)
        return np.where(samples >= np.float32(d), high, low).astype(np.float32, copy=False)

    return curve


def _table(values: NDArray[np.float64]) -> Curve:
    places = np.linspace(0.0, 1.0, len(values))

    def curve(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.interp(samples, places, values).astype(np.float32)

    return curve


def _xyz(x: float, y: float) -> NDArray[np.float64]:
    if y <= 0:
        message = "a primary has no luminance"
        raise ValueError(message)
    return np.array([x / y, 1.0, (1.0 - x - y) / y])


def _adapted(white: NDArray[np.float64]) -> NDArray[np.float64]:
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted: NDArray[np.float64] = np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD
    return adapted


def _to_rec709(to_d50: NDArray[np.float64]) -> NDArray[np.float64]:
    matrix: NDArray[np.float64] = np.linalg.inv(_srgb_to_d50()) @ to_d50
    return matrix


@lru_cache(maxsize=1)
def _srgb_to_d50() -> NDArray[np.float64]:
    tags = _tags(_SRGB.tobytes())
    return np.stack([_colorant(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)


def _parse(data: bytes) -> MatrixProfile | None:
    """Return the profile as curves and a matrix, None where it is something else."""
    try:
        tags = _tags(data)
        if data[20:24] != b"XYZ " or any(name in tags for name in _LUT_TAGS):
            return None
        columns = [_colorant(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        red, green, blue = (_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    except (KeyError, ValueError, struct.error):
        return None
    return MatrixProfile(curves=(red, green, blue), matrix=_to_rec709(np.stack(columns, axis=1)))


def _tags(data: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", data, 128)
    entries = [struct.unpack_from(">4sII", data, 132 + 12 * index) for index in range(count)]
    return {name: data[place : place + size] for name, place, size in entries}


def _colorant(tag: bytes) -> NDArray[np.float64]:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536.0


def _curve(tag: bytes) -> Curve:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return gamma(1.0)
        values = np.array(struct.unpack_from(f">{count}H", tag, 12), np.float64)
        return gamma(values[0] / 256.0) if count == 1 else _table(values / 65535.0)
    (kind,) = struct.unpack_from(">H", tag, 8)
    counts = (1, 3, 4, 5, 7)
    if tag[:4] != b"para" or kind >= len(counts):
        message = f"no curve: {tag[:4]!r}"
        raise ValueError(message)
    values = np.array(struct.unpack_from(f">{counts[kind]}i", tag, 12)) / 65536.0
    match kind, *values.tolist():
        case 0, g:
            return gamma(g)
        case 1, g, a, b:
            return _parametric(g, a, b, 0.0, -b / a)
        case 2, g, a, b, c:
            return _parametric(g, a, b, 0.0, -b / a, c, c)
        case 3, g, a, b, c, d:
            return _parametric(g, a, b, c, d)
        case _, g, a, b, c, d, e, f:
            return _parametric(g, a, b, c, d, e, f)
        case _:
            raise AssertionError("unreachable: as many values as its kind has")


def _unusable(name: str, reason: str) -> ImageUnreadable:
    return ImageUnreadable(
        f"The colour profile in {name} {reason}.",
        advice="Convert the picture to sRGB in the program it was drawn in, and save it again.",
    )
