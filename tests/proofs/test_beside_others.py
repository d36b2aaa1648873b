"""Thousands of other files beside fifty layouts: fifty Versions, no dead letter, one line."""

from pathlib import Path

import pytest

from haikei.jobs import JobState
from haikei.sources.watch import Watcher, standing_findings
from support.jobs import JobStudio, put_layout

FOREIGN, LAYOUTS = 5000, 50
_KINDS = (
    "PORT/s01/c{0:03d}/comp/c{0:03d}_comp_v{1:03d}.png",
    "PORT/refs/mood {0}/{1}.png",
    "PORT/s01/c{0:03d}/render/beauty.{1:04d}.exr",
    "PORT/s01/c{0:03d}/layout/notes_{1}.txt",
    "edit/{0}_{1}.mov",
)


@pytest.mark.timeout(900)
def test_fifty_layouts_among_thousands_of_files_are_fifty_versions(tmp_path: Path) -> None:
    root = tmp_path / "root"
    studio = JobStudio(tmp_path, watch={"folders": [{"path": str(root)}], "settle": 0.0})
    for number in range(FOREIGN):
        path = root / _KINDS[number % len(_KINDS)].format(number % LAYOUTS, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"none of our business")
        path.chmod(0)
    for number in range(LAYOUTS):
        put_layout(studio.settings, f"c{number:03d}")

    Watcher(studio.settings, studio.database).scan_once()
    (before,) = standing_findings(studio.settings)
    studio.work()
    # What Haikei published itself is nothing new to the watcher.
    Watcher(studio.settings, studio.database).scan_once()
    studio.work()

    found = studio.store.list(limit=FOREIGN)
    assert {one.state for one in found} == {JobState.DONE}
    assert len(found) == LAYOUTS
    assert len(studio.tracker.published) == LAYOUTS
    assert {one.place.shot for one in found} == {f"c{number:03d}" for number in range(LAYOUTS)}
    assert f"{LAYOUTS} files fit a template; {FOREIGN} that fit none are left alone" in (
        before.message
    )
    studio.tools.close()
    studio.database.dispose()
