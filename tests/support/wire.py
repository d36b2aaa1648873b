"""What tests of the wire share: images to upload, and waiting for thumbnails."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import OpenImageIO as oiio
import shotgun_api3

T = TypeVar("T")

#: The part of an address by which real clients know that a thumbnail is still being made.
TRANSIENT = "images/status/transient"


def write_image(path: Path, *, width: int = 320, height: int = 180) -> Path:
    """Write a picture with a gradient and noise, in the format of the path's ending."""
    generator = np.random.default_rng(width * height)
    pixels = np.linspace(0.2, 0.8, width, dtype=np.float32)[None, :, None].repeat(height, 0)
    pixels = pixels.repeat(3, 2) + generator.normal(0, 0.02, (height, width, 3)).astype(np.float32)
    buffer = oiio.ImageBuf(np.clip(pixels, 0, 1))
    assert buffer.write(str(path), "uint8"), buffer.geterror()
    return path


def until(look: Callable[[], T | None], *, seconds: float = 30.0) -> T:
    """Return what `look` finds as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(0.01)
    message = "it did not happen in time"
    raise AssertionError(message)


def await_thumbnail(
    client: shotgun_api3.Shotgun, entity_type: str, number: int, field: str = "image"
) -> str:
    """Return the address of a row's thumbnail once it is no longer the pending one."""

    def look() -> str | None:
        row: Any = client.find_one(entity_type, [["id", "is", number]], [field])
        address = row[field]
        return address if address and TRANSIENT not in address else None

    return until(look)
