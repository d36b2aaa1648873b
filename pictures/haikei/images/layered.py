"""
Layered Photoshop files: named layers, each with its alpha, beside the merged picture.

Source: Adobe Photoshop File Formats Specification.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable, StorageError, StorageUnavailable
from haikei.files import write_whole
from haikei.images.picture import Picture

if TYPE_CHECKING:
    from psd_tools import PSDImage
    from psd_tools.psd.layer_and_mask import ChannelDataList, LayerRecord

#: Sides of a PSD; beyond, other programs open none.
_LONGEST = 30_000
#: Bytes of a layer's name in its old field, which OpenImageIO and ImageMagick show as UTF-8.
_LEGACY_BYTES = 255
_COLOURS_AND_COVER = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """
    One layer as large as its file's picture.

    `cover` is (height, width), float32, 0 to 1; None where it is opaque throughout.
    """

    name: str
    picture: Picture
    cover: NDArray[np.float32] | None = None
    visible: bool = True


def merged(layers: Sequence[Layer]) -> Picture:
    """
    Return what is seen of layers that lie over each other, the first at the bottom.

    They are blended as Photoshop blends them, in the encoded values. Below the first is white.
    """
    seen = np.ones_like(layers[0].picture.pixels)
    for layer in layers:
        if not layer.visible:
            continue
        if layer.cover is None:
            seen = layer.picture.pixels
            continue
        cover = layer.cover[..., None]
        seen = seen * (np.float32(1) - cover) + layer.picture.pixels * cover
    return Picture(pixels=np.array(seen, np.float32))


def write_layered(
    layers: Sequence[Layer], path: Path, *, bits: Literal[8, 16] = 16, xmp: bytes = b""
) -> None:
    """
    Write a PSD with these layers, the first at the bottom, in sRGB, whole or not at all.

    What programs show that read no layers is what `merged` gives. The same layers make the same
    bytes.

    Args:
        layers: at least one, all of one size.
        path: where to.
        bits: per channel.
        xmp: a packet of metadata that it is to carry.

    Raises:
        StorageError: the pictures are larger than a PSD can be.
        StorageUnavailable: the disk does not take the file.
    """
    picture = merged(layers)
    if max(picture.width, picture.height) > _LONGEST:
        raise StorageError(
            f"{path.name} would be {picture.width} x {picture.height} pixels; a PSD holds sides "
            f"of at most {_LONGEST}.",
            advice="Make the picture smaller.",
        )
    for layer in layers:
        size = (layer.picture.width, layer.picture.height)
        shape = None if layer.cover is None else layer.cover.shape
        if size != (picture.width, picture.height) or shape not in {None, size[::-1]}:
            message = f"the layer {layer.name!r} has another size than {path.name}"
            raise ValueError(message)
    try:
        write_whole(path, _encoded(layers, picture, bits, xmp))
    except OSError as error:
        raise StorageUnavailable(
            f"{path} cannot be written: {error.strerror or error}.",
            advice="Check free space, permissions and the mount.",
        ) from error


def read_layered(path: Path) -> tuple[Layer, ...]:
    """
    Return the layers of a file that `write_layered` wrote, the first at the bottom.

    It trusts the file: its caller makes sure, by its hash, that nobody changed it.

    Raises:
        ImageUnreadable: it holds something else than plain layers, or is damaged.
    """
    from psd_tools import PSDImage

    # A damaged file makes the parser raise anything.
    try:
        return tuple(_plain_layers(PSDImage.open(path)))
    except Exception as error:
        raise ImageUnreadable(
            f"The layers of {path.name} cannot be read: {error}.",
            advice="Restore the file from the storage's back-up.",
        ) from error


def _plain_layers(document: "PSDImage") -> Iterator[Layer]:
    size = document.height, document.width
    for one in document:
        values = one.numpy()
        if values is None or values.shape[-1] != _COLOURS_AND_COVER:
            message = f"{one.name!r} is no plain layer"
            raise ValueError(message)
        there = slice(one.top, one.bottom), slice(one.left, one.right)
        pixels, cover = np.ones((*size, 3), np.float32), np.zeros(size, np.float32)
        pixels[there], cover[there] = values[..., :3], values[..., 3]
        yield Layer(
            name=one.name,
            picture=Picture(pixels=pixels),
            cover=None if cover.min() == 1 else cover,
            visible=one.visible,
        )


def _encoded(layers: Sequence[Layer], picture: Picture, bits: Literal[8, 16], xmp: bytes) -> bytes:
    # Needed for this one format; it brings Pillow with it.
    from psd_tools.constants import Compression, Resource, Tag
    from psd_tools.psd import PSD
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_data import ImageData
    from psd_tools.psd.image_resources import ImageResource, ImageResources, VersionInfo
    from psd_tools.psd.layer_and_mask import (
        ChannelImageData,
        GlobalLayerMaskInfo,
        LayerAndMaskInformation,
        LayerInfo,
        LayerRecords,
    )
    from psd_tools.psd.tagged_blocks import TaggedBlocks

    header = FileHeader(
        channels=3, height=picture.height, width=picture.width, depth=bits, color_mode=3
    )
    records, channels = LayerRecords(), ChannelImageData()
    for number, layer in enumerate(layers, 1):
        record, planes = _record(layer, bits, number)
        records.append(record)
        channels.append(planes)
    blocks, own = TaggedBlocks(), LayerInfo()
    if bits == 8:
        own = LayerInfo(len(records), records, channels)
    else:
        # Deeper layers stand in a block of their own, as Photoshop writes them.
        blocks.set_data(Tag.LAYER_16, len(records), records, channels)
    seen = ImageData(compression=Compression.RLE if bits == 8 else Compression.RAW)
    seen.set_data([_plane(picture.pixels[..., one], bits) for one in range(3)], header)
    version = VersionInfo(has_composite=True, writer="Haikei", reader="Haikei")
    held = [
        (Resource.VERSION_INFO, version.tobytes()),
        *([(Resource.XMP_METADATA, xmp)] if xmp else []),
    ]
    resources = ImageResources()
    for key, data in held:
        resources[key] = ImageResource(key=key.value, data=data)
    target = io.BytesIO()
    PSD(
        header=header,
        image_resources=resources,
        layer_and_mask_information=LayerAndMaskInformation(own, GlobalLayerMaskInfo(), blocks),
        image_data=seen,
    ).write(target)
    return target.getvalue()


def _record(
    layer: Layer, bits: Literal[8, 16], number: int
) -> "tuple[LayerRecord, ChannelDataList]":
    from psd_tools.constants import ChannelID, Compression, Tag
    from psd_tools.psd.layer_and_mask import (
        ChannelData,
        ChannelDataList,
        ChannelInfo,
        LayerFlags,
        LayerRecord,
    )
    from psd_tools.psd.tagged_blocks import TaggedBlocks

    top, left, bottom, right = _box(layer)
    pixels = layer.picture.pixels[top:bottom, left:right]
    cover = (
        np.ones(pixels.shape[:2], np.float32)
        if layer.cover is None
        else layer.cover[top:bottom, left:right]
    )
    planes = {
        ChannelID.TRANSPARENCY_MASK: cover,
        **{ChannelID(one): pixels[..., one] for one in range(3)},
    }
    found = ChannelDataList()
    for plane in planes.values():
        data = ChannelData(Compression.RLE if bits == 8 else Compression.ZIP_WITH_PREDICTION)
        data.set_data(_plane(plane, bits), right - left, bottom - top, bits)
        found.append(data)
    names = TaggedBlocks()
    names.set_data(Tag.UNICODE_LAYER_NAME, layer.name)
    names.set_data(Tag.LAYER_ID, number)
    record = LayerRecord(
        top=top,
        left=left,
        bottom=bottom,
        right=right,
        channel_info=[
            ChannelInfo(key, len(data.data) + 2) for key, data in zip(planes, found, strict=True)
        ],
        flags=LayerFlags(visible=layer.visible),
        name=_legacy(layer.name),
        tagged_blocks=names,
    )
    return record, found


def _box(layer: Layer) -> tuple[int, int, int, int]:
    """Return the top, left, bottom and right of what a layer covers."""
    if layer.cover is None:
        return 0, 0, layer.picture.height, layer.picture.width
    rows, columns = np.flatnonzero(layer.cover.any(axis=1)), np.flatnonzero(layer.cover.any(axis=0))
    if not rows.size:
        return 0, 0, 1, 1
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _plane(values: NDArray[np.float32], bits: Literal[8, 16]) -> bytes:
    scale, kind = (255.0, ">u1") if bits == 8 else (65535.0, ">u2")
    return bytes(np.rint(np.clip(values, 0.0, 1.0) * scale).astype(kind).tobytes())


def _legacy(name: str) -> str:
    """Return a name as its old field holds it; in full it stands as Unicode beside it."""
    short = name.encode()[:_LEGACY_BYTES].decode(errors="ignore")
    # The library writes Mac Roman there, which has a character for every byte.
    return short.encode().decode("mac_roman")
