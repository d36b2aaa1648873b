"""
Proofs as files: that one record stands in the ledger, with the checkpoint that says so.

Source: C2SP tlog-proof@v1, https://c2sp.org/tlog-proof.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from haikei.errors import ProofInvalid
from haikei.ledger.checkpoint import Checkpoint, open_checkpoint
from haikei.ledger.note import VerifierKey
from haikei.ledger.tree import leaf_hash, root_from_inclusion

_HEAD = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """All that somebody needs to see that a record was sealed, besides it and the vkey."""

    index: int  #: the entry's number
    path: Sequence[bytes]  #: hashes of 32 bytes, the nearest to the leaf first
    note: str  #: the signed checkpoint that the path leads to

    def __str__(self) -> str:
        """Return the proof as the text of a `.tlog-proof` file."""
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in self.path)
        return f"{_HEAD}\nindex {self.index}\n{hashes}\n{self.note}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Return the proof that a file holds.

        Raises:
            ProofInvalid: it is none.
        """
        head, separator, note = text.partition("\n\n")
        kind, *lines = head.split("\n")
        index = _INDEX.fullmatch(lines[0]) if lines else None
        if kind != _HEAD or index is None or not separator:
            raise ProofInvalid("This is no proof of the form tlog-proof@v1.")
        try:
            path = [base64.b64decode(line, validate=True) for line in lines[1:]]
        except binascii.Error as error:
            raise ProofInvalid("The proof holds a line that is no hash.") from error
        if any(len(one) != 32 for one in path):
            raise ProofInvalid("The proof holds a line that is no hash.")
        return cls(index=int(index[1]), path=tuple(path), note=note)

    def check(self, payload: str, key: VerifierKey) -> Checkpoint:
        """
        Check that a record stands in the ledger, and return the checkpoint that says so.

        Raises:
            ProofInvalid: it does not, or another key signed the checkpoint.
        """
        said = open_checkpoint(self.note, key)
        root = root_from_inclusion(leaf_hash(payload), self.index, said.size, self.path)
        if root != said.root:
            raise ProofInvalid(f"This is not the record that entry {self.index} sealed.")
        return said
