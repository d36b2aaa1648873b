"""The sheet for Article 50 of the EU AI Act."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from haikei.credits import ImageRecord, StatementKind, credit_line
from haikei.files import sha256_of
from haikei.provenance import MarkRequest, MarkSigner, mark
from haikei.reports import Format
from support.records import PAINTER, a_background, a_chain, a_generation, a_layout
from support.reports import ReportDesk, declare_statement, rows_of


def _alerts(report: dict[str, Any]) -> list[str]:
    return [
        one["text"]["en"]
        for one in report["blocks"]
        if one["type"] == "notice" and one["tone"] == "alert"
    ]


def _layers(report: dict[str, Any]) -> dict[str, Any]:
    (found,) = [one for one in report["blocks"] if one.get("key") == "layers"]
    values: dict[str, Any] = found["values"]
    return values


def test_each_picture_has_its_source_type_system_and_entry(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    (row,) = rows_of(desk.json("article-50"), "pictures")
    assert row["source_type"]["value"] == "compositeWithTrainedAlgorithmicMedia"
    assert row["system"] == "SDXL 1.0"
    assert row["deep_fake"]["en"] == "not recorded"
    assert row["entry"] == 3


def test_a_picture_without_a_drawing_is_called_made_by_a_model(desk: ReportDesk) -> None:
    desk.save(a_background("c001", images=(a_generation("c001"),)))
    (row,) = rows_of(desk.json("article-50"), "pictures")
    assert row["source_type"]["value"] == "trainedAlgorithmicMedia"


def test_pictures_without_a_trained_model_need_no_assessment(desk: ReportDesk) -> None:
    images = a_chain("c001", system=PAINTER, touch_up_by=())
    desk.save(a_background("c001", images=images))
    report = desk.json("article-50")
    assert rows_of(report, "pictures") == []
    assert _alerts(report) == []


def test_an_assessment_covers_its_cut_and_the_others_are_counted_as_missing(
    desk: ReportDesk,
) -> None:
    desk.save(a_background("c001"), a_background("c002"))
    entry = declare_statement(
        desk, StatementKind.DEEPFAKE_ASSESSMENT, shot="c001", sequence="ep01", answer="no"
    )
    report = desk.json("article-50")
    first, second = rows_of(report, "pictures")
    assert first["deep_fake"]["en"] == "no"
    assert entry in first["assessment"]
    assert second["deep_fake"]["en"] == "not recorded"
    assert any("For 1 pictures no assessment" in one for one in _alerts(report))


def test_the_most_specific_assessment_is_the_one_that_counts(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    declare_statement(
        desk, StatementKind.DEEPFAKE_ASSESSMENT, sequence="ep01", shot="c001", answer="unsure"
    )
    declare_statement(desk, StatementKind.DEEPFAKE_ASSESSMENT, answer="no")
    report = desk.json("article-50")
    assert rows_of(report, "pictures")[0]["deep_fake"]["en"] == "unsure"
    assert any("deep fakes, or unsure" in one for one in _alerts(report))


def test_role_and_disclosure_are_quoted_or_missing_with_their_command(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    declare_statement(
        desk, StatementKind.VIEWER_DISCLOSURE, text="End card 4.", reference="credits v3"
    )
    report = desk.json("article-50")
    role, told = rows_of(report, "declared")
    assert "haikei credits declare legal_role" in role["said"]["en"]
    assert (told["said"], told["paper"]["value"]) == ("End card 4.", "credits v3")
    assert rows_of(report, "pictures")[0]["disclosed"]["en"] == "declared"


def test_law_is_told_apart_from_reading(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    kinds = {row["rule"]: row["kind"]["en"] for row in rows_of(desk.json("article-50"), "rules")}
    assert kinds["50(2)"] == "law"
    assert kinds["role"] == kinds["code"] == "reading or voluntary"


def test_marks_are_not_examined_where_no_file_is_at_hand(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    layers = _layers(desk.json("article-50"))
    assert layers["c2pa"] == [{"en": "not examined", "ja": "未確認"}]
    assert layers["watermark"][0]["en"] == "absent"
    assert layers["logging"][0]["en"] == "present"


def test_marks_of_a_published_file_are_measured(desk: ReportDesk, tmp_path: Path) -> None:
    layout = a_layout("c001")
    made = a_generation("c001", layout=layout)
    _publish(desk, (layout, made), tmp_path)
    desk.save(a_background("c001", images=(layout, made)))
    report = desk.json("article-50")
    layers = _layers(report)
    assert [layers[name][0]["en"] for name in ("xmp", "c2pa")] == ["present", "present"]
    assert layers["time_stamp"][0]["en"] == "absent"
    (row,) = rows_of(report, "sample")
    assert row["state"] == "trusted"
    assert row["system"] == "SDXL 1.0"


def test_a_file_whose_marks_were_broken_is_shown_with_the_failure(
    desk: ReportDesk, tmp_path: Path
) -> None:
    layout = a_layout("c001")
    made = a_generation("c001", layout=layout)
    file = _publish(desk, (layout, made), tmp_path)
    content = bytearray(file.read_bytes())
    place = content.rindex(b"IDAT") + 8
    content[place] ^= 1
    file.write_bytes(content)
    desk.save(a_background("c001", images=(layout, made)))
    report = desk.json("article-50")
    assert _layers(report)["c2pa"][0]["en"] == "absent"
    (row,) = rows_of(report, "sample")
    assert row["state"] != "trusted"
    assert row["problem"]


def test_the_sheet_is_set_on_paper(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    (file,) = desk.write("article-50", Format.PDF)
    assert file.read_bytes().startswith(b"%PDF-")


def _publish(desk: ReportDesk, images: tuple[ImageRecord, ...], folder: Path) -> Path:
    """Mark the last image as the job does, where its record says that it was published."""
    last = images[-1]
    source = folder / "unmarked.png"
    cv2.imwrite(str(source), np.full((48, 64, 3), 90, np.uint8))
    target = desk.folder / "projects" / last.path
    target.parent.mkdir(parents=True, exist_ok=True)
    mark(
        MarkRequest(
            source=source,
            target=target,
            title=target.name,
            kind=last.kind,
            source_type=last.source_type,
            overall_source_type=last.source_type,
            contributions=last.contributions,
            credited=tuple(one for image in images for one in image.contributions),
            credit=credit_line(images),
            ingredients=(),
            request_json=last.request_json,
            oversight="prompt_guided",
            at=last.created_at,
        ),
        MarkSigner.from_settings(desk.settings),
    )
    assert sha256_of(target)
    return target
