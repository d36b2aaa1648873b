"""docs/reference/retakes.md lists the words that notes are read by: all of them."""

from itertools import chain
from pathlib import Path

from haikei.note_language import things, vocabulary
from haikei.note_language.parser import THANKS
from haikei.presets import SEASON_WORDS, TIME_WORDS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "retakes.md"


def test_every_word_is_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    known = chain(
        *TIME_WORDS.values(),
        *SEASON_WORDS.values(),
        *vocabulary.NOUNS.values(),
        vocabulary.COMPARATIVES,
        vocabulary.TOO_MUCH,
        vocabulary.MORE,
        vocabulary.LESS,
        vocabulary.AFTER_LESS,
        vocabulary.AFTER_MORE,
        vocabulary.NONE,
        vocabulary.REMOVE,
        vocabulary.REMOVE_BEHIND,
        vocabulary.NOT_NEEDED,
        vocabulary.CLEAR_SKY,
        vocabulary.REFUSED,
        vocabulary.JA_REFUSED,
        vocabulary.JA_REFUSED_ENDS,
        vocabulary.STRONGLY,
        vocabulary.SLIGHTLY,
        *vocabulary.AMOUNTS.values(),
        vocabulary.KEEP_SEED,
        vocabulary.NEW_SEED,
        vocabulary.KEEP_AS_IT_IS,
        vocabulary.APART,
        vocabulary.BEYOND,
        *things.SUBJECT_WORDS.values(),
        things.UNSEEN,
        *things.PART_WORDS.values(),
        *things.COLOUR_WORDS.values(),
        *things.TINT_WORDS.values(),
        things.JA_TINT_ENDS,
        *things.SHADE_WORDS.values(),
        THANKS,
    )

    assert [word for word in known if word not in page] == []
