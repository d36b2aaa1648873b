"""What a supervisor asks of the next version, as far as it can be told from the words."""

from dataclasses import dataclass

from haikei.presets import Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One quality turned up or down."""

    quality: Quality
    amount: int  #: -100 to 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """A retake's wishes. What was not understood is in `text`, which models read as it is."""

    text: str = ""  #: every note as it was written, the oldest first, a line each
    season: str = ""  #: another season; empty keeps it
    time: str = ""  #: another time of day; empty keeps it
    keep_seed: bool = False  #: the same composition of strokes and chances
    turns: tuple[Turn, ...] = ()  #: each quality at most once
    unwanted: tuple[str, ...] = ()  #: what must not be seen
    understood: tuple[str, ...] = ()  #: in plain words, for the answer to the note
