"""The credit line names everyone truly, and is not printed where it cannot."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikei.credits import ImageRecord, Person, Role, SourceType, credit_line
from haikei.errors import CreditError
from support.records import (
    ITO,
    MORI,
    PAINTER,
    SATO,
    TANAKA,
    a_chain,
    a_contribution,
    a_generation,
    a_layout,
    a_person,
    a_system,
    a_touch_up,
)

WITHHELD = "(name withheld at the artist's request)"


def test_the_line_names_layout_model_operator_and_touch_up() -> None:
    line = credit_line(a_chain())

    assert line.en == (
        "Background: Layout Yuki Tanaka · AI generation SDXL 1.0 (operated by M. Ito) "
        "· Touch-up A. Sato"
    )
    assert line.ja == "背景：原図 田中ゆき · AI生成 SDXL 1.0（操作 伊藤真） · 加筆 佐藤葵"


def test_a_system_that_nobody_ran_is_run_by_the_pipeline() -> None:
    line = credit_line(a_chain(operator=None, touch_up_by=()))

    assert line.en == ("Background: Layout Yuki Tanaka · AI generation SDXL 1.0 (run by pipeline)")
    assert line.ja == "背景：原図 田中ゆき · AI生成 SDXL 1.0（パイプライン自動実行）"


def test_a_system_that_the_pipeline_did_not_run_has_no_recorded_operator() -> None:
    filled = a_contribution(Role.AI_GENERATION, a_system("ComfyUI", ""), source="marks in the file")
    chain = a_chain(operator=None, touch_up_by=())
    touched = a_touch_up(parent=chain[-1], contributions=(filled,))
    line = credit_line((*chain, touched))

    assert "AI generation SDXL 1.0 (run by pipeline)" in line.en
    assert "AI generation ComfyUI (operator not recorded)" in line.en
    assert "AI生成 ComfyUI（操作者の記録なし）" in line.ja
    assert credit_line((touched,)).en.count("pipeline") == 0

    # The same model in both: what ran where is told apart.
    same = replace(filled, actor=a_system())
    both = credit_line((*chain, a_touch_up(parent=chain[-1], contributions=(same,))))
    assert "SDXL 1.0 (run by pipeline; operator not recorded)" in both.en
    assert "SDXL 1.0（パイプライン自動実行／操作者の記録なし）" in both.ja


def test_who_ran_a_system_outside_of_the_pipeline_is_named_where_known() -> None:
    drawn = a_contribution(Role.AI_GENERATION, a_system("Midjourney", "7"))
    ran = a_contribution(Role.AI_OPERATION, ITO)
    layout = replace(a_layout(contributions=(drawn, ran)), source_type=SourceType.COMPOSITE_TRAINED)

    assert "AI generation Midjourney 7 (operated by M. Ito)" in credit_line((layout,)).en


def test_an_algorithm_is_not_called_ai() -> None:
    line = credit_line(a_chain(system=PAINTER, operator=None, touch_up_by=()))

    assert "Painting algorithm haikei-painter 1" in line.en
    assert "描画アルゴリズム" in line.ja
    assert "AI" not in line.en + line.ja


def test_two_systems_are_named_each_with_who_ran_it() -> None:
    layout = a_layout()
    first = a_generation(layout=layout, operator=ITO)
    second = a_generation(
        stage="gen2", layout=layout, parent=first, system=a_system("FLUX.2 klein", "4B")
    )

    assert credit_line((layout, first, second)).en.endswith(
        "AI generation SDXL 1.0 (operated by M. Ito) "
        "· AI generation FLUX.2 klein 4B (run by pipeline)"
    )


def test_every_touch_up_artist_is_named_once_and_in_order() -> None:
    chain = a_chain()
    second = a_touch_up(parent=chain[-1], stage="t2", artists=(MORI,))
    third = a_touch_up(parent=second, stage="t3", artists=(SATO, TANAKA))

    assert credit_line((*chain, second, third)).en.endswith(
        "Touch-up A. Sato, K. Mori, Yuki Tanaka"
    )


def test_roles_stand_in_a_films_order() -> None:
    directed = a_contribution(Role.ART_DIRECTOR, MORI)
    chain = a_chain()
    last = replace(chain[-1], contributions=(*chain[-1].contributions, directed))

    assert credit_line((*chain[:-1], last)).en.startswith(
        "Background: Art Director K. Mori · Layout Yuki Tanaka · AI generation"
    )


def test_a_cut_without_any_system_names_its_painter() -> None:
    painted = a_contribution(Role.BACKGROUND, SATO)
    layout = a_layout(contributions=(painted,))

    assert credit_line((layout,)).en == "Background: Layout Yuki Tanaka · Background art A. Sato"


def test_who_does_not_want_to_be_named_is_withheld() -> None:
    line = credit_line(a_chain(touch_up_by=(replace(SATO, opt_out="letter"),)))

    assert line.en.endswith(f"· Touch-up {WITHHELD}")
    assert line.ja.endswith("· 加筆 （本人の希望により非表示）")
    assert "Sato" not in line.en
    assert "佐藤" not in line.ja


@pytest.mark.parametrize("at", range(4))
def test_unnamed_work_is_refused_wherever_it_is(at: int) -> None:
    chain = list(a_chain())
    nobody = a_contribution(Role.BACKGROUND_CHECK, Person(id="HumanUser:99", name=" \n"))
    chain[at] = replace(chain[at], contributions=(*chain[at].contributions, nobody))

    with pytest.raises(CreditError, match=r"HumanUser:99, who has no name") as refused:
        credit_line(chain)
    assert refused.value.advice


@pytest.mark.parametrize("at", [0, 3])
def test_a_drawing_that_nobody_drew_is_refused(at: int) -> None:
    chain = list(a_chain())
    chain[at] = replace(chain[at], contributions=())

    with pytest.raises(CreditError, match="nobody is named for"):
        credit_line(chain)


@pytest.mark.parametrize("images", [(), (a_generation(),)])
def test_a_line_without_any_human_is_refused(images: tuple[ImageRecord, ...]) -> None:
    with pytest.raises(CreditError, match="without a human"):
        credit_line(images)


def test_a_layout_that_a_model_made_needs_who_ran_it_only() -> None:
    layout = replace(a_generation(stage="layout", operator=ITO), source_type=SourceType.TRAINED)

    assert credit_line((layout,)).en == "Background: AI generation SDXL 1.0 (operated by M. Ito)"


@pytest.mark.parametrize(
    ("role", "actor"),
    [(Role.AI_GENERATION, TANAKA), (Role.TOUCH_UP, a_system()), (Role.PAINTING_ALGORITHM, ITO)],
)
def test_people_are_no_tools_and_tools_no_people(role: Role, actor: Person) -> None:
    layout = a_layout(contributions=(a_contribution(role, actor),))

    with pytest.raises(CreditError, match="cannot be credited"):
        credit_line((layout,))


@pytest.mark.parametrize(
    "name",
    [
        "AI",
        "A.I.",
        "ＡＩ",
        "AI (+Human)",
        "AI（＋人間）",
        "Human + AI",
        "ai artist",
        "Generative AI",
        "Artificial Intelligence",
        "人工知能",
        "生成AI",
        "AI Background Generator",
    ],
)
def test_nobody_is_called_ai(name: str) -> None:
    with pytest.raises(CreditError, match="credited as a person"):
        credit_line((a_layout(artists=(a_person(name=name),)),))
    with pytest.raises(CreditError, match="credited as a person"):
        credit_line((a_layout(artists=(a_person(name="Yuki Tanaka", name_ja=name),)),))


@pytest.mark.parametrize("name", ["Ai", "Ai Tanaka", "Tanaka AI", "Aida", "藍", "愛", "Kai Human"])
def test_people_whose_names_only_look_like_it_are_named(name: str) -> None:
    assert name in credit_line((a_layout(artists=(a_person(name=name),)),)).en


def test_a_person_with_a_systems_name_is_refused() -> None:
    with pytest.raises(CreditError, match="name of a system and of a person"):
        credit_line(
            a_chain(
                system=a_system(name="Kirin wash", version="1.0"),
                touch_up_by=(a_person(name="kirin wash 1.0"),),
            )
        )


def test_one_script_stands_in_for_the_other() -> None:
    only_ja = credit_line((a_layout(artists=(Person(id="p", name="", name_ja="田中ゆき"),)),))
    only_en = credit_line((a_layout(artists=(Person(id="p", name="Nguyễn Khai"),)),))

    assert (only_ja.en, only_ja.ja) == ("Background: Layout 田中ゆき", "背景：原図 田中ゆき")
    assert only_en.ja == "背景：原図 Nguyễn Khai"


@given(st.text())
def test_any_name_stands_in_one_line_or_is_refused(name: str) -> None:
    try:
        line = credit_line((a_layout(artists=(a_person(name=name or "\n"),)),))
    except CreditError:
        return
    assert line.en.splitlines() == [line.en]
    assert line.en.removeprefix("Background: Layout ").strip()
