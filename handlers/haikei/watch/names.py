"""Which names can be layouts, told without touching the file."""

import re
from collections.abc import Iterable
from fnmatch import translate


class LayoutNames:
    """
    The studio's file endings and the names that are left alone, without regard to letter case.

    Temporary and lock files (`~$plate.psd`, `.plate.png.Xy12`, `plate.png.part`) are the ways in
    which programs say that a file is not complete yet.
    """

    def __init__(self, *, extensions: Iterable[str], ignore: Iterable[str]) -> None:
        self._endings = tuple("." + ending.casefold().removeprefix(".") for ending in extensions)
        patterns = [translate(pattern.casefold()) for pattern in ignore]
        self._ignored = re.compile("|".join(patterns)) if patterns else None

    def is_ignored(self, name: str) -> bool:
        """Tell whether a file or folder of this name is left alone."""
        return self._ignored is not None and self._ignored.match(name.casefold()) is not None

    def is_layout(self, name: str) -> bool:
        """Tell whether a file of this name can be a layout."""
        return name.casefold().endswith(self._endings) and not self.is_ignored(name)

    def is_layout_path(self, relative: str) -> bool:
        """Tell whether a file can be a layout, by its own name and those of its folders."""
        *folders, name = relative.split("/")
        return self.is_layout(name) and not any(map(self.is_ignored, folders))
