"""The cuts of the demonstration: which layout lands where, and what the script asks for."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from haikei.scenes import SceneKind


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
