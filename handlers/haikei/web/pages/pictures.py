"""Published pictures as browsers can show them: made once in each size, and kept on the disk."""

import re
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

from sqlalchemy import Engine, select

from haikei.database import image_records, reading
from haikei.jobs.previews import CARD, preview_file, write_preview

_HASH = re.compile(r"[0-9a-f]{64}")


class Size(IntEnum):
    """The longer side in pixels."""

    CARD = CARD
    SCREEN = 1600
    LARGE = 4096


class Pictures:
    """
    Makes pictures for pages from what was published; a file's hash is its name.

    Args:
        database: the studio's own.
        find_file: finds a recorded path below the storage roots, and nothing else.
        state: the studio's folder, in which they are kept.
        max_mib: the most that one picture may take while it is read.
    """

    def __init__(
        self,
        database: Engine,
        find_file: Callable[[str], Path | None],
        state: Path,
        *,
        max_mib: int,
    ) -> None:
        self._database = database
        self._find_file = find_file
        self._state = state
        self._max_mib = max_mib

    def kept(self, sha256: str, size: Size) -> Path | None:
        """Return a JPEG that was made before, or None."""
        if _HASH.fullmatch(sha256) is None:
            return None
        file = preview_file(self._state, sha256, size)
        return file if file.is_file() else None

    def make(self, sha256: str, size: Size) -> Path | None:
        """
        Return a JPEG of a recorded image, made if need be; None when there is no file of it.

        Raises:
            ImageUnreadable: the file is damaged.
            StorageUnavailable: the disk is full.
        """
        found = self.kept(sha256, size)
        source = self._source(sha256) if found is None else None
        if source is None:
            return found
        from haikei.images import read_picture

        file = preview_file(self._state, sha256, size)
        write_preview(read_picture(source, max_mib=self._max_mib), file, longest=size)
        return file

    def _source(self, sha256: str) -> Path | None:
        if _HASH.fullmatch(sha256) is None:
            return None
        query = (
            select(image_records.c.path)
            .where(image_records.c.sha256 == sha256)
            .order_by(image_records.c.ledger_seq)
        )
        with reading(self._database) as connection:
            paths = list(connection.execute(query).scalars())
        found = (self._find_file(path) for path in paths if path)
        return next((file for file in found if file is not None), None)
