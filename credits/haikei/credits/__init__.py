"""Who made what: people, systems, and the lines that name them."""

from haikei.credits.line import CreditLine, credit_line
from haikei.credits.maker import Person, SourceType, System
from haikei.credits.record import ImageKind, ImageRecord

__all__ = [
    "CreditLine",
    "ImageKind",
    "ImageRecord",
    "Person",
    "SourceType",
    "System",
    "credit_line",
]
