"""Read a layout as it should look: composed, upright, on white paper, in sRGB."""

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable
from haikei.images import photoshop
from haikei.images.colour import LINEAR_SPACE, SRGB_SPACE, convert, space_of
from haikei.images.imagefile import open_image, read_pixels
from haikei.images.picture import Picture


def read_picture(path: Path, *, max_mib: int = 4096) -> Picture:
    """
    Read an image file as (height, width, 3) float32, sRGB-encoded, 0 to 1.

    Transparency shows white paper: composed in encoded values where the file is encoded, as paint
    programs do, and in linear light where it is linear. OpenEXR fills its display window.
    Photoshop files give their stored composite. Grey becomes RGB, further channels are left out.
    Orientation marks (EXIF) are applied. Values above 1 in linear files are clipped.

    Args:
        path: a PNG, TIFF, TGA, JPEG, PSD or OpenEXR file.
        max_mib: the most that its stored pixels may take, in MiB.

    Raises:
        ImageUnreadable: it is no such image, is damaged or truncated, or is larger than allowed.
    """
    with open_image(path, max_mib=max_mib) as image:
        spec = image.spec()
        if image.format_name() == "psd":
            photoshop.require_composite(path)
        space = space_of(spec, format_name=image.format_name())
        stored: NDArray[np.float32] = read_pixels(path, image, "float").astype(
            np.float32, copy=False
        )
        colour, alpha = _channels(path, spec, stored)
        associated = not spec.get_int_attribute("oiio:UnassociatedAlpha")
        orientation = spec.get_int_attribute("Orientation", 1)
        window = _window(spec) if image.format_name() == "openexr" else None
    if space != SRGB_SPACE:
        # OpenEXR alpha is premultiplied in linear light, so paper is laid under it there.
        target = LINEAR_SPACE if alpha is not None else SRGB_SPACE
        colour = convert(_finite(colour), source=space, target=target, name=path.name)
        colour = _over_white(colour, alpha, associated=associated)
        colour = convert(colour, source=target, target=SRGB_SPACE, name=path.name)
    else:
        colour = _over_white(_finite(colour), alpha, associated=associated)
    if window is not None:
        colour = _on_canvas(colour, window)
    upright = _upright(np.clip(colour, 0.0, 1.0), orientation)
    return Picture(pixels=np.ascontiguousarray(upright, dtype=np.float32))


def _channels(
    path: Path, spec: oiio.ImageSpec, stored: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    names = [str(name).lower() for name in spec.channelnames]
    alpha = stored[..., spec.alpha_channel : spec.alpha_channel + 1]
    for wanted in (("r", "g", "b"), ("red", "green", "blue")):
        if all(name in names for name in wanted):
            indices = [names.index(name) for name in wanted]
            return stored[..., indices], alpha if spec.alpha_channel >= 0 else None
    colours = [i for i in range(spec.nchannels) if i not in {spec.alpha_channel, spec.z_channel}]
    if not colours:
        raise ImageUnreadable(
            f"{path.name} holds no colour, only {', '.join(spec.channelnames)}.",
            advice="Publish the composed picture.",
        )
    chosen = colours[:3] if len(colours) >= 3 else [colours[0]] * 3
    return stored[..., chosen], alpha if spec.alpha_channel >= 0 else None


def _finite(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    if np.isfinite(pixels).all():
        return pixels
    return np.nan_to_num(pixels, nan=0.0, posinf=1.0, neginf=0.0)


def _over_white(
    colour: NDArray[np.float32], alpha: NDArray[np.float32] | None, *, associated: bool
) -> NDArray[np.float32]:
    if alpha is None:
        return colour
    cover = np.clip(_finite(alpha), 0.0, 1.0)
    paint = colour if associated else colour * cover
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
