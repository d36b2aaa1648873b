"""Photoshop files as artists save them: a version of ours at the bottom, paint on layers above."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from psd_tools import PSDImage
from psd_tools.constants import ColorMode, Resource
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.image_resources import ImageResource, VersionInfo

from haikei.images import Picture

#: Fractions of width and height: left, top, right, bottom.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dab:
    """A soft-edged patch of paint."""

    box: Box
    colour: tuple[int, int, int]  #: sRGB, 8 bits


def layered(below: Picture, paint: Sequence[Dab], *, layer: str = "加筆") -> PSDImage:
    """
    Return a document with the picture at the bottom and one layer of paint.

    Its merged picture is the one that psd-tools makes of the layers when it is saved.
    """
    ground = Image.fromarray(_eight_bits(below))
    document = PSDImage.frompil(ground)
    document.append(document.create_pixel_layer(ground.convert("RGBA"), name="background"))
    painted = document.create_pixel_layer(_painted(ground.size, paint), name="paint")
    # Set afterwards, the name is stored as Unicode beside a plain one, as paint programs do.
    painted.name = layer
    document.append(painted)
    return document


def flattened(below: Picture, paint: Sequence[Dab]) -> NDArray[np.uint8]:
    """Return how it looks: (height, width, 3), sRGB, 8 bits; by Pillow, not by psd-tools."""
    ground = Image.fromarray(_eight_bits(below)).convert("RGBA")
    whole = Image.alpha_composite(ground, _painted(ground.size, paint))
    return np.asarray(whole.convert("RGB"))


def save(document: PSDImage, path: Path, *, xmp: bytes = b"") -> Path:
    """Save a document under its name when it is whole, with the XMP that a program kept."""
    if xmp:
        document.image_resources[Resource.XMP_METADATA] = ImageResource(
            key=Resource.XMP_METADATA.value, data=xmp
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    document.save(part)
    return part.rename(path)


def save_without_composite(document: PSDImage, path: Path) -> Path:
    """Save layers alone, as Photoshop does with "Maximize Compatibility" off: a blank picture."""
    save(document, path)
    blank = PSDImage.open(path)
    white = [b"\xff" * (blank.width * blank.height)] * 3
    record = blank._record  # pyright: ignore[reportPrivateUsage]
    record.image_data = ImageData.new(record.header)
    record.image_data.set_data(white, record.header)
    said = VersionInfo(version=1, has_composite=False, writer="w", reader="r", file_version=1)
    blank.image_resources[Resource.VERSION_INFO] = ImageResource(
        key=Resource.VERSION_INFO.value, data=said.tobytes()
    )
    return save(blank, path)


def save_flat(
    pixels: NDArray[np.uint8], path: Path, *, mode: ColorMode = ColorMode.RGB, bits: int = 8
) -> Path:
    """
    Save a file without layers, its channels stored as they are given.

    Args:
        pixels: (height, width, channels), 8 bits; stretched to `bits`.
        path: of the file.
        mode: what the channels stand for.
        bits: 8 or 16.
    """
    height, width, channels = pixels.shape
    document = PSDImage.new("RGB", (width, height), depth=bits)  # type: ignore[arg-type]
    record = document._record  # pyright: ignore[reportPrivateUsage]
    record.header.color_mode, record.header.channels = mode, channels
    wide = pixels.astype(">u2") * 257 if bits == 16 else pixels
    planes = [np.ascontiguousarray(wide[..., one]).tobytes() for one in range(channels)]
    record.image_data = ImageData.new(record.header)
    record.image_data.set_data(planes, record.header)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        record.write(file)
    return part.rename(path)


def _eight_bits(picture: Picture) -> NDArray[np.uint8]:
    return np.rint(picture.pixels * 255).astype(np.uint8)


def _painted(size: tuple[int, int], paint: Sequence[Dab]) -> Image.Image:
    width, height = size
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    for dab in paint:
        left, top, right, bottom = dab.box
        mask = Image.new("L", size, 0)
        box = (left * width, top * height, right * width, bottom * height)
        ImageDraw.Draw(mask).ellipse(box, fill=255)
        soft = mask.filter(ImageFilter.GaussianBlur(1.5))
        layer.alpha_composite(
            Image.composite(
                Image.new("RGBA", size, (*dab.colour, 255)),
                Image.new("RGBA", size, (*dab.colour, 0)),
                soft,
            )
        )
    return layer
