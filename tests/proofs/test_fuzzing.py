"""
Whatever comes from outside, parsers answer it or refuse it with an error of ours.

The corpus is made here, from whole files and calls; what is done to them is drawn from a seed, so
that a failure names what brings it back. `FUZZ_RUNS=200000 make proofs` looks for an hour.
"""

import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from haikei.errors import HaikeiError
from haikei.images.icc import icc_profile
from haikei.images.photoshop import examine
from haikei.ledger import VerifierKey, open_checkpoint, read_checkpoint
from haikei.note_language.parser import only_thanks, read_notes
from haikei.printable import printable
from haikei.provenance.formats import read_metadata
from haikei.provenance.xmp import read as read_xmp
from haikei.sgserver.faults import rules_of
from haikei.sgserver.http.rpc import read_envelope
from haikei.sgserver.values import Fault
from haikei.trackers.shotgrid.requests import read_deliveries
from support.imagefiles import drawing, icc_of_table, png_file, psd_file, tiff_file

RUNS = int(os.environ.get("FUZZ_RUNS", "400"))
Target = Callable[[bytes, Path], object]

#: Numbers at which lengths, signs and types overflow.
_EDGES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_WORDS = (
    *(b"\0" * 8, b"\xff" * 8, b"\xed\xa0\x80", b"\xc0\xaf", "\u202e\u2066\ufeff".encode()),
    *(b"../../../etc/passwd", b"%s%n%x", b"{{7*7}}", b"{0.__class__}", b"${jndi:ldap://x}"),
    *(b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"]]>", b"<x", b"&#0;", b"\r\n\r\n", b"[" * 300),
    *(b'{"a":' * 200, b"9" * 400, b"1e999", b"NaN", b"\x1b]0;x\x07", "が".encode() * 50),
)
_NOTES = (
    "もっと暗く、空は夕焼けに。鳥はいらない。 make it darker, no birds, same seed",
    "autumn, night; less contrast +20% warmer. v003 の雲を残して @mori https://x.test/a?b=c",
    "Thanks!! ありがとうございます",
)
_XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator><rdf:Seq><rdf:li>A</rdf:li></rdf:Seq>'
    "</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
)
_CALL = {
    "method_name": "read",
    "params": [
        {"script_name": "a", "script_key": "b"},
        {"type": "Shot", "filters": {"conditions": [{"path": "id", "values": [1]}]}},
    ],
}
_DELIVERY = {
    "data": {
        "id": "1.2.3",
        "event_log_entry_id": 5,
        "event_type": "Shotgun_Version_Change",
        "operation": "update",
        "user": {"type": "HumanUser", "id": 4},
        "entity": {"type": "Version", "id": 7},
        "project": {"type": "Project", "id": 9},
        "meta": {"type": "attribute_change", "attribute_name": "sg_status_list"},
        "created_at": "2026-01-01 00:00:00 UTC",
    },
    "timestamp": "2026-01-01T00:00:00Z",
}
_KEY = VerifierKey(name="studio/haikei", public=b"k" * 32)
_CHECKPOINT = f"studio/haikei\n5\n{'A' * 43}=\n\n— studio/haikei {'A' * 90}==\n"
_RULES = [{"kind": "error", "on": "read", "times": 2, "when": "after"}]


def text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape" if len(data) % 2 else "replace")


def file_target(read: Callable[[Path], object], ending: str) -> Target:
    def target(data: bytes, folder: Path) -> object:
        path = folder / f"fuzzed{ending}"
        path.write_bytes(data)
        return read(path)

    return target


def rules(data: bytes, _: Path) -> object:
    try:
        given = json.loads(data)
    except (ValueError, RecursionError):
        given = text(data)
    return rules_of(given, where="a test")


def notes(data: bytes, _: Path) -> object:
    said = text(data)
    found = read_notes([said, said[::-1]])
    only_thanks(said)
    shown = printable(said)
    assert not any(ord(sign) < 32 and sign not in "\n\t\r" for sign in shown)
    return found


TARGETS: dict[str, Target] = {
    "png": file_target(read_metadata, ".png"),
    "tiff": file_target(read_metadata, ".tif"),
    "psd": file_target(read_metadata, ".psd"),
    "psd-sections": file_target(examine, ".psd"),
    "icc": lambda data, _: icc_profile(data, "x.png"),
    "xmp": lambda data, _: read_xmp(data),
    "rpc": lambda data, _: read_envelope(data),
    "webhook": lambda data, _: read_deliveries(data),
    "checkpoint": lambda data, _: read_checkpoint(text(data)),
    "signed-checkpoint": lambda data, _: open_checkpoint(text(data), _KEY),
    "faults": rules,
    "notes": notes,
}


def seeds(name: str, folder: Path) -> Sequence[bytes]:
    picture = drawing(240, 270)[::4, ::4].copy()
    planes = [picture[..., band] for band in range(3)]
    match name:
        case "png":
            chunks = [(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + _XMP.encode())]
            chunks += [(b"tEXt", b"Software\0x"), (b"caBX", b"\0\0\0\x10jumb" + b"x" * 8)]
            return [png_file(folder / "a.png", picture, chunks=chunks).read_bytes()]
        case "tiff":
            return [tiff_file(folder / "a.tif", picture).read_bytes()]
        case "psd" | "psd-sections":
            flat = psd_file(folder / "a.psd", planes)
            layered = psd_file(folder / "b.psd", planes, layer=planes)
            large = psd_file(folder / "c.psd", planes, layer=planes, large=True)
            return [one.read_bytes() for one in (flat, layered, large)]
        case "icc":
            return [icc_of_table()]
        case "xmp":
            return [_XMP.encode()]
        case "rpc":
            return [json.dumps(_CALL).encode()]
        case "webhook":
            return [json.dumps(_DELIVERY).encode()]
        case "faults":
            return [json.dumps(_RULES).encode()]
        case "notes":
            return [one.encode() for one in _NOTES]
        case _:
            return [_CHECKPOINT.encode()]


def mutated(corpus: Sequence[bytes], chance: random.Random) -> bytes:
    """Return one of the corpus, changed in one to eight places; the head is changed most."""
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.randint(1, 8)):
        most = min(len(data), chance.choice((64, 600, len(data) or 1)))
        at = chance.randrange(most) if most else 0
        match chance.randrange(8):
            case 0 if data:
                data[at] ^= 1 << chance.randrange(8)
            case 1 if data:
                data[at] = chance.randrange(256)
            case 2:
                size = chance.choice((1, 2, 4, 8))
                value = chance.choice(_EDGES) % (1 << 8 * size)
                data[at : at + size] = value.to_bytes(size, chance.choice(("big", "little")))
            case 3:
                del data[at : at + chance.randint(1, 64)]
            case 4:
                data[at:at] = data[at : at + chance.randint(1, 200)]
            case 5:
                data[at:at] = chance.choice(_WORDS)
            case 6:
                other = chance.choice(corpus)
                cut = chance.randrange(len(other) + 1)
                data[at:] = other[cut : cut + 4096]
            case _:
                del data[chance.randrange(len(data) + 1) :]
    return bytes(data)


def cases(name: str, folder: Path) -> Iterator[tuple[int, bytes]]:
    corpus = seeds(name, folder)
    yield from enumerate(corpus, start=-len(corpus))
    for number in range(RUNS):
        yield number, mutated(corpus, random.Random(f"{name}/{number}"))


@pytest.mark.timeout(7200)
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_parser_answers_or_refuses_whatever_it_gets(name: str, tmp_path: Path) -> None:
    target, refused = TARGETS[name], 0
    for number, data in cases(name, tmp_path):
        try:
            target(data, tmp_path)
        except (HaikeiError, Fault) as error:
            refused += 1
            message = error.message
            assert message, f"{name}/{number} is refused without a word"
            assert len(message) < 20_000, f"{name}/{number} is refused at length"
        except Exception as error:
            found = f"{name}/{number} ({len(data)} bytes, {data[:60]!r}): {error!r}"
            raise AssertionError(found) from error
    assert refused or name in {"notes", "icc"}, "nothing that was changed was ever noticed"
