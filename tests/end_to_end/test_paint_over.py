"""Artists paint over an AI version in Photoshop files, until a supervisor approves it."""

import json
import shutil
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from psd_tools.constants import ColorMode

from haikei.credits import BackgroundVersion, Person, Role, records
from haikei.database import reading
from haikei.decisions import ReviewState
from haikei.images import Picture, read_picture
from haikei.jobs import Job, JobState
from haikei.measure.grading import ciede2000, lab_of
from haikei.provenance import MarksState, read_marks
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.databases import fresh_database
from support.models import build_tiny_model, tiny_table
from support.pictures import (
    VISIBLE,
    Dab,
    flattened,
    layered_psd,
    save_flat_psd,
    save_psd,
    save_psd_without_composite,
)
from support.studio import SiteRow, Studio, studio

_SETTINGS = """
[[routes]]
recipe = "model"
[recipes.model]
prompt = "anime background, {{place}}, {{season}}, {{time}}"
[[recipes.model.stages]]
name = "base"
generator = "painter"
options = {{ finish = "full" }}
[[recipes.model.stages]]
name = "gen1"
generator = "diffusers"
model = "tiny"
options = {{ steps = 4, strength = 0.25 }}
{model}[[storage.roots]]
name = "artists"
path = "artists"
[[watch.touch_ups]]
path = "touchups"
[review]
settle = 0.5
[[people]]
name = "Sakura Ito"
name_ja = "伊藤さくら"
logins = ["sakura.ito"]
[[people]]
name = "Riku Mori"
name_ja = "森陸"
logins = ["riku.mori"]
"""
_PEOPLE = {"sakura.ito": "Sakura Ito", "riku.mori": "Riku Mori", "haruka": "Haruka Abe"}
_CUTS = [("PORT", "s01", "c001"), ("PORT", "s01", "c002")]
_ROOF = Dab(box=(0.1, 0.35, 0.35, 0.7), colour=(214, 74, 58))
_LAMP = Dab(box=(0.6, 0.2, 0.75, 0.5), colour=(250, 214, 120))
_SHADE = Dab(box=(0.4, 0.6, 0.6, 0.9), colour=(40, 120, 60))


@dataclass(slots=True, kw_only=True)
class Cut:
    """One cut of which a tiny diffusion model made a version."""

    studio: Studio
    shot: str

    def code(self, number: int) -> str:
        return f"{self.shot}_bg_summer_day_v{number:03d}"

    def version(self, number: int) -> BackgroundVersion:
        """Return what is recorded of a version."""
        found = self.recorded(number)
        assert found is not None
        return found

    def recorded(self, number: int) -> BackgroundVersion | None:
        database = fresh_database(self.studio.folder / "state" / "haikei.db")
        try:
            with reading(database) as connection:
                return records.by_code(connection, self.code(number))
        finally:
            database.dispose()

    def file(self, number: int) -> Path:
        """Return the published picture of a version."""
        return self.studio.projects / self.version(number).final.path

    def picture(self, number: int) -> Picture:
        return read_picture(self.file(number))

    def artists_file(self, name: str) -> Path:
        """Return a path in the artists' storage, which nothing watches."""
        return self.studio.folder / "artists" / self.shot / name

    def in_folder(self, over: int, artist: str) -> Path:
        """Return the path in the touch-up folder that says what was painted over, and by whom."""
        top = self.studio.folder / "touchups/PORT/s01" / self.shot
        return top / f"touchup/{self.code(over)}_{artist}.psd"

    def publish(self, path: Path, *, over: int | None, login: str) -> None:
        """Publish an artist's file in the tracker, linked to the file that it is painted over."""
        client = self.studio.connect(as_login=login)
        kind = client.find_one("PublishedFileType", [["code", "is", "Background Touch-up"]])
        shot = cast("SiteRow", client.find_one("Shot", [["code", "is", self.shot]], ["project"]))
        below = [self.row_of_file(over)] if over is not None else []
        client.create(
            "PublishedFile",
            {
                "code": path.name,
                "project": shot["project"],
                "entity": {"type": "Shot", "id": shot["id"]},
                "published_file_type": kind,
                "path": {"local_path": str(path)},
                "upstream_published_files": [
                    {"type": "PublishedFile", "id": row["id"]} for row in below
                ],
            },
        )
        client.close()

    def row_of_file(self, number: int) -> SiteRow:
        """Return the tracker's row of a version's picture."""
        wanted = [["code", "is", self.file(number).name]]
        fields = ["published_file_type", "upstream_published_files"]
        (row,) = self.find("PublishedFile", wanted, fields)
        return row

    def row(self, number: int) -> SiteRow:
        """Return the tracker's row of a version."""
        fields = ["user", "sg_haikei_credit", "sg_haikei_roles", "sg_haikei_source_type"]
        (row,) = self.find("Version", [["code", "is", self.code(number)]], fields)
        return row

    def find(
        self, entity_type: str, filters: Sequence[object], fields: Sequence[str]
    ) -> list[SiteRow]:
        client = self.studio.connect()
        found = cast("list[SiteRow]", client.find(entity_type, list(filters), list(fields)))
        client.close()
        return found

    def wait_for_version(self, number: int) -> None:
        code = self.code(number)
        self.studio.wait_for(code, lambda: bool(self.dead()) or code in self._done())
        assert self.dead() == []

    def _done(self) -> list[str]:
        return [job.version_code for job in self.studio.jobs(JobState.DONE)]

    def dead(self) -> list[Job]:
        """Return the dead letters on files of this cut."""
        dead = self.studio.jobs(JobState.DEAD)
        return [job for job in dead if self.shot in Path(job.layout).parts]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[Studio]:
    folder = tmp_path_factory.mktemp("paint")
    settings = _SETTINGS.format(model=tiny_table(build_tiny_model(folder / "models").combined))
    with studio(folder / "studio", extra_settings=settings) as here:
        for name in ("artists", "touchups"):
            (here.folder / name).mkdir()
        here.cast(_CUTS)
        client = here.connect()
        for login, name in _PEOPLE.items():
            client.create("HumanUser", {"login": login, "name": name})
        client.close()
        here.start()
        for number, (project, sequence, shot) in enumerate(_CUTS):
            path = here.projects / project / sequence / shot / f"layout/{shot}_bg_v001.png"
            scene = Scene(kind=SceneKind.PORT, width=320, height=180, seed=2 + number)
            save_layout(draw(scene), path)
        ended = (JobState.DONE, JobState.DEAD)
        here.wait_for("two backgrounds", lambda: len(here.jobs(*ended)) == len(_CUTS))
        assert here.jobs(JobState.DEAD) == []
        yield here


@pytest.fixture
def cut(running: Studio) -> Cut:
    return Cut(studio=running, shot="c001")


@pytest.fixture
def other_cut(running: Studio) -> Cut:
    return Cut(studio=running, shot="c002")


def painters(version: BackgroundVersion) -> list[str]:
    return [name for role, name in people(version) if role is Role.TOUCH_UP]


def people(version: BackgroundVersion) -> list[tuple[Role, str]]:
    return [
        (one.role, one.actor.name)
        for image in version.images
        for one in image.contributions
        if isinstance(one.actor, Person)
    ]


def test_each_artist_who_paints_over_is_added_until_a_supervisor_approves(cut: Cut) -> None:
    here = cut.studio
    first = save_psd(layered_psd(cut.picture(1), [_ROOF]), cut.artists_file("roof.psd"))
    cut.publish(first, over=1, login="sakura.ito")
    cut.wait_for_version(2)

    # The artist's file, layers and all, is what is published; its marks stand beside it.
    assert cut.file(2).read_bytes() == first.read_bytes()
    assert np.array_equal(_eight_bits(cut.picture(2)), flattened(cut.picture(1), [_ROOF]))
    (painted,) = cut.version(2).final.contributions
    assert "tracker's link of PublishedFile" in painted.evidence.note
    assert painted.evidence.change is not None
    assert painted.evidence.change.area_ppm == pytest.approx(_truth_ppm(cut, 1, 2), rel=0.1)
    (region,) = painted.evidence.change.regions
    assert (region.x, region.y) == pytest.approx((32, 63), abs=4)
    row = cut.row(2)
    assert row["user"]["name"] == "Sakura Ito"
    for said in ("Layout Yuki Tanaka", "AI generation Tiny 1", "Touch-up Sakura Ito"):
        assert said in row["sg_haikei_credit"]
    assert "touch_up: Sakura Ito (HumanUser:" in row["sg_haikei_roles"]
    assert row["sg_haikei_source_type"] == "compositeWithTrainedAlgorithmicMedia"
    published = cut.row_of_file(2)
    assert published["published_file_type"]["name"] == "Background Touch-up"
    above = [one["id"] for one in published["upstream_published_files"]]
    assert cut.row_of_file(1)["id"] in above

    save_psd(layered_psd(cut.picture(2), [_LAMP]), cut.in_folder(2, "riku.mori"))
    cut.wait_for_version(3)

    assert painters(cut.version(3)) == ["Sakura Ito", "Riku Mori"]
    row = cut.row(3)
    assert row["user"]["name"] == "Riku Mori"
    for said in ("Layout Yuki Tanaka", "AI generation Tiny 1", "Sakura Ito", "Riku Mori"):
        assert said in row["sg_haikei_credit"]

    client = here.connect(as_login="haruka")
    client.update("Version", int(row["id"]), {"sg_status_list": "apr"})
    client.close()
    approval = (Role.APPROVAL, "Haruka Abe")
    here.wait_for("the sealed approval", lambda: approval in people(cut.version(3)))
    assert cut.version(3).state is ReviewState.APPROVED
    here.wait_for("the Task", lambda: _task_status(cut) == "fin")

    # A touch-up of an approved version is a version in review; what was approved stays so.
    last = save_flat_psd(
        flattened(cut.picture(3), [_SHADE]), cut.artists_file("shade.psd"), bits=16
    )
    cut.publish(last, over=3, login="sakura.ito")
    cut.wait_for_version(4)

    assert np.array_equal(_eight_bits(cut.picture(4)), flattened(cut.picture(3), [_SHADE]))
    assert painters(cut.version(4)) == ["Sakura Ito", "Riku Mori", "Sakura Ito"]
    assert cut.row(4)["sg_haikei_credit"].count("Sakura Ito") == 1
    assert cut.version(4).state is ReviewState.IN_REVIEW
    assert cut.version(3).state is ReviewState.APPROVED

    _check_marks(cut, (2, 3, 4))
    shown = here.call("credits", "show", cut.code(3))
    for name in ("Yuki Tanaka", "Sakura Ito", "Riku Mori", "Haruka Abe"):
        assert name in shown
    here.call("ledger", "verify")


def test_files_that_cannot_be_taken_in_are_told_once_and_change_nothing(other_cut: Cut) -> None:
    cut, here = other_cut, other_cut.studio
    hills = draw(Scene(kind=SceneKind.HILLS, width=320, height=180, seed=9)).picture()
    other = save_psd(layered_psd(hills, [_LAMP]), cut.artists_file("other.psd"))
    cut.publish(other, over=None, login="sakura.ito")
    cut_short = save_psd(layered_psd(cut.picture(1), [_ROOF]), cut.artists_file("cut_short.psd"))
    cut_short.write_bytes(cut_short.read_bytes()[:-9000])
    cut.publish(cut_short, over=1, login="sakura.ito")
    flat = flattened(cut.picture(1), [_ROOF])
    inks = np.dstack([flat, np.full(flat.shape[:2], 255, np.uint8)])
    in_inks = save_flat_psd(inks, cut.in_folder(1, "inks"), mode=ColorMode.CMYK)
    document = layered_psd(cut.picture(1), [_ROOF])
    layers_alone = save_psd_without_composite(document, cut.in_folder(1, "layers"))
    shortened = cut.in_folder(1, "shortened")
    shutil.copyfile(cut_short, shortened)

    here.wait_for("five dead letters", lambda: len(cut.dead()) == 5)
    told = {Path(job.layout).name: job for job in cut.dead()}

    assert told[other.name].error_kind == "ParentUnknown"
    for path, words in (
        (cut_short, "damaged or incomplete"),
        (shortened, "incomplete"),
        (in_inks, "CMYK"),
        (layers_alone, "Maximize Compatibility"),
    ):
        assert told[path.name].error_kind == "ImageUnreadable"
        assert path.name in told[path.name].error
        assert words in told[path.name].error
    here.call("jobs", "retry", told[other.name].key)
    here.wait_for("the same answer", lambda: _runs(cut, other) > 1)
    (note,) = cut.find("Note", [["subject", "contains", other.name]], ["content", "note_links"])
    assert "the picture is not like any current version" in note["content"]
    assert {"Shot", "Version"} == {link["type"] for link in note["note_links"]}
    assert cut.recorded(2) is None


def _eight_bits(picture: Picture) -> NDArray[np.uint8]:
    return np.rint(picture.pixels * 255).astype(np.uint8)


def _truth_ppm(cut: Cut, before: int, after: int) -> float:
    """Return how much of the area differs visibly between two versions."""
    pair = (lab_of(cut.picture(before)), lab_of(cut.picture(after)))
    return float((ciede2000(*pair) > VISIBLE).mean() * 1e6)


def _task_status(cut: Cut) -> str:
    named: list[object] = [["entity.Shot.code", "is", cut.shot], ["content", "is", "Background"]]
    (task,) = cut.find("Task", named, ["sg_status_list"])
    return str(task["sg_status_list"])


def _runs(cut: Cut, file: Path) -> int:
    dead = [job for job in cut.dead() if Path(job.layout).name == file.name]
    return max((job.run for job in dead), default=0)


def _check_marks(cut: Cut, numbers: Sequence[int]) -> None:
    files = [cut.file(number) for number in numbers]
    said = json.loads(cut.studio.call("verify", "--json", *map(str, files)))
    for number, found in zip(numbers, cast("list[dict[str, Any]]", said["files"]), strict=True):
        assert (found["version"], found["marks"]) == (cut.code(number), "trusted")
        steps = found["steps"]
        assert steps[-1] == cut.code(number)
        assert {cut.code(below) for below in range(1, number)} <= set(steps)
        assert found["digital_source_type"].endswith("compositeWithTrainedAlgorithmicMedia")
    assert _broken_when_changed(files[-1], cut.studio.folder / "elsewhere")


def _broken_when_changed(file: Path, folder: Path) -> bool:
    folder.mkdir()
    for path in (file, file.with_suffix(".c2pa"), file.with_suffix(".xmp")):
        shutil.copyfile(path, folder / path.name)
    copy = folder / file.name
    changed = bytearray(copy.read_bytes())
    changed[-100] ^= 1
    copy.write_bytes(changed)
    return read_marks(copy, trust_pem="").state is MarksState.BROKEN
