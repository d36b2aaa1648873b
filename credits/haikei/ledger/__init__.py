"""The append-only ledger: what was recorded, in which order, and that it was not changed."""

from haikei.ledger.appending import append, append_many
from haikei.ledger.audit import Audit, audit, verify
from haikei.ledger.bundle import Bundled, BundledFile, export_bundle, verifier_script
from haikei.ledger.canonical import canonical_json, to_plain
from haikei.ledger.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    checkpoints,
    newest_checkpoint,
    note_signer,
    open_checkpoint,
    origin_of,
    read_checkpoint,
)
from haikei.ledger.entry import Entry, entries, entry, size
from haikei.ledger.nodes import StoredTree
from haikei.ledger.note import NoteSigner, VerifierKey
from haikei.ledger.outlet import Outlet
from haikei.ledger.proof import InclusionProof
from haikei.ledger.sealing import seal, stamp_missing
from haikei.ledger.selection import Selection, select_entries
from haikei.ledger.sending import send_out

__all__ = [
    "Audit",
    "Bundled",
    "BundledFile",
    "Checkpoint",
    "Entry",
    "InclusionProof",
    "NoteSigner",
    "Outlet",
    "Selection",
    "SignedCheckpoint",
    "StoredTree",
    "VerifierKey",
    "append",
    "append_many",
    "audit",
    "canonical_json",
    "checkpoints",
    "entries",
    "entry",
    "export_bundle",
    "newest_checkpoint",
    "note_signer",
    "open_checkpoint",
    "origin_of",
    "read_checkpoint",
    "seal",
    "select_entries",
    "send_out",
    "size",
    "stamp_missing",
    "to_plain",
    "verifier_script",
    "verify",
]
