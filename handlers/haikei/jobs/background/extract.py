"""
Extract: the pictures get their marks, leave the job's folder and are published with their record.

No signature is ever the same twice. Everything is therefore made in the job's folder first and
listed there; only then is it published. A second run publishes the very same bytes, whatever has
changed in the tracker meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from haikei.credits import Contribution, CreditLine, ImageKind, ImageRecord, Role
from haikei.files import sha256_of
from haikei.images import Picture, decode_picture, read_picture, resize, write_picture, write_review
from haikei.images.limits import Limits
from haikei.jobs.background.collect import Collected
from haikei.jobs.background.generate import Generated, GeneratedStage
from haikei.jobs.background.validate import Validated
from haikei.jobs.chain import Chain, Link, marked_copy, own_copy
from haikei.jobs.contributions import drawing, layout_image, lines_kept, retake, stage_image
from haikei.jobs.job import JobOrder
from haikei.jobs.previews import keep_card
from haikei.jobs.sidecar import sidecar_text, write_job_file
from haikei.ledger import Signer
from haikei.provenance import MarkSigner
from haikei.settings import Settings, Unnamed
from haikei.show import StoredFile
from haikei.storage import Storage

#: Longer sides in pixels of what reviewers see.
REVIEW = 1920
THUMBNAIL = 480
#: What the marked copy of the layout is called among the stages.
LAYOUT = "layout"
_LIST = "extracted.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file in the job's folder and where it is published."""

    source: Path
    relative: PurePosixPath
    sha256: str
    stage: str  #: the stage whose picture it is; empty for what belongs to the pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """A background, published."""

    code: str
    version_number: int
    files: tuple[MadeFile, ...]  #: the background first, then earlier stages, then all else
    stored: tuple[StoredFile, ...]  #: the same files, where they stand now
    record: PurePosixPath  #: where the signed record stands
    review: Path
    thumbnail: Path
    images: tuple[ImageRecord, ...]  #: the layout, each earlier stage, the background
    credit: CreditLine


_EXTRACTED = TypeAdapter(Extracted)


def extract(
    order: JobOrder,
    collected: Collected,
    validated: Validated,
    generated: Generated,
    *,
    settings: Settings,
    storage: Storage,
    signer: Signer,
    marks: MarkSigner,
    folder: Path,
    ordered_at: datetime,
) -> Extracted:
    """
    Publish the background, its earlier stages and its record, below the first storage root.

    Raises:
        ImageUnreadable: a picture in the job's folder is damaged.
        LayoutChanged: the layout is not any more the file that was announced.
        CreditError: human work is not named.
        MarksError: a file cannot be marked, or marks below it do not hold.
        StorageError: a file cannot be published.
    """
    made = _made_before(folder)
    if made is None:
        version = storage.claim_version(
            place=order.place,
            stream=order.stream,
            key=order.key,
            at_least=collected.context.latest_version,
        )
        work = _Work(
            order=order,
            collected=collected,
            validated=validated,
            generated=generated,
            settings=settings,
            storage=storage,
            signer=signer,
            marks=marks,
            folder=folder,
            ordered_at=ordered_at,
            version=version,
        )
        made = work.make()
        write_job_file(folder / _LIST, _EXTRACTED.dump_json(made))
    stored = tuple(storage.publish(file.source, file.relative) for file in made.files)
    return replace(made, stored=stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    order: JobOrder
    collected: Collected
    validated: Validated
    generated: Generated
    settings: Settings
    storage: Storage
    signer: Signer
    marks: MarkSigner
    folder: Path
    ordered_at: datetime
    version: int

    @property
    def unnamed(self) -> bool:
        return self.settings.policy.unnamed_layouts is Unnamed.ALLOW

    @property
    def marked(self) -> Path:
        return self.folder / "marked"

    def make(self) -> Extracted:
        self.marked.mkdir(exist_ok=True)
        copy = own_copy(self.order.layout, self.order.layout_sha256, self.folder)
        drawn = read_picture(copy, limits=Limits.from_settings(self.settings))
        chain = Chain(self.marks, unnamed=self.unnamed)
        chain.put(self._layout(copy, drawn))
        *earlier, last = self.generated.stages
        for stage in earlier:
            image = stage_image(
                stage,
                read_picture(stage.path),
                key=f"{self.order.key}/{stage.stage}",
                kind=ImageKind.GENERATION,
                path=str(self._stage_path(stage.stage, stage.path.suffix)),
            )
            target = self.marked / f"{stage.stage}{stage.path.suffix}"
            title = PurePosixPath(image.path).stem
            chain.mark(image, source=stage.path, target=target, title=title)
        picture = decode_picture(last.path).picture
        background = self._background(chain, last, drawn, picture)
        review, thumbnail = self.folder / "review.jpg", self.folder / "thumbnail.jpg"
        write_review(picture, review, longest=REVIEW)
        write_review(picture, thumbnail, longest=THUMBNAIL)
        keep_card(picture, background.image.sha256, state=self.settings.studio.state)
        path = PurePosixPath(background.image.path)
        record = path.with_name(f"{path.name}.json")
        names = [stage.stage for stage in earlier]
        layout, *generations, _ = chain.links
        return Extracted(
            code=path.stem,
            version_number=self.version,
            files=(
                *_published([background, *generations], [last.stage, *names]),
                *_published([layout], [""]),
                self._record(chain, path.stem, record),
            ),
            stored=(),
            record=record,
            review=review,
            thumbnail=thumbnail,
            images=chain.images,
            credit=chain.credit,
        )

    def _layout(self, copy: Path, drawn: Picture) -> Link:
        order = self.order
        image = layout_image(
            key=f"{order.event_key}/layout",
            sha256=order.layout_sha256,
            drawn=drawn,
            source_type=self.validated.source_type,
            drawn_by=drawing(
                self.validated.artists,
                role=self._role,
                source=self.collected.context.artist_source or "tracker",
                at=self.ordered_at,
            ),
            path=str(self._stage_path(LAYOUT, copy.suffix)),
            at=self.ordered_at,
        )
        return marked_copy(
            image,
            copy=copy,
            title=order.layout.stem,
            chain=Chain(self.marks, unnamed=self.unnamed),
            storage=self.storage,
            folder=self.marked,
        )

    def _background(
        self, chain: Chain, last: GeneratedStage, drawn: Picture, picture: Picture
    ) -> Link:
        relative = self.storage.background_path(
            place=self.order.place,
            season=self.order.season,
            time=self.order.time,
            version=self.version,
        )
        source, hashed = last.path, last
        if relative.suffix != last.path.suffix:
            source = self.folder / f"unmarked{relative.suffix}"
            write_picture(picture, source)
            # Half floats do not hold every one of the sixteen bits that a stage has.
            hashed = replace(last, pixels_sha256=decode_picture(source).picture.sha256())
        image = stage_image(
            hashed,
            picture,
            key=f"{self.order.key}/background",
            kind=ImageKind.BACKGROUND,
            path=str(relative),
            others=(*self._lines_kept(last, drawn, picture), *self._asked_for()),
        )
        target = self.marked / f"background{relative.suffix}"
        return chain.mark(image, source=source, target=target, title=relative.stem)

    def _lines_kept(
        self, last: GeneratedStage, drawn: Picture, picture: Picture
    ) -> tuple[Contribution, ...]:
        from haikei.measure import line_recall

        if (drawn.width, drawn.height) != (picture.width, picture.height):
            drawn = resize(drawn, picture.width, picture.height)
        recall = line_recall(drawn, picture)
        return lines_kept(self.validated.artists, role=self._role, recall=recall, at=last.made_at)

    def _asked_for(self) -> tuple[Contribution, ...]:
        asked = self.order.retake
        if asked is None:
            return ()
        return retake(asked, people=self.settings.people, at=self.ordered_at)

    def _record(self, chain: Chain, code: str, relative: PurePosixPath) -> MadeFile:
        path = self.folder / "record.json"
        text = sidecar_text(
            chain.images,
            studio=self.settings.studio.name,
            key=self.order.key,
            code=code,
            credit=chain.credit,
            signer=self.signer,
        )
        write_job_file(path, text.encode())
        return _made(path, relative)

    def _stage_path(self, stage: str, ending: str) -> PurePosixPath:
        return self.storage.stage_path(
            place=self.order.place,
            season=self.order.season,
            time=self.order.time,
            version=self.version,
            stage=stage,
            ext=ending.removeprefix("."),
        )

    @property
    def _role(self) -> Role:
        return Role(self.settings.credits.layout_role)


def _published(links: Sequence[Link], stages: Sequence[str]) -> tuple[MadeFile, ...]:
    """Return the links' pictures in their order, and after them what belongs beside them."""
    pictures = [
        _made(link.path, PurePosixPath(link.image.path), stage)
        for link, stage in zip(links, stages, strict=True)
    ]
    beside = [
        _made(path, PurePosixPath(link.image.path).with_suffix(path.suffix))
        for link in links
        for path in link.beside
    ]
    return (*pictures, *beside)


def _made(source: Path, relative: PurePosixPath, stage: str = "") -> MadeFile:
    return MadeFile(source=source, relative=relative, sha256=sha256_of(source), stage=stage)


def _made_before(folder: Path) -> Extracted | None:
    """Return what an earlier run made, when all of it still lies there."""
    try:
        made = _EXTRACTED.validate_json((folder / _LIST).read_bytes())
        whole = all(sha256_of(file.source) == file.sha256 for file in made.files)
    except (OSError, ValidationError):
        return None
    there = made.review.is_file() and made.thumbnail.is_file()
    return made if whole and there else None
