"""The list of AI use: where, with what, by whom, and agreed when."""

import csv
import io
from dataclasses import replace
from typing import Any

from haikei.credits import Person, Role, Scope, StatementKind, records
from haikei.credits.people.registry import erase
from haikei.decisions import ReviewState
from haikei.reports import Format
from haikei.settings import Settings
from haikei.texts import Bilingual, Language
from support.records import (
    ITO,
    PAINTER,
    TANAKA,
    a_background,
    a_chain,
    a_change,
    a_contribution,
    a_generation,
    a_layout,
    a_person,
    a_system,
    a_touch_up,
)
from support.reports import AFTER, ReportDesk, declare_statement, rows_of


def _value(report: dict[str, Any], key: str) -> Any:
    return report["facts"][key][0]["value"]


def _facts(report: dict[str, Any], key: str) -> dict[str, Any]:
    (found,) = [one for one in report["blocks"] if one["type"] == "facts" and one["key"] == key]
    values: dict[str, Any] = found["values"]
    return values


def _alerts(report: dict[str, Any]) -> list[str]:
    return [
        one["text"]["en"]
        for one in report["blocks"]
        if one["type"] == "notice" and one["tone"] == "alert"
    ]


def _answer_to(report: dict[str, Any], question: str) -> list[dict[str, Any]]:
    return [row for row in rows_of(report, "client") if question in row["question"]["en"]]


def test_every_background_with_ai_is_listed_with_its_tool_people_and_entries(
    desk: ReportDesk,
) -> None:
    desk.save(a_background("c001"), a_background("c002", images=_algorithm("c002")))
    report = desk.json("ai-use")
    (row,) = rows_of(report, "cuts")
    with desk.database.connect() as connection:
        version = records.by_code(connection, "c001_bg_summer_day_v001")
    assert version is not None
    assert row["version"]["value"] == version.code
    assert row["tool"] == "SDXL 1.0"
    assert row["passes"] == 2
    assert row["entries"] == list(version.ledger[1:3])
    assert row["operator"]["ja"] == ITO.name_ja
    assert row["layout"]["en"] == TANAKA.name
    assert row["touch_up"][1] == 34_800
    assert (_value(report, "cuts"), _value(report, "cuts_with_ai")) == (2, 1)


def test_a_model_that_the_pipeline_did_not_run_has_no_recorded_operator(desk: ReportDesk) -> None:
    comfy = a_contribution(Role.AI_GENERATION, a_system("ComfyUI", ""))
    touched = a_touch_up("c001", contributions=(comfy,))
    desk.save(
        a_background("c001", images=(*a_chain(system=PAINTER, operator=None)[:1], touched)),
        a_background("c002", images=a_chain("c002", operator=None, touch_up_by=())),
    )
    report = desk.json("ai-use")
    assert [row["operator"] for row in rows_of(report, "cuts")] == [
        {"en": "operator not recorded", "ja": "操作者の記録なし"},
        {"en": "run by pipeline", "ja": "パイプライン自動実行"},
    ]
    roll = desk.text("credits-roll", Format.TXT, language=Language.BOTH)
    assert "ComfyUI (operator not recorded) / ComfyUI（操作者の記録なし）" in roll
    assert "    SDXL 1.0\n" in roll
    ran = {
        row["name_en"]: row["operated_by"]
        for row in csv.DictReader(desk.text("credits-roll", Format.CSV).splitlines())
    }
    assert (ran["ComfyUI"], ran["SDXL 1.0"]) == ("operator not recorded", "run by pipeline")
    log = desk.text("union-log", Format.TXT)
    assert "1 AI steps were run outside of the pipeline" in log


def test_a_show_without_ai_says_so_and_lists_nothing(desk: ReportDesk) -> None:
    desk.save(a_background("c001", images=_algorithm("c001")))
    report = desk.json("ai-use")
    assert rows_of(report, "cuts") == []
    assert _alerts(report) == []
    assert _value(report, "versions_with_ai") == 0


def test_a_missing_approval_is_flagged_and_the_cover_note_says_how_to_record_it(
    desk: ReportDesk,
) -> None:
    desk.save(a_background("c001"))
    told: list[Bilingual] = []
    report = desk.json("ai-use", advise=told.append)
    assert "no approval" in _alerts(report)[0]
    (row,) = _answer_to(report, "approve")
    assert row["answer"]["en"] == "not recorded"
    assert row["said"] is None
    assert any("haikei credits declare client_approval --project akane" in one.en for one in told)
    assert rows_of(report, "cuts")[0]["approval"]["en"] == "not recorded"


def test_an_approval_that_is_dated_before_the_first_generation_stands_beside_the_cut(
    desk: ReportDesk,
) -> None:
    entry = declare_statement(
        desk, StatementKind.CLIENT_APPROVAL, answer="yes", reference="mail of October"
    )
    desk.save(a_background("c001"))
    report = desk.json("ai-use")
    badge, paper, sealed, *_ = rows_of(report, "cuts")[0]["approval"]
    assert badge["en"] == "before the first generation"
    assert "mail of October" in paper
    assert sealed["en"] == f"entry {entry}"
    assert _alerts(report) == []


def test_an_approval_that_is_sealed_after_the_generation_is_told_apart_from_its_date(
    desk: ReportDesk,
) -> None:
    # The ledger seals today what claims to be of October: its own date is only declared.
    declare_statement(desk, StatementKind.CLIENT_APPROVAL, answer="yes")
    desk.save(a_background("c001"))
    lines = rows_of(desk.json("ai-use"), "cuts")[0]["approval"]
    assert lines[-1]["en"] == "by its own date; sealed later"


def test_an_approval_after_the_first_generation_is_flagged(desk: ReportDesk) -> None:
    declare_statement(desk, StatementKind.CLIENT_APPROVAL, answer="yes", at=AFTER)
    desk.save(a_background("c001"))
    report = desk.json("ai-use")
    assert "generated before the date of the client's approval" in _alerts(report)[0]
    assert rows_of(report, "cuts")[0]["approval"][0]["en"] == "NOT before the first generation"


def test_an_approval_of_another_sequence_covers_nothing_here(desk: ReportDesk) -> None:
    declare_statement(desk, StatementKind.CLIENT_APPROVAL, answer="yes", sequence="ep02")
    desk.save(a_background("c001"), a_background("c001", sequence="ep02"))
    approvals = {row["sequence"]: row["approval"] for row in rows_of(desk.json("ai-use"), "cuts")}
    assert approvals["ep01"]["en"] == "not recorded"
    assert approvals["ep02"][0]["en"] == "before the first generation"


def test_an_approval_that_was_withdrawn_no_longer_counts(desk: ReportDesk) -> None:
    declare_statement(desk, StatementKind.CLIENT_APPROVAL, answer="yes")
    declare_statement(desk, StatementKind.CLIENT_APPROVAL, answer="no", text="Withdrawn.", at=AFTER)
    desk.save(a_background("c001"))
    assert rows_of(desk.json("ai-use"), "cuts")[0]["approval"][0]["en"] == "not agreed"


def test_each_of_the_five_principles_has_its_answers_or_says_what_is_missing(
    desk: ReportDesk,
) -> None:
    entry = declare_statement(
        desk, StatementKind.PRINCIPLE, subject="2", answer="yes", text="Own machines."
    )
    declare_statement(
        desk, StatementKind.PRINCIPLE, subject="2: skies", answer="unsure", text="Asking."
    )
    desk.save(a_background("c001"))
    told: list[Bilingual] = []
    report = desk.json("ai-use", advise=told.append)
    first, second = _answer_to(report, "2. ")
    assert (first["answer"]["en"], first["said"]) == ("yes", "Own machines.")
    assert first["entry"][0] == entry
    assert second["answer"]["en"] == "unsure"
    for number in "1345":
        (row,) = _answer_to(report, f"{number}. ")
        assert row["answer"]["en"] == "not recorded"
        assert any(f"--subject {number}" in advice.en for advice in told)
    assert not any("--subject 2" in advice.en for advice in told)
    assert any("Principle 2: skies was answered with unsure" in one for one in _alerts(report))


def test_only_temporary_is_contradicted_by_approved_backgrounds_with_ai(desk: ReportDesk) -> None:
    declare_statement(desk, StatementKind.CLIENT_APPROVAL, answer="yes")
    declare_statement(desk, StatementKind.PRINCIPLE, subject="4", answer="yes")
    told = a_background("c001")
    desk.save(told)
    assert _alerts(desk.json("ai-use")) == []
    with desk.database.begin() as connection:
        records.decide(connection, told.key, ReviewState.APPROVED)
    report = desk.json("ai-use")
    assert "Principle 4" in _alerts(report)[0]
    assert rows_of(report, "cuts")[0]["use"]["en"] == "final: approved"
    assert _facts(report, "checks")["final"][0]["value"] == 1


def test_checks_count_the_backgrounds_that_they_cover(desk: ReportDesk) -> None:
    desk.save(a_background("c001"), a_background("c002"), a_background("c001", sequence="ep02"))
    declare_statement(
        desk, StatementKind.THIRD_PARTY_CHECK, sequence="ep01", answer="yes", text="clear"
    )
    declare_statement(desk, StatementKind.LIKENESS_CHECK, sequence="ep01", shot="c002", answer="no")
    report = desk.json("ai-use")
    assert _facts(report, "checks")["third_party"][0]["value"] == 2
    assert _facts(report, "checks")["likeness"][0]["value"] == 1


def test_a_statement_about_an_image_covers_the_versions_that_hold_it(desk: ReportDesk) -> None:
    told = a_background("c001")
    desk.save(told, a_background("c002"))
    declare_statement(
        desk, StatementKind.LIKENESS_CHECK, image_sha256=told.images[1].sha256, answer="no"
    )
    rows = {row["shot"]: row["checks"] for row in rows_of(desk.json("ai-use"), "cuts")}
    assert rows["c001"] == [{"en": "likeness", "ja": "肖像"}]
    assert rows["c002"]["en"] == "not recorded"


def test_the_contract_of_a_model_comes_from_the_settings_and_is_called_declared(
    desk: ReportDesk,
) -> None:
    desk.save(a_background("c001"))
    missing = _facts(desk.json("ai-use"), "tool_1")
    assert missing["declared"]["en"] == "not recorded"
    known = _facts(desk.json("ai-use", settings=_with_model(desk.settings)), "tool_1")
    assert known["contract"] == ["C-12", {"en": "declared", "ja": "申告"}]
    assert known["trains_on_inputs"][0]["en"] == "no"
    assert known["licence"][1]["en"] == "logged"


def test_a_service_is_described_as_a_model_is(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    plain = _with_model(desk.settings).model_dump(mode="json")
    service = plain["models"].pop("sdxl")
    plain["generators"]["cloud"] = {
        **{key: service[key] for key in ("name", "version", "provider", "contract")},
        **{key: service[key] for key in ("licence", "licence_url", "commercial", "data")},
        "runs": "cloud",
    }
    known = _facts(desk.json("ai-use", settings=Settings.model_validate(plain)), "tool_1")
    assert known["provider"][0] == "Stability AI"
    assert known["runs"][0]["en"] == "at a cloud service"


def test_who_wants_no_name_and_whose_name_was_erased_are_never_printed(desk: ReportDesk) -> None:
    quiet = a_person(71, name="Secret Painter", name_ja="秘密の画家", opt_out="letter of May")
    gone = Person(id="person:gone-artist", name="Gone Artist", name_ja="去った作家")
    desk.save(a_background("c001", images=a_chain("c001", artists=(gone,), touch_up_by=(quiet,))))
    with desk.database.begin() as connection:
        erase(connection, gone.id, "mail of June")
    for name in ("ai-use", "article-50", "copyright", "union-log"):
        for form in (Format.HTML, Format.CSV, Format.JSON):
            text = desk.text(name, form, language=Language.BOTH)
            for never in ("Secret", "秘密", "Gone", "去った", "gone-artist"):
                assert never not in text, (name, form)
    (row,) = rows_of(desk.json("ai-use"), "cuts")
    assert row["layout"]["en"] == "(name withheld at the artist's request)"


def test_csv_holds_one_row_a_background_with_ai(desk: ReportDesk) -> None:
    desk.save(a_background("c001"), a_background("c002"))
    rows = list(csv.DictReader(io.StringIO(desk.text("ai-use", Format.CSV))))
    assert [row["shot"] for row in rows] == ["c001", "c002"]
    assert rows[0]["tool"] == "SDXL 1.0"


def test_the_newest_version_counts_unless_all_are_asked_for(desk: ReportDesk) -> None:
    desk.save(a_background("c001"), a_background("c001", version=2))
    assert len(rows_of(desk.json("ai-use"), "cuts")) == 1
    every = desk.json("ai-use", scope=Scope(project="akane", latest=False))
    assert len(rows_of(every, "cuts")) == 2


def test_the_page_escapes_what_people_wrote(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    declare_statement(
        desk, StatementKind.PRINCIPLE, subject="1", answer="yes", text="<script>alert(1)</script>"
    )
    page = desk.text("ai-use")
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_loras_named_in_requests_are_listed(desk: ReportDesk) -> None:
    layout = a_layout("c001")
    made = a_generation("c001", layout=layout)
    request = '{"options":[["lora","akane-style"]],"prompt":"port"}'
    desk.save(a_background("c001", images=(layout, replace(made, request_json=request))))
    assert "lora = akane-style" in _facts(desk.json("ai-use"), "checks")["loras"][0]["en"]


def test_a_touch_up_that_changed_nothing_is_named_with_its_zero(desk: ReportDesk) -> None:
    layout = a_layout("c001")
    made = a_generation("c001", layout=layout)
    over = a_touch_up("c001", parent=made, change=a_change(area_ppm=0, regions=0))
    desk.save(a_background("c001", images=(layout, made, over)))
    assert rows_of(desk.json("ai-use"), "cuts")[0]["touch_up"][1] == 0


def _algorithm(name: str) -> Any:
    return a_chain(name, system=PAINTER, operator=None, touch_up_by=())


def _with_model(settings: Settings) -> Settings:
    plain = settings.model_dump(mode="json")
    plain["models"] = {
        "sdxl": {
            "folder": "/models/sdxl",
            "name": "SDXL",
            "version": "1.0",
            "licence": "OpenRAIL",
            "licence_url": "https://example.com/licence",
            "commercial": "yes",
            "data": "pictures of the web",
            "provider": "Stability AI",
            "contract": "C-12",
        }
    }
    return Settings.model_validate(plain)
