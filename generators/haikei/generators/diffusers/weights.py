"""
The parts of a pipeline, loaded from local safetensors: every tensor of a file reaches its class,
and every weight of a class comes from a file, or the model is refused.
"""

import json
import os
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from haikei.errors import ModelUnusable
from haikei.generators.diffusers.families import Family
from haikei.models import (
    DROPPED,
    WEIGHTS,
    EmbeddingCard,
    IpAdapterCard,
    LoraCard,
    ModelCard,
    variant_of,
)

#: Tensors that text encoders were once saved with and that are counted, not learnt, or unused.
_COUNTED = re.compile(r"(position_ids|logit_scale|embed_tokens\.weight)$")


def load_pipeline(
    card: ModelCard,
    family: Family,
    *,
    torch: ModuleType,
    diffusers: ModuleType,
    precision: str,
    lora_weights: Mapping[str, float],
) -> Any:
    """
    Return the family's pipeline with this model's weights, on the CPU.

    Args:
        card: the model.
        family: of the model.
        torch: the library.
        diffusers: the library.
        precision: the number format, as torch names it.
        lora_weights: how strongly each LoRA of the card acts, by name.

    Raises:
        ModelUnusable: the weights are not those of their classes.
    """
    common = {
        "use_safetensors": True,
        "local_files_only": True,
        "dtype": getattr(torch, precision),
    }
    described = json.loads((card.folder / "model_index.json").read_text(encoding="utf-8"))
    # Left out where the model has none: a class is asked for what its folder names.
    parts = {
        name: value
        for name, value in family.load.items()
        if name in described or name != "safety_checker"
    }
    if card.vae is not None:
        kind = str(_config(card.vae).get("_class_name", "AutoencoderKL"))
        weights = [one for one, _ in card.files if one.startswith("vae_beside/")]
        first = next(one for one in weights if one.endswith(WEIGHTS))
        parts["vae"] = whole_part(getattr(diffusers, kind), card.vae, "vae", first, common)
    libraries = {"diffusers": diffusers, "transformers": offline_transformers()}
    # Part by part, since a whole pipeline drops weights that its classes do not know and
    # makes up those that it misses, and says neither.
    for name, value in described.items():
        if name in {*parts, "controlnet"} or not isinstance(value, list):
            continue
        library, kind = value
        if kind in DROPPED:
            parts[name] = None
            continue
        if name in card.held:
            known = _class(card, libraries[library], name, kind)
            parts[name] = _from_checkpoint(card, known, name, common["dtype"])
            continue
        names = [one for one, _ in card.files if one.startswith(f"{name}/")]
        weights = [one for one in names if one.endswith(WEIGHTS)]
        if weights and library in libraries:
            known = _class(card, libraries[library], name, kind)
            parts[name] = whole_part(known, card.folder / name, name, weights[0], common)
    if card.controls:
        known = getattr(diffusers, family.control)
        nets: list[Any] = []
        for number, folder in enumerate(card.controls):
            name = f"controlnet_{number}" if number else "controlnet"
            weights = [one for one, _ in card.files if one.startswith(f"{name}/")]
            first = next(one for one in weights if one.endswith(WEIGHTS))
            nets.append(whole_part(known, folder, name, first, common))
        several = getattr(diffusers, family.controls) if family.controls else None
        parts["controlnet"] = several(nets) if several and len(nets) > 1 else nets[0]
    pipe = getattr(diffusers, family.pipeline).from_pretrained(card.folder, **common, **parts)
    for embedding in card.embeddings:
        _teach_word(pipe, card.key, embedding)
    if card.ip_adapter is not None:
        _add_adapter(pipe, card.key, card.ip_adapter, common)
    for lora in card.loras:
        _fuse(pipe, card.key, lora, lora_weights[lora.name], torch)
    return pipe


def offline_transformers() -> ModuleType:
    """
    Return the library, set to ask no network and to log nothing.

    Raises:
        ImportError: it is not installed.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    transformers = import_module("transformers")
    speech = import_module("transformers.utils.logging")
    speech.set_verbosity_error()
    speech.disable_progress_bar()
    return transformers


def folder_tokenizer(card: ModelCard, family: Family) -> Any:
    """
    Return the tokenizer that decides what of a prompt is read, from the model's folder alone.

    No weights are read. None where the model has no such part.

    Raises:
        ImportError: a package is not installed.
        ModelUnusable: its vocabulary cannot be read.
    """
    described = json.loads((card.folder / "model_index.json").read_text(encoding="utf-8"))
    library, kind = described.get(family.tokenizer) or ("", "")
    if library != "transformers":
        return None
    transformers = offline_transformers()
    folder = card.folder / family.tokenizer
    try:
        found = getattr(transformers, kind).from_pretrained(folder, local_files_only=True)
    except Exception as error:
        raise ModelUnusable(
            f"The vocabulary in {folder} ({kind}) cannot be read: {error}",
            advice="Download the model's settings (*.json, *.txt, *.model) again.",
        ) from error
    # A pipeline that was taught a word reads it as one token.
    found.add_tokens([one.word for one in card.embeddings])
    return found


def _class(card: ModelCard, library: ModuleType, name: str, kind: str) -> Any:
    found = getattr(library, kind, None)
    if found is None:
        raise ModelUnusable(
            f"The {name} of the model {card.key!r} is a {kind}, which the installed "
            f"{library.__name__} {library.__version__} does not have.",
            advice=f"Install a version of {library.__name__} that has it.",
        )
    return found


def whole_part(kind: Any, folder: Path, name: str, first: str, common: Mapping[str, Any]) -> Any:
    """
    Load one part and make sure that its weights are those that its class asks for.

    Args:
        kind: its class.
        folder: that holds it.
        name: of the part, for messages.
        first: one of its weight files, whose name tells the variant.
        common: what every part is loaded with.

    Raises:
        ModelUnusable: they are not.
    """
    part, said = kind.from_pretrained(
        folder, **common, variant=variant_of(first) or None, output_loading_info=True
    )
    for fault, keys in (
        ("lacks", said["missing_keys"]),
        # Positions were once saved with the text encoder; they are counted, not learnt.
        ("does not know", [k for k in said["unexpected_keys"] if not k.endswith("position_ids")]),
        ("finds in another shape", [str(key) for key in said["mismatched_keys"]]),
    ):
        if keys:
            raise ModelUnusable(
                f"The weights in {folder} are not those of the class {kind.__name__}, which "
                f"{fault} {len(keys)} of them, such as {min(keys)}.",
                advice=f"Download {name!r} again, with the config.json that belongs to it.",
            )
    return part


def _from_checkpoint(card: ModelCard, kind: Any, name: str, dtype: Any) -> Any:
    """Load one part out of a checkpoint of one file; diffusers maps the names of its tensors."""
    converting = import_module("diffusers.loaders.single_file_utils")
    original = import_module("diffusers.loaders.single_file_model").FromOriginalModelMixin
    unread = set(converting.SD_2_TEXT_ENCODER_KEYS_TO_IGNORE)
    opened = import_module("safetensors").safe_open
    with opened(card.checkpoint, framework="pt") as file:
        tensors = {one: file.get_tensor(one) for one in card.held[name]}
    given = sum(
        tensor.numel()
        for one, tensor in tensors.items()
        if not _COUNTED.search(one) and one not in unread
    )
    asked: dict[str, Any] = {
        "config": str(card.folder), "subfolder": name, "torch_dtype": dtype,
        "local_files_only": True,
    }  # fmt: skip
    try:
        if issubclass(kind, original):
            part = kind.from_single_file(tensors, **asked)
        elif converting.is_t5_in_single_file(tensors):
            part = converting.create_diffusers_t5_model_from_checkpoint(kind, tensors, **asked)
        else:
            part = converting.create_diffusers_clip_model_from_ldm(kind, tensors, **asked)
        lacking = sorted(
            one for one, tensor in part.state_dict().items() if tensor.device.type == "meta"
        )
    except (KeyError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _foreign(card, kind, name, f"does not find itself in it: {error}") from error
    if lacking:
        raise _foreign(
            card, kind, name, f"lacks {len(lacking)} tensors there, such as {lacking[0]}"
        )
    # Names change on the way and one tensor may become three, but each number stays one.
    taken = sum(tensor.numel() for tensor in part.state_dict().values())
    if given > taken:
        raise _foreign(card, kind, name, f"takes {taken} of its {given} numbers")
    return part.to(dtype)


def _foreign(card: ModelCard, kind: Any, name: str, fault: str) -> ModelUnusable:
    file = "" if card.checkpoint is None else card.checkpoint.name
    return ModelUnusable(
        f"The {name} in {file} is not what {card.folder} describes: {kind.__name__} {fault}.",
        advice=f"Name as models.{card.key}.config the folder of the model that this file was "
        "trained from.",
    )


def _teach_word(pipe: Any, model: str, embedding: EmbeddingCard) -> None:
    tensors = import_module("safetensors.torch").load_file(embedding.file)
    encoders = {
        "clip_l": ("text_encoder", "tokenizer"),
        "clip_g": ("text_encoder_2", "tokenizer_2"),
    }
    if len(tensors) == 1:
        ((_, tensor),) = tensors.items()
        tensors = {"clip_l": tensor}
    wanted = {one for one, (part, _) in encoders.items() if getattr(pipe, part, None) is not None}
    if set(tensors) != wanted:
        raise ModelUnusable(
            f"The embedding {embedding.word!r} ({embedding.file.name}) does not fit the model "
            f"{model!r}: it holds {', '.join(sorted(tensors))}, for {', '.join(sorted(wanted))}.",
            advice="Use one that was trained for this kind of model.",
        )
    for name, tensor in tensors.items():
        encoder, tokenizer = (getattr(pipe, part) for part in encoders[name])
        width = encoder.get_input_embeddings().weight.shape[-1]
        if tensor.shape[-1] != width:
            raise ModelUnusable(
                f"The embedding {embedding.word!r} has {tensor.shape[-1]} numbers a token, where "
                f"the model {model!r} has {width}.",
                advice="Use one that was trained for this kind of model.",
            )
        pipe.load_textual_inversion(
            {embedding.word: tensor}, token=embedding.word, text_encoder=encoder,
            tokenizer=tokenizer,
        )  # fmt: skip


def _add_adapter(pipe: Any, model: str, adapter: IpAdapterCard, common: Mapping[str, Any]) -> None:
    """Make the pipeline look at pictures; every tensor of the adapter must find its layer."""
    kind = import_module("transformers").CLIPVisionModelWithProjection
    first = next(name for name, _ in adapter.files if name.startswith("ip_adapter/"))
    encoder = whole_part(kind, adapter.encoder, "ip_adapter.encoder", first, common)
    tensors = import_module("safetensors.torch").load_file(adapter.file)
    parts: dict[str, dict[str, Any]] = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in tensors.items():
        part, _, inner = name.partition(".")
        if part not in parts:
            raise _unfit_adapter(model, adapter, f"{name} is of no part of one")
        parts[part][inner] = tensor
    # Two projections, of keys and of values, for each layer that reads the prompt.
    layers = sum("attn2" in name for name in pipe.unet.attn_processors)
    if len(parts["ip_adapter"]) != 2 * layers or not parts["image_proj"]:
        raise _unfit_adapter(
            model, adapter, f"it is for {len(parts['ip_adapter']) // 2} layers, not {layers}"
        )
    pipe.register_modules(image_encoder=encoder)
    try:
        pipe.load_ip_adapter(parts, subfolder="", weight_name="", image_encoder_folder=None)
    except (KeyError, RuntimeError, ValueError) as error:
        raise _unfit_adapter(model, adapter, str(error)) from error


def _unfit_adapter(model: str, adapter: IpAdapterCard, fault: str) -> ModelUnusable:
    return ModelUnusable(
        f"The IP-Adapter {adapter.file.name} does not fit the model {model!r}: {fault}.",
        advice="Use one that was trained for this kind of model, with the image encoder that it "
        "was trained with.",
    )


#: How the two halves of a LoRA's layer are named by whoever saved it.
_HALF = re.compile(r"^(?P<layer>.+?)[._](?:lora[._])?(?P<half>A|B|down|up)(?:\.default)?\.weight$")
_PARTS = ("unet", "transformer", "text_encoder_2", "text_encoder")


def _fuse(pipe: Any, model: str, lora: LoraCard, strength: float, torch: ModuleType) -> None:
    """
    Add a LoRA to the weights that it changes; diffusers maps kohya's names.

    Every tensor of it must find its layer: what acted in part only would be recorded as whole.
    """
    tensors = import_module("safetensors.torch").load_file(lora.file)
    foreign = sorted(one for one in tensors if "dora_scale" in one or ".hada_" in one)
    if foreign:
        raise _unfit(model, lora, f"it is no plain LoRA: it holds {foreign[0]}")
    found = type(pipe).lora_state_dict(dict(tensors), **_block_names(pipe))
    named, alphas = found if isinstance(found, tuple) else (found, None)
    given = {**(alphas or {}), **{key: one for key, one in named.items() if key.endswith(".alpha")}}
    strengths: dict[str, float] = {}
    for key, value in given.items():
        name = key.removesuffix(".alpha")
        match = _HALF.match(name)
        strengths[match["layer"] if match else name] = float(value)
    halves: dict[str, dict[str, Any]] = {}
    for key, tensor in named.items():
        if key.endswith(".alpha"):
            continue
        match = _HALF.match(key)
        if match is None:
            raise _unfit(model, lora, f"{key} is no half of a layer")
        half = "down" if match["half"] in {"A", "down"} else "up"
        halves.setdefault(match["layer"], {})[half] = tensor
    if not halves:
        raise _unfit(model, lora, "no tensor of it is a half of a layer")
    if lost := sorted(set(strengths) - set(halves)):
        raise _unfit(model, lora, f"{lost[0]} has a strength and no halves")
    with torch.no_grad():
        for layer, pair in halves.items():
            weight = _weight_of(pipe, model, lora, layer)
            if set(pair) != {"down", "up"}:
                raise _unfit(model, lora, f"{layer} has one half only")
            down, up = pair["down"].float(), pair["up"].float()
            rank = down.shape[0]
            scale = strength * strengths.get(layer, float(rank)) / rank
            change = up.flatten(1) @ down.flatten(1)
            if change.numel() != weight.numel():
                raise _unfit(model, lora, f"{layer} has another shape there")
            weight += (scale * change).reshape(weight.shape).to(weight)


def _block_names(pipe: Any) -> dict[str, Any]:
    # SDXL's LoRAs number blocks as the original code did; the UNet's settings say which is which.
    unet = getattr(pipe, "unet", None)
    return {} if unet is None else {"unet_config": unet.config}


def _weight_of(pipe: Any, model: str, lora: LoraCard, layer: str) -> Any:
    part, _, inner = layer.partition(".")
    module = getattr(pipe, part, None) if part in _PARTS else None
    if module is None:
        raise _unfit(model, lora, f"the model has no {layer}")
    inner = inner.replace(".processor", "")
    inner = re.sub(r"\.to_(q|k|v|out)_lora$", r".to_\1", inner)
    if part.startswith("text_encoder"):
        inner = re.sub(r"self_attn\.to_(q|k|v|out)$", r"self_attn.\1_proj", inner)
    # Text encoders lost a level of their names in newer transformers.
    for name in (inner, inner.removeprefix("text_model."), f"{inner}.0"):
        try:
            found = module.get_submodule(name)
        except AttributeError:
            continue
        if getattr(found, "weight", None) is not None:
            return found.weight
    raise _unfit(model, lora, f"the model has no {layer}")


def _unfit(model: str, lora: LoraCard, fault: str) -> ModelUnusable:
    return ModelUnusable(
        f"The LoRA {lora.name!r} ({lora.file.name}) does not fit the model {model!r}: {fault}.",
        advice="Use one that was trained for this kind of model, or leave it out of the stage's "
        "option `loras`.",
    )


def _config(folder: Path) -> Mapping[str, object]:
    data = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return data if isinstance(data, dict) else {}
