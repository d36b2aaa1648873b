"""Declare a model from what its own card says, and from what a person says about it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from haikei.errors import ModelUnusable
from haikei.models.folder import pipeline_files
from haikei.settings import Model

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
