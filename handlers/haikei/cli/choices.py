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


class Stated(StrEnum):
    """What can be stated about a show; the values are those of `haikei.credits.StatementKind`."""

    INTENDED_USE = "intended_use"
    CLIENT_APPROVAL = "client_approval"
    PRINCIPLE = "principle"
    THIRD_PARTY_CHECK = "third_party_check"
    LIKENESS_CHECK = "likeness_check"
    DEEPFAKE_ASSESSMENT = "deepfake_assessment"
    VIEWER_DISCLOSURE = "viewer_disclosure"
    UNION_NOTICE = "union_notice"
    UNION_CONSULTATION = "union_consultation"
    NO_AI = "no_ai"
    CONSENT = "consent"
    CORRECTION = "correction"
    LEGAL_ROLE = "legal_role"
