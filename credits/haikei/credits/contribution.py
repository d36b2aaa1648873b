"""
One thing that a person or a system did for an image: who, in which role, and how that
is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from haikei.credits.machine_names import is_machine_name
from haikei.errors import CreditError
from haikei.measurements import Change, LineRecall


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
    NOT_DECLARED = "notDeclared"  #: nobody has said; no term of the vocabulary, and in no file

    @property
    def is_ai(self) -> bool:
        """Whether a trained model made any of the pixels."""
        return self in {SourceType.TRAINED, SourceType.COMPOSITE_TRAINED}

    @property
    def is_drawn(self) -> bool:
        """Whether it is stated that a human drew it, on paper or with non-generative tools."""
        return self in {SourceType.DIGITAL_CREATION, SourceType.PRINT}


#: How the id of a person begins whom people were asked to name.
ASKED_FOR = "person:asked-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human who worked on an image."""

    id: str  #: the tracker's, such as `HumanUser:12`; else `person:` and what is no name
    name: str  #: in Latin letters
    name_ja: str = ""  #: in Japanese script; empty when unknown
    opt_out: str = ""  #: where it is recorded that they do not want to be named; else empty

    @property
    def is_asked_for(self) -> bool:
        """Whether this stands for one of several people until it is known which of them."""
        return self.id.startswith(ASKED_FOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A program or a model that made pixels; credited as a tool, with who ran it."""

    name: str
    version: str
    source_type: SourceType
    sha256: str = ""  #: of the weights, as one hash over all files; empty for an algorithm
    licence: str = ""
    data: str = ""  #: what a model was trained on, in a sentence


class Facet(StrEnum):
    """The sides of an image's making; they are never added up into one figure."""

    LAYOUT = "layout"
    GENERATION = "generation"
    TOUCH_UP = "touch_up"
    REVIEW = "review"  #: selection and review


class Grade(StrEnum):
    """How it is known that somebody did something, the strongest first."""

    CONFIRMED = "confirmed"  #: the person themself agrees to what was known in another way
    MEASURED = "measured"  #: computed from the files, by a named method
    LOGGED = "logged"  #: written by a machine when it happened
    DECLARED = "declared"  #: said by a person


class Role(StrEnum):
    """What someone did. What roles are called stands in `haikei.texts`."""

    ART_DIRECTOR = "art_director"
    ASSISTANT_ART_DIRECTOR = "assistant_art_director"
    ART_SETTING = "art_setting"
    ART_BOARD = "art_board"
    LAYOUT = "layout"
    GENZU = "genzu"
    GENZU_CLEAN_UP = "genzu_clean_up"
    AI_LAYOUT = "ai_layout"  #: a tool's, in a layout that tells of it
    AI_GENERATION = "ai_generation"  #: a tool's, never a person's
    PAINTING_ALGORITHM = "painting_algorithm"  #: a tool's that holds no trained model
    AI_OPERATION = "ai_operation"
    TOUCH_UP = "touch_up"
    BACKGROUND = "background"
    BACKGROUND_CHECK = "background_check"
    SELECTION = "selection"
    RETAKE = "retake"  #: asked for another version
    APPROVAL = "approval"
    PIPELINE = "pipeline"

    @property
    def is_tool(self) -> bool:
        """Whether a system, and never a person, has this role."""
        return self in {Role.AI_LAYOUT, Role.AI_GENERATION, Role.PAINTING_ALGORITHM}

    @property
    def facet(self) -> Facet:
        """The side of the image's making that this role belongs to."""
        return _FACETS.get(self, Facet.LAYOUT)


_FACETS = {
    Role.AI_GENERATION: Facet.GENERATION,
    Role.PAINTING_ALGORITHM: Facet.GENERATION,
    Role.AI_OPERATION: Facet.GENERATION,
    Role.PIPELINE: Facet.GENERATION,
    Role.TOUCH_UP: Facet.TOUCH_UP,
    Role.BACKGROUND: Facet.TOUCH_UP,
    Role.BACKGROUND_CHECK: Facet.REVIEW,
    Role.SELECTION: Facet.REVIEW,
    Role.RETAKE: Facet.REVIEW,
    Role.APPROVAL: Facet.REVIEW,
    Role.ART_DIRECTOR: Facet.REVIEW,
    Role.ASSISTANT_ART_DIRECTOR: Facet.REVIEW,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows that a contribution happened."""

    source: str  #: where it is known from, such as `Task:14 assignee` or `generation request`
    sha256: str = ""  #: of the thing itself (a request, a layered file), so that it can be examined
    change: Change | None = None
    recall: LineRecall | None = None
    minutes: int | None = None  #: time that was logged for it
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One role that one person or system had in one image."""

    role: Role
    actor: Person | System
    grade: Grade
    evidence: Evidence
    at: datetime
    #: How it was known before the person confirmed it, which is what its own entry seals.
    found: Grade | None = None

    @property
    def sealed_grade(self) -> Grade:
        """How it was known when it was recorded."""
        return self.grade if self.found is None else self.found


def check_makers(contributions: Iterable[Contribution], what: str) -> None:
    """
    Check that people have people's roles and systems have tools', and that no machine is a person.

    Raises:
        CreditError: it is not so; the message names `what`.
    """
    for contribution in contributions:
        actor, role = contribution.actor, contribution.role
        if isinstance(actor, Person) == role.is_tool:
            kind = "a person" if isinstance(actor, Person) else "a system"
            raise CreditError(
                f"{actor.name or 'Someone'} is {kind} and cannot be credited as {role.value} "
                f"of {what}.",
                advice="Credit a system as a tool, and whoever ran it as its operator.",
            )
        if isinstance(actor, Person) and (
            is_machine_name(actor.name) or is_machine_name(actor.name_ja)
        ):
            raise CreditError(
                f"{actor.name or actor.name_ja!r} is credited as a person for {what}.",
                advice="Credit the system as a tool, and name the people who worked on it.",
            )
