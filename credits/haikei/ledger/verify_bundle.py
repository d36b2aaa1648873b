#!/usr/bin/env python3
"""
Verify a bundle from a Haikei ledger. Needs Python 3.8 or newer, and nothing else.

    python3 verify_bundle.py BUNDLE.zip VKEY [FILE ...] [--against OLD-CHECKPOINT.txt]

VKEY must have reached you by another road than the bundle: in the contract, on the studio's site.
After a change of key give both, the present one first, with a comma between.
A FILE is read from where you name it, never from the bundle; so are the sidecars beside it.
--against takes a checkpoint that you received earlier: history must not have changed since.
Exit code: 0 verified, 1 something is wrong, 2 nothing is wrong, but not all can be examined.
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
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Findings = Iterator[tuple[bool | None, str]]  # right, wrong, or not to be told; and a sentence

ENDS, WORDS = (".c2pa", ".xmp"), {True: "ok ", False: "BAD", None: "?? "}
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
    """Reads a bundle; each check yields findings."""

    def __init__(self, bundle: str, vkeys: list[str]) -> None:
        self.bundle = zipfile.ZipFile(bundle)
        self.members = sorted(n for n in self.bundle.namelist() if n[-1:] != "/")
        self.keys: dict[tuple[str, bytes], bytes] = {}
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.names: dict[str, str] = {}
        self.held: dict[str, list[str]] = {}  # commitments to names, by person
        self.asked: dict[str, set[str]] = {}  # kinds of statements about their name
        self.records: dict[int, dict[str, Any]] = {}
        self.images: dict[str, list[dict[str, Any]]] = {}
        for name, key_id, encoded in (vkey.strip().split("+", 2) for vkey in vkeys):
            key = b64decode(encoded)
            if key[0] != 1 or sha256(f"{name}\n".encode() + key).hexdigest()[:8] != key_id:
                raise ValueError("the vkey is damaged")
            self.keys[name, bytes.fromhex(key_id)] = key[1:]

    def signed(self, note: str) -> tuple[str, str]:
        """Return the text of a note and the name of the key that signed it (C2SP signed-note)."""
        text, signatures = note.rsplit("\n\n", 1)
        for _, name, encoded in (line.split(" ") for line in signatures.splitlines()):
            key_id, signature = b64decode(encoded)[:4], b64decode(encoded)[4:]
            public = self.keys.get((name, key_id), b"")
            if signature_holds(public, f"{text}\n".encode(), signature):
                return text, name
        raise ValueError("a checkpoint or the contents are not signed by the key that you gave")

    def head(self, note: str) -> tuple[int, bytes]:
        """Return size and root of a checkpoint."""
        text, name = self.signed(note)
        origin, size, root = text.split("\n")[:3]
        if origin != name:
            raise ValueError("what is signed is no checkpoint of this ledger")
        return int(size), b64decode(root)

    def checkpoints(self) -> Findings:
        before = 0, b""
        for name in (one for one in self.members if re.fullmatch(r"checkpoints/\d+\.txt", one)):
            note = self.bundle.read(name).decode()
            self.heads[note] = head = self.head(note)
            if before[0]:
                lines = self.bundle.read(f"{name[:-4]}.consistency").split()
                check_growth(before, head, [b64decode(line) for line in lines])
            before = head
        yield before[0] > 0, f"{len(self.heads)} checkpoints, up to {before[0]} entries"

    def contents(self) -> Findings:
        """Compare the members with the list that was signed when the bundle was made."""
        if "contents" not in self.members:
            yield None, "without a list of its contents: what was taken out or added cannot be seen"
            return
        title, *lines = self.signed(self.bundle.read("contents").decode())[0].split("\n")
        listed, there = {line[66:]: line[:64] for line in lines}, {*self.members} - {"contents"}
        for name in sorted(listed.keys() ^ there):
            yield False, f"{name} was {'taken out' if name in listed else 'put into the bundle'}"
        for name in sorted(listed.keys() & there):
            if sha256(self.bundle.read(name)).hexdigest() != listed[name]:
                yield False, f"{name} is not what was put into the bundle"
        good = title == "haikei-bundle/1" and len(set(self.members)) == len(self.members)
        yield good, f"{len(listed)} members are listed, each once"

    def against(self, path: str) -> Findings:
        head, newest = self.head(Path(path).read_bytes().decode()), max(self.heads.values())
        if head[0] > newest[0]:
            yield None, f"{path} is newer ({head[0]} entries) than this bundle ({newest[0]})"
            return
        same = head in self.heads.values()
        yield same, f"history is {'as' if same else 'NOT as'} it was in {path}"

    def people(self) -> Findings:
        for commitment, one in json.loads(self.bundle.read("names.json")).items():
            told = [one["person"], one["name"], one["name_ja"]]
            text = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
            found = hmac.new(bytes.fromhex(one["salt"]), text, "sha256").hexdigest()
            self.names[commitment] = " ".join(told[1:]).strip()
            yield found == commitment, f"{told[0]} is {self.names[commitment]}"

    def entries(self) -> Findings:
        records = [name[:-5] for name in self.members if re.fullmatch(r"entries/.*\.json", name)]
        proofs = [name[:-11] for name in self.members if name.endswith(".tlog-proof")]
        yield proofs == records != [], f"{len(records)} entries, each with a proof"
        for name in proofs:
            payload = self.bundle.read(f"{name}.json")
            proof, note = self.bundle.read(f"{name}.tlog-proof").decode().split("\n\n", 1)
            index, *path = proof.split("c2sp.org/tlog-proof@v1\nindex ")[1].split("\n")
            (size, root), at = self.heads[note], int(index)
            leaf, hashes = sha256(b"\0" + payload).digest(), [b64decode(line) for line in path]
            good = 0 <= at < size and climb(at, size - 1, leaf, hashes)[1] == root
            record = json.loads(payload)
            told = [str(record[one]) for one in ("type", "kind", "path", "text") if one in record]
            made = [*record.get("contributions", ()), record.get("contribution")]
            made.append({"role": "by", "actor": record["by"]} if "by" in record else None)
            for role, actor in ((one["role"], one["actor"]) for one in made if one):
                who = actor.get("name") or actor["commitment"]
                told.append(f"{role}: {self.names.get(who, who)}")
                if "commitment" in actor:
                    self.held.setdefault(actor["id"], []).append(who)
            self.records[at] = record
            if record.get("type") == "image":
                self.images.setdefault(record["sha256"], []).append(record)
            if str(record.get("kind")).startswith("name_"):
                self.asked.setdefault(record["by"]["id"], set()).add(record["kind"])
            yield good, f"entry {at}: {', '.join(told)}"

    def printed(self) -> Findings:
        """What is shown of people must be what was sealed last of their names."""
        for person, sealed in sorted(self.held.items()):
            kinds, shown = self.asked.get(person, set()), set(sealed) & self.names.keys()
            hidden = kinds & {"name_withheld", "name_erased"}
            wrong = shown != {sealed[-1]} or (len({*sealed}) > 1 and not kinds)
            if hidden and shown:
                yield False, f"{person} is named, and asked NOT to be"
            elif not hidden and wrong:
                yield False, f"{person} is withheld or renamed, and did NOT ask for it"
        yield True, f"{len(self.held)} people were held against what is sealed of their names"

    def lineage(self) -> Findings:
        """Whatever an image was made from, and whatever was added to it, must be here as well."""
        for at, record in sorted(self.records.items()):
            for one in [*record.get("ingredients", ()), record.get("image")]:
                if one and one["sha256"] not in self.images:
                    yield False, f"entry {at} needs {one['sha256']}, which has NO record here"
        yield True, f"{len(self.records)} records were followed to what they stand on"

    def bundled(self) -> Findings:
        """Each image in the bundle must be the one that was sealed under its own path."""
        for name in (one for one in self.members if one.startswith("files/")):
            data, path = self.bundle.read(name), name[6:]
            known = self.images.get(sha256(data).hexdigest(), [])
            paths = [record["path"].lstrip("/") for record in known]
            if path in paths:
                yield True, f"{name} is a file that was sealed"
                beside = {end: f"sidecars/{PurePosixPath(path).with_suffix(end)}" for end in ENDS}
                read = {e: self.bundle.read(n) for e, n in beside.items() if n in self.members}
                yield from marks(name, data, known[0]["kind"], read)
            else:
                other = f": it is {', '.join(paths)}" if paths else ""
                yield False, f"{name} is NOT the file that was sealed under this path{other}"

    def file(self, name: str) -> Findings:
        """Check a file where it lies; the bundle's own copy of it is not looked at."""
        path, data = Path(name), Path(name).read_bytes()
        known = self.images.get(sha256(data).hexdigest(), [])
        paths = [record["path"] for record in known]
        everywhere = [one["path"] for some in self.images.values() for one in some]
        called = [one for one in everywhere if PurePosixPath(one).name == path.name]
        if not known:
            other = f"; {', '.join(called)} was sealed with other bytes" if called else ""
            yield False, f"{name} is NOT a file that was sealed in these entries{other}"
            return
        swapped = called and not set(called) & set(paths)
        other = f", but is called like {', '.join(called)}" if swapped else ""
        yield not swapped, f"{name} is a file that was sealed, as {', '.join(paths)}{other}"
        read = {end: path.with_suffix(end) for end in ENDS}
        there = {end: one.read_bytes() for end, one in read.items() if one.is_file()}
        yield from marks(name, data, known[0]["kind"], there)


def marks(name: str, data: bytes, kind: str, beside: dict[str, bytes]) -> Findings:
    """Look for the marks of an image, in it or beside it; whether they hold a C2PA tool tells."""
    if re.search(r"(?i)\.(png|jpe?g|tiff?)$", name):
        if kind != "layout":
            yield b"jumb" in data and b"<rdf:RDF" in data, f"{name} bears its C2PA and XMP marks"
        return
    if kind == "layout" and not beside:
        return
    # Manifests hold the XMP sidecar's hash, as 64 digits after the name of the field; own one last.
    promised = re.findall(rb"xmpSha256[^0-9a-f]{1,4}([0-9a-f]{64})", beside.get(".c2pa", b""))
    good = promised[-1:] == [sha256(beside.get(".xmp", b"")).hexdigest().encode()]
    yield good, f"{name} {'has' if good else 'has NOT'} the sidecars that belong together"


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
    checks = [auditor.checkpoints(), auditor.contents(), *map(auditor.against, given.against)]
    checks += [auditor.people(), auditor.entries(), auditor.printed(), auditor.lineage()]
    counts = {True: 0, False: 0, None: 0}
    for check in [*checks, auditor.bundled(), *map(auditor.file, given.files)]:
        try:
            for good, sentence in check:
                counts[good] += 1
                print(WORDS[good], re.sub(r"[^\w -~]", "?", sentence))
        except Exception as error:  # whatever a damaged bundle breaks, it is not verified
            counts[False] += 1
            print("BAD", type(error).__name__, error)
    code = 1 if counts[False] else 2 if counts[None] else 0
    print(("VERIFIED", f"FAILED: {counts[False]} findings", "NOT VERIFIED, nothing wrong")[code])
    return code


if __name__ == "__main__":
    raise SystemExit(main())
