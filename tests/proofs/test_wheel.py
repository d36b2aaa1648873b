"""The built wheel is complete: in an environment without the sources, the demonstration runs."""

import json
import os
import site
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from support.clocks import PATIENCE

ROOT = Path(__file__).parents[2]
ROOTS: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "hatch"
]["build"]["dev-mode-dirs"]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Build the wheel as `pip wheel` does, without fetching the build system."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=PATIENCE)
    (built,) = tmp_path.glob("haikei-*.whl")
    return built


@pytest.fixture
def python(wheel: Path, tmp_path: Path) -> Path:
    """
    Return the interpreter of a new environment with the wheel in it.

    Its other packages are borrowed from the environment of the tests, so that nothing is fetched.
    A folder that a .pth file names has its own .pth files ignored: an editable Haikei stays out.
    """
    folder = tmp_path / "clean"
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # Also the folders that this environment borrows itself, but never a source root.
    borrowed = [path for path in sys.path if Path(path).name == "site-packages"]
    (packages / "borrowed.pth").write_text("\n".join([*borrowed, *site.getsitepackages()]))
    return folder / "bin" / "python"


def _run(python: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    # Neither the sources nor what a developer has set may reach the new environment.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(python), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_wheel_holds_every_file_of_every_root(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("haikei/")}

    sources = {
        file.relative_to(ROOT / root).as_posix()
        for root in ROOTS
        for file in (ROOT / root / "haikei").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert held == sources


def test_the_demonstration_runs_from_the_wheel(python: Path, tmp_path: Path) -> None:
    asked = "import haikei.cli, haikei.errors; print(haikei.cli.__file__, haikei.errors.__file__)"
    where = _run(python, "-c", asked, cwd=tmp_path)
    demo = _run(
        python,
        *("-m", "haikei.cli", "demo", "--once", "--json"),
        *("--folder", str(tmp_path / "demo"), "--timeout", "240"),
        cwd=tmp_path,
    )

    assert where.returncode == 0, where.stderr
    for file in where.stdout.split():
        assert Path(file).is_relative_to(python.parents[1]), f"{file} is not from the wheel"
    assert demo.returncode == 0, demo.stderr
    result = json.loads(demo.stdout)
    assert result["missing"] == []
    assert len(result["versions"]) >= 5
    assert all(Path(report).is_file() for report in result["credited"]["reports"])
