"""The log for guilds: who is covered, what was told when, who ran each AI step, credit kept."""

from typing import Any

from haikei.credits import Person, StatementKind
from haikei.reports import Format
from haikei.settings import Settings
from support.records import ITO, PAINTER, SATO, TANAKA, a_background, a_chain
from support.reports import AFTER, ReportDesk, declare_statement, rows_of


def _settings(desk: ReportDesk, *people: dict[str, Any]) -> Settings:
    plain = desk.settings.model_dump(mode="json")
    plain["people"] = list(people)
    return Settings.model_validate(plain)


def _covered(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "union": "TAG 839", "classification": "Background painter", **more}


def _alerts(report: dict[str, Any]) -> str:
    return " ".join(one["text"]["en"] for one in report["blocks"] if one["type"] == "notice")


def test_covered_people_are_listed_with_their_work_and_credit(desk: ReportDesk) -> None:
    desk.save(
        a_background("c001"),
        a_background("c002", images=a_chain("c002", system=PAINTER, touch_up_by=())),
    )
    settings = _settings(desk, _covered("Yuki Tanaka"), _covered("M. Ito"), _covered("No Work"))
    report = desk.json("union-log", settings=settings)
    people = {row["name"]["en"]: row for row in rows_of(report, "people")}
    assert (people["Yuki Tanaka"]["versions"], people["Yuki Tanaka"]["with_ai"]) == (2, 1)
    assert people["Yuki Tanaka"]["credit"]["en"] == "yes: named in the credits"
    assert people["M. Ito"]["operated"] == 1
    assert people["No Work"]["versions"] == 0
    assert people["No Work"]["credit"] is None


def test_people_are_recognised_by_login_and_japanese_name(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    settings = _settings(
        desk,
        _covered("Tanaka, Y.", logins=[TANAKA.id]),
        _covered("Sato Aoi", name_ja=SATO.name_ja),
    )
    rows = rows_of(desk.json("union-log", settings=settings), "people")
    assert [row["versions"] for row in rows] == [1, 1]


def test_each_ai_step_names_its_operator_or_says_that_nobody_is_named(desk: ReportDesk) -> None:
    desk.save(
        a_background("c001"),
        a_background("c002", images=a_chain("c002", operator=None, touch_up_by=())),
    )
    report = desk.json("union-log", settings=_settings(desk, _covered("Yuki Tanaka")))
    first, second = rows_of(report, "works")
    assert first["operator"]["en"] == ITO.name
    assert second["operator"]["en"] == "run by pipeline"
    assert report["facts"]["operated"][0]["value"] == 2
    assert "2 AI steps were run by the pipeline" in _alerts(report)


def test_notices_and_consultations_stand_with_date_recipient_and_entry(desk: ReportDesk) -> None:
    entry = declare_statement(
        desk, StatementKind.UNION_NOTICE, to="TAG 839", text="Notice.", reference="letter 12"
    )
    declare_statement(desk, StatementKind.UNION_CONSULTATION, to="TAG 839", text="Meeting.")
    desk.save(a_background("c001"))
    report = desk.json("union-log", settings=_settings(desk, _covered("Yuki Tanaka")))
    notice, consultation = rows_of(report, "statements")
    assert notice["by"][1] == "2026-10-20"
    assert notice["by"][2]["en"] == "to TAG 839"
    assert notice["entry"][0] == entry
    assert consultation["said"] == "Meeting."
    assert rows_of(report, "works")[0]["notice"]["en"] == "yes"


def test_a_notice_after_the_first_generation_is_flagged(desk: ReportDesk) -> None:
    declare_statement(desk, StatementKind.UNION_NOTICE, to="TAG 839", at=AFTER)
    desk.save(a_background("c001"))
    report = desk.json("union-log", settings=_settings(desk, _covered("Yuki Tanaka")))
    assert "generated before the date of a notice" in _alerts(report)
    assert rows_of(report, "works")[0]["notice"]["en"] == "not recorded"


def test_a_missing_notice_is_flagged(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    report = desk.json("union-log", settings=_settings(desk, _covered("Yuki Tanaka")))
    assert "no notice is recorded" in _alerts(report)
    assert rows_of(report, "statements")[0]["answer"]["en"] == "not recorded"


def test_nothing_is_assumed_of_people_whom_the_settings_do_not_know(desk: ReportDesk) -> None:
    desk.save(a_background("c001"))
    report = desk.json("union-log", settings=_settings(desk, _covered("Yuki Tanaka")))
    assert "For 2 people who worked on these backgrounds" in _alerts(report)
    nobody = desk.json("union-log")
    assert "Nobody is recorded as covered" in _alerts(nobody)
    assert rows_of(nobody, "works") == []


def test_a_name_that_is_withheld_was_not_taken_away(desk: ReportDesk) -> None:
    quiet = Person(id="HumanUser:11", name="Yuki Tanaka", opt_out="letter of May")
    desk.save(a_background("c001", images=a_chain("c001", artists=(quiet,))))
    report = desk.json("union-log", settings=_settings(desk, _covered("Yuki Tanaka")))
    (row,) = rows_of(report, "people")
    assert row["credit"]["en"] == "withheld at the person's own request"
    assert "Tanaka" not in str(rows_of(report, "people"))


def test_a_name_in_japanese_script_alone_is_a_name(desk: ReportDesk) -> None:
    tanaka = Person(id="HumanUser:11", name="", name_ja="田中ゆき")
    desk.save(
        a_background("c001", images=a_chain("c001", artists=(tanaka,), touch_up_by=(tanaka,)))
    )
    entry = _covered("Yuki Tanaka") | {"name_ja": "田中ゆき"}

    (row,) = rows_of(desk.json("union-log", settings=_settings(desk, entry)), "people")
    (work,) = rows_of(desk.json("copyright"), "works")

    assert row["credit"]["en"] == "yes: named in the credits"
    assert "corrections by 田中ゆき" in str(work["author_created"])
    assert "not named" not in desk.text("ai-use", Format.HTML)
