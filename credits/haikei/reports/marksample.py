"""A few published files, looked at now: which marks they carry, and whether these hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from haikei.errors import HaikeiError
from haikei.provenance import FileMarks, read_marks, trusted_roots
from haikei.reports.report import ReportSource

_Item = TypeVar("_Item")
#: Files that are opened: each takes a second or so. `haikei verify` looks at all of them.
SAMPLE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What one file of the sample says."""

    code: str
    url: str
    entry: int
    path: str  #: as recorded
    marks: FileMarks | None
    problem: str = ""  #: why it could not be read


def spread(items: Sequence[_Item], most: int = SAMPLE) -> tuple[_Item, ...]:
    """Return at most so many of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return tuple(items)
    return tuple(items[place * (len(items) - 1) // (most - 1)] for place in range(most))


def look(source: ReportSource, *, code: str, url: str, entry: int, path: str) -> Looked | None:
    """Return what a published file says about itself; None where the file is not at hand."""
    file = source.find_file(path)
    if file is None:
        return None
    marks, problem = _read(source, file)
    return Looked(code=code, url=url, entry=entry, path=path, marks=marks, problem=problem)


def _read(source: ReportSource, file: Path) -> tuple[FileMarks | None, str]:
    try:
        roots = trusted_roots(source.settings)
        marks = read_marks(file, trust_pem=roots.signers, timestamp_trust_pem=roots.time_stamps)
    except HaikeiError as error:
        return None, str(error)
    return marks, ""
