"""Those who make an image: people, and systems, which are never people."""

from dataclasses import dataclass
from enum import StrEnum


class SourceType(StrEnum):
    """
    How the pixels came to be, in the words of the IPTC Digital Source Type vocabulary.

    Source: http://cv.iptc.org/newscodes/digitalsourcetype/ (copy of 2026-08-17).
    """

    DIGITAL_CREATION = "digitalCreation"  #: drawn by a human with non-generative tools
    PRINT = "print"  #: scanned from paper
    HUMAN_EDITS = "humanEdits"  #: corrected by a human with non-generative tools
    ALGORITHMIC = "algorithmicMedia"  #: made by an algorithm without training data
    TRAINED = "trainedAlgorithmicMedia"  #: made by a model trained on captured content
    COMPOSITE_TRAINED = "compositeWithTrainedAlgorithmicMedia"  #: augmented by such a model

    @property
    def is_ai(self) -> bool:
        """Whether a trained model made any of the pixels."""
        return self in {SourceType.TRAINED, SourceType.COMPOSITE_TRAINED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human who worked on an image."""

    id: str  #: the tracker's, such as `HumanUser:12`; else `person:` and what is no name
    name: str  #: in Latin letters
    name_ja: str = ""  #: in Japanese script; empty when unknown
    opt_out: str = ""  #: where it is recorded that they do not want to be named; else empty


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A program or a model that made pixels; credited as a tool, with who ran it."""

    name: str
    version: str
    source_type: SourceType
    sha256: str = ""  #: of the weights, as one hash over all files; empty for an algorithm
    licence: str = ""
    data: str = ""  #: what a model was trained on, in a sentence
