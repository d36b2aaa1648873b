"""`haikei demo` carries its cuts from drawn layout to review, and adds nothing when run again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from haikei.database import image_records, reading
from haikei.images import read_picture
from haikei.ledger import verify
from support.clocks import PATIENCE
from support.databases import fresh_database


def _demo(folder: Path) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "haikei.cli", "demo", "--once", "--json"),
            *("--folder", str(folder), "--timeout", "600"),
        ],
        capture_output=True,
        text=True,
        timeout=700,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.timeout(1500)
def test_every_cut_is_in_review_with_its_credits_and_again_adds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "demo"

    code, result, errors = _demo(folder)

    assert code == 0, errors
    assert result["missing"] == []
    assert len(result["versions"]) >= 5
    for version in result["versions"]:
        assert version["status"] == "rev"
        assert version["credit"].startswith("Background: Layout ")
        assert "AI" not in version["credit"]
        assert version["credit_ja"].startswith("背景：原図 ")
        assert len(version["files"]) == 2
        layout = read_picture(Path(version["layout"]))
        for file in version["files"]:
            picture = read_picture(Path(file))
            assert (picture.width, picture.height) == (layout.width, layout.height)
    credited = result["credited"]
    last = credited["touch_ups"][-1]
    twice = [one for one in credited["touch_ups"] if one["code"].endswith("_v003")]
    assert len(credited["touch_ups"]) == 4
    assert all("Touch-up " in one["credit"] for one in credited["touch_ups"])
    assert ["Aoi Suzuki" in one["credit"] and "Sakura Ito" in one["credit"] for one in twice] == [
        True
    ]
    assert credited["approved"] == last["code"]
    reports = [Path(path) for path in credited["reports"]]
    assert {path.suffix for path in reports} == {".html", ".pdf"}
    assert {path.stem for path in reports} >= {"credits-roll", "breakdown", "dashboard"}
    assert all(path.stat().st_size > 2000 for path in reports)
    roll = (folder / "reports" / "PORT" / "credits-roll.html").read_text(encoding="utf-8")
    assert all(name in roll for name in ("Yuki Tanaka", "Aoi Suzuki", "Kenji Watanabe"))
    sheet = read_picture(Path(result["contact_sheet"]))
    assert sheet.width > sheet.height / len(result["versions"])

    published = sorted((folder / "projects").rglob("*"))
    times = [path.stat().st_mtime_ns for path in published if path.is_file()]
    code, again, errors = _demo(folder)

    assert code == 0, errors
    assert {one["code"] for one in again["versions"]} == {one["code"] for one in result["versions"]}
    assert sorted((folder / "projects").rglob("*")) == published
    assert [path.stat().st_mtime_ns for path in published if path.is_file()] == times
    database = fresh_database(folder / "state" / "haikei.db")
    assert again["credited"]["touch_ups"] == credited["touch_ups"]
    with reading(database) as connection:
        assert verify(connection) == credited["ledger_entries"]
        keys = connection.execute(select(image_records.c.key)).scalars().all()
        assert len(set(keys)) == len(keys)
    database.dispose()


@pytest.mark.timeout(900)
def test_it_serves_until_it_is_asked_to_stop(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*(sys.executable, "-m", "haikei.cli", "demo"), *("--folder", str(tmp_path / "demo"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    url = ""
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Review"):
            url = line.split()[-1]
        if "Ctrl-C" in line:
            break
    try:
        assert url, lines
        page = httpx.get(url, trust_env=False, timeout=PATIENCE)
        assert page.status_code == 200
        assert "Yuki" in page.text or "背景" in page.text
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
