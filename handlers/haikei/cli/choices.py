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
