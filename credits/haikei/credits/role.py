"""What someone did for an image: a closed list, in the words of the craft."""

from enum import StrEnum


class Facet(StrEnum):
    """The sides of an image's making; they are never added up into one figure."""

    LAYOUT = "layout"
    GENERATION = "generation"
    TOUCH_UP = "touch_up"
    REVIEW = "review"  #: selection and review


class Grade(StrEnum):
    """How it is known that somebody did something, the strongest first."""

    MEASURED = "measured"  #: computed from the files, by a named method
    LOGGED = "logged"  #: written by a machine when it happened
    DECLARED = "declared"  #: said by a person


class Role(StrEnum):
    """What someone did. Names in English and Japanese stand in `haikei.presets.roles`."""

    ART_DIRECTOR = "art_director"
    ASSISTANT_ART_DIRECTOR = "assistant_art_director"
    ART_SETTING = "art_setting"
    ART_BOARD = "art_board"
    LAYOUT = "layout"
    GENZU = "genzu"
    GENZU_CLEAN_UP = "genzu_clean_up"
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
        return self in {Role.AI_GENERATION, Role.PAINTING_ALGORITHM}

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
