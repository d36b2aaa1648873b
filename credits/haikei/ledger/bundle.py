"""
Bundles: everything that an outsider needs to verify a part of a show, in one zip file, and proofs.

The same ledger gives the same bytes, whenever and wherever the bundle is made. A signed list of the
members comes last, so that nothing can be taken out, put in or swapped on the way. A proof is one
file: that a record stands in the ledger, and which names a bundle may disclose.
"""

import base64
import binascii
import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Self

from sqlalchemy import Connection, and_, select

from haikei.canonical import canonical_json
from haikei.database import ledger, name_openings, people
from haikei.errors import LedgerError, ProofInvalid
from haikei.ledger.checkpoint import (
    Checkpoint,
    NoteSigner,
    SignedCheckpoint,
    VerifierKey,
    checkpoints,
    open_checkpoint,
)
from haikei.ledger.entry import Entry, StoredTree, entry_of
from haikei.ledger.selection import SIDECARS, BundledFile
from haikei.ledger.tree import check_consistency, leaf_hash, root_from_inclusion

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
        checkpoint = open_checkpoint(self.note, key)
        root = root_from_inclusion(leaf_hash(payload), self.index, checkpoint.size, self.path)
        if root != checkpoint.root:
            raise ProofInvalid(f"This is not the record that entry {self.index} sealed.")
        return checkpoint


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


_BLOCK = 1 << 20
#: The first line of the signed list of members: no ledger's origin, so it is no checkpoint.
_CONTENTS = "haikei-bundle/1"
#: Digits of numbers in names, so that names sort as numbers do.
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """What a bundle holds."""

    path: Path
    checkpoint: SignedCheckpoint
    entries: int
    checkpoints: int
    names: int  #: people who are shown by name
    withheld: int  #: commitments that stay closed
    files: int


def export_bundle(
    connection: Connection,
    seqs: Sequence[int],
    *,
    target: Path,
    signer: NoteSigner,
    files: Sequence[BundledFile] = (),
) -> Bundled:
    """
    Write a bundle; each proof in it is checked before.

    Args:
        connection: one that sees the ledger at one moment.
        seqs: the entries, in order.
        target: the zip file, which must not be there yet.
        signer: what the newest checkpoint is signed with; signs the list of members too.
        files: images and what belongs to them.

    Raises:
        LedgerError: no checkpoint covers all entries, there are none, or the target is there.
        ProofInvalid: the stored tree does not prove what the newest checkpoint says.
        OSError: a file cannot be read, or the target cannot be written.
    """
    standing = checkpoints(connection)
    if not seqs:
        raise LedgerError("The ledger holds no entry of this selection.")
    if not standing or standing[-1].checkpoint.size <= seqs[-1]:
        raise LedgerError(
            f"No checkpoint covers entry {seqs[-1]} yet.",
            advice="Make one with `haikei ledger checkpoint`.",
        )
    if target.exists():
        raise LedgerError(f"{target} is there already.", advice="Give another name.")
    part = target.with_name(f".{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w") as archive:
            writer = _Writer(archive, connection, signer.key, standing)
            written = writer.write(seqs, files, target)
            writer.write_contents(signer)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return written


def verifier_script() -> str:
    """Return the text of the script with which outsiders verify bundles."""
    return resources.files("haikei.ledger").joinpath("verify_bundle.py").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class _Writer:
    archive: zipfile.ZipFile
    connection: Connection
    key: VerifierKey
    standing: Sequence[SignedCheckpoint]
    digests: dict[str, str] = field(default_factory=dict[str, str])  #: of members, by name

    def write_contents(self, signer: NoteSigner) -> None:
        """Write the signed list of all members that were written so far."""
        lines = (f"{digest}  {name}" for name, digest in sorted(self.digests.items()))
        self._text("contents", signer.sign("\n".join((_CONTENTS, *lines, ""))))

    def write(self, seqs: Sequence[int], files: Sequence[BundledFile], target: Path) -> Bundled:
        newest = self.standing[-1]
        tree = StoredTree(self.connection)
        self._checkpoints(tree)
        mentioned: set[str] = set()
        for entry in _entries(self.connection, seqs):
            path = tree.inclusion(entry.seq, newest.checkpoint.size)
            proof = InclusionProof(index=entry.seq, path=path, note=newest.note)
            proof.check(entry.payload, self.key)
            name = f"entries/{entry.seq:0{_DIGITS}}"
            self._text(f"{name}.json", entry.payload)
            self._text(f"{name}.tlog-proof", str(proof))
            mentioned |= commitments_in((entry.payload,))
        names = disclose(self.connection, mentioned)
        self._text("names.json", canonical_json(names))
        self._text("vkey.txt", f"{self.key}\n")
        self._text("checkpoint", newest.note)
        self._text("README.txt", _README)
        self._text("verify_bundle.py", verifier_script())
        for one in sorted(files, key=lambda file: file.name):
            self._file(one)
        return Bundled(
            path=target,
            checkpoint=newest,
            entries=len(seqs),
            checkpoints=len(self.standing),
            names=len({one.person for one in names.values()}),
            withheld=len(mentioned) - len(names),
            files=len(files),
        )

    def _checkpoints(self, tree: StoredTree) -> None:
        before: SignedCheckpoint | None = None
        for one in self.standing:
            checkpoint = one.checkpoint
            name = f"checkpoints/{checkpoint.size:0{_DIGITS}}"
            self._text(f"{name}.txt", one.note)
            if one.token is not None:
                self._bytes(f"{name}.tsr", one.token)
            if before is not None:
                old = before.checkpoint
                path = tree.consistency(old.size, checkpoint.size)
                check_consistency(old.size, old.root, checkpoint.size, checkpoint.root, path)
                lines = (base64.b64encode(value).decode() for value in path)
                self._text(f"{name}.consistency", "".join(f"{line}\n" for line in lines))
            before = one

    def _text(self, name: str, text: str) -> None:
        self._bytes(name, text.encode())

    def _bytes(self, name: str, content: bytes) -> None:
        self.archive.writestr(_member(name, zipfile.ZIP_DEFLATED), content, compresslevel=9)
        self.digests[name] = hashlib.sha256(content).hexdigest()

    def _file(self, file: BundledFile) -> None:
        # What marks an image from beside is in another folder: the ledger seals images alone.
        sidecar = PurePosixPath(file.name).suffix in SIDECARS
        member = _member(f"{'sidecars' if sidecar else 'files'}/{file.name}", zipfile.ZIP_STORED)
        member.file_size = file.path.stat().st_size
        digest = hashlib.sha256()
        with file.path.open("rb") as source, self.archive.open(member, "w") as out:
            while block := source.read(_BLOCK):
                out.write(block)
                digest.update(block)
        self.digests[member.filename] = digest.hexdigest()


def _member(name: str, compression: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.compress_type = compression
    member.create_system = 3
    member.external_attr = 0o100644 << 16
    return member


def _entries(connection: Connection, seqs: Sequence[int]) -> Iterator[Entry]:
    for start in range(0, len(seqs), _AT_ONCE):
        wanted = seqs[start : start + _AT_ONCE]
        query = select(ledger).where(ledger.c.seq.in_(wanted)).order_by(ledger.c.seq)
        rows = connection.execute(query).mappings().all()
        if len(rows) != len(wanted):
            there = {row["seq"] for row in rows}
            missing = next(seq for seq in wanted if seq not in there)
            raise LedgerError(
                f"Entry {missing} is missing from the ledger.", advice="Run `haikei ledger verify`."
            )
        yield from (entry_of(row) for row in rows)


_README = """\
What this is
  Records from the ledger of a studio: who and what made some images. Each was sealed when it
  happened, and this bundle lets you check that none was changed since. It needs no program of the
  studio's, and you need not believe the studio in this.

How to verify it
  python3 verify_bundle.py BUNDLE.zip VKEY [FILE ...] [--against OLD-CHECKPOINT.txt]

  VKEY is the studio's public key, one line of text. Take it from the contract, the studio's site or
  a letter, never from this bundle: vkey.txt is only here for you to compare.
  verify_bundle.py is short enough to be read, and needs nothing but Python. A script that comes
  with what it checks proves little: read it, or take it from a release of Haikei.
  FILE is any image that you were given: it is read where it lies, with the sidecars beside it, and
  never from this bundle. --against takes a checkpoint that you received earlier by mail or in a
  folder: if history was rewritten since, it does not fit any more. A checkpoint that is newer than
  the bundle says nothing of it: ask for a bundle that was made since.

What is in it
  entries/*.json         the records, byte for byte as they were sealed
  entries/*.tlog-proof   for each, that it stands in the ledger (c2sp.org/tlog-proof)
  checkpoints/*.txt      every signed head of the ledger so far (c2sp.org/tlog-checkpoint)
  checkpoints/*.consistency   that each head only adds to the one before it (RFC 9162)
  checkpoints/*.tsr      where there is one, a time-stamp token over the head (RFC 3161):
                         openssl ts -verify -data N.txt -in N.tsr -CAfile AUTHORITY.pem
  names.json             names of the people who are shown, and what opens their commitments
  files/, sidecars/      the images, and what marks them from beside, where they were asked for
  contents               every member's SHA-256, signed: nothing was taken out or put in since

What it does not show
  That a record is true: only that it was made no later than its checkpoint and not changed since.
  Who withholds a name, or had it erased, stands in the records as a number that tells nobody.
"""
