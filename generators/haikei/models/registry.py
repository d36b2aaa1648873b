"""
Turn a model's card and its entry in the settings into a model that may be used, or
say why not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from haikei.errors import ModelUnusable, PolicyRefusal, SettingsError
from haikei.models.folder import (
    WEIGHTS,
    HashMemory,
    checkpoint_parts,
    combined,
    controlnet_files,
    controls_within,
    part_settings,
    pipeline_files,
    tensor_names,
    tensor_shapes,
)
from haikei.settings import DataClass, IpAdapter, Model, Settings, Terms

#: Stands before the relative paths of a model's separate ControlNet folder, and with a number
#: from 1 before those of the ones after it.
CONTROLNET = "controlnet"
VAE = "vae_beside"
EMBEDDINGS = "embeddings"
LORAS = "loras"
IP_ADAPTER = "ip_adapter"
_MEMORY = "model-hashes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraCard:
    """One LoRA that was checked."""

    name: str  #: in the model's table `loras`
    file: Path
    trigger: str  #: words that it was trained with
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IpAdapterCard:
    """An IP-Adapter that was checked, with its image encoder."""

    file: Path
    encoder: Path
    sha256: str  #: one hash over its weights and all of the encoder's files
    files: tuple[tuple[str, str], ...]  #: those of the encoder, as in `ModelCard`


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingCard:
    """One textual inversion that was checked."""

    word: str  #: that stands for it in prompts
    file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One model that was checked: what it is, where it is, and what it may be used for."""

    key: str  #: its name in the settings
    folder: Path  #: of a checkpoint of one file, the folder that describes it
    checkpoint: Path | None  #: that file; None where the folder holds the weights
    held: Mapping[str, tuple[str, ...]]  #: names of that file's tensors by part
    controls: tuple[Path, ...]  #: folders of ControlNets, separate or within
    vae: Path | None  #: a folder that stands in for the model's own
    loras: tuple[LoraCard, ...]  #: those that were asked for
    ip_adapter: IpAdapterCard | None  #: where it was asked for
    embeddings: tuple[EmbeddingCard, ...]
    memory: Literal["auto", "whole", "tiled", "offloaded"]  #: how it is fitted into a GPU's
    pipeline: str  #: the class in diffusers that the settings name; empty: by the folder
    name: str
    version: str
    licence: str
    licence_url: str
    commercial: Literal["yes", "no", "conditional"]
    data: str
    attribution: str
    #: One hash over all weight, configuration and vocabulary files, LoRAs apart; of a checkpoint
    #: of one file with nothing beside it, that file's own.
    sha256: str
    beside: str  #: one hash over what describes a checkpoint of one file; else empty
    files: tuple[tuple[str, str], ...]  #: relative path and SHA-256, sorted by path
    size: int  #: of its weight files, in bytes


def open_model(
    settings: Settings, key: str, loras: tuple[str, ...] = (), *, referring: bool = False
) -> ModelCard:
    """
    Check a model's declaration and files, without loading it, and return its card.

    Args:
        settings: the studio's.
        key: the model's name in them.
        loras: names of those of its LoRAs that it is to be run with.
        referring: whether it is to look at a picture, by its IP-Adapter where it has one.

    Raises:
        SettingsError: there is no such model, or it has no such LoRA.
        ModelUnusable: its folder is missing, incomplete, unsafe, or not the one expected.
        PolicyRefusal: its licence does not allow what the studio does.
    """
    model = settings.models.get(key)
    if model is None:
        known = ", ".join(sorted(settings.models)) or "none"
        raise SettingsError(
            f"There is no model {key!r}.", advice=f"Declare it as [models.{key}]; known: {known}."
        )
    _check_declaration(settings, key, model)
    unknown = sorted(set(loras) - set(model.loras))
    if unknown:
        raise SettingsError(
            f"The model {key!r} has no LoRA {', '.join(map(repr, unknown))}.",
            advice=f"Declare it as [models.{key}.loras.{unknown[0]}]; known: "
            f"{', '.join(sorted(model.loras)) or 'none'}.",
        )
    one_file = model.folder.is_file()
    held = _held(key, model) if one_file else {}
    folder = model.config if one_file and model.config is not None else model.folder
    paths = _files(key, model, held)
    hashes = _hashes(settings, paths)
    added = _hashes(settings, {name: _weights(key, model.loras[name].file) for name in loras})
    adapter = _adapter(settings, key, model.ip_adapter) if referring and model.ip_adapter else None
    _compare(
        key,
        model,
        {
            **hashes,
            **{f"{LORAS}/{name}": one for name, one in added.items()},
            **dict(adapter.files if adapter else ()),
        },
    )
    controls = model.controlnet or controls_within(folder)
    beside = {name: one for name, one in hashes.items() if name != model.folder.name}
    alone = one_file and not any(name.endswith(WEIGHTS) for name in beside)
    return ModelCard(
        key=key,
        folder=folder,
        checkpoint=model.folder if one_file else None,
        held=held,
        controls=controls,
        vae=model.vae,
        loras=tuple(
            LoraCard(
                name=name,
                file=model.loras[name].file,
                trigger=model.loras[name].trigger,
                sha256=added[name],
            )
            for name in loras
        ),
        ip_adapter=adapter,
        embeddings=tuple(
            EmbeddingCard(word=one.word, file=one.file) for one in model.embeddings.values()
        ),
        memory=model.memory,
        pipeline=model.pipeline,
        name=model.name,
        version=model.version,
        licence=model.licence,
        licence_url=str(model.licence_url),
        commercial=model.commercial,
        data=model.data,
        attribution=model.attribution,
        sha256=hashes[model.folder.name] if alone else combined(hashes),
        beside=combined(beside) if alone else "",
        files=tuple(sorted(hashes.items())),
        size=sum(path.stat().st_size for name, path in paths.items() if name.endswith(WEIGHTS)),
    )


#: What a ControlNet's settings share with those of what it guides.
_SHARED = ("cross_attention_dim", "block_out_channels", "joint_attention_dim")


def require_fitting(card: ModelCard) -> None:
    """
    Make sure that what stands beside a model was made for this kind of model.

    The classes alone do not say it: those of Stable Diffusion 1.5 and SDXL are the same.

    Raises:
        ModelUnusable: it was not.
    """
    key, folder = card.key, card.folder
    guided = part_settings(folder / "unet") or part_settings(folder / "transformer")
    for control in card.controls:
        guide = part_settings(control)
        unlike = [
            f"{name} is {guide[name]}, not {guided[name]}"
            for name in _SHARED
            if guide.get(name) and guided.get(name) and guide[name] != guided[name]
        ]
        if guide.get("addition_embed_type") != guided.get("addition_embed_type"):
            unlike.append("one of them reads the size of the picture and the other does not")
        if unlike:
            raise ModelUnusable(
                f"The ControlNet {control.name} of the model {key!r} was made for another kind "
                f"of model: {unlike[0]}.",
                advice="Name one for this kind: those of Stable Diffusion 1.5, 2 and SDXL are not "
                "the same.",
            )
    _require_vae(key, folder, card.vae)
    for lora in card.loras:
        _require_lora(key, lora, guided, unet=(folder / "unet").is_dir())


#: What reads the prompt in a LoRA for a UNet: its first half has a number for each of the words'.
_READS_WORDS = re.compile(r"attn2[._]to_[kv][._](?:lora[._])?(?:lora_)?(?:down|A)\.weight$")
#: What begins the names of a LoRA's layers of a transformer.
_OF_TRANSFORMERS = ("transformer.", "lora_transformer_", "lora_unet_double_blocks")


def _require_lora(key: str, lora: LoraCard, guided: Mapping[str, object], *, unet: bool) -> None:
    """
    Make sure of what a LoRA's file says of the kind of model; each layer is compared on loading.
    """
    shapes = tensor_shapes(lora.file)
    fault = ""
    if unet and any(name.startswith(_OF_TRANSFORMERS) for name in shapes):
        fault = "it is for a transformer, and this model is a UNet"
    wanted = guided.get("cross_attention_dim")
    for name, shape in shapes.items():
        reads = unet and isinstance(wanted, int) and _READS_WORDS.search(name)
        if reads and len(shape) > 1 and shape[1] != wanted:
            fault = f"it reads {shape[1]} numbers a word, and this model {wanted}"
    if not unet and any(name.startswith(("unet.", "lora_unet_down")) for name in shapes):
        fault = "it is for a UNet, and this model is a transformer"
    if fault:
        raise ModelUnusable(
            f"The LoRA {lora.name!r} ({lora.file.name}) does not fit the model {key!r}: {fault}.",
            advice="Use one that was trained for this kind of model, or leave it out of the "
            "stage's option `loras`.",
        )


def _require_vae(key: str, folder: Path, vae: Path | None) -> None:
    own = part_settings(folder / "vae")
    if vae is None or not own:
        return
    other = part_settings(vae)
    names = ["latent_channels", "z_dim"]
    if other.get("_class_name") == own.get("_class_name"):
        # Of another class the numbers are scaled in its own way.
        names.append("scaling_factor")
    for name in names:
        if own.get(name) != other.get(name):
            raise ModelUnusable(
                f"The VAE {vae.name} of the model {key!r} was made for another kind of "
                f"model: its {name} is {other.get(name)}, not {own.get(name)}.",
                advice=f"Correct models.{key}.vae.",
            )


def _adapter(settings: Settings, key: str, adapter: IpAdapter) -> IpAdapterCard:
    if not adapter.encoder.is_dir():
        raise ModelUnusable(
            f"The image encoder of the model {key!r} is not there: {adapter.encoder}.",
            advice=f"Put it there, or correct models.{key}.ip_adapter.encoder.",
        )
    own = controlnet_files(adapter.encoder, kind="image encoder")
    paths = {
        f"{IP_ADAPTER}{WEIGHTS}": _weights(key, adapter.file),
        **{f"{IP_ADAPTER}/{name}": path for name, path in own.items()},
    }
    hashes = _hashes(settings, paths)
    return IpAdapterCard(
        file=adapter.file,
        encoder=adapter.encoder,
        sha256=combined(hashes),
        files=tuple(sorted(hashes.items())),
    )


def _check_declaration(settings: Settings, key: str, model: Model) -> None:
    for field in ("name", "version", "licence", "data"):
        if not getattr(model, field).strip():
            raise ModelUnusable(
                f"The model {key!r} has no {field} statement.",
                advice=f"Write models.{key}.{field}; without it the model is not used.",
            )
    for what, terms in (
        (f"model {key!r}", model),
        *((f"LoRA {name!r} of the model {key!r}", one) for name, one in model.loras.items()),
        *((f"embedding {one!r} of the model {key!r}", it) for one, it in model.embeddings.items()),
        *([(f"IP-Adapter of the model {key!r}", model.ip_adapter)] if model.ip_adapter else []),
    ):
        _check_terms(settings, what, terms)


def _check_terms(settings: Settings, what: str, terms: Terms) -> None:
    if terms.commercial == "no" and not settings.policy.allow_non_commercial:
        raise PolicyRefusal(
            f"The licence of the {what} ({terms.licence}) forbids commercial use.",
            advice="Choose another model, or set policy.allow_non_commercial for a production "
            "that is none.",
        )


def _held(key: str, model: Model) -> Mapping[str, tuple[str, ...]]:
    if model.config is None or not (model.config / "model_index.json").is_file():
        raise ModelUnusable(
            f"The model {key!r} is one file, {model.folder.name}, whose settings and vocabularies "
            f"are {'not named' if model.config is None else f'not in {model.config}'}.",
            advice=f"Name as models.{key}.config a folder in diffusers format of the same kind, "
            "such as the base model's; its *.json, *.txt and *.model files are enough.",
        )
    denoiser = "unet" if (model.config / "unet").is_dir() else "transformer"
    held = checkpoint_parts(model.folder, denoiser)
    lacking = [part for part in held if not (model.config / part / "config.json").is_file()]
    if lacking:
        raise ModelUnusable(
            f"{model.folder.name} of the model {key!r} holds a {lacking[0]}, which {model.config} "
            "does not describe.",
            advice=f"Name as models.{key}.config a folder of the same kind of model: Stable "
            "Diffusion 1.5 and SDXL need different ones.",
        )
    return held


def _weights(key: str, file: Path) -> Path:
    if not file.is_file():
        raise ModelUnusable(
            f"A file of the model {key!r} is not there: {file}.",
            advice="Put it there, or correct its name in the settings.",
        )
    tensor_names(file)
    return file


def _files(key: str, model: Model, held: Mapping[str, tuple[str, ...]]) -> Mapping[str, Path]:
    folder = model.config if held and model.config is not None else model.folder
    if not held and not folder.is_dir():
        raise ModelUnusable(
            f"The folder of the model {key!r} is not there: {folder}.",
            advice=f"Put the model there, or correct models.{key}.folder.",
        )
    files = dict(pipeline_files(folder, model.variant, held=frozenset(held)))
    if held:
        files[model.folder.name] = model.folder
    if model.vae is not None:
        if not model.vae.is_dir():
            raise ModelUnusable(
                f"The VAE folder of the model {key!r} is not there: {model.vae}.",
                advice=f"Put it there, or correct models.{key}.vae.",
            )
        own = controlnet_files(model.vae, model.variant, kind="VAE")
        files |= {f"{VAE}/{name}": path for name, path in own.items()}
    for name, embedding in model.embeddings.items():
        files[f"{EMBEDDINGS}/{name}{WEIGHTS}"] = _weights(key, embedding.file)
    if model.controlnet and controls_within(folder):
        raise ModelUnusable(
            f"The model {key!r} has a ControlNet in its own folder and another one beside it.",
            advice=f"Remove models.{key}.controlnet, or name a base model without a ControlNet.",
        )
    for number, folder in enumerate(model.controlnet):
        if not folder.is_dir():
            raise ModelUnusable(
                f"The ControlNet folder of the model {key!r} is not there: {folder}.",
                advice=f"Put it there, or correct models.{key}.controlnet.",
            )
        before = f"{CONTROLNET}_{number}/" if number else f"{CONTROLNET}/"
        guides = controlnet_files(folder, model.variant)
        files |= {before + name: path for name, path in guides.items()}
    return files


def _hashes(settings: Settings, files: Mapping[str, Path]) -> dict[str, str]:
    memory = HashMemory.at(settings.studio.state / _MEMORY)
    by_path = memory.sha256(files.values())
    return {name: by_path[path] for name, path in files.items()}


def _compare(key: str, model: Model, hashes: Mapping[str, str]) -> None:
    for name, expected in model.sha256.items():
        found = hashes.get(name)
        if found is None:
            raise ModelUnusable(
                f"The model {key!r} has no file {name}, whose SHA-256 the settings expect.",
                advice=f"Correct models.{key}.sha256; a separate ControlNet's files begin with "
                f"{CONTROLNET}/.",
            )
        if found != expected:
            raise ModelUnusable(
                f"{name} of the model {key!r} is not the file that the settings expect: its "
                f"SHA-256 is {found}.",
                advice=f"Restore the file, or correct models.{key}.sha256 if it was updated "
                "on purpose.",
            )


Commercial = Literal["yes", "no", "conditional"]

#: Licence ids as model cards spell them: where to read them, and whether they allow commercial
#: use. OpenRAIL licences allow it with restrictions on use.
_LICENCES: Mapping[str, tuple[str, Commercial]] = {
    "apache-2.0": ("https://www.apache.org/licenses/LICENSE-2.0", "yes"),
    "mit": ("https://opensource.org/license/mit", "yes"),
    "cc0-1.0": ("https://creativecommons.org/publicdomain/zero/1.0/", "yes"),
    "cc-by-4.0": ("https://creativecommons.org/licenses/by/4.0/", "yes"),
    "cc-by-sa-4.0": ("https://creativecommons.org/licenses/by-sa/4.0/", "yes"),
    "cc-by-nc-4.0": ("https://creativecommons.org/licenses/by-nc/4.0/", "no"),
    "cc-by-nc-sa-4.0": ("https://creativecommons.org/licenses/by-nc-sa/4.0/", "no"),
    "creativeml-openrail-m": (
        "https://huggingface.co/spaces/CompVis/stable-diffusion-license",
        "conditional",
    ),
    "openrail++": (
        "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
        "conditional",
    ),
}


def model_from_folder(
    folder: Path,
    *,
    config: Path | None = None,
    controlnet: Path | None = None,
    name: str = "",
    version: str = "",
    licence: str = "",
    licence_url: str = "",
    commercial: Commercial | None = None,
    data: str = "",
    attribution: str = "",
    data_class: DataClass = "undisclosed",
    provider: str = "",
) -> Model:
    """
    Return the settings entry of a model folder, from its README.md's front matter.

    A checkpoint of one file has none: all of its facts are given, beside the folder `config`.

    What is given here wins over the card. Nothing is guessed: a licence, where it can be read,
    whether it allows commercial use, and a data statement must come from one of the two.

    Raises:
        ModelUnusable: the folder is no safe diffusers folder, or a statement is missing; the
            message lists all that are.
    """
    folder = folder.expanduser().absolute()
    if folder.is_file():
        tensor_names(folder)
    elif not folder.is_dir():
        raise ModelUnusable(f"There is no model folder {folder}.")
    else:
        pipeline_files(folder)
    card = _front_matter(folder / "README.md")
    licence = licence or _first(card, "license_name") or _first(card, "license")
    url, allowed = _LICENCES.get(licence.lower(), ("", None))
    given = {
        "licence": licence,
        "licence_url": licence_url or _first(card, "license_link") or url,
        "commercial": commercial or allowed or "",
        "data": data or _datasets(card),
    }
    missing = [field for field, value in given.items() if not value.strip()]
    if missing:
        raise ModelUnusable(
            f"Nothing says the {', '.join(missing)} of the model in {folder}.",
            advice="State each yourself, from the model's own documentation; a model without them "
            "is not used.",
        )
    try:
        return Model.model_validate(
            given
            | {
                "folder": folder,
                "config": config.expanduser().absolute() if config else None,
                "controlnet": controlnet.expanduser().absolute() if controlnet else None,
                "name": name or folder.name,
                "version": version or _first(card, "version") or "unversioned",
                "attribution": attribution,
                "data_class": data_class,
                "provider": provider,
            }
        )
    except ValidationError as error:
        reasons = "; ".join(
            f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg']}"
            for mistake in error.errors()
        )
        raise ModelUnusable(f"The model in {folder} is not declared well: {reasons}.") from error


def _first(card: Mapping[str, tuple[str, ...]], key: str) -> str:
    values = card.get(key, ())
    return values[0] if values and values[0].lower() not in {"other", "unknown"} else ""


def _datasets(card: Mapping[str, tuple[str, ...]]) -> str:
    names = card.get("datasets", ())
    return f"As its model card says: {', '.join(names)}." if names else ""


def _front_matter(readme: Path) -> Mapping[str, tuple[str, ...]]:
    # Top-level `key: value` and `key:` with a list of `- value` lines, which is all that the
    # fields needed here use; a YAML parser would be one more way into this process.
    try:
        text = readme.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    block = re.match(r"---\s*\n(.*?)\n---\s*(\n|$)", text, re.DOTALL)
    card: dict[str, tuple[str, ...]] = {}
    key = ""
    for line in block.group(1).splitlines() if block else ():
        if pair := re.fullmatch(r"([A-Za-z_]+):\s*(.*?)\s*", line):
            key, value = pair.group(1), pair.group(2)
            items = value[1:-1].split(",") if value.startswith("[") else [value]
            card[key] = tuple(plain for item in items if (plain := item.strip(" '\"")))
        elif key and (item := re.fullmatch(r"\s*-\s+(.*?)\s*", line)):
            card[key] = (*card[key], item.group(1).strip("'\""))
    return card
