"""Images in and out of files, always through OpenImageIO, always with their colour space said."""

from haikei.images.contactsheet import SheetRow, write_sheet
from haikei.images.inspector import Inspection, Inspector
from haikei.images.padding import Padding, fit_within, resize
from haikei.images.picture import SRGB, Picture
from haikei.images.reading import read_picture
from haikei.images.writing import write_picture, write_review

__all__ = [
    "SRGB",
    "Inspection",
    "Inspector",
    "Padding",
    "Picture",
    "SheetRow",
    "fit_within",
    "read_picture",
    "resize",
    "write_picture",
    "write_review",
    "write_sheet",
]
