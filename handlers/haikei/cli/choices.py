"""What a person may choose from on the command line."""

from enum import StrEnum


class Season(StrEnum):
    """The seasons a layout can be painted in."""

    SPRING = "spring"
    SUMMER = "summer"
    AUTUMN = "autumn"
    WINTER = "winter"


class TimeOfDay(StrEnum):
    """The times of day a layout can be painted at."""

    MORNING = "morning"
    DAY = "day"
    SUNSET = "sunset"
    NIGHT = "night"


class Commercial(StrEnum):
    """Whether a model's licence allows commercial use."""

    YES = "yes"
    NO = "no"
    CONDITIONAL = "conditional"


class Declared(StrEnum):
    """What can be declared of a whole delivery in a word."""

    NO_AI = "no-ai"
    UNDECLARED = "undeclared"  #: nothing: whatever tells of a trained model is a finding
