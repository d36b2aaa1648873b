"""Images in and out of files, always through OpenImageIO, always with their colour space said."""

from haikei.images.inspector import Inspection, Inspector
from haikei.images.padding import Padding
from haikei.images.picture import SRGB, Picture
from haikei.images.reading import read_picture
from haikei.images.resizing import resize
from haikei.images.writing import write_picture, write_review

__all__ = [
    "SRGB",
    "Inspection",
    "Inspector",
    "Padding",
    "Picture",
    "read_picture",
    "resize",
    "write_picture",
    "write_review",
]
