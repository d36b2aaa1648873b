"""Take a clause apart into known and unknown words, in both languages at once."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from haikei.note_language import things, vocabulary
from haikei.note_language.plain_words import FILLER, OTHER_WORDS
from haikei.presets import SEASON_WORDS, TIME_WORDS, Quality


class Sense(StrEnum):
    """What a word does in a note; one word may do several things."""

    SUBJECT = "subject"
    UNSEEN = "unseen"  #: a thing that no region stands for
    PART = "part"
    COLOUR = "colour"
    SHADE = "shade"
    TINT = "tint"
    TURN = "turn"  #: with its way in `sign`
    TOO_MUCH = "too much"  #: a turn that takes back what there is too much of
    NOUN = "noun"  #: a quality by its name
    MORE = "more"
    LESS = "less"
    TOO = "too"
    ENOUGH = "enough"
    NONE = "none"
    REMOVE = "remove"
    REMOVE_BEHIND = "remove, behind a thing"
    BEHIND_MORE = "more, behind a quality"
    BEHIND_LESS = "less, behind a quality"
    NOT_NEEDED = "not needed"
    CLEAR_SKY = "clear sky"
    AMOUNT = "amount"  #: in percent
    SLIGHTLY = "slightly"
    STRONGLY = "strongly"
    KEEP = "keep"
    APART = "apart"
    NOT = "not"
    INSTEAD = "instead"
    PRAISE = "praise"
    WISH = "wish"
    BEYOND = "beyond"
    MOMENT = "moment"
    SEED = "seed"
    IT = "it"
    AND = "and"
    OF = "of"
    FILLER = "filler"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One thing that a word may do."""

    sense: Sense
    value: str = ""
    sign: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One word or phrase where it stands."""

    text: str
    start: int
    meanings: tuple[Meaning, ...]

    @property
    def end(self) -> int:
        """Where the next word may begin."""
        return self.start + len(self.text)

    def find(self, sense: Sense) -> Meaning | None:
        """Return what the word means in this sense, if it can."""
        return next((one for one in self.meanings if one.sense is sense), None)

    def has(self, *senses: Sense) -> bool:
        """Tell whether the word can do one of these."""
        return any(one.sense in senses for one in self.meanings)


_AND = ("and", "&", "as well as", "plus", "+", ",", "、", "，", "・", "及び", "および")
_IT = ("it", "them", "this one", "that one", "それ", "それら", "これ", "あれ")
#: Japanese words that join two nouns, only straight after one.
_JA_AND = re.compile(r"と|や|も")
_PERCENT = re.compile(
    r"(\d{1,3}(?:\.\d+)?)\s*(?:%|percent|per cent|パーセント|％)|([1-9一二三四五六七八九])割"
)
_KANJI = "一二三四五六七八九"
_WORD = re.compile(r"[a-zà-ÿ0-9][a-zà-ÿ0-9'’-]*")
_JAPANESE = re.compile(r"[぀-ヿ㐀-鿿々ー]+")
#: Of leftover Japanese, what can be the name of a thing.
_NAME = re.compile(r"[㐀-鿿々]+|[ァ-ヺー]{2,}")
_FLAT: Mapping[Sense, tuple[str, ...]] = {
    Sense.UNSEEN: things.UNSEEN,
    Sense.MORE: (*vocabulary.MORE, *vocabulary.AFTER_MORE),
    Sense.LESS: (*vocabulary.LESS, *vocabulary.AFTER_LESS),
    Sense.NONE: vocabulary.NONE,
    Sense.REMOVE: vocabulary.REMOVE,
    Sense.REMOVE_BEHIND: vocabulary.REMOVE_BEHIND,
    Sense.BEHIND_MORE: vocabulary.BEHIND_MORE,
    Sense.BEHIND_LESS: vocabulary.BEHIND_LESS,
    Sense.NOT_NEEDED: vocabulary.NOT_NEEDED,
    Sense.CLEAR_SKY: vocabulary.CLEAR_SKY,
    Sense.SLIGHTLY: vocabulary.SLIGHTLY,
    Sense.STRONGLY: vocabulary.STRONGLY,
    Sense.KEEP: vocabulary.KEEP_AS_IT_IS,
    Sense.APART: vocabulary.APART,
    Sense.NOT: (*vocabulary.REFUSED, *vocabulary.JA_REFUSED),
    Sense.INSTEAD: ("instead of", "rather than", *vocabulary.JA_INSTEAD[:3]),
    Sense.PRAISE: vocabulary.PRAISE,
    Sense.WISH: vocabulary.WISH,
    Sense.BEYOND: vocabulary.BEYOND,
    Sense.SEED: (*vocabulary.KEEP_SEED, *vocabulary.NEW_SEED),
    Sense.TOO: ("too", "overly"),
    Sense.ENOUGH: ("enough",),
    Sense.IT: _IT,
    Sense.AND: _AND,
    Sense.OF: ("of", "of the", "'s", "の"),
    Sense.FILLER: FILLER,
}


@cache
def lexicon() -> Mapping[str, tuple[Meaning, ...]]:
    """Return every known word with all that it may mean."""
    found: dict[str, list[Meaning]] = {}
    for word, meaning in _entries():
        found.setdefault(word.casefold(), []).append(meaning)
    return {word: tuple(meanings) for word, meanings in found.items()}


def _entries() -> Iterator[tuple[str, Meaning]]:
    for sense, flat in _FLAT.items():
        yield from ((word, Meaning(sense=sense)) for word in flat)
    named = (
        (Sense.SUBJECT, things.SUBJECT_WORDS.items()),
        (Sense.PART, things.PART_WORDS.items()),
        (Sense.TINT, things.TINT_WORDS.items()),
        (Sense.SHADE, things.SHADE_WORDS.items()),
        (Sense.NOUN, vocabulary.NOUNS.items()),
        (Sense.AMOUNT, vocabulary.AMOUNTS.items()),
    )
    for sense, table in named:
        for value, names in table:
            yield from ((word, Meaning(sense=sense, value=str(value))) for word in names)
    for sense, turns in (
        (Sense.TURN, vocabulary.COMPARATIVES),
        (Sense.TOO_MUCH, vocabulary.TOO_MUCH),
    ):
        for word, (quality, sign) in turns.items():
            yield word, Meaning(sense=sense, value=quality.value, sign=sign)
    moments = (*TIME_WORDS.values(), *SEASON_WORDS.values())
    yield from ((word, Meaning(sense=Sense.MOMENT)) for names in moments for word in names)
    for colour, names in things.COLOUR_WORDS.items():
        for word in names:
            yield from _colour_entries(word, colour)


def _colour_entries(word: str, colour: str) -> Iterator[tuple[str, Meaning]]:
    meant = Meaning(sense=Sense.COLOUR, value=colour)
    yield word, meant
    if word.isascii():
        return
    yield from ((word + end, meant) for end in ("く", "い", "くし"))
    for end in things.JA_TINT_ENDS:
        yield word + end, Meaning(sense=Sense.TINT, value=colour)
    for end in ("すぎ", "過ぎ"):
        yield word + end, Meaning(sense=Sense.TOO_MUCH, value=Quality.SATURATION.value, sign=-1)


@cache
def _pattern() -> re.Pattern[str]:
    percent = _PERCENT.pattern.replace("(\\d", "(?:\\d").replace("([1", "(?:[1")
    longest = sorted(lexicon(), key=len, reverse=True)
    latin = [re.escape(word) for word in longest if word.isascii() and word[0].isalnum()]
    other = [
        re.escape(word)
        for word in longest
        if not (word.isascii() and word[0].isalnum()) and word not in {"と", "'s"}
    ]
    return re.compile(
        rf"{percent}|(?<=[a-z])'s\b|(?<![a-z0-9'-])(?:{'|'.join(latin)})(?![a-z0-9-])"
        rf"|{'|'.join(other)}"
    )


def normal(note: str) -> str:
    """Return a note in the form in which words are compared: NFKC, without case."""
    text = unicodedata.normalize("NFKC", note).casefold().replace("’", "'").replace("‘", "'")
    return text.replace("“", '"').replace("”", '"')


def tokens_of(clause: str) -> tuple[str, list[Token]]:
    """Return a clause with slips put right, and its words: the longest known at each place."""
    clause = _spelt(clause)
    found: list[Token] = []
    at = 0
    for match in _pattern().finditer(clause):
        found += _unknown(clause, at, match.start(), found)
        found.append(
            Token(text=match.group(), start=match.start(), meanings=_meanings(match.group()))
        )
        at = match.end()
    found += _unknown(clause, at, len(clause), found)
    return clause, found


def _meanings(text: str) -> tuple[Meaning, ...]:
    known = lexicon().get(text)
    if known is not None:
        return known
    match = _PERCENT.fullmatch(text)
    if match is None:
        return (Meaning(sense=Sense.UNKNOWN),)
    if match.group(1):
        amount = min(100, round(float(match.group(1))))
    else:
        tenths = match.group(2)
        amount = 10 * (_KANJI.index(tenths) + 1 if tenths in _KANJI else int(tenths))
    return (Meaning(sense=Sense.AMOUNT, value=str(amount)),)


def _unknown(clause: str, start: int, end: int, before: list[Token]) -> Iterator[Token]:
    gap = clause[start:end]
    for match in _WORD.finditer(gap):
        yield Token(
            text=match.group(),
            start=start + match.start(),
            meanings=(Meaning(sense=Sense.UNKNOWN),),
        )
    for run in _JAPANESE.finditer(gap):
        joins = _JA_AND.match(run.group())
        straight = run.start() == 0 and before and before[-1].end == start
        if joins and straight and before[-1].has(Sense.SUBJECT, Sense.UNSEEN, Sense.COLOUR):
            yield Token(
                text=joins.group(),
                start=start + run.start(),
                meanings=(Meaning(sense=Sense.AND),),
            )
        for name in _NAME.finditer(run.group()):
            yield Token(
                text=name.group(),
                start=start + run.start() + name.start(),
                meanings=(Meaning(sense=Sense.UNKNOWN),),
            )


@cache
def _spellings() -> frozenset[str]:
    """Return known English words that are long enough for a slip to be recognised."""
    words = {part for word in lexicon() if word.isascii() for part in word.split()}
    return frozenset(word for word in words if len(word) >= 4 and word.isalpha())


@cache
def _single_words() -> frozenset[str]:
    return frozenset(part for word in lexicon() if word.isascii() for part in word.split())


def _spelt(clause: str) -> str:
    """Return a clause with slips of the pen in English words put right."""
    return _WORD.sub(lambda match: _put_right(match.group()), clause)


@cache
def _put_right(word: str) -> str:
    if len(word) < 4 or not word.isalpha() or not word.isascii():
        return word
    if word in _single_words() or word in OTHER_WORDS:
        return word
    if word.endswith("s") and word[:-1] in _single_words():
        return word[:-1]
    close = [
        one
        for one in _spellings()
        if one[0] == word[0] and abs(len(one) - len(word)) <= 1 and _slip(word, one)
    ]
    return close[0] if len(close) == 1 else word


def _slip(word: str, known: str) -> bool:
    """Tell whether one letter too many, too few, wrong or out of place parts two words."""
    if sorted(word) == sorted(known):
        return any(
            word[:at] + word[at + 1] + word[at] + word[at + 2 :] == known
            for at in range(len(word) - 1)
        )
    if len(word) == len(known) + 1 and len(known) >= 5:
        return any(word[:at] + word[at + 1 :] == known for at in range(len(word)))
    if len(word) == len(known) - 1 and len(known) >= 5:
        return any(known[:at] + known[at + 1 :] == word for at in range(len(known)))
    if len(word) == len(known) >= 7:
        return sum(one != other for one, other in zip(word, known, strict=True)) == 1
    return False


def any_of(tokens: Iterable[Token], *senses: Sense) -> bool:
    """Tell whether one of these words can do one of these things."""
    return any(token.has(*senses) for token in tokens)
