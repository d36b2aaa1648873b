"""The house keeps its rules: light imports, one error tree, one version, no stray packages."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import haikei.errors
from haikei.errors import HaikeiError

ROOT = Path(__file__).parents[2]
PORTIONS = [
    ROOT / root / "haikei"
    for root in ("config", "pictures", "credits", "generators", "integrations", "handlers")
]
TESTS = ROOT / "tests"
HEAVY = ("torch", "diffusers", "transformers", "dbos", "sqlalchemy", "OpenImageIO", "cv2", "scipy")


def _loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    return set(done.stdout.split())


def test_the_command_line_starts_without_heavy_libraries() -> None:
    assert not {*HEAVY, "shotgun_api3", "pydantic", "numpy"} & _loaded("import haikei.cli")


@pytest.mark.parametrize(
    "module",
    [
        "haikei.sources.watch",
        "haikei.sources.eventlog",
        "haikei.jobs.table",
        "haikei.sgserver.http.serving",
    ],
)
def test_torch_and_the_job_engine_stay_out_of_light_processes(module: str) -> None:
    assert not {"torch", "diffusers", "transformers", "dbos"} & _loaded(f"import {module}")


def test_the_error_tree_in_the_docstring_is_the_real_one() -> None:
    drawn: list[tuple[int, str]] = []
    for line in (haikei.errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│ ]*)(?:[├└]── )?([A-Z]\w+)", line)
        if found:
            drawn.append((len(found[1]) // 4 + ("── " in line), found[2]))
    real: list[tuple[int, str]] = []

    def walk(kind: type[HaikeiError], depth: int) -> None:
        real.append((depth, kind.__name__))
        for below in kind.__subclasses__():
            if below.__module__ == "haikei.errors":
                walk(below, depth + 1)

    walk(HaikeiError, 0)
    assert drawn == real


def test_every_error_is_defined_in_the_tree() -> None:
    def kinds(kind: type[HaikeiError]) -> set[type[HaikeiError]]:
        return {kind}.union(*(kinds(below) for below in kind.__subclasses__()))

    assert {kind.__module__ for kind in kinds(HaikeiError)} == {"haikei.errors"}


def test_no_portion_of_the_namespace_hides_the_others() -> None:
    assert not [portion for portion in PORTIONS if (portion / "__init__.py").exists()]


def test_no_module_hides_what_the_door_of_its_package_gives() -> None:
    # Once a module is loaded, its package has it as an attribute, and the door is not asked.
    for portion in PORTIONS:
        for door in portion.rglob("__init__.py"):
            text = door.read_text(encoding="utf-8")
            given = re.search(r"__all__ = \[(.*?)\]", text, re.DOTALL)
            if given and "on_demand(" in text:
                modules = {file.stem for file in door.parent.iterdir()}
                assert not modules & set(re.findall(r'"(\w+)"', given[1])), str(door)


def test_no_module_grows_beyond_what_can_be_read_at_once() -> None:
    for portion in (*PORTIONS, TESTS):
        for file in portion.rglob("*.py"):
            lines = file.read_text(encoding="utf-8").count("\n")
            assert lines <= 600, f"{file.relative_to(ROOT)} has {lines} lines"


def test_tests_look_at_the_clock_in_one_place_alone() -> None:
    # What compares seconds elsewhere waits by itself, or fails on a slow machine.
    for file in TESTS.rglob("*.py"):
        if file != TESTS / "support" / "clocks.py":
            found = re.findall(r"time\.(?:monotonic|perf_counter)\(", file.read_text("utf-8"))
            assert not found, f"{file.relative_to(ROOT)} has a clock of its own"


def test_every_public_module_says_what_it_is() -> None:
    for portion in PORTIONS:
        for file in portion.rglob("*.py"):
            if "versions" not in file.parts:
                assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file


def test_the_installed_package_is_this_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert version("haikei") == project["version"]
    for group, points in project["entry-points"].items():
        installed = {point.name: point for point in entry_points(group=group)}
        assert set(points) <= set(installed)
        for name in points:
            loaded = installed[name].load()
            assert callable(loaded) or group == "pytest11", "pytest takes modules"


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOTS: list[str] = PROJECT["tool"]["hatch"]["build"]["dev-mode-dirs"]
#: Where products may be named: their adapters, the embedded tracker, settings, the demonstration.
NAMES_PRODUCTS = (
    "integrations/haikei/trackers/kitsu/",
    "integrations/haikei/trackers/shotgrid/",
    "integrations/haikei/sgserver/",
    "config/haikei/settings/",
    "handlers/haikei/demo/",
    # The commands that start the embedded tracker and the demonstration.
    "handlers/haikei/cli/sgserver.py",
    "handlers/haikei/cli/demo.py",
)


@pytest.mark.parametrize("root", ROOTS)
def test_nothing_outside_its_adapter_names_a_tracker_product(root: str) -> None:
    product = re.compile(r"kitsu(?!ne)|gazu|zou\b|shotgrid|shotgun|(?<![a-z])sg[_-]", re.IGNORECASE)
    kinds = {".py", ".html", ".js", ".txt", ".css"}
    files = [file for file in (ROOT / root).rglob("*") if file.suffix in kinds]

    assert files
    for file in files:
        relative = file.relative_to(ROOT).as_posix()
        if not relative.startswith(NAMES_PRODUCTS):
            found = product.findall(f"{relative}\n{file.read_text(encoding='utf-8')}")
            assert not found, f"{relative} names {found[0]}"
