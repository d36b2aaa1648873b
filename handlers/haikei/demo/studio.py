"""The folder of the demonstration studio: settings, key, projects and state."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from haikei.demo.layouts import CUTS, toml_routes
from haikei.settings import Model, toml

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


def prepare(folder: Path, *, model: Model | None) -> DemoStudio:
    """Make the studio's folder; what stands already is kept, the settings are written anew."""
    studio = DemoStudio(folder=folder.absolute())
    for path in (studio.folder, studio.projects, studio.site):
        path.mkdir(parents=True, exist_ok=True)
    if not studio.key_file.exists():
        descriptor = os.open(studio.key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(32))
    studio.settings.write_text(_settings(model), encoding="utf-8")
    return studio


def _settings(model: Model | None) -> str:
    recipe = "watercolour" if model is None else "model"
    return f"""# The demonstration studio's settings; `haikei config show -s` explains each.
[studio]
name = "Demonstration Studio"
state = "state"

[tracker]
script = "{SCRIPT}"
key_file = "tracker.key"

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
