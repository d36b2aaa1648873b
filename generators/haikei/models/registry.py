"""Turn a model's entry in the settings into a model that may be used, or say why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from haikei.errors import ModelUnusable, PolicyRefusal, SettingsError
from haikei.models.folder import controlnet_files, has_controlnet, pipeline_files
from haikei.models.hashing import HashMemory, combined
from haikei.settings import Model, Settings

#: Stands before the relative paths of a model's separate ControlNet folder.
CONTROLNET = "controlnet/"
_MEMORY = "model-hashes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One model that was checked: what it is, where it is, and what it may be used for."""

    key: str  #: its name in the settings
    folder: Path
    controlnet: Path | None  #: a separate ControlNet folder
    guided: bool  #: whether a ControlNet, separate or within, follows the layout's lines
    name: str
    version: str
    licence: str
    licence_url: str
    commercial: Literal["yes", "no", "conditional"]
    data: str
    attribution: str
    sha256: str  #: one hash over all weight, configuration and vocabulary files
    files: tuple[tuple[str, str], ...]  #: relative path and SHA-256, sorted by path


def open_model(settings: Settings, key: str) -> ModelCard:
    """
    Check a model's declaration and files, without loading it, and return its card.

    Raises:
        SettingsError: there is no such model.
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
    files = _files(key, model)
    hashes = _hashes(settings, files)
    _compare(key, model, hashes)
    return ModelCard(
        key=key,
        folder=model.folder,
        controlnet=model.controlnet,
        guided=model.controlnet is not None or has_controlnet(model.folder),
        name=model.name,
        version=model.version,
        licence=model.licence,
        licence_url=str(model.licence_url),
        commercial=model.commercial,
        data=model.data,
        attribution=model.attribution,
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
    if model.commercial == "no" and not settings.policy.allow_non_commercial:
        raise PolicyRefusal(
            f"The licence of the model {key!r} ({model.licence}) forbids commercial use.",
            advice="Choose another model, or set policy.allow_non_commercial for a production "
            "that is none.",
        )


def _files(key: str, model: Model) -> Mapping[str, Path]:
    if not model.folder.is_dir():
        raise ModelUnusable(
            f"The folder of the model {key!r} is not there: {model.folder}.",
            advice=f"Put the model there, or correct models.{key}.folder.",
        )
    files = dict(pipeline_files(model.folder))
    if model.controlnet is None:
        return files
    if has_controlnet(model.folder):
        raise ModelUnusable(
            f"The model {key!r} has a ControlNet in its own folder and another one beside it.",
            advice=f"Remove models.{key}.controlnet, or name a base model without a ControlNet.",
        )
    if not model.controlnet.is_dir():
        raise ModelUnusable(
            f"The ControlNet folder of the model {key!r} is not there: {model.controlnet}.",
            advice=f"Put it there, or correct models.{key}.controlnet.",
        )
    guides = controlnet_files(model.controlnet)
    return files | {CONTROLNET + name: path for name, path in guides.items()}


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
                f"{CONTROLNET}.",
            )
        if found != expected:
            raise ModelUnusable(
                f"{name} of the model {key!r} is not the file that the settings expect: its "
                f"SHA-256 is {found}.",
                advice=f"Restore the file, or correct models.{key}.sha256 if it was updated "
                "on purpose.",
            )
