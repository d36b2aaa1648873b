"""The append-only ledger: what was recorded, in which order, and that it was not changed."""

from haikei.ledger.canonical import canonical_json, to_plain
from haikei.ledger.ledger import Entry, append, entries, verify

__all__ = ["Entry", "append", "canonical_json", "entries", "to_plain", "verify"]
