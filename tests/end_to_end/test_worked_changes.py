"""Four changes of docs/architecture.md, made as it says; the plug-in's report is the fourth."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from haikei.jobs import JobState
from haikei.trackers import load_tracker
from support.clocks import PATIENCE
from support.jobs import JobStudio, announce, put_layout

ROOT = Path(__file__).parents[2]
ROOTS: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "hatch"
]["build"]["dev-mode-dirs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy of Haikei's code, which a test may change."""

    folder: Path

    def change(self, file: str, *changes: tuple[str, str]) -> None:
        """Put a text before the only place of another, in one file."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        for before, added in changes:
            assert text.count(before) == 1, (file, before)
            text = text.replace(before, added + before)
        path.write_text(text, encoding="utf-8")

    def run(self, *command: str) -> str:
        """Run Python with the copy in place of the code itself and return what it prints."""
        roots = os.pathsep.join(str(self.folder / root) for root in ROOTS)
        done = subprocess.run(
            [sys.executable, "-W", "error", *command],
            cwd=self.folder,
            # What is run of a copy says nothing of which lines of the house are reached.
            env={
                **{name: text for name, text in os.environ.items() if "COVERAGE" not in name},
                "PYTHONPATH": roots,
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    for root in ROOTS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / root, tmp_path / "code" / root, ignore=ignored)
    return Copy(folder=tmp_path / "code")


READS_SGI = """
from pathlib import Path
import numpy as np
import haikei.formats
from haikei.images import Picture, read_picture
from haikei.provenance.formats.detection import file_format
from haikei.settings.studio import Watch
from haikei.sgserver.media.thumbnails import can_show
import OpenImageIO as oiio

assert Path(haikei.formats.__file__).is_relative_to(Path.cwd()), "not the copy"
layout = Path("c001_LO.sgi")
pixels = np.linspace(0, 1, 24 * 16 * 3, dtype=np.float32).reshape(16, 24, 3)
spec = oiio.ImageSpec(24, 16, 3, "uint8")
out = oiio.ImageOutput.create(str(layout))
assert out.open(str(layout), spec) and out.write_image(pixels) and out.close()
assert "sgi" in Watch().extensions, "not watched"
assert can_show(layout), "the embedded tracker makes no thumbnail"
assert not file_format(layout).embeds, "marks would be looked for inside"
read = read_picture(layout)
assert (read.width, read.height) == (24, 16)
assert abs(read.pixels - pixels).max() < 1 / 255, "other pixels"
print(haikei.formats.markdown())
"""


def test_an_image_format_is_a_row_of_the_table(copy: Copy) -> None:
    row = """SGI = ImageFormat(
    name="Silicon Graphics",
    endings=("sgi", "rgb"),
    mime="image/sgi",
    signatures=(b"\\x01\\xda",),
    oiio="sgi",
)
"""
    copy.change(
        "config/haikei/formats.py",
        ("FORMATS: tuple[ImageFormat, ...] = (", row),
        ("    # Pictures that deliveries hold, recognised and not read.", "    SGI,\n"),
    )

    table = copy.run("-c", READS_SGI)

    assert "| Silicon Graphics | `.sgi`, `.rgb` | `image/sgi` |" in table


KNOWS_DISCUSS = """
from pathlib import Path
import haikei.decisions
from haikei.decisions import Decision, ReviewState
from haikei.review.decisions import StatusMap
from haikei.settings import Settings
from haikei.web.api.schemas import DecisionRequest

assert Path(haikei.decisions.__file__).is_relative_to(Path.cwd()), "not the copy"
settings = Settings.model_validate(
    {"studio": {"state": Path.cwd()}, "storage": {"roots": [{"name": "work", "path": Path.cwd()}]}}
)
codes = StatusMap(settings)
assert codes.decision("dis") is Decision.DISCUSS, "not read from the tracker"
assert codes.status(Decision.DISCUSS) == "dis", "not written to the tracker"
assert "dis" in settings.review.statuses.codes, "not set up"
assert Decision.DISCUSS.state is ReviewState.IN_DISCUSSION and ReviewState.IN_DISCUSSION.is_open
asked = DecisionRequest.model_validate_json('{"decision": "discuss"}')
assert asked.decision is Decision.DISCUSS, "not taken by the API"
"""


def test_a_review_decision_is_a_member_with_its_codes_and_words(copy: Copy) -> None:
    copy.change(
        "config/haikei/decisions.py",
        ("    @property\n    def is_open", '    IN_DISCUSSION = "in_discussion"\n\n'),
        ('    NONE = "none"', '    DISCUSS = "discuss"\n'),
        ("    Decision.NONE:", "    Decision.DISCUSS: ReviewState.IN_DISCUSSION,\n"),
    )
    copy.change(
        "config/haikei/settings/sections.py",
        ('    task_approved: str = "fin"', '    discuss: tuple[str, ...] = ("dis",)\n'),
        (
            "        }\n\n    @property\n    def codes",
            "            Decision.DISCUSS: self.discuss,\n",
        ),
    )
    copy.change(
        "config/haikei/texts.py",
        (
            '    "none": Bilingual("Back to review",',
            '    "discuss": Bilingual("Discuss", "相談"),\n',
        ),
        (
            '    "omitted": Bilingual("omitted", "欠番"),\n}',
            '    "in_discussion": Bilingual("in discussion", "相談中"),\n',
        ),
    )

    copy.run("-c", KNOWS_DISCUSS)

    assert "|discuss|" in copy.run("-m", "haikei.cli", "decide", "--help")
    tests = [
        str(ROOT / "tests" / "unit" / name) for name in ("test_texts.py", "credits/test_facets.py")
    ]
    copy.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", f"--rootdir={ROOT}", *tests)


def test_the_tracker_of_the_documentation_publishes_a_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "how-to" / "writing-a-tracker.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    package = tmp_path / "installed"
    info = package / "yourstudio-1.0.dist-info"
    info.mkdir(parents=True)
    (package / "yourstudio").mkdir()
    (package / "yourstudio" / "ledgerbook.py").write_text(code, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: yourstudio\nVersion: 1.0\n")
    (entry,) = re.findall(r"(\[project\.entry-points.*?)```", page, re.DOTALL)
    named = tomllib.loads(entry)["project"]["entry-points"]["haikei.trackers"]["ledgerbook"]
    (info / "entry_points.txt").write_text(f"[haikei.trackers]\nledgerbook = {named}\n")
    monkeypatch.syspath_prepend(package)
    tracker = {"kind": "ledgerbook", "url": "https://ledgerbook.example"}
    studio = JobStudio(tmp_path, load_tracker, tracker=tracker)
    with closing(studio):
        event = put_layout(studio.settings, "c001")
        announce(studio.database, replace(event, place=replace(event.place, project="akane")))
        studio.work()

        (job,) = studio.store.list()
    assert job.state is JobState.DONE, job.error
    assert job.version_url == "https://ledgerbook.example/version/1"
