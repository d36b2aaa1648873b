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
    HashMemory,
    combined,
    controlnet_files,
    controls_within,
    pipeline_files,
)
from haikei.settings import Model, Settings

#: Stands before the relative paths of a model's separate ControlNet folder, and with a number
#: from 1 before those of the ones after it.
CONTROLNET = "controlnet"
_MEMORY = "model-hashes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One model that was checked: what it is, where it is, and what it may be used for."""

    key: str  #: its name in the settings
    folder: Path
    controls: tuple[Path, ...]  #: folders of ControlNets, separate or within
    pipeline: str  #: the class in diffusers that the settings name; empty: by the folder
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
        controls=model.controlnet or controls_within(model.folder),
        pipeline=model.pipeline,
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
    if model.folder.is_file():
        raise ModelUnusable(
            f"The model {key!r} is one file, {model.folder.name}; folders in diffusers format are "
            "read.",
            advice="Load it once with diffusers' from_single_file, save it with save_pretrained, "
            f"and name that folder as models.{key}.folder.",
        )
    if not model.folder.is_dir():
        raise ModelUnusable(
            f"The folder of the model {key!r} is not there: {model.folder}.",
            advice=f"Put the model there, or correct models.{key}.folder.",
        )
    files = dict(pipeline_files(model.folder, model.variant))
    if model.controlnet and controls_within(model.folder):
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
    controlnet: Path | None = None,
    name: str = "",
    version: str = "",
    licence: str = "",
    licence_url: str = "",
    commercial: Commercial | None = None,
    data: str = "",
    attribution: str = "",
) -> Model:
    """
    Return the settings entry of a model folder, from its README.md's front matter.

    What is given here wins over the card. Nothing is guessed: a licence, where it can be read,
    whether it allows commercial use, and a data statement must come from one of the two.

    Raises:
        ModelUnusable: the folder is no safe diffusers folder, or a statement is missing; the
            message lists all that are.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise ModelUnusable(f"There is no model folder {folder}.")
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
                "controlnet": controlnet.expanduser().absolute() if controlnet else None,
                "name": name or folder.name,
                "version": version or _first(card, "version") or "unversioned",
                "attribution": attribution,
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
