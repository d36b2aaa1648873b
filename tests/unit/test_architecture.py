"""docs/architecture.md is the house as it stands: every root, package, seam and adapter."""

import ast
import re
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOTS: list[str] = PROJECT["tool"]["hatch"]["build"]["dev-mode-dirs"]
#: Rows of the page's tables, by their first cell without its back-ticks.
ROWS = {row[0].strip("`/ "): row for row in re.findall(r"^\| (.+?) \|(.*)$", PAGE, re.MULTILINE)}


def _packages(root: str) -> set[str]:
    """Return the packages of a root, and the modules beside them."""
    portion = ROOT / root / "haikei"
    packages = {file.parent.name for file in portion.glob("*/*.py")}
    return packages | {file.stem for file in portion.glob("*.py")}


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for root in ROOTS:
        for file in (ROOT / root).rglob("*.py"):
            parts = file.relative_to(ROOT / root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ast.parse(file.read_text(encoding="utf-8"))


MODULES = dict(_modules())


def _classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for name, tree in MODULES.items():
        for statement in tree.body:
            if isinstance(statement, ast.ClassDef):
                yield name, statement


def _exported() -> set[str]:
    """Return every name in the `__all__` of a package."""
    found: set[str] = set()
    for tree in MODULES.values():
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
                found.update(ast.literal_eval(statement.value))
    return found


#: A seam is a Protocol that its package offers to others.
SEAMS = sorted(
    {
        one.name
        for _, one in _classes()
        if any(ast.unparse(base).startswith("Protocol") for base in one.bases)
    }
    & _exported()
)
#: Entry points that Haikei's own adapters and reports enter by, and those that it looks up.
#: (The fixture for other studios' tests enters by pytest's own.)
GROUPS: dict[str, dict[str, str]] = {
    group: points
    for group, points in PROJECT["project"]["entry-points"].items()
    if group != "pytest11"
}
LOOKED_UP = sorted(
    {
        str(statement.value.value)
        for tree in MODULES.values()
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and ast.unparse(statement.targets[0]) == "GROUP"
        and isinstance(statement.value, ast.Constant)
        and str(statement.value.value).startswith("haikei.")
    }
)


def _exists(dotted: str) -> bool:
    """Tell whether `haikei.a.b` or `haikei.a.B.c` names a module, a name in one, or a group."""
    if dotted in {*MODULES, *GROUPS, *LOOKED_UP, "haikei"}:
        return True
    if any(name.startswith(dotted + ".") for name in MODULES):
        return True
    module = dotted
    while "." in module:
        module, _, name = module.rpartition(".")
        if module in MODULES:
            return re.search(rf"\b{re.escape(name)}\b", ast.unparse(MODULES[module])) is not None
    return False


@pytest.mark.parametrize("root", ROOTS)
def test_every_root_has_a_row_with_its_packages_and_no_other(root: str) -> None:
    row = next((rest for first, rest in ROWS.values() if first.strip("`/ ") == root), None)

    assert row is not None, f"the page has no row for the root {root}/"
    assert set(re.findall(r"`haikei\.(\w+)`", row)) == _packages(root)


def test_every_seam_is_named() -> None:
    assert len(SEAMS) > 3
    assert [name for name in SEAMS if f"`{name}`" not in PAGE] == []


def test_every_group_of_entry_points_is_named_with_its_adapters() -> None:
    assert set(GROUPS) <= set(LOOKED_UP), "an entry point that nothing looks up"
    assert [group for group in LOOKED_UP if f"`{group}`" not in PAGE] == []
    for group, points in GROUPS.items():
        assert [name for name in points if f"`{name}`" not in PAGE] == [], group


def test_nothing_is_named_that_does_not_exist() -> None:
    dotted = set(re.findall(r"`(haikei(?:\.\w+)+)", PAGE)) - {"haikei.db", "haikei.toml"}
    files = set(re.findall(r"`((?:[\w-]+/)+[\w-]+\.py)`", PAGE))
    classes = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`", PAGE))
    known = {one.name for _, one in _classes()} | {"Protocol"}

    assert sorted(name for name in dotted if not _exists(name)) == []
    homes = (ROOT, *(ROOT / root for root in ROOTS))
    assert sorted(f for f in files if not any((home / f).exists() for home in homes)) == []
    assert sorted(classes - known) == []


def test_no_folder_holds_more_modules_than_one_overlooks() -> None:
    for root in ROOTS:
        for folder in {file.parent for file in (ROOT / root).rglob("*.py")}:
            count = len([*folder.glob("*.py")])
            assert count <= 30, f"{folder.relative_to(ROOT)} has {count} modules"


def _imports(name: str) -> set[str]:
    """Return the modules that one imports: in functions and for type checkers as well."""
    found: set[str] = set()
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in MODULES else str(node.module))
    return (found & MODULES.keys()) - {name}


def test_imports_make_no_circle_and_no_long_chain() -> None:
    imports = {name: _imports(name) for name in MODULES}
    chains: dict[str, list[str]] = {}
    # A circle is an error of the sorter, which names it.
    for name in TopologicalSorter(imports).static_order():
        below = max((chains[one] for one in imports[name]), key=len, default=[])
        chains[name] = [name, *below]
    longest = max(chains.values(), key=len)

    assert len(longest) <= 26, " > ".join(longest)


def test_the_house_is_no_larger_than_a_person_can_know() -> None:
    # 400 when the rooms were built; what has been built since has rooms of its own.
    assert len(MODULES) <= 535


@pytest.mark.parametrize("root", ROOTS)
def test_no_class_and_no_module_has_the_name_of_another_in_its_root(root: str) -> None:
    homes: dict[str, list[str]] = {}
    for file in (ROOT / root).rglob("*.py"):
        where = str(file.relative_to(ROOT))
        # A part of a tracker is called alike in the contract and in each adapter.
        if "__" not in file.stem and "trackers" not in file.parts:
            homes.setdefault(file.stem, []).append(where)
        for statement in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.ClassDef):
                homes.setdefault(statement.name, []).append(where)

    assert {name: files for name, files in homes.items() if len(files) > 1} == {}
