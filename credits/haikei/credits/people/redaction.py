"""Names that stand in free texts: they are kept and sealed as commitments, and can be erased."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from haikei.credits.naming import WITHHELD, WITHHELD_JA
from haikei.database import name_openings

_TOKEN = re.compile(r"\{(person|person_ja):([0-9a-f]{64})\}")
# Scripts that put no spaces between words.
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC")


def occurrences(name: str) -> re.Pattern[str]:
    """
    Return a pattern that finds a name in a text.

    In scripts with spaces it must stand alone: the name `Ito` is not in `editor`.
    """
    alone = len(name) < 2
    before = "" if not alone and _unspaced(name[0]) else r"(?<!\w)"
    after = "" if not alone and _unspaced(name[-1]) else r"(?!\w)"
    return re.compile(before + re.escape(name) + after)


def _unspaced(character: str) -> bool:
    return unicodedata.name(character, "").startswith(_UNSPACED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """All names of the register, to be hidden in texts and shown again."""

    openings: Mapping[str, tuple[str, str]]  #: name and Japanese name, by commitment
    tokens: Mapping[str, str]  #: what stands for a name, by name, the longest first

    @classmethod
    def load(cls, connection: Connection) -> "Mentions":
        """Return the register's names."""
        columns = (name_openings.c.commitment, name_openings.c.name, name_openings.c.name_ja)
        rows = connection.execute(select(*columns).order_by(name_openings.c.commitment))
        openings = {row.commitment: (row.name, row.name_ja) for row in rows}
        tokens: dict[str, str] = {}
        for commitment, (name, name_ja) in openings.items():
            if name_ja.strip():
                tokens[name_ja] = f"{{person_ja:{commitment}}}"
            if name.strip():
                tokens[name] = f"{{person:{commitment}}}"
        # The longest first, so that `Yuki Tanaka` is not taken for `Tanaka`.
        by_length = sorted(tokens.items(), key=lambda item: (-len(item[0]), item[0]))
        return cls(openings=openings, tokens=dict(by_length))

    def hide(self, text: str) -> str:
        """Return a text in which commitments stand for the names of registered people."""
        if not text:
            return text
        parts = [text]
        for name, token in self.tokens.items():
            if name not in text:
                continue
            pattern = occurrences(name)
            # Tokens already stand at odd places: nothing is looked for inside them.
            parts = [
                piece
                for place, part in enumerate(parts)
                for piece in (_split(pattern, part, token) if place % 2 == 0 else [part])
            ]
        return "".join(parts)

    def show(self, text: str) -> str:
        """Return a text with its names; what was erased is withheld."""
        return _TOKEN.sub(self._name, text) if "{person" in text else text

    def _name(self, match: re.Match[str]) -> str:
        names = self.openings.get(match[2])
        japanese = match[1] == "person_ja"
        if names is None:
            return WITHHELD_JA if japanese else WITHHELD
        return names[1] if japanese else names[0]


def _split(pattern: re.Pattern[str], part: str, token: str) -> list[str]:
    """Return the text around each occurrence, with tokens between: text, token, text …"""
    around = pattern.split(part)
    return [piece for text in around for piece in (text, token)][:-1]
