"""
Proofs as files: that a record stands in the ledger, and which names a bundle may
disclose.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, and_, select

from haikei.database import name_openings, people
from haikei.errors import ProofInvalid
from haikei.ledger.checkpoint import Checkpoint, VerifierKey, open_checkpoint
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


#: Commitments stand in `actor` and `by`, and in texts in place of names.
_COMMITMENT = re.compile(r'(?:"commitment":"|\{person(?:_ja)?:)([0-9a-f]{64})')
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosedName:
    """What shows whose name a commitment stands for."""

    person: str  #: the id
    name: str
    name_ja: str
    salt: str  #: 32 bytes as hexadecimal digits


def commitments_in(payloads: Iterable[str]) -> set[str]:
    """Return every commitment that stands in some records."""
    return {found for payload in payloads for found in _COMMITMENT.findall(payload)}


def disclose(connection: Connection, commitments: Iterable[str]) -> dict[str, DisclosedName]:
    """
    Return the names behind commitments.

    Left out are people who withhold their name, names that were erased, and names that a person
    does not bear any more.
    """
    ordered = sorted(commitments)
    opened = name_openings.c
    found: dict[str, DisclosedName] = {}
    for start in range(0, len(ordered), _AT_ONCE):
        query = (
            select(opened.commitment, opened.person, opened.name, opened.name_ja, opened.salt)
            .join(
                people,
                and_(
                    people.c.id == opened.person,
                    people.c.name == opened.name,
                    people.c.name_ja == opened.name_ja,
                ),
            )
            .where(
                opened.commitment.in_(ordered[start : start + _AT_ONCE]),
                people.c.opt_out == "",
                people.c.erased_at.is_(None),
            )
        )
        for row in connection.execute(query):
            found[row.commitment] = DisclosedName(
                person=row.person, name=row.name, name_ja=row.name_ja, salt=row.salt
            )
    return found
