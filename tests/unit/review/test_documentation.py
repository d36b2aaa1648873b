"""docs/reference/review.md lists the words that notes are read by: all of them."""

from itertools import chain
from pathlib import Path

from haikei.note_language import vocabulary
from haikei.note_language.parser import THANKS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "review.md"


def test_every_word_is_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    known = chain(
        *vocabulary.TIME_WORDS.values(),
        *vocabulary.SEASON_WORDS.values(),
        *vocabulary.NOUNS.values(),
        vocabulary.COMPARATIVES,
        vocabulary.MORE,
        vocabulary.LESS,
        vocabulary.AFTER_LESS,
        vocabulary.AFTER_MORE,
        vocabulary.NONE,
        vocabulary.REFUSED,
        vocabulary.JA_REFUSED,
        vocabulary.JA_REFUSED_ENDS,
        vocabulary.JA_MORE,
        vocabulary.JA_LESS,
        vocabulary.STRONGLY,
        vocabulary.SLIGHTLY,
        vocabulary.KEEP_SEED,
        vocabulary.NEW_SEED,
        THANKS,
    )

    assert [word for word in known if word not in page] == []
