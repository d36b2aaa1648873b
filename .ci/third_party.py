"""Write THIRD_PARTY.md: what Haikei is installed with, under which licence, as each says itself."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "THIRD_PARTY.md"
EXTRAS = ("diffusers", "kitsu", "otel")
VENDORED = sorted(ROOT.glob("*/haikei/**/VENDORED.toml"))
#: Linux, on each Python that is supported: some packages are needed on older ones alone.
PYTHONS = [
    {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for version in ("3.11", "3.12", "3.13")
]
HEAD = """\
# Notices of third parties

Haikei is [Apache-2.0](LICENSE). Its source holds those files of others that the first table names.
What it is installed with is fetched by pip, comes with its own licence texts, and is listed below
by what each distribution says of itself. `.ci/third_party.py` writes this page.
"""
NOTE = """\

Wheels bring libraries of their own, whose notices lie beside them in site-packages, such as FFmpeg
(LGPL) in `opencv-python-headless`. The `torch` of PyPI for Linux brings NVIDIA's libraries under
NVIDIA's own licence, which the CPU build does not. WeasyPrint loads Pango (LGPL) from the system.
Models are yours: Haikei brings none and fetches none.
"""


def needed(extra: str = "") -> dict[str, Distribution | None]:
    """Return all that Haikei needs, by name; None for what this Python does not need."""
    found: dict[str, Distribution | None] = {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = project["optional-dependencies"][extra] if extra else project["dependencies"]
    waiting = [(Requirement(one), "") for one in listed]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement, of_extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        environments = [{**one, "extra": of_extra} for one in PYTHONS]
        if marker is not None and not any(marker.evaluate(one) for one in environments):
            continue
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        try:
            found[name] = one = distribution(name)
        except PackageNotFoundError:
            found[name] = None
            continue
        waiting += [
            (Requirement(text), wanted)
            for text in one.requires or ()
            for wanted in ("", *sorted(requirement.extras))
        ]
    return found


def licence(one: Distribution) -> str:
    """Return what a distribution says its licence is: SPDX, else classifiers, else words."""
    said = _field(one, "License-Expression")
    if said:
        return said
    classes = [
        text.rpartition(" :: ")[2]
        for text in one.metadata.get_all("Classifier") or ()
        if text.startswith("License :: OSI Approved :: ")
    ]
    words = _field(one, "License")
    short = words if words and "\n" not in words and len(words) < 60 else ""
    return " or ".join(classes) or short or _by_its_text(one)


def _field(one: Distribution, name: str) -> str:
    return str((one.metadata.get_all(name) or [""])[0]).strip()


def _by_its_text(one: Distribution) -> str:
    for file in one.files or ():
        if re.match(r"(licen[cs]e|copying)", file.name, re.IGNORECASE) and ".dist-info" in str(
            file
        ):
            text = file.read_text()
            if "Redistributions of source code must retain" in text:
                return "BSD License (by its text)"
    return "see its own files"


def _vendored() -> Iterator[str]:
    for file in VENDORED:
        for one in tomllib.loads(file.read_text(encoding="utf-8"))["file"]:
            where = (file.parent / one["path"]).relative_to(ROOT)
            yield f"| {one['name']} {one['version']} | {one['licence']} | `{where}` |"


def _rows(found: dict[str, Distribution | None]) -> Iterator[str]:
    for name, one in sorted(found.items()):
        if one is not None:
            yield f"| `{name}` | {licence(one)} |"


def _with(extra: str, always: dict[str, Distribution | None]) -> Iterator[str]:
    yield from (f"## Installed with `haikei[{extra}]` as well", "")
    yield from ("| distribution | licence |", "|---|---|")
    yield from _rows({name: one for name, one in needed(extra).items() if name not in always})
    yield ""


def page() -> str:
    """Return the page as it should be."""
    always = needed()
    lines = [
        "",
        "## In the source",
        "",
        "| what | licence | file |",
        "|---|---|---|",
        *_vendored(),
        "",
        "## Installed with Haikei",
        "",
        "| distribution | licence |",
        "|---|---|",
        *_rows(always),
        "",
        *(line for extra in EXTRAS for line in _with(extra, always)),
    ]
    return HEAD + "\n".join(lines).rstrip("\n") + "\n" + NOTE


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
