"""The forms in which studios have models: one file, LoRAs, embeddings, another VAE."""

import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haikei.errors import HaikeiError, ModelUnusable, SettingsError
from haikei.generators import GenerationRequest, Production, ProductionOrder, Progress, StageOrder
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.generators.diffusers.weights import load_pipeline
from haikei.images import Picture
from haikei.models import ModelCard, open_model
from haikei.settings import Recipe, Settings
from support.model_forms import (
    save_checkpoint,
    save_diffusers_lora,
    save_embedding,
    save_kohya_lora,
)
from support.models import build_family, tiny_settings

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:FutureWarning"),
]
TERMS = {
    "licence": "Apache-2.0",
    "licence_url": "https://www.apache.org/licenses/LICENSE-2.0",
    "commercial": "yes",
    "data": "Our own backgrounds.",
}
DRAWN = Picture(pixels=np.random.default_rng(0).random((64, 64, 3), dtype=np.float32))
Options = Mapping[str, str | int | float | bool]
NONE: Options = {}


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


def order_of(options: Options = NONE) -> StageOrder:
    given = {"steps": 2, "strength": 1.0, **options}
    return StageOrder(generator="diffusers", model="tiny", options=tuple(sorted(given.items())))


def make(generator: DiffusersGenerator, options: Options = NONE, *, prompt: str = "sky") -> str:
    return drawn(generator, options, prompt=prompt).sha256()


def drawn(
    generator: DiffusersGenerator, options: Options = NONE, *, prompt: str = "sky"
) -> Picture:
    order = order_of(options)
    described = generator.describe(order)
    request = GenerationRequest(
        layout_sha256="0" * 64,
        previous_sha256="",
        stage="gen1",
        generator="diffusers",
        system=described.system,
        model="tiny",
        options=order.options,
        prompt=prompt,
        negative_prompt="",
        place="",
        season="summer",
        time="day",
        seed=3,
        width=DRAWN.width,
        height=DRAWN.height,
        colour_space="srgb",
        libraries=described.libraries,
    )
    return generator.generate(request, layout=DRAWN, previous=None, progress=ignore).picture


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {kind: build_family(kind, folder / kind) for kind in ("sd15", "sdxl")}


def without_weights(base: Path, folder: Path) -> Path:
    shutil.copytree(base, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    return folder


def studio(place: Path, /, **entry: object) -> Settings:
    return tiny_settings(place / "studio", {"tiny": entry})


@pytest.mark.parametrize("kind", ["sd15", "sdxl"])
def test_a_checkpoint_of_one_file_makes_what_its_folder_makes(
    bases: Mapping[str, Path], tmp_path: Path, kind: str
) -> None:
    file = save_checkpoint(bases[kind], tmp_path / "ours.safetensors")
    config = without_weights(bases[kind], tmp_path / "config")
    settings = studio(tmp_path, folder=file, config=config)

    made = drawn(DiffusersGenerator(settings))

    folder = drawn(DiffusersGenerator(studio(tmp_path, folder=bases[kind])))
    # Weights lie elsewhere in memory, which turns the last digits.
    assert np.abs(made.pixels - folder.pixels).max() < 1e-4
    card = open_model(settings, "tiny")
    assert card.sha256 == sha256(file.read_bytes()).hexdigest()
    libraries = dict(DiffusersGenerator(settings).describe(order_of()).libraries)
    assert libraries["described by"] == card.beside
    settings_file = config / "scheduler" / "scheduler_config.json"
    settings_file.write_text(settings_file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert open_model(settings, "tiny").beside != card.beside


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"leave_out": "model.diffusion_model.out.2.bias"}, "The unet in ours.safetensors is not"),
        ({"leave_out": "first_stage_model.quant_conv.bias"}, "The vae in ours.safetensors is not"),
        (
            {"add": "model.diffusion_model.input_blocks.1.9.foreign"},
            "The unet in ours.safetensors is not .* of its",
        ),
        ({"add": "somebody.else"}, "belong to no part of a pipeline, such as somebody.else"),
    ],
)
def test_a_checkpoint_with_other_tensors_is_refused(
    bases: Mapping[str, Path], tmp_path: Path, change: Mapping[str, str], said: str
) -> None:
    file = save_checkpoint(bases["sd15"], tmp_path / "ours.safetensors", **change)
    generator = DiffusersGenerator(studio(tmp_path, folder=file, config=bases["sd15"]))

    with pytest.raises(ModelUnusable, match=said) as caught:
        make(generator)

    assert caught.value.advice


def test_a_checkpoint_is_described_by_a_folder_of_its_own_kind(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    file = save_checkpoint(bases["sdxl"], tmp_path / "ours.safetensors")
    other = save_checkpoint(bases["sd15"], tmp_path / "older.safetensors")

    for wrong, said in (
        ({"folder": file}, "whose settings and vocabularies are not named"),
        ({"folder": file, "config": tmp_path}, "are not in"),
        ({"folder": file, "config": bases["sd15"]}, "holds a text_encoder_2, which"),
        ({"folder": other.rename(tmp_path / "a.ckpt"), "config": bases["sd15"]}, "no .safetensors"),
    ):
        with pytest.raises(ModelUnusable, match=said) as caught:
            DiffusersGenerator(studio(tmp_path, **wrong)).describe(order_of())
        assert caught.value.advice

    (tmp_path / "a.ckpt").rename(other)
    with pytest.raises(ModelUnusable, match="is not what"):
        # Only the numbers tell that this file is no SDXL.
        make(DiffusersGenerator(studio(tmp_path, folder=other, config=bases["sdxl"])))


def with_loras(place: Path, base: Path, **files: Path) -> Settings:
    loras = {
        name: {"file": file, "trigger": f"{name} day", **TERMS} for name, file in files.items()
    }
    return studio(place, folder=base, loras=loras)


@pytest.mark.parametrize("kind", ["sd15", "sdxl"])
def test_loras_of_both_formats_act_as_strongly_as_they_are_weighted(
    bases: Mapping[str, Path], tmp_path: Path, kind: str
) -> None:
    # Of rank 4: with alpha 2 it acts half as strongly as with none.
    kohya = save_kohya_lora(bases[kind], tmp_path / "kohya.safetensors", alpha=2.0)
    plain = save_diffusers_lora(bases[kind], tmp_path / "plain.safetensors")
    generator = DiffusersGenerator(with_loras(tmp_path, bases[kind], kohya=kohya, plain=plain))
    without = drawn(generator).pixels

    half = drawn(generator, {"loras": "kohya:1.0"}).pixels

    assert np.abs(half - without).max() > 0.01
    assert np.abs(drawn(generator, {"loras": "plain:0.5"}).pixels - half).max() < 1e-3
    both = drawn(generator, {"loras": "kohya:0.5, plain:0.25"}).pixels
    assert np.abs(both - half).max() < 1e-3
    assert np.abs(drawn(generator, {"loras": "plain:1.0"}).pixels - half).max() > 0.01
    assert (drawn(generator, {"loras": "plain:0"}).pixels == without).all()
    assert (drawn(generator).pixels == without).all()


def test_the_record_names_each_lora_with_its_hash_and_its_words(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    file = save_diffusers_lora(bases["sd15"], tmp_path / "plain.safetensors")
    other = save_kohya_lora(bases["sd15"], tmp_path / "other.safetensors")
    settings = with_loras(tmp_path, bases["sd15"], plain=file, other=other)
    recipe = Recipe.model_validate({
        "prompt": "sea",
        "stages": [{"name": "gen1", "generator": "diffusers", "model": "tiny",
                    "options": {"loras": "plain:0.7", "steps": 2}}],
    })  # fmt: skip
    order = ProductionOrder(
        layout=tmp_path / "layout.png", layout_sha256="0" * 64, recipe=recipe, season="summer",
        time="day", place="", seed=1,
    )  # fmt: skip

    (plan,) = Production(settings).stages(order)

    assert dict(plan.libraries)["lora plain"] == sha256(file.read_bytes()).hexdigest()
    assert "lora other" not in dict(plan.libraries)
    assert plan.words == ("plain day",)
    assert dict(plan.order.options)["loras"] == "plain:0.7"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("nobody:0.5", "has no LoRA 'nobody'"),
        ("plain:much", "The option 'loras'"),
        ("plain:nan", "The option 'loras'"),
        ("plain, plain:0.5", "The option 'loras'"),
        (":1", "The option 'loras'"),
    ],
)
def test_loras_that_are_not_written_well_are_refused_before_anything_is_loaded(
    bases: Mapping[str, Path], tmp_path: Path, written: str, said: str
) -> None:
    file = save_diffusers_lora(bases["sd15"], tmp_path / "plain.safetensors")
    generator = DiffusersGenerator(with_loras(tmp_path, bases["sd15"], plain=file))

    with pytest.raises(SettingsError, match=said) as caught:
        generator.describe(order_of({"loras": written}))

    assert caught.value.advice


@pytest.mark.parametrize("foreign", ["unet.mid_block.no_such_layer", "transformer.blocks.0.attn"])
def test_a_lora_that_would_act_in_part_only_is_refused(
    bases: Mapping[str, Path], tmp_path: Path, foreign: str
) -> None:
    file = save_diffusers_lora(bases["sd15"], tmp_path / "plain.safetensors", foreign=foreign)
    generator = DiffusersGenerator(with_loras(tmp_path, bases["sd15"], plain=file))

    with pytest.raises(ModelUnusable, match=r"The LoRA 'plain' .* does not fit") as caught:
        make(generator, {"loras": "plain"})

    assert caught.value.advice


def test_a_lora_of_another_kind_of_model_is_refused(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    base = bases["sdxl"]
    for file in (
        save_diffusers_lora(base, tmp_path / "xl.safetensors"),
        save_kohya_lora(base, tmp_path / "xl-kohya.safetensors"),
    ):
        generator = DiffusersGenerator(with_loras(tmp_path, bases["sd15"], xl=file))

        with pytest.raises(ModelUnusable, match=r"LoRA 'xl' .* it reads 64 numbers a word, and"):
            generator.describe(order_of({"loras": "xl"}))
        assert generator.loads == 0


def test_a_lora_states_its_own_terms(bases: Mapping[str, Path], tmp_path: Path) -> None:
    file = save_diffusers_lora(bases["sd15"], tmp_path / "plain.safetensors")
    terms = {**TERMS, "commercial": "no"}
    settings = studio(tmp_path, folder=bases["sd15"], loras={"plain": {"file": file, **terms}})

    with pytest.raises(
        HaikeiError, match=r"LoRA 'plain' of the model 'tiny' .* forbids commercial"
    ):
        open_model(settings, "tiny", ("plain",))


def test_a_lora_that_changed_after_the_request_is_not_used(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    file = save_diffusers_lora(bases["sd15"], tmp_path / "plain.safetensors")
    settings = with_loras(tmp_path, bases["sd15"], plain=file)
    before = dict(DiffusersGenerator(settings).describe(order_of({"loras": "plain"})).libraries)

    save_diffusers_lora(bases["sd15"], file, seed=9)

    after = dict(DiffusersGenerator(settings).describe(order_of({"loras": "plain"})).libraries)
    assert after["lora plain"] != before["lora plain"]


def test_a_textual_inversion_acts_where_its_word_stands(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    file = save_embedding(tmp_path / "sky.safetensors")
    embedding = {"file": file, "word": "<our-sky>", **TERMS}
    settings = studio(tmp_path, folder=bases["sd15"], embeddings={"sky": embedding})
    taught = DiffusersGenerator(settings)
    plain = DiffusersGenerator(studio(tmp_path, folder=bases["sd15"]))

    assert make(taught, prompt="sea") == make(plain, prompt="sea")
    assert make(taught, prompt="<our-sky>") != make(plain, prompt="<our-sky>")
    assert open_model(settings, "tiny").sha256 != open_model(
        studio(tmp_path, folder=bases["sd15"]), "tiny"
    ).sha256  # fmt: skip


def test_a_textual_inversion_of_another_width_is_refused(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    cases = (("sd15", 64, "has 64 numbers a token"), ("sdxl", 32, "does not fit"))
    for kind, width, said in cases:
        file = save_embedding(tmp_path / f"{kind}.safetensors", width=width)
        embedding = {"file": file, "word": "<our-sky>", **TERMS}
        settings = studio(tmp_path, folder=bases[kind], embeddings={"sky": embedding})

        with pytest.raises(ModelUnusable, match=said):
            make(DiffusersGenerator(settings))


def test_another_vae_stands_in_for_the_models_own(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    other = tmp_path / "vae"
    shutil.copytree(bases["sd15"] / "vae", other)
    (weights,) = other.glob("*.safetensors")
    data = bytearray(weights.read_bytes())
    data[-64:] = bytes(64)
    weights.write_bytes(data)
    settings = studio(tmp_path, folder=bases["sd15"], vae=other)

    assert make(DiffusersGenerator(settings)) != make(
        DiffusersGenerator(studio(tmp_path, folder=bases["sd15"]))
    )
    assert any(name.startswith("vae_beside/") for name, _ in open_model(settings, "tiny").files)
    with pytest.raises(ModelUnusable, match="VAE folder of the model 'tiny' is not there"):
        open_model(studio(tmp_path, folder=bases["sd15"], vae=tmp_path / "gone"), "tiny")


def test_pickles_beside_safetensors_are_neither_read_nor_hashed(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    base = Path(shutil.copytree(bases["sd15"], tmp_path / "full"))
    before = open_model(studio(tmp_path, folder=base), "tiny")
    for part in ("unet", "vae", "text_encoder"):
        (base / part / "diffusion_pytorch_model.bin").write_bytes(b"\x80\x04not a model")

    assert open_model(studio(tmp_path, folder=base), "tiny") == before


def test_three_recipes_in_turn_on_one_worker_load_each_model_once(
    bases: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora = save_diffusers_lora(bases["sd15"], tmp_path / "plain.safetensors")
    generator = DiffusersGenerator(with_loras(tmp_path, bases["sd15"], plain=lora))
    loaded: list[str] = []

    def counting(card: ModelCard, *arguments: Any, **more: Any) -> Any:
        loaded.append(card.key)
        return load_pipeline(card, *arguments, **more)

    monkeypatch.setattr("haikei.generators.diffusers.pipeline.load_pipeline", counting)
    recipes: tuple[Options, ...] = ({}, {"loras": "plain:0.5"}, {"loras": "plain:1.0"})

    made = [[make(generator, recipe) for recipe in recipes] for _ in range(3)]

    assert len(loaded) == 3
    assert made[0] == made[1] == made[2]
    assert len(set(made[0])) == 3
