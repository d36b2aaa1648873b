"""Images in and out of files, always through OpenImageIO, always with their colour space said."""

from haikei.images.picture import SRGB, Picture

__all__ = ["SRGB", "Picture"]
