"""The append-only ledger: what was recorded, in which order, and that it was not changed."""

from haikei.ledger.appending import append, append_many
from haikei.ledger.audit import verify
from haikei.ledger.canonical import canonical_json, to_plain
from haikei.ledger.entry import Entry, entries, entry, size

__all__ = [
    "Entry",
    "append",
    "append_many",
    "canonical_json",
    "entries",
    "entry",
    "size",
    "to_plain",
    "verify",
]
