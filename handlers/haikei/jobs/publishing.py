"""
The files of one version, of a background or a touch-up: made in the job's folder, then published.

No signature is ever the same twice. Everything is therefore made in the job's folder first and
listed there; only then is it published. A second run publishes the very same bytes, whatever has
changed in the tracker meanwhile.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from haikei.canonical import canonical_json
from haikei.credits import CreditLine, ImageKind, ImageRecord, Person, overall_source_type
from haikei.errors import LedgerError, StorageUnavailable
from haikei.files import sha256_of, write_whole
from haikei.images import Picture, read_picture, write_review
from haikei.jobs.chain import Chain, Link
from haikei.jobs.page_inputs import keep_card
from haikei.jobs.tools import Tools
from haikei.ledger import Signer
from haikei.provenance.formats import MANIFEST_SUFFIX, XMP_SUFFIX

#: Longer sides in pixels of what reviewers see.
REVIEW = 1920
THUMBNAIL = 480
#: What the marked copy of the layout is called among the stages.
LAYOUT = "layout"
#: Of the signed record beside a picture.
FORMAT = 2
_LIST = "made.json"
#: What stands before the record and between it and its signature, in the file beside a picture.
_RECORD, _SIGNED = '{"record":', ',"signature":'


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file in the job's folder and where it is published."""

    source: Path
    relative: PurePosixPath  #: below the first storage root
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePicture:
    """A marked picture, and the sidecars that its format needs."""

    stage: str  #: the stage that made it, `layout`, or `touch_up`
    file: MadeFile
    beside: tuple[MadeFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeVersion:
    """All files of a version in the job's folder, and its record."""

    code: str
    version_number: int
    background: MadePicture
    generations: tuple[MadePicture, ...]  #: of earlier stages; none of a touch-up
    layout: MadePicture | None  #: None of a touch-up, which stands on its parent
    change_map: MadeFile | None  #: what a touch-up changed; None of a background
    record: MadeFile
    images: tuple[ImageRecord, ...]  #: the whole lineage, the version's own image last
    credit: CreditLine
    unread: float | None = None  #: part of the layout that was not read; None: nobody counted
    notes: tuple[str, ...] = ()  #: what its generators had to say

    @property
    def files(self) -> tuple[MadeFile, ...]:
        """Every file, the background's picture last: whoever sees it finds what belongs to it."""
        layout = () if self.layout is None else (self.layout,)
        pictures = (*layout, *self.generations, self.background)
        return (
            self.record,
            *(() if self.change_map is None else (self.change_map,)),
            *(file for picture in pictures for file in picture.beside),
            *(picture.file for picture in pictures),
        )


_MADE = TypeAdapter(MadeVersion)


def made_before(folder: Path) -> MadeVersion | None:
    """Return what an earlier run made in this folder, when all of it is still there and whole."""
    try:
        made = _MADE.validate_json((folder / _LIST).read_bytes())
        whole = all(sha256_of(file.source) == file.sha256 for file in made.files)
    except (OSError, ValidationError):
        return None
    return made if whole else None


def make_version(
    chain: Chain,
    picture: Picture,
    *,
    key: str,
    version: int,
    stages: Sequence[str],
    change_map: Path | None = None,
    unread: float | None = None,
    notes: tuple[str, ...] = (),
    tools: Tools,
    folder: Path,
) -> MadeVersion:
    """
    Write what belongs beside marked pictures, and list all of it in the job's folder.

    Args:
        chain: the marked pictures, the version's own last.
        picture: the pixels of the last one.
        key: the version's, in our database.
        version: its number.
        stages: what made each picture of the chain.
        change_map: a picture of what a touch-up changed.
        unread: the part of the layout that was not read.
        notes: what the generators had to say.
        tools: the studio's.
        folder: the job's own.

    Raises:
        CreditError: human work is not named.
        StorageUnavailable: the folder does not take the files.
    """
    *earlier, background = (
        _picture(link, stage) for link, stage in zip(chain.links, stages, strict=True)
    )
    path = background.file.relative
    _write_reviews(picture, folder)
    keep_card(picture, background.file.sha256, state=tools.settings.work_folder)
    record = folder / "record.json"
    _write(record, _record_text(chain, key=key, code=path.stem, tools=tools).encode())
    mapped = path.with_name(f"{path.stem}_change.png")
    made = MadeVersion(
        code=path.stem,
        version_number=version,
        background=background,
        generations=tuple(one for one in earlier if one.stage != LAYOUT),
        layout=next((one for one in earlier if one.stage == LAYOUT), None),
        change_map=None if change_map is None else _file(change_map, mapped),
        record=_file(record, path.with_name(f"{path.name}.json")),
        images=chain.images,
        credit=chain.credit,
        unread=unread,
        notes=notes,
    )
    write_list(made, folder)
    return made


def publish_files(made: MadeVersion, tools: Tools) -> None:
    """
    Publish all files of a version; those that are there already stay as they are.

    Raises:
        StorageError: a file cannot be published.
    """
    for file in made.files:
        tools.storage.publish(file.source, file.relative)


def review_pictures(picture: PurePosixPath, tools: Tools, folder: Path) -> tuple[Path, Path]:
    """
    Return what reviewers look at, flattened: `REVIEW` and `THUMBNAIL` pixels on the longer side.

    It is made again where a crash or a clean-up took it.

    Args:
        picture: the published one, below the first storage root.
        tools: the studio's.
        folder: the job's own.

    Raises:
        ImageUnreadable: the published picture is damaged.
        StorageUnavailable: the storage is away.
    """
    found = _reviews(folder)
    if not all(path.is_file() for path in found):
        folder.mkdir(parents=True, exist_ok=True)
        path = tools.storage.published(picture)
        _write_reviews(read_picture(path, limits=tools.limits), folder)
    return found


def _reviews(folder: Path) -> tuple[Path, Path]:
    return folder / "review.jpg", folder / "thumbnail.jpg"


def _write_reviews(picture: Picture, folder: Path) -> None:
    review, thumbnail = _reviews(folder)
    write_review(picture, review, longest=REVIEW)
    write_review(picture, thumbnail, longest=THUMBNAIL)


def _picture(link: Link, stage: str) -> MadePicture:
    relative = PurePosixPath(link.image.path)
    beside = tuple(_file(path, relative.with_suffix(path.suffix)) for path in link.beside)
    # It was hashed when it was made.
    file = MadeFile(source=link.path, relative=relative, sha256=link.image.sha256)
    return MadePicture(stage=stage, file=file, beside=beside)


def _file(source: Path, relative: PurePosixPath) -> MadeFile:
    return MadeFile(source=source, relative=relative, sha256=sha256_of(source))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRecord:
    """What is signed and published beside a version's picture."""

    v: int
    studio: str
    job: str  #: the version's key
    code: str
    credit: CreditLine
    source_type: str
    images: tuple[ImageRecord, ...]


_SEALED = TypeAdapter(SealedRecord)


def read_record(path: Path, signer: Signer) -> SealedRecord:
    """
    Return the record that stands beside a published picture.

    Raises:
        LedgerError: it is none, is not signed by the studio's key, or was changed.
        StorageUnavailable: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be read: {error}.") from error
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path} is no record of a version.") from error
    record, found, signature = text.rpartition(_SIGNED)
    if not found or not record.startswith(_RECORD):
        raise LedgerError(f"{path} is no record of a version.")
    record = record.removeprefix(_RECORD)
    if signature.removesuffix("}") != canonical_json(signer.sign(record)):
        raise LedgerError(
            f"{path} is not signed by the studio's key.",
            advice="It was changed, or another studio or an earlier key signed it.",
        )
    try:
        sealed = _SEALED.validate_json(record)
    except ValidationError as error:
        raise LedgerError(f"{path} is of a form that this Haikei cannot read.") from error
    if sealed.v != FORMAT or not sealed.images:
        raise LedgerError(f"{path} is a record of form {sealed.v}; this Haikei reads {FORMAT}.")
    return sealed


def make_from_published(
    sealed: SealedRecord, picture: PurePosixPath, version: int, root: Path
) -> MadeVersion:
    """
    Return what a version's files were made as, with the published ones in their place.

    Args:
        sealed: its record.
        picture: where it was published, below the root.
        version: its number.
        root: the first storage root.

    Raises:
        OSError: one of its files is not there.
    """
    final = sealed.images[-1]
    own = tuple(one for one in sealed.images if one.key.rpartition("/")[0] == sealed.job)
    layouts = [one for one in sealed.images if one.kind is ImageKind.LAYOUT]
    touched = final.kind is ImageKind.TOUCH_UP
    change = picture.with_name(f"{picture.stem}_change.png")
    return MadeVersion(
        code=sealed.code,
        version_number=version,
        background=_as_published(final, root),
        generations=tuple(
            _as_published(one, root) for one in own if one.kind is ImageKind.GENERATION
        ),
        layout=None if touched or not layouts else _as_published(layouts[0], root),
        change_map=_file(root / change, change) if (root / change).is_file() else None,
        record=_file(root / f"{picture}.json", picture.with_name(f"{picture.name}.json")),
        images=sealed.images,
        credit=sealed.credit,
    )


def _as_published(image: ImageRecord, root: Path) -> MadePicture:
    relative = PurePosixPath(image.path)
    stage = LAYOUT if image.kind is ImageKind.LAYOUT else _stage_of(image)
    sidecars = (relative.with_suffix(one) for one in (MANIFEST_SUFFIX, XMP_SUFFIX))
    return MadePicture(
        stage=stage,
        file=_file(root / relative, relative),
        beside=tuple(_file(root / one, one) for one in sidecars if (root / one).is_file()),
    )


def _stage_of(image: ImageRecord) -> str:
    asked = json.loads(image.request_json) if image.request_json else {}
    return str(asked.get("stage") or image.kind.value)


def write_list(made: MadeVersion, folder: Path) -> None:
    """
    List in a job's folder what was made, so that a run of the job publishes these very files.

    Raises:
        StorageUnavailable: the folder does not take it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _LIST, _MADE.dump_json(made))


def _record_text(chain: Chain, *, key: str, code: str, tools: Tools) -> str:
    """
    Return the full record and the signature over its canonical JSON, as one JSON object.

    The record stands in canonical form, so that what was signed can be cut out as it is.
    """
    record = canonical_json(
        SealedRecord(
            v=FORMAT,
            studio=tools.settings.studio.name,
            job=key,
            code=code,
            credit=chain.credit,
            source_type=overall_source_type(chain.images).value,
            images=tuple(map(_as_printed, chain.images)),
        )
    )
    signature = canonical_json(tools.signer.sign(record))
    return f"{_RECORD}{record}{_SIGNED}{signature}}}\n"


def _as_printed(image: ImageRecord) -> ImageRecord:
    """Return a record without the names of people who do not want to be named."""
    return replace(
        image,
        contributions=tuple(
            replace(one, actor=replace(one.actor, name="", name_ja=""))
            if isinstance(one.actor, Person) and one.actor.opt_out
            else one
            for one in image.contributions
        ),
    )


def _write(path: Path, content: bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise StorageUnavailable(f"{path} cannot be written: {error}.") from error
