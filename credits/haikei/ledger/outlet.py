"""
The seam to places that keep checkpoints out of our reach, and the sending of
checkpoints to them.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy import Engine, delete, insert, select

from haikei.database import ledger_checkpoints, ledger_sendings, reading, utc_now
from haikei.errors import HistoryChanged, LedgerError, OutletUnavailable
from haikei.ledger.checkpoint import SignedCheckpoint, checkpoints


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


log = structlog.get_logger()

#: Checkpoints that could not be sent for so long are left to the newer ones, which cover them.
KEPT_TRYING = timedelta(days=31)


def send_out(database: Engine, outlets: Sequence[Outlet]) -> bool:
    """Send what each outlet lacks; tell whether every one has everything now."""
    sent = [_send(database, outlet) for outlet in outlets]
    return all(sent)


def _send(database: Engine, outlet: Outlet) -> bool:
    waiting = _waiting(database, outlet.name)
    if not waiting:
        return True
    sizes = [one.checkpoint.size for one in waiting]
    problem = _problem(outlet, waiting)
    _note(database, outlet.name, sizes, error="" if problem is None else str(problem))
    if problem is None:
        for size in sizes:
            log.info("checkpoint_sent", outlet=outlet.name, size=size)
        return True
    event = "checkpoint_not_sent" if problem.transient else "checkpoint_conflict"
    log.error(event, outlet=outlet.name, sizes=sizes, error=str(problem))
    return False


def _problem(outlet: Outlet, waiting: Sequence[SignedCheckpoint]) -> LedgerError | None:
    try:
        outlet.send(waiting)
    except (OutletUnavailable, HistoryChanged) as error:
        return error
    return None


def _waiting(database: Engine, outlet: str) -> list[SignedCheckpoint]:
    sent = select(ledger_sendings.c.size).where(
        ledger_sendings.c.outlet == outlet, ledger_sendings.c.sent_at.is_not(None)
    )
    query = select(ledger_checkpoints.c.size).where(
        ledger_checkpoints.c.size.not_in(sent),
        ledger_checkpoints.c.made_at > utc_now() - KEPT_TRYING,
    )
    with reading(database) as connection:
        wanted = set(connection.execute(query).scalars())
        if not wanted:
            return []
        return [one for one in checkpoints(connection) if one.checkpoint.size in wanted]


def _note(database: Engine, outlet: str, sizes: Sequence[int], *, error: str) -> None:
    sent_at = None if error else utc_now()
    with database.begin() as connection:
        connection.execute(
            delete(ledger_sendings).where(
                ledger_sendings.c.outlet == outlet, ledger_sendings.c.size.in_(sizes)
            )
        )
        connection.execute(
            insert(ledger_sendings),
            [
                {"size": size, "outlet": outlet, "sent_at": sent_at, "error": error}
                for size in sizes
            ],
        )
