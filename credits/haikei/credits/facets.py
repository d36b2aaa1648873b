"""
The four sides of an image's making, each with its state and evidence, and the source
type of the whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from haikei.credits.contribution import Contribution, Facet, Grade, Person, Role, SourceType, System
from haikei.credits.record import BackgroundVersion, ImageKind, ImageRecord
from haikei.decisions import ReviewState
from haikei.measurements import Change
from haikei.texts import (
    BY_PIPELINE,
    FACET_STATES,
    NO_OPERATOR,
    NOT_DECLARED_HOW,
    REVIEW_STATES,
    Bilingual,
)

#: From which share of the area on, in millionths, a change is a repaint of the whole image.
FULL_REPAINT_PPM = 900_000
#: From which median CIEDE2000 on, in thousandths, a change of colour is seen: one just noticeable
#: difference.
GRADE_MILLI_DE = 1_000
_STRENGTH = tuple(Grade)


class FacetState(StrEnum):
    """How one side of an image's making stands. What states are called stands in `haikei.texts`."""

    NONE = "none"
    HUMAN = "human"
    HUMAN_AND_AI = "human_and_ai"
    NOT_DECLARED = "not_declared"  #: somebody is named, and nobody says how it was drawn
    AI = "ai"
    ALGORITHM = "algorithm"  #: without a trained model
    BY_HAND = "by_hand"  #: a human painted the background itself
    LOCAL = "local"
    GLOBAL_GRADE = "global_grade"
    FULL_REPAINT = "full_repaint"
    UNMEASURED = "unmeasured"
    DECLARED = "declared"  #: nothing was measured to change; a person says that it was painted over
    SELECTED = "selected"
    WITHDRAWN = "withdrawn"  #: approved once, and not any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One contribution, with the image that it was made to."""

    image: ImageRecord
    contribution: Contribution


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetSummary:
    """One side of an image's making."""

    facet: Facet
    state: FacetState | ReviewState  #: of a review, what was decided
    text: Bilingual  #: the state as a few words, with what belongs to it
    parts: tuple[Part, ...]  #: who and what shows it, in the order of the images
    passes: int = 0  #: of generation
    operated: int = 0  #: passes that somebody who is named ran
    unrecorded: int = 0  #: passes elsewhere, by nobody knows whom; the pipeline ran the others
    regions: int = 0  #: that touch-ups changed

    @property
    def grade(self) -> Grade | None:
        """The strongest way in which any of it is known; of whom, each part says for itself."""
        found = {part.contribution.grade for part in self.parts}
        evidence = [part.contribution.evidence for part in self.parts]
        if any(one.recall or (one.change and shows_change(one.change)) for one in evidence):
            found.add(Grade.MEASURED)
        return next((grade for grade in _STRENGTH if grade in found), None)


def facets(version: BackgroundVersion) -> tuple[FacetSummary, ...]:
    """Return layout, generation, touch-up and review of a version, in this order."""
    parts: dict[Facet, list[Part]] = {facet: [] for facet in Facet}
    for image in version.images:
        for contribution in image.contributions:
            facet = _facet(image, contribution)
            parts[facet].append(Part(image=image, contribution=contribution))
    return (
        _layout(version, parts[Facet.LAYOUT]),
        _generation(version, parts[Facet.GENERATION]),
        _touch_up(version, parts[Facet.TOUCH_UP]),
        _review(version, parts[Facet.REVIEW]),
    )


def _facet(image: ImageRecord, contribution: Contribution) -> Facet:
    # A model that drew a layout is of the layout's side, whatever tools are otherwise.
    if image.kind is ImageKind.LAYOUT and contribution.role.is_tool:
        return Facet.LAYOUT
    return contribution.role.facet


def _layout(version: BackgroundVersion, parts: Sequence[Part]) -> FacetSummary:
    layouts = [image for image in version.images if image.kind is ImageKind.LAYOUT]
    human = any(isinstance(part.contribution.actor, Person) for part in parts)
    ai = any(
        image.source_type.is_ai or (image.system is not None and image.system.source_type.is_ai)
        for image in layouts
    )
    system = any(isinstance(part.contribution.actor, System) for part in parts)
    if human or ai:
        state = FacetState.HUMAN_AND_AI if human and ai else FacetState.AI
        drawn = all(version.is_drawn(image) for image in layouts)
        if not ai:
            state = FacetState.HUMAN if drawn else FacetState.NOT_DECLARED
    elif layouts:
        drawn = all(version.is_drawn(image) for image in layouts)
        without_system = FacetState.HUMAN if drawn else FacetState.NOT_DECLARED
        state = FacetState.ALGORITHM if system else without_system
    else:
        state = FacetState.NONE
    return FacetSummary(
        facet=Facet.LAYOUT, state=state, text=FACET_STATES[state.value], parts=tuple(parts)
    )


def _generation(version: BackgroundVersion, parts: Sequence[Part]) -> FacetSummary:
    made = [
        image
        for image in version.images
        if image.kind is not ImageKind.LAYOUT
        and any(one.role.is_tool for one in image.contributions)
    ]
    operated = sum(bool(image.operators.people) for image in made)
    unrecorded = sum(image.operators.unrecorded for image in made)
    if not made:
        state = FacetState.NONE
    elif any(_is_ai(image) for image in made):
        state = FacetState.AI
    else:
        state = FacetState.ALGORITHM
    return FacetSummary(
        facet=Facet.GENERATION,
        state=state,
        text=_passes(state, len(made), sum(map(_is_ai, made)), operated, unrecorded),
        parts=tuple(parts),
        passes=len(made),
        operated=operated,
        unrecorded=unrecorded,
    )


def _is_ai(image: ImageRecord) -> bool:
    return image.source_type.is_ai or any(
        isinstance(one.actor, System) and one.actor.source_type.is_ai for one in image.contributions
    )


def _passes(
    state: FacetState, passes: int, by_ai: int, operated: int, unrecorded: int
) -> Bilingual:
    word = FACET_STATES[state.value]
    if not passes:
        return word
    first, others = (by_ai, passes - by_ai) if by_ai else (passes, 0)
    algorithm = FACET_STATES[FacetState.ALGORITHM.value]
    also_en = f" and {others} of an {algorithm.en}" if others else ""
    also_ja = f"、{algorithm.ja}：{others}回" if others else ""
    ran = (
        (operated, Bilingual("operated", "操作者あり")),
        (passes - operated - unrecorded, BY_PIPELINE),
        (unrecorded, NO_OPERATOR),
    )
    several = sum(bool(count) for count, _ in ran) > 1
    run_en = ", ".join(f"{count} {how.en}" if several else how.en for count, how in ran if count)
    run_ja = "、".join(f"{how.ja}{count}回" if several else how.ja for count, how in ran if count)
    plural = "pass" if first == 1 else "passes"
    return Bilingual(
        en=f"{word.en}: {first} {plural}{also_en}, {run_en}",
        ja=f"{word.ja}：{first}回{also_ja}、{run_ja}",
    )


def _touch_up(version: BackgroundVersion, parts: Sequence[Part]) -> FacetSummary:
    touched = [image for image in version.images if image.kind is ImageKind.TOUCH_UP]
    changes = [change for image in touched for change in _changes(image)]
    regions = sum(len(change.regions) for change in changes)
    whole = [image for image in version.images if _is_painted_whole(image)]
    by_hand = any(map(version.is_drawn, whole))
    states = {_change_state(change) for change in changes}
    order = (FacetState.FULL_REPAINT, FacetState.LOCAL, FacetState.GLOBAL_GRADE)
    state = next((one for one in order if one in states), FacetState.NONE)
    if state is FacetState.NONE and (whole or touched):
        state = FacetState.BY_HAND if by_hand else FacetState.UNMEASURED
        if changes and not by_hand:
            state = FacetState.DECLARED
    undeclared = any(
        not version.is_drawn(image) and not _is_ai(image) for image in (*touched, *whole)
    )
    return FacetSummary(
        facet=Facet.TOUCH_UP,
        state=state,
        text=_changed(state, changes, regions, undeclared=undeclared),
        parts=tuple(parts),
        regions=regions,
    )


def _is_painted_whole(image: ImageRecord) -> bool:
    """Tell whether people, and no system, made a whole picture that is no layout."""
    if image.kind not in {ImageKind.BACKGROUND, ImageKind.GENERATION} or image.system is not None:
        return False
    return image.source_type in _UNAIDED


def _changes(image: ImageRecord) -> list[Change]:
    # Artists who shared one touch-up share its measure, which is counted once.
    found = (one.evidence.change for one in image.contributions)
    return list(dict.fromkeys(change for change in found if change is not None))


def shows_change(change: Change) -> bool:
    """Tell whether anything was measured to change: a place, or the colours of the whole image."""
    return _change_state(change) is not FacetState.NONE


def _change_state(change: Change) -> FacetState:
    if change.area_ppm >= FULL_REPAINT_PPM:
        return FacetState.FULL_REPAINT
    if change.regions or change.area_ppm:
        return FacetState.LOCAL
    if change.global_milli_de >= GRADE_MILLI_DE:
        return FacetState.GLOBAL_GRADE
    return FacetState.NONE


def _changed(
    state: FacetState, changes: Sequence[Change], regions: int, *, undeclared: bool
) -> Bilingual:
    word = FACET_STATES[state.value]
    if undeclared:
        text = _changed(state, changes, regions, undeclared=False)
        how = NOT_DECLARED_HOW
        return Bilingual(en=f"{text.en}; {how.en}", ja=f"{text.ja}・{how.ja}")
    if state is not FacetState.LOCAL:
        return word
    plural = "region" if regions == 1 else "regions"
    graded = any(change.global_milli_de >= GRADE_MILLI_DE for change in changes)
    grade = FACET_STATES[FacetState.GLOBAL_GRADE.value]
    more_en, more_ja = (f", and a {grade.en}", f"、{grade.ja}") if graded else ("", "")
    return Bilingual(
        en=f"{word.en}, in {regions} {plural}{more_en}", ja=f"{word.ja}（{regions}か所）{more_ja}"
    )


def _review(version: BackgroundVersion, parts: Sequence[Part]) -> FacetSummary:
    if version.state is not ReviewState.IN_REVIEW:
        words = REVIEW_STATES[version.state.value]
        return FacetSummary(facet=Facet.REVIEW, state=version.state, text=words, parts=tuple(parts))
    # What was decided about an earlier version of the picture does not hold for this one.
    here = {part.contribution.role for part in parts if part.image is version.final}
    state = FacetState.NONE
    if Role.APPROVAL in here:
        state = FacetState.WITHDRAWN
    elif any(part.contribution.role is Role.SELECTION for part in parts):
        state = FacetState.SELECTED
    return FacetSummary(
        facet=Facet.REVIEW, state=state, text=FACET_STATES[state.value], parts=tuple(parts)
    )


_AI = frozenset(source for source in SourceType if source.is_ai)
# Pixels of people, or of whom nobody says how they came to be.
_UNAIDED = frozenset({SourceType.DIGITAL_CREATION, SourceType.PRINT, SourceType.NOT_DECLARED})
# What is not of a trained model alone, or may be so: the whole is a composite then.
_OTHER = frozenset(
    {
        SourceType.DIGITAL_CREATION,
        SourceType.PRINT,
        SourceType.HUMAN_EDITS,
        SourceType.COMPOSITE_TRAINED,
        SourceType.NOT_DECLARED,
    }
)


def is_ai(image: ImageRecord) -> bool:
    """Tell whether a trained model made any of an image's pixels in its own step."""
    if image.source_type in _AI:
        return True
    for one in image.contributions:
        if isinstance(one.actor, System) and one.actor.source_type in _AI:
            return True
    return False


def overall_source_type(images: Sequence[ImageRecord]) -> SourceType:
    """
    Return the one term for a picture that was made in steps, the layout's first.

    A drawing that a trained model worked on is never called less than that, whatever was
    done to it afterwards. Source: IPTC Digital Source Type, `compositeWithTrainedAlgorithmicMedia`
    is an "augmentation, correction or enhancement using a Generative AI model". A picture with a
    touch-up of which nobody says how it was made is as a whole of an origin that is not declared.
    """
    if not any(map(is_ai, images)):
        undeclared = any(
            image.kind is ImageKind.TOUCH_UP and image.source_type is SourceType.NOT_DECLARED
            for image in images
        )
        return SourceType.NOT_DECLARED if undeclared else images[-1].source_type
    other = any(image.source_type in _OTHER for image in images)
    return SourceType.COMPOSITE_TRAINED if other else SourceType.TRAINED
