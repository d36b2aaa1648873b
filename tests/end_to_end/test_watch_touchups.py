"""An artist saves a paint-over in the touch-up folder, and it comes home by itself."""

from pathlib import Path
from typing import cast

from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import JobKind, JobState
from haikei.scenes import Scene, SceneKind, draw, save_layout
from support.studio import SiteRow, Studio, studio

_TOUCH_UPS = """
[[watch.touch_ups]]
path = "touchups"
[[people]]
name = "Sakura Ito"
name_ja = "伊藤さくら"
logins = ["sakura.ito"]
"""


def _done(here: Studio, kind: JobKind) -> list[str]:
    return [job.version_code for job in here.jobs(JobState.DONE) if job.kind is kind]


def _paint(background: Path, to: Path) -> None:
    pixels = read_picture(background).pixels.copy()
    height, width = pixels.shape[:2]
    pixels[height // 4 : height // 2, width // 4 : width // 2] = (0.9, 0.3, 0.2)
    to.parent.mkdir(parents=True, exist_ok=True)
    temporary = to.with_name(f".{to.name}.part.png")
    write_picture(Picture(pixels=pixels), temporary, bits=8)
    temporary.rename(to)


def test_a_paint_over_in_the_folder_becomes_a_version_that_names_both_artists(
    tmp_path: Path,
) -> None:
    with studio(tmp_path / "studio", extra_settings=_TOUCH_UPS) as here:
        here.cast([("PORT", "s01", "c001")])
        (here.folder / "touchups").mkdir()
        layout = here.projects / "PORT/s01/c001/layout/c001_bg_v001.png"
        layout.parent.mkdir(parents=True)
        save_layout(draw(Scene(kind=SceneKind.VILLAGE, width=192, height=108, seed=5)), layout)
        here.start()
        here.wait_for("the background", lambda: bool(_done(here, JobKind.BACKGROUND)))
        (code,) = _done(here, JobKind.BACKGROUND)
        (background,) = here.projects.rglob(f"{code}.png")

        _paint(background, here.folder / f"touchups/PORT/s01/c001/touchup/{code}_sakura.ito.png")
        here.wait_for("the touch-up", lambda: bool(_done(here, JobKind.TOUCH_UP)))

        client = here.connect()
        fields = ["code", "sg_haikei_credit", "sg_haikei_roles"]
        found = cast("list[SiteRow]", client.find("Version", [], fields))
        client.close()
        version = max(found, key=lambda row: int(row["id"]))
        assert version["code"] == code.replace("_v001", "_v002")
        assert "Yuki Tanaka" in version["sg_haikei_credit"]
        assert "Sakura Ito" in version["sg_haikei_credit"]
        assert _done(here, JobKind.TOUCH_UP) == [version["code"]]
        assert here.jobs(JobState.DEAD) == []
