"""What supervisors decide, and what follows from it."""

from haikei.review.deciding import Deciding
from haikei.review.decision import Decider, Decision, Verdict, check_statuses
from haikei.review.reviewer import Reviewer
from haikei.review.view import NoteView, RetakeView, ReviewView, review_of
from haikei.review.wakes import wake

__all__ = [
    "Decider",
    "Deciding",
    "Decision",
    "NoteView",
    "RetakeView",
    "ReviewView",
    "Reviewer",
    "Verdict",
    "check_statuses",
    "review_of",
    "wake",
]
