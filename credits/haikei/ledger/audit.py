"""The full audit: every hash recomputed, every checkpoint compared, nothing stored trusted."""

from sqlalchemy import Connection

from haikei.errors import LedgerError
from haikei.ledger.recomputing import recompute


def verify(connection: Connection) -> int:
    """
    Recompute every hash from the payloads and return the number of entries.

    Raises:
        LedgerError: an entry was changed, removed or inserted; the message names the first.
    """
    found = recompute(connection)
    if found.findings:
        raise LedgerError(
            found.findings[0],
            advice="Compare with a backup and with the checkpoints that were sent out.",
        )
    return found.size
