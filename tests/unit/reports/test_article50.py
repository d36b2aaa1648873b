"""The sheet for Article 50 of the EU AI Act."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from haikei.credits import BackgroundVersion, ImageRecord, StatementKind, credit_line
from haikei.errors import CreditError
from haikei.files import sha256_of
from haikei.provenance import MarkRequest, MarkSigner, mark
from haikei.reports import Format
from haikei.texts import Bilingual, Language
from support.records import PAINTER, a_background, a_chain, a_generation, a_layout
from support.reports import AFTER, BEFORE, ReportDesk, declare_statement, rows_of


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


def test_a_statement_is_about_one_picture_and_the_others_are_counted_as_missing(
    desk: ReportDesk,
) -> None:
    desk.save(a_background("c001"), a_background("c002"))
    entry = _assess(desk, a_background("c001"), "no")
    report = desk.json("article-50")
    first, second = rows_of(report, "pictures")
    assert first["deep_fake"]["en"] == "no"
    assert entry in first["assessment"]
    assert "Rika Legal" in str(first["assessment"])
    assert second["deep_fake"]["en"] == "not recorded"
    assert any("Of 1 pictures nobody has stated" in one for one in _alerts(report))


def test_the_newest_word_on_a_picture_counts(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    _assess(desk, a_background("c001"), "no")
    _assess(desk, a_background("c001"), "unsure", at=AFTER + timedelta(days=1))
    report = desk.json("article-50")
    assert rows_of(report, "pictures")[0]["deep_fake"]["en"] == "unsure"
    assert any("deep fakes, or is unsure" in one for one in _alerts(report))


def test_a_word_on_the_picture_below_says_nothing_of_the_touch_up_on_top(
    desk: ReportDesk,
) -> None:
    images = a_chain("c001")
    below = a_background("c001", images=images[:-1])
    desk.save(below)
    _assess(desk, below, "no")
    desk.save(a_background("c001", version=2, images=images))
    (row,) = rows_of(desk.json("article-50"), "pictures")
    assert row["deep_fake"]["en"] == "not recorded"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ({}, "stated of one picture"),
        ({"sequence": "ep01", "shot": "c001"}, "stated of one picture"),
        ({"image_sha256": "0" * 64}, "No published picture"),
        ({"image_sha256": "layout"}, "No published picture"),
        ({"image_sha256": "final", "shot": "c002"}, "No published picture"),
        ({"image_sha256": "final", "at": BEFORE}, "was made on"),
        ({"image_sha256": "final", "answer": ""}, "no default answer"),
        ({"image_sha256": "final", "answer": "hardly"}, "no default answer"),
    ],
)
def test_what_is_not_said_of_one_published_picture_is_no_deep_fake_statement(
    desk: ReportDesk, statement: dict[str, Any], words: str
) -> None:
    shown = a_background("c001")
    desk.save(shown)
    hashes = {"final": shown.final.sha256, "layout": shown.images[0].sha256}
    image = statement.get("image_sha256", "")
    told: dict[str, Any] = {"answer": "no", "at": AFTER, **statement}
    told["image_sha256"] = hashes.get(image, image)
    with pytest.raises(CreditError, match=words):
        declare_statement(desk, StatementKind.DEEPFAKE_ASSESSMENT, **told)
    assert rows_of(desk.json("article-50"), "pictures")[0]["deep_fake"]["en"] == "not recorded"


def test_role_work_and_disclosure_are_quoted_or_not_recorded(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    declare_statement(
        desk, StatementKind.VIEWER_DISCLOSURE, text="End card 4.", reference="credits v3"
    )
    declare_statement(desk, StatementKind.LEGAL_ROLE, subject="exception", text="None, as of now.")
    report = desk.json("article-50")
    role, exception, artistic, told = rows_of(report, "declared")
    assert role["about"] is None
    assert role["answer"]["en"] == artistic["answer"]["en"] == "not recorded"
    assert exception["said"] == "None, as of now."
    assert (told["said"], told["paper"]["value"]) == ("End card 4.", "credits v3")
    assert rows_of(report, "pictures")[0]["disclosed"]["en"] == "declared"


def test_law_guidance_and_reading_are_kept_apart(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    rules = rows_of(desk.json("article-50"), "rules")
    kinds = {row["rule"]: row["kind"]["en"] for row in rules}
    law = {
        *("50(2), marking", "50(2), detection", "50(2), exceptions", "50(4), deep fakes"),
        *("50(4), evidently artistic work", "50(5)", "111(4)", "2(1)(c)"),
    }
    assert {kinds[rule] for rule in law} == {"law"}
    assert {kinds["who is who"], kinds["UK, not required"]} == {"reading"}
    assert {kinds["guidelines, logs"], kinds["code"]} == {"guidance", "voluntary code"}
    for row in rules:
        if row["kind"]["en"] == "law":
            assert row["source"].startswith("Regulation (EU) 20")
            assert row["applies"]["en"].startswith(("since", "in force since"))


@pytest.mark.parametrize(
    ("day", "words"), [(1, "still running"), (2, "ends on the day"), (3, "over on the day")]
)
def test_the_period_for_older_systems_ends_on_the_second_of_december(
    desk: ReportDesk, day: int, words: str
) -> None:
    desk.save(a_background("c001"))
    report = desk.json("article-50", now=datetime(2026, 12, day, 12, tzinfo=UTC))
    (dates,) = [one for one in report["blocks"] if one.get("key") == "dates"]
    assert dates["values"]["applies_since"] == "2026-08-02"
    ends, grace = dates["values"]["grace_ends"]
    assert ends == "2026-12-02"
    assert words in grace["en"]


def test_the_sheet_concludes_nothing(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    text = desk.text("article-50", language=Language.BOTH)
    for verdict in ("compliant", "complies", "not a deep fake", "in the sense of", "disclose each"):
        assert verdict not in text


def test_marks_are_not_looked_for_where_no_file_is_at_hand(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    report = desk.json("article-50")
    layers = _layers(report)
    assert layers["c2pa"] == [{"en": "not looked for", "ja": "未確認"}]
    assert layers["watermark"][0]["en"] == layers["icon"][0]["en"] == "not looked for"
    assert rows_of(report, "pictures")[0]["marks"]["en"] == "file not at hand"


def test_of_pictures_that_were_not_opened_nothing_is_said(desk: ReportDesk) -> None:
    desk.save(*(a_background(f"c{number:03}") for number in range(61)))
    told: list[Bilingual] = []
    marks = [
        row["marks"]["en"]
        for row in rows_of(desk.json("article-50", advise=told.append), "pictures")
    ]
    assert (marks.count("not looked for"), marks.count("file not at hand")) == (1, 60)
    assert any("haikei verify FOLDER" in advice.en for advice in told)


def test_marks_of_a_published_file_are_measured(desk: ReportDesk, tmp_path: Path) -> None:
    layout = a_layout("c001")
    made = a_generation("c001", layout=layout)
    _publish(desk, (layout, made), tmp_path)
    desk.save(a_background("c001", images=(layout, made)))
    report = desk.json("article-50")
    layers = _layers(report)
    found = {name: layers[name][0]["en"] for name in ("xmp", "xmp_system", "c2pa", "c2pa_ai")}
    assert set(found.values()) == {"found"}
    assert layers["time_stamp"][0]["en"] == "not found"
    (row,) = rows_of(report, "looked_for")
    assert row["c2pa"]["en"] == "found"
    assert row["time_stamp"]["en"] == "not found"
    marks = rows_of(report, "pictures")[0]["marks"]
    assert marks[0]["en"] == "4 of 6 found"
    assert marks[1]["en"] == "not found: RFC 3161 time stamp; Inputs kept in it"


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
    assert _layers(report)["c2pa"][0]["en"] == "not found"
    (row,) = rows_of(report, "looked_for")
    assert row["c2pa"]["en"] == "not found"
    assert row["problem"]


def test_the_sheet_is_set_on_paper(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    (file,) = desk.write("article-50", Format.PDF)
    assert file.read_bytes().startswith(b"%PDF-")


def _assess(
    desk: ReportDesk, version: BackgroundVersion, answer: str, *, at: datetime = AFTER
) -> int:
    return declare_statement(
        desk,
        StatementKind.DEEPFAKE_ASSESSMENT,
        image_sha256=version.final.sha256,
        answer=answer,
        at=at,
    )


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
