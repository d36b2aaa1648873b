"""Published pictures as browsers can show them: made once in each size, and kept on the disk."""

import os
import re
import threading
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

from sqlalchemy import Engine, select

from haikei.database import image_records, reading
from haikei.errors import StorageUnavailable

_HASH = re.compile(r"[0-9a-f]{64}")
#: Pictures that are decoded at once: each takes the memory of its pixels.
_AT_ONCE = 2


class Size(IntEnum):
    """The longer side in pixels."""

    CARD = 360
    SCREEN = 1600
    LARGE = 4096


class Pictures:
    """
    Makes pictures for pages from what was published; a file's hash is its name.

    Args:
        database: the studio's own.
        find_file: finds a recorded path below the storage roots, and nothing else.
        folder: where they are kept. It may be emptied at any time.
        max_mib: the most that one picture may take while it is read.
    """

    def __init__(
        self,
        database: Engine,
        find_file: Callable[[str], Path | None],
        folder: Path,
        *,
        max_mib: int,
    ) -> None:
        self._database = database
        self._find_file = find_file
        self._folder = folder
        self._max_mib = max_mib
        self._reading = threading.BoundedSemaphore(_AT_ONCE)

    def file(self, sha256: str, size: Size) -> Path | None:
        """
        Return a JPEG of a recorded image, or None when there is no such image or no file of it.

        Raises:
            ImageUnreadable: the file is damaged.
            StorageUnavailable: the disk is full.
        """
        if _HASH.fullmatch(sha256) is None:
            return None
        kept = self._folder / sha256[:2] / f"{sha256}-{size.value}.jpg"
        if kept.is_file():
            return kept
        source = self._source(sha256)
        if source is None:
            return None
        with self._reading:
            if not kept.is_file():
                self._make(source, kept, size)
        return kept

    def _source(self, sha256: str) -> Path | None:
        query = (
            select(image_records.c.path)
            .where(image_records.c.sha256 == sha256)
            .order_by(image_records.c.ledger_seq)
        )
        with reading(self._database) as connection:
            paths = list(connection.execute(query).scalars())
        found = (self._find_file(path) for path in paths if path)
        return next((file for file in found if file is not None), None)

    def _make(self, source: Path, kept: Path, size: Size) -> None:
        from haikei.images import read_picture, write_review

        # The ending tells the writer what to write.
        unfinished = kept.with_name(f".{os.getpid()}-{threading.get_ident()}-{kept.name}")
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_review(read_picture(source, max_mib=self._max_mib), unfinished, longest=size)
            unfinished.replace(kept)
        except OSError as error:
            raise StorageUnavailable(
                f"{kept} cannot be written: {error.strerror or error}.",
                advice="Check free space and permissions of the state folder.",
            ) from error
        finally:
            unfinished.unlink(missing_ok=True)
