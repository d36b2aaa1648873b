"""Each family of models does what is asked of it, or says before it is loaded that it cannot."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from haikei.errors import GenerationError, HaikeiError, ModelUnusable, SettingsError
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Production,
    ProductionOrder,
    Progress,
    StageOrder,
)
from haikei.generators.diffusers.families import FAMILIES, family_of
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.generators.diffusers.pipeline import precision
from haikei.images import Picture, write_picture
from haikei.models import open_model
from haikei.settings import Recipe, Settings
from support.batches import made_together, with_batch
from support.models import (
    BUILDERS,
    build_controlnet,
    build_family,
    save_with_controlnets,
    tiny_settings,
    with_other_weights,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    # diffusers warns of parts of its own.
    pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:FutureWarning"),
]
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "generators.md"
#: What the rows of the table on the page are built as, and the forms in its columns.
ROWS = {
    "Stable Diffusion 1.5": "sd15",
    "Stable Diffusion 1.5, inpainting": "inpaint",
    "InstructPix2Pix": "pix2pix",
    "Latent consistency model": "lcm",
    "SDXL, also Turbo, Lightning, Hyper": "sdxl",
    "Stable Diffusion 3, 3.5": "sd3",
    "FLUX.1 dev": "flux",
    "FLUX.1 schnell": "schnell",
    "FLUX.1 Kontext": "kontext",
    "FLUX.2 klein": "klein",
    "Qwen-Image": "qwen",
    "Z-Image": "z-image",
    "Sana-Sprint, redrawing": "sana",
    "Chroma": "chroma",
}
FORMS = ("plain", "fp16", "one", "two", "union")
Value = str | int | float | bool
NONE: Mapping[str, Value] = {}


def table() -> dict[tuple[str, str], str]:
    """Return the table of the page: a cell's text by row and form."""
    cells: dict[tuple[str, str], str] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if len(parts) == len(FORMS) + 1 and parts[0] in ROWS:
            cells |= {
                (ROWS[parts[0]], form): text for form, text in zip(FORMS, parts[1:], strict=True)
            }
    return cells


class Studio:
    """A studio with a model of every kind in every form, each built when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.generators: dict[str, DiffusersGenerator] = {}

    def base(self, kind: str) -> Path:
        folder = self.folder / kind
        return folder if folder.is_dir() else build_family(kind, folder)

    def control(self, kind: str, name: str) -> Path:
        # Where no ControlNet can fit, that of another family stands in, as people try.
        kind = kind if kind in {"sdxl", "flux", "schnell", "sd3", "qwen", "z-image"} else "sd15"
        folder = self.folder / f"{kind}-{name}"
        if folder.is_dir():
            return folder
        union = name == "union"
        return build_controlnet(self.base(kind), folder, union=union, seed=len(name))

    def settings(self, kind: str, form: str, **more: object) -> Settings:
        folder = self.base(kind)
        entry: dict[str, object] = {"folder": folder}
        if form == "fp16":
            entry["folder"] = folder.with_name(f"{kind}-fp16")
            if not folder.with_name(f"{kind}-fp16").is_dir():
                shutil.copytree(folder, folder.with_name(f"{kind}-fp16"))
                for file in folder.with_name(f"{kind}-fp16").rglob("*.safetensors"):
                    file.rename(file.with_suffix(".fp16.safetensors"))
        elif form == "union":
            entry["controlnet"] = self.control("sdxl", "union")
        elif form in {"one", "two"}:
            names = ("one",) if form == "one" else ("one", "other")
            entry["controlnet"] = [self.control(kind, name) for name in names]
        return tiny_settings(self.folder / "studio", {"tiny": {**entry, **more}})

    def generator(self, kind: str, form: str) -> DiffusersGenerator:
        # One at a time is kept, as a worker keeps it.
        if f"{kind} {form}" not in self.generators:
            self.generators = {f"{kind} {form}": DiffusersGenerator(self.settings(kind, form))}
        return self.generators[f"{kind} {form}"]

    def make(
        self, kind: str, form: str, options: Mapping[str, Value] = NONE, *, negative: str = ""
    ) -> Picture:
        generator = self.generator(kind, form)
        request = self.request(generator, options, negative=negative)
        return generator.generate(request, layout=DRAWN, previous=None, progress=ignore).picture

    def request(
        self,
        generator: DiffusersGenerator,
        options: Mapping[str, Value],
        *,
        prompt: str = "summer port",
        negative: str = "",
        seed: int = 3,
    ) -> GenerationRequest:
        order = order_of(**{"steps": 4, **options})
        described = generator.describe(order)
        return GenerationRequest(
            layout_sha256="0" * 64,
            previous_sha256="",
            stage="gen1",
            generator="diffusers",
            system=described.system,
            model="tiny",
            options=order.options,
            prompt=prompt,
            negative_prompt=negative,
            place="port",
            season="summer",
            time="day",
            seed=seed,
            width=DRAWN.width,
            height=DRAWN.height,
            colour_space="srgb",
            libraries=described.libraries,
        )


def order_of(**options: Value) -> StageOrder:
    return StageOrder(generator="diffusers", model="tiny", options=tuple(sorted(options.items())))


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


DRAWN = Picture(pixels=np.random.default_rng(0).random((72, 120, 3), dtype=np.float32))
WORKING = [(kind, form) for (kind, form), text in table().items() if text == "works"]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("families"))


def test_the_table_has_every_kind_and_every_form() -> None:
    assert set(table()) == {(kind, form) for kind in BUILDERS for form in FORMS}


@pytest.mark.parametrize(("kind", "form"), table())
def test_every_cell_of_the_table_is_true(studio: Studio, kind: str, form: str) -> None:
    said = table()[kind, form]
    generator = studio.generator(kind, form)
    if said == "works":
        first = studio.make(kind, form)
        assert (first.width, first.height) == (DRAWN.width, DRAWN.height)
        assert studio.make(kind, form).sha256() == first.sha256()
        return

    with pytest.raises(HaikeiError) as caught:
        generator.describe(order_of())

    assert said.startswith("refused: ")
    assert said.removeprefix("refused: ") in f"{caught.value.message} {caught.value.advice}"


@pytest.mark.parametrize(("kind", "form"), [cell for cell in WORKING if cell[1] != "fp16"])
def test_every_option_that_a_model_takes_changes_the_picture(
    studio: Studio, kind: str, form: str
) -> None:
    family = family_of(open_model(studio.settings(kind, form), "tiny"))
    pictures = {studio.make(kind, form).sha256()}
    values = {
        "strength": 0.3, "guidance": 2.0, "true_cfg": 2.0, "control_scale": 0.2,
        "control_start": 0.5, "control_end": 0.5,
    }  # fmt: skip
    changes: list[tuple[str, Value]] = [(name, values.get(name, 3.0)) for name in family.options]
    if form == "two":
        changes.append(("control_scale", "0.2, 0.8"))
    for name, value in changes:
        picture = studio.make(kind, form, {name: value}).sha256()
        assert picture not in pictures, name
        pictures.add(picture)


@pytest.mark.parametrize(("kind", "form"), [cell for cell in WORKING if cell[1] != "fp16"])
def test_pictures_computed_together_are_those_computed_alone(
    studio: Studio, kind: str, form: str
) -> None:
    settings = with_batch(studio.settings(kind, form), 3)
    batches = family_of(open_model(settings, "tiny")).batches
    generator = DiffusersGenerator(settings)
    words = ("summer port", "winter night station", "anime background painted sky sea trees")
    negates = generator.describe(order_of()).negates
    requests = [
        studio.request(
            generator, {}, prompt=text, seed=place, negative="people" if place and negates else ""
        )
        for place, text in enumerate(words)
    ]
    layouts = [
        Picture(pixels=np.random.default_rng(place).random((72, 120, 3), dtype=np.float32))
        for place in range(3)
    ]
    made = made_together(generator, requests, layouts)

    for request, layout, one in zip(requests, layouts, made, strict=True):
        assert isinstance(one, GenerationResult)
        # Those that take one picture at a time make the same, one after the other.
        assert any("with 2 other pictures" in note for note in one.notes) == batches
        alone = generator.generate(request, layout=layout, previous=None, progress=ignore)
        assert np.abs(one.picture.pixels - alone.picture.pixels).max() <= 1 / 255


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_negative_prompt_acts_or_is_refused(studio: Studio, kind: str) -> None:
    family = family_of(open_model(studio.settings(kind, "plain"), "tiny"))
    options: dict[str, Value] = {}
    if family.negative is not None:
        options = {family.negative[0]: family.negative[1] + 2.0}
        blank = studio.make(kind, "plain", options).sha256()
        assert studio.make(kind, "plain", options, negative="people").sha256() != blank
        options = {family.negative[0]: family.negative[1]}

    with pytest.raises(GenerationError, match="never acts"):
        studio.make(kind, "plain", options, negative="people")


def test_a_negative_prompt_that_cannot_act_is_in_the_plan_and_not_in_the_record(
    studio: Studio, tmp_path: Path
) -> None:
    recipe = Recipe.model_validate({
        "negative_prompt": "people",
        "stages": [{"name": "gen1", "generator": "diffusers", "model": "tiny",
                    "options": {"steps": 2}}],
    })  # fmt: skip
    layout = tmp_path / "layout.png"
    write_picture(DRAWN, layout, bits=8)
    order = ProductionOrder(
        layout=layout, layout_sha256="0" * 64, recipe=recipe, season="summer", time="day",
        place="port", seed=1, unwanted=("cars",),
    )  # fmt: skip
    production = Production(studio.settings("flux", "plain"))

    (plan,) = production.stages(order)
    made = production.make_stage(
        order,
        0,
        plans=production.stages(order),
        folder=tmp_path / "work",
        previous=None,
        progress=ignore,
    )

    note = "The negative prompt is not given to Tiny: people, cars."
    assert note in plan.notes
    assert note in made.notes
    assert json.loads(made.request_json)["negative_prompt"] == ""


@pytest.mark.parametrize(
    ("kind", "option", "said"),
    [
        ("kontext", ("strength", 0.5), "FLUX.1 Kontext.* takes no option 'strength'"),
        ("schnell", ("guidance", 3.5), "FLUX.1.* takes no option 'guidance'"),
        ("qwen", ("guidance", 3.5), "Qwen-Image.* takes no option 'guidance'"),
        ("sdxl", ("control_scale", 0.5), "SDXL.* takes no option 'control_scale'"),
        ("sd15", ("true_cfg", 2.0), "Stable Diffusion.* takes no option 'true_cfg'"),
        ("chroma", ("true_cfg", 2.0), "Chroma.* takes no option 'true_cfg'"),
        ("klein", ("strength", 0.5), "FLUX.2 klein.* takes no option 'strength'"),
        ("sd3", ("scheduler", "dpmpp_2m"), "'scheduler'.* is 'dpmpp_2m'"),
        ("lcm", ("scheduler", "euler"), "'scheduler'.* is 'euler'"),
        ("sana", ("scheduler", "euler"), "Sana-Sprint.* takes no option 'scheduler'"),
        ("sdxl", ("control_end", 0.5), "SDXL.* takes no option 'control_end'"),
        ("sdxl", ("reference_scale", 0.5), "SDXL.* takes no option 'reference_scale'"),
    ],
)
def test_an_option_that_a_model_does_not_take_is_refused_before_anything_is_loaded(
    studio: Studio, kind: str, option: tuple[str, Value], said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        studio.generator(kind, "plain").describe(order_of(**dict([option])))

    assert caught.value.advice


@pytest.mark.parametrize("scales", ["0.2, 0.3, 0.4", "much", "0.2, nan", "9, 1"])
def test_control_scales_fit_the_controlnets(studio: Studio, scales: str) -> None:
    with pytest.raises(SettingsError, match="control_scale"):
        studio.generator("sd15", "two").describe(order_of(control_scale=scales))


@pytest.mark.parametrize(
    ("form", "controls", "scales"),
    [
        ("two", ("line, line", "line, regions", "depth, line"), "0.4, 0.9"),
        ("union", ("line", "line, depth", "regions"), "0.9"),
        ("union", ("line, regions", "line, depth, regions"), "0.2"),
    ],
)
def test_each_guide_that_a_recipe_names_changes_the_picture(
    studio: Studio, form: str, controls: tuple[str, ...], scales: str
) -> None:
    made = {
        studio.make("sdxl", form, {"control": control, "control_scale": scales}).sha256()
        for control in controls
    }

    assert len(made) == len(controls)


@pytest.mark.parametrize(
    ("form", "control"),
    [
        ("two", "line"),
        ("two", "line, line, depth"),
        ("two", "line, colour"),
        ("one", ""),
        ("union", "line, line"),
        ("union", ""),
        ("plain", "line"),
    ],
)
def test_guides_that_do_not_fit_the_controlnets_are_refused(
    studio: Studio, form: str, control: str
) -> None:
    with pytest.raises(SettingsError, match="control") as caught:
        studio.generator("sdxl", form).describe(order_of(control=control))

    assert caught.value.advice


def test_two_controlnets_saved_within_a_folder_do_what_they_do_beside_it(studio: Studio) -> None:
    controls = [studio.control("sd15", name) for name in ("one", "other")]
    save_with_controlnets(studio.base("sd15"), controls, studio.folder / "within")
    beside = studio.make("sd15", "two")

    assert studio.make("within", "plain").sha256() == beside.sha256()


@pytest.mark.parametrize("said", ["lacks", "does not know"])
def test_weights_that_are_not_those_of_the_class_are_an_error(studio: Studio, said: str) -> None:
    kind = said.replace(" ", "-")
    folder = shutil.copytree(studio.base("sdxl"), studio.folder / kind)
    with_other_weights(folder / "unet", more=said == "does not know")

    with pytest.raises(ModelUnusable, match=f"UNet2DConditionModel, which {said} 1 of them"):
        studio.make(kind, "plain")


@pytest.mark.parametrize(
    ("pipeline", "said"),
    [
        ("NoSuchPipeline", "no pipeline 'NoSuchPipeline'"),
        ("LTXPipeline", "takes no image"),
        ("ChromaInpaintPipeline", "it works"),
        ("StableDiffusionImg2ImgPipeline", "takes no height"),
    ],
)
def test_a_declared_class_must_take_what_haikei_gives(
    studio: Studio, pipeline: str, said: str
) -> None:
    settings = studio.settings("sd15", "plain", pipeline=pipeline)
    if said == "it works":
        # What it could take besides is not asked for.
        assert family_of(open_model(settings, "tiny")).pipeline == pipeline
        return

    with pytest.raises((ModelUnusable, SettingsError), match=re.escape(said)):
        DiffusersGenerator(settings).describe(order_of())


def test_a_class_that_haikei_does_not_know_is_named_with_what_would_work(
    studio: Studio,
) -> None:
    folder = shutil.copytree(studio.base("chroma"), studio.folder / "unknown")
    index = folder / "model_index.json"
    index.write_text(
        index.read_text(encoding="utf-8").replace("ChromaPipeline", "Unheard0fPipeline"),
        encoding="utf-8",
    )
    settings = studio.settings("unknown", "plain")

    with pytest.raises(ModelUnusable, match="is a Unheard0fPipeline, which") as caught:
        DiffusersGenerator(settings).describe(order_of())

    assert caught.value.advice is not None
    assert "models.tiny.pipeline" in caught.value.advice
    assert all(family.name in caught.value.advice for family in FAMILIES)


def test_a_gpu_computes_flow_models_in_bfloat16_and_older_ones_in_float16() -> None:
    by_name = {family.name: precision(family, "cuda:0") for family in FAMILIES}

    assert {by_name[name] for name in ("FLUX.1", "Qwen-Image", "Z-Image")} == {"bfloat16"}
    assert by_name["Stable Diffusion 3"] == "bfloat16"
    assert by_name["SDXL"] == by_name["Stable Diffusion"] == "float16"
    assert {precision(family, "cpu") for family in FAMILIES} == {"float32"}
