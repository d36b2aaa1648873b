"""The record of one image: what it is, what it came from, and who had a part in it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from haikei.credits.contribution import Contribution
from haikei.credits.maker import Person, SourceType, System


class ImageKind(StrEnum):
    """What an image is in the lineage."""

    LAYOUT = "layout"
    GENERATION = "generation"
    BACKGROUND = "background"
    TOUCH_UP = "touch_up"


class Relation(StrEnum):
    """How an image stands on another, in C2PA's words."""

    PARENT = "parentOf"  #: it was derived from it
    INPUT = "inputTo"  #: it was given to the computation that made it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """One image that another was made from."""

    sha256: str  #: of the file's bytes
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image in the lineage graph: `ingredients` are its edges and `sha256` is its name."""

    key: str  #: ours, unique: a job's key and what of it this is
    sha256: str  #: of the file's bytes as published, with its marks
    pixels_sha256: str  #: of the decoded pixels, which survive a change of metadata
    kind: ImageKind
    source_type: SourceType  #: how these pixels came to be, in this step
    ingredients: tuple[Ingredient, ...]  #: the nearest first
    contributions: tuple[Contribution, ...]  #: to this step alone, not to those before it
    request_json: str  #: the generation request as it was, in canonical JSON; empty for layouts
    path: str  #: where it was published, below its storage root
    created_at: datetime

    @property
    def system(self) -> System | None:
        """What made these pixels; None when a human did."""
        for contribution in self.contributions:
            if isinstance(contribution.actor, System):
                return contribution.actor
        return None

    @property
    def people(self) -> tuple[Person, ...]:
        """The humans who had a part in this step, each once."""
        found = {
            contribution.actor.id: contribution.actor
            for contribution in self.contributions
            if isinstance(contribution.actor, Person)
        }
        return tuple(found.values())
