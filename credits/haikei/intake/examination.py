"""What was found out about one file."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from haikei.credits import BackgroundVersion, Contribution, CreditLine, ImageRecord
from haikei.fingerprint import Match
from haikei.provenance import FileMarks

#: Distance up to which a copy is surely of its record; see benchmarks/fingerprint.py.
_SURE = 0.5


class Recognition(StrEnum):
    """Whether the studio's own records know a file."""

    NOT_ASKED = "not_asked"  #: there is no studio whose records could be asked
    BYTES = "bytes"  #: it is byte for byte a file that was recorded
    PIXELS = "pixels"  #: its pixels were recorded, in a file with other bytes: marks were taken out
    LIKENESS = "likeness"  #: it is a changed copy of a recorded image, by its fingerprint
    UNKNOWN = "unknown"  #: neither its bytes nor its pixels nor anything like it were recorded


class Confidence(StrEnum):
    """How sure it is which record a changed copy is of."""

    SURE = "sure"  #: it is near, and nothing else is
    LIKELY = "likely"  #: it is less near than most copies are, and nothing else is nearer
    ONE_OF_SEVERAL = "one of several"  #: others are as near, such as another version of the cut


class ProblemKind(StrEnum):
    """What can be wrong with a file, the worst first."""

    UNREADABLE = "unreadable"  #: it cannot be opened as a picture
    MARKS_BROKEN = "marks_broken"  #: it was changed after it was signed, or a step below it was
    RESIGNED = "resigned"  #: our pixels under somebody else's signature
    LEDGER_DIFFERS = "ledger_differs"  #: the ledger's entry is not what was sealed
    MARKS_DIFFER = "marks_differ"  #: its marks hold, and say otherwise than its sealed record
    MARKS_STRIPPED = "marks_stripped"  #: its pixels are ours, its marks are gone
    CHANGED_COPY = "changed_copy"  #: it shows an image of ours, in other pixels
    UNDECLARED_AI = "undeclared_ai"  #: it tells of a trained model that nobody declared
    UNRECORDED = "unrecorded"  #: our records do not know it
    UNTRUSTED = "untrusted"  #: its marks hold, but we do not know who signed them


class Verdict(StrEnum):
    """What it comes to."""

    OK = "ok"
    LOOK = "look"  #: nothing is broken; a person should look at it
    UNRECORDED = "unrecorded"
    UNDECLARED_AI = "undeclared_ai"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a file, and what to do about it."""

    kind: ProblemKind
    message: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """A recorded image that shows the same drawing as a file, and how near it comes."""

    name: str  #: of the recorded image's file
    entry: int  #: of the ledger, that seals the image
    match: Match
    as_near: bool  #: as the nearest one, so that likeness cannot tell them apart
    credit: CreditLine | None  #: who made it; None where nobody is named yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """One file as it was examined."""

    path: Path
    sha256: str  #: of its bytes; empty when it cannot be read at all
    pixels_sha256: str  #: of its decoded pixels; empty when they were not needed or not readable
    size: int  #: in bytes
    marks: FileMarks | None  #: None when it is not a picture that can hold marks
    recognition: Recognition
    record: ImageRecord | None  #: what the studio recorded of it
    version: BackgroundVersion | None  #: that it is, else the newest that stands on it
    entry: int | None  #: of the ledger
    #: Who made it, as we know it; None also where likeness leaves it open whose work it is.
    credit: CreditLine | None
    near: tuple[Resemblance, ...]  #: the nearest first; only where neither bytes nor pixels tell
    declared: str  #: what its maker declared: `no AI`, a system's name, or empty for nothing
    problems: tuple[Problem, ...]
    at: datetime
    #: Of people who were recorded after the file got its marks, which do not name them; no problem.
    later: tuple[Contribution, ...] = ()

    @property
    def confidence(self) -> Confidence | None:
        """How sure it is which record it is; None unless it was recognised by its likeness."""
        if self.recognition is not Recognition.LIKENESS:
            return None
        nearest, *others = [one for one in self.near if one.as_near]
        if others:
            return Confidence.ONE_OF_SEVERAL
        return Confidence.SURE if nearest.match.distance <= _SURE else Confidence.LIKELY

    @property
    def verdict(self) -> Verdict:
        """What it comes to, by the worst of its problems."""
        kinds = {problem.kind for problem in self.problems}
        if kinds & _FAILURES:
            return Verdict.FAILED
        if ProblemKind.UNDECLARED_AI in kinds:
            return Verdict.UNDECLARED_AI
        if ProblemKind.UNRECORDED in kinds:
            return Verdict.UNRECORDED
        return Verdict.LOOK if kinds else Verdict.OK


_FAILURES = {
    ProblemKind.UNREADABLE,
    ProblemKind.MARKS_BROKEN,
    ProblemKind.RESIGNED,
    ProblemKind.LEDGER_DIFFERS,
    ProblemKind.MARKS_DIFFER,
    ProblemKind.MARKS_STRIPPED,
    ProblemKind.CHANGED_COPY,
}
