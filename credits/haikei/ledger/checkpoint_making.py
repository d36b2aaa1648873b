"""
Make checkpoints and audit the ledger by them: nothing is signed when it is not any more what
earlier checkpoints sealed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, delete, insert, select, update

from haikei.database import ledger_checkpoints, ledger_sendings, reading, utc_now
from haikei.errors import HistoryChanged, LedgerError, OutletUnavailable, ProofInvalid
from haikei.ledger.checkpoint import (
    Checkpoint,
    NoteSigner,
    SignedCheckpoint,
    VerifierKey,
    checkpoints,
    open_checkpoint,
    read_checkpoint,
    signed_by,
)
from haikei.ledger.outlet import Outlet
from haikei.ledger.recomputing import Recomputed, Tell, recompute
from haikei.ledger.restoring import Restoration, accounted_for, restorations
from haikei.ledger.signing import TimeStamper

log = structlog.get_logger()

#: Checkpoints without a token that are stamped in one round.
_STAMPED = 24
_ADVICE = "Sign nothing, keep all files, and compare with a backup: see docs/reference/ledger.md."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Witnessed:
    """A checkpoint from before, and where it stands."""

    place: str
    checkpoint: Checkpoint


def seal(
    database: Engine,
    signer: NoteSigner,
    *,
    outlets: Sequence[Outlet] = (),
    tell: Tell | None = None,
) -> SignedCheckpoint:
    """
    Sign the ledger as it is now, and return the checkpoint; nothing new gives the newest again.

    All entries are hashed anew first. What comes out must agree with every checkpoint in the
    database and with those that are held outside, where a rewriter of our database cannot reach.

    Args:
        database: the studio's own.
        signer: signs as the ledger's origin.
        outlets: where checkpoints are held; one that is away is logged.
        tell: called with the progress.

    Raises:
        HistoryChanged: the ledger is not any more what was sealed; nothing is signed.
        LedgerError: the ledger is empty.
    """
    with reading(database) as connection:
        standing, found, changed = _examine(connection, signer.key, outlets, tell)
    if changed is not None:
        log.error("checkpoint_refused", origin=signer.key.name, size=found.size, reason=changed)
        raise HistoryChanged(changed, advice=_ADVICE)
    if standing and standing[-1].checkpoint.size == found.size:
        return standing[-1]
    if found.size == 0:
        raise LedgerError("The ledger is empty: there is nothing to sign.")
    return _keep(database, signer, found)


def _difference(
    found: Recomputed, before: Sequence[_Witnessed], restored: Sequence[Restoration]
) -> str | None:
    """
    Return how the rows differ from what checkpoints from before sealed; None if they do not.

    What a sealed statement names as lost with a database that was restored is accounted for.
    """
    for one in before:
        checkpoint = one.checkpoint
        if found.roots.get(checkpoint.size) != checkpoint.root and accounted_for(
            checkpoint, restored
        ):
            continue
        if checkpoint.size not in found.roots:
            return f"{one.place} sealed {checkpoint.size} entries, but only {found.size} are left."
        if found.roots[checkpoint.size] != checkpoint.root:
            return f"The first {checkpoint.size} entries are not those that {one.place} sealed."
    return found.findings[0] if found.findings else None


def _witnessed(
    standing: Sequence[SignedCheckpoint], outlets: Sequence[Outlet], key: VerifierKey
) -> list[_Witnessed]:
    """
    Return the checkpoints from before: those of the database, and those only held outside.

    Of those in the database that are held outside too only the newest is read.

    Raises:
        HistoryChanged: a checkpoint in the database is not signed as it should be.
    """
    before: list[_Witnessed] = []
    for one in standing:
        place = f"The checkpoint {one.checkpoint.size}"
        if one.checkpoint.origin == key.name and signed_by(one.note, key):
            try:
                open_checkpoint(one.note, key)
            except ProofInvalid as error:
                raise HistoryChanged(f"{place} was changed: {error}", advice=_ADVICE) from error
        before.append(_Witnessed(place=place, checkpoint=one.checkpoint))
    known = {one.checkpoint.size for one in standing}
    for outlet in outlets:
        try:
            held = outlet.held()
            for size in held:
                if size not in known or size == held[-1]:
                    before += _outside(outlet, size, key)
        except OutletUnavailable as error:
            log.warning("checkpoint_outside_unreadable", outlet=outlet.name, error=str(error))
    return before


def stamp_missing(database: Engine, stamper: TimeStamper) -> int:
    """
    Ask for the tokens that checkpoints still lack, the newest first; return how many came.

    A token that came late is sent out with its checkpoint once more.

    Raises:
        OutletUnavailable: the authority cannot be reached, or refuses; the rest waits.
        ProofInvalid: a token does not verify; it is not kept.
    """
    columns = ledger_checkpoints.c
    with reading(database) as connection:
        stamped = select(columns.size).where(columns.token.is_not(None))
        last = connection.execute(stamped.order_by(columns.size.desc()).limit(1)).scalar()
        query = select(columns.size, columns.note).where(columns.token.is_(None))
        if last is not None:
            # Before the newest token nothing is left to wait for: it covers all earlier entries.
            query = query.where(columns.size > last)
        waiting = connection.execute(query.order_by(columns.size.desc()).limit(_STAMPED)).all()
    for size, note in waiting:
        token = stamper.stamp(note)
        at = stamper.check(token, note)
        missing = columns.size == size, columns.token.is_(None)
        with database.begin() as connection:
            connection.execute(update(ledger_checkpoints).where(*missing).values(token=token))
            connection.execute(delete(ledger_sendings).where(ledger_sendings.c.size == size))
        log.info("checkpoint_stamped", size=size, at=at.isoformat(), authority=stamper.url)
    return len(waiting)


def _examine(
    connection: Connection, key: VerifierKey, outlets: Sequence[Outlet], tell: Tell | None
) -> tuple[Sequence[SignedCheckpoint], Recomputed, str | None]:
    damaged: str | None = None
    standing: Sequence[SignedCheckpoint] = ()
    before: Sequence[_Witnessed] = ()
    try:
        standing = checkpoints(connection)
        before = _witnessed(standing, outlets, key)
    except (HistoryChanged, ProofInvalid) as error:
        damaged = error.message
    found = recompute(connection, sizes={one.checkpoint.size for one in before}, tell=tell)
    return standing, found, damaged or _difference(found, before, restorations(connection))


def _keep(database: Engine, signer: NoteSigner, found: Recomputed) -> SignedCheckpoint:
    checkpoint = Checkpoint(origin=signer.key.name, size=found.size, root=found.root)
    made = SignedCheckpoint(
        checkpoint=checkpoint, note=signer.sign(checkpoint.text), token=None, made_at=utc_now()
    )
    with database.begin() as connection:
        same = select(ledger_checkpoints.c.note).where(ledger_checkpoints.c.size == checkpoint.size)
        if connection.execute(same).first() is None:
            connection.execute(
                insert(ledger_checkpoints).values(
                    size=checkpoint.size, root=checkpoint.root, note=made.note, made_at=made.made_at
                )
            )
    log.info(
        "checkpoint_made",
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
    )
    return made


def _outside(
    outlet: Outlet, size: int, key: VerifierKey, *, ours: bool = False
) -> list[_Witnessed]:
    note = outlet.read(size)
    place = f"{outlet.name}/checkpoint-{size}.txt"
    try:
        checkpoint = read_checkpoint(note)
        if checkpoint.origin != key.name:
            return []
        if signed_by(note, key):
            open_checkpoint(note, key)
        elif ours:
            return []
        if checkpoint.size != size:
            log.warning("checkpoint_outside_misnamed", outlet=outlet.name, file=place)
    except ProofInvalid as error:
        # A damaged file outside must not be able to stop the ledger; but somebody should look.
        log.warning(
            "checkpoint_outside_unreadable", outlet=outlet.name, file=place, error=str(error)
        )
        return []
    return [_Witnessed(place=place, checkpoint=checkpoint)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found."""

    entries: int
    root: bytes  #: as the payloads of all entries give it
    checkpoints: int  #: compared, in the database
    outside: int  #: compared, held outside
    findings: tuple[str, ...]  #: the first ones; empty when all is well
    restored: tuple[Restoration, ...] = ()  #: what the ledger itself says it has lost


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
        tell: called with the progress.

    Raises:
        ProofInvalid: a checkpoint in the database is damaged beyond reading.
    """
    standing = checkpoints(connection)
    findings: list[str] = []
    try:
        before = _witnessed(standing, outlets, key)
    except HistoryChanged as error:
        findings.append(error.message)
        before = []
    found = recompute(connection, sizes={one.checkpoint.size for one in before}, tell=tell)
    restored = restorations(connection)
    changed = _difference(found, before, restored)
    if changed is not None:
        findings.append(changed)
    findings += [one for one in found.findings if one not in findings]
    return Audit(
        entries=found.size,
        root=found.root,
        checkpoints=len(standing),
        outside=max(0, len(before) - len(standing)),
        findings=tuple(findings),
        restored=tuple(restored),
    )


def checkpoints_outside(
    connection: Connection, key: VerifierKey, outlets: Sequence[Outlet]
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints that only outlets hold, as far as this ledger's key signed them."""
    known = {one.checkpoint.size: one.checkpoint.root for one in checkpoints(connection)}
    found: dict[tuple[int, bytes], Checkpoint] = {}
    for outlet in outlets:
        try:
            sizes = outlet.held()
            for size in sizes:
                for one in _outside(outlet, size, key, ours=True):
                    checkpoint = one.checkpoint
                    if known.get(checkpoint.size) != checkpoint.root:
                        found[checkpoint.size, checkpoint.root] = checkpoint
        except OutletUnavailable as error:
            log.warning("checkpoint_outside_unreadable", outlet=outlet.name, error=str(error))
    return tuple(found[one] for one in sorted(found))


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
