"""A background's four steps can be read back from its final file, in every format."""

import hashlib
import multiprocessing
import resource
import signal
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from pathlib import Path

import cv2
import numpy as np
import pytest

from haikei.credits import ImageKind, Relation, SourceType
from haikei.errors import HaikeiError, MarksError
from haikei.provenance import MarkedIngredient, MarkSigner, MarksState, mark, read_marks
from haikei.provenance.c2pa_python import Trust, validate
from haikei.provenance.formats.detection import read_metadata
from support.signing import (
    DREW,
    PAINTED_OVER,
    PAINTER,
    SATO,
    TANAKA,
    FourSteps,
    contribution,
    four_steps,
    mark_request,
    sign_raw,
    write_noise,
)

FORMATS = ("png", "jpg", "tif", "exr")


@pytest.mark.parametrize("final", FORMATS)
def test_the_chain_is_trusted_by_both_engines_without_any_failure(
    marked: dict[str, FourSteps], signer: MarkSigner, final: str
) -> None:
    marks = read_marks(marked[final].final.path, trust_pem=signer.trust_pem)

    assert marks.state is MarksState.TRUSTED
    assert [verdict.state for verdict in marks.engines] == ["Trusted", "Trusted"]
    assert {verdict.engine.split()[0] for verdict in marks.engines} == {"c2pa-rs", "encypher-c2pa"}
    assert all(not verdict.failures for verdict in marks.engines)
    assert all(not verdict.ingredient_failures for verdict in marks.engines)


@pytest.mark.parametrize("final", FORMATS)
def test_the_chain_tells_each_step_with_its_people_and_its_source_type(
    marked: dict[str, FourSteps], signer: MarkSigner, final: str
) -> None:
    steps = read_marks(marked[final].final.path, trust_pem=signer.trust_pem).steps

    told = [[(each.action, each.source_type) for each in step.actions] for step in steps]
    assert told == [
        [("c2pa.created", "digitalCreation")],
        [("c2pa.created", "trainedAlgorithmicMedia")],
        [("c2pa.opened", ""), ("c2pa.edited", "trainedAlgorithmicMedia")],
        [("c2pa.opened", ""), ("c2pa.drawing", "humanEdits")],
    ]
    layout, first, second, last = steps
    assert [(person.name, person.name_ja) for person in layout.people] == [
        (TANAKA.name, TANAKA.name_ja)
    ]
    assert [person.roles for person in last.people] == [("touch_up",)]
    assert first.model == "SDXL 1.0"
    assert first.oversight == "prompt_guided"
    assert first.ingredients == (layout.label,)
    assert second.ingredients == (first.label, layout.label)
    assert last.ingredients == (second.label,)
    assert last.actions[1].regions == 1
    assert "development, untrusted" in last.signer
    assert last.label == marked[final].final.label


def test_a_disk_that_is_full_for_a_moment_while_a_file_is_signed_is_the_storages_fault(
    signer: MarkSigner, tmp_path: Path
) -> None:
    source = write_noise(1, tmp_path / "layout.png", width=320, height=240)
    whole = mark(mark_request(source, tmp_path / "whole.png"), signer).path
    # The copy with XMP fits, and what the library writes does not.
    limit = whole.stat().st_size - 100

    context = multiprocessing.get_context("fork")
    answers: SimpleQueue[str] = context.SimpleQueue()
    child = context.Process(target=_mark_below, args=(limit, source, signer, answers.put))
    child.start()
    child.join()

    assert answers.get() == "StorageUnavailable"
    assert [path.name for path in tmp_path.iterdir() if path != whole] == [source.name]


def _mark_below(
    limit: int, source: Path, signer: MarkSigner, answer: Callable[[str], None]
) -> None:
    """Mark where one write fails beyond the limit, as on a disk that is full for a moment."""
    endless = resource.getrlimit(resource.RLIMIT_FSIZE)

    def have_room(_signal: int, _frame: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, endless)

    signal.signal(signal.SIGXFSZ, have_room)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, endless[1]))
    try:
        mark(mark_request(source, source.with_name("cut.png")), signer)
    except HaikeiError as error:
        answer(type(error).__name__)
    else:
        answer("")


@pytest.mark.parametrize("final", FORMATS)
def test_xmp_names_the_people_as_creators_and_the_model_as_a_system(
    marked: dict[str, FourSteps], signer: MarkSigner, final: str
) -> None:
    xmp = read_marks(marked[final].final.path, trust_pem=signer.trust_pem).xmp

    assert xmp is not None
    assert xmp.creators == (TANAKA.name, SATO.name)
    assert xmp.ai_system == "SDXL"
    assert xmp.ai_system_version == "1.0"
    assert xmp.ai_prompt == ""
    assert xmp.digital_source_type.endswith("/compositeWithTrainedAlgorithmicMedia")
    assert [(each.name_ja, each.roles, each.id) for each in xmp.contributors] == [
        (TANAKA.name_ja, ("genzu",), TANAKA.id),
        (SATO.name_ja, ("touch_up",), SATO.id),
    ]
    assert xmp.data_mining.endswith("/DMI-PROHIBITED")


@pytest.mark.parametrize("final", FORMATS)
def test_marks_of_our_own_reserve_a_file_against_others_and_not_against_us(
    marked: dict[str, FourSteps], signer: MarkSigner, final: str
) -> None:
    assert read_marks(marked[final].final.path, trust_pem=signer.trust_pem).reservations == ()


@pytest.mark.parametrize(("mining", "count"), [("notAllowed", 1), ("allowed", 0), ("", 0)])
def test_a_reservation_in_the_marks_of_others_is_seen(
    signer: MarkSigner, tmp_path: Path, mining: str, count: int
) -> None:
    signed = tmp_path / "signed.png"
    sign_raw(write_noise(1, tmp_path / "plain.png"), signed, signer, mining=mining)

    found = read_marks(signed, trust_pem=signer.trust_pem).reservations

    assert found == ("C2PA cawg.training-mining: cawg.ai_inference",) * count


def test_formats_that_cannot_hold_marks_get_sidecars_and_stay_as_they_are(
    marked: dict[str, FourSteps],
) -> None:
    final = marked["exr"].final

    assert final.manifest == final.path.with_suffix(".c2pa")
    assert final.xmp == final.path.with_suffix(".xmp")
    plain = final.path.with_name("plain-final.exr")
    assert final.path.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("final", ["png", "jpg", "tif"])
def test_marking_changes_no_pixel(marked: dict[str, FourSteps], final: str) -> None:
    path = marked[final].final.path

    def pixels(of: Path) -> str:
        decoded = cv2.imread(str(of), cv2.IMREAD_UNCHANGED)
        assert decoded is not None
        return hashlib.sha256(np.ascontiguousarray(decoded).tobytes()).hexdigest()

    assert pixels(path) == pixels(path.with_name(f"plain-final.{final}"))


def test_a_step_on_sidecar_parents_may_end_in_an_embedding_format(
    tmp_path: Path, signer: MarkSigner
) -> None:
    steps = four_steps(tmp_path / "mixed", signer, stages="exr", final="png")

    marks = read_marks(steps.final.path, trust_pem=signer.trust_pem)

    assert marks.state is MarksState.TRUSTED
    assert len(marks.steps) == 4


def test_psd_is_marked_by_sidecars(tmp_path: Path, signer: MarkSigner) -> None:
    from psd_tools import PSDImage

    source = tmp_path / "layered.psd"
    PSDImage.new("RGB", (8, 8)).save(source)
    target = tmp_path / "out.psd"
    mark(mark_request(source, target), signer)

    assert read_marks(target, trust_pem=signer.trust_pem).state is MarksState.TRUSTED
    target.write_bytes(target.read_bytes()[:-1] + b"\x01")
    assert read_marks(target, trust_pem=signer.trust_pem).state is MarksState.BROKEN


def test_the_painter_is_marked_as_an_algorithm_and_not_as_ai(
    tmp_path: Path, signer: MarkSigner
) -> None:
    from haikei.credits import Role

    painted = contribution(Role.PAINTING_ALGORITHM, PAINTER)
    layout = mark(mark_request(write_noise(1, tmp_path / "l.png"), tmp_path / "layout.png"), signer)
    asked = mark_request(
        write_noise(2, tmp_path / "b.png"),
        tmp_path / "background.png",
        kind=ImageKind.BACKGROUND,
        source_type=SourceType.ALGORITHMIC,
        overall_source_type=SourceType.ALGORITHMIC,
        contributions=(painted,),
        credited=(DREW, painted),
        ingredients=(MarkedIngredient(path=layout.path, relation=Relation.INPUT, title="layout"),),
    )
    mark(asked, signer)

    marks = read_marks(tmp_path / "background.png", trust_pem=signer.trust_pem)

    assert marks.state is MarksState.TRUSTED
    assert not marks.ai_signs
    assert marks.steps[-1].actions[0].source_type == "algorithmicMedia"
    assert marks.steps[-1].actions[0].system == "Haikei painter 1"
    assert marks.steps[-1].model == ""


def test_an_input_without_marks_is_recorded_by_its_title(
    tmp_path: Path, signer: MarkSigner
) -> None:
    layout = write_noise(1, tmp_path / "layout.png")
    asked = mark_request(
        write_noise(2, tmp_path / "b.png"),
        tmp_path / "background.png",
        kind=ImageKind.BACKGROUND,
        source_type=SourceType.TRAINED,
        overall_source_type=SourceType.COMPOSITE_TRAINED,
        ingredients=(MarkedIngredient(path=layout, relation=Relation.INPUT, title="c1 layout"),),
    )
    mark(asked, signer)

    marks = read_marks(tmp_path / "background.png", trust_pem=signer.trust_pem)

    assert marks.state is MarksState.TRUSTED
    assert marks.steps[-1].plain_ingredients == ("c1 layout",)


def test_a_touch_up_of_nothing_is_refused(tmp_path: Path, signer: MarkSigner) -> None:
    asked = mark_request(
        write_noise(1, tmp_path / "a.png"),
        tmp_path / "b.png",
        kind=ImageKind.TOUCH_UP,
        contributions=(PAINTED_OVER,),
    )
    with pytest.raises(MarksError, match="has no parent"):
        mark(asked, signer)


def test_an_image_with_two_parents_is_refused(tmp_path: Path, signer: MarkSigner) -> None:
    parent = MarkedIngredient(
        path=write_noise(1, tmp_path / "a.png"), relation=Relation.PARENT, title="a"
    )
    asked = mark_request(
        write_noise(2, tmp_path / "b.png"),
        tmp_path / "c.png",
        kind=ImageKind.BACKGROUND,
        ingredients=(parent, parent),
    )
    with pytest.raises(MarksError, match="2 parents"):
        mark(asked, signer)


def test_a_refused_mark_leaves_nothing_behind(tmp_path: Path, signer: MarkSigner) -> None:
    source = write_noise(1, tmp_path / "a.png")
    before = source.read_bytes()
    with pytest.raises(MarksError):
        mark(mark_request(source, tmp_path / "b.png", kind=ImageKind.TOUCH_UP), signer)

    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert source.read_bytes() == before


def test_a_file_is_never_marked_onto_itself(tmp_path: Path, signer: MarkSigner) -> None:
    source = write_noise(1, tmp_path / "a.png")
    with pytest.raises(MarksError, match="replace itself"):
        mark(mark_request(source, source), signer)


def test_the_request_stands_in_the_file_only_as_its_hash(
    marked: dict[str, FourSteps], signer: MarkSigner
) -> None:
    path = marked["png"].first.path
    data = path.read_bytes()

    assert b"autumn harbour" not in data
    with path.open("rb") as file:
        validated = validate(file, "image/png", Trust(signers=signer.trust_pem))
    assert validated is not None
    wanted = hashlib.sha256(b'{"prompt":"autumn harbour","seed":1234}').hexdigest()
    assert wanted in str(validated.manifests[validated.active])


def test_names_stand_in_assertions_that_can_be_redacted(
    marked: dict[str, FourSteps], signer: MarkSigner
) -> None:
    with marked["png"].final.path.open("rb") as file:
        validated = validate(file, "image/png", Trust(signers=signer.trust_pem))
    assert validated is not None

    for manifest in validated.manifests.values():
        for assertion in manifest["assertions"]:
            if assertion["label"] != "cawg.metadata":
                assert TANAKA.name not in str(assertion)
                assert SATO.name not in str(assertion)


def test_a_file_without_marks_says_nothing(tmp_path: Path, signer: MarkSigner) -> None:
    for ending in ("png", "jpg", "tif", "exr"):
        marks = read_marks(write_noise(1, tmp_path / f"a.{ending}"), trust_pem=signer.trust_pem)
        assert marks.state is MarksState.NONE
        assert marks.steps == ()
        assert not marks.ai_signs
    assert read_metadata(tmp_path / "a.png").xmp is None
