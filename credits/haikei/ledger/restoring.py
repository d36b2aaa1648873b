"""
A ledger that was restored from a back-up says so: which entries are gone, and how that is known.

Checkpoints that left the building show more entries than a restored database has. Nothing can
bring those back, and nothing may hide that they were there: each number that was lost is taken by
an entry that says so, and a statement after them names every checkpoint of the lost part. New
entries get new numbers, so that no two checkpoints of one size ever say different things.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from haikei.database import ledger
from haikei.errors import HistoryChanged, LedgerError
from haikei.ledger.checkpoint import Checkpoint
from haikei.ledger.entry import StoredTree, append_many, size

_STATEMENT = "restored/"
_GONE = "gone/"
_BATCH = 2000
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What a ledger says of having been restored."""

    entry: int  #: the number of the entry that says it
    backed_up_at: str  #: when the back-up was made, ISO 8601
    manifest_sha256: str  #: of the back-up's manifest
    entries: int  #: what the back-up held; the first entry that is gone has this number
    lost: int  #: entries that are known to be gone
    adopted: int  #: versions that were taken back from storage and tracker
    checkpoints: tuple[tuple[int, str], ...]  #: size and root, in hexadecimal, of the lost part
    at: str  #: when it was restored, ISO 8601

    @property
    def sentence(self) -> str:
        """The notice about it."""
        text = f"Restored from a back-up of {self.backed_up_at}; "
        if self.lost:
            last = self.entries + self.lost - 1
            span = f"entry {last}" if self.lost == 1 else f"entries {self.entries} to {last}"
            text += f"{span} of the earlier ledger {'is' if self.lost == 1 else 'are'} gone"
        else:
            text += f"no checkpoint shows more than the {self.entries} entries that it held"
        versions = "1 version" if self.adopted == 1 else f"{self.adopted} versions"
        return f"{text}; {versions} adopted (stated in entry {self.entry})."


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """The back-up from which a ledger was restored."""

    made_at: datetime
    manifest_sha256: str
    entries: int  #: that its ledger held


@dataclass(frozen=True, slots=True, kw_only=True)
class LostPart:
    """What checkpoints outside show that a restored ledger does not have."""

    backup: BackedUp
    roots: Mapping[int, str]  #: by size, in hexadecimal
    most: int  #: entries that the earlier ledger is known to have had
    stated: bool  #: an earlier statement is of the same back-up


def find_lost(connection: Connection, backup: BackedUp, outside: Iterable[Checkpoint]) -> LostPart:
    """
    Return what was lost after a back-up, as far as no earlier statement says it.

    Args:
        connection: one that sees the ledger at one moment.
        backup: from what it was restored.
        outside: the checkpoints that are held outside, signed by this ledger's key.

    Raises:
        HistoryChanged: a checkpoint of what the back-up held differs from it: that was changed.
    """
    before = restorations(connection)
    count = size(connection)
    tree = StoredTree(connection)
    lost: dict[int, str] = {}
    for one in outside:
        same = one.size <= count and tree.root(one.size) == one.root
        if same or accounted_for(one, before):
            continue
        if one.size <= backup.entries:
            raise HistoryChanged(
                f"A checkpoint outside sealed {one.size} entries, which are not the first "
                f"{one.size} of the back-up: that is no loss after it.",
                advice="Keep all files, and compare with other back-ups: docs/reference/ledger.md.",
            )
        lost[one.size] = one.root.hex()
    return LostPart(
        backup=backup,
        roots=lost,
        most=max(lost, default=backup.entries),
        stated=any(one.manifest_sha256 == backup.manifest_sha256 for one in before),
    )


def take_lost_numbers(connection: Connection, lost: LostPart) -> None:
    """Append an entry under each number that was lost, so that nothing new ever bears it."""
    _take_numbers(connection, lost.backup, range(size(connection), lost.most))


def state_restored(
    connection: Connection, lost: LostPart, *, adopted: int, at: datetime
) -> Restoration | None:
    """
    Seal that the ledger was restored; None where an earlier statement says all of it.

    Args:
        connection: one that writes.
        lost: whose numbers were taken.
        adopted: versions that were taken back.
        at: now.
    """
    if lost.stated and not lost.roots and not adopted:
        return None
    entry = size(connection)
    text = json.dumps(
        {
            "v": _VERSION,
            "type": "restored",
            "backed_up_at": lost.backup.made_at.isoformat(),
            "manifest_sha256": lost.backup.manifest_sha256,
            "entries": lost.backup.entries,
            "lost": lost.most - lost.backup.entries,
            "adopted": adopted,
            "checkpoints": [{"size": one, "root": lost.roots[one]} for one in sorted(lost.roots)],
            "at": at.isoformat(),
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    append_many(connection, ((f"{_STATEMENT}{entry}", text),))
    return _read(entry, text)


def restorations(connection: Connection) -> Sequence[Restoration]:
    """
    Return every statement that the ledger was restored, in order.

    Raises:
        LedgerError: an entry with such a key says something else.
    """
    columns = ledger.c
    # A range is looked up in the index; what follows are digits.
    query = select(columns.seq, columns.payload).where(
        columns.key.between(_STATEMENT, f"{_STATEMENT}a")
    )
    return [_read(row.seq, row.payload) for row in connection.execute(query.order_by(columns.seq))]


def accounted_for(checkpoint: Checkpoint, stated: Iterable[Restoration]) -> bool:
    """Tell whether a checkpoint is of a part that was lost, as a sealed statement names it."""
    found = checkpoint.size, checkpoint.root.hex()
    return any(checkpoint.size > one.entries and found in one.checkpoints for one in stated)


def _take_numbers(connection: Connection, backup: BackedUp, numbers: range) -> None:
    for start in range(numbers.start, numbers.stop, _BATCH):
        several = numbers[start - numbers.start : start - numbers.start + _BATCH]
        append_many(
            connection,
            [
                (
                    f"{_GONE}{number}",
                    json.dumps(
                        {
                            "v": _VERSION,
                            "type": "gone",
                            "entry": number,
                            "manifest_sha256": backup.manifest_sha256,
                        },
                        sort_keys=True,
                        separators=(",", ":"),
                    ),
                )
                for number in several
            ],
        )


def _read(entry: int, text: str) -> Restoration:
    try:
        payload = json.loads(text)
        return Restoration(
            entry=entry,
            backed_up_at=str(payload["backed_up_at"]),
            manifest_sha256=str(payload["manifest_sha256"]),
            entries=int(payload["entries"]),
            lost=int(payload["lost"]),
            adopted=int(payload["adopted"]),
            checkpoints=tuple(
                (int(one["size"]), str(one["root"])) for one in payload["checkpoints"]
            ),
            at=str(payload["at"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(
            f"Entry {entry} does not say how the ledger was restored.",
            advice="Run `haikei ledger log` and look at it.",
        ) from error
