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
from functools import partial
from hashlib import sha256, sha512
from os.path import commonprefix
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Iterator, Optional, Sequence, Tuple  # noqa: UP035
from unicodedata import normalize

Findings = Iterator[Tuple[Optional[bool], str]]  # noqa: UP006, UP045 - right, wrong, or not known
ENDS, WORDS = (".c2pa", ".xmp"), {True: "ok ", False: "BAD", None: "?? "}
NEWER = "of a newer form than this script knows: take the script of a newer release"
HIDING, ANSWERS = ("name_withheld", "name_erased"), ("confirmation", "correction")
plain = partial(normalize, "NFC")  # a Mac packs names in another form than it found them in
# Ed25519 as RFC 8032, section 5.1, writes it down: slow, but short enough to be read.
Q, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, Q - 2, Q) % Q


def point(data: bytes) -> Sequence[int]:
    y, sign = int.from_bytes(data, "little") % 2**255, data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, Q - 2, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    x = x * pow(2, (Q - 1) // 4, Q) % Q if (x * x - square) % Q else x
    if y >= Q or (x * x - square) % Q or (x == 0 and sign):
        raise ValueError("no point of the curve")
    return (x, y, 1, x * y % Q) if x % 2 == sign else (Q - x, y, 1, (Q - x) * y % Q)


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
    return (old, new) if last == 0 else (b"the proof is", b"too short")


class Auditor:  # reads a bundle; each check yields findings
    def __init__(self, bundle: str, vkeys: str) -> None:
        opened, self.newer = zipfile.ZipFile(bundle), False
        self.infos = [one for one in opened.infolist() if not one.is_dir()]
        self.there = {plain(one.filename): one for one in self.infos}
        self.read: Callable[[str], bytes] = lambda name: opened.read(self.there[name])
        self.members, self.older = sorted(self.there), "contents" not in self.there
        self.keys: dict[tuple[str, bytes], bytes] = {}
        self.heads: dict[str, tuple[int, bytes]] = {}
        self.names: dict[str, str] = {}
        self.held: dict[str, list[str]] = {}  # commitments to names, by person
        self.denied: set[Sequence[str]] = set()  # image, role, and who had no part in it
        self.records: dict[int, dict[str, Any]] = {}
        self.images: dict[str, list[dict[str, Any]]] = {}
        for name, key_id, encoded in (vkey.strip().split("+", 2) for vkey in vkeys.split(",")):
            key = b64decode(encoded)
            if key[0] != 1 or sha256(f"{name}\n".encode() + key).hexdigest()[:8] != key_id:
                raise ValueError("the vkey is damaged")
            self.keys[name, bytes.fromhex(key_id)] = key[1:]

    def signed(self, note: str) -> tuple[str, str]:  # text, and name of the key (C2SP signed-note)
        text, signatures = note.rsplit("\n\n", 1)
        for _, name, encoded in (line.split(" ") for line in signatures.splitlines()):
            key_id, signature = b64decode(encoded)[:4], b64decode(encoded)[4:]
            public = self.keys.get((name, key_id), b"")
            if signature_holds(public, f"{text}\n".encode(), signature):
                return text, name
        raise ValueError("a checkpoint or the contents are not signed by the key that you gave")

    def head(self, note: str) -> tuple[int, bytes]:
        text, name = self.signed(note)
        origin, size, root = text.split("\n")[:3]
        if origin != name:
            raise ValueError("what is signed is no checkpoint of this ledger")
        return int(size), b64decode(root)

    def packing(self) -> Findings:  # the members are those of the signed list, and files
        for one in self.infos:
            if one is not self.there[plain(one.filename)]:
                yield False, f"{one.filename} is in the bundle twice"
            outside = re.search(r"^/|^\w:|(^|/)\.\.?(/|$)|[\\\x00-\x1f]", one.orig_filename)
            if outside or one.external_attr >> 28 not in (0, 8):  # of Unix: unknown, or a file
                yield False, f"{one.orig_filename} is no plain file below the bundle"
        if self.older:
            yield None, "without a list of its contents: what was taken out or added cannot be seen"
            return
        title, *lines = self.signed(self.read("contents").decode())[0].split("\n")
        self.newer = re.fullmatch(r"haikei-bundle/(?!1$)\d+", title) is not None
        if title != "haikei-bundle/1":
            yield None if self.newer else False, f"{title} is {NEWER}"
            return
        listed, there = {plain(ln[66:]): ln[:64] for ln in lines}, {*self.members} - {"contents"}
        for name in sorted(listed.keys() ^ there):
            yield False, f"{name} was {'taken out' if name in listed else 'put into the bundle'}"
        for name in sorted(listed.keys() & there):
            if sha256(self.read(name)).hexdigest() != listed[name]:
                yield False, f"{name} is not what was put into the bundle"
        yield len(listed) == len(lines), f"{len(listed)} members are listed, each once"

    def checkpoints(self) -> Findings:  # each continues the one before it
        old = 0, b""
        for name in (one for one in self.members if re.fullmatch(r"checkpoints/\d+\.txt", one)):
            note = self.read(name).decode()
            self.heads[note] = new = self.head(note)
            if old[0]:
                path = [b64decode(one) for one in self.read(f"{name[:-4]}.consistency").split()]
                path, at = path if old[0] & (old[0] - 1) else [old[1], *path], old[0] - 1
                last = new[0] - 1
                while at & 1:
                    at, last = at >> 1, last >> 1
                good = old[0] < new[0] and climb(at, last, path[0], path[1:]) == (old[1], new[1])
                yield good, f"{name} was {'' if good else 'NOT '}grown from the one before it"
            old = new
        yield old[0] > 0, f"{len(self.heads)} checkpoints, up to {old[0]} entries"

    def against(self, path: str) -> Findings:
        head, newest = self.head(Path(path).read_bytes().decode()), max(self.heads.values())
        same = head in self.heads.values() if head[0] <= newest[0] else None
        words = {None: f"newer ({head[0]} entries, {newest[0]} here)", True: "as it was"}
        yield same, f"history is {words.get(same, 'NOT as it was')} in {path}"

    def people(self) -> Findings:
        names = (name for name in self.members if re.fullmatch(r"entries/\d+\.json", name))
        self.records = {int(name[8:-5]): json.loads(self.read(name)) for name in names}
        self.newer = any(record.get("v", 1) != 1 for record in self.records.values())
        if self.newer:
            yield None, f"an entry is {NEWER}"
            return
        for commitment, one in json.loads(self.read("names.json")).items():
            fields = [one["person"], one["name"], one["name_ja"]]
            text = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
            found = hmac.new(bytes.fromhex(one["salt"]), text, "sha256").hexdigest()
            self.names[commitment] = " ".join(fields[1:]).strip()
            yield found == commitment, f"{fields[0]} is {self.names[commitment]}"
        for one in (record for record in self.records.values() if record.get("kind") in ANSWERS):
            person, role, no = one["by"]["id"], one["subject"], one["answer"] == "no"
            if role.startswith("wrongly/"):
                (role, person), no = role[8:].split("/", 1), not no
            (self.denied.add if no else self.denied.discard)((one["image_sha256"], role, person))

    def entries(self) -> Findings:
        records = [name[:-5] for name in self.members if re.fullmatch(r"entries/.*\.json", name)]
        proofs = [name[:-11] for name in self.members if name.endswith(".tlog-proof")]
        yield proofs == records != [], f"{len(records)} entries, each with a proof"
        for name in records:
            payload, record = self.read(f"{name}.json"), self.records[int(name[8:])]
            proof, note = self.read(f"{name}.tlog-proof").decode().split("\n\n", 1)
            index, *path = proof.split("c2sp.org/tlog-proof@v1\nindex ")[1].split("\n")
            (size, root), at = self.heads[note], int(index)
            leaf, hashes = sha256(b"\0" + payload).digest(), [b64decode(line) for line in path]
            good = int(name[8:]) == at < size and climb(at, size - 1, leaf, hashes)[1] == root
            parts = [str(record[one]) for one in ("type", "kind", "path", "text") if one in record]
            made = [*record.get("contributions", ()), record.get("contribution")]
            made += [{"role": "by", "actor": record["by"]}] if "by" in record else []
            image = record.get("image", record).get("sha256")
            for role, actor in ((one["role"], one["actor"]) for one in made if one):
                who = actor.get("name") or actor["commitment"]
                gone = (image, role, actor.get("id")) in self.denied
                parts.append(f"{role}: {'denied since' if gone else self.names.get(who, who)}")
                if "commitment" in actor:
                    self.held.setdefault(actor["id"], []).append(who)
            self.images.setdefault(record.get("sha256", ""), []).append(record)
            yield good, f"entry {at}: {', '.join(parts)}"

    def agreeing(self) -> Findings:  # names are as sealed last; what images stand on is here
        kinds = {(one["by"]["id"], one["kind"]) for one in self.records.values() if "by" in one}
        for person, sealed in sorted(self.held.items()):
            hidden, shown = {(person, one) for one in HIDING} & kinds, {*sealed} & self.names.keys()
            wrong = len({*sealed}) > 1 and not hidden and (person, "name_changed") not in kinds
            if hidden and shown:
                yield False, f"{person} is named, and asked NOT to be"
            elif not hidden and (shown != {sealed[-1]} or wrong) and not self.older:
                yield False, f"{person} is withheld or renamed, and did NOT ask for it"
        for at, record in sorted(self.records.items()):
            for one in [*record.get("ingredients", ()), record.get("image")]:
                if one and one["sha256"] not in self.images:
                    yield False, f"entry {at} needs {one['sha256']}, which has NO record here"
        yield True, f"{len(self.held)} people, {len(self.records)} records were held against others"

    def beside(self, path: str) -> dict[str, bytes]:
        named = {e: f"sidecars/{PurePosixPath(plain(path)).with_suffix(e)}" for e in ENDS}
        return {end: self.read(name) for end, name in named.items() if name in self.there}

    def bundled(self) -> Findings:  # each image must be the one that was sealed under its own path
        for name in (one for one in self.members if one.startswith("files/")):
            data, path = self.read(name), name[6:]
            known = self.images.get(sha256(data).hexdigest(), [])
            paths = [plain(record["path"]).lstrip("/") for record in known]
            other = f": it is {', '.join(paths)}" if paths else ""
            words = "" if path in paths else f"NOT the file that was sealed under this path{other}"
            yield not words, f"{name} is {words or 'a file that was sealed'}"
            yield from () if words else marks(name, data, known[0]["kind"], self.beside(path))

    def file(self, name: str) -> Findings:  # where it lies: no copy in the bundle is looked at
        path, data = Path(name), Path(name).read_bytes()
        known = self.images.get(sha256(data).hexdigest(), [])
        paths, mine = [one["path"] for one in known], plain(path.absolute().as_posix()).split("/")
        every = {one.get("path", ""): one for one in self.records.values()}  # by their last names:
        near = {p: len(commonprefix([mine[::-1], plain(p).split("/")[::-1]])) for p in every}  # noqa: RUF071
        called = ", ".join(one for one in near if near[one] == max(near.values()) > 0)
        if not known:
            called = f"; {called} was sealed with other bytes" if called else ""
            yield False, f"{name} is NOT a file that was sealed in these entries{called}"
            return
        good = max(near[one] for one in paths) == max(near.values())
        called = "" if good else f", but is called like {called}"
        yield good, f"{name} is a file that was sealed, as {', '.join(paths)}{called}"
        there = {e: path.with_suffix(e).read_bytes() for e in ENDS if path.with_suffix(e).is_file()}
        if self.beside(paths[0].lstrip("/")) not in ({}, there):
            yield False, f"{name} has NOT the sidecars that are in the bundle"
        yield from marks(name, data, known[0]["kind"], there)


def marks(name: str, data: bytes, kind: str, beside: dict[str, bytes]) -> Findings:
    """Look for the marks in or beside an image; whether they hold a C2PA tool tells."""
    # A manifest holds the hash of the XMP packet beside it; the image's own manifest is the last.
    promised = re.findall(rb"xmpSha256[^0-9a-f]{1,4}([0-9a-f]{64})", beside.get(".c2pa", b""))
    good = promised[-1:] == [sha256(beside.get(".xmp", b"")).hexdigest().encode()]
    inside = re.search(r"(?i)\.(png|jpe?g|tiff?)$", name) is not None
    if inside and kind != "layout":
        yield b"jumb" in data and b"<rdf:RDF" in data, f"{name} bears its C2PA and XMP marks"
    if beside and not good and (inside or (kind == "layout" and not promised)):
        yield None, f"{name} has {', '.join(beside)} beside it, and nothing sealed answers for that"
    elif not inside and (beside or kind != "layout"):
        yield good, f"{name} {'has' if good else 'has NOT'} the sidecars that belong together"


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("given", nargs="+")
    parser.add_argument("--against", action="append", default=[])
    options = parser.parse_args()
    try:
        auditor = Auditor(*options.given[:2])
    except (TypeError, OSError, ValueError, IndexError, zipfile.BadZipFile) as error:
        parser.exit(2, f"This cannot be examined: {error}\n")
    checks = [auditor.packing(), auditor.checkpoints(), *map(auditor.against, options.against)]
    checks += [auditor.people(), auditor.entries(), auditor.agreeing(), auditor.bundled()]
    found: list[tuple[bool | None, str]] = []
    for check in [*checks, *map(auditor.file, options.given[2:])]:
        try:
            found.extend(() if auditor.newer else check)
        except OSError as error:
            found.append((None, f"{error.filename} cannot be read: {error.strerror}"))
        except Exception as error:  # whatever a damaged bundle breaks, it is not verified
            found.append((False, f"{type(error).__name__} {error}"))
    for good, sentence in found:
        print(WORDS[good], re.sub(r"[^\w -~]", "?", sentence))
    bad = sum(good is False for good, _ in found)
    code = 1 if bad else 2 if None in dict(found) else 0
    print(("VERIFIED", f"FAILED: {bad} findings", "NOT VERIFIED, nothing wrong")[code])
    return code


if __name__ == "__main__":
    raise SystemExit(main())
