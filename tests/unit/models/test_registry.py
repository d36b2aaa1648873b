"""A model is used only when its licence, its data and its files are in order."""

import json
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from haikei.errors import ModelUnusable, PolicyRefusal, SettingsError
from haikei.models import ModelCard, model_from_folder, open_model
from support.models import TinyModel, build_tiny_model, tiny_settings


@pytest.fixture
def tiny(tmp_path: Path) -> TinyModel:
    return build_tiny_model(tmp_path / "models")


def opened(studio: Path, **entry: object) -> ModelCard:
    return open_model(tiny_settings(studio, {"tiny": entry}), "tiny")


def test_a_declared_model_gives_its_card(tiny: TinyModel, tmp_path: Path) -> None:
    card = opened(tmp_path, folder=tiny.base, controlnet=tiny.controlnet)

    assert (card.name, card.version, card.licence) == ("Tiny", "1", "Apache-2.0")
    assert card.controls == (tiny.controlnet,)
    files = dict(card.files)
    weights = "unet/diffusion_pytorch_model.safetensors"
    assert files[weights] == sha256((tiny.base / weights).read_bytes()).hexdigest()
    assert "controlnet/config.json" in files
    assert len(card.sha256) == 64


def test_the_hash_follows_every_file_that_decides_what_is_made(
    tiny: TinyModel, tmp_path: Path
) -> None:
    seen = {opened(tmp_path, folder=tiny.base).sha256}
    for name in ("unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json"):
        path = tiny.base / name
        data = bytearray(path.read_bytes())
        data[-3] ^= 1
        path.write_bytes(data)
        seen.add(opened(tmp_path, folder=tiny.base).sha256)

    assert len(seen) == 3
    (tiny.base / "picture.jpg").write_bytes(b"a sample")
    assert opened(tmp_path, folder=tiny.base).sha256 in seen


def test_the_same_files_in_another_place_have_the_same_hash(tmp_path: Path) -> None:
    one = build_tiny_model(tmp_path / "one")
    two = build_tiny_model(tmp_path / "two")

    assert (
        opened(tmp_path, folder=one.combined).sha256
        == opened(tmp_path, folder=two.combined).sha256
        != opened(tmp_path, folder=one.base).sha256
    )


def test_weights_are_not_read_again_for_each_job(tiny: TinyModel, tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, {"tiny": {"folder": tiny.base}})
    first = open_model(settings, "tiny")
    weights = tiny.base / "unet" / "diffusion_pytorch_model.safetensors"
    status = weights.stat()
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1

    with weights.open("r+b") as file:
        file.write(data)
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert open_model(settings, "tiny") == first
    (settings.studio.state / "model-hashes.json").write_text("[1]", encoding="utf-8")
    assert open_model(settings, "tiny").sha256 != first.sha256


def test_an_undeclared_model_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="anime-xl"):
        open_model(tiny_settings(tmp_path, {}), "anime-xl")


@pytest.mark.parametrize("field", ["licence", "data", "name", "version"])
def test_a_blank_statement_is_none(tiny: TinyModel, tmp_path: Path, field: str) -> None:
    with pytest.raises(ModelUnusable, match=field):
        opened(tmp_path, folder=tiny.base, **{field: "  "})


def test_a_non_commercial_model_needs_the_studios_word(tiny: TinyModel, tmp_path: Path) -> None:
    entry = {"folder": tiny.base, "commercial": "no", "licence": "CC-BY-NC-4.0"}
    settings = tiny_settings(tmp_path, {"tiny": entry})

    with pytest.raises(PolicyRefusal, match="CC-BY-NC"):
        open_model(settings, "tiny")

    policy = settings.policy.model_copy(update={"allow_non_commercial": True})
    assert open_model(settings.model_copy(update={"policy": policy}), "tiny").commercial == "no"
    assert opened(tmp_path, folder=tiny.base, commercial="conditional").name == "Tiny"


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 100)


def drop_weights(folder: Path) -> None:
    for path in folder.rglob("*.safetensors"):
        path.unlink()


def in_form(folder: Path, form: str) -> Path:
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    return weights.rename(weights.with_suffix(f".{form}.safetensors"))


def in_two_forms(folder: Path) -> None:
    weights = in_form(folder, "fp16")
    shutil.copy(weights, weights.with_name(weights.name.replace("fp16", "fp8")))


def link_out(folder: Path) -> None:
    outside = (folder / "vae").rename(folder.with_name("vae"))
    (folder / "vae").symlink_to(outside)


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (lambda folder: folder.rename(folder.with_name("away")), "not there"),
    "no index": (lambda folder: (folder / "model_index.json").unlink(), "model_index.json"),
    "bad index": (lambda folder: (folder / "model_index.json").write_text("{"), "cannot be read"),
    "no class": (lambda folder: (folder / "model_index.json").write_text("{}"), "pipeline class"),
    "part missing": (lambda folder: (folder / "vae").rename(folder / "other"), "'vae'"),
    "python": (lambda folder: (folder / "pipeline.py").write_text("print()"), "can run code"),
    "cut weights": (
        lambda folder: cut(folder / "unet" / "diffusion_pytorch_model.safetensors"),
        "incomplete",
    ),
    "empty weights": (
        lambda folder: (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b""),
        "incomplete",
    ),
    "no weights at all": (drop_weights, "no safetensors"),
    "one part's weights": (lambda folder: drop_weights(folder / "vae"), "vae holds no safetensors"),
    "two forms, none plain": (in_two_forms, "several forms: fp16, fp8"),
    "pickle only": (
        lambda folder: [path.rename(path.with_suffix(".bin")) for path in folder.rglob("*.safet*")],
        "can run code",
    ),
    "linked folder": (link_out, "link"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_unsafe_and_incomplete_folders_are_refused_with_a_reason(
    tiny: TinyModel, tmp_path: Path, harm: str
) -> None:
    act, said = HARMS[harm]
    act(tiny.base)

    with pytest.raises(ModelUnusable, match=said):
        opened(tmp_path, folder=tiny.base)


def test_what_stands_beside_the_parts_of_a_snapshot_is_left_alone(
    tiny: TinyModel, tmp_path: Path
) -> None:
    before = opened(tmp_path, folder=tiny.base)
    for name in ("unet/w.bin", "v1.CKPT", "v1.safetensors", "onnx/model.onnx", "unet/x.pt"):
        (tiny.base / name).parent.mkdir(exist_ok=True)
        (tiny.base / name).write_bytes(b"x")

    assert opened(tmp_path, folder=tiny.base).files == before.files


def test_a_checkpoint_of_one_file_needs_a_folder_that_describes_it(
    tiny: TinyModel, tmp_path: Path
) -> None:
    file = tiny.base / "unet" / "diffusion_pytorch_model.safetensors"

    with pytest.raises(ModelUnusable, match="is one file") as caught:
        opened(tmp_path, folder=file)

    assert "models.tiny.config" in (caught.value.advice or "")


def test_one_form_of_the_weights_is_read_and_hashed(tiny: TinyModel, tmp_path: Path) -> None:
    plain = opened(tmp_path, folder=tiny.base)
    half = in_form(tiny.base, "fp16")
    only = opened(tmp_path, folder=tiny.base)
    shutil.copy(half, half.with_name(half.name.replace(".fp16", "")))

    assert f"unet/{half.name}" in dict(only.files)
    assert opened(tmp_path, folder=tiny.base).sha256 == plain.sha256
    assert opened(tmp_path, folder=tiny.base, variant="fp16").sha256 == only.sha256
    with pytest.raises(ModelUnusable, match="no weights of the variant 'fp8'"):
        opened(tmp_path, folder=tiny.base, variant="fp8")


def test_files_that_are_links_count_as_their_target(tiny: TinyModel, tmp_path: Path) -> None:
    # The cache of huggingface_hub keeps every file so.
    before = opened(tmp_path, folder=tiny.base).sha256
    weights = tiny.base / "unet" / "diffusion_pytorch_model.safetensors"
    blob = weights.rename(tmp_path / "blob")
    weights.symlink_to(blob)

    assert opened(tmp_path, folder=tiny.base).sha256 == before


def test_controlnet_folders_are_held_to_the_same(tiny: TinyModel, tmp_path: Path) -> None:
    with pytest.raises(ModelUnusable, match="not there"):
        opened(tmp_path, folder=tiny.base, controlnet=tmp_path / "gone")
    with pytest.raises(ModelUnusable, match="beside it"):
        opened(tmp_path, folder=tiny.combined, controlnet=tiny.controlnet)
    (tiny.controlnet / "hook.py").touch()
    with pytest.raises(ModelUnusable, match="can run code"):
        opened(tmp_path, folder=tiny.base, controlnet=tiny.controlnet)
    (tiny.controlnet / "hook.py").unlink()
    (tiny.controlnet / "config.json").unlink()
    with pytest.raises(ModelUnusable, match="config"):
        opened(tmp_path, folder=tiny.base, controlnet=tiny.controlnet)


def test_expected_hashes_are_compared(tiny: TinyModel, tmp_path: Path) -> None:
    name = "unet/diffusion_pytorch_model.safetensors"
    good = sha256((tiny.base / name).read_bytes()).hexdigest()

    assert opened(tmp_path, folder=tiny.base, sha256={name: good}).name == "Tiny"
    with pytest.raises(ModelUnusable, match="not the file"):
        opened(tmp_path, folder=tiny.base, sha256={name: "0" * 64})
    with pytest.raises(ModelUnusable, match="no file"):
        opened(tmp_path, folder=tiny.base, sha256={"unet/other.safetensors": good})


CARD = """---
language: [en]
license: openrail++
license_link: https://example.org/licence
datasets:
- common-canvas
- 'studio-plates'
tags:
  - anime
---
# Tiny
"""


def test_a_model_card_declares_its_model(tiny: TinyModel) -> None:
    (tiny.base / "README.md").write_text(CARD, encoding="utf-8")

    model = model_from_folder(tiny.base, controlnet=tiny.controlnet)

    assert model.folder == tiny.base
    assert model.controlnet == (tiny.controlnet,)
    assert model.licence == "openrail++"
    assert str(model.licence_url) == "https://example.org/licence"
    assert model.commercial == "conditional"
    assert model.data == "As its model card says: common-canvas, studio-plates."
    assert model.name == "base"


def test_what_a_person_says_wins_over_the_card(tiny: TinyModel, tmp_path: Path) -> None:
    (tiny.base / "README.md").write_text(CARD, encoding="utf-8")

    model = model_from_folder(
        tiny.base, name="Ours", version="3", licence="MIT", data="Our own plates.",
        licence_url="https://example.org/mit", attribution="Studio",
    )  # fmt: skip

    assert (model.name, model.version, model.licence) == ("Ours", "3", "MIT")
    assert model.commercial == "yes"
    assert model.data == "Our own plates."
    assert opened(tmp_path, **model.model_dump()).attribution == "Studio"


@pytest.mark.parametrize("card", ["", "# No front matter\n", "---\nlicense: other\n---\n"])
def test_statements_that_nobody_made_are_asked_for_together(tiny: TinyModel, card: str) -> None:
    (tiny.base / "README.md").write_text(card, encoding="utf-8")

    with pytest.raises(ModelUnusable, match="licence, licence_url, commercial, data"):
        model_from_folder(tiny.base)


def test_a_statement_that_makes_no_sense_is_refused(tiny: TinyModel, tmp_path: Path) -> None:
    (tiny.base / "README.md").write_text(CARD, encoding="utf-8")

    with pytest.raises(ModelUnusable, match="licence_url"):
        model_from_folder(tiny.base, licence_url="somewhere")
    with pytest.raises(ModelUnusable, match="no model folder"):
        model_from_folder(tmp_path / "gone")
    (tiny.base / "model_index.json").write_text(json.dumps({"a": 1}), encoding="utf-8")
    with pytest.raises(ModelUnusable, match="pipeline class"):
        model_from_folder(tiny.base)
