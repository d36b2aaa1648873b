"""Images in and out of files, as they look: upright, on white paper, in sRGB."""

from haikei.images.blank import is_blank
from haikei.images.contactsheet import SheetRow, write_sheet
from haikei.images.inspector import Inspection, Inspector
from haikei.images.limits import DEFAULT_LIMITS, Limits
from haikei.images.padding import Padding, fit_within, resize
from haikei.images.picture import SRGB, Picture
from haikei.images.reading import decode_picture
from haikei.images.sharedreader import read_picture
from haikei.images.writing import write_picture, write_review

__all__ = [
    "DEFAULT_LIMITS",
    "SRGB",
    "Inspection",
    "Inspector",
    "Limits",
    "Padding",
    "Picture",
    "SheetRow",
    "decode_picture",
    "fit_within",
    "is_blank",
    "read_picture",
    "resize",
    "write_picture",
    "write_review",
    "write_sheet",
]
