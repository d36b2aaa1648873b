"""
A chain of marked pictures, each signed on top of its parent; the layout's marked copy
is the first link.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import TypeAdapter

from haikei.credits import (
    CreditLine,
    ImageKind,
    ImageRecord,
    Ingredient,
    Relation,
    credit_line,
    overall_source_type,
)
from haikei.errors import CreditError, LayoutChanged, MarksBroken, StorageUnavailable
from haikei.files import sha256_of
from haikei.jobs.contributions import oversight
from haikei.provenance import (
    FileMarks,
    IngredientReader,
    MarkedIngredient,
    MarkRequest,
    MarkSigner,
    MarksState,
    mark,
)
from haikei.provenance.formats import file_format
from haikei.storage import Storage

_REQUEST: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One picture of a chain, as it stands in a folder of ours."""

    image: ImageRecord
    path: Path
    manifest: Path | None = None  #: the `.c2pa` sidecar, for formats that cannot embed one
    xmp: Path | None = None  #: the `.xmp` sidecar, likewise
    title: str

    @property
    def beside(self) -> tuple[Path, ...]:
        """What belongs beside the picture."""
        return tuple(path for path in (self.manifest, self.xmp) if path is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A published version on which a chain goes on."""

    images: tuple[ImageRecord, ...]  #: its lineage, its own image last
    path: Path  #: of its picture
    code: str


class Chain:
    """
    Marks pictures one after the other.

    Args:
        signer: signs every picture.
        unnamed: leave the credit line empty where nobody is named, instead of refusing.
        base: the version on which a touch-up is painted; None where the layout is put first.
        withdrawn: ids of people whose names must stand in no new file.
    """

    def __init__(
        self,
        signer: MarkSigner,
        *,
        unnamed: bool,
        base: Base | None = None,
        withdrawn: frozenset[str] = frozenset(),
    ) -> None:
        self.signer = signer
        self._withdrawn = withdrawn
        self._unnamed = unnamed
        self._base = base
        self._links: list[Link] = []
        self._reader = IngredientReader()

    @property
    def links(self) -> tuple[Link, ...]:
        """The pictures put on the chain, in order; without those of its base."""
        return tuple(self._links)

    @property
    def images(self) -> tuple[ImageRecord, ...]:
        """The records of the whole lineage, the base's first."""
        base = () if self._base is None else self._base.images
        return (*base, *(link.image for link in self._links))

    @property
    def credit(self) -> CreditLine:
        """
        The credit line of the last picture.

        Raises:
            CreditError: human work is not named.
        """
        return lineage_credit(self.images, unnamed=self._unnamed)

    def put(self, link: Link) -> None:
        """Put a picture on the chain that has its marks already, or whose format takes none."""
        self._links.append(link)

    def mark(self, image: ImageRecord, *, source: Path, target: Path, title: str = "") -> Link:
        """
        Mark a picture and put it on the chain; marks that it carries already stay below ours.

        Args:
            image: its record; its hash and its ingredients are filled in here.
            source: the picture before our marks.
            target: where the marked picture goes.
            title: what the marks call it; by default its published name.

        Raises:
            CreditError: human work is not named.
            MarksError: the marks cannot be written, or those below do not hold.
            SigningUnavailable: the time-stamp authority or key service is away.
        """
        title = title or PurePosixPath(image.path).stem
        below = self._below()
        record = replace(
            image,
            ingredients=tuple(
                Ingredient(sha256=sha256, relation=marked.relation) for sha256, marked in below
            ),
        )
        images = (*self.images, record)
        words = _REQUEST.validate_json(image.request_json) if image.request_json else {}
        made = mark(
            MarkRequest(
                source=source,
                target=target,
                title=title,
                kind=image.kind,
                source_type=image.source_type,
                overall_source_type=overall_source_type(images),
                # That a layout's lines are seen in it is no work on this picture.
                contributions=tuple(
                    one for one in image.contributions if one.evidence.recall is None
                ),
                credited=tuple(one for each in images for one in each.contributions),
                credit=lineage_credit(images, unnamed=self._unnamed),
                ingredients=tuple(marked for _, marked in below),
                request_json=image.request_json,
                oversight=oversight(images),
                at=image.created_at,
                prompt=str(words.get("prompt", "")),
                withdrawn=self._withdrawn,
            ),
            self.signer,
            self._reader,
        )
        link = Link(
            image=replace(record, sha256=sha256_of(made.path)),
            path=made.path,
            manifest=made.manifest,
            xmp=made.xmp,
            title=title,
        )
        self._links.append(link)
        return link

    def _below(self) -> Sequence[tuple[str, MarkedIngredient]]:
        """Return what the next picture is made from, with the SHA-256 of each file."""
        base = self._base
        if base is not None:
            parent = MarkedIngredient(path=base.path, relation=Relation.PARENT, title=base.code)
            return ((base.images[-1].sha256, parent),)
        if not self._links:
            return ()
        layout, last = self._links[0], self._links[-1]
        if last.image.kind is ImageKind.LAYOUT:
            return (_ingredient(layout, Relation.INPUT),)
        return (_ingredient(last, Relation.PARENT), _ingredient(layout, Relation.INPUT))


def lineage_credit(images: Sequence[ImageRecord], *, unnamed: bool) -> CreditLine:
    """
    Return the credit line of a lineage.

    Args:
        images: the whole lineage.
        unnamed: return an empty line where human work is not named, instead of refusing.

    Raises:
        CreditError: human work is not named.
    """
    try:
        return credit_line(images)
    except CreditError:
        if unnamed:
            return CreditLine(en="", ja="")
        raise


def _ingredient(link: Link, relation: Relation) -> tuple[str, MarkedIngredient]:
    return link.image.sha256, MarkedIngredient(
        path=link.path,
        manifest=link.manifest,
        relation=relation,
        title=link.title,
        sha256=link.image.sha256,
    )


_SHARED = PurePosixPath(".haikei/layouts")


def copied(layout: Path, folder: Path) -> Path:
    """
    Return a copy of a file in a folder of ours, under the same name, which errors show.

    Raises:
        LayoutChanged: the file is gone.
        StorageUnavailable: it cannot be copied.
    """
    copy = folder / "drawn" / f"{layout.stem}{layout.suffix.lower()}"
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(layout, copy)
    except FileNotFoundError as error:
        raise LayoutChanged(f"{layout} is not there any more.") from error
    except OSError as error:
        raise StorageUnavailable(f"{layout} cannot be copied: {error}.") from error
    return copy


def own_copy(layout: Path, sha256: str, folder: Path) -> Path:
    """
    Return a copy, in a folder of ours, of a file as it was announced.

    Raises:
        LayoutChanged: the file is no longer the one that was announced.
        StorageUnavailable: it cannot be copied.
    """
    copy = copied(layout, folder)
    if sha256_of(copy) != sha256:
        raise LayoutChanged(
            f"{layout} is not the file that was announced: it changed.",
            advice="A changed layout is announced anew; skip this job.",
        )
    return copy


def marked_copy(
    image: ImageRecord,
    *,
    copy: Path,
    title: str,
    chain: Chain,
    storage: Storage,
    folder: Path,
) -> Link:
    """
    Return the marked copy of a layout; it is made if no other background of it was here before.

    A format that holds no marks gets them beside it. Its copy is byte for byte the artist's file,
    so that each background can have its own.

    Args:
        image: the layout's record; its key without slashes names the copy.
        copy: the layout in a folder of ours.
        title: what the marks call it.
        chain: a new one, on which it is marked.
        storage: where the copy is kept for all.
        folder: where this job's own instance of it goes.

    Raises:
        CreditError: nobody is named for the layout.
        MarksError: the copy cannot be marked.
        StorageError: the copy cannot be kept.
    """
    target = folder / f"layout{copy.suffix}"
    if not file_format(copy).embeds:
        return chain.mark(image, source=copy, target=target, title=title)

    def make() -> Path:
        made = folder / f"layout-new{copy.suffix}"
        return chain.mark(image, source=copy, target=made, title=title).path

    name = image.key.replace("/", "-")
    kept = storage.publish_once(_SHARED / f"{name}{copy.suffix}", make)
    try:
        shutil.copyfile(kept.path, target)
    except OSError as error:
        raise StorageUnavailable(f"{kept.path} cannot be copied: {error}.") from error
    return Link(image=replace(image, sha256=kept.sha256), path=target, title=title)


def require_whole(marks: FileMarks) -> None:
    """
    Check that nothing is signed on top of marks that do not hold.

    Raises:
        MarksBroken: they do not.
    """
    if marks.state is MarksState.BROKEN:
        raise MarksBroken(
            f"{marks.path.name} carries marks (C2PA) that do not hold: "
            f"{', '.join(marks.failures) or 'it was changed after it was signed'}.",
            advice="Ask for the file as it was signed, or for an export without marks.",
        )
