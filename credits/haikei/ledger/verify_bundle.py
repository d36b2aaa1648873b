#!/usr/bin/env python3
"""
Verify a bundle from a Haikei ledger. Needs Python 3.8 or newer, and nothing else.

    python3 verify_bundle.py BUNDLE.zip VKEY [FILE ...] [--against OLD-CHECKPOINT.txt]

VKEY must have reached you by another road than the bundle: in the contract, on the studio's site.
After a change of key give both, the present one first, with a comma between.
--against takes a checkpoint that you received earlier: history must not have changed since.
Exit code: 0 verified, 1 something is wrong, 2 it cannot be examined.
"""

from __future__ import annotations

import argparse
import hmac
import json
import re
import zipfile
from base64 import b64decode
from collections.abc import Iterator, Sequence
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

# Ed25519 as RFC 8032, section 5.1, writes it down: slow, but short enough to be read.
Q, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, Q - 2, Q) % Q


def point(data: bytes) -> Sequence[int]:
    y, sign = int.from_bytes(data, "little") % 2**255, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, Q - 2, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    if (x * x - square) % Q:
        x = x * pow(2, (Q - 1) // 4, Q) % Q
    if y >= Q or (x * x - square) % Q or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = Q - x if x % 2 != sign else x
    return x, y, 1, x * y % Q


def add(p: Sequence[int], q: Sequence[int]) -> Sequence[int]:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % Q, (p[1] + p[0]) * (q[1] + q[0]) % Q
    c, d = 2 * p[3] * q[3] * D % Q, 2 * p[2] * q[2] % Q
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % Q, g * h % Q, f * g % Q, e * h % Q


def times(number: int, p: Sequence[int]) -> Sequence[int]:
    rest = times(number >> 1, add(p, p)) if number else (0, 1, 1, 0)
    return add(rest, p) if number & 1 else rest


def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or len(public) != 32 or s >= L:
        return False
    h = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % L
    base = point((4 * pow(5, Q - 2, Q) % Q).to_bytes(32, "little"))
    left, right = times(s, base), add(point(signature[:32]), times(h, point(public)))
    return all(left[i] * right[2] % Q == right[i] * left[2] % Q for i in (0, 1))


def climb(at: int, last: int, old: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """Climb a Merkle tree (RFC 9162, 2.1.3.2 and 2.1.4.2) to an older root and to a newer one."""
    new = old
    for other in path:
        if last == 0:
            raise ValueError("the proof is too long")
        if at & 1 or at == last:
            old, new = sha256(b"\1" + other + old).digest(), sha256(b"\1" + other + new).digest()
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = sha256(b"\1" + new + other).digest()
        at, last = at >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return old, new


def check_growth(old: tuple[int, bytes], new: tuple[int, bytes], path: list[bytes]) -> None:
    path = path if old[0] & (old[0] - 1) else [old[1], *path]
    at, last = old[0] - 1, new[0] - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not 0 < old[0] < new[0] or climb(at, last, path[0], path[1:]) != (old[1], new[1]):
        raise ValueError("it does not continue the checkpoint before it")


class Auditor:
    """Reads a bundle; each check yields what it finds: whether it is good, and a sentence."""

    def __init__(self, bundle: str, vkeys: list[str]) -> None:
        self.bundle = zipfile.ZipFile(bundle)
        self.members = sorted(n for n in self.bundle.namelist() if n[-1:] != "/")
        self.keys: dict[tuple[str, bytes], bytes] = {}
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.names: dict[str, str] = {}
        self.sealed: dict[str, Any] = {}
        for name, key_id, encoded in (vkey.strip().split("+", 2) for vkey in vkeys):
            key = b64decode(encoded)
            if key[0] != 1 or sha256(f"{name}\n".encode() + key).hexdigest()[:8] != key_id:
                raise ValueError("the vkey is damaged")
            self.keys[name, bytes.fromhex(key_id)] = key[1:]

    def head(self, note: str) -> tuple[int, bytes]:
        """Return size and root of a checkpoint that one of the keys signed (C2SP signed-note)."""
        text, signatures = note.rsplit("\n\n", 1)
        origin, size, root = text.split("\n")[:3]
        for _, name, encoded in (line.split(" ") for line in signatures.splitlines()):
            key_id, signature = b64decode(encoded)[:4], b64decode(encoded)[4:]
            public = self.keys.get((name, key_id), b"")
            if origin == name and signature_holds(public, f"{text}\n".encode(), signature):
                return int(size), b64decode(root)
        raise ValueError("a checkpoint is not signed by the key that you gave")

    def checkpoints(self) -> Iterator[tuple[bool, str]]:
        before = 0, b""
        for name in (one for one in self.members if re.fullmatch(r"checkpoints/\d+\.txt", one)):
            note = self.bundle.read(name).decode()
            self.heads[note] = head = self.head(note)
            if before[0]:
                lines = self.bundle.read(f"{name[:-4]}.consistency").split()
                check_growth(before, head, [b64decode(line) for line in lines])
            before = head
        yield before[0] > 0, f"{len(self.heads)} checkpoints, up to {before[0]} entries"

    def against(self, path: str) -> Iterator[tuple[bool, str]]:
        same = self.head(Path(path).read_bytes().decode()) in self.heads.values()
        yield same, f"history is {'as' if same else 'NOT as'} it was in {path}"

    def people(self) -> Iterator[tuple[bool, str]]:
        for commitment, one in json.loads(self.bundle.read("names.json")).items():
            told = [one["person"], one["name"], one["name_ja"]]
            text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
            found = hmac.new(bytes.fromhex(one["salt"]), text, "sha256").hexdigest()
            self.names[commitment] = " ".join(told[1:]).strip()
            yield found == commitment, f"{told[0]} is {self.names[commitment]}"

    def entries(self) -> Iterator[tuple[bool, str]]:
        records = [name[:-5] for name in self.members if re.fullmatch(r"entries/.*\.json", name)]
        proofs = [name[:-11] for name in self.members if name.endswith(".tlog-proof")]
        good = proofs == records != [] and len(set(self.members)) == len(self.members)
        yield good, f"{len(records)} entries, each once and with a proof"
        for name in proofs:
            payload = self.bundle.read(f"{name}.json")
            proof, note = self.bundle.read(f"{name}.tlog-proof").decode().split("\n\n", 1)
            index, *path = proof.split("c2sp.org/tlog-proof@v1\nindex ")[1].split("\n")
            (size, root), at = self.heads[note], int(index)
            leaf, hashes = sha256(b"\0" + payload).digest(), [b64decode(line) for line in path]
            good = 0 <= at < size and climb(at, size - 1, leaf, hashes)[1] == root
            record = json.loads(payload)
            told = [str(record[one]) for one in ("type", "kind", "path", "text") if one in record]
            for one in [*record.get("contributions", []), record.get("contribution")]:
                who = one and (one["actor"].get("name") or one["actor"]["commitment"])
                told += [f"{one['role']}: {self.names.get(who, who)}"] if one else []
            if good and record.get("type") == "image":
                self.sealed[record["sha256"]] = record
            yield good, f"entry {at}: {', '.join(told)}"

    def file(self, name: str) -> Iterator[tuple[bool, str]]:
        data = self.bundle.read(name) if name in self.members else Path(name).read_bytes()
        record = self.sealed.get(sha256(data).hexdigest())
        yield record is not None, f"{name} is {'' if record else 'NOT '}a file that was sealed"
        if record and record["kind"] != "layout" and re.search(r"(?i)\.(png|jpe?g|tiff?)$", name):
            yield b"jumb" in data and b"<rdf:RDF" in data, f"{name} bears its C2PA and XMP marks"


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("bundle")
    parser.add_argument("vkey")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--against", action="append", default=[])
    given = parser.parse_args()
    try:
        auditor = Auditor(given.bundle, given.vkey.split(","))
    except (OSError, ValueError, IndexError, zipfile.BadZipFile) as error:
        parser.exit(2, f"This cannot be examined: {error}\n")
    files = [*given.files, *(name for name in auditor.members if name.startswith("files/"))]
    checks = [auditor.checkpoints(), *map(auditor.against, given.against)]
    checks += [auditor.people(), auditor.entries(), *map(auditor.file, files)]
    bad = 0
    for check in checks:
        try:
            for good, sentence in check:
                bad += not good
                print("ok " if good else "BAD", re.sub(r"[^\w -~]", "?", sentence))
        except Exception as error:  # whatever a damaged bundle breaks, it is not verified
            bad += 1
            print("BAD", type(error).__name__, error)
    print(f"FAILED: {bad} findings" if bad else "VERIFIED")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
