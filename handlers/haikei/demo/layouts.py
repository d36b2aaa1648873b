"""
The demonstration's cuts: which layout is drawn, lands where, and what the script asks
for.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Literal

from haikei.scenes import Scene, SceneKind, draw, save_layout


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCut:
    """One layout, and the background that is wanted from it."""

    project: str
    sequence: str
    shot: str
    scene: SceneKind  #: what is drawn, and the route's hint
    season: str
    time: str
    ext: Literal["png", "psd", "tif"]
    seed: int

    @property
    def relative(self) -> PurePosixPath:
        """Where the layout lands, below the watched folder."""
        folder = PurePosixPath(self.project, self.sequence, self.shot, "layout")
        return folder / f"{self.shot}_bg_v001.{self.ext}"


CUTS: tuple[DemoCut, ...] = (
    DemoCut(
        project="PORT", sequence="s01", shot="c001", scene=SceneKind.PORT,
        season="summer", time="day", ext="psd", seed=2,
    ),
    DemoCut(
        project="PORT", sequence="s01", shot="c002", scene=SceneKind.PORT,
        season="autumn", time="sunset", ext="png", seed=8,
    ),
    DemoCut(
        project="PORT", sequence="s02", shot="c010", scene=SceneKind.HILLS,
        season="summer", time="morning", ext="tif", seed=2,
    ),
    DemoCut(
        project="STATION", sequence="s01", shot="c001", scene=SceneKind.STATION,
        season="autumn", time="day", ext="png", seed=4,
    ),
    DemoCut(
        project="STATION", sequence="s01", shot="c002", scene=SceneKind.STATION,
        season="winter", time="night", ext="psd", seed=2,
    ),
    DemoCut(
        project="STATION", sequence="s01", shot="c003", scene=SceneKind.VILLAGE,
        season="spring", time="morning", ext="png", seed=2,
    ),
)  # fmt: skip


def toml_routes(cuts: tuple[DemoCut, ...], recipe: str) -> str:
    """Return the routes that give each cut its season and time of day; any other layout has one."""
    return f'{_own_routes(cuts, recipe)}\n[[routes]]\nrecipe = "{recipe}"\n'


def _own_routes(cuts: tuple[DemoCut, ...], recipe: str) -> str:
    return "\n".join(
        f'[[routes]]\nproject = "{cut.project}"\nsequence = "{cut.sequence}"\nshot = "{cut.shot}"\n'
        f'place = "{cut.scene}"\nrecipe = "{recipe}"\n'
        f'variants = [{{ season = "{cut.season}", time = "{cut.time}" }}]\n'
        for cut in cuts
    )


def layout_path(projects: Path, cut: DemoCut) -> Path:
    """Return where a cut's layout lands on this machine."""
    return projects / cut.relative


WIDTH, HEIGHT = 1280, 720
#: Bytes that a slow tool writes at once.
_PIECE = 32 * 1024


def drop(cut: DemoCut, projects: Path) -> bool:
    """
    Draw a cut's layout and put it where it belongs; return False when it lies there already.

    PSD files arrive as paint programs save them (another name, then renamed), PNG files piece by
    piece as over a slow network, TIFF files in one go.
    """
    path = layout_path(projects, cut)
    if path.exists():
        return False
    drawing = draw(Scene(kind=cut.scene, width=WIDTH, height=HEIGHT, seed=cut.seed))
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        finished = Path(folder) / path.name
        save_layout(drawing, finished)
        _ARRIVALS[cut.ext](finished.read_bytes(), path)
    return True


def _renamed(content: bytes, path: Path) -> None:
    part = path.with_name(path.name + ".tmp")
    part.write_bytes(content)
    part.rename(path)


def _piecewise(content: bytes, path: Path) -> None:
    with path.open("xb") as stream:
        for start in range(0, len(content), _PIECE):
            stream.write(content[start : start + _PIECE])
            stream.flush()
            os.fsync(stream.fileno())
            time.sleep(0.02)


def _at_once(content: bytes, path: Path) -> None:
    path.write_bytes(content)


_ARRIVALS: dict[str, Callable[[bytes, Path], None]] = {
    "psd": _renamed,
    "png": _piecewise,
    "tif": _at_once,
}
