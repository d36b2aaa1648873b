"""A studio as a TD runs it: set up, checked, running, and told of layouts from every side."""

import json
import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from haikei.jobs import JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.studio import SiteRow, Studio, studio

SHOTS = [("PORT", "s01", f"c{number:03d}") for number in range(1, 7)]


@pytest.fixture
def here(tmp_path: Path) -> Generator[Studio]:
    with studio(tmp_path / "studio") as one:
        one.cast(SHOTS)
        yield one


def _draw(here: Studio, shot: str, seed: int) -> Path:
    path = here.projects / "PORT" / "s01" / shot / "layout" / f"{shot}_bg_v001.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    scene = Scene(kind=SceneKind.VILLAGE, width=192, height=108, seed=seed)
    save_layout(draw(scene), path)
    return path


def _publish(here: Studio, path: Path, shot: str) -> SiteRow:
    """Publish a layout as another pipeline's script does."""
    client = here.connect()
    kind = client.find_one("PublishedFileType", [["code", "is", "Layout"]])
    found = cast("SiteRow", client.find_one("Shot", [["code", "is", shot]], ["project"]))
    row = client.create(
        "PublishedFile",
        {
            "code": path.name,
            "project": found["project"],
            "entity": {"type": "Shot", "id": found["id"]},
            "published_file_type": kind,
            "version_number": 1,
            "path": {"local_path": str(path)},
        },
    )
    client.close()
    return row


def _versions(here: Studio) -> list[dict[str, Any]]:
    client = here.connect()
    fields = ["code", "entity", "user", "sg_status_list", "published_files", "image"]
    found = cast("list[SiteRow]", client.find("Version", [], fields))
    client.close()
    return found


def _done(here: Studio, count: int) -> bool:
    return len(here.jobs(JobState.DONE)) >= count


def _process(here: Studio, *words: str) -> psutil.Process | None:
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or []
        if str(here.settings_file) in line and all(word in line for word in words):
            return process
    return None


def test_setup_is_done_once_and_doctor_finds_nothing_wrong(here: Studio) -> None:
    again = json.loads(here.call("setup", "--json"))
    dry = here.call("setup", "--dry-run")
    report = json.loads(here.call("doctor", "--json"))

    assert again["ok"]
    assert not any(one["planned"] for one in again["findings"])
    assert "ok  " in dry
    assert report["ok"], [one for one in report["findings"] if not one["ok"]]
    assert any("sg_haikei_key" in one["subject"] for one in report["findings"])


def test_a_layout_seen_on_disk_and_in_the_tracker_makes_one_version(here: Studio) -> None:
    here.start()
    first = _draw(here, "c001", seed=1)
    row = _publish(here, first, "c001")
    second = _draw(here, "c002", seed=2)

    here.wait_for("two backgrounds", lambda: _done(here, 2))
    _publish(here, second, "c002")
    # A third layout passes through the event log after it, so the row before was read as well.
    third = here.folder / "elsewhere.png"
    save_layout(
        draw(Scene(kind=SceneKind.PORT, width=192, height=108, seed=3)),
        here.projects / "third.tmp.png",
    )
    (here.projects / "third.tmp.png").rename(third)
    _draw(here, "c003", seed=3)
    here.wait_for("the third", lambda: _done(here, 3))
    versions = _versions(here)
    jobs = here.jobs()
    here.stop()

    shots = sorted(version["entity"]["name"] for version in versions)
    assert shots == ["c001", "c002", "c003"]
    assert {version["sg_status_list"] for version in versions} == {"rev"}
    assert all(version["user"]["name"] == "Yuki Tanaka" for version in versions)
    assert len([job for job in jobs if job.state is not JobState.DEAD]) == 3
    upstream = _upstream(here, next(one for one in versions if one["entity"]["name"] == "c001"))
    assert upstream == {row["id"]}


def _upstream(here: Studio, version: dict[str, Any]) -> set[int]:
    client = here.connect()
    ids = [file["id"] for file in version["published_files"]]
    filters = [["id", "in", ids]]
    files = cast(
        "list[SiteRow]", client.find("PublishedFile", filters, ["upstream_published_files"])
    )
    client.close()
    assert len(files) == 2
    return {above["id"] for file in files for above in file["upstream_published_files"]}


def test_layouts_from_before_are_backfilled_after_a_look(here: Studio) -> None:
    for number in (1, 2):
        _publish(here, _draw(here, f"c00{number}", seed=number), f"c00{number}")

    dry = json.loads(here.call("backfill", "--from", "2020-01-01", "--dry-run", "--json"))
    assert here.jobs() == []
    real = here.call("backfill", "--from", "2020-01-01")
    again = json.loads(here.call("backfill", "--from", "2020-01-01", "--json"))
    here.start()
    here.wait_for("two backgrounds", lambda: _done(here, 2))
    here.stop()

    assert dry["counts"] == {"new": 2}
    assert "2 new" in real
    assert again["counts"] == {"known": 2}
    assert len(_versions(here)) == 2


def test_a_part_that_dies_is_started_again_and_the_job_goes_on(here: Studio) -> None:
    here.start()
    here.wait_for("the workers", lambda: _process(here, "generate") is not None)
    here.wait_for("a ready worker", lambda: here.said('"generate"') and here.said("worker_ready"))
    victim = _process(here, "generate")
    assert victim is not None

    os.kill(victim.pid, signal.SIGKILL)
    _draw(here, "c001", seed=1)

    here.wait_for("the background", lambda: _done(here, 1))
    successor = _process(here, "generate")
    assert successor is not None
    assert successor.pid != victim.pid
    here.stop()
    assert len(_versions(here)) == 1


def _pids(here: Studio) -> dict[str, int]:
    found = json.loads(here.call("status", "--json"))["processes"]
    return {one["name"]: one["pid"] for one in found}


def test_a_reload_takes_over_settings_and_people_and_the_jobs_in_flight_go_on(
    here: Studio,
) -> None:
    here.start()
    here.wait_for("ready workers", lambda: here.log_text().count("worker_ready") == 2)
    here.wait_for("all processes", lambda: None not in _pids(here).values())
    before = _pids(here)
    settings = here.settings_file.read_text(encoding="utf-8")

    here.settings_file.write_text(settings + "[credits]\nno_such = 1\n", encoding="utf-8")
    refused = here.run("reload")
    assert refused.returncode != 0
    assert "no_such" in refused.stderr
    (here.folder / "people.csv").write_text(
        "name,name_ja,logins\nYuki Tanaka,田中優希,tanaka\n", encoding="utf-8"
    )
    here.settings_file.write_text(
        settings + '[credits]\npeople_file = "people.csv"\n', encoding="utf-8"
    )
    assert _pids(here) == before
    _draw(here, "c001", seed=1)
    here.wait_for("a job in flight", lambda: bool(here.jobs()))
    assert "would be told" in here.call("reload", "--dry-run")
    here.call("reload")
    here.wait_for("new workers", lambda: here.log_text().count("worker_ready") == 4)
    _draw(here, "c002", seed=2)
    here.wait_for("both backgrounds", lambda: _done(here, 2))

    def replaced() -> bool:
        pids = _pids(here).values()
        return None not in pids and not set(pids) & set(before.values())

    here.wait_for("new processes alone", replaced)
    after = _pids(here)
    here.stop()

    assert set(after) == set(before)
    assert here.log_text().count("worker_drains") == 2
    client = here.connect()
    found = cast("list[SiteRow]", client.find("Version", [], ["entity", "sg_haikei_credit_ja"]))
    client.close()
    credit = {one["entity"]["name"]: one["sg_haikei_credit_ja"] for one in found}
    assert set(credit) == {"c001", "c002"}
    assert len(found) == 2
    assert "田中優希" in credit["c002"]


def test_a_reload_where_nothing_runs_says_so(here: Studio) -> None:
    refused = here.run("reload")

    assert refused.returncode != 0
    assert "No `haikei run` with" in refused.stderr


def test_no_process_outlives_its_supervisor(here: Studio) -> None:
    here.start()
    here.wait_for("all processes", lambda: _process(here, "watch") is not None)

    here.kill()

    here.wait_for("no process of the studio", lambda: _process(here, "--supervised-by") is None)
    here.wait_for("no worker", lambda: _process(here, "worker") is None)


def test_an_unknown_shot_is_a_dead_letter_until_it_is_there_and_retried(here: Studio) -> None:
    here.start()
    _draw(here, "c099", seed=9)
    here.wait_for("the dead letter", lambda: len(here.jobs(JobState.DEAD)) == 1)
    (dead,) = here.jobs(JobState.DEAD)

    assert "c099" in dead.error
    client = here.connect()
    shot = cast(
        "SiteRow", client.find_one("Shot", [["code", "is", "c001"]], ["project", "sg_sequence"])
    )
    tasks = cast(
        "list[SiteRow]",
        client.find("Task", [["entity", "is", shot]], ["content", "step", "task_assignees"]),
    )
    made = client.create(
        "Shot",
        {"code": "c099", "project": shot["project"], "sg_sequence": shot["sg_sequence"]},
    )
    for task in tasks:
        client.create(
            "Task",
            {
                "content": task["content"],
                "project": shot["project"],
                "entity": {"type": "Shot", "id": made["id"]},
                "step": task["step"],
                "task_assignees": task["task_assignees"],
            },
        )
    client.close()
    here.call("jobs", "retry", dead.key)
    here.wait_for("the background", lambda: _done(here, 1))
    here.stop()
    assert [version["entity"]["name"] for version in _versions(here)] == ["c099"]
