"""A diffusion model takes a layout on after the painter, and is credited as the AI it is."""

import json
from pathlib import Path
from typing import cast

from haikei.demo.studio import prepare
from haikei.images import read_picture
from haikei.jobs import JobState
from haikei.models import model_from_folder
from haikei.presets import RECIPES, recipe
from haikei.scenes import Scene, SceneKind, draw, save_layout
from haikei.settings import load
from support.models import build_tiny_model, tiny_table
from support.studio import SiteRow, Studio, studio

RECIPE = """
[[routes]]
project = "NOAI"
recipe = "model"
[[routes]]
recipe = "model"
place = "port"
[policy]
no_ai_projects = ["NOAI"]
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
options = {{ steps = 4, strength = 0.5 }}
[[recipes.model.stages]]
name = "gen2"
generator = "diffusers"
model = "tiny"
options = {{ steps = 4, strength = 0.25 }}
{model}"""


def _land(here: Studio, project: str) -> Path:
    path = here.projects / project / "s01" / "c001" / "layout" / "c001_bg_v001.png"
    path.parent.mkdir(parents=True)
    save_layout(draw(Scene(kind=SceneKind.PORT, width=200, height=112, seed=2)), path)
    return path


def test_a_model_goes_on_from_the_painters_base_and_is_credited_as_ai(tmp_path: Path) -> None:
    tiny = build_tiny_model(tmp_path / "models")
    settings = RECIPE.format(model=tiny_table(tiny.combined))
    with studio(tmp_path / "studio", extra_settings=settings) as here:
        here.cast([("PORT", "s01", "c001"), ("NOAI", "s01", "c001")])
        here.start()
        layout = _land(here, "PORT")
        _land(here, "NOAI")
        here.wait_for("the background", lambda: bool(here.jobs(JobState.DONE)))
        here.wait_for("the refusal", lambda: bool(here.jobs(JobState.DEAD)))
        (refused,) = here.jobs(JobState.DEAD)
        client = here.connect()
        fields = [
            "sg_haikei_credit",
            "sg_haikei_source_type",
            "sg_haikei_system",
            "published_files",
        ]
        versions = cast("list[SiteRow]", client.find("Version", [], fields))
        filters = [["published_file_type.PublishedFileType.code", "is", "Background"]]
        files = cast("list[SiteRow]", client.find("PublishedFile", filters, ["path"]))
        client.close()
        here.stop()

    assert refused.place.project == "NOAI"
    assert refused.error_kind == "PolicyRefusal"
    (version,) = versions
    assert "AI generation Tiny 1" in version["sg_haikei_credit"]
    assert "Painting algorithm Haikei painter" in version["sg_haikei_credit"]
    assert "Layout Yuki Tanaka" in version["sg_haikei_credit"]
    assert version["sg_haikei_source_type"] in {
        "trainedAlgorithmicMedia",
        "compositeWithTrainedAlgorithmicMedia",
    }
    assert len(version["published_files"]) == 3
    (result,) = (Path(file["path"]["local_path"]) for file in files)
    picture = read_picture(result)
    drawn = read_picture(layout)
    assert (picture.width, picture.height) == (drawn.width, drawn.height)
    record = json.loads(result.with_name(f"{result.name}.json").read_text(encoding="utf-8"))
    text = json.dumps(record)
    assert "Apache-2.0" in text
    assert "random numbers" in text


def test_the_demonstration_takes_any_model_that_is_declared(tmp_path: Path) -> None:
    tiny = build_tiny_model(tmp_path / "models")
    model = model_from_folder(
        tiny.combined,
        licence="Apache-2.0",
        licence_url="https://www.apache.org/licenses/LICENSE-2.0",
        commercial="yes",
        data="No data.",
    )

    here = prepare(tmp_path / "demo", model=model)
    settings = load(here.settings, {}, built_in_recipes=RECIPES)

    assert {route.recipe for route in settings.routes} == {"model"}
    stages = recipe(settings, "model").stages
    assert [stage.generator for stage in stages] == ["painter", "diffusers", "diffusers"]
    assert settings.models["demo"].folder == tiny.combined
    assert here.key_file.stat().st_mode & 0o077 == 0
