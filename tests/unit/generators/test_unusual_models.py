"""Models as people have them: what cannot be run as it is, is refused before anything is loaded."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from haikei.errors import HaikeiError, ModelUnusable, SettingsError
from haikei.generators import StageOrder
from haikei.generators.diffusers.generator import DiffusersGenerator
from support.models import build_controlnet, build_family, tiny_settings

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
INDEX = f"{WEIGHTS}.index.json"


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("bases")
    return {kind: build_family(kind, folder / kind) for kind in ("sd15", "sdxl", "z-image")}


def describe(folder: Path, entry: Mapping[str, object], **options: str | int) -> tuple[str, ...]:
    generator = DiffusersGenerator(tiny_settings(folder, {"tiny": entry}))
    order = StageOrder(generator="diffusers", model="tiny", options=tuple(options.items()))
    described = generator.describe(order)
    assert generator.loads == 0
    return described.notes


def lose(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def name_part(part: str, *value: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        index = folder / "model_index.json"
        index.write_text(json.dumps({**json.loads(index.read_text()), part: list(value)}))

    return change


def lose_vocabulary(folder: Path) -> None:
    for file in (folder / "tokenizer").iterdir():
        if file.name != "tokenizer_config.json":
            file.unlink()


def split(*there: str, index: bool) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        weights = folder / WEIGHTS
        for name in there:
            shutil.copy(weights, weights.with_name(f"diffusion_pytorch_model-{name}.safetensors"))
        weights.unlink()
        parts = {
            name: f"diffusion_pytorch_model-{name}.safetensors"
            for name in ("00001-of-00002", "00002-of-00002")
        }
        if index:
            (folder / INDEX).write_text(json.dumps({"weight_map": parts}))

    return change


def spoil_index(folder: Path) -> None:
    split("00001-of-00002", index=False)(folder)
    (folder / INDEX).write_text("[]")


def point(folder: Path) -> None:
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n"
    (folder / WEIGHTS).write_text(text)


FOLDERS: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "a network without its settings": (
        lose("unet/config.json"), r"its unet \(UNet2DConditionModel\) has no config.json",
    ),
    "a VAE without its settings": (
        lose("vae/config.json"), r"its vae \(AutoencoderKL\) has no config.json",
    ),
    "a sampler without its settings": (
        lose("scheduler/scheduler_config.json"), "names 'scheduler', which is not there",
    ),
    "a tokenizer without its vocabulary": (
        lose_vocabulary, "has no tokenizer.json nor another vocabulary",
    ),
    "a shard that is not there": (
        split("00001-of-00002", index=True), "00002-of-00002.safetensors is not there",
    ),
    "shards without their index": (
        split("00001-of-00002", "00002-of-00002", index=False), "whose index .* does not name it",
    ),
    "an index that is none": (
        spoil_index,
        "index.json cannot be read",
    ),
    "a part of a package of its own": (
        name_part("unet", "fancy_unet", "FancyUNet"), "is of the package 'fancy_unet'",
    ),
    "a package outside of the library": (
        name_part("unet", "../../evil", "FancyUNet"), r"is of the package '../../evil'",
    ),
    "a part of a class that transformers does not have": (
        name_part("text_encoder", "transformers", "CLIPTextFancy"),
        r"text_encoder of .* is a CLIPTextFancy, which the installed transformers \d+\..* does not",
    ),
    "a sampler of a class that diffusers does not have": (
        name_part("scheduler", "diffusers", "FancyScheduler"),
        r"scheduler of .* is a FancyScheduler, which the installed diffusers \d+\..* does not",
    ),
    "a tokenizer of a class that nobody has": (
        name_part("tokenizer", "transformers", "FancyTokenizerFast"),
        "is a FancyTokenizerFast, which the installed transformers",
    ),
    "a pointer in the place of weights": (
        point, "is damaged or incomplete",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_lacks_what_its_classes_need_is_refused_by_name(
    bases: Mapping[str, Path], tmp_path: Path, name: str
) -> None:
    change, said = FOLDERS[name]
    folder = shutil.copytree(bases["sd15"], tmp_path / "model")
    change(folder)

    with pytest.raises(ModelUnusable, match=said):
        describe(tmp_path, {"folder": folder})


@pytest.mark.parametrize(("base", "other"), [("sdxl", "sd15"), ("sd15", "sdxl")])
def test_a_controlnet_of_another_kind_of_model_with_the_same_class_is_refused(
    bases: Mapping[str, Path], tmp_path: Path, base: str, other: str
) -> None:
    control = build_controlnet(bases[other], tmp_path / "control")

    with pytest.raises(ModelUnusable, match="made for another kind of model: cross_attention_dim"):
        describe(tmp_path, {"folder": bases[base], "controlnet": control})


def test_a_vae_of_another_kind_of_model_is_refused(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(ModelUnusable, match="its latent_channels is 16, not 4"):
        describe(tmp_path, {"folder": bases["sd15"], "vae": bases["z-image"] / "vae"})
    scaled = shutil.copytree(bases["sd15"] / "vae", tmp_path / "scaled")
    config = json.loads((scaled / "config.json").read_text())
    (scaled / "config.json").write_text(json.dumps({**config, "scaling_factor": 0.13025}))
    # It would run, and paint wrong colours.
    with pytest.raises(ModelUnusable, match=r"its scaling_factor is 0\.13025, not 0\.18215"):
        describe(tmp_path, {"folder": bases["sd15"], "vae": scaled})


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("sd15", {"scheduler": "dpm++ 2m karras"}, "one of ddim, dpmpp_2m"),
        ("z-image", {"scheduler": "dpmpp_2m"}, "one of euler for Z-Image"),
        ("sd15", {"true_cfg": 2}, "takes no option 'true_cfg'"),
        ("z-image", {"control_scale": 1}, "takes no option 'control_scale'"),
        ("sd15", {"steps": "many"}, "a value of type int"),
    ],
)
def test_an_option_of_another_kind_of_model_is_refused(
    bases: Mapping[str, Path],
    tmp_path: Path,
    kind: str,
    options: Mapping[str, str | int],
    said: str,
) -> None:
    with pytest.raises(SettingsError, match=said):
        describe(tmp_path, {"folder": bases[kind]}, **options)


def test_what_is_no_model_folder_is_said_to_be_none(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    for entry, said in (
        ({"folder": bases["sd15"].parent}, "it has no model_index.json"),
        ({"folder": bases["sd15"] / "unet"}, "it has no model_index.json"),
        ({"folder": bases["sd15"], "controlnet": bases["sd15"]}, "is no ControlNet folder"),
        ({"folder": bases["sd15"], "controlnet": bases["sd15"] / "unet"}, "UNet2DConditionModel"),
    ):
        with pytest.raises(HaikeiError, match=said):
            describe(tmp_path, entry)


@pytest.mark.parametrize("name", ["CLIPTokenizer", "CLIPTokenizerFast"])
def test_a_tokenizer_under_the_name_that_it_once_had_is_taken(
    bases: Mapping[str, Path], tmp_path: Path, name: str
) -> None:
    folder = shutil.copytree(bases["sd15"], tmp_path / "model")
    name_part("tokenizer", "transformers", name)(folder)

    assert not any("too long" in note for note in describe(tmp_path, {"folder": folder}))


def test_a_pipeline_that_the_library_lacks_is_named_before_anything_is_loaded(
    bases: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def has(_: str, kind: str) -> bool:
        return kind != "ZImageImg2ImgPipeline"

    monkeypatch.setattr("haikei.generators.diffusers.families.library_has", has)

    with pytest.raises(SettingsError, match="ZImageImg2ImgPipeline, which the installed diffusers"):
        describe(tmp_path, {"folder": bases["z-image"]})
