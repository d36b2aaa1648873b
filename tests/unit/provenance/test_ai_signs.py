"""Signs of trained models are found in files of vendors that declared none."""

import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from haikei.provenance import FileMarks, MarkSigner, MarksState, read_marks, xmp
from haikei.provenance.formats.detection import file_format
from haikei.provenance.xmp import XmpStatement
from support.signing import FourSteps, write_noise


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _png_with(path: Path, *chunks: bytes) -> Path:
    write_noise(1, path)
    data = path.read_bytes()
    path.write_bytes(data[:33] + b"".join(chunks) + data[33:])
    return path


def _exif(tag: int, value: bytes) -> bytes:
    directory = struct.pack("<HHHII", 1, tag, 2, len(value), 26) + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8) + directory + value


def _with_xmp(folder: Path, ending: str, **said: str) -> Path:
    source = write_noise(1, folder / f"plain.{ending}")
    target = folder / f"said.{ending}"
    statement = XmpStatement(
        title="t",
        digital_source_type=said.get("source_type", ""),
        ai_systems=((said["system"], ""),) if "system" in said else (),
        prompt="",
        prompt_writer="",
        creators=(),
        contributors=(),
        credit=said.get("credit", ""),
        mining="unsaid",
        tool=said.get("tool", "Krita"),
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    write = file_format(source).write_xmp
    assert write is not None
    with source.open("rb") as file, target.open("wb") as out:
        write(file, out, xmp.build(statement))
    return target


def _read(path: Path, signer: MarkSigner) -> FileMarks:
    return read_marks(path, trust_pem=signer.trust_pem)


WORKFLOW = b'{"3":{"class_type":"KSampler","inputs":{"seed":1}}}'
SAMPLING = b"harbour\nSteps: 20, Sampler: Euler a, CFG scale: 7"
PROOFS = {
    "ComfyUI": _chunk(b"tEXt", b"prompt\0" + WORKFLOW),
    "ComfyUI, compressed": _chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b'{"nodes":[]}')),
    "ComfyUI, international": _chunk(
        b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(b'{"nodes":1}')
    ),
    "Stable Diffusion WebUI": _chunk(b"tEXt", b"parameters\0" + SAMPLING),
    "InvokeAI": _chunk(b"tEXt", b"invokeai_metadata\0{}"),
    "Stable Diffusion WebUI, in EXIF": _chunk(b"eXIf", _exif(270, SAMPLING + b"\0")),
}


@pytest.mark.parametrize("what", PROOFS)
def test_what_generators_write_into_png_is_proof(
    signer: MarkSigner, tmp_path: Path, what: str
) -> None:
    marks = _read(_png_with(tmp_path / "a.png", PROOFS[what]), signer)

    assert marks.state is MarksState.NONE
    assert marks.says_ai
    assert [sign.what for sign in marks.ai_signs] == [what.partition(",")[0]]


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_a_source_type_in_xmp_is_proof(signer: MarkSigner, tmp_path: Path, ending: str) -> None:
    uri = "https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

    marks = _read(_with_xmp(tmp_path, ending, source_type=uri), signer)

    assert marks.says_ai
    assert [sign.where for sign in marks.ai_signs] == ["XMP DigitalSourceType"]


def test_a_named_ai_system_in_xmp_is_proof(signer: MarkSigner, tmp_path: Path) -> None:
    assert _read(_with_xmp(tmp_path, "png", system="SDXL"), signer).says_ai


@pytest.mark.parametrize(
    "tool", ["Adobe Firefly 3", "NovelAI", "Midjourney", "ComfyUI 0.3", "DALL-E 3"]
)
def test_a_programs_name_is_a_hint(signer: MarkSigner, tmp_path: Path, tool: str) -> None:
    marks = _read(_with_xmp(tmp_path, "jpg", tool=tool), signer)

    assert not marks.says_ai
    assert [sign.where for sign in marks.ai_signs] == ["XMP CreatorTool"]


def test_a_software_tag_of_a_tiff_file_is_a_hint(signer: MarkSigner, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(_exif(305, b"Stable Diffusion XL\0"))

    marks = _read(path, signer)

    assert [(sign.where, sign.proof) for sign in marks.ai_signs] == [('TIFF "Software"', False)]


def test_actions_in_c2pa_are_proof(marked: dict[str, FourSteps], signer: MarkSigner) -> None:
    first = marked["exr"].first
    assert first.manifest is not None

    marks = read_marks(first.path, trust_pem=signer.trust_pem, manifest=first.manifest)

    signs = {(sign.where.partition(" of ")[0], sign.what) for sign in marks.ai_signs}
    assert ("C2PA c2pa.created", "trainedAlgorithmicMedia by SDXL 1.0") in signs
    assert ("C2PA ai-disclosure", "SDXL 1.0") in signs


@pytest.mark.parametrize(
    "chunk",
    [
        _chunk(b"tEXt", b"prompt\0Draw the harbour at dawn."),
        _chunk(b"tEXt", b"workflow\0scan, clean, line"),
        _chunk(b"tEXt", b"Software\0Adobe Photoshop 27.0"),
        _chunk(b"tEXt", b"Software\0CLIP STUDIO PAINT"),
        _chunk(b"tEXt", b"Comment\0Drawn from a photo of the Niigata coast"),
        _chunk(b"tEXt", b"parameters\0exposure 3"),
    ],
)
def test_ordinary_texts_are_no_signs(signer: MarkSigner, tmp_path: Path, chunk: bytes) -> None:
    assert not _read(_png_with(tmp_path / "a.png", chunk), signer).ai_signs


def test_a_layout_has_no_signs(marked: dict[str, FourSteps], signer: MarkSigner) -> None:
    assert not _read(marked["png"].layout.path, signer).ai_signs
