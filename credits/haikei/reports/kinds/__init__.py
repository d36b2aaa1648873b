"""The kinds of report that Haikei brings, one a file."""

from haikei.reports.kinds.dashboard import Index, MadeReport
from haikei.reports.kinds.transcript import transcript_of

__all__ = [
    "Index",
    "MadeReport",
    "transcript_of",
]
