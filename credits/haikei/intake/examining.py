"""Examine one file: its marks, its place in our records, and what was declared about it."""

import glob
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from sqlalchemy import Connection

from haikei.credits import (
    BackgroundVersion,
    Contribution,
    CreditLine,
    ImageKind,
    ImageRecord,
    credit_line,
    records,
)
from haikei.credits.records.comparison import differences
from haikei.database import utc_now
from haikei.errors import CreditError, ImageUnreadable, LedgerError, MarksError
from haikei.fingerprint import BITS
from haikei.images import DEFAULT_LIMITS, Limits, Picture, read_picture
from haikei.intake.agreement import disagreements, named_later
from haikei.intake.delivery import NO_AI, Declaration, DeliveredFile
from haikei.intake.examination import (
    Examination,
    Problem,
    ProblemKind,
    Recognition,
    RecordedImages,
    Resemblance,
    broken,
    contradicts,
    differs,
    not_a_picture,
    resigned,
    untrusted,
)
from haikei.ledger import entry as ledger_entry
from haikei.ledger.tree import leaf_hash
from haikei.provenance import FileMarks, MarksState, read_marks
from haikei.provenance.formats.detection import (
    MANIFEST_SUFFIX,
    XMP_SUFFIX,
    file_format,
    manifest_beside,
    xmp_beside,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    recognition: Recognition
    record: ImageRecord | None = None
    version: BackgroundVersion | None = None
    entry: int | None = None
    entries: tuple[int, ...] = ()  #: of all that the credit line is drawn from
    lineage: tuple[tuple[int, ImageRecord], ...] = ()  #: entries and images that led to it
    credit: CreditLine | None = None
    near: tuple[Resemblance, ...] = ()


#: Images like a file that are listed.
_NEAR = 5
#: The picture of a change map stands beside its touch-up under this name.
_CHANGE_MAP = "_change"
_NOBODY_ASKED = _Known(recognition=Recognition.NOT_ASKED)


class Examiner:
    """
    Examines files.

    Args:
        trust_pem: the roots of those whose signatures count.
        timestamp_trust_pem: the roots of time-stamp authorities.
        own_trust_pem: the root of the studio's own signer; empty when there is none.
        people_trust_pem: the roots of the certificates of people whom the settings name.
        studio: what the studio is called.
        connection: to the studio's records; None when there is no studio to ask.
        declaration: what the maker of a delivery says; None for files of our own.
        limits: what reading one picture may take.
    """

    def __init__(
        self,
        *,
        trust_pem: str,
        timestamp_trust_pem: str = "",
        own_trust_pem: str = "",
        people_trust_pem: str = "",
        studio: str = "",
        connection: Connection | None = None,
        declaration: Declaration | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._trust_pem = trust_pem
        self._timestamp_trust_pem = timestamp_trust_pem
        self._own_trust_pem = own_trust_pem
        self._people_trust_pem = people_trust_pem
        self._studio = studio or "this studio"
        self._connection = connection
        self._declaration = declaration
        self._limits = limits
        self._images = None if connection is None else RecordedImages(connection)

    def examine(self, file: DeliveredFile) -> Examination:
        """Return what can be found out; a damaged file is a finding, not an error."""
        path = file.path
        problems: list[Problem] = []
        try:
            sha256, size = _hashed(path)
        except OSError as error:
            return self._unreadable(file, f"{path.name} cannot be opened: {error.strerror}.")
        marks, pixels = None, ""
        try:
            marks = self._marks(path)
        except MarksError as error:
            problems.append(broken(error.message))
        known = self._known(sha256)
        if known.record is None:
            known = self._known_as_change_map(path, sha256, known)
        if known.record is None:
            try:
                picture = read_picture(path, limits=self._limits)
            except ImageUnreadable as error:
                problems.append(not_a_picture(error.message))
            else:
                pixels = picture.sha256()
                known = self._known_by_pixels(pixels, known)
                if known.record is None:
                    known = self._known_by_likeness(picture, known)
        problems += self._of_marks(marks, known)
        problems += _of_likeness(path, known)
        problems += self._of_records(path, known) or self._of_agreement(marks, known)
        declared = self._declaration.of(file.relative) if self._declaration else None
        problems += self._of_declaration(marks, known, declared)
        return Examination(
            path=path,
            sha256=sha256,
            pixels_sha256=pixels,
            size=size,
            marks=marks,
            recognition=known.recognition,
            record=known.record,
            version=known.version,
            entry=known.entry,
            credit=known.credit,
            near=known.near,
            declared=declared or "",
            problems=tuple(problems),
            at=utc_now(),
            later=self._named_later(marks, known),
        )

    def _marks(self, path: Path) -> FileMarks:
        return read_marks(
            path,
            trust_pem=self._trust_pem,
            timestamp_trust_pem=self._timestamp_trust_pem,
            people_trust_pem=self._people_trust_pem,
        )

    def _known(self, sha256: str) -> _Known:
        if self._connection is None:
            return _NOBODY_ASKED
        record = records.find_image(self._connection, sha256=sha256)
        if record is None:
            return _Known(recognition=Recognition.UNKNOWN)
        return self._found(record, Recognition.BYTES)

    def _known_by_pixels(self, pixels: str, known: _Known) -> _Known:
        if self._connection is None:
            return known
        record = records.find_image(self._connection, pixels_sha256=pixels)
        return known if record is None else self._found(record, Recognition.PIXELS)

    def _known_by_likeness(self, picture: Picture, known: _Known) -> _Known:
        if self._images is None:
            return known
        near: list[Resemblance] = []
        found: list[_Known] = []
        for match, as_near, record in self._images.look_up(picture, at_least=_NEAR):
            found.append(self._found(record, Recognition.LIKENESS))
            near.append(
                Resemblance(
                    name=PurePosixPath(record.path).name,
                    entry=match.number,
                    match=match,
                    as_near=as_near,
                    credit=found[-1].credit,
                )
            )
        copies = [one for one in near if one.as_near]
        if not copies:
            return replace(known, near=tuple(near))
        agreed = len({one.credit for one in copies}) == 1
        return replace(found[0], near=tuple(near), credit=found[0].credit if agreed else None)

    def _known_as_change_map(self, path: Path, sha256: str, known: _Known) -> _Known:
        """Find the picture of a change map by the touch-up that it lies beside."""
        if self._connection is None or not path.stem.endswith(_CHANGE_MAP):
            return known
        stem = path.stem.removesuffix(_CHANGE_MAP)
        for beside in sorted(path.parent.glob(f"{glob.escape(stem)}.*")):
            record = records.find_image(self._connection, sha256=_hashed(beside)[0])
            changes = () if record is None else record.contributions
            if any(
                one.evidence.change and one.evidence.change.map_sha256 == sha256 for one in changes
            ):
                if record is None:
                    raise AssertionError("unreachable: it has contributions")
                return self._found(record, Recognition.BYTES)
        return known

    def _found(self, record: ImageRecord, recognition: Recognition) -> _Known:
        if self._connection is None:
            raise AssertionError("unreachable: a record was found")
        versions = records.backgrounds_with(self._connection, record.sha256)
        # The version that it is says more than those that stand on it.
        own = [one for one in versions if one.final.sha256 == record.sha256]
        version = next(reversed(own or versions), None)
        entry = None
        images: tuple[ImageRecord, ...] = (record,)
        lineage: tuple[tuple[int, ImageRecord], ...] = ()
        if version is not None:
            place = [image.sha256 for image in version.images].index(record.sha256)
            entry, images = version.ledger[place], version.images[: place + 1]
            lineage = tuple(zip(version.ledger, images, strict=False))
        try:
            credit = credit_line(images)
        except CreditError:
            # A layout alone, or work that waits for a name: there is no line to print yet.
            credit = None
        numbers = (
            number for image in images for number in records.entries_of(self._connection, image.key)
        )
        return _Known(
            recognition=recognition,
            record=record,
            version=version,
            entry=entry,
            entries=tuple(dict.fromkeys(numbers)),
            lineage=lineage,
            credit=credit,
        )

    def _of_marks(self, marks: FileMarks | None, known: _Known) -> list[Problem]:
        if marks is None:
            return []
        if marks.state is MarksState.BROKEN:
            codes = "; ".join(marks.failures) or "no code was given"
            return [broken(f"The marks of {marks.path.name} do not hold: {codes}.")]
        if known.record is not None and self._resigned(marks, known):
            return [resigned(marks, known.record, known.version, self._studio)]
        if marks.state is MarksState.UNTRUSTED:
            return [untrusted(marks, known.record, known.recognition)]
        # An artist's own drawing never bears marks: its copy does, and is what is recorded.
        drawing = known.record is not None and known.record.kind is ImageKind.LAYOUT
        if known.recognition is Recognition.PIXELS and not drawing:
            code = known.version.code if known.version else known.record and known.record.path
            return [
                Problem(
                    kind=ProblemKind.MARKS_STRIPPED,
                    message=(
                        f"{marks.path.name} shows the pixels of {code}, "
                        "but it is not the file that was published."
                    ),
                    advice="Deliver the published file; it holds the marks.",
                )
            ]
        missing = _sidecars_missing(marks.path)
        if missing and known.recognition is Recognition.BYTES and not drawing:
            return [
                Problem(
                    kind=ProblemKind.MARKS_STRIPPED,
                    message=f"{marks.path.name} is without the marks beside it: "
                    f"{' and '.join(missing)} missing.",
                    advice="Copy the published file together with its sidecars.",
                )
            ]
        return []

    def _resigned(self, marks: FileMarks, known: _Known) -> bool:
        """Tell whether pixels of ours came under the signature of somebody else."""
        if known.recognition is not Recognition.PIXELS:
            return False
        drawing = known.record is not None and known.record.kind is ImageKind.LAYOUT
        if drawing and not any(step.kind for step in marks.steps):
            # It may bear its maker's own marks, which are older than ours.
            return False
        if marks.state is MarksState.UNTRUSTED:
            return True
        if marks.state is not MarksState.TRUSTED or not self._own_trust_pem:
            return False
        # Somebody whom we trust with their own pictures signed one of ours.
        again = read_marks(
            marks.path,
            trust_pem=self._own_trust_pem,
            timestamp_trust_pem=self._timestamp_trust_pem,
        )
        return again.state is MarksState.UNTRUSTED

    def _named_later(self, marks: FileMarks | None, known: _Known) -> tuple[Contribution, ...]:
        if self._connection is None or marks is None or not _is_own(known):
            return ()
        try:
            return named_later(self._connection, marks, known.lineage)
        except LedgerError:
            return ()  # that the ledger does not hold is a problem of its own

    def _of_agreement(self, marks: FileMarks | None, known: _Known) -> list[Problem]:
        """Hold the marks of a file of ours against its sealed record."""
        if self._connection is None or marks is None or not _is_own(known):
            return []
        return [
            contradicts(marks, difference)
            for difference in disagreements(self._connection, marks, known.lineage)
        ]

    def _of_records(self, path: Path, known: _Known) -> list[Problem]:
        if known.record is None:
            if known.recognition is Recognition.UNKNOWN and self._declaration is None:
                return [
                    Problem(
                        kind=ProblemKind.UNRECORDED,
                        message=_nothing_known(path, known.near),
                        advice="For a vendor's delivery give --declare or --declaration.",
                    )
                ]
            return []
        if self._connection is None or known.entry is None:
            return []
        if not self._sealed(self._connection, known.entry, known.record.sha256):
            return [differs(f"Entry {known.entry} of the ledger is not what was sealed.")]
        return [
            differs(difference) for difference in differences(self._connection, only=known.entries)
        ]

    def _sealed(self, connection: Connection, number: int, sha256: str) -> bool:
        try:
            found = ledger_entry(connection, number)
        except LedgerError:
            return False
        return leaf_hash(found.payload) == found.leaf and f'"sha256":"{sha256}"' in found.payload

    def _of_declaration(
        self, marks: FileMarks | None, known: _Known, declared: str | None
    ) -> list[Problem]:
        if self._declaration is None or marks is None:
            return []
        proofs = [sign for sign in marks.ai_signs if sign.proof]
        # A likeness says nothing of what was done to the picture since.
        own = known.recognition in {Recognition.BYTES, Recognition.PIXELS}
        if own or not proofs or declared not in {None, NO_AI}:
            return []
        signs = "; ".join(f"{sign.what} ({sign.where})" for sign in proofs)
        declaration = "nothing was declared" if declared is None else "no AI was declared"
        return [
            Problem(
                kind=ProblemKind.UNDECLARED_AI,
                message=f"{marks.path.name} tells of a trained model: {signs}; {declaration}.",
                advice="Ask its maker; have the declaration corrected or the picture redrawn.",
            )
        ]

    def _unreadable(self, file: DeliveredFile, message: str) -> Examination:
        return Examination(
            path=file.path,
            sha256="",
            pixels_sha256="",
            size=0,
            marks=None,
            recognition=Recognition.NOT_ASKED,
            record=None,
            version=None,
            entry=None,
            credit=None,
            near=(),
            declared="",
            problems=(not_a_picture(message),),
            at=utc_now(),
        )


def _is_own(known: _Known) -> bool:
    """Tell whether it is byte for byte a published file, whose lineage is known."""
    if known.recognition is not Recognition.BYTES or known.record is None or not known.lineage:
        return False
    return known.record.sha256 == known.lineage[-1][1].sha256


def _of_likeness(path: Path, known: _Known) -> list[Problem]:
    """Return the finding about a changed copy."""
    if known.recognition is not Recognition.LIKENESS:
        return []
    first, *others = [one for one in known.near if one.as_near]
    message = f"{path.name} is a changed copy of {first.name}: {_how_near(first)}."
    if others:
        names = ", ".join(f"{one.name} (entry {one.entry})" for one in others)
        message += f" As near, so that likeness cannot tell which it is: {names}."
    return [
        Problem(
            kind=ProblemKind.CHANGED_COPY,
            message=message,
            advice="Deliver the published file; it holds the marks. Where it was painted over, "
            "publish it as a touch-up.",
        )
    ]


def _how_near(one: Resemblance) -> str:
    return (
        f"{one.match.bits} of {BITS} bits of its structure differ, and its colours by "
        f"{one.match.colour:.1f} of 255"
    )


def _nothing_known(path: Path, near: tuple[Resemblance, ...]) -> str:
    message = "The ledger knows neither these bytes nor these pixels"
    if not near:
        return f"{message}, nor any picture like them."
    first = near[0]
    return (
        f"{message}. {path.name} shows the drawing of {first.name} (entry {first.entry}) in other "
        f"colours, such as those of another season or time: {_how_near(first)}."
    )


def _hashed(path: Path) -> tuple[str, int]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return digest, stream.tell()


def _sidecars_missing(path: Path) -> tuple[str, ...]:
    """Return which sidecars a file of ours lacks, where its format cannot hold the marks."""
    if file_format(path).embeds:
        return ()
    beside = {MANIFEST_SUFFIX: manifest_beside(path), XMP_SUFFIX: xmp_beside(path)}
    return tuple(path.with_suffix(suffix).name for suffix, found in beside.items() if not found)
