"""Write a layout as an artist's tool would: flat, or layered with Japanese names."""

import os
import uuid
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haikei.errors import StorageUnavailable
from haikei.formats import PNG, PSD, TIFF, format_of
from haikei.images import Picture
from haikei.scenes.camera import LayoutDrawing

PAPER_JA = "用紙"


def save_layout(drawing: LayoutDrawing, path: Path) -> None:
    """
    Write the layout to `path`: .png (8 bits), .tif (16 bits) or .psd (layers, 8 bits).

    The file appears under its name only when it is whole.

    Raises:
        ValueError: the suffix is none of these.
        StorageUnavailable: the file cannot be written.
    """
    known = format_of(path)
    write = {PNG: _write_flat, TIFF: _write_flat, PSD: _write_psd}.get(known) if known else None
    if write is None:
        message = f"a layout is saved as .png, .tif or .psd, not {path.suffix!r}"
        raise ValueError(message)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.tmp{path.suffix}")
    try:
        write(drawing, part)
        part.replace(path)
    except OSError as error:
        raise StorageUnavailable(
            f"The layout {path} cannot be written: {error.strerror or error}.",
            advice="Make room on the disk, or choose another folder.",
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _write_flat(drawing: LayoutDrawing, path: Path) -> None:
    from haikei.images import write_picture

    flat: Picture = drawing.picture()
    write_picture(flat, path, bits=8 if format_of(path) is PNG else 16)


def _write_psd(drawing: LayoutDrawing, path: Path) -> None:
    """
    Write layers and, as the flattened image, our own composite.

    Names are set after the layer is made: psd-tools then stores them as Unicode (`luni`) beside a
    plain legacy name. The record is written as it stands, because saving through the document
    would replace our composite by its own.
    """
    from PIL import Image
    from psd_tools import PSDImage
    from psd_tools.constants import ColorMode, Compression
    from psd_tools.psd import PSD
    from psd_tools.psd.color_mode_data import ColorModeData
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_data import ImageData
    from psd_tools.psd.image_resources import ImageResources

    flat = drawing.flattened()
    opaque = np.full((*flat.shape[:2], 1), 255, np.uint8)
    planes = np.concatenate([flat, opaque], axis=2)
    header = FileHeader(
        version=1,
        width=flat.shape[1],
        height=flat.shape[0],
        depth=8,
        channels=4,
        color_mode=ColorMode.RGB,
    )
    image_data = ImageData(compression=Compression.RLE)
    image_data.set_data([_plane(planes, index) for index in range(4)], header)
    record = PSD(
        header=header,
        color_mode_data=ColorModeData(b""),
        image_resources=ImageResources.new(),
        image_data=image_data,
    )
    document = PSDImage(record)
    sheets = [(PAPER_JA, True, np.full_like(planes, 255))]
    sheets += [(layer.name_ja, layer.visible, layer.rgba()) for layer in drawing.layers]
    for name_ja, visible, rgba in sheets:
        left, top, right, bottom = _used(rgba[..., 3])
        layer = document.create_pixel_layer(
            Image.fromarray(rgba[top:bottom, left:right]), name="layer", top=top, left=left
        )
        layer.name = name_ja
        layer.visible = visible
    with path.open("wb") as file:
        record.write(file)
        file.flush()
        os.fsync(file.fileno())


def _plane(planes: NDArray[np.uint8], index: int) -> bytes:
    return np.ascontiguousarray(planes[..., index]).tobytes()


def _used(cover: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(cover.any(axis=1)), np.flatnonzero(cover.any(axis=0))
    if not len(rows):
        return 0, 0, 1, 1
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
