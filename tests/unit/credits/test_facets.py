"""Each side of an image's making has its own state, and nothing adds them up."""

from dataclasses import replace

import pytest

from haikei.credits import (
    BackgroundVersion,
    Facet,
    FacetState,
    FacetSummary,
    Grade,
    ImageRecord,
    Role,
    SourceType,
    facets,
)
from haikei.decisions import ReviewState
from haikei.measurements import Change
from support.records import (
    MORI,
    PAINTER,
    SATO,
    a_background,
    a_chain,
    a_change,
    a_contribution,
    a_generation,
    a_layout,
    a_show,
    a_system,
    a_touch_up,
    sha256_of,
)


def _of(version: BackgroundVersion, facet: Facet) -> FacetSummary:
    (summary,) = (summary for summary in facets(version) if summary.facet is facet)
    return summary


def _with(*images: ImageRecord) -> BackgroundVersion:
    return a_background(images=images)


def test_all_four_sides_are_told_in_order() -> None:
    assert [summary.facet for summary in facets(a_background())] == [
        Facet.LAYOUT,
        Facet.GENERATION,
        Facet.TOUCH_UP,
        Facet.REVIEW,
    ]


def test_a_layout_by_hand_is_human() -> None:
    layout = _of(a_background(), Facet.LAYOUT)

    assert layout.state is FacetState.HUMAN
    assert [part.contribution.role for part in layout.parts] == [Role.GENZU]


def test_a_layout_by_a_model_is_ai_and_with_a_human_both() -> None:
    by_model = replace(
        a_layout(artists=(), source_type=SourceType.TRAINED),
        contributions=a_generation().contributions,
    )
    human = a_contribution(Role.GENZU, SATO)
    by_both = replace(by_model, contributions=(*by_model.contributions, human))

    assert _of(_with(by_model), Facet.LAYOUT).state is FacetState.AI
    assert _of(_with(by_both), Facet.LAYOUT).state is FacetState.HUMAN_AND_AI
    assert _of(_with(by_model), Facet.GENERATION).state is FacetState.NONE
    assert _of(_with(a_generation()), Facet.LAYOUT).state is FacetState.NONE


def test_passes_are_counted_with_those_that_somebody_ran() -> None:
    generation = _of(a_background(), Facet.GENERATION)

    assert (generation.state, generation.passes, generation.operated) == (FacetState.AI, 2, 2)
    assert generation.text.en == "AI: 2 passes, operated"
    assert _of(a_background(images=a_chain(operator=None)), Facet.GENERATION).text.en == (
        "AI: 2 passes, run by pipeline"
    )


def test_passes_elsewhere_are_not_said_to_be_the_pipelines() -> None:
    filled = a_contribution(Role.AI_GENERATION, a_system("ComfyUI", ""))
    chain = a_chain(operator=None, touch_up_by=())
    touched = a_touch_up(parent=chain[-1], contributions=(filled,))
    generation = _of(a_background(images=(*chain, touched)), Facet.GENERATION)

    assert (generation.passes, generation.operated, generation.unrecorded) == (3, 0, 1)
    assert generation.text.en == "AI: 3 passes, 2 run by pipeline, 1 operator not recorded"
    assert generation.text.ja == "AI：3回、パイプライン自動実行2回、操作者の記録なし1回"


def test_a_pass_of_an_algorithm_is_not_ai() -> None:
    generation = _of(_with(a_layout(), a_generation(system=PAINTER)), Facet.GENERATION)

    assert generation.state is FacetState.ALGORITHM
    assert generation.text.en == "algorithm without AI: 1 pass, run by pipeline"


def test_a_pass_of_an_algorithm_is_not_counted_as_ai_beside_a_model() -> None:
    base = replace(a_generation(system=PAINTER), key="base", sha256=sha256_of("base"))

    generation = _of(_with(a_layout(), base, a_generation()), Facet.GENERATION)

    assert (generation.state, generation.passes) == (FacetState.AI, 2)
    assert generation.text.en.startswith("AI: 1 pass and 1 of an algorithm without AI, ")
    assert generation.text.ja.startswith("AI：1回、")


@pytest.mark.parametrize(
    ("change", "state", "text"),
    [
        (a_change(), FacetState.LOCAL, "local, in 2 regions"),
        (a_change(regions=1), FacetState.LOCAL, "local, in 1 region"),
        (
            a_change(global_milli_de=9_530),
            FacetState.LOCAL,
            "local, in 2 regions, and a grade of the whole image",
        ),
        (
            a_change(area_ppm=0, regions=0, global_milli_de=9_530),
            FacetState.GLOBAL_GRADE,
            "grade of the whole image",
        ),
        (a_change(area_ppm=990_000, regions=1), FacetState.FULL_REPAINT, "full repaint"),
    ],
)
def test_a_touch_up_is_told_as_it_was_measured(
    change: Change, state: FacetState, text: str
) -> None:
    found = _of(_with(a_layout(), a_generation(), a_touch_up(change=change)), Facet.TOUCH_UP)

    assert (found.state, found.text.en) == (state, text)
    assert found.grade is Grade.MEASURED


def test_who_painted_is_never_measured_and_where_nothing_is_it_is_only_declared() -> None:
    touched = a_touch_up(change=a_change(area_ppm=0, regions=0))
    insisted = replace(
        touched,
        contributions=tuple(replace(one, grade=Grade.DECLARED) for one in touched.contributions),
    )
    found = _of(_with(a_layout(), a_generation(), insisted), Facet.TOUCH_UP)

    assert (found.state, found.grade) == (FacetState.DECLARED, Grade.DECLARED)
    assert found.text.en == "declared; no change measured"
    measured = _of(_with(a_layout(), a_touch_up()), Facet.TOUCH_UP)
    assert [part.contribution.grade for part in measured.parts] == [Grade.LOGGED]


def test_artists_who_share_a_touch_up_share_its_measure() -> None:
    found = _of(_with(a_layout(), a_touch_up(artists=(SATO, MORI))), Facet.TOUCH_UP)

    assert found.regions == 2
    assert [part.contribution.actor for part in found.parts] == [SATO, MORI]


def test_a_touch_up_that_was_not_measured_is_not_told_to_be_nothing() -> None:
    declared = replace(
        a_touch_up(), contributions=(a_contribution(Role.TOUCH_UP, SATO, grade=Grade.DECLARED),)
    )

    found = _of(_with(a_layout(), declared), Facet.TOUCH_UP)
    assert (found.state, found.grade) == (FacetState.UNMEASURED, Grade.DECLARED)


def test_a_cut_without_ai_is_painted_by_hand() -> None:
    by_hand = next(v for v in a_show(versions=40) if v.images[-1].path.endswith(".psd"))

    assert _of(by_hand, Facet.TOUCH_UP).state is FacetState.BY_HAND
    assert _of(by_hand, Facet.GENERATION).state is FacetState.NONE


def test_only_what_was_decided_about_this_picture_counts() -> None:
    approved = a_contribution(Role.APPROVAL, MORI)
    chain = a_chain(touch_up_by=())
    before = (*chain[:-1], replace(chain[-1], contributions=(approved,)))
    after = (*before, a_touch_up(parent=before[-1]))

    approval = _of(replace(_with(*before), state=ReviewState.APPROVED), Facet.REVIEW)
    assert approval.state is ReviewState.APPROVED
    assert _of(_with(*after), Facet.REVIEW).state is FacetState.NONE
    assert len(_of(_with(*after), Facet.REVIEW).parts) == 1


def test_an_approval_that_was_taken_back_does_not_stand() -> None:
    approved = replace(a_layout(), contributions=(a_contribution(Role.APPROVAL, MORI),))

    found = _of(replace(_with(approved), state=ReviewState.IN_REVIEW), Facet.REVIEW)
    assert found.state is FacetState.WITHDRAWN


@pytest.mark.parametrize("state", [one for one in ReviewState if one is not ReviewState.IN_REVIEW])
def test_the_decision_of_the_version_is_its_state(state: ReviewState) -> None:
    assert _of(a_background(state=state), Facet.REVIEW).state.value == state.value


def test_a_choice_among_several_is_told() -> None:
    chosen = a_contribution(Role.SELECTION, MORI)

    found = _of(_with(a_layout(), a_generation(contributions=(chosen,))), Facet.REVIEW)
    assert found.state is FacetState.SELECTED


def test_no_side_is_a_percentage() -> None:
    for version in a_show(versions=60):
        for summary in facets(version):
            assert "%" not in summary.text.en + summary.text.ja
