"""
The demonstration studio: its folder with settings, key, projects and state, and its cuts.

A cut says which layout is drawn, lands where, and what the script asks for.
"""

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Literal

from haikei.demo import DemoTracker
from haikei.scenes import Scene, SceneKind, draw, save_layout
from haikei.settings import Model, toml


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


SCRIPT = "haikei"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStudio:
    """Where everything of the demonstration stands."""

    folder: Path

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / "haikei.toml"

    @property
    def key_file(self) -> Path:
        """The tracker key, readable by its owner alone."""
        return self.folder / "tracker.key"

    @property
    def projects(self) -> Path:
        """The storage root, which is watched for layouts."""
        return self.folder / "projects"

    @property
    def site(self) -> Path:
        """The embedded tracker's data."""
        return self.folder / "tracker"

    @property
    def log(self) -> Path:
        """Every log line of every process."""
        return self.folder / "haikei.log"

    @property
    def artists(self) -> Path:
        """Where artists save their paint-overs before they hand them in."""
        return self.folder / "artists"

    @property
    def reports(self) -> Path:
        """The reports of every show."""
        return self.folder / "reports"

    @property
    def contact_sheet(self) -> Path:
        """Layout, generations and touch-ups of each cut, side by side."""
        return self.folder / "contact_sheet.png"


def prepare(
    folder: Path, *, model: Model | None, tracker: DemoTracker = DemoTracker.EMBEDDED
) -> DemoStudio:
    """Make the studio's folder; what stands already is kept, the settings are written anew."""
    studio = DemoStudio(folder=folder.absolute())
    for path in (studio.folder, studio.projects, studio.site):
        path.mkdir(parents=True, exist_ok=True)
    if not studio.key_file.exists():
        descriptor = os.open(studio.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(32))
    studio.settings.write_text(_settings(model, tracker), encoding="utf-8")
    return studio


#: What the settings say of each tracker: Kitsu has statuses of its own, and one a task.
_TRACKERS = {
    DemoTracker.EMBEDDED: f"""[tracker]
script = "{SCRIPT}"
key_file = "tracker.key\"""",
    DemoTracker.KITSU: """[tracker]
kind = "kitsu"
key_file = "tracker.key"
review_status = "wfa"
look_status = "todo"

[tracker.person_fields]
name_ja = "name_ja"

[review.statuses]
approve = ["done"]
retake = ["retake"]
hold = []
omit = []
task_approved = ""
task_retake = \"\"""",
}


def _settings(model: Model | None, tracker: DemoTracker) -> str:
    recipe = "watercolour" if model is None else "model"
    return f"""# The demonstration studio's settings; `haikei config show -s` explains each.
[studio]
name = "Demonstration Studio"
state = "state"

{_TRACKERS[tracker]}

[[storage.roots]]
name = "primary"
path = "projects"

[[watch.folders]]
path = "projects"

[watch]
settle = 1.0
folder_pass = 2.0

[engine]
poll = 0.1

[review]
settle = 3.0

[review.dailies]
supervisors = ["kwatanabe"]

[web]
local_person = "kwatanabe"

[[credits.staff]]
role = "art_director"
name = "Kenji Watanabe"
name_ja = "渡辺 健二"

[reports]
client = "The films' committee"
contact = "studio@localhost"

{_model(model)}
{toml_routes(CUTS, recipe)}"""


def _model(model: Model | None) -> str:
    if model is None:
        return ""
    entry = "\n".join(f"{name} = {toml(value)}" for name, value in model if value is not None)
    return f"""[models.demo]
{entry}

[recipes.model]
prompt = "hand-painted anime background, {{place}}, {{season}}, {{time}}, no people"
negative_prompt = "people, text, watermark"

[[recipes.model.stages]]
name = "base"
generator = "painter"
options = {{ finish = "full" }}

[[recipes.model.stages]]
name = "gen1"
generator = "diffusers"
model = "demo"
options = {{ strength = 0.55 }}

[[recipes.model.stages]]
name = "gen2"
generator = "diffusers"
model = "demo"
options = {{ strength = 0.35 }}
"""
