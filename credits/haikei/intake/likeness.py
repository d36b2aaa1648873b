"""Which recorded images a picture is a changed copy of, by their fingerprints."""

from functools import cached_property

import structlog
from sqlalchemy import Connection

from haikei.credits import ImageRecord
from haikei.credits.records import store
from haikei.errors import LedgerError
from haikei.fingerprint import Fingerprint, FingerprintIndex, Match, indistinct
from haikei.images import Picture

log = structlog.get_logger()


class RecordedImages:
    """
    The fingerprints of all recorded images.

    They are read when the first picture is looked up: most files are known by their bytes.

    Args:
        connection: to the studio's records.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def look_up(
        self, picture: Picture, *, at_least: int
    ) -> tuple[tuple[Match, bool, ImageRecord], ...]:
        """
        Return images that show the same drawing as a picture, copies first, each by distance.

        Args:
            picture: what is to be recognised.
            at_least: how many are returned if there are so many; copies that cannot be told apart
                are always returned all.

        Returns:
            Each image with its match, and whether it is among the copies that come first and
            cannot be told apart.
        """
        matches = self._index.look_up(picture)
        first = indistinct(matches)
        told = matches[: max(at_least, len(first))]
        images = store.images_at(self._connection, (one.number for one in told))
        return tuple(
            (match, match in first, image) for match, image in zip(told, images, strict=True)
        )

    @cached_property
    def _index(self) -> FingerprintIndex:
        held: list[tuple[int, Fingerprint]] = []
        for number, text in store.fingerprints(self._connection):
            try:
                held.append((number, Fingerprint.read(text)))
            except LedgerError as error:
                # `ledger verify` tells of it; all the others are still recognised.
                log.warning("fingerprint_not_read", entry=number, error=str(error))
        return FingerprintIndex(held)
