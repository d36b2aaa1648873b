"""The documentation says what is there: settings, commands and code that runs."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from haikei.cli.app import app
from haikei.settings import describe, reference

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def _blocks(language: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)):
            yield f"{page.name}-{number}", block


PYTHON = dict(_blocks("python"))
TOML = dict(_blocks("toml"))


def _commands(group: typer.Typer, path: str = "haikei") -> Iterator[str]:
    for command in group.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        yield f"{path} {name}"
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            yield from _commands(inner.typer_instance, f"{path} {inner.name}")


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

    assert page == reference(), "run `haikei config reference > docs/settings.md`"
    assert all(f"| `{setting.name}` |" in page for setting in describe())


def test_every_command_is_documented() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

    for path in _commands(app):
        group, *name = path.split()[1:]
        assert f"haikei {group}" in text
        assert not name or re.search(rf"haikei {group}[^\n]*\b{name[0]}\b", text), path


@pytest.mark.parametrize("name", PYTHON)
def test_python_in_the_documentation_runs(name: str, tmp_path: Path) -> None:
    script = tmp_path / "block.py"
    script.write_text(PYTHON[name], encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", TOML)
def test_toml_in_the_documentation_can_be_read(name: str) -> None:
    assert tomllib.loads(TOML[name])


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
