"""A diffusion model redraws what it is given, and nothing about it is left to chance."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haikei.credits import SourceType
from haikei.errors import GenerationCancelled, ModelUnusable, SettingsError
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Generator,
    Production,
    ProductionOrder,
    Progress,
    ProgressCallback,
    StageOrder,
)
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.images import Picture, read_picture, write_picture
from haikei.models import open_model
from haikei.settings import Recipe, Settings, Stage
from support.models import TinyModel, build_tiny_model, tiny_settings

# Some schedulers of diffusers hand torch tensors to numpy in a way that numpy 2 dislikes.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Options = dict[str, str | int | float | bool]
QUICK: Options = {"steps": 4, "strength": 0.75, "guidance": 3.0}


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


def drawing(width: int, height: int) -> Picture:
    pixels = np.ones((height, width, 3), dtype=np.float32)
    pixels[height // 2 : height // 2 + 3] = 0.1
    pixels[:, width // 3 : width // 3 + 3] = 0.1
    return Picture(pixels=pixels)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    return build_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def settings(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return tiny_settings(
        tmp_path_factory.mktemp("studio"),
        {
            "guided": {"folder": tiny.base, "controlnet": tiny.controlnet},
            "combined": {"folder": tiny.combined},
            "plain": {"folder": tiny.base},
        },
    )


@pytest.fixture(scope="module")
def generator(settings: Settings) -> DiffusersGenerator:
    return DiffusersGenerator(settings)


def request_for(
    generator: Generator,
    layout: Picture,
    *,
    model: str = "guided",
    seed: int = 11,
    prompt: str = "anime background port summer day",
    negative_prompt: str = "no people",
    options: Options = QUICK,
) -> GenerationRequest:
    order = StageOrder(generator="diffusers", model=model, options=tuple(sorted(options.items())))
    described = generator.describe(order)
    return GenerationRequest(
        layout_sha256="0" * 64,
        previous_sha256="",
        stage="gen1",
        generator="diffusers",
        system=described.system,
        model=model,
        options=order.options,
        prompt=prompt,
        negative_prompt=negative_prompt,
        place="port",
        season="summer",
        time="day",
        seed=seed,
        width=layout.width,
        height=layout.height,
        colour_space="srgb",
        libraries=described.libraries,
    )


def make(
    generator: Generator,
    *,
    layout: Picture | None = None,
    previous: Picture | None = None,
    progress: ProgressCallback = ignore,
    model: str = "guided",
    seed: int = 11,
    prompt: str = "anime background port summer day",
    options: Options = QUICK,
) -> GenerationResult:
    layout = layout or drawing(64, 64)
    request = request_for(generator, layout, model=model, seed=seed, prompt=prompt, options=options)
    return generator.generate(request, layout=layout, previous=previous, progress=progress)


def test_the_same_request_gives_the_very_same_pixels(
    generator: DiffusersGenerator, settings: Settings
) -> None:
    first = make(generator).picture

    assert make(generator).picture.sha256() == first.sha256()
    assert make(DiffusersGenerator(settings)).picture.sha256() == first.sha256()


def test_a_prompt_is_encoded_once_and_its_pictures_are_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = DiffusersGenerator(settings)
    first = make(generator, prompt="a harbour at dusk")
    encoder: Any = import_module("transformers").CLIPTextModel
    encode, encoded = encoder.forward, list[int]()

    def counting(*positional: Any, **named: Any) -> Any:
        encoded.append(1)
        return encode(*positional, **named)

    monkeypatch.setattr(encoder, "forward", counting)
    again = make(generator, prompt="a harbour at dusk")
    assert encoded == []
    assert again.picture.sha256() == first.picture.sha256()
    # With another seed the noise differs, and the prompt does not.
    other = make(generator, prompt="a harbour at dusk", seed=12)
    assert encoded == []
    assert other.picture.sha256() != first.picture.sha256()
    make(generator, prompt="a harbour at dawn")
    assert encoded != []
    fresh = make(DiffusersGenerator(settings), prompt="a harbour at dusk", seed=12)
    assert fresh.picture.sha256() == other.picture.sha256()


def test_another_seed_or_prompt_gives_another_picture(generator: DiffusersGenerator) -> None:
    pictures = {
        make(generator).picture.sha256(),
        make(generator, seed=12).picture.sha256(),
        make(generator, prompt="winter night").picture.sha256(),
    }

    assert len(pictures) == 3


@pytest.mark.parametrize(
    "scheduler",
    [
        "ddim",
        "dpmpp_2m",
        "dpmpp_2m_karras",
        "euler",
        "euler_a",
        "heun",
        "lcm",
        "tcd",
        "unipc",
    ],
)
def test_every_scheduler_repeats_itself(generator: DiffusersGenerator, scheduler: str) -> None:
    options: Options = {**QUICK, "scheduler": scheduler, "steps": 6}

    first = make(generator, options=options).picture

    assert make(generator, options=options).picture.sha256() == first.sha256()


@pytest.mark.parametrize("size", [(250, 190), (257, 64), (64, 1)])
def test_odd_sizes_come_back_as_they_went(
    generator: DiffusersGenerator, size: tuple[int, int]
) -> None:
    result = make(generator, layout=drawing(*size), options={**QUICK, "steps": 2})

    assert (result.picture.width, result.picture.height) == size


def test_the_layouts_lines_guide_a_model_with_a_controlnet(generator: DiffusersGenerator) -> None:
    base = drawing(64, 64)
    blank = Picture(pixels=np.ones((64, 64, 3), dtype=np.float32))

    with_lines = make(generator, layout=base, previous=blank)
    without = make(generator, layout=blank, previous=blank)

    assert with_lines.picture.sha256() != without.picture.sha256()
    assert with_lines.notes == ()


def test_a_pipeline_saved_with_its_controlnet_does_the_same(
    generator: DiffusersGenerator,
) -> None:
    together = make(generator, model="combined").picture

    assert together.sha256() == make(generator, model="guided").picture.sha256()


def test_a_model_without_a_controlnet_redraws_and_says_so(generator: DiffusersGenerator) -> None:
    result = make(generator, model="plain")

    assert result.picture.width == 64
    assert "no ControlNet" in result.notes[0]


def test_the_stage_before_is_what_is_redrawn(generator: DiffusersGenerator) -> None:
    dark = Picture(pixels=np.zeros((64, 64, 3), dtype=np.float32))
    bright = Picture(pixels=np.ones((64, 64, 3), dtype=np.float32))

    one = make(generator, previous=dark, options={**QUICK, "strength": 0.25})
    two = make(generator, previous=bright, options={**QUICK, "strength": 0.25})

    assert one.picture.sha256() != two.picture.sha256()


def test_progress_counts_the_steps_that_are_run(generator: DiffusersGenerator) -> None:
    seen: list[Progress] = []

    make(generator, progress=seen.append, options={**QUICK, "steps": 8, "strength": 0.5})

    assert [(one.step, one.steps) for one in seen] == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_cancelled_picture_ends_at_once_and_the_model_goes_on(
    generator: DiffusersGenerator,
) -> None:
    before = make(generator).picture.sha256()
    seen: list[int] = []

    def stop(progress: Progress) -> None:
        seen.append(progress.step)
        if progress.step == 2:
            raise GenerationCancelled("Somebody cancelled the job.")

    with pytest.raises(GenerationCancelled):
        make(generator, progress=stop, options={**QUICK, "steps": 20})

    assert seen == [0, 1, 2]
    assert make(generator).picture.sha256() == before


def test_a_longer_picture_is_made_smaller_and_enlarged_when_asked(
    generator: DiffusersGenerator,
) -> None:
    result = make(generator, layout=drawing(200, 100), options={**QUICK, "max_side": 64})

    assert (result.picture.width, result.picture.height) == (200, 100)
    assert result.notes == ("Made at 64 x 32 pixels and enlarged (max_side).",)


def test_a_prompt_that_is_too_long_is_said(generator: DiffusersGenerator) -> None:
    result = make(generator, prompt="summer " * 14 + "winter night")

    assert result.notes == ("The prompt is too long; the model does not read: winter night.",)
    assert len(make(generator, prompt="summer " * 14).notes) == 0


def test_a_prompt_that_is_too_long_is_in_the_plan_before_weights_are_read(
    settings: Settings, layout_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = DiffusersGenerator(settings)
    production = Production(settings, generators={"diffusers": generator})
    stage = Stage(name="gen1", generator="diffusers", model="plain", options=QUICK)
    recipe = Recipe(
        stages=(stage,),
        prompt="summer " * 14 + "winter night",
        negative_prompt="people " * 15 + "snow",
    )
    order = ProductionOrder(
        layout=layout_file, layout_sha256="0" * 64, recipe=recipe, season="winter", time="night",
        place="", seed=3,
    )  # fmt: skip
    encoder: Any = import_module("transformers").CLIPTextModel
    monkeypatch.setattr(encoder, "from_pretrained", None)

    (plan,) = production.stages(order)

    said = [note for note in plan.notes if "too long" in note]
    assert said == [
        "The prompt is too long; the model does not read: winter night.",
        "The negative prompt is too long; the model does not read: people snow.",
    ]
    assert generator.loads == 0


def test_counting_words_imports_neither_torch_nor_diffusers(
    tmp_path: Path, tiny: TinyModel
) -> None:
    program = f"""
import sys
from pathlib import Path
from support.models import tiny_settings
from haikei.generators import StageOrder
from haikei.generators.diffusers.generator import DiffusersGenerator
settings = tiny_settings(Path({str(tmp_path)!r}), {{"plain": {{"folder": {str(tiny.base)!r}}}}})
print(DiffusersGenerator(settings).words_lost(
    StageOrder(generator="diffusers", model="plain", options=()),
    prompt="summer " * 14 + "winter", negative_prompt=""))
print(sorted({{"torch", "diffusers"}} & set(sys.modules)))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )

    lost, imported = run.stdout.splitlines()
    assert lost == "('The prompt is too long; the model does not read: winter.',)"
    assert imported == "[]"


def test_a_vocabulary_that_cannot_be_read_is_named_in_the_plan(
    tiny: TinyModel, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny.base, tmp_path / "model")
    for file in (folder / "tokenizer").glob("*.json"):
        if file.name != "tokenizer_config.json":
            file.write_text("{", encoding="utf-8")
    generator = DiffusersGenerator(tiny_settings(tmp_path, {"plain": {"folder": folder}}))

    with pytest.raises(ModelUnusable, match=r"vocabulary in .* cannot be read"):
        generator.words_lost(
            StageOrder(generator="diffusers", model="plain", options=()),
            prompt="summer",
            negative_prompt="",
        )


def test_words_in_other_scripts_are_said(generator: DiffusersGenerator) -> None:
    result = make(generator, prompt="冬の駅 anime café")

    assert result.notes[0] == "The model may not know these words of the prompt: 冬の駅."


def test_a_description_names_the_model_and_loads_nothing(settings: Settings) -> None:
    order = StageOrder(generator="diffusers", model="guided", options=())

    described = DiffusersGenerator(settings).describe(order)

    assert described.system.name == "Tiny"
    assert described.system.source_type is SourceType.TRAINED
    assert described.system.sha256 == open_model(settings, "guided").sha256
    assert described.system.licence == "Apache-2.0"
    assert described.system.data.startswith("No data")
    names = [name for name, _ in described.libraries]
    assert {"torch", "diffusers", "transformers", "haikei"} <= set(names)
    assert names == sorted(names)


def test_describing_imports_neither_torch_nor_diffusers(tmp_path: Path, tiny: TinyModel) -> None:
    program = f"""
import sys
from pathlib import Path
from typing import Any
from support.models import tiny_settings
from haikei.generators import StageOrder
from haikei.generators.diffusers.generator import DiffusersGenerator
settings = tiny_settings(Path({str(tmp_path)!r}), {{"plain": {{"folder": {str(tiny.base)!r}}}}})
DiffusersGenerator(settings).describe(
    StageOrder(generator="diffusers", model="plain", options=()))
print(sorted({{"torch", "diffusers", "transformers"}} & set(sys.modules)))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )

    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stepps": 3}, "stepps"),
        ({"steps": 0}, "steps"),
        ({"steps": 4.5}, "int"),
        ({"steps": True}, "int"),
        ({"strength": 0}, "strength"),
        ({"strength": 1.5}, "strength"),
        ({"strength": "much"}, "float"),
        ({"guidance": -1.0}, "guidance"),
        ({"control_scale": 9.0}, "control_scale"),
        ({"scheduler": "magic"}, "magic"),
        ({"max_side": 8}, "max_side"),
        ({"steps": 2, "strength": 0.3}, "nothing to do"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_loaded(
    settings: Settings, options: Options, said: str
) -> None:
    order = StageOrder(generator="diffusers", model="plain", options=tuple(options.items()))

    with pytest.raises(SettingsError, match=said) as caught:
        DiffusersGenerator(settings).describe(order)

    assert caught.value.advice


def test_whole_numbers_are_taken_where_numbers_are_meant(generator: DiffusersGenerator) -> None:
    options: Options = {"steps": 2, "strength": 1, "guidance": 3}

    assert make(generator, options=options).picture.width == 64


def test_a_stage_without_a_model_is_a_mistake_in_the_recipe(
    generator: DiffusersGenerator,
) -> None:
    with pytest.raises(SettingsError, match="names no model"):
        generator.describe(StageOrder(generator="diffusers", model="", options=()))


@pytest.mark.parametrize("device", ["cuda:0", "mps", "tpu"])
def test_a_device_that_is_not_there_is_a_mistake_in_the_settings(
    settings: Settings, device: str
) -> None:
    engine = settings.engine.model_copy(
        update={"devices": (settings.engine.devices[0].model_copy(update={"name": device}),)}
    )

    with pytest.raises(SettingsError, match=device):
        make(DiffusersGenerator(settings.model_copy(update={"engine": engine})))


def test_files_changed_after_the_request_are_not_used(tiny: TinyModel, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny.base, tmp_path / "model")
    generator = DiffusersGenerator(tiny_settings(tmp_path, {"plain": {"folder": folder}}))
    layout = drawing(64, 64)
    request = request_for(generator, layout, model="plain")
    scheduler = folder / "scheduler" / "scheduler_config.json"
    scheduler.write_text(scheduler.read_text().replace("0.012", "0.013"), encoding="utf-8")

    with pytest.raises(ModelUnusable, match="changed after"):
        generator.generate(request, layout=layout, previous=None, progress=ignore)


def test_a_controlnet_that_does_not_fit_is_said(tiny: TinyModel, tmp_path: Path) -> None:
    guide = shutil.copytree(tiny.controlnet, tmp_path / "guide")
    config = json.loads((guide / "config.json").read_text())
    config["block_out_channels"] = [16, 16, 16]
    (guide / "config.json").write_text(json.dumps(config), encoding="utf-8")
    generator = DiffusersGenerator(
        tiny_settings(tmp_path, {"guided": {"folder": tiny.base, "controlnet": guide}})
    )

    with pytest.raises(ModelUnusable, match="made for another kind of model: block_out_channels"):
        make(generator)


def test_nothing_is_asked_of_a_network(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        message = "a connection was tried"
        raise AssertionError(message)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)

    assert make(DiffusersGenerator(settings)).picture.width == 64


def test_a_folder_that_names_a_processor_of_old_makes_the_same_picture(
    tiny: TinyModel, settings: Settings, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny.base, tmp_path / "former")
    index = folder / "model_index.json"
    named = {"feature_extractor": ["transformers", "CLIPFeatureExtractor"]}
    index.write_text(json.dumps({**json.loads(index.read_text()), **named}))
    (folder / "feature_extractor").mkdir()
    (folder / "feature_extractor" / "preprocessor_config.json").write_text("{}")
    former = DiffusersGenerator(tiny_settings(tmp_path / "studio", {"plain": {"folder": folder}}))

    made = [make(one, model="plain") for one in (DiffusersGenerator(settings), former)]

    assert made[0].picture.sha256() == made[1].picture.sha256()


@pytest.fixture
def layout_file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "layout.png"
    write_picture(drawing(150, 90), path, bits=8)
    yield path
    path.unlink(missing_ok=True)


def test_two_stages_stand_on_each_other_with_complete_records(
    settings: Settings, layout_file: Path, tmp_path: Path
) -> None:
    production = Production(settings)
    stage = {"generator": "diffusers", "model": "guided"}
    recipe = Recipe(
        stages=(
            Stage.model_validate({"name": "gen1", **stage, "options": {**QUICK, "strength": 1.0}}),
            Stage.model_validate({"name": "gen2", **stage, "options": QUICK}),
        )
    )
    order = ProductionOrder(
        layout=layout_file,
        layout_sha256=sha256(layout_file.read_bytes()).hexdigest(),
        recipe=recipe,
        season="winter",
        time="night",
        place="station",
        seed=3,
    )
    first = production.make_stage(
        order,
        0,
        plans=production.stages(order),
        folder=tmp_path / "a",
        previous=None,
        progress=ignore,
    )

    second = production.make_stage(
        order,
        1,
        plans=production.stages(order),
        folder=tmp_path / "a",
        previous=first,
        progress=ignore,
    )

    record = json.loads(second.request_json)
    assert record["previous_sha256"] == first.pixels_sha256 != second.pixels_sha256
    assert record["system"] == {
        "name": "Tiny",
        "version": "1",
        "source_type": "trainedAlgorithmicMedia",
        "sha256": open_model(settings, "guided").sha256,
        "licence": "Apache-2.0",
        "data": "No data: its weights are random numbers.",
    }
    assert "station" in record["prompt"]
    assert read_picture(second.path).sha256() == second.pixels_sha256
    assert (second.width, second.height) == (150, 90)
    again = production.make_stage(
        order,
        0,
        plans=production.stages(order),
        folder=tmp_path / "b",
        previous=None,
        progress=ignore,
    )
    assert again.path.read_bytes() == first.path.read_bytes()
