"""XMP packets are built, merged and read; what strangers wrote stays, and cannot do harm."""

import json
import shutil
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haikei.credits import Person, Role
from haikei.errors import MarksUnreadable
from haikei.images import Picture, read_picture, write_picture
from haikei.provenance import MarkSigner, NamedPerson, mark, read_marks, xmp
from haikei.provenance.formats.tiff import exif_texts, ordered_exif
from haikei.provenance.xmp import XmpStatement
from support.signing import REQUEST, FourSteps, contribution, mark_request, write_noise
from support.signing import signing_settings as studio_settings

PEOPLE = (
    NamedPerson(name="Yuki Tanaka", name_ja="田中ゆき", roles=("genzu",), id="HumanUser:12"),
    NamedPerson(name='A. "Ao" <Sato> & Co', name_ja="", roles=("touch_up", "selection"), id=""),
)
HEAD = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
RDF = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
PHOTOSHOPS = (
    HEAD
    + RDF
    + b"""<rdf:Description rdf:about="uuid:1" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:my="http://studio.example/ns/"
 xmp:CreatorTool="Adobe Photoshop 27.0" xmp:CreateDate="2026-11-01T10:00:00+09:00"
 photoshop:Credit="old line" my:cut="c012">
 <dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Seq><rdf:li>Old</rdf:li></rdf:Seq>
 </dc:creator><my:notes><rdf:Bag><rdf:li>keep &amp; hold</rdf:li></rdf:Bag></my:notes>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
)


def _statement(**changes: object) -> XmpStatement:
    values: dict[str, object] = {
        "title": "c012 背景",
        "digital_source_type": "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits",
        "ai_systems": (("SDXL", "1.0"), ("Refiner", "2")),
        "prompt": "",
        "prompt_writer": "",
        "creators": ("Yuki Tanaka",),
        "contributors": PEOPLE,
        "credit": "Background: Layout Yuki Tanaka",
        "mining": "forbidden",
        "tool": "Haikei",
        "at": datetime(2026, 11, 20, 2, 30, tzinfo=UTC),
    }
    return XmpStatement(**{**values, **changes})  # type: ignore[arg-type]


def test_what_is_written_is_read_again() -> None:
    found = xmp.read(xmp.build(_statement(prompt="autumn", prompt_writer="M. Ito")))

    assert found.contributors == PEOPLE
    assert found.title == "c012 背景"
    assert found.ai_system == "SDXL, Refiner"
    assert found.ai_system_version == "1.0, 2"
    assert (found.ai_prompt, found.ai_prompt_writer) == ("autumn", "M. Ito")
    assert found.creator_tool == "Haikei"


def test_a_strangers_properties_stay_and_ours_replace_theirs() -> None:
    packet = xmp.build(_statement(), PHOTOSHOPS)
    found = xmp.read(packet)

    assert found.credit == "Background: Layout Yuki Tanaka"
    assert found.creators == ("Yuki Tanaka",)
    assert found.creator_tool == "Adobe Photoshop 27.0"
    text = packet.decode()
    assert 'my:cut="c012"' in text
    assert "keep &amp; hold" in text
    assert "2026-11-01T10:00:00+09:00" in text
    assert "old line" not in text
    assert text.count('rdf:about="uuid:1"') == 2


def test_merging_twice_gives_the_same_packet() -> None:
    once = xmp.build(_statement(), PHOTOSHOPS)

    again = xmp.read(xmp.build(_statement(), once))

    assert again == xmp.read(once)
    assert len(xmp.build(_statement(), once)) < len(once) + 200


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"not xml",
        HEAD + b"</x:xmpmeta>",
        HEAD + RDF,
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>" * 100_000,
        b"\xff\xfe<\x00",
        b"\xff\xff\xff",
    ],
)
def test_a_packet_that_is_none_is_one_clear_error(packet: bytes) -> None:
    with pytest.raises(MarksUnreadable):
        xmp.read(packet)


def test_a_packet_in_utf_16_is_read() -> None:
    assert xmp.read(PHOTOSHOPS.decode().encode("utf-16")).credit == "old line"


_PRINTED = st.text(st.characters(categories=("L", "M", "N", "P", "S")), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(name=_PRINTED, credit=_PRINTED)
def test_any_name_survives(name: str, credit: str) -> None:
    person = NamedPerson(name=name, name_ja=name, roles=("layout",), id=name)

    found = xmp.read(xmp.build(_statement(contributors=(person,), credit=credit)))

    assert found.contributors == (person,)
    assert found.credit == credit


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=40))
def test_what_xml_cannot_hold_is_left_out(name: str) -> None:
    found = xmp.read(xmp.build(_statement(credit=f"a{name}z")))

    assert found.credit.startswith("a")
    assert found.credit.endswith("z")


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, len(PHOTOSHOPS) - 1), byte=st.integers(0, 255))
def test_a_damaged_packet_is_read_or_refused(place: int, byte: int) -> None:
    damaged = bytearray(PHOTOSHOPS)
    damaged[place] = byte
    try:
        xmp.read(xmp.build(_statement(), bytes(damaged)))
    except MarksUnreadable:
        return


def test_prompts_are_written_only_where_the_studio_allows_it(tmp_path: Path) -> None:
    written: list[str] = []
    for allowed in (False, True):
        signer = MarkSigner.from_settings(studio_settings(tmp_path, write_prompts=allowed))
        target = tmp_path / f"{allowed}.png"
        asked = mark_request(
            write_noise(1, tmp_path / "a.png"),
            target,
            prompt="autumn harbour",
            prompt_writer="M. Ito",
            request_json=REQUEST,
        )
        mark(asked, signer)
        found = read_marks(target, trust_pem=signer.trust_pem).xmp
        assert found is not None
        written.append(found.ai_prompt + found.ai_prompt_writer)
        assert (b"autumn harbour" in target.read_bytes()) is allowed

    assert written == ["", "autumn harbourM. Ito"]


def test_a_person_who_asked_not_to_be_named_is_named_nowhere(
    signer: MarkSigner, tmp_path: Path
) -> None:
    shy = Person(id="HumanUser:99", name="Shy Artist", name_ja="匿名", opt_out="letter 2026-10-02")
    drew = contribution(Role.GENZU, shy)
    asked = mark_request(
        write_noise(1, tmp_path / "a.png"),
        tmp_path / "b.png",
        contributions=(drew,),
        credited=(drew,),
    )
    mark(asked, signer)

    data = (tmp_path / "b.png").read_bytes()
    assert b"Shy Artist" not in data
    assert "匿名".encode() not in data
    assert b"HumanUser:99" not in data
    marks = read_marks(tmp_path / "b.png", trust_pem=signer.trust_pem)
    assert marks.xmp is not None
    assert marks.xmp.creators == ()
    assert [person.roles for person in marks.steps[0].people] == [("genzu",)]


EXIFTOOL = shutil.which("exiftool")


@pytest.mark.skipif(EXIFTOOL is None, reason="needs Debian's libimage-exiftool-perl")
@pytest.mark.parametrize("final", ["png", "jpg", "tif", "exr"])
def test_exiftool_reads_what_we_wrote(marked: dict[str, FourSteps], final: str) -> None:
    step = marked[final].final
    done = subprocess.run(
        [str(EXIFTOOL), "-j", "-struct", "-XMP:all", str(step.xmp or step.path)],
        capture_output=True,
        check=True,
    )
    (found,) = json.loads(done.stdout)

    assert found["Creator"] == ["Yuki Tanaka", "A. Sato"]
    assert found["DigitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    assert found["AISystemUsed"] == "SDXL"
    assert found["Contributor"][0]["Name-ja"] == "田中ゆき"


@pytest.mark.skipif(EXIFTOOL is None, reason="needs Debian's libimage-exiftool-perl")
@pytest.mark.parametrize("software", ["Haikei", "Haikei 1"])
def test_exiftool_finds_nothing_wrong_with_a_png_of_ours(
    signer: MarkSigner, tmp_path: Path, software: str
) -> None:
    """Pictures are written with EXIF by OpenImageIO, which keeps no order in it."""
    plain = tmp_path / "plain.png"
    pixels = np.random.default_rng(1).random((64, 96, 3), dtype=np.float32)
    write_picture(
        Picture(pixels=pixels),
        plain,
        attributes={"Software": software, "ImageDescription": "c012"},
    )
    made = mark(mark_request(plain, tmp_path / "c012.png"), signer)

    done = subprocess.run(
        [str(EXIFTOOL), "-validate", "-warning", "-a", "-s3", str(made.path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["OK"]
    assert read_picture(made.path).sha256() == read_picture(plain).sha256()


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_entries_are_put_in_order_and_keep_their_values(order: str) -> None:
    def block(directory: bool) -> bytes:
        second = 34665 if directory else 270
        head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 16)
        entries = struct.pack(order + "HHHI", 2, 305, 2, 7) + struct.pack(order + "I", 8)
        entries += struct.pack(order + "HHI", second, 2, 3) + b"ab\0\0"
        return head + b"Haikei\0\0" + entries + struct.pack(order + "I", 0)

    ordered = ordered_exif(block(directory=False))

    at = struct.unpack(order + "I", ordered[4:8])[0] + 2
    assert struct.unpack(order + "H", ordered[at : at + 2]) == (270,)
    assert {(one.name, one.text) for one in exif_texts(ordered)} == {
        ("Software", "Haikei"),
        ("ImageDescription", "ab"),
    }
    assert ordered_exif(ordered) == ordered
    assert ordered_exif(block(directory=True)) == block(directory=True)
    assert ordered_exif(b"broken") == b"broken"


def test_who_has_a_name_in_japanese_script_alone_is_named_by_it(
    signer: MarkSigner, tmp_path: Path
) -> None:
    drew = contribution(Role.GENZU, Person(id="HumanUser:11", name="", name_ja="田中ゆき"))
    asked = mark_request(
        write_noise(1, tmp_path / "a.png"),
        tmp_path / "b.png",
        contributions=(drew,),
        credited=(drew,),
    )

    mark(asked, signer)

    marks = read_marks(tmp_path / "b.png", trust_pem=signer.trust_pem)
    assert marks.xmp is not None
    assert marks.xmp.creators == ("田中ゆき",)
    assert [person.name for person in marks.steps[0].people] == ["田中ゆき"]
