"""The documentation says what is there: settings, commands and code that runs."""

import os
import re
import runpy
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from haikei.cli import app
from haikei.settings import PEOPLE_COLUMNS, TOKENS, describe, reference
from support.clocks import PATIENCE

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/**/*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOTS: list[str] = PROJECT["tool"]["hatch"]["build"]["dev-mode-dirs"]
URLS: dict[str, str] = PROJECT["project"]["urls"]
#: What a link to this repository's own pages and pictures begins with.
OURS = re.compile(re.escape(URLS["Repository"]) + r"/(?:blob|raw)/main/")
#: A link or picture of Markdown, outside of code: its target without the anchor, and the anchor.
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
FENCE = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)


def _blocks(language: str) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for number, block in enumerate(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)):
            yield f"{page.relative_to(ROOT)}-{number}", block


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
    page = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")

    assert page == reference(), "run `haikei config reference > docs/reference/settings.md`"
    assert all(f"| `{setting.name}` |" in page for setting in describe())


def test_every_token_of_a_path_and_every_column_of_the_people_file_is_documented() -> None:
    text = (ROOT / "docs" / "how-to" / "names.md").read_text(encoding="utf-8")

    tokens = [f"`{{{token}}}`" for token in (*TOKENS, "cut", "take")]
    columns = [f"`{column}`" for column in PEOPLE_COLUMNS]
    assert [one for one in (*tokens, *columns) if one not in text] == []


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
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", TOML)
def test_toml_in_the_documentation_can_be_read(name: str) -> None:
    assert tomllib.loads(TOML[name])


def _links(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file and the anchor of each link of `page` that stays in the repository."""
    for target, anchor in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if OURS.match(target):
            yield ROOT / OURS.sub("", target), anchor
        elif "://" not in target and not target.startswith("mailto:"):
            yield (page.parent / target if target else page).resolve(), anchor


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of `page`."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        words = LINK.sub("", heading.replace("`", "").replace("[", "")).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        again = sum(1 for one in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", one))
        found.append(f"{slug}-{again}" if again else slug)
    return set(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target, anchor in _links(page):
        assert target.exists(), f"there is no {target}"
        if anchor:
            assert anchor in _anchors(target), f"{target.name} has no heading #{anchor}"


def test_the_readme_holds_on_the_package_index_too() -> None:
    """A package index shows the README alone: a relative link there leads nowhere."""
    text = FENCE.sub("", (ROOT / "README.md").read_text(encoding="utf-8"))
    targets = [target for target, _ in LINK.findall(text)]

    assert len(targets) > 30
    assert [one for one in targets if not one.startswith("https://")] == []
    pictures = re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", text)
    assert any("docs/images/review_cut" in one for one in pictures)
    assert [one for one in pictures if "/raw/main/" not in one] == []
    assert [one for one in set(targets) - set(pictures) if "/raw/" in one] == []


def test_the_projects_addresses_lead_into_the_repository() -> None:
    assert {"Repository", "Documentation", "Changelog", "Issues"} <= set(URLS)
    for url in URLS.values():
        assert url.startswith(URLS["Repository"])
        assert not OURS.match(url) or (ROOT / OURS.sub("", url)).is_file(), url


def test_the_tracker_is_found_by_its_new_name_as_well() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert text.count("ShotGrid (now Autodesk Flow Production Tracking)") == 1


def test_the_notices_name_all_that_haikei_is_installed_with() -> None:
    script = runpy.run_path(str(ROOT / ".ci" / "third_party.py"))
    page = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    for extra in ("", *script["EXTRAS"]):
        needed = script["needed"](extra)
        missing = [name for name in needed if f"| `{name}` |" not in page]
        # What only another Python needs is not installed here, and was listed by that one.
        here = {name for name, one in needed.items() if one is not None}
        assert [name for name in missing if name in here] == [], "run .ci/third_party.py"
    known = {name for extra in ("", *script["EXTRAS"]) for name in script["needed"](extra)}
    listed = set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE))
    assert listed <= known, "run .ci/third_party.py"
    assert all(row.rstrip(" |").rpartition("| ")[2] for row in page.splitlines() if "| `" in row)


def test_vendored_files_stand_in_the_notices() -> None:
    page = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    folders = [file.parent for root in ROOTS for file in (ROOT / root).rglob("VENDORED.toml")]

    assert folders
    for folder in folders:
        for one in tomllib.loads((folder / "VENDORED.toml").read_text(encoding="utf-8"))["file"]:
            assert str((folder / one["path"]).relative_to(ROOT)) in page


def test_production_needs_no_torch() -> None:
    needed = runpy.run_path(str(ROOT / ".ci" / "third_party.py"))["needed"]

    heavy = {"torch", "diffusers", "transformers", "accelerate", "pytest"}
    assert not heavy & set(needed())
    assert heavy - {"pytest"} <= set(needed("diffusers"))


def test_the_glossary_holds_the_words_that_a_background_department_uses() -> None:
    text = (DOCS / "reference" / "glossary.md").read_text(encoding="utf-8")

    words = (
        "原図",
        "LO",
        "加筆",
        "美監",
        "撮影",
        "演出",
        "作監",
        "兼用",
        "BOOK",
        "リテイク",
        "欠番",
    )
    assert [word for word in words if word not in text] == []


def test_what_leaves_the_machine_names_every_setting_that_sends() -> None:
    text = (DOCS / "why" / "security.md").read_text(encoding="utf-8")
    part = text.partition("## What leaves the machine")[2]

    sends = {
        f"{one.section.strip('[]')}.{one.name}"
        for one in describe()
        if one.name.endswith(("url", "host", "mail_to")) or one.name == "drop"
    }
    # What is listened on, or only written into records.
    sends -= {"web.host", "web.url", "models.NAME.data_url", "generators.NAME.data_url"}
    sends = {one for one in sends if not one.endswith(".licence_url")}
    told = {
        "notifications.hooks.url": "[[notifications.hooks]]",
        "ledger.mail.host": "`ledger.mail`",
        "database.url": "`database.url`",
    }
    assert len(sends) > 5
    assert [one for one in sorted(sends) if told.get(one, one) not in part] == []


def test_the_index_lists_every_page_of_the_documentation() -> None:
    listed = {target for target, _ in _links(INDEX)}

    assert [page for page in DOCS.rglob("*.md") if page not in {INDEX, *listed}] == []


def test_every_page_of_the_documentation_links_to_another() -> None:
    for page in DOCS.rglob("*.md"):
        others = {target for target, _ in _links(page) if target.suffix == ".md"} - {page}
        assert others, f"{page.relative_to(ROOT)} is a dead end"


def test_pages_that_the_code_names_are_there() -> None:
    for root in (*ROOTS, "tests", "benchmarks"):
        for module in (ROOT / root).rglob("*.py"):
            for name in re.findall(r"docs/[\w/-]+\.md", module.read_text(encoding="utf-8")):
                assert (ROOT / name).exists(), f"{module.relative_to(ROOT)} names {name}"
