"""A studio's package adds a generator, a report and a naming rule, through entry points alone."""

import csv
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from haikei.jobs import JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.clocks import PATIENCE
from support.studio import studio

EXAMPLE = Path(__file__).parents[2] / "examples" / "studio-plugin"
SETTINGS = """
[generators.fog]
licence = "MIT"
licence_url = "https://opensource.org/license/mit"
commercial = "yes"
data = "none: it is not trained"
data_class = "own"
[recipes.foggy]
stages = [
  { name = "gen1", generator = "painter" },
  { name = "gen2", generator = "fog", options = { density = 0.6 } },
]
[[routes]]
recipe = "foggy"
[[storage.roots]]
name = "layouts"
path = "layouts"
[[watch.folders]]
path = "layouts"
naming = "kawa"
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the example where the studio's processes find it, and nothing else does."""
    source = shutil.copytree(EXAMPLE, tmp_path / "source")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=source, check=True, capture_output=True, timeout=PATIENCE)
    (wheel,) = tmp_path.glob("studio_kawa_haikei-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    monkeypatch.setenv("PYTHONPATH", str(installed))
    monkeypatch.syspath_prepend(installed)  # for the test itself, which reads the settings
    return installed


@pytest.mark.usefixtures("plugin")
def test_a_layout_goes_through_a_studios_naming_rule_generator_and_report(tmp_path: Path) -> None:
    folder = tmp_path / "studio"
    layout = folder / "layouts" / "today" / "port_01_12-14_LO_t2.png"
    layout.parent.mkdir(parents=True)

    with studio(folder, extra_settings=SETTINGS) as here:
        here.cast([("PORT", "s01", "c012")])
        here.start()
        save_layout(draw(Scene(kind=SceneKind.HILLS, width=192, height=108, seed=3)), layout)
        here.wait_for("the background", lambda: len(here.jobs(JobState.DONE, JobState.DEAD)) > 0)
        (job,) = here.jobs()
        client = here.connect()
        found: Any = client.find("Version", [], ["code", "entity.Shot.code", "sg_haikei_credit"])
        client.close()
        answer = subprocess.run(
            [sys.executable, "-m", "haikei.cli", "report", "list", "--json"],
            env=here.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
        listed = json.loads(answer.stdout)["reports"]
        here.call("report", "open-retakes", "--project=PORT", f"--out={tmp_path / 'open.csv'}")

    assert job.state is JobState.DONE, job.error
    (version,) = found
    assert version["entity.Shot.code"] == "c012"
    assert "Kawa Fog 1" in version["sg_haikei_credit"]
    assert "open-retakes" in [one["name"] for one in listed]
    rows = list(csv.reader((tmp_path / "open.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert rows == [["sequence", "shot", "version"]], "nobody asked for a retake yet"


def test_a_rule_that_is_not_installed_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "haikei.toml"
    file.write_text(
        '[studio]\nstate = "state"\n[[storage.roots]]\nname = "primary"\npath = "."\n'
        '[[watch.folders]]\npath = "."\nnaming = "kawa"\ntemplate = "{project}/{shot}.{ext}"\n'
    )

    done = subprocess.run(
        [sys.executable, "-m", "haikei.cli", "config", "check", "--settings", str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert done.returncode == 3
    assert "watch.folders[0].naming" in done.stderr + done.stdout
    assert "installed naming rules are none" in done.stderr + done.stdout
    assert "not both" in done.stderr + done.stdout
