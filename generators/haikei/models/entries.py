"""
The registry: what may make pictures, and on which terms.

A model of the settings is an entry, and so is a generator that names no model; Haikei's own
generators bring theirs. Facts about well-known models ship, so that nobody has to look them up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from haikei.settings import DataClass, Settings

Kind = Literal["algorithm", "model", "generator"]
#: Who or what, whether commercial use is allowed, and by which licence.
TermsOf = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryEntry:
    """What is known of something that makes pictures."""

    key: str  #: in the settings; of a generator without a model, the generator's name
    kind: Kind
    name: str
    version: str
    licence: str
    licence_url: str
    commercial: Literal["yes", "no", "conditional"]
    data: str
    data_class: DataClass | Literal["none"]  #: `none` where nothing was trained
    provider: str
    runs: Literal["on_prem", "cloud"]
    contract: str  #: where a provider's terms are kept
    attribution: str
    terms: tuple[TermsOf, ...]  #: its own, and those of what is added to it
    data_classes: tuple[tuple[str, str], ...]  #: likewise: what, and its class of training data


_APACHE = "https://www.apache.org/licenses/LICENSE-2.0"
_PAINTER = RegistryEntry(
    key="painter",
    kind="algorithm",
    name="Haikei painter",
    version="1",
    licence="Apache-2.0",
    licence_url=_APACHE,
    commercial="yes",
    data="none: it is not trained",
    data_class="none",
    provider="Haikei",
    runs="on_prem",
    contract="",
    attribution="",
    terms=(("Haikei painter", "yes", "Apache-2.0"),),
    data_classes=(("Haikei painter", "none"),),
)
_UPSCALE = replace(
    _PAINTER,
    key="upscale",
    name="Haikei upscale (Lanczos)",
    terms=(("Haikei upscale", "yes", "Apache-2.0"),),
    data_classes=(("Haikei upscale", "none"),),
)
#: Haikei's own generators that run no model.
BUILT_IN: Mapping[str, RegistryEntry] = {"painter": _PAINTER, "upscale": _UPSCALE}


def registry_entry(settings: Settings, *, model: str, generator: str) -> RegistryEntry | None:
    """Return the entry of a stage: its model's, else its generator's; None where none is."""
    if model:
        return _of_model(settings, model)
    declared = settings.generators.get(generator)
    if declared is not None:
        return RegistryEntry(
            key=generator,
            kind="generator",
            name=declared.name or generator,
            version=declared.version,
            licence=declared.licence,
            licence_url=str(declared.licence_url),
            commercial=declared.commercial,
            data=declared.data,
            data_class=declared.data_class,
            provider=declared.provider,
            runs=declared.runs,
            contract=declared.contract,
            attribution=declared.attribution,
            terms=((f"the generator {generator}", declared.commercial, declared.licence),),
            data_classes=((f"the generator {generator}", declared.data_class),),
        )
    return BUILT_IN.get(generator)


def registry_entries(settings: Settings) -> tuple[RegistryEntry, ...]:
    """Return every entry of a studio, sorted by key."""
    found = {**BUILT_IN}
    for key in settings.generators:
        entry = registry_entry(settings, model="", generator=key)
        if entry is not None:
            found[key] = entry
    entries = [*found.values(), *(_of_model(settings, key) for key in settings.models)]
    return tuple(sorted((one for one in entries if one is not None), key=lambda one: one.key))


def _of_model(settings: Settings, key: str) -> RegistryEntry | None:
    model = settings.models.get(key)
    if model is None:
        return None
    parts = [
        (model.name, model),
        *((f"the LoRA {name} of {model.name}", one) for name, one in model.loras.items()),
        *((f"the embedding {name} of {model.name}", it) for name, it in model.embeddings.items()),
        *([(f"the IP-Adapter of {model.name}", model.ip_adapter)] if model.ip_adapter else []),
    ]
    return RegistryEntry(
        key=key,
        kind="model",
        name=model.name,
        version=model.version,
        licence=model.licence,
        licence_url=str(model.licence_url),
        commercial=model.commercial,
        data=model.data,
        data_class=model.data_class,
        provider=model.provider,
        runs=model.runs,
        contract=model.contract,
        attribution=model.attribution,
        terms=tuple((what, one.commercial, one.licence) for what, one in parts),
        data_classes=tuple((what, one.data_class) for what, one in parts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """Facts about a well-known model, as its makers stated them on a day."""

    key: str
    name: str
    version: str
    licence: str
    licence_url: str
    commercial: Literal["yes", "no", "conditional"]
    data: str
    data_class: DataClass
    provider: str
    seen: date  #: when this was read; terms may have changed since
    doubt: str = ""  #: what of it was not read at its source


_SEEN = date(2026, 11, 22)
_MEMORY = "The licence was not read at its source: check it before you rely on it."
_UNDISCLOSED = "Its maker does not disclose the training data."


def _known(key: str, name: str, version: str, **facts: str) -> KnownModel:
    given: dict[str, str] = {"data": _UNDISCLOSED, "data_class": "undisclosed", **facts}
    return KnownModel(key=key, name=name, version=version, seen=_SEEN, **given)  # type: ignore[arg-type] # each is one of the words


#: Well-known models, for `haikei models add --known`.
KNOWN: Mapping[str, KnownModel] = {
    one.key: one
    for one in (
        _known(
            "sd15", "Stable Diffusion", "1.5", provider="Runway / CompVis",
            licence="CreativeML-OpenRAIL-M", commercial="conditional",
            licence_url="https://huggingface.co/spaces/CompVis/stable-diffusion-license",
            data="Pictures scraped from the web (LAION).", doubt=_MEMORY,
        ),
        _known(
            "sdxl", "Stable Diffusion XL", "base 1.0", provider="Stability AI",
            licence="OpenRAIL++", commercial="conditional",
            licence_url="https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
        ),
        _known(
            "z-image-turbo", "Z-Image-Turbo", "1.0", provider="Tongyi-MAI", licence="Apache-2.0",
            licence_url=_APACHE, commercial="yes",
        ),
        _known(
            "qwen-image", "Qwen-Image", "1.0", provider="Qwen", licence="Apache-2.0",
            licence_url=_APACHE, commercial="yes",
        ),
        _known(
            "qwen-image-edit", "Qwen-Image-Edit", "2509", provider="Qwen", licence="Apache-2.0",
            licence_url=_APACHE, commercial="yes",
        ),
        _known(
            "flux2-klein-4b", "FLUX.2 klein 4B", "1.0", provider="Black Forest Labs",
            licence="Apache-2.0", licence_url=_APACHE, commercial="yes",
        ),
        _known(
            "flux1-schnell", "FLUX.1 schnell", "1.0", provider="Black Forest Labs",
            licence="Apache-2.0", licence_url=_APACHE, commercial="yes",
        ),
        _known(
            "flux1-kontext-dev", "FLUX.1 Kontext dev", "1.0", provider="Black Forest Labs",
            licence="FLUX.1 [dev] Non-Commercial License", commercial="no",
            licence_url="https://huggingface.co/black-forest-labs/FLUX.1-Kontext-dev",
        ),
        _known(
            "flux1-dev", "FLUX.1 dev", "1.0", provider="Black Forest Labs",
            licence="FLUX.1 [dev] Non-Commercial License", commercial="no",
            licence_url="https://huggingface.co/black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md",
            doubt=_MEMORY,
        ),
        _known(
            "flux2-dev", "FLUX.2 dev", "1.0", provider="Black Forest Labs",
            licence="FLUX [dev] Non-Commercial License", commercial="no",
            licence_url="https://huggingface.co/black-forest-labs/FLUX.2-dev",
            doubt=_MEMORY,
        ),
        _known(
            "sd35", "Stable Diffusion", "3.5 Large", provider="Stability AI",
            licence="Stability AI Community License", commercial="conditional",
            licence_url="https://stability.ai/community-license-agreement",
            doubt=_MEMORY,
        ),
        _known(
            "chroma", "Chroma1-HD", "1.0", provider="Lodestone Rock", licence="Apache-2.0",
            licence_url=_APACHE, commercial="yes", doubt=_MEMORY,
        ),
        _known(
            "mitsua-likes", "Mitsua Likes", "1.0", provider="Abstract Engine",
            licence="Mitsua Likes Attribution-NonCommercial", commercial="conditional",
            licence_url="https://huggingface.co/Mitsua/mitsua-likes",
            data="Pictures that their makers opted in, and pictures in the public domain.",
            data_class="opt_in",
        ),
        _known(
            "commoncanvas-xl-c", "CommonCanvas XL-C", "1.0", provider="Common Canvas",
            licence="CC-BY-SA-4.0", commercial="yes",
            licence_url="https://creativecommons.org/licenses/by-sa/4.0/",
            data="About 70 million Flickr pictures under Creative Commons licences.",
            data_class="licensed", doubt=_MEMORY,
        ),
    )
}  # fmt: skip
