"""Photoshop files: whether the flattened picture is really in them, in colours of light."""

import struct
from collections.abc import Mapping
from pathlib import Path

from haikei.errors import ImageUnreadable

#: Colour modes whose channels are no light: what they look like depends on a profile or an ink.
#: Source: Adobe Photoshop File Formats Specification, "File Header Section".
_NOT_LIGHT: Mapping[int, str] = {4: "CMYK", 7: "Multichannel", 8: "Duotone", 9: "Lab"}
_HEADER = struct.Struct(">4s2x6x2x4x4x2xH")


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
    signature, mode = _HEADER.unpack(head)
    if signature == b"8BPS" and mode in _NOT_LIGHT:
        raise ImageUnreadable(
            f"{path.name} is in {_NOT_LIGHT[mode]} mode; only RGB, indexed colour and grey are "
            "read.",
            advice="Convert it to RGB in the program it was drawn in, and save it again.",
        )


def require_composite(path: Path) -> None:
    """
    Make sure that a PSD or PSB file holds its composite, not only layers.

    Photoshop without "Maximize Compatibility" stores a blank picture in its place and says so in
    image resource 1057 (Adobe Photoshop File Formats Specification, "Version Info").

    Raises:
        ImageUnreadable: the composite is missing, or the resources are damaged.
    """
    # Needed for this one format; it brings Pillow with it.
    from psd_tools.constants import Resource
    from psd_tools.psd.color_mode_data import ColorModeData
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_resources import ImageResources

    # A damaged file makes the parser raise anything.
    try:
        with path.open("rb") as file:
            FileHeader.read(file)
            ColorModeData.read(file)
            version = ImageResources.read(file).get_data(Resource.VERSION_INFO)
    except Exception as error:
        raise ImageUnreadable(
            f"{path.name} is damaged: its image resources cannot be read.",
            advice="Save it again from the program it was drawn in.",
        ) from error
    if version is not None and not getattr(version, "has_composite", True):
        raise ImageUnreadable(
            f"{path.name} holds layers but no composed picture.",
            advice='Save it with "Maximize Compatibility" switched on.',
        )
