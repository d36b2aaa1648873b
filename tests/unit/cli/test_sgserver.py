"""`haikei sgserver` takes keys from files, and says what is wrong before it serves."""

from pathlib import Path

from typer.testing import CliRunner, Result

from haikei.cli import app


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_a_scripts_key_is_read_from_a_file_and_never_from_the_command_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    for wrong in ("haikei:key", "../haikei", ":@file", ""):
        refused = call("sgserver", "--data", "site", "--script", wrong)
        assert "is no script user" in str(refused.exception)
    missing = call("sgserver", "--data", "site", "--script", "haikei:@nowhere")
    assert "cannot be read" in str(missing.exception)
    blank = call("sgserver", "--data", "site", "--script", f"haikei:@{empty}")
    assert "is empty" in str(blank.exception)
