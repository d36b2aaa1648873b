"""When two spellings are one name: of a project, a person, a login."""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase


def plain_name(name: str) -> str:
    """
    Return a name without what spelling adds to it.

    Compatibility forms are one (NFKC, so that NFD folders and full-width letters are too), letter
    case does not count, blanks are folded, and characters that nobody sees are left out.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    return " ".join(seen.split())


def same_name(one: str, other: str) -> bool:
    """Tell whether two spellings are one name."""
    return plain_name(one) == plain_name(other)


def plain_names(names: Iterable[str]) -> frozenset[str]:
    """Return names without what spelling adds to them; empty ones are left out."""
    return frozenset(filter(None, map(plain_name, names)))


def nearest_names(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the known names that are most like one, at most three, as they are written."""
    plain = {plain_name(one): one for one in known if one}
    close = get_close_matches(plain_name(name), list(plain), n=3, cutoff=0.5)
    return tuple(plain[one] for one in close)


def is_japanese_name(name: str) -> bool:
    """Tell whether a name is written in Japanese, in part at least."""
    return any(ord(letter) > 0x2E7F for letter in name)


def fits(pattern: str, names: Iterable[str]) -> bool:
    """Tell whether a shell pattern takes one of the names of a thing, in any spelling."""
    plain = plain_name(pattern)
    return any(fnmatchcase(name, plain) for name in plain_names(names))


def spellings(name: str) -> tuple[str, ...]:
    """Return the spellings under which a database that compares bytes may hold a name."""
    composed = unicodedata.normalize("NFC", name)
    compatible = unicodedata.normalize("NFKC", name)
    return tuple(
        dict.fromkeys((name, composed, " ".join(composed.split()), " ".join(compatible.split())))
    )
