"""The dashboard counts what is recorded, shows where, and makes nothing up."""

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from haikei.credits import Scope, records
from haikei.database import jobs
from haikei.decisions import ReviewState
from haikei.reports import Format, LoggedTime
from haikei.reports.document.embedding import Bar, columns
from haikei.reports.facts.tally import area_class
from haikei.texts import Language
from support.records import START, a_background, a_chain, save_background, save_show
from support.reports import ReportDesk, pages_of, rows_of


def counts(report: dict[str, Any], key: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows_of(report, key):
        found[json.dumps(row["label"], ensure_ascii=False)] = row["count"]
    return found


def logged(step: str, minutes: int, *, sequence: str = "ep01", shot: str = "c001") -> LoggedTime:
    return LoggedTime(
        person="HumanUser:1",
        sequence=sequence,
        shot=shot,
        step=step,
        minutes=minutes,
        date=date(2026, 11, 2),
    )


def test_states_are_those_of_the_newest_version_of_each_background(desk: ReportDesk) -> None:
    told = [a_background("c001", version=n, images=a_chain(f"v{n}")) for n in (1, 2)]
    with desk.database.begin() as connection:
        for one in (*told, a_background("c002", images=a_chain("c002"))):
            save_background(connection, one)
        records.decide(connection, told[0].key, ReviewState.RETAKE)
        records.decide(connection, told[1].key, ReviewState.APPROVED)

    found = desk.json("dashboard")

    assert counts(found, "states") == {
        '"in_review"': 1,
        '"approved"': 1,
        '"retake"': 0,
        '"on_hold"': 0,
        '"omitted"': 0,
    }
    assert counts(found, "retakes")['"0"'] == 1
    assert counts(found, "retakes")['"1"'] == 1
    assert found["facts"]["versions"] == {"value": 3, "link": "#sequences"}


def test_every_count_leads_to_its_records(desk: ReportDesk) -> None:
    with desk.database.begin() as connection:
        save_show(connection, versions=40)

    found = desk.json("dashboard")

    for key in ("states", "days", "tools", "retakes", "touch_up_areas", "sequences"):
        for row in rows_of(found, key):
            if row.get("count") or row.get("versions"):
                assert "ledger" in json.dumps(row["records"])
                assert "_bg_" in json.dumps(row["records"])


def test_hours_are_summed_by_step_and_never_by_person(desk: ReportDesk) -> None:
    desk.save(a_background())
    hours = (logged("Background", 90), logged("Background", 30), logged("Layout", 60))

    found = desk.json("dashboard", hours=hours)

    rows = rows_of(found, "hours")
    assert [(row["step"], row["minutes"]) for row in rows] == [("Background", 120), ("Layout", 60)]
    assert "HumanUser:1" not in json.dumps(found)


def test_hours_are_those_of_the_part_of_the_show(desk: ReportDesk) -> None:
    desk.save(a_background())
    hours = (logged("Background", 90), logged("Background", 30, sequence="ep02"))

    found = desk.json("dashboard", hours=hours, scope=Scope(project="akane", sequence="ep02"))

    assert not rows_of(found, "hours")  # no background is recorded in that sequence
    found = desk.json("dashboard", hours=hours, scope=Scope(project="akane", sequence="ep01"))
    assert [row["minutes"] for row in rows_of(found, "hours")] == [90]


def test_hours_that_nobody_was_asked_for_are_unknown(desk: ReportDesk) -> None:
    desk.save(a_background())

    page = desk.text("dashboard")

    assert "Unknown: the tracker was not asked" in page


def test_machine_time_comes_from_jobs_and_is_unknown_without_them(desk: ReportDesk) -> None:
    told = a_background(images=a_chain(touch_up_by=()))
    desk.save(told)
    assert [row["seconds"] for row in rows_of(desk.json("dashboard"), "machine_hours")] == [None]

    with desk.database.begin() as connection:
        connection.execute(
            insert(jobs).values(
                key=told.key,
                event_key="e",
                state="done",
                project="akane",
                created_at=START,
                started_at=START,
                finished_at=START + timedelta(minutes=90),
                updated_at=START,
            )
        )

    (row,) = rows_of(desk.json("dashboard"), "machine_hours")
    records = row.pop("records")
    assert row == {
        "kind": {"en": "AI generation", "ja": "AI生成"},
        "seconds": 5400,
        "jobs": 1,
        "versions": 1,
    }
    assert told.code in [one["value"] for one in records]


def test_a_show_without_touch_ups_or_ai_says_so(desk: ReportDesk) -> None:
    with desk.database.begin() as connection:
        save_show(connection, versions=8, touch_ups_every=0, by_hand_every=1)

    page = desk.text("dashboard")

    assert "No touch-up is recorded." in page
    assert "No version was made by a machine." in page
    assert "no tool recorded" in page


def test_an_empty_show_says_that_it_is_empty(desk: ReportDesk) -> None:
    assert "No background is recorded" in desk.text("dashboard")
    assert desk.json("dashboard")["facts"]["versions"]["value"] == 0


def test_area_is_said_not_to_be_effort_beside_the_areas(desk: ReportDesk) -> None:
    with desk.database.begin() as connection:
        save_show(connection, versions=20)

    page = desk.text("dashboard", language=Language.BOTH)

    assert "Area is not effort" in page
    assert "面積は労力ではありません" in page


@pytest.mark.parametrize(
    ("ppm", "place"), [(0, 0), (1, 1), (10_000, 1), (10_001, 2), (300_001, 5), (1_000_000, 5)]
)
def test_areas_belong_to_the_class_that_ends_at_or_after_them(ppm: int, place: int) -> None:
    assert area_class(ppm) == place


@pytest.mark.parametrize(("days", "first"), [(10, "11-02"), (100, "2026-11-02"), (900, "2026-11")])
def test_a_long_show_is_counted_by_week_or_month(days: int, first: str, desk: ReportDesk) -> None:
    desk.save(
        a_background("c001", created_at=START),
        a_background("c002", images=a_chain("b"), created_at=START + timedelta(days=days)),
    )

    found = desk.json("dashboard")

    rows = rows_of(found, "days")
    assert sum(row["count"] for row in rows) == 2
    assert rows[0]["label"] == first


@pytest.mark.parametrize("most", [0, 1, 3, 7, 10, 99, 101, 12_345, 100_000])
def test_axes_end_at_a_round_number_that_holds_every_bar(most: int) -> None:
    svg = columns([Bar(label="a", value=most)], title="t", x_label="x", y_label="y")

    ticks = [int(text.replace(",", "")) for text in re.findall(r'end"[^>]*>([\d,]+)<', svg)]
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert 2 <= len(ticks) <= 7


def test_a_dashboard_is_set_on_paper(desk: ReportDesk) -> None:
    with desk.database.begin() as connection:
        save_show(connection, versions=20)

    (file,) = desk.write("dashboard", Format.PDF, language=Language.BOTH)

    assert pages_of(file) >= 3
