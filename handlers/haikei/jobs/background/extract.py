"""Extract: the pictures get their marks and are published with their record."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import TypeAdapter

from haikei.canonical import canonical_json
from haikei.credits import ImageKind, ImageRecord, Role, people
from haikei.credits.records.confirmations import disowned_artists
from haikei.database import reading
from haikei.generators import StageOutput, layers_of
from haikei.images import Picture, decode_picture, light_space, write_layered, write_picture
from haikei.jobs.background.collect import Collected
from haikei.jobs.background.generate import Generated
from haikei.jobs.background.validate import Validated
from haikei.jobs.chain import Chain, Link, marked_copy
from haikei.jobs.contributions import (
    drawing,
    layout_image,
    layout_key,
    lines_kept,
    made_elsewhere,
    retake,
    stage_image,
)
from haikei.jobs.job import JobOrder
from haikei.jobs.publishing import LAYOUT, MadeVersion, made_before, make_version, publish_files
from haikei.jobs.tools import Tools

#: What the layered file of a background is called among the stages.
BOOKS = "books"
_REQUEST: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def extract(
    order: JobOrder,
    collected: Collected,
    validated: Validated,
    generated: Generated,
    *,
    tools: Tools,
    ordered_at: datetime,
) -> MadeVersion:
    """
    Publish the background, its earlier stages and its record, below the first storage root.

    Raises:
        ImageUnreadable: a picture in the job's folder is damaged.
        CreditError: human work is not named.
        MarksError: a file cannot be marked, or marks below it do not hold.
        StorageError: a file cannot be published.
    """
    made = made_before(tools.folder(order.key))
    if made is None:
        version = tools.storage.claim_version(
            place=order.place,
            stream=order.stream,
            key=order.key,
            at_least=collected.context.latest_version,
        )
        made = _Work(
            order=order,
            validated=validated,
            generated=generated,
            tools=tools,
            ordered_at=ordered_at,
            version=version,
        ).make()
    publish_files(made, tools)
    return made


def _decoded(path: Path) -> Picture:
    return decode_picture(path).picture


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    order: JobOrder
    validated: Validated
    generated: Generated
    tools: Tools
    ordered_at: datetime
    version: int

    def make(self) -> MadeVersion:
        self.marked.mkdir(exist_ok=True)
        with reading(self.tools.database) as connection:
            withdrawn = people.withdrawn(connection)
        chain = Chain(self.tools.marks(), unnamed=self.tools.unnamed, withdrawn=withdrawn)
        chain.put(self._layout(chain))
        *earlier, last = self.generated.stages
        for stage in earlier:
            image = stage_image(
                stage,
                partial(_decoded, stage.path),
                key=f"{self.order.key}/{stage.stage}",
                kind=ImageKind.GENERATION,
                path=self._stage_path(stage.stage, stage.path.suffix),
            )
            target = self.marked / f"{stage.stage}{stage.path.suffix}"
            chain.mark(image, source=stage.path, target=target)
        picture = decode_picture(last.path).picture
        if last.layers:
            self._mark_layered(chain, last)
        self._mark_background(chain, last, picture)
        return make_version(
            chain,
            picture,
            key=self.order.key,
            version=self.version,
            stages=(
                LAYOUT,
                *(stage.stage for stage in earlier),
                *((BOOKS,) if last.layers else ()),
                last.stage,
            ),
            unread=self.generated.unread,
            notes=self.generated.notes,
            tools=self.tools,
            folder=self.folder,
        )

    def _layout(self, chain: Chain) -> Link:
        order, copy, system = self.order, self.validated.copy, self.validated.made_with
        signs, at = self.validated.signs, self.ordered_at
        made = None if system is None else made_elsewhere(system, signs=signs, at=at)
        image = layout_image(
            key=f"{layout_key(order)}{self.validated.key_suffix}{self._withdrawn()}",
            sha256=order.layout_sha256,
            pixels_sha256=self.generated.layout_pixels_sha256,
            fingerprint=self.generated.layout_fingerprint,
            source_type=self.validated.source_type,
            drawn_by=(
                *drawing(
                    self.validated.artists,
                    role=self._role,
                    evidence=self.validated.drawn_by,
                    at=self.ordered_at,
                    grade=self.validated.grade,
                ),
                *(() if made is None else (made,)),
            ),
            path=self._stage_path(LAYOUT, copy.suffix),
            at=self.ordered_at,
        )
        return marked_copy(
            self._as_printed(image),
            copy=copy,
            title=order.layout.stem,
            # Another background's job may have made the copy that all of them stand on.
            chain=Chain(chain.signer, unnamed=self.tools.unnamed),
            storage=self.tools.storage,
            folder=self.marked,
        )

    def _withdrawn(self) -> str:
        """Return what the layout's key ends in where an earlier copy names somebody wrongly."""
        ids = [one.id for one in self.validated.artists]
        with reading(self.tools.database) as connection:
            entry = people.last_withdrawal(connection, ids)
            disowned = disowned_artists(connection, layout_key(self.order))
        # Another copy is made, for all backgrounds from then on.
        withdrawn = "" if entry is None else f"/withdrawn-{entry}"
        return f"{withdrawn}/disowned-{len(disowned)}" if disowned else withdrawn

    def _mark_layered(self, chain: Chain, last: StageOutput) -> None:
        """Mark the background as one layered file, of which the flat one is what is seen."""
        source = self.folder / f"{BOOKS}.psd"
        write_layered(layers_of(last.layers), source)
        asked = _REQUEST.validate_json(last.request_json)
        text = canonical_json({**asked, "stage": BOOKS})
        digest = hashlib.sha256(text.encode()).hexdigest()
        image = stage_image(
            replace(last, request_json=text, request_sha256=digest),
            partial(_decoded, last.path),
            key=f"{self.order.key}/{BOOKS}",
            kind=ImageKind.GENERATION,
            path=self._stage_path(BOOKS, source.suffix),
        )
        chain.mark(image, source=source, target=self.marked / source.name)

    def _mark_background(self, chain: Chain, last: StageOutput, picture: Picture) -> None:
        relative = self.tools.storage.background_path(
            place=self.order.place,
            season=self.order.season,
            time=self.order.time,
            version=self.version,
        )
        source, hashed = last.path, last
        asked_for = self.tools.settings.storage
        if relative.suffix != last.path.suffix or asked_for.bits == 8:
            source = self.folder / f"unmarked{relative.suffix}"
            space = asked_for.colour_space
            light = light_space(space, asked_for.ocio_config) if space else None
            write_picture(picture, source, bits=asked_for.bits, light=light)
            # Half floats do not hold every one of the sixteen bits that a stage has.
            hashed = replace(last, pixels_sha256=decode_picture(source).picture.sha256())
        lines = lines_kept(
            (one for one in self.validated.artists if not one.is_disowned),
            role=self._role,
            recall=self.generated.lines_kept,
            at=last.made_at,
            grade=self.validated.grade,
        )
        asked = self.order.retake
        entries = self.tools.settings.people
        image = stage_image(
            hashed,
            lambda: picture,
            key=f"{self.order.key}/background",
            kind=ImageKind.BACKGROUND,
            path=relative,
            others=(
                *lines,
                *(() if asked is None else retake(asked, people=entries, at=self.ordered_at)),
            ),
        )
        target = self.marked / f"background{relative.suffix}"
        chain.mark(self._as_printed(image), source=source, target=target)

    def _as_printed(self, image: ImageRecord) -> ImageRecord:
        """Return a record with people as the register names them by now, whatever was recorded."""
        with reading(self.tools.database) as connection:
            printed = {one.id: one for one in people.as_printed(connection, image.people)}
        return image.with_names(printed)

    def _stage_path(self, stage: str, ending: str) -> PurePosixPath:
        return self.tools.storage.stage_path(
            place=self.order.place,
            season=self.order.season,
            time=self.order.time,
            version=self.version,
            stage=stage,
            ext=ending.removeprefix("."),
        )

    @property
    def folder(self) -> Path:
        return self.tools.folder(self.order.key)

    @property
    def marked(self) -> Path:
        return self.folder / "marked"

    @property
    def _role(self) -> Role:
        return Role(self.tools.settings.credits.layout_role)
