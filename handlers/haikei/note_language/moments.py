"""Whether a clause asks for a season or a time of day, rather than praising or refusing one."""

import re
from collections.abc import Iterator, Mapping, Sequence

from haikei.note_language.vocabulary import (
    CHANGE,
    INSTEAD,
    JA_CHANGE,
    JA_INSTEAD,
    JA_KEEP,
    JA_REFUSED,
    JA_REFUSED_ENDS,
    KEEP,
    NONE,
    NOT_NEEDED,
    REFUSED,
)


def moment_of(clause: str, words: Mapping[str, tuple[str, ...]]) -> str:
    """Return what is asked for; of several the last: "change sunset to night"."""
    if _refuses(clause):
        return ""
    found = [
        (match.start(), len(word), name)
        for name, known in words.items()
        for word in known
        for match in _places(clause, word)
        if _asks_for(clause, word, match)
    ]
    return max(found)[2] if found else ""


def _places(clause: str, word: str) -> Iterator[re.Match[str]]:
    word = word.casefold()
    pattern = rf"(?<![\w-]){re.escape(word)}(?![\w-])" if word.isascii() else re.escape(word)
    return re.finditer(pattern, clause)


def _has(clause: str, words: Sequence[str]) -> bool:
    return any(next(_places(clause, word), None) is not None for word in words)


def _refuses(clause: str) -> bool:
    if _has(clause, REFUSED):
        return True
    # 少なくていい says that less will do.
    plain = clause.replace("少なくて", "")
    refused = (*JA_REFUSED, *NOT_NEEDED)
    return any(word in plain for word in refused) or clause.endswith(JA_REFUSED_ENDS)


def _asks_for(clause: str, word: str, match: re.Match[str]) -> bool:
    before, after = clause[: match.start()].rstrip(), clause[match.end() :]
    if word.isascii():
        if _has(clause, KEEP) or _has(clause, (*NONE, "remove")):
            return False
        if any(re.search(rf"\b{one}(?: the| a)?$", before) for one in INSTEAD):
            return False
        return clause == word or _has(clause, CHANGE) or len(clause.split()) <= 3
    if _has(clause, JA_KEEP) or after.startswith(JA_INSTEAD):
        return False
    return not after or after.startswith(JA_CHANGE) or "変更" in clause
