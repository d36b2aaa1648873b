"""What a chain of images is as a whole, in one term, one line and one text."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest

from haikei.credits import (
    Evidence,
    Grade,
    ImageKind,
    ImageRecord,
    Person,
    Role,
    SourceType,
    System,
    overall_source_type,
)
from haikei.errors import MarksBroken, SourceTypeUnknown
from haikei.jobs.background.validate import drawn_as
from haikei.jobs.chain import require_whole
from haikei.jobs.contributions import (
    drawing,
    generation,
    layout_image,
    operation,
    oversight,
    roles_text,
    systems_text,
)
from haikei.provenance import AiSign, EngineVerdict, FileMarks, MarksState, XmpMarks

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
AOI = Person(id="HumanUser:7", name="Aoi Sato")
SHY = Person(id="HumanUser:8", name="Ren Mori", opt_out="letter")
PAINTER = System(name="Painter", version="1", source_type=SourceType.ALGORITHMIC)
BRUSH = System(name="Brush", version="2", source_type=SourceType.TRAINED)
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def _layout(*artists: Person) -> ImageRecord:
    drawn_by = drawing(
        artists, role=Role.GENZU, evidence=Evidence(source="Task:14 assignee"), at=AT
    )
    return layout_image(
        key="layout",
        sha256="",
        pixels_sha256="",
        fingerprint="",
        source_type=SourceType.DIGITAL_CREATION,
        drawn_by=drawn_by,
        path=PurePosixPath("layout.png"),
        at=AT,
    )


def _made(system: System, *, operator: Person | None = None) -> ImageRecord:
    made = generation(system, request_sha256="0" * 64, at=AT)
    operated = () if operator is None else (operation(operator, source="a page", at=AT),)
    return replace(
        _layout(),
        key=system.name,
        kind=ImageKind.GENERATION,
        source_type=system.source_type,
        contributions=(made, *operated),
    )


def _touched() -> ImageRecord:
    return replace(_layout(), kind=ImageKind.TOUCH_UP, source_type=SourceType.HUMAN_EDITS)


@pytest.mark.parametrize(
    ("images", "term"),
    [
        ([_layout(AOI), _made(PAINTER)], SourceType.ALGORITHMIC),
        ([_layout(AOI), _made(PAINTER), _made(BRUSH)], SourceType.COMPOSITE_TRAINED),
        ([_layout(AOI), _made(BRUSH), _made(PAINTER)], SourceType.COMPOSITE_TRAINED),
        ([_layout(AOI), _made(BRUSH), _touched()], SourceType.COMPOSITE_TRAINED),
        ([_layout(AOI), _touched()], SourceType.HUMAN_EDITS),
        ([_made(BRUSH)], SourceType.TRAINED),
    ],
)
def test_a_whole_with_a_trained_model_in_it_is_never_called_less(
    images: list[ImageRecord], term: SourceType
) -> None:
    assert overall_source_type(images) is term


def test_each_system_is_named_once_in_the_order_in_which_they_ran() -> None:
    images = [_layout(AOI), _made(PAINTER), _made(BRUSH), _made(BRUSH)]

    assert systems_text(images) == "Painter 1, Brush 2"


def test_roles_stand_a_line_each_with_who_had_them() -> None:
    images = [_layout(AOI, SHY), _made(BRUSH, operator=AOI)]

    assert roles_text(images).splitlines() == [
        "genzu: Aoi Sato (HumanUser:7), (name withheld at the artist's request)",
        "ai_generation: Brush 2",
        "ai_operation: Aoi Sato (HumanUser:7)",
    ]


def test_only_a_person_who_operates_makes_it_guided() -> None:
    by_pipeline = replace(_made(BRUSH), request_json="{}")
    assert oversight([_layout(AOI), by_pipeline]) == "fully_autonomous"
    assert oversight([_layout(AOI), _made(BRUSH, operator=AOI)]) == "prompt_guided"


def test_how_a_model_elsewhere_was_looked_after_is_not_claimed() -> None:
    filled = replace(_made(BRUSH), kind=ImageKind.TOUCH_UP)
    operated = replace(_made(BRUSH, operator=AOI), request_json="{}")
    assert oversight([_layout(AOI), operated, filled]) is None
    assert oversight([_layout(AOI), _touched()]) is None
    assert oversight([replace(_made(BRUSH), kind=ImageKind.LAYOUT)]) is None


def test_what_a_person_says_of_herself_is_declared() -> None:
    assert operation(AOI, source="a page", at=AT).grade is Grade.DECLARED


def _marks(state: MarksState = MarksState.NONE, source_type: str = "", *signs: AiSign) -> FileMarks:
    xmp = XmpMarks(
        digital_source_type=source_type,
        ai_system="",
        ai_system_version="",
        ai_prompt="",
        ai_prompt_writer="",
        creators=(),
        contributors=(),
        credit="",
        data_mining="",
        creator_tool="",
        title="",
    )
    verdict = EngineVerdict(
        engine="one 1.0",
        available=True,
        state="Invalid",
        failures=(),
        ingredient_failures=("assertion.hashedURI.mismatch",),
    )
    return FileMarks(
        path=Path("c001.png"),
        state=state,
        engines=(verdict,),
        steps=(),
        xmp=xmp if source_type else None,
        ai_signs=signs,
    )


COMFY = AiSign(where='PNG text "workflow"', what="ComfyUI", proof=True)


@pytest.mark.parametrize(
    ("marks", "drawn"),
    [
        (_marks(), SourceType.NOT_DECLARED),
        (_marks(MarksState.NONE, IPTC + "composite"), SourceType.NOT_DECLARED),
        (_marks(MarksState.NONE, IPTC + "digitalCreation", COMFY), SourceType.COMPOSITE_TRAINED),
        (_marks(MarksState.NONE, "", COMFY), SourceType.TRAINED),
        (_marks(MarksState.NONE, IPTC + "print"), SourceType.PRINT),
        (_marks(MarksState.NONE, IPTC + "digitalCapture"), SourceType.PRINT),
        (_marks(MarksState.NONE, IPTC + "digitalArt"), SourceType.DIGITAL_CREATION),
        (_marks(MarksState.NONE, IPTC + "compositeSynthetic"), SourceType.COMPOSITE_TRAINED),
        (_marks(MarksState.NONE, IPTC + "screenCapture", COMFY), SourceType.COMPOSITE_TRAINED),
    ],
)
def test_a_layout_was_drawn_as_it_says_of_itself(marks: FileMarks, drawn: SourceType) -> None:
    assert drawn_as(marks) is drawn


def test_a_source_type_of_no_vocabulary_is_refused() -> None:
    with pytest.raises(SourceTypeUnknown):
        drawn_as(_marks(MarksState.NONE, "http://nonsense/"))


def test_marks_that_do_not_hold_are_refused_with_every_failure() -> None:
    require_whole(_marks(MarksState.UNTRUSTED))
    with pytest.raises(MarksBroken, match=r"c001\.png .* one 1\.0: assertion\.hashedURI"):
        require_whole(_marks(MarksState.BROKEN))
