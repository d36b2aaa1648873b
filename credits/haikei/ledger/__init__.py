"""The append-only ledger: what was recorded, in which order, and that it was not changed."""

from haikei.ledger.bundle import Bundled, InclusionProof, export_bundle, verifier_script
from haikei.ledger.checkpoint import (
    Checkpoint,
    NoteSigner,
    SignedCheckpoint,
    VerifierKey,
    checkpoints,
    newest_checkpoint,
    note_signer,
    open_checkpoint,
    origin_of,
    read_checkpoint,
)
from haikei.ledger.checkpoint_making import Audit, audit, seal, stamp_missing, verify
from haikei.ledger.entry import (
    Entry,
    StoredTree,
    append,
    append_many,
    entries,
    entry,
    list_entries,
    size,
)
from haikei.ledger.outlet import DropFolder, MailOutlet, Outlet, check_protected, connect, send_out
from haikei.ledger.selection import (
    BundledFile,
    EntrySelection,
    image_entry,
    published_files,
    select_entries,
)
from haikei.ledger.signing import Signer, time_stamper

__all__ = [
    "Audit",
    "Bundled",
    "BundledFile",
    "Checkpoint",
    "DropFolder",
    "Entry",
    "EntrySelection",
    "InclusionProof",
    "MailOutlet",
    "NoteSigner",
    "Outlet",
    "SignedCheckpoint",
    "Signer",
    "StoredTree",
    "VerifierKey",
    "append",
    "append_many",
    "audit",
    "check_protected",
    "checkpoints",
    "connect",
    "entries",
    "entry",
    "export_bundle",
    "image_entry",
    "list_entries",
    "newest_checkpoint",
    "note_signer",
    "open_checkpoint",
    "origin_of",
    "published_files",
    "read_checkpoint",
    "seal",
    "select_entries",
    "send_out",
    "size",
    "stamp_missing",
    "time_stamper",
    "verifier_script",
    "verify",
]
