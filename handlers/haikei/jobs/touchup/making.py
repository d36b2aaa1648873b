"""
Make a touch-up's files: the marked picture, what was changed, its record.

No signature is ever the same twice: everything is made in a folder of ours and listed there, and a
second run publishes the very same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from haikei.credits import (
    Contribution,
    CreditLine,
    ImageKind,
    ImageRecord,
    Ingredient,
    Person,
    Relation,
    SourceType,
    credit_line,
    overall_source_type,
)
from haikei.errors import CreditError, ParentUnknown
from haikei.files import sha256_of
from haikei.fingerprint import fingerprint_text
from haikei.images import Picture, read_picture, write_review
from haikei.jobs.background.extract import REVIEW, THUMBNAIL, MadeFile
from haikei.jobs.background.validate import require_whole
from haikei.jobs.chain import own_copy
from haikei.jobs.job import TouchUpOrder
from haikei.jobs.previews import keep_card
from haikei.jobs.sidecar import sidecar_text, write_job_file
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.painter import generative_fill, painting
from haikei.jobs.touchup.parent import Parent, read_own
from haikei.measure import MeasuredChange, measure_change, write_change_map
from haikei.provenance import MarkedIngredient, MarkRequest, mark
from haikei.settings import Settings, Unnamed

_LIST = "touch_up.json"
_REVIEW, _THUMBNAIL = "review.jpg", "thumbnail.jpg"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTouchUp:
    """A touch-up in a folder of ours, and where its files are published."""

    code: str
    version_number: int
    files: tuple[MadeFile, ...]  #: the picture first, then its sidecars, map and record
    images: tuple[ImageRecord, ...]  #: the parent's, and the touch-up's own last


_MADE = TypeAdapter(MadeTouchUp)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examined:
    """A paint-over, compared with the version that it is on."""

    parent: Parent
    copy: Path  #: of the artist's file, in a folder of ours
    sha256: str  #: of the artist's file
    picture: Picture
    measured: MeasuredChange
    ai_found: str  #: what the file says of a trained model, beyond what the parent says


def examine(
    order: TouchUpOrder, parent: Parent, sha256: str, *, tools: Tools, folder: Path
) -> Examined:
    """
    Compare an artist's file with the version that it is said to be painted over.

    Args:
        order: what was said of it.
        parent: the version.
        sha256: of the artist's file, by which it is known that it stays the same.
        tools: the studio's.
        folder: of ours; the copy that everything is made from goes there.

    Raises:
        ParentUnknown: it shows another drawing.
        ImageUnreadable: it is no picture, or damaged.
        LayoutChanged: the file changed meanwhile.
        MarksBroken: it carries marks that do not hold.
    """
    copy = own_copy(order.file, sha256, folder)
    limits = tools.limits
    picture = read_picture(copy, limits=limits)
    marks = read_own(copy, tools)
    require_whole(marks)
    before = read_picture(parent.path, limits=limits)
    measured = measure_change(before, picture)
    code = parent.version.code
    if not measured.related:
        alike = measured.similarity_ppm / 10_000
        raise ParentUnknown(
            f"{order.file.name} does not show what {code} shows: of what is drawn {alike:.1f} % is "
            "alike.",
            advice="Name the version that was painted over, or publish it as a layout of its own.",
        )
    known = {sign.what for sign in parent.marks.ai_signs}
    new = [sign.what for sign in marks.ai_signs if sign.proof and sign.what not in known]
    return Examined(
        parent=parent,
        copy=copy,
        sha256=sha256,
        picture=picture,
        measured=measured,
        ai_found=", ".join(dict.fromkeys(new)),
    )


def make(
    order: TouchUpOrder,
    examined: Examined,
    artist: Person,
    *,
    key: str,
    version: int,
    at: datetime,
    tools: Tools,
    folder: Path,
) -> MadeTouchUp:
    """
    Make all files of a touch-up in a folder of ours; nothing is published yet.

    Raises:
        CreditError: human work in the lineage is not named.
        MarksError: the picture cannot be marked, or marks below it do not hold.
        SigningUnavailable: the time-stamp authority or key service is away.
        StorageUnavailable: the folder does not take the files.
    """
    work = _Work(
        order=order,
        examined=examined,
        artist=artist,
        key=key,
        version=version,
        at=at,
        tools=tools,
        folder=folder,
    )
    made = work.make()
    write_job_file(folder / _LIST, _MADE.dump_json(made))
    return made


def made_before(folder: Path) -> MadeTouchUp | None:
    """Return what an earlier run made, when all of it still lies there."""
    try:
        made = _MADE.validate_json((folder / _LIST).read_bytes())
        whole = all(sha256_of(file.source) == file.sha256 for file in made.files)
    except (OSError, ValidationError):
        return None
    return made if whole else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    order: TouchUpOrder
    examined: Examined
    artist: Person
    key: str
    version: int
    at: datetime
    tools: Tools
    folder: Path

    def make(self) -> MadeTouchUp:
        parent, copy = self.examined.parent, self.examined.copy
        relative = self.tools.storage.touch_up_path(
            place=parent.place,
            season=parent.version.season,
            time=parent.version.time,
            version=self.version,
            ext=copy.suffix.removeprefix("."),
        )
        shown = self.examined.picture
        change_map = self.folder / "change.png"
        map_sha256 = write_change_map(self.examined.measured, shown, change_map)
        image = self._image(relative, self._contributions(map_sha256))
        images = (*parent.version.images, image)
        credit = credit_of(images, self.tools.settings)
        marked = mark(self._request(relative, image, images, credit), self.tools.marks())
        image = replace(image, sha256=sha256_of(marked.path))
        images = (*parent.version.images, image)
        write_reviews(shown, self.folder)
        keep_card(shown, image.sha256, state=self.tools.settings.studio.state)
        record = self.folder / "record.json"
        text = sidecar_text(
            images,
            studio=self.tools.settings.studio.name,
            key=self.key,
            code=relative.stem,
            credit=credit,
            signer=self.tools.signer,
        )
        write_job_file(record, text.encode())
        beside = [path for path in (marked.manifest, marked.xmp) if path is not None]
        return MadeTouchUp(
            code=relative.stem,
            version_number=self.version,
            files=(
                _made(marked.path, relative),
                *(_made(path, relative.with_suffix(path.suffix)) for path in beside),
                _made(change_map, relative.with_name(f"{relative.stem}_change.png")),
                _made(record, relative.with_name(f"{relative.name}.json")),
            ),
            images=images,
        )

    def _contributions(self, map_sha256: str) -> tuple[Contribution, ...]:
        measured = self.examined.measured
        painted = painting(
            self.artist,
            of=self.examined.parent.version.code,
            order=self.order,
            change=replace(measured.change, map_sha256=map_sha256),
            sha256=self.examined.sha256,
            at=self.at,
        )
        if not (self.order.used_generative_fill or self.examined.ai_found):
            return (painted,)
        return (painted, generative_fill(self.order, self.examined.ai_found, self.at))

    def _image(
        self, relative: PurePosixPath, contributions: tuple[Contribution, ...]
    ) -> ImageRecord:
        ai = any(one.role.is_tool for one in contributions)
        parent = self.examined.parent.version.final.sha256
        return ImageRecord(
            key=f"{self.key}/touch_up",
            sha256="",
            pixels_sha256=self.examined.picture.sha256(),
            kind=ImageKind.TOUCH_UP,
            source_type=SourceType.COMPOSITE_TRAINED if ai else SourceType.HUMAN_EDITS,
            ingredients=(Ingredient(sha256=parent, relation=Relation.PARENT),),
            contributions=contributions,
            request_json="",
            path=str(relative),
            created_at=self.at,
            fingerprint=fingerprint_text(self.examined.picture),
        )

    def _request(
        self,
        relative: PurePosixPath,
        image: ImageRecord,
        images: Sequence[ImageRecord],
        credit: CreditLine,
    ) -> MarkRequest:
        parent = self.examined.parent
        below = MarkedIngredient(
            path=parent.path, relation=Relation.PARENT, title=parent.version.code
        )
        return MarkRequest(
            source=self.examined.copy,
            target=self.folder / f"marked{self.examined.copy.suffix}",
            title=relative.stem,
            kind=image.kind,
            source_type=image.source_type,
            overall_source_type=overall_source_type(images),
            contributions=image.contributions,
            credited=tuple(one for each in images for one in each.contributions),
            credit=credit,
            ingredients=(below,),
            request_json="",
            oversight="prompt_guided" if image.source_type.is_ai else "human_validated",
            at=self.at,
        )


def credit_of(images: Sequence[ImageRecord], settings: Settings) -> CreditLine:
    """
    Return the credit line of a lineage; empty where the studio lets layouts go unnamed.

    Raises:
        CreditError: human work is not named.
    """
    try:
        return credit_line(images)
    except CreditError:
        if settings.policy.unnamed_layouts is Unnamed.ALLOW:
            return CreditLine(en="", ja="")
        raise


def write_reviews(picture: Picture, folder: Path) -> tuple[Path, Path]:
    """Write what reviewers look at, flattened and small, and return the two files."""
    review, thumbnail = folder / _REVIEW, folder / _THUMBNAIL
    write_review(picture, review, longest=REVIEW)
    write_review(picture, thumbnail, longest=THUMBNAIL)
    return review, thumbnail


def reviewed(folder: Path) -> tuple[Path, Path] | None:
    """Return what reviewers look at, when both files lie there."""
    found = folder / _REVIEW, folder / _THUMBNAIL
    return found if all(path.is_file() for path in found) else None


def _made(source: Path, relative: PurePosixPath) -> MadeFile:
    return MadeFile(source=source, relative=relative, sha256=sha256_of(source), stage="")
