"""The copyright helper claims what the records show, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from haikei.credits import Contribution, Grade, ImageRecord, Person, Role, SourceType
from haikei.errors import ReportError
from haikei.reports import Format
from haikei.settings import Settings
from support.records import (
    ITO,
    MORI,
    PAINTER,
    SATO,
    TANAKA,
    a_background,
    a_change,
    a_contribution,
    a_generation,
    a_layout,
    a_recall,
    a_touch_up,
)
from support.reports import ReportDesk, rows_of


def _work(desk: ReportDesk, *images: ImageRecord, **options: Any) -> dict[str, Any]:
    desk.save(a_background("c001", images=images))
    (row,) = rows_of(desk.json("copyright", **options), "works")
    return row


def _made(layout: ImageRecord, *, recall: int | None = None, **options: Any) -> ImageRecord:
    contributions: tuple[Contribution, ...] = ()
    if recall is not None:
        contributions = (
            a_contribution(Role.GENZU, TANAKA, grade=Grade.MEASURED, recall=a_recall(recall)),
        )
    return a_generation("c001", layout=layout, contributions=contributions, **options)


def _why(row: dict[str, Any]) -> str:
    return " ".join(one["en"] for one in row["not_claimed"])


def test_a_layout_whose_lines_are_measured_in_the_picture_is_claimed(desk: ReportDesk) -> None:
    layout = a_layout("c001")
    row = _work(desk, layout, _made(layout, recall=938_000))
    assert row["author_created"]["en"] == (
        "2-D artwork: hand-drawn layout by Yuki Tanaka, perceptible in the picture."
    )
    assert "artificial intelligence (SDXL 1.0)" in row["material_excluded"]["en"]
    assert row["recall"][0] == 938_000
    assert row["recall"][-1]["en"] == "measured"


def test_a_layout_that_nobody_measured_is_not_claimed(desk: ReportDesk) -> None:
    layout = a_layout("c001")
    row = _work(desk, layout, _made(layout))
    assert row["author_created"]["en"] == "nothing can be claimed from the records"
    assert "not recorded whether its lines are seen" in _why(row)
    assert row["recall"] == [{"en": "not recorded", "ja": "記録なし"}]


@pytest.mark.parametrize("observed", [100_000, 145_000, 170_000, 300_000])
def test_lines_that_chance_would_show_as_well_are_not_claimed(
    desk: ReportDesk, observed: int
) -> None:
    # Chance is 14.5 % with a deviation of 0.9 %: 30 % is far above it, yet little of the drawing.
    layout = a_layout("c001")
    row = _work(desk, layout, _made(layout, recall=observed))
    assert row["author_created"]["en"] == "nothing can be claimed from the records"
    assert "not seen in the picture more than chance" in _why(row)


def test_a_touch_up_is_claimed_with_its_regions(desk: ReportDesk) -> None:
    layout = a_layout("c001")
    made = _made(layout)
    row = _work(desk, layout, made, a_touch_up("c001", parent=made))
    assert row["author_created"]["en"] == (
        "2-D artwork: additions and corrections by A. Sato in 2 regions of the picture."
    )
    assert 34_800 in row["touch_up"]


def test_a_touch_up_that_changed_nothing_is_not_claimed(desk: ReportDesk) -> None:
    layout = a_layout("c001")
    made = _made(layout)
    over = a_touch_up("c001", parent=made, change=a_change(area_ppm=0, regions=0))
    row = _work(desk, layout, made, over)
    assert "A. Sato" not in row["author_created"]["en"]
    assert "no local change was measured" in _why(row)


def test_prompts_and_selection_are_kept_as_evidence_and_never_claimed(desk: ReportDesk) -> None:
    layout = a_layout("c001")
    chosen = a_contribution(Role.SELECTION, MORI, note="the second of four: calmer sky")
    made = a_generation("c001", layout=layout, operator=ITO, contributions=(chosen,))
    row = _work(desk, layout, made)
    assert row["author_created"]["en"] == "nothing can be claimed from the records"
    assert "instructions alone make nobody the author" in _why(row)
    assert "the second of four: calmer sky" in row["selection"]


def test_a_background_painted_by_hand_has_nothing_to_exclude(desk: ReportDesk) -> None:
    layout = a_layout("c001")
    painted = a_contribution(Role.BACKGROUND, SATO, grade=Grade.DECLARED)
    picture = a_touch_up("c001", artists=(), contributions=(painted,))
    row = _work(desk, layout, _as_drawn(picture))
    assert row["author_created"]["en"] == (
        "2-D artwork: hand-drawn layout by Yuki Tanaka; background painted by A. Sato."
    )
    assert row["material_excluded"]["en"].startswith("none")
    assert row["not_claimed"] is None


def test_an_algorithm_is_not_called_ai_and_is_left_to_counsel(desk: ReportDesk) -> None:
    layout = a_layout("c001")
    row = _work(desk, layout, _made(layout, system=PAINTER))
    assert "artificial intelligence" not in row["material_excluded"]["en"]
    assert "haikei-painter 1" in row["material_excluded"]["en"]
    assert "for counsel" in row["material_excluded"]["en"]


def test_a_layout_that_a_model_drew_is_no_human_work(desk: ReportDesk) -> None:
    layout = a_layout("c001", source_type=SourceType.TRAINED)
    row = _work(desk, layout, _made(layout, recall=938_000))
    assert row["author_created"]["en"] == "nothing can be claimed from the records"


def test_nothing_is_claimed_for_an_author_whom_nobody_named(desk: ReportDesk) -> None:
    unnamed = Person(id="person:unnamed", name="(not named)", name_ja="（記名なし）")
    layout = a_layout("c001", artists=(unnamed,))
    row = _work(desk, layout, _made(layout, recall=938_000))
    assert row["author_created"]["en"] == "nothing can be claimed from the records"
    assert "No layout drawn by a named person" in _why(row)


def test_a_touch_up_by_somebody_whom_nobody_named_is_not_claimed(desk: ReportDesk) -> None:
    unnamed = Person(id="person:unnamed", name="(not named)", name_ja="（記名なし）")
    layout = a_layout("c001")
    made = _made(layout)
    row = _work(desk, layout, made, a_touch_up("c001", parent=made, artists=(unnamed,)))
    assert row["author_created"]["en"] == "nothing can be claimed from the records"
    assert "nobody is named for it" in _why(row)


def test_how_the_rights_come_to_the_studio_is_declared_in_the_settings(desk: ReportDesk) -> None:
    plain = desk.settings.model_dump(mode="json")
    plain["people"] = [{"name": "Yuki Tanaka", "pays": "work_for_hire"}]
    layout = a_layout("c001")
    made = _made(layout, recall=938_000)
    row = _work(
        desk,
        layout,
        made,
        a_touch_up("c001", parent=made),
        settings=Settings.model_validate(plain),
    )
    assert [one["en"] for one in row["rights"]] == [
        "Yuki Tanaka: work made for hire under contract",
        "A. Sato: not recorded",
        "declared",
    ]


def test_one_version_has_a_sheet_with_its_prompts(desk: ReportDesk) -> None:
    desk.save(a_background("c001"), a_background("c002"))
    report = desk.json("copyright", code="c002_bg_summer_day_v001")
    (sheet,) = [one for one in report["blocks"] if one["type"] == "facts"]
    assert sheet["key"] == "c002_bg_summer_day_v001"
    assert any(
        isinstance(line, dict) and line["en"].startswith("prompt: ")
        for line in sheet["values"]["instructions"]
    )
    assert sheet["values"]["tries"][0]["en"] == "2 passes"


def test_a_version_that_is_not_recorded_is_refused(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    with pytest.raises(ReportError, match="c999"):
        desk.write("copyright", Format.HTML, code="c999")


def _as_drawn(image: ImageRecord) -> ImageRecord:
    return replace(image, source_type=SourceType.DIGITAL_CREATION)


def test_rights_of_which_nobody_said_anything_are_not_called_declared(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    (row,) = rows_of(desk.json("copyright"), "works")

    assert "not recorded" in str(row["rights"])
    assert "declared" not in str(row["rights"])


def test_each_work_says_how_its_own_layout_came_to_be(desk: ReportDesk) -> None:
    undeclared = a_layout("c001", artists=(), source_type=SourceType.NOT_DECLARED)
    with_ai = a_layout("c002", artists=(), source_type=SourceType.TRAINED)
    drawn = a_layout("c003")
    for shot, layout in (("c001", undeclared), ("c002", with_ai), ("c003", drawn)):
        for time in ("day", "night"):
            made = a_generation(f"{shot}_{time}", layout=layout)
            desk.save(a_background(shot, time=time, images=(layout, made)))
    rows = rows_of(desk.json("copyright"), "works")
    said = [row["layout"][-1]["en"] for row in rows]
    assert said[0] == said[1] == "not declared how it was drawn"
    assert said[2] == said[3] == "made with AI, by marks in the file: –"
    assert said[4] == said[5] == "drawn by hand, as its own marks state"
    assert "Yuki Tanaka" in str(rows[5]["layout"])
