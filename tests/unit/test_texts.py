"""What roles, states, seasons and the like are called: every value once, in both languages."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from haikei import texts
from haikei.credits import Facet, FacetState, Grade, ImageKind, Role
from haikei.decisions import Decision, ReviewState
from haikei.jobs import JobState, Step
from haikei.review.notes import NoteState
from haikei.show import Season, TimeOfDay
from haikei.texts import ROLES, Bilingual, Language, in_language


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (texts.FACETS, Facet),
        (texts.FACET_STATES, FacetState),
        (texts.GRADES, Grade),
        (texts.IMAGE_KINDS, ImageKind),
        (texts.REVIEW_STATES, ReviewState),
        (texts.DECISIONS, Decision),
        (texts.NOTE_STATES, NoteState),
        (texts.JOB_STATES, JobState),
        (texts.SEASONS, Season),
        (texts.TIMES, TimeOfDay),
    ],
)
def test_every_value_has_a_label_in_both_languages(
    table: Mapping[str, Bilingual], values: type[StrEnum]
) -> None:
    assert set(table) == set(values)
    assert all(label.en.strip() and label.ja.strip() for label in table.values())


def test_every_step_has_a_label_and_so_has_a_job_before_its_first() -> None:
    assert set(texts.STEPS) == {"", *Step}


def test_every_role_has_a_heading_and_a_short_name() -> None:
    assert set(ROLES) == set(Role)
    for role in ROLES.values():
        assert all((role.heading.en, role.heading.ja, role.short.en, role.short.ja))


def test_headings_of_tools_call_them_tools() -> None:
    for role in Role:
        assert ("tool" in ROLES[role].heading.en) == role.is_tool
        assert ("ツール" in ROLES[role].heading.ja) == role.is_tool


def test_only_models_are_called_ai_generation() -> None:
    assert "AI" not in ROLES[Role.PAINTING_ALGORITHM].heading.en
    assert "AI" not in ROLES[Role.PAINTING_ALGORITHM].heading.ja


def test_a_bilingual_value_is_filled_in_with_its_own_language() -> None:
    phrase = Bilingual("final: {state}", "最終（{state}）")
    filled = phrase.filled(state=texts.REVIEW_STATES[ReviewState.APPROVED])
    assert filled == Bilingual("final: approved", "最終（承認済み）")


@pytest.mark.parametrize(
    ("language", "expected"),
    [(Language.EN, "spring"), (Language.JA, "春"), (Language.BOTH, "spring / 春")],
)
def test_a_text_is_printed_in_the_wanted_language(language: Language, expected: str) -> None:
    assert in_language(texts.season_text("spring"), language) == expected


def test_a_missing_language_is_replaced_by_the_other() -> None:
    assert in_language(Bilingual("only", ""), Language.JA) == "only"
    assert in_language(Bilingual("", "のみ"), Language.BOTH) == "のみ"


def test_what_has_no_season_shows_its_time_alone() -> None:
    assert texts.variant_text("", "night") == Bilingual("night", "夜")


def test_a_season_of_the_studio_is_called_by_its_own_name() -> None:
    assert texts.variant_text("梅雨", "day") == Bilingual("梅雨, day", "梅雨・昼")
