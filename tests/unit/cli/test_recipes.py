"""`haikei recipes show` says a recipe as it is for a cut, and names what no look is for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from haikei.cli import app

SETTINGS = """
[studio]
name = "Test Studio"
state = "state"
[storage]
reserve_mib = 0
[[storage.roots]]
name = "primary"
path = "projects"
[[looks]]
project = "KAZE"
prompt = "chalk on grey paper"
[[looks]]
project = "KAZE"
location = "harbour*"
prompt = "salt haze"
"""


@pytest.fixture(autouse=True)
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "projects").mkdir()
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["recipes", "show", "sdxl", *arguments])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("project", ["KAZE", "kaze", "ＫＡＺＥ"])
def test_a_show_in_any_spelling_gets_its_looks_without_a_word_more(project: str) -> None:
    shown = show("--project", project, "--location", "Harbour East")

    assert "chalk on grey paper, salt haze" in shown.stdout
    assert shown.stderr == ""


def test_a_name_that_no_look_is_for_is_said_beside_the_recipe_with_the_nearest() -> None:
    shown = show("--project", "KAZF")

    assert "chalk" not in shown.stdout
    assert "for the project 'KAZF'" in shown.stderr
    assert "Did you mean 'KAZE'?" in shown.stderr


def test_nothing_is_said_of_names_where_looks_are_for_all(studio: Path) -> None:
    (studio / "haikei.toml").write_text(SETTINGS.partition("[[looks]]")[0], encoding="utf-8")

    assert show("--project", "KAZF", "--shot", "c001").stderr == ""
