"""Images in and out of files, as they look: upright, on white paper, in sRGB."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand
from haikei.images.limits import DEFAULT_LIMITS, Limits, reader_environment

if TYPE_CHECKING:
    from haikei.images.colour import AS_IT_IS, LightSpace, Look, View, light_space
    from haikei.images.inspector import Inspection, Inspector, read_picture
    from haikei.images.layered import Layer, merged, read_layered, write_layered
    from haikei.images.picture import SRGB, Padding, Picture, fit_within, is_blank, resize
    from haikei.images.reading import decode_picture
    from haikei.images.writing import SheetRow, write_picture, write_review, write_sheet

__all__ = [
    "AS_IT_IS",
    "DEFAULT_LIMITS",
    "SRGB",
    "Inspection",
    "Inspector",
    "Layer",
    "LightSpace",
    "Limits",
    "Look",
    "Padding",
    "Picture",
    "SheetRow",
    "View",
    "decode_picture",
    "fit_within",
    "is_blank",
    "light_space",
    "merged",
    "read_layered",
    "read_picture",
    "reader_environment",
    "resize",
    "write_layered",
    "write_picture",
    "write_review",
    "write_sheet",
]

# Whoever has files looked at by a process of its own loads no library that decodes them.
__getattr__ = on_demand(
    __name__,
    {
        "haikei.images.colour": ("AS_IT_IS", "LightSpace", "Look", "View", "light_space"),
        "haikei.images.inspector": ("Inspection", "Inspector", "read_picture"),
        "haikei.images.layered": ("Layer", "merged", "read_layered", "write_layered"),
        "haikei.images.picture": (
            "SRGB",
            "Padding",
            "Picture",
            "fit_within",
            "is_blank",
            "resize",
        ),
        "haikei.images.reading": ("decode_picture",),
        "haikei.images.writing": ("SheetRow", "write_picture", "write_review", "write_sheet"),
    },
)
