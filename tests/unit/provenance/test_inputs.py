"""What a file went through before us is checked and kept; nothing is signed on top of lies."""

from pathlib import Path

import c2pa  # type: ignore[import-untyped]
import pytest

from haikei.credits import ImageKind, Relation, SourceType
from haikei.errors import MarksBroken, MarksError, SourceTypeUnknown
from haikei.provenance import (
    MarkedIngredient,
    MarkSigner,
    MarksState,
    c2pa_python,
    mark,
    read_marks,
)
from haikei.provenance.c2pa_python import Trust
from haikei.provenance.mark_reading import SOURCE_TYPE_UNKNOWN
from haikei.provenance.source_types import IPTC, names_ai, source_term, source_type_uri
from support.signing import (
    GENERATED,
    PAINTED_OVER,
    FourSteps,
    mark_request,
    sign_raw,
    signing_settings,
    write_noise,
)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> MarkSigner:
    """Return another studio's signer."""
    return MarkSigner.from_settings(signing_settings(tmp_path_factory.mktemp("stranger")))


def _touch_up(
    tmp_path: Path, parent: Path, signer: MarkSigner, manifest: Path | None = None
) -> Path:
    asked = mark_request(
        write_noise(9, tmp_path / "over.png"),
        tmp_path / "touched.png",
        kind=ImageKind.TOUCH_UP,
        source_type=SourceType.HUMAN_EDITS,
        overall_source_type=SourceType.COMPOSITE_TRAINED,
        contributions=(PAINTED_OVER,),
        ingredients=(
            MarkedIngredient(
                path=parent, manifest=manifest, relation=Relation.PARENT, title="parent"
            ),
        ),
    )
    return mark(asked, signer).path


def _broken(path: Path, folder: Path) -> Path:
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    copy = folder / f"broken{path.suffix}"
    copy.write_bytes(data)
    return copy


def test_nothing_is_signed_on_top_of_a_broken_parent(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    parent = _broken(marked["png"].second.path, tmp_path)

    with pytest.raises(MarksBroken, match=r"assertion\.dataHash\.mismatch"):
        _touch_up(tmp_path, parent, signer)
    assert not (tmp_path / "touched.png").exists()


def test_nothing_is_signed_on_top_of_a_parent_whose_sidecar_is_not_its_own(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    steps = marked["exr"]

    with pytest.raises(MarksBroken, match=r"assertion\.dataHash\.mismatch"):
        _touch_up(tmp_path, steps.second.path, signer, manifest=steps.first.manifest)


def test_nothing_is_signed_on_top_of_a_parent_that_hides_a_broken_one(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    broken = _broken(marked["png"].second.path, tmp_path)
    laundered = tmp_path / "laundered.png"
    sign_raw(write_noise(3, tmp_path / "c.png"), laundered, signer, ingredient=broken)

    with pytest.raises(MarksBroken, match=r"assertion\.dataHash\.mismatch"):
        _touch_up(tmp_path, laundered, signer)


def test_a_file_that_hides_a_broken_parent_is_not_believed(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    broken = _broken(marked["png"].second.path, tmp_path)
    laundered = tmp_path / "laundered.png"
    sign_raw(write_noise(3, tmp_path / "c.png"), laundered, signer, ingredient=broken)

    marks = read_marks(laundered, trust_pem=signer.trust_pem)

    assert marks.engines[0].state == "Trusted"
    assert marks.state is MarksState.BROKEN
    assert "assertion.dataHash.mismatch" in marks.steps[-1].failures


def test_an_unknown_source_type_in_a_parent_is_refused(signer: MarkSigner, tmp_path: Path) -> None:
    odd = tmp_path / "odd.png"
    source = write_noise(3, tmp_path / "c.png")
    sign_raw(source, odd, signer, source_type="http://nonsense.example/made-up")

    with pytest.raises(SourceTypeUnknown, match="nonsense"):
        _touch_up(tmp_path, odd, signer)
    marks = read_marks(odd, trust_pem=signer.trust_pem)
    assert marks.state is MarksState.BROKEN
    assert any(SOURCE_TYPE_UNKNOWN in failure for failure in marks.failures)


def test_a_strangers_marks_are_kept_and_said_to_be_a_strangers(
    signer: MarkSigner, stranger: MarkSigner, tmp_path: Path
) -> None:
    theirs = mark(
        mark_request(write_noise(3, tmp_path / "c.png"), tmp_path / "theirs.png"), stranger
    )

    touched = _touch_up(tmp_path, theirs.path, signer)

    marks = read_marks(touched, trust_pem=signer.trust_pem)
    assert marks.state is MarksState.UNTRUSTED
    assert marks.steps[0].label == theirs.label
    assert marks.steps[-1].failures == ("signingCredential.untrusted",)


def test_marks_that_a_layout_came_with_become_its_parent(
    signer: MarkSigner, tmp_path: Path
) -> None:
    theirs = tmp_path / "drawn.png"
    mark(mark_request(write_noise(3, tmp_path / "c.png"), theirs), signer)

    mark(mark_request(theirs, tmp_path / "layout.png"), signer)

    marks = read_marks(tmp_path / "layout.png", trust_pem=signer.trust_pem)
    assert marks.state is MarksState.TRUSTED
    assert [step.actions[0].action for step in marks.steps] == ["c2pa.created", "c2pa.opened"]
    assert [action.action for action in marks.steps[1].actions] == ["c2pa.opened", "c2pa.published"]


def test_a_touch_up_that_was_signed_elsewhere_keeps_both_lines(
    marked: dict[str, FourSteps], signer: MarkSigner, stranger: MarkSigner, tmp_path: Path
) -> None:
    del stranger
    parent = marked["png"].second.path
    painted = tmp_path / "painted.png"
    sign_raw(write_noise(3, tmp_path / "c.png"), painted, signer, ingredient=parent)
    asked = mark_request(
        painted,
        tmp_path / "touched.png",
        kind=ImageKind.TOUCH_UP,
        source_type=SourceType.HUMAN_EDITS,
        overall_source_type=SourceType.COMPOSITE_TRAINED,
        contributions=(PAINTED_OVER,),
        credited=(GENERATED, PAINTED_OVER),
        ingredients=(MarkedIngredient(path=parent, relation=Relation.PARENT, title="gen2"),),
    )
    mark(asked, signer)

    marks = read_marks(tmp_path / "touched.png", trust_pem=signer.trust_pem)
    assert marks.state is MarksState.TRUSTED
    assert len(marks.steps) == 5


def test_a_picture_that_says_it_is_ai_is_not_marked_as_drawn(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    with pytest.raises(MarksError, match="says that a trained model made it"):
        mark(mark_request(marked["png"].first.path, tmp_path / "layout.png"), signer)
    assert not (tmp_path / "layout.png").exists()


def test_an_unknown_source_type_is_never_signed(signer: MarkSigner, tmp_path: Path) -> None:
    asked = mark_request(
        write_noise(3, tmp_path / "c.png"), tmp_path / "d.png", source_type="madeByMagic"
    )
    with pytest.raises(SourceTypeUnknown, match="madeByMagic"):
        mark(asked, signer)


@pytest.mark.parametrize("source_type", sorted(set(SourceType) - {SourceType.NOT_DECLARED}))
def test_each_of_our_source_types_is_in_the_vocabulary(source_type: SourceType) -> None:
    assert source_term(source_type_uri(source_type)) == source_type
    assert names_ai(source_type_uri(source_type)) == source_type.is_ai


def test_what_nobody_declared_is_never_written_as_a_source_type() -> None:
    with pytest.raises(SourceTypeUnknown):
        source_type_uri(SourceType.NOT_DECLARED)


def test_secure_addresses_of_the_vocabulary_are_read_too() -> None:
    assert source_term(IPTC.replace("http:", "https:") + "print") == "print"
    with pytest.raises(SourceTypeUnknown):
        source_term("print")


def test_names_can_be_taken_out_of_an_earlier_step(
    marked: dict[str, FourSteps], signer: MarkSigner, tmp_path: Path
) -> None:
    final = marked["png"].final
    trust = Trust(signers=signer.trust_pem)
    named = f"self#jumbf=/c2pa/{final.label}/c2pa.assertions/cawg.metadata"
    actions = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent"]}},
        {
            "action": "c2pa.redacted",
            "reason": "c2pa.PII.present",
            "parameters": {"redacted": named},
        },
    ]
    plain = {
        "title": "redacted",
        "redactions": [named],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions, "allActionsIncluded": True}}
        ],
    }
    target = tmp_path / "redacted.png"
    with (
        c2pa.Builder(plain, c2pa_python.context(trust)) as builder,
        c2pa.Signer.from_callback(
            signer.sign, c2pa.C2paSigningAlg.ES256, signer.chain.pem, None
        ) as native,
        (final.path.with_name("plain-final.png")).open("rb") as file,
        target.open("w+b") as out,
        final.path.open("rb") as parent,
    ):
        about = {"title": "final", "relationship": "parentOf", "label": "parent"}
        builder.add_ingredient(about, "image/png", parent)
        builder.sign(native, "image/png", file, out)

    marks = read_marks(target, trust_pem=signer.trust_pem)

    # By the reference library; the second engine knows no redaction in another's manifest yet.
    reference = marks.engines[0]
    assert (reference.state, reference.failures) == ("Trusted", ())
    assert reference.ingredient_failures == ()
    assert b"A. Sato" not in target.read_bytes()
    assert marks.steps[-1].redactions == (named,)
    assert marks.steps[-2].people == ()
    assert [person.name for person in marks.steps[0].people] == ["Yuki Tanaka"]
