"""The seam to wherever checkpoints go: places that somebody with our database cannot rewrite."""

from collections.abc import Sequence
from typing import Protocol

from haikei.ledger.checkpoint import SignedCheckpoint


class Outlet(Protocol):
    """A way out of the building for checkpoints."""

    @property
    def name(self) -> str:
        """What it is called in the table of sendings: the same from start to start."""
        ...

    def send(self, checkpoints: Sequence[SignedCheckpoint]) -> None:
        """
        Send checkpoints, the smallest first; those that are there already stay as they are.

        Raises:
            HistoryChanged: another checkpoint of the same size is there already.
            OutletUnavailable: it cannot be reached, or refuses.
        """
        ...

    def held(self) -> Sequence[int]:
        """
        Return the sizes of the checkpoints that can be read back from here; most ways have none.

        Raises:
            OutletUnavailable: it cannot be reached.
        """
        ...

    def read(self, size: int) -> str:
        """
        Return a checkpoint that is held there, as the note that it is.

        Raises:
            OutletUnavailable: it cannot be read.
        """
        ...
