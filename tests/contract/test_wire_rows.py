"""The official client works on rows over HTTP as it does on a real site."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import shotgun_api3

from support.sites import RunningSite, running_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("rows"), seed="demo") as running:
        yield running


@pytest.fixture(scope="module")
def sg(site: RunningSite) -> shotgun_api3.Shotgun:
    return site.connect()


@pytest.fixture(scope="module")
def project(sg: shotgun_api3.Shotgun) -> Any:
    return sg.find_one("Project", [["tank_name", "is", "PORT"]])


def _shot(sg: shotgun_api3.Shotgun, project: Any, code: str) -> Any:
    return sg.create("Shot", {"project": project, "code": code})


def test_info_tells_a_present_day_version_and_classic_uploads(site: RunningSite) -> None:
    sg = site.connect()

    info = sg.info()

    assert tuple(info["version"]) >= (8, 5, 0)
    assert sg.server_caps.is_dev is False
    assert info["s3_uploads_enabled"] is False
    assert info["s3_direct_uploads_enabled"] is False
    assert sg._requires_direct_s3_upload("Version", "sg_uploaded_movie") is False


def test_a_row_is_made_read_changed_retired_and_brought_back(
    sg: shotgun_api3.Shotgun, project: Any
) -> None:
    made = sg.create(
        "Shot",
        {"project": project, "code": "港_010"},
        return_fields=["created_at", "project.Project.name"],
    )
    key = made["id"]
    assert (made["code"], made["project.Project.name"]) == ("港_010", "Port Town")
    assert abs(made["created_at"] - datetime.now(UTC)) < timedelta(minutes=1)

    changed: Any = sg.update("Shot", key, {"sg_status_list": "ip"})
    assert changed["sg_status_list"] == "ip"
    assert sg.find_one("Shot", [["code", "is", "港_010"]], ["sg_status_list"]) == {
        "type": "Shot",
        "id": key,
        "sg_status_list": "ip",
    }

    assert sg.delete("Shot", key) is True
    assert sg.delete("Shot", key) is False
    assert sg.find_one("Shot", [["id", "is", key]]) is None
    assert sg.find_one("Shot", [["id", "is", key]], retired_only=True) is not None
    assert sg.revive("Shot", key) is True
    assert sg.find_one("Shot", [["id", "is", key]]) is not None


def test_a_batch_is_done_whole_and_in_order(sg: shotgun_api3.Shotgun, project: Any) -> None:
    shot = _shot(sg, project, "batch_000")

    results: Any = sg.batch(
        [
            {
                "request_type": "create",
                "entity_type": "Shot",
                "data": {"project": project, "code": "batch_010"},
            },
            {
                "request_type": "update",
                "entity_type": "Shot",
                "entity_id": shot["id"],
                "data": {"code": "batch_001"},
            },
            {"request_type": "delete", "entity_type": "Shot", "entity_id": shot["id"]},
        ]
    )

    assert [results[0]["code"], results[1]["code"], results[2]] == ["batch_010", "batch_001", True]


def test_a_batch_with_one_wrong_request_changes_nothing(
    sg: shotgun_api3.Shotgun, project: Any
) -> None:
    with pytest.raises(shotgun_api3.Fault):
        sg.batch(
            [
                {
                    "request_type": "create",
                    "entity_type": "Shot",
                    "data": {"project": project, "code": "rolled_back"},
                },
                {"request_type": "delete", "entity_type": "Shot", "entity_id": 99_999_999},
            ]
        )

    assert sg.find("Shot", [["code", "is", "rolled_back"]]) == []


def test_more_rows_than_a_page_holds_come_complete_and_in_order(
    sg: shotgun_api3.Shotgun, project: Any
) -> None:
    count = 1203
    for start in range(0, count, 401):
        sg.batch(
            [
                {
                    "request_type": "create",
                    "entity_type": "Shot",
                    "data": {"project": project, "code": f"page_{number:05d}"},
                }
                for number in range(start, start + 401)
            ]
        )

    rows: Any = sg.find(
        "Shot",
        [["code", "starts_with", "page_"]],
        ["code"],
        order=[{"field_name": "code", "direction": "desc"}],
    )
    limited: Any = sg.find("Shot", [["code", "starts_with", "page_"]], ["code"], limit=700)

    assert [row["code"] for row in rows] == [f"page_{n:05d}" for n in reversed(range(count))]
    assert [row["code"] for row in limited] == [f"page_{n:05d}" for n in range(700)]


def test_eight_clients_at_once_lose_nothing(site: RunningSite, project: Any) -> None:
    each = 12

    def work(worker: int) -> list[int]:
        client = site.connect()
        return [
            _shot(client, project, f"crowd_{worker}_{number:02d}")["id"] for number in range(each)
        ]

    with ThreadPoolExecutor(8) as threads:
        made = [key for keys in threads.map(work, range(8)) for key in keys]

    found: Any = site.connect().find("Shot", [["code", "starts_with", "crowd_"]])
    assert len(set(made)) == 8 * each
    assert {row["id"] for row in found} == set(made)


def test_the_thread_of_a_note_is_note_replies_and_attachments_in_order(
    sg: shotgun_api3.Shotgun, project: Any
) -> None:
    note: Any = sg.create("Note", {"project": project, "subject": "空", "content": "もっと暗く"})
    sg.create("Reply", {"entity": note, "content": "了解"})
    sg.create("Reply", {"entity": note, "content": "done"})

    thread: Any = sg.note_thread_read(note["id"])

    assert [part["type"] for part in thread] == ["Note", "Reply", "Reply"]
    assert [part["content"] for part in thread] == ["もっと暗く", "了解", "done"]


def test_the_demo_seed_is_a_small_studio(sg: shotgun_api3.Shotgun) -> None:
    projects: Any = sg.find("Project", [["tank_name", "in", ["PORT", "STATION"]]], ["name"])
    shots: Any = sg.find(
        "Shot",
        [["project.Project.tank_name", "is", "PORT"], ["sg_sequence.Sequence.code", "is", "s02"]],
        ["code"],
        order=[{"field_name": "code", "direction": "asc"}],
    )
    task: Any = sg.find_one(
        "Task",
        [
            ["entity.Shot.code", "is", "c001"],
            ["project.Project.tank_name", "is", "STATION"],
            ["step.Step.code", "is", "Layout"],
        ],
        ["content", "task_assignees", "sg_status_list"],
    )
    artist: Any = sg.find_one(
        "HumanUser", [["id", "is", task["task_assignees"][0]["id"]]], ["name", "sg_name_ja"]
    )

    assert {row["name"] for row in projects} == {"Port Town", "Small Station"}
    assert [row["code"] for row in shots] == ["c010", "c011", "c012"]
    assert (task["content"], task["sg_status_list"]) == ("Layout", "fin")
    assert (artist["name"], artist["sg_name_ja"]) == ("Haruto Sato", "佐藤 陽翔")


def test_time_logs_are_found_and_summed_by_person_and_month(
    sg: shotgun_api3.Shotgun, project: Any
) -> None:
    task: Any = sg.find_one(
        "Task", [["project", "is", project], ["content", "is", "Background"]], ["entity"]
    )
    person: Any = sg.create("HumanUser", {"name": "Nao Abe", "login": "nabe"})
    for day, minutes in (("2026-09-30", 30), ("2026-10-01", 45), ("2026-10-02", 0)):
        data = {"project": project, "entity": task, "user": person}
        made: Any = sg.create("TimeLog", {**data, "date": day, "duration": minutes})
        assert made["duration"] == minutes
    mine = [["user", "is", person], ["entity", "is", task], ["project", "is", project]]

    found: Any = sg.find(
        "TimeLog",
        [*mine, ["duration", "less_than", 45], ["date", "greater_than", "2026-09-01"]],
        ["duration", "date", "entity.Task.entity.Shot.code"],
    )
    summed: Any = sg.summarize(
        "TimeLog",
        mine,
        [{"field": "duration", "type": "sum"}],
        grouping=[{"field": "date", "type": "month", "direction": "asc"}],
    )

    assert [(row["date"], row["duration"]) for row in found] == [
        ("2026-09-30", 30),
        ("2026-10-02", 0),
    ]
    assert {row["entity.Task.entity.Shot.code"] for row in found} == {"c001"}
    assert summed["summaries"] == {"duration": 75}
    assert [group["summaries"]["duration"] for group in summed["groups"]] == [30, 45]


def test_a_task_knows_the_sum_of_its_time_logs(sg: shotgun_api3.Shotgun, project: Any) -> None:
    def sums() -> list[int]:
        rows: list[Any] = [sg.find_one("Task", [["id", "is", id_]], field) for id_ in tasks]
        return [row["time_logs_sum"] for row in rows]

    field = ["time_logs_sum"]
    made: list[Any] = [sg.create("Task", {"project": project, "content": name}) for name in "ab"]
    tasks = [task["id"] for task in made]
    assert sums() == [0, 0]

    logs: list[Any] = [
        sg.create("TimeLog", {"project": project, "entity": made[0], "duration": minutes})
        for minutes in (30, 45)
    ]
    assert sums() == [75, 0]
    sg.update("TimeLog", logs[0]["id"], {"duration": 60})
    sg.update("TimeLog", logs[1]["id"], {"entity": made[1]})
    assert sums() == [60, 45]
    sg.delete("TimeLog", logs[0]["id"])
    assert sums() == [0, 45]
    sg.revive("TimeLog", logs[0]["id"])
    assert sums() == [60, 45]


def test_a_time_log_without_a_date_is_of_today(sg: shotgun_api3.Shotgun, project: Any) -> None:
    before = datetime.now(UTC).date()
    made: Any = sg.create("TimeLog", {"project": project, "duration": 10}, ["date"])

    assert before <= datetime.fromisoformat(made["date"]).date() <= datetime.now(UTC).date()


def test_a_time_log_takes_whole_minutes_only(sg: shotgun_api3.Shotgun, project: Any) -> None:
    with pytest.raises(shotgun_api3.Fault, match="duration"):
        sg.create("TimeLog", {"project": project, "duration": "an hour"})


def test_the_demonstration_has_hours_of_layout_and_of_painting_over(
    sg: shotgun_api3.Shotgun, project: Any
) -> None:
    rows: Any = sg.find(
        "TimeLog",
        [["project", "is", project], ["date", "greater_than", "2026-10-04"]],
        ["duration", "user", "user.HumanUser.sg_name_ja", "entity.Task.step"],
    )

    named = [row for row in rows if row["user.HumanUser.sg_name_ja"]]
    assert {row["entity.Task.step"]["name"] for row in named} == {"Layout", "Background"}
    assert all(row["duration"] > 0 for row in named)


def test_a_number_of_ones_own_holds_zero_and_nothing(
    sg: shotgun_api3.Shotgun, project: Any
) -> None:
    name = sg.schema_field_create("Version", "number", "Own Number")
    zero: Any = sg.create("Version", {"project": project, "code": "zero", name: 0}, [name])
    none: Any = sg.create("Version", {"project": project, "code": "none"}, [name])

    assert zero[name] == 0
    assert none[name] is None
    found: Any = sg.find("Version", [["project", "is", project], [name, "is", 0]])
    assert [row["id"] for row in found] == [zero["id"]]
    with pytest.raises(shotgun_api3.Fault):
        sg.update("Version", zero["id"], {name: "three"})
