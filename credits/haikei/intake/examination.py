"""
What was found out about one file: its marks, whose changed copy it is, and what is wrong with it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import structlog
from sqlalchemy import Connection

from haikei.credits import BackgroundVersion, Contribution, CreditLine, ImageRecord
from haikei.credits.records import store
from haikei.errors import LedgerError
from haikei.fingerprint import Fingerprint, FingerprintIndex, Match, indistinct
from haikei.images import Picture
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
    UNDECLARED_AI = "undeclared_ai"  #: it bears signs of a trained model that nobody declared
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


log = structlog.get_logger()


class RecordedImages:
    """
    The fingerprints of all recorded images.

    They are read when the first picture is looked up: most files are known by their bytes.

    Args:
        connection: to the studio's records.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def look_up(
        self, picture: Picture, *, at_least: int
    ) -> tuple[tuple[Match, bool, ImageRecord], ...]:
        """
        Return images that show the same drawing as a picture, copies first, each by distance.

        Args:
            picture: what is to be recognised.
            at_least: how many are returned if there are so many; copies too near to tell apart
                are always returned all.

        Returns:
            Each image with its match, and whether it is among the copies that come first and
            cannot be distinguished.
        """
        matches = self._index.look_up(picture)
        first = indistinct(matches)
        nearest = matches[: max(at_least, len(first))]
        images = store.images_at(self._connection, (one.number for one in nearest))
        return tuple(
            (match, match in first, image) for match, image in zip(nearest, images, strict=True)
        )

    @cached_property
    def _index(self) -> FingerprintIndex:
        held: list[tuple[int, Fingerprint]] = []
        for number, text in store.fingerprints(self._connection):
            try:
                held.append((number, Fingerprint.read(text)))
            except LedgerError as error:
                # `ledger verify` reports it; all the others are still recognised.
                log.warning("fingerprint_not_read", entry=number, error=str(error))
        return FingerprintIndex(held)


def _signer(marks: FileMarks) -> str:
    named = marks.steps[-1].signer if marks.steps else ""
    return named or "a certificate without a name"


def resigned(
    marks: FileMarks, record: ImageRecord, version: BackgroundVersion | None, studio: str
) -> Problem:
    """Return that a file shows pixels of the studio's under the signature of somebody else."""
    code = version.code if version else record.path
    signer = _signer(marks)
    return Problem(
        kind=ProblemKind.RESIGNED,
        message=(
            f"{marks.path.name} shows the pixels of {code}, which {studio} published on "
            f"{record.created_at:%Y-%m-%d}, under the signature of {signer}."
        ),
        advice=f"It is no file of {studio}'s, whatever it says: use {record.path}, and ask who "
        f"signs as {signer} where they had it from.",
    )


def untrusted(marks: FileMarks, record: ImageRecord | None, recognition: Recognition) -> Problem:
    """Return that nobody here knows who signed a file, and what to do by how it is recorded."""
    message = (
        f"The marks of {marks.path.name} hold, but we do not know {_signer(marks)}, who signed"
    )
    advice = (
        "Ask them by another road whether it is theirs; only then let their root count, with "
        "--trust."
    )
    if recognition is Recognition.BYTES:
        message += " these bytes, which our records know."
        advice = "Only if it is an earlier certificate of ours, add its root to signing.trust_file."
    elif record is not None:
        message += f" it; it shows the drawing that was recorded as {record.path}."
        advice = "Use the published copy, which bears our marks."
    else:
        message += " it."
    return Problem(kind=ProblemKind.UNTRUSTED, message=message, advice=advice)


def contradicts(marks: FileMarks, difference: str) -> Problem:
    """Return in what a file's marks and its sealed record differ."""
    return Problem(
        kind=ProblemKind.MARKS_DIFFER,
        message=f"The marks of {marks.path.name} {difference}.",
        advice="One of the two was rewritten: run `haikei ledger verify`, and compare "
        "with a checkpoint that left the building.",
    )


def broken(message: str) -> Problem:
    """Return that marks do not hold."""
    return Problem(
        kind=ProblemKind.MARKS_BROKEN,
        message=message,
        advice="Do not use it: ask its maker for the file as it was signed.",
    )


def differs(message: str) -> Problem:
    """Return that the ledger and what is read beside it are not alike."""
    return Problem(
        kind=ProblemKind.LEDGER_DIFFERS,
        message=message,
        advice="Run `haikei ledger verify`, and compare with a checkpoint outside.",
    )


def not_a_picture(message: str) -> Problem:
    """Return that a file cannot be read."""
    return Problem(
        kind=ProblemKind.UNREADABLE, message=message, advice="Ask its maker for a whole file."
    )
