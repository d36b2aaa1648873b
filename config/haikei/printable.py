r"""
Texts as they leave: no sign in them can hide or reorder others, whoever typed them.

U+202E lets `\u202eikuY` read as `Yuki`; control characters move a terminal's cursor; signs of no
width make two names look like one. Source: Unicode Technical Report 36, section 3, and Standard
Annex 9.
"""

import re
import unicodedata

#: Control characters but tab and line ends; signs that order, join or hide others; tags.
_CONTROLS = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e00ff]|\r(?!\n)"
)
#: Those of them that Unicode counts as printable.
_HIDDEN = ("\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0")
_LINE_ENDS = frozenset("\x0b\x0c\r\x85\u2028\u2029")
_JOINERS = frozenset("\u200c\u200d")
#: Signs that are pictures by themselves (Unicode Emoji_Presentation), with what modifies them.
_EMOJI = re.compile(
    "[\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1"
    "\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705"
    "\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50"
    "\u2b55\U0001f000-\U0001f0ff\U0001f18e\U0001f191-\U0001f19a\U0001f1e6-\U0001f1ff"
    "\U0001f300-\U0001faff]|.\ufe0f"
)
_MODIFIERS = re.compile("[\u200d\ufe0f\U0001f3fb-\U0001f3ff]")


def printable(text: str) -> str:
    """
    Return a text without signs that hide, reorder or erase others.

    Line ends of other kinds become blanks; tabs and line feeds stay, and so do joiners inside
    scripts that are written with them. Whatever leaves for people passes through here: what
    commands print, pages, reports, and names in marks.
    """
    return text if _is_plain(text) else _CONTROLS.sub(_instead, text)


def printable_value(value: object) -> object:
    """Return what a template is given, printable if it is a text; markup stays markup."""
    return type(value)(printable(value)) if isinstance(value, str) else value


def escaped(json: str) -> str:
    r"""Return JSON in which such signs stand as `\uXXXX`: no data is lost, and no sign acts."""
    # In JSON of ASCII signs alone every control character is escaped already, but this one.
    plain = "\x7f" not in json if json.isascii() else _is_plain(json)
    return json if plain else _CONTROLS.sub(_escape, json)


def _is_plain(text: str) -> bool:
    """Tell whether a text surely has no such sign, in a fraction of the time of looking for one."""
    # Line ends are no such sign, those of CSV neither.
    rest = text.replace("\r\n", "").replace("\n", "")
    return rest.isprintable() and not any(sign in text for sign in _HIDDEN)


def emoji_named(text: str) -> str:
    """
    Return a text with emoji as their names in brackets, such as `[cherry blossom]`.

    For paper and pictures: hardly any machine has a font with emoji that WeasyPrint can embed, and
    a name that prints as an empty box is no credit.
    """
    if not _EMOJI.search(text):
        return text
    return _MODIFIERS.sub("", _EMOJI.sub(_name, text))


def _instead(match: re.Match[str]) -> str:
    sign = match[0]
    if sign in _JOINERS and match.start():
        before = match.string[match.start() - 1]
        wide = unicodedata.east_asian_width(before) in "WF"
        category = unicodedata.category(before)
        # Persian and the scripts of India need joiners; emoji are put together with them.
        if category in {"Mn", "Mc", "Sk", "So"} or (category == "Lo" and not wide):
            return sign
    return " " if sign in _LINE_ENDS else ""


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _name(match: re.Match[str]) -> str:
    sign = match[0][0]
    if _MODIFIERS.match(sign):
        return ""
    return f"[{unicodedata.name(sign, f'U+{ord(sign):04X}').lower()}]"
