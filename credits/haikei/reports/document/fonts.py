"""Fonts that the system has, so that Japanese names never print as empty boxes."""

import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from haikei.errors import ReportError

#: Kana, ideographs and their punctuation, full-width forms.
_JAPANESE = re.compile("[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_NO_FAMILY = re.compile(r"[^\w .-]")
_ADVICE = "Install a Japanese font, such as Debian's fonts-noto-cjk, or name one: reports.font."
_SERIF = "Noto Serif CJK JP,Hiragino Mincho ProN,Yu Mincho,serif"
_SANS = "Noto Sans CJK JP,Hiragino Sans,Yu Gothic,sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """A font file and which of its faces."""

    file: Path
    face: int


def speaks_japanese(text: str) -> bool:
    """Tell whether a text has letters that only a Japanese font shows."""
    return _JAPANESE.search(text) is not None


@lru_cache(maxsize=8)
def find_font(family: str = "", *, serif: bool = False, bold: bool = False) -> Font:
    """
    Return the font for names in Latin and Japanese script, as fontconfig chooses it.

    Args:
        family: wanted first; empty for none.
        serif: whether strokes end in serifs where no family is found.
        bold: the heavier weight.

    Raises:
        ReportError: no font of the system has Japanese letters, or fontconfig is missing.
    """
    wanted = _NO_FAMILY.sub("", family)
    first = f"{wanted}," if wanted else ""
    weight = ":weight=bold" if bold else ""
    pattern = f"{first}{_SERIF if serif else _SANS}:lang=ja{weight}"
    try:
        done = subprocess.run(
            ["fc-match", "-f", "%{file}\n%{index}\n%{lang}", pattern],  # noqa: S607 - by PATH
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ReportError(
            f"Fonts cannot be looked up: {error}.", advice="Install fontconfig (fc-match)."
        ) from error
    file, index, languages = (*done.stdout.split("\n"), "", "", "")[:3]
    if "ja" not in languages.split("|"):
        raise ReportError("No font of this machine has Japanese letters.", advice=_ADVICE)
    # The upper half of the number names an instance of a variable font.
    return Font(file=Path(file), face=int(index) & 0xFFFF)
