"""
The marked copy of a layout: the first link of every chain that stands on it.

The artist's own file is never touched. All backgrounds of one layout stand on the same copy, so
that the layout has one record, whoever came first.
"""

import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

from haikei.credits import ImageRecord
from haikei.errors import LayoutChanged, StorageUnavailable
from haikei.files import sha256_of
from haikei.jobs.chain import Chain, Link
from haikei.provenance.fileformat import file_format
from haikei.storage import Storage

_SHARED = PurePosixPath(".haikei/layouts")


def own_copy(layout: Path, sha256: str, folder: Path) -> Path:
    """
    Return a copy, in a folder of ours, of the layout as it was announced.

    It keeps the layout's name, by which people know what a complaint is about.

    Raises:
        LayoutChanged: the file is not any more the one that was announced.
        StorageUnavailable: it cannot be copied.
    """
    copy = folder / "drawn" / f"{layout.stem}{layout.suffix.lower()}"
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(layout, copy)
        found = sha256_of(copy)
    except FileNotFoundError as error:
        raise LayoutChanged(f"{layout} is not there any more.") from error
    except OSError as error:
        raise StorageUnavailable(f"{layout} cannot be copied: {error}.") from error
    if found != sha256:
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
