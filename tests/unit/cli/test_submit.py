"""`haikei submit` and `haikei web token`: a way in for people at a terminal and for scripts."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from haikei.cli import main
from haikei.settings import Settings, load
from support.api import ServedApi, served_api
from support.clocks import PATIENCE
from support.jobs import put_layout

SETTINGS = """
[studio]
state = "state"
[[storage.roots]]
name = "primary"
path = "root"
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A studio on this machine, and no server."""
    (tmp_path / "root").mkdir()
    file = tmp_path / "haikei.toml"
    file.write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("HAIKEI_SETTINGS", str(file))
    monkeypatch.delenv("HAIKEI_URL", raising=False)
    return load(file, {})


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ServedApi]:
    with served_api(tmp_path / "served") as one:
        yield one


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a command answered."""

    returncode: int
    stdout: str
    stderr: str


def haikei(*arguments: object) -> Done:
    """Run a command to its end, in this process: to start one takes longer than all it does."""
    said, warned = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(warned):
        patch.setattr(sys, "argv", ["haikei", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    return Done(
        returncode=int(ended.value.code or 0), stdout=said.getvalue(), stderr=warned.getvalue()
    )


def workstation(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process that has no more of the studio than these."""
    return subprocess.run(
        [sys.executable, "-m", "haikei.cli", *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_layout_goes_into_the_inbox_of_this_machines_studio(settings: Settings) -> None:
    event = put_layout(settings)

    planned = haikei("submit", event.layout, "--dry-run")
    assert planned.returncode == 0
    assert planned.stdout.endswith("would be handed in for PORT/s01/c001: summer day.\n")
    first, again = (json.loads(haikei("submit", event.layout, "--json").stdout) for _ in "ab")
    assert (first["key"], first["state"], first["new"]) == (event.key, "received", True)
    assert (again["key"], again["new"]) == (event.key, False)
    waited = haikei("submit", event.layout, "--wait", "--timeout", "0")
    assert waited.returncode == 75
    assert "is received after 0 seconds" in waited.stderr
    assert "Waiting for its jobs to end (received now), at most 0 s." in waited.stderr


def test_what_is_refused_says_why_and_is_no_dead_letter(settings: Settings) -> None:
    refused = haikei("submit", settings.studio.state / "nothing.png", "--json")

    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"] == "PathRefused"
    assert json.loads(haikei("jobs", "list", "--json").stdout)["jobs"] == []
    needs_server = haikei("submit", "x.png", "--upload")
    assert needs_server.returncode == 2
    assert "needs a server" in needs_server.stderr


def test_a_workstation_needs_no_settings_to_hand_a_file_in(api: ServedApi, tmp_path: Path) -> None:
    event = put_layout(api.settings)
    mine = event.layout.rename(tmp_path / "mine.png")
    way = {"HAIKEI_URL": api.url, "HAIKEI_TOKEN": api.token, "HAIKEI_SETTINGS": "/nowhere"}

    place = ("--project", "PORT", "--sequence", "s01", "--shot", "c001")
    sent = workstation("submit", mine, "--upload", *place, "--json", **way)

    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["key"] == event.key
    planned = workstation("submit", mine, "--upload", *place, "--dry-run", **way)
    assert "it is known already (received)" in planned.stdout
    refused = workstation("submit", mine, **{**way, "HAIKEI_TOKEN": "haikei_x"})
    assert refused.returncode == 3
    assert "no token that opens anything" in refused.stderr


def test_tokens_are_made_shown_once_listed_and_revoked(settings: Settings) -> None:
    made = haikei("web", "token", "create", "farm", "--scope", "submit", "--days", "30")
    token = made.stdout.strip()
    assert made.returncode == 0
    assert token.startswith("haikei_")
    kept = haikei("web", "token", "create", "review", "--scope", "decide", "--json")
    second = json.loads(kept.stdout)
    assert second["token"].startswith(f"haikei_{second['id']}_")

    listed = haikei("web", "token", "list", "--json").stdout
    assert [one["name"] for one in json.loads(listed)["tokens"]] == ["farm", "review"]
    assert token.split("_", 2)[2] not in listed
    gone = haikei("web", "token", "revoke", second["id"])
    assert "opens nothing any more" in gone.stdout
    states = [
        one["state"]
        for one in json.loads(haikei("web", "token", "list", "--json").stdout)["tokens"]
    ]
    assert states == ["good", "revoked"]
    assert haikei("web", "token", "revoke", "nothing").returncode == 1
    stored = b"".join(file.read_bytes() for file in settings.studio.state.glob("haikei.db*"))
    assert token.split("_", 2)[2].encode() not in stored
