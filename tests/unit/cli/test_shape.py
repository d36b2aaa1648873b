"""All commands answer programs in one shape, whatever becomes of them, and shells complete them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from haikei.cli import app, main
from haikei.reports import reports
from support.clocks import PATIENCE
from support.databases import fresh_database

SETTINGS = """
[studio]
state = "state"
[storage]
reserve_mib = 0
[[storage.roots]]
name = "primary"
path = "projects"
"""
#: They run until they are stopped, or print a page of Markdown: none answers a question.
WITHOUT = {"run", "events", "review", "worker", "sgserver", "config reference"}
#: What options and arguments are given that take no file or text.
VALUES = {
    "start": "2026-01-01",
    "entry": "1",
    "decision": "hold",
    "kind": "no_ai",
    "lane": "steps",
}
ERROR = {"error", "message", "advice", "retry_after"}


def _walk(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _walk(inner, (*path, name))
    else:
        yield " ".join(path), command


COMMANDS = dict(_walk(typer.main.get_command(app)))
FOR_PROGRAMS = sorted(
    name
    for name, command in COMMANDS.items()
    if any("--json" in one.opts for one in getattr(command, "params", ()))
)


@pytest.fixture(autouse=True)
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("HAIKEI_"):
            monkeypatch.delenv(name)
    (tmp_path / "projects").mkdir()
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "a-file").write_bytes(b"no picture")
    fresh_database(tmp_path / "state" / "haikei.db").dispose()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[object, dict[str, object]]:
    """Run one command as `haikei` does; return its exit code and the one document it prints."""
    monkeypatch.setattr(sys, "argv", ["haikei", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    told = json.loads(capsys.readouterr().out)
    assert isinstance(told, dict)
    return ended.value.code or 0, told


def needed(name: str) -> list[str]:
    """Return the least that a command asks for."""
    words = name.split()
    for one in getattr(COMMANDS[name], "params", ()):
        if not one.required:
            continue
        if one.secondary_opts:
            words.append(one.opts[0])
            continue
        value = VALUES.get(one.name, "a-file")
        words += [value] if one.param_type_name == "argument" else [one.opts[0], value]
    return words


def test_every_command_that_answers_a_question_takes_json() -> None:
    assert set(COMMANDS) - set(FOR_PROGRAMS) == WITHOUT


@pytest.mark.parametrize("name", FOR_PROGRAMS)
def test_a_wrong_command_line_is_an_error_in_the_one_shape(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = run([*needed(name), "--nonsense", "--json"], monkeypatch, capsys)

    assert code == 2
    assert set(told) == ERROR
    assert told["error"] == "UsageError"
    assert "--nonsense" in str(told["message"])


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("stauts", "status"),
        ("jobs lst", "list"),
        ("jobs list --state ded", "dead"),
        ("jobs pause step", "steps"),
        ("decide c001 approv", "approve"),
        ("report breakdown --format pfd", "pdf"),
        ("worker --role step", "steps"),
        ("run --roles watc", "watch"),
    ],
)
def test_a_typo_is_answered_with_the_nearest_name(
    words: str, meant: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if words.split(maxsplit=1)[0] not in WITHOUT:
        code, told = run([*words.split(), "--json"], monkeypatch, capsys)
        assert code == 2
        assert str(told["message"]).endswith(f"Did you mean {meant!r}?"), told
        assert "Value error" not in str(told["message"])

    monkeypatch.setattr(sys, "argv", ["haikei", *words.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert ended.value.code == 2
    assert f"Did you mean {meant!r}?" in shown


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in FOR_PROGRAMS
        if any("--settings" in one.opts for one in getattr(COMMANDS[name], "params", ()))
    ],
)
def test_missing_settings_are_an_error_in_the_one_shape(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {
        "ledger export": ["--project", "akane"],
        "report write": ["--project", "akane"],
        "credits erase": ["--yes"],
        "watch": ["--explain", "a-file"],
    }
    words = [*needed(name), *more.get(name, []), "--json", "--settings", "none.toml"]
    if name == "ledger export":
        words[words.index("--out") + 1] = "new.zip"

    code, told = run(words, monkeypatch, capsys)

    assert code == 3
    assert set(told) == ERROR
    assert told["error"] == "SettingsError"
    assert "none.toml" in str(told["message"])


def test_typos_get_the_nearest_name_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, meant in ((["jbs"], "jobs"), (["jobs", "lst"], "list"), (["report", "lst"], "")):
        code, told = run([*words, "--json"], monkeypatch, capsys)
        assert code == 2
        assert meant in str(told["message"])


@pytest.mark.parametrize(
    ("words", "lists"),
    [
        ("jobs list", {"jobs"}),
        ("credits people", {"people"}),
        ("ledger log", {"entries"}),
        ("ledger key", set()),
        ("web token list", {"tokens"}),
        ("report list", {"reports"}),
        ("status", {"processes", "disks", "troubles"}),
        ("config check", {"mistakes"}),
        ("config show", {"routes"}),
        ("config init new.toml", set()),
        ("config try projects/a.png", {"paths"}),
    ],
)
def test_an_answer_is_one_object_and_its_lists_have_names(
    words: str, lists: set[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, told = run([*words.split(), "--json"], monkeypatch, capsys)

    assert told
    assert "error" not in told
    assert lists <= {name for name, value in told.items() if isinstance(value, list)}


def test_times_have_their_zone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, told = run(["status", "--json"], monkeypatch, capsys)

    assert "T" in str(told["at"])
    assert datetime.fromisoformat(str(told["at"])).tzinfo is not None


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("haikei jo", "jobs"),
        ("haikei jobs re", "retry"),
        ("haikei report cred", "credits-roll"),
        ("haikei report li", "list"),
        ("haikei report breakdown --pro", "--project"),
        ("haikei jobs list --state de", "dead"),
    ],
)
def test_shells_complete_commands_options_and_choices(
    shell: str,
    line: str,
    found: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = line.split()
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    monkeypatch.setenv("_HAIKEI_COMPLETE", f"complete_{shell}")
    for name, value in asked.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["haikei"])

    with pytest.raises(SystemExit):
        main()

    said = capsys.readouterr()
    assert found in said.out, said.err
    assert "Traceback" not in said.err


def test_every_report_is_offered_by_its_name() -> None:
    environment = {"COMP_WORDS": "haikei report ", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "haikei.cli"],
        env={**os.environ, "_HAIKEI_COMPLETE": "complete_bash", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )

    assert {"list", "all", *(one.name for one in reports())} <= set(done.stdout.split())
