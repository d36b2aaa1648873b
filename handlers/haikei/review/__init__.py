"""What supervisors decide, and what follows from it."""

from haikei.review.deciding import Deciding, decider_of, wake
from haikei.review.decisions import Decider, ReviewVerdict, check_statuses
from haikei.review.replies import NoteView, RetakeView, ReviewView, review_of
from haikei.review.reviewer import Reviewer

__all__ = [
    "Decider",
    "Deciding",
    "NoteView",
    "RetakeView",
    "ReviewVerdict",
    "ReviewView",
    "Reviewer",
    "check_statuses",
    "decider_of",
    "review_of",
    "wake",
]
