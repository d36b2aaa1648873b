"""Photoshop files: whether the flattened picture is really in them."""

from pathlib import Path

from haikei.errors import ImageUnreadable


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
