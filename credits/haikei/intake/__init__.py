"""Files that come from somewhere: what they say about themselves, and what we know of them."""

from haikei.intake.delivery import (
    Declaration,
    DeliveredFile,
    declared_free_of_ai,
    gather,
    left_out,
    read_declaration,
)
from haikei.intake.examination import (
    Confidence,
    Examination,
    Problem,
    ProblemKind,
    Recognition,
    Resemblance,
    Verdict,
)
from haikei.intake.examining import Examiner

__all__ = [
    "Confidence",
    "Declaration",
    "DeliveredFile",
    "Examination",
    "Examiner",
    "Problem",
    "ProblemKind",
    "Recognition",
    "Resemblance",
    "Verdict",
    "declared_free_of_ai",
    "gather",
    "left_out",
    "read_declaration",
]
