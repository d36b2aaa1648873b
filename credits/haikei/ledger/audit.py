"""The full audit: every hash recomputed, every checkpoint compared, nothing stored trusted."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from haikei.errors import HistoryChanged, LedgerError
from haikei.ledger.checkpoint import VerifierKey, checkpoints
from haikei.ledger.checkpoint_making import difference, witnessed
from haikei.ledger.outlet import Outlet
from haikei.ledger.recomputing import Tell, recompute


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found."""

    entries: int
    root: bytes  #: as the payloads of all entries give it
    checkpoints: int  #: compared, in the database
    outside: int  #: compared, held outside
    findings: tuple[str, ...]  #: the first ones; empty when all is well


def audit(
    connection: Connection,
    key: VerifierKey,
    *,
    outlets: Sequence[Outlet] = (),
    tell: Tell | None = None,
) -> Audit:
    """
    Recompute the ledger from its payloads and compare it with every checkpoint.

    Args:
        connection: one that sees the ledger at one moment.
        key: verifies the checkpoints.
        outlets: where checkpoints are held outside.
        tell: told of the progress.

    Raises:
        ProofInvalid: a checkpoint in the database is damaged beyond reading.
    """
    standing = checkpoints(connection)
    findings: list[str] = []
    try:
        before = witnessed(standing, outlets, key)
    except HistoryChanged as error:
        findings.append(error.message)
        before = []
    found = recompute(connection, sizes={one.checkpoint.size for one in before}, tell=tell)
    changed = difference(found, before)
    if changed is not None:
        findings.append(changed)
    findings += [one for one in found.findings if one not in findings]
    return Audit(
        entries=found.size,
        root=found.root,
        checkpoints=len(standing),
        outside=max(0, len(before) - len(standing)),
        findings=tuple(findings),
    )


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
