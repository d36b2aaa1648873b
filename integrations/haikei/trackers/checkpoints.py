"""The seam between the ledger and the tracker: its newest signed head, where everyone sees it."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable


class CheckpointBoard(Protocol):
    """Where a tracker shows the ledger's newest head on its projects."""

    def post(self, notes: Mapping[str, str]) -> tuple[str, ...]:
        """
        Show a signed note on each of these projects; return those projects that are not there.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def posted(self, projects: Sequence[str]) -> Mapping[str, str]:
        """
        Return the notes that stand on these projects now, by project.

        Raises:
            TrackerError: the tracker does not answer, or refuses.
        """
        ...

    def close(self) -> None:
        """Close this thread's connection; the next call opens one again."""
        ...


@runtime_checkable
class ShowsCheckpoints(Protocol):
    """What a tracker adapter offers besides its own methods when its projects can show a note."""

    def checkpoint_board(self) -> CheckpointBoard:
        """Return the tracker's board, without talking to the site."""
        ...
