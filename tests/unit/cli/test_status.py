"""How the studio and its jobs stand, and which Haikei that is."""

import json
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.database import jobs
from haikei.errors import CreditError
from haikei.printable import printable
from support.databases import fresh_database

SETTINGS = """
[studio]
state = "state"
[storage]
[[storage.roots]]
name = "primary"
path = "projects"
"""


@pytest.fixture(autouse=True)
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "projects").mkdir()
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def add_job(studio: Path, state: str, age: timedelta, **values: str) -> None:
    then = datetime.now(UTC) - age
    row = {"key": state, "event_key": state, "state": state, "created_at": then, "updated_at": then}
    row |= values
    database = fresh_database(studio / "state" / "haikei.db")
    with database.begin() as connection:
        connection.execute(insert(jobs).values(**row))
    database.dispose()


def test_a_fresh_studio_stands_without_work() -> None:
    found = call("status", "--json")
    shown = json.loads(found.stdout)

    assert found.exit_code == 0
    assert {one["name"]: one["pid"] for one in shown["processes"]} == dict.fromkeys(
        [one["name"] for one in shown["processes"]]
    )
    assert shown["queue"]["stands_still"] is False
    assert [disk["what"] for disk in shown["disks"]] == ["state", "storage primary"]
    assert all(disk["free"] > 0 for disk in shown["disks"])
    assert any("haikei run" in trouble for trouble in shown["troubles"])


def test_work_that_waits_while_nothing_moves_is_a_standstill(studio: Path) -> None:
    add_job(studio, "waiting", timedelta(minutes=20))

    said = call("status")
    assert "Work waits and nothing moves" in said.stdout
    assert "20 min ago" in said.stdout
    assert said.exit_code == 0
    assert call("status", "--check").exit_code == 1
    patient = json.loads(call("status", "--json", "--still-after", "60").stdout)
    assert patient["queue"]["stands_still"] is False


def test_a_process_of_this_studio_is_found_and_no_other(studio: Path) -> None:
    here = studio / "haikei.toml"
    waits = [sys.executable, "-c", "input()", "review", "--settings"]
    with (
        subprocess.Popen([*waits, str(here)], stdin=subprocess.PIPE) as ours,
        subprocess.Popen([*waits, "/elsewhere/haikei.toml"], stdin=subprocess.PIPE) as other,
    ):
        shown = json.loads(call("status", "--json").stdout)
        for process in (ours, other):
            process.communicate(b"\n")

    pids = {one["name"]: one["pid"] for one in shown["processes"]}
    assert pids["review"] == ours.pid
    assert pids["steps"] is None
    assert any(
        trouble.startswith("Not running on this host: steps") for trouble in shown["troubles"]
    )


def test_storage_that_is_away_is_said(studio: Path) -> None:
    (studio / "projects").rmdir()
    assert "storage primary at" in call("status").stdout


def test_the_version_is_that_of_the_package() -> None:
    assert call("--version").stdout == f"haikei {version('haikei')}\n"


def test_a_mistyped_command_is_answered_with_the_nearest() -> None:
    said = call("statsu")
    assert said.exit_code == 2
    assert "'status'" in said.output


@pytest.mark.parametrize("command", ["list", "retry", "skip"])
def test_jobs_of_a_project_that_nobody_knows_are_not_no_jobs(studio: Path, command: str) -> None:
    for project in ("PORT", "ガク"):
        add_job(studio, "dead", timedelta(), key=project, order_json="{}", project=project)
    dry = () if command == "list" else ("--dry-run",)

    wrong = call("jobs", command, "--project", "PROT", *dry)
    found = [
        json.loads(call("jobs", command, "--project", name, *dry, "--json").stdout)["jobs"]
        for name in (" ｐｏｒｔ", unicodedata.normalize("NFD", "ガク"))
    ]

    assert isinstance(wrong.exception, CreditError)
    assert "called 'PROT'; near ones: PORT" in str(wrong.exception)
    assert [[job["key"] for job in jobs] for jobs in found] == [["PORT"], ["ガク"]]


@pytest.mark.parametrize("command", ["list", "list --json", "show dead", "watch --json"])
def test_no_command_about_jobs_prints_a_sign_that_hides_others(studio: Path, command: str) -> None:
    spoofed = "\u202egnp.exe\u2066\u200b"
    add_job(studio, "dead", timedelta(), project=spoofed, layout=spoofed, error=spoofed)

    more = ("--until-idle",) if command.startswith("watch") else ()
    shown = call("jobs", *command.split(), *more).stdout

    assert "gnp.exe" in shown
    assert printable(shown) == shown
    if "--json" in command:
        assert r"\u202egnp.exe\u2066\u200b" in shown  # the data itself is whole
