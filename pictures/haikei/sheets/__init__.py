"""What stands on a layout sheet: ink, coloured guide lines, the frame and its margin."""

from haikei.sheets.cleaning import Area

__all__ = [
    "Area",
]
