"""
Who made what: contributions of people and systems, and the lines that name them.

What needs the database stands in modules of its own: `records`, `people`, `statements`, `lineage`.
"""

from haikei.credits.contribution import (
    GENERATORS,
    Contribution,
    Evidence,
    Facet,
    Grade,
    Person,
    Role,
    SourceType,
    System,
    is_machine_name,
)
from haikei.credits.facets import (
    FacetState,
    FacetSummary,
    Part,
    facets,
    is_ai,
    overall_source_type,
    shows_change,
)
from haikei.credits.naming import (
    NOT_YET_NAMED,
    WITHHELD,
    WITHHELD_JA,
    CreditLine,
    credit_line,
    operators_text,
    printed_person,
    printed_system,
)
from haikei.credits.record import (
    BackgroundVersion,
    ImageKind,
    ImageRecord,
    Ingredient,
    Operators,
    Relation,
    Scope,
    Statement,
    StatementKind,
)
from haikei.credits.roll import CreditsRoll, RollEntry, RollSection, roll

__all__ = [
    "GENERATORS",
    "NOT_YET_NAMED",
    "WITHHELD",
    "WITHHELD_JA",
    "BackgroundVersion",
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
    "Operators",
    "Part",
    "Person",
    "Relation",
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
    "is_machine_name",
    "operators_text",
    "overall_source_type",
    "printed_person",
    "printed_system",
    "roll",
    "shows_change",
]
