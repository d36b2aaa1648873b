"""Whatever is changed in a signed file, be it one bit, is found."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haikei.errors import MarksUnreadable
from haikei.provenance import MarkSigner, MarksState, read_marks
from haikei.provenance.mark_reading import XMP_MISMATCH
from support.signing import FourSteps

EMBEDDED = ("png", "jpg", "tif")


def _tampered(path: Path, folder: Path, change: Callable[[bytes], bytes]) -> Path:
    copy = folder / path.name
    copy.write_bytes(change(path.read_bytes()))
    return copy


def _replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert len(old) == len(new)
        assert old in data
        return data.replace(old, new, 1)

    return change


def _flipped(at: Callable[[int], int]) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        changed[at(len(data))] ^= 1
        return bytes(changed)

    return change


CHANGES = {
    "a pixel": _flipped(lambda length: length // 2),
    "a name": _replaced(b"A. Sato", b"B. Sato"),
    "the source type of an action": _replaced(b"/humanEdits", b"/HumanEdits"),
    "the model's name inside an ingredient": _replaced(b"SDXL 1.0", b"SDXL 1.5"),
    "the weights' hash inside an ingredient": _replaced(b"sha256:3131", b"sha256:3231"),
    "the system in XMP": _replaced(b">SDXL<", b">SDXM<"),
    "a creator in XMP": _replaced(b"<rdf:li>Yuki Tanaka<", b"<rdf:li>Yuki Tanake<"),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("final", EMBEDDED)
def test_one_changed_byte_is_found(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path, final: str, what: str
) -> None:
    copy = _tampered(marked[final].final.path, tmp_path, CHANGES[what])

    marks = read_marks(copy, trust_pem=signer.trust_pem)

    assert marks.state is MarksState.BROKEN
    assert marks.failures


@pytest.mark.parametrize("place", [0.05, 0.5, 0.99])
def test_a_changed_picture_beside_a_sidecar_is_found(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path, place: float
) -> None:
    final = marked["exr"].final
    assert final.manifest is not None

    def at(length: int) -> int:
        return int(length * place)

    copy = _tampered(final.path, tmp_path, _flipped(at))
    shutil.copy(final.manifest, tmp_path)

    assert read_marks(copy, trust_pem=signer.trust_pem).state is MarksState.BROKEN


@pytest.mark.parametrize(
    "what",
    [
        "a name",
        "the source type of an action",
        "the model's name inside an ingredient",
        "the weights' hash inside an ingredient",
    ],
)
def test_a_changed_sidecar_is_found(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path, what: str
) -> None:
    final = marked["exr"].final
    assert final.manifest is not None
    manifest = _tampered(final.manifest, tmp_path, CHANGES[what])

    marks = read_marks(final.path, trust_pem=signer.trust_pem, manifest=manifest)

    assert marks.state is MarksState.BROKEN


def test_a_changed_xmp_sidecar_is_found(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    final = marked["exr"].final
    assert final.manifest is not None
    assert final.xmp is not None
    shutil.copy(final.path, tmp_path)
    shutil.copy(final.manifest, tmp_path)
    _tampered(final.xmp, tmp_path, CHANGES["a creator in XMP"])

    marks = read_marks(tmp_path / final.path.name, trust_pem=signer.trust_pem)

    assert marks.state is MarksState.BROKEN
    assert any(XMP_MISMATCH in failure for failure in marks.failures)


def test_a_change_in_an_ingredient_is_found_although_its_signer_would_be_believed(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    copy = _tampered(
        marked["png"].final.path, tmp_path, CHANGES["the model's name inside an ingredient"]
    )

    marks = read_marks(copy, trust_pem=signer.trust_pem)

    assert all(not verdict.failures for verdict in marks.engines)
    assert any(verdict.ingredient_failures for verdict in marks.engines)
    assert marks.state is MarksState.BROKEN


def test_another_programs_copy_has_lost_its_marks(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    decoded = cv2.imread(str(marked["png"].final.path), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    cv2.imwrite(str(tmp_path / "copy.png"), decoded)

    assert read_marks(tmp_path / "copy.png", trust_pem=signer.trust_pem).state is MarksState.NONE


def test_marks_moved_to_another_picture_are_found(
    marked: dict[str, FourSteps], signer: MarkSigner
) -> None:
    steps = marked["exr"]

    marks = read_marks(steps.first.path, trust_pem=signer.trust_pem, manifest=steps.final.manifest)

    assert marks.state is MarksState.BROKEN


def test_a_truncated_file_is_found(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    for final in EMBEDDED:
        copy = _tampered(marked[final].final.path, tmp_path, lambda data: data[: len(data) // 2])
        try:
            state = read_marks(copy, trust_pem=signer.trust_pem).state
        except MarksUnreadable:
            continue
        assert state is not MarksState.TRUSTED


@pytest.mark.parametrize("final", ["png", "jpg", "tif", "exr"])
def test_bits_that_the_standard_reserves_count_too(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path, final: str
) -> None:
    marks = marked[final].final
    signed = (marks.manifest or marks.path).read_bytes()
    boxes = [one.end() for one in re.finditer(rb"jumdc2.{14}", signed, re.DOTALL)]
    assert len(boxes) > 5

    for toggles in boxes:
        data = bytearray(signed)
        data[toggles] ^= 0x20
        copy = tmp_path / marks.path.name
        copy.write_bytes(data if marks.manifest is None else marks.path.read_bytes())
        manifest = None if marks.manifest is None else tmp_path / marks.manifest.name
        if manifest is not None:
            manifest.write_bytes(data)
        try:
            state = read_marks(copy, trust_pem=signer.trust_pem, manifest=manifest).state
        except MarksUnreadable:
            continue
        assert state is MarksState.BROKEN


@pytest.mark.parametrize("final", ["png", "jpg", "tif", "exr"])
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.integers(min_value=0, max_value=10**9), bit=st.integers(0, 7))
def test_any_bit_of_a_signed_file_counts(
    marked: dict[str, FourSteps],
    signer: MarkSigner,
    tmp_path: Path,
    final: str,
    place: int,
    bit: int,
) -> None:
    marks = marked[final].final
    data = bytearray(marks.path.read_bytes())
    signed = [*range(len(data))]
    if marks.manifest is None:
        # The library leaves room in its own signature (COSE's unprotected `pad`), which no
        # signature can cover; behind it stand the signature and, in PNG, the chunk's checksum.
        start = data.rfind(b"cpadY")
        end = start + 7 + int.from_bytes(data[start + 5 : start + 7]) + 100
        signed = [*range(start), *range(end, len(data))]
    data[signed[place % len(signed)]] ^= 1 << bit
    copy = tmp_path / marks.path.name
    copy.write_bytes(data)
    if marks.manifest is not None:
        shutil.copy(marks.manifest, tmp_path)

    try:
        state = read_marks(copy, trust_pem=signer.trust_pem).state
    except MarksUnreadable:
        return
    assert state is not MarksState.TRUSTED
