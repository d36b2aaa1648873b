"""
Extract: the pictures leave the job's folder and are published, with all that belongs to them.

Everything is made in the job's folder first and listed there; only then is it published. A second
run publishes the very same bytes, whatever has changed in the tracker meanwhile.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from haikei.credits import (
    CreditLine,
    ImageKind,
    ImageRecord,
    SourceType,
    System,
    credit_line,
)
from haikei.images import read_picture, write_picture, write_review
from haikei.jobs.collect import Collected
from haikei.jobs.generate import Generated, GeneratedStage
from haikei.jobs.job import JobOrder
from haikei.jobs.sidecar import embedded_record, sidecar_text
from haikei.jobs.signature import Signer
from haikei.jobs.validate import Validated
from haikei.ledger import canonical_json
from haikei.settings import Settings
from haikei.storage import Storage
from haikei.trackers import StoredFile

#: Longer sides in pixels of what reviewers see.
REVIEW = 1920
THUMBNAIL = 480
_LIST = "extracted.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file in the job's folder and where it is published."""

    source: Path
    relative: PurePosixPath
    stage: str  #: the stage whose picture it is; empty for a sidecar
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """A background, published."""

    code: str
    version_number: int
    files: tuple[MadeFile, ...]  #: the background first, then earlier stages, then the sidecar
    stored: tuple[StoredFile, ...]  #: the same files, where they stand now
    review: Path
    thumbnail: Path
    images: tuple[ImageRecord, ...]  #: the layout, each earlier stage, the background
    credit: CreditLine
    system: str
    source_type: SourceType

    @property
    def record_sha256(self) -> str:
        """The hash of the background's record, which the ledger seals."""
        return hashlib.sha256(canonical_json(self.images[-1]).encode()).hexdigest()


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
    folder: Path,
    ordered_at: datetime,
) -> Extracted:
    """
    Publish the background, its earlier stages and its sidecar, below the first storage root.

    Raises:
        ImageUnreadable: a picture in the job's folder is damaged.
        CreditError: nobody is named for the layout.
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
            validated=validated,
            generated=generated,
            settings=settings,
            storage=storage,
            signer=signer,
            folder=folder,
            ordered_at=ordered_at,
            version=version,
        )
        made = work.make()
        _write(folder / _LIST, _EXTRACTED.dump_json(made))
    stored = tuple(storage.publish(file.source, file.relative) for file in made.files)
    return Extracted(
        code=made.code,
        version_number=made.version_number,
        files=made.files,
        stored=stored,
        review=made.review,
        thumbnail=made.thumbnail,
        images=made.images,
        credit=made.credit,
        system=made.system,
        source_type=made.source_type,
    )


def joined_source_type(systems: Sequence[System]) -> SourceType:
    """Return the one term for pictures that stand on each other: AI as soon as one stage is."""
    for system in reversed(systems):
        if system.source_type.is_ai:
            return system.source_type
    return systems[-1].source_type


def joined_system(systems: Sequence[System]) -> str:
    """Return the systems' names and versions, each once, in the order in which they ran."""
    names = dict.fromkeys(f"{system.name} {system.version}".strip() for system in systems)
    return ", ".join(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    order: JobOrder
    validated: Validated
    generated: Generated
    settings: Settings
    storage: Storage
    signer: Signer
    folder: Path
    ordered_at: datetime
    version: int

    def make(self) -> Extracted:
        stages = self.generated.stages
        last = stages[-1]
        relative = self.storage.background_path(
            place=self.order.place,
            season=self.order.season,
            time=self.order.time,
            version=self.version,
        )
        code = relative.stem
        systems = [stage.system for stage in stages]
        source_type = joined_source_type(systems)
        artists = self.validated.artists
        credit = credit_line(artists=artists, systems=systems, operator=None)
        picture = read_picture(last.path)
        background = self.folder / f"background{relative.suffix}"
        embedded = embedded_record(
            self.order,
            self.generated,
            code=code,
            artists=artists,
            credit=credit,
            source_type=source_type.value,
        )
        attributes = {"ImageDescription": credit.en, "haikei:record": embedded}
        write_picture(picture, background, attributes=attributes)
        review, thumbnail = self.folder / "review.jpg", self.folder / "thumbnail.jpg"
        write_review(picture, review, longest=REVIEW)
        write_review(picture, thumbnail, longest=THUMBNAIL)
        earlier = [self._earlier(stage) for stage in stages[:-1]]
        result = MadeFile(
            source=background, relative=relative, stage=last.stage, sha256=_sha256(background)
        )
        images = self._records(result, earlier)
        sidecar = self.folder / "record.json"
        text = sidecar_text(
            self.order,
            images,
            studio=self.settings.studio.name,
            code=code,
            credit=credit,
            source_type=source_type.value,
            signer=self.signer,
        )
        _write(sidecar, text.encode())
        beside = MadeFile(
            source=sidecar,
            relative=relative.with_name(f"{relative.name}.json"),
            stage="",
            sha256=_sha256(sidecar),
        )
        return Extracted(
            code=code,
            version_number=self.version,
            files=(result, *earlier, beside),
            stored=(),
            review=review,
            thumbnail=thumbnail,
            images=images,
            credit=credit,
            system=joined_system(systems),
            source_type=source_type,
        )

    def _earlier(self, stage: GeneratedStage) -> MadeFile:
        relative = self.storage.stage_path(
            place=self.order.place,
            season=self.order.season,
            time=self.order.time,
            version=self.version,
            stage=stage.stage,
            ext=stage.path.suffix.removeprefix("."),
        )
        return MadeFile(
            source=stage.path, relative=relative, stage=stage.stage, sha256=_sha256(stage.path)
        )

    def _records(self, result: MadeFile, earlier: Sequence[MadeFile]) -> tuple[ImageRecord, ...]:
        layout = read_picture(self.order.layout, max_mib=self.settings.watch.max_mib)
        records = [
            ImageRecord(
                key=f"{self.order.event_key}/layout",
                sha256=self.order.layout_sha256,
                pixels_sha256=layout.sha256(),
                kind=ImageKind.LAYOUT,
                parents=(),
                artists=self.validated.artists,
                system=None,
                operator=None,
                request_json="",
                path=str(self.order.layout),
                created_at=self.ordered_at,
            )
        ]
        parents: tuple[str, ...] = (self.order.layout_sha256,)
        for stage, file in zip(self.generated.stages, (*earlier, result), strict=True):
            last = file is result
            records.append(
                ImageRecord(
                    key=f"{self.order.key}/{'background' if last else stage.stage}",
                    sha256=file.sha256,
                    pixels_sha256=stage.pixels_sha256,
                    kind=ImageKind.BACKGROUND if last else ImageKind.GENERATION,
                    parents=parents,
                    artists=self.validated.artists,
                    system=stage.system,
                    operator=None,
                    request_json=stage.request_json,
                    path=str(file.relative),
                    created_at=stage.made_at,
                )
            )
            parents = (file.sha256, self.order.layout_sha256)
        return tuple(records)


def _made_before(folder: Path) -> Extracted | None:
    """Return what an earlier run made, when all of it still lies there."""
    try:
        made = _EXTRACTED.validate_json((folder / _LIST).read_bytes())
        whole = all(_sha256(file.source) == file.sha256 for file in made.files)
    except (OSError, ValidationError):
        return None
    there = made.review.is_file() and made.thumbnail.is_file()
    return made if whole and there else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.tmp")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
