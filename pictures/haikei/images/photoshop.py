"""
Photoshop files: whether the merged picture is in them, in colours of light, and how it is matted.

Source: Adobe Photoshop File Formats Specification.
"""

import struct
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable

#: Colour modes whose channels are no light: what they look like depends on a profile or an ink.
_NOT_LIGHT: Mapping[int, str] = MappingProxyType(
    {4: "CMYK", 7: "Multichannel", 8: "Duotone", 9: "Lab"}
)
_COLOURS: Mapping[int, int] = MappingProxyType({1: 1, 3: 3})
_HEADER = struct.Struct(">4sH6xHIIHH")
_MERGED_ALPHA = frozenset({b"Mtrn", b"Mt16", b"Mt32"})
_LAYERS = frozenset({b"Layr", b"Lr16", b"Lr32"})
#: Tagged blocks whose length has eight bytes in a PSB.
_WIDE = frozenset(
    {*_MERGED_ALPHA, *_LAYERS, b"LMsk", b"Alph", b"FMsk", b"lnk2", b"FEid", b"FXid", b"PxSD"}
)
_SAVE_MERGED = 'Save it with "Maximize Compatibility" switched on.'
#: Of 1: blended with white, no channel lies further below what shines through.
_MATTE_STEP = 2.5 / 255


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoshopFile:
    """What the sections of a Photoshop file say before its merged picture."""

    large: bool  #: PSB
    mode: int
    channels: int
    layers: int  #: how many there are, 0 for a flat file
    transparency: bool  #: whether the first channel behind the colours is the picture's own
    merged_at: int  #: where the merged picture begins


def require_light(path: Path) -> None:
    """
    Make sure that a PSD or PSB file holds RGB, indexed colour or grey.

    Raises:
        ImageUnreadable: it is in another colour mode, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
    except OSError as error:
        raise ImageUnreadable(
            f"{path.name} cannot be opened: {error.strerror or error}.",
            advice="See whether it is there, and whether it may be read.",
        ) from error
    if len(head) < _HEADER.size:
        # Whoever opens it says what is wrong with it.
        return
    signature, *_, mode = _HEADER.unpack(head)
    if signature == b"8BPS" and mode in _NOT_LIGHT:
        raise ImageUnreadable(
            f"{path.name} is in {_NOT_LIGHT[mode]} mode; only RGB, indexed colour and grey are "
            "read.",
            advice="Convert it to RGB in the program it was drawn in, and save it again.",
        )


def examine(path: Path) -> PhotoshopFile:
    """
    Return what stands before the merged picture, and make sure that there is one.

    Photoshop without "Maximize Compatibility" stores a blank picture in its place and says so in
    image resource 1057 ("Version Info").

    Raises:
        ImageUnreadable: the merged picture is missing, or the sections are damaged.
    """
    # Needed for this one format; it brings Pillow with it.
    from psd_tools.constants import Resource
    from psd_tools.psd.color_mode_data import ColorModeData
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_resources import ImageResources

    # A damaged file makes the parser raise anything.
    try:
        with path.open("rb") as file:
            header = FileHeader.read(file)
            ColorModeData.read(file)
            resources = ImageResources.read(file)
            large = header.version == 2
            layers, merged_alpha, end = _layer_section(file, large=large)
            version = resources.get_data(Resource.VERSION_INFO)
            alphas = resources.get_data(Resource.ALPHA_IDENTIFIERS)
    except Exception as error:
        raise ImageUnreadable(
            f"{path.name} is damaged: its sections cannot be read.",
            advice="Save it again from the program it was drawn in.",
        ) from error
    if version is not None and not getattr(version, "has_composite", True):
        raise ImageUnreadable(
            f"{path.name} holds layers but no composed picture.", advice=_SAVE_MERGED
        )
    mode = int(header.color_mode)
    # Channels beyond belong to saved selections, but for programs that write one flat picture.
    flat_alpha = layers == 0 and not (alphas and all(one > 0 for one in alphas))
    more = header.channels > _COLOURS.get(mode, header.channels)
    return PhotoshopFile(
        large=large,
        mode=mode,
        channels=header.channels,
        layers=abs(layers),
        transparency=more and (layers < 0 or merged_alpha or flat_alpha),
        merged_at=end,
    )


def straight(path: Path, found: PhotoshopFile) -> NDArray[np.float32]:
    """
    Return the merged picture with straight alpha, (height, width, channels) from 0 to 1.

    Photoshop blends what shines through with white; that is taken out of the colours again. Where a
    channel is darker than that white alone, the picture was written by another program, and its
    colours are straight already.

    Raises:
        ImageUnreadable: the merged picture is damaged.
    """
    planes = _merged(path, found)
    colours, cover = planes[: _COLOURS[found.mode]], planes[_COLOURS[found.mode]]
    white = np.float32(1.0) - cover
    if all((plane >= white - np.float32(_MATTE_STEP)).all() for plane in colours):
        safe = np.where(cover > 0, cover, np.float32(1.0))
        colours = [np.clip((plane - white) / safe, 0.0, 1.0) for plane in colours]
    return np.stack([*colours, cover], axis=-1).astype(np.float32, copy=False)


def require_drawn_layers_merged(path: Path, found: PhotoshopFile) -> None:
    """
    Make sure that a merged picture of one colour throughout stands for layers that are empty too.

    Raises:
        ImageUnreadable: a visible layer holds something.
    """
    if not found.layers:
        return
    from psd_tools import PSDImage

    # A damaged file makes the parser raise anything.
    try:
        document = PSDImage.open(path)
        drawn = any(
            layer.is_visible() and not layer.is_group() and _holds_something(layer.numpy())
            for layer in document.descendants()
        )
    except Exception as error:
        raise ImageUnreadable(
            f"{path.name} is damaged: its layers cannot be read.",
            advice="Save it again from the program it was drawn in.",
        ) from error
    if drawn:
        raise ImageUnreadable(
            f"{path.name} holds layers, but its composed picture is blank.", advice=_SAVE_MERGED
        )


def _holds_something(pixels: NDArray[np.float32] | None) -> bool:
    if pixels is None or not pixels.size:
        return False
    flat = pixels.reshape(-1, pixels.shape[-1])
    if flat.shape[1] in {2, 4}:
        alpha = flat[:, -1]
        if not alpha.any():
            return False
        return bool((np.ptp(alpha) > 0) or np.ptp(flat[:, :-1], axis=0).any())
    return bool(np.ptp(flat, axis=0).any())


def _merged(path: Path, found: PhotoshopFile) -> list[NDArray[np.float32]]:
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_data import ImageData

    # A damaged file makes the parser raise anything.
    try:
        with path.open("rb") as file:
            header = FileHeader.read(file)
            file.seek(found.merged_at)
            planes = ImageData.read(file).get_data(header)
        if isinstance(planes, bytes):
            raise TypeError(path.name)  # noqa: TRY301 - reported as damage, like all else
        shape = (header.height, header.width)
        kind, scale = {8: (">u1", 255.0), 16: (">u2", 65535.0), 32: (">f4", 1.0)}[header.depth]
        return [
            (np.frombuffer(plane, kind).reshape(shape) / np.float32(scale)).astype(np.float32)
            for plane in planes
        ]
    except Exception as error:
        raise ImageUnreadable(
            f"{path.name} is damaged or incomplete: its composed picture cannot be decoded.",
            advice="Publish the file again, or save it again from the program it was drawn in.",
        ) from error


def _layer_section(file: BinaryIO, *, large: bool) -> tuple[int, bool, int]:
    """Return the number of layers (below 0: with transparency), its mark, and the section's end."""
    wide = ">Q" if large else ">I"
    length = _number(file, wide)
    start = file.tell()
    end = start + length
    count, marked = 0, False
    if length:
        layers = _number(file, wide)
        place = file.tell() + layers
        if layers >= 2:
            count = _number(file, ">h")
        if place < end:
            file.seek(place)
            file.seek(_number(file, ">I"), 1)
            for key in _blocks(file, end, large=large):
                marked = marked or key in _MERGED_ALPHA
                if key in _LAYERS:
                    count = _number(file, ">h")
    return count, marked, end


def _blocks(file: BinaryIO, end: int, *, large: bool) -> Generator[bytes]:
    """Yield the key of each tagged block, with the file at its data."""
    while file.tell() + 12 <= end:
        signature, key = file.read(4), file.read(4)
        if signature not in {b"8BIM", b"8B64"}:
            return
        size = _number(file, ">Q" if large and key in _WIDE else ">I")
        after = file.tell() + size
        yield key
        # Blocks are padded to four bytes, which their length does not count.
        file.seek(after + -size % 4)


def _number(file: BinaryIO, shape: str) -> int:
    (number,) = struct.unpack(shape, file.read(struct.calcsize(shape)))
    return int(number)
