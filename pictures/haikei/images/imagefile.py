"""Open an image file with OpenImageIO inside limits, and say what is wrong with it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import OpenImageIO as oiio
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable
from haikei.formats import PSD, READABLE_ENDINGS, format_of
from haikei.images import photoshop

#: Where files say that they hold inks. The library makes RGB of them without any profile, which
#: no press and no paint program would show.
_SAYS_INKS = ("jpeg:ColorSpace", "tiff:ColorSpace")
_INKS = frozenset({"cmyk", "ycbcrk", "color separated"})
MAX_SIDE = 32768
MAX_CHANNELS = 64
MIB = 1024 * 1024

# Jobs are the unit of parallelism, so the library gets one thread. A file is opened only by the
# reader its ending names: a guess by content would widen what a hostile file can reach.
oiio.attribute("threads", 1)
oiio.attribute("exr_threads", 1)
oiio.attribute("try_all_readers", 0)
oiio.attribute("limits:resolution", MAX_SIDE)
oiio.attribute("limits:channels", MAX_CHANNELS)


@contextmanager
def open_image(path: Path, *, max_mib: int) -> Generator[oiio.ImageInput]:
    """
    Open the header of `path`; pixels stay unread, alpha stays as the file has it.

    Args:
        path: an image file.
        max_mib: the most that its stored pixels may take, in MiB.

    Raises:
        ImageUnreadable: it is no image, damaged at its head, in printing inks, or larger than the
            limits.
    """
    known = format_of(path)
    if known is None or not known.is_read:
        raise ImageUnreadable(
            f"{path.name} is not an image format that layouts come in.",
            advice=f"Save it as one of {', '.join(READABLE_ENDINGS)}.",
        )
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise ImageUnreadable(
            f"The name {path.name!a} is not valid UTF-8.", advice="Rename the file."
        ) from error
    if known is PSD:
        photoshop.require_light(path)
    oiio.attribute("limits:imagesize_MB", max_mib)
    config = oiio.ImageSpec()
    # The library would multiply colour by alpha in encoded values and drop hidden paint.
    config.attribute("oiio:UnassociatedAlpha", 1)
    image = oiio.ImageInput.open(str(path), config)
    if image is None:
        raise ImageUnreadable(
            f"{path.name} cannot be opened: {library_error()}.",
            advice="Save it again from the program it was drawn in.",
        )
    try:
        _check(path, image.spec(), max_mib)
        yield image
    finally:
        image.close()


def read_pixels(path: Path, image: oiio.ImageInput, kind: str) -> NDArray[Any]:
    """
    Decode all pixels of the first image as (height, width, channels) of the type `kind`.

    Raises:
        ImageUnreadable: the pixels are damaged or not all there.
    """
    pixels = image.read_image(kind)
    # A truncated JPEG comes back whole, its rest grey, with only the message to tell.
    reason = library_error(image)
    if pixels is None or reason:
        raise ImageUnreadable(
            f"{path.name} is damaged or incomplete: {reason or 'its pixels cannot be decoded'}.",
            advice="Publish the file again, or save it again from the program it was drawn in.",
        )
    spec = image.spec()
    return pixels.reshape(spec.height, spec.width, spec.nchannels)


def library_error(source: oiio.ImageInput | oiio.ImageOutput | oiio.ImageBuf | None = None) -> str:
    """Return and clear what OpenImageIO last complained of, in one line; empty when nothing."""
    try:
        text = oiio.geterror() if source is None else source.geterror()
    except UnicodeDecodeError:
        # Bytes of the damaged file are quoted in the message.
        return "the file is damaged"
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())


def _check(path: Path, spec: oiio.ImageSpec, max_mib: int) -> None:
    sides = (spec.width, spec.height, spec.full_width, spec.full_height)
    if spec.deep or spec.depth > 1:
        raise ImageUnreadable(
            f"{path.name} holds deep or volume data.", advice="Save it as a flat image."
        )
    if any(spec.get_string_attribute(name).lower() in _INKS for name in _SAYS_INKS):
        raise ImageUnreadable(
            f"{path.name} is in CMYK mode; only RGB, indexed colour and grey are read.",
            advice="Convert it to RGB in the program it was drawn in, and save it again.",
        )
    if max(sides) > MAX_SIDE or spec.image_bytes(native=True) > max_mib * MIB:
        raise ImageUnreadable(
            f"{path.name} is {spec.width} x {spec.height} pixels with {spec.nchannels} channels, "
            f"more than the {max_mib} MiB and {MAX_SIDE} pixels a side that are allowed.",
            advice="Publish it smaller, or raise watch.max_mib.",
        )
