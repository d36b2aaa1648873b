"""
What can be decided about a version, and the state that it is in afterwards.

A new decision is a member of each of the two classes, a row in `_STATES`, the codes that mean it
in `haikei.settings` (`review.statuses`) and its words in `haikei.texts`.
"""

from enum import StrEnum


class ReviewState(StrEnum):
    """What was decided about a version."""

    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RETAKE = "retake"  #: another version was asked for
    ON_HOLD = "on_hold"
    OMITTED = "omitted"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide about the version."""
        return self not in (ReviewState.APPROVED, ReviewState.OMITTED)


class Decision(StrEnum):
    """What a version's status means."""

    APPROVE = "approve"
    RETAKE = "retake"
    HOLD = "hold"
    OMIT = "omit"
    NONE = "none"  #: in review, or whatever else the studio does not let mean anything

    @property
    def state(self) -> ReviewState:
        """What the lineage says of a version about which this was decided."""
        return _STATES[self]


_STATES = {
    Decision.APPROVE: ReviewState.APPROVED,
    Decision.RETAKE: ReviewState.RETAKE,
    Decision.HOLD: ReviewState.ON_HOLD,
    Decision.OMIT: ReviewState.OMITTED,
    Decision.NONE: ReviewState.IN_REVIEW,
}
