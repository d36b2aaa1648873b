"""Who made what: contributions of people and systems, and the lines that name them."""

from haikei.credits.background import BackgroundVersion, ReviewState, Scope
from haikei.credits.contribution import Change, Contribution, Evidence, LineRecall, Region
from haikei.credits.line import CreditLine, credit_line
from haikei.credits.maker import Person, SourceType, System
from haikei.credits.record import ImageKind, ImageRecord, Ingredient, Relation
from haikei.credits.role import Facet, Grade, Role
from haikei.credits.statement import Statement, StatementKind

__all__ = [
    "BackgroundVersion",
    "Change",
    "Contribution",
    "CreditLine",
    "Evidence",
    "Facet",
    "Grade",
    "ImageKind",
    "ImageRecord",
    "Ingredient",
    "LineRecall",
    "Person",
    "Region",
    "Relation",
    "ReviewState",
    "Role",
    "Scope",
    "SourceType",
    "Statement",
    "StatementKind",
    "System",
    "credit_line",
]
