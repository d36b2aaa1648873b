"""
Who made what: contributions of people and systems, and the lines that name them.

What needs the database stands in modules of its own: `records`, `people`, `statements`, `lineage`.
"""

from haikei.credits.background import BackgroundVersion, ReviewState, Scope
from haikei.credits.contribution import Change, Contribution, Evidence, LineRecall, Region
from haikei.credits.facets import FacetState, FacetSummary, Part, facets
from haikei.credits.line import CreditLine, credit_line
from haikei.credits.maker import Person, SourceType, System
from haikei.credits.naming import PrintedName, printed_person, printed_system
from haikei.credits.overall import is_ai, overall_source_type
from haikei.credits.record import ImageKind, ImageRecord, Ingredient, Relation
from haikei.credits.role import Facet, Grade, Role
from haikei.credits.roll import CreditsRoll, RollEntry, RollSection, roll
from haikei.credits.statement import Statement, StatementKind

__all__ = [
    "BackgroundVersion",
    "Change",
    "Contribution",
    "CreditLine",
    "CreditsRoll",
    "Evidence",
    "Facet",
    "FacetState",
    "FacetSummary",
    "Grade",
    "ImageKind",
    "ImageRecord",
    "Ingredient",
    "LineRecall",
    "Part",
    "Person",
    "PrintedName",
    "Region",
    "Relation",
    "ReviewState",
    "Role",
    "RollEntry",
    "RollSection",
    "Scope",
    "SourceType",
    "Statement",
    "StatementKind",
    "System",
    "credit_line",
    "facets",
    "is_ai",
    "overall_source_type",
    "printed_person",
    "printed_system",
    "roll",
]
