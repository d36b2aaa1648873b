"""What a studio with several hosts orders from the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.jobs.state import know_storage, open_state
from haikei.processes.supervisor import ROLES, studio_processes
from haikei.settings import load
from haikei.storage import Storage

SETTINGS = """
[studio]
name = "Ours"
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
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_lane_is_held_and_let_go_and_the_status_says_by_whom() -> None:
    paused = json.loads(call("jobs", "pause", "generate", "--by", "森", "--json").stdout)
    status = call("status")
    drained = call("jobs", "drain", "steps")
    resumed = json.loads(call("jobs", "resume", "generate", "--json").stdout)

    assert (paused["lane"], paused["order"], paused["by"]) == ("generate", "paused", "森")
    assert "generate: Paused by 森." in status.stdout
    assert "steps: Draining." in drained.stdout
    assert (resumed["order"], resumed["by"]) == ("open", "")
    assert call("jobs", "pause", "nowhere").exit_code == 2


def test_the_doctor_tells_an_empty_mount_point_from_the_storage(studio: Path) -> None:
    settings = load(studio / "haikei.toml", {})
    database = open_state(settings)
    know_storage(Storage(settings), settings, database)
    database.dispose()
    subject = f"storage root primary ({studio / 'projects'})"

    def found() -> dict[str, object]:
        findings = json.loads(call("doctor", "--json").stdout)["findings"]
        return next(one for one in findings if one["subject"] == subject)

    assert found()["ok"]
    (studio / "projects").rename(studio / "away")
    (studio / "projects").mkdir()
    away = found()

    assert not away["ok"]
    assert "storage.json is not there" in str(away["message"])
    assert "Mount the storage" in str(away["advice"])
    assert list((studio / "projects").iterdir()) == []


def test_a_state_is_carried_and_the_old_one_is_refused(studio: Path) -> None:
    target = f"sqlite:///{studio / 'new.db'}"
    assert call("jobs", "list").exit_code == 0
    dry = json.loads(call("database", "move", "--to", target, "--dry-run", "--json").stdout)
    assert call("jobs", "list").exit_code == 0

    moved = call("database", "move", "--to", target)
    refused = call("jobs", "list")
    wrong = call("database", "move", "--to", "mysql://u:geheim@h/db")

    assert dry["dry_run"]
    assert dry["rows"]["studio"] == 1
    assert moved.exit_code == 0, moved.output
    assert "Set database.url" in moved.stdout
    assert "was carried" in str(refused.exception)
    assert "PostgreSQL or SQLite" in str(wrong.exception)
    assert "geheim" not in str(wrong.exception)
    with (studio / "haikei.toml").open("a") as file:
        file.write(f'[database]\nurl = "{target}"\n')
    assert call("jobs", "list").exit_code == 0


def test_a_host_does_what_its_roles_say(studio: Path) -> None:
    file = studio / "haikei.toml"
    settings = load(file, {}, built_in_recipes=["watercolour"])

    names = [one.name for one in studio_processes(settings, file, {"generate", "web", "steps"})]

    assert names == ["steps", "generate cpu", "web"]
    assert {one.arguments[0] for one in studio_processes(settings, file)} == {
        "worker",
        "review",
        "events",
        "web",
    }
    assert set(ROLES) == {"steps", "generate", "review", "watch", "events", "web"}
    refused = call("run", "--roles", "steps,paint")
    assert refused.exit_code == 2
    nothing = call("run", "--roles", "watch")
    assert "no process with the role watch" in str(nothing.exception)
