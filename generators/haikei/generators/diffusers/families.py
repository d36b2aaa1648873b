"""
The families of diffusion models that redraw a picture: which pipeline class runs one, and what
that class takes.

A family is chosen from `model_index.json` and the ControlNets' `config.json`, without importing
diffusers. An option that is not in its table is refused, never dropped.
"""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from haikei.errors import ModelUnusable, SettingsError
from haikei.generators.guides import Guide
from haikei.models import ModelCard, library_has, library_pipelines, require_fitting

#: What a pipeline's call names the options of a stage.
PARAMETERS: Mapping[str, str] = {
    "steps": "num_inference_steps",
    "strength": "strength",
    "guidance": "guidance_scale",
    "true_cfg": "true_cfg_scale",
    "image_guidance": "image_guidance_scale",
    "control_scale": "controlnet_conditioning_scale",
    "control_start": "control_guidance_start",
    "control_end": "control_guidance_end",
}
#: Scheduler names as recipes write them, and the class and configuration in diffusers. All give
#: bit-identical results for the same seed on one machine.
SAMPLERS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "ddim": ("DDIMScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "tcd": ("TCDScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", {}),
    # What Turbo, Lightning and Hyper models were distilled for: few steps from the very last one.
    "ddim_trailing": ("DDIMScheduler", {"timestep_spacing": "trailing"}),
    "euler_trailing": ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
    "euler_a_trailing": ("EulerAncestralDiscreteScheduler", {"timestep_spacing": "trailing"}),
}
#: For models of rectified flow, on which the samplers above fail or make noise.
FLOWS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "euler": ("FlowMatchEulerDiscreteScheduler", {})
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How one kind of model is loaded and asked."""

    name: str
    bases: frozenset[str]  #: classes in model_index.json whose folders hold what `pipeline` needs
    pipeline: str  #: the class in diffusers that redraws
    control: str = ""  #: the class of the ControlNets that it is called with; empty: with none
    #: What it takes beside steps, scheduler and max_side, with defaults. None: the class's own.
    options: Mapping[str, float | None] = field(default_factory=dict[str, float | None])
    steps: int = 20
    #: The option and the value above which a negative prompt acts; None where it never does.
    negative: tuple[str, float] | None = ("guidance", 1.0)
    schedulers: Mapping[str, tuple[str, Mapping[str, object]]] = field(
        default_factory=lambda: FLOWS
    )
    precision: Literal["float16", "bfloat16"] = "bfloat16"  #: on a GPU
    sized: bool = True  #: whether height and width are given; otherwise they are the picture's
    channels: int = 0  #: that the UNet reads; 0 where there is none
    counted: Literal["down", "up", "all"] = "up"  #: how steps × strength becomes the steps run
    load: Mapping[str, object] = field(
        default_factory=dict[str, object]
    )  #: parts that are given, or left out, while loading
    call: Mapping[str, object] = field(
        default_factory=dict[str, object]
    )  #: parameters that are the same in each call
    restepped: Mapping[str, object] = field(
        default_factory=dict[str, object]
    )  #: parameters of calls with another number of steps than `steps`
    tokenizer: str = "tokenizer"  #: the one that decides what of a prompt is read
    tokens: int = 0  #: the longest prompt; 0: as the tokenizer says
    latin: bool = False  #: whether it knows words in Latin letters alone
    starts: bool = True  #: whether it starts from a picture; else the lines are all it is given
    pil: bool = False  #: whether the picture is given as PIL holds it
    #: How it looks at another picture: by an IP-Adapter, as one more to edit, or not at all.
    refers: Literal["", "ip_adapter", "images"] = ""
    batches: bool = True  #: whether several pictures in one call come out as each alone
    reports: bool = True  #: whether it can be followed and cancelled step by step
    adapts: bool = True  #: whether it takes LoRAs
    words: bool = False  #: whether it takes textual inversions
    #: The class that holds several ControlNets; empty: they are given as one, or never several.
    controls: str = ""
    #: Numbers of the kinds of guides that one ControlNet of several kinds follows; else empty.
    modes: Mapping[Guide, int] = field(default_factory=dict[Guide, int])
    needs: str = ""  #: a package beyond the extra
    notes: tuple[str, ...] = ()


def _names(*names: str) -> frozenset[str]:
    return frozenset(f"{name}Pipeline" for name in names)


_SD = _names(
    "StableDiffusion", "StableDiffusionImg2Img", "StableDiffusionControlNet",
    "StableDiffusionControlNetImg2Img",
)  # fmt: skip
_XL = _names(
    "StableDiffusionXL", "StableDiffusionXLImg2Img", "StableDiffusionXLControlNet",
    "StableDiffusionXLControlNetImg2Img", "StableDiffusionXLControlNetUnion",
    "StableDiffusionXLControlNetUnionImg2Img",
)  # fmt: skip
_FLUX = _names("Flux", "FluxImg2Img", "FluxControlNet", "FluxControlNetImg2Img")
_REDRAW = {"strength": 0.55, "guidance": 5.0}
#: From which part of the steps to which the guides act; None: all along.
_WHEN: Mapping[str, float | None] = {"control_start": None, "control_end": None}
_GUIDED: Mapping[str, float | None] = {**_REDRAW, "control_scale": 0.8, **_WHEN}
_SAFE = {"safety_checker": None, "requires_safety_checker": False}
_EDITS = ("It edits by the prompt's instruction: how much is redrawn (strength) cannot be set.",)

_UNSTARTED = (
    (
        "It paints from the layout's lines and the prompt alone: the stage before is not given to "
        "it."
    ),
)

_SD_15 = Family(
    name="Stable Diffusion",
    bases=_SD,
    pipeline="StableDiffusionImg2ImgPipeline",
    options=_REDRAW,
    schedulers=SAMPLERS,
    precision="float16",
    sized=False,
    channels=4,
    counted="down",
    load=_SAFE,
    latin=True,
    words=True,
    controls="MultiControlNetModel",
    refers="ip_adapter",
)
_SDXL = replace(
    _SD_15,
    name="SDXL",
    bases=_XL,
    pipeline="StableDiffusionXLImg2ImgPipeline",
    load={"add_watermarker": False},
)
_FLUX_1 = Family(
    name="FLUX.1",
    bases=_FLUX,
    pipeline="FluxImg2ImgPipeline",
    options={"strength": 0.6, "guidance": 3.5, "true_cfg": 1.0},
    steps=28,
    negative=("true_cfg", 1.0),
    tokenizer="tokenizer_2",
    tokens=512,
    latin=True,
)
_SD_3 = Family(
    name="Stable Diffusion 3",
    bases=_names("StableDiffusion3", "StableDiffusion3Img2Img", "StableDiffusion3ControlNet"),
    pipeline="StableDiffusion3Img2ImgPipeline",
    options={"strength": 0.6, "guidance": 4.5},
    steps=28,
    tokenizer="tokenizer_3",
    tokens=256,
    latin=True,
)
_QWEN = Family(
    name="Qwen-Image",
    bases=_names("QwenImage", "QwenImageImg2Img", "QwenImageControlNet"),
    pipeline="QwenImageImg2ImgPipeline",
    options={"strength": 0.6, "guidance": 1.0, "true_cfg": 4.0},
    steps=30,
    negative=("true_cfg", 1.0),
    tokens=512,
)
_QWEN_EDIT = replace(
    _QWEN,
    name="Qwen-Image-Edit",
    bases=_names("QwenImageEdit"),
    pipeline="QwenImageEditPipeline",
    options={"guidance": 1.0, "true_cfg": 4.0},
    counted="all",
    batches=False,
    pil=True,
    needs="torchvision",
    notes=_EDITS,
)

_Z_IMAGE = Family(
    name="Z-Image",
    bases=_names("ZImage", "ZImageImg2Img", "ZImageControlNet"),
    pipeline="ZImageImg2ImgPipeline",
    options={"strength": 0.6, "guidance": 5.0},
    negative=("guidance", 0.0),
    tokens=512,
)

FAMILIES: tuple[Family, ...] = (
    _SD_15,
    replace(
        _SD_15,
        name="Stable Diffusion with ControlNet",
        pipeline="StableDiffusionControlNetImg2ImgPipeline",
        control="ControlNetModel",
        options=_GUIDED,
        sized=True,
    ),
    replace(
        _SD_15,
        name="Stable Diffusion, inpainting",
        bases=_names("StableDiffusionInpaint", "StableDiffusion"),
        pipeline="StableDiffusionInpaintPipeline",
        sized=True,
        channels=9,
        notes=("An inpainting model: no part of the picture is masked, all of it is redrawn.",),
    ),
    replace(
        _SD_15,
        name="InstructPix2Pix",
        bases=_names("StableDiffusionInstructPix2Pix"),
        pipeline="StableDiffusionInstructPix2PixPipeline",
        options={"guidance": 7.5, "image_guidance": 1.5},
        channels=8,
        counted="all",
        notes=_EDITS,
    ),
    replace(
        _SD_15,
        name="Latent consistency model",
        bases=_names("LatentConsistencyModel", "LatentConsistencyModelImg2Img"),
        pipeline="LatentConsistencyModelImg2ImgPipeline",
        options={"strength": 0.55, "guidance": 8.5},
        steps=4,
        negative=None,
        schedulers={"lcm": SAMPLERS["lcm"]},
        counted="all",
    ),
    _SDXL,
    replace(
        _SDXL,
        name="SDXL with ControlNet",
        pipeline="StableDiffusionXLControlNetImg2ImgPipeline",
        control="ControlNetModel",
        options=_GUIDED,
        sized=True,
    ),
    replace(
        _SDXL,
        name="SDXL with ControlNet Union",
        pipeline="StableDiffusionXLControlNetUnionImg2ImgPipeline",
        control="ControlNetUnionModel",
        options=_GUIDED,
        sized=True,
        # Their places among the kinds of control that these models were trained with.
        modes={Guide.DEPTH: 1, Guide.LINE: 3, Guide.REGIONS: 5},
    ),
    _SD_3,
    replace(
        _SD_3,
        name="Stable Diffusion 3 with ControlNet",
        pipeline="StableDiffusion3ControlNetPipeline",
        control="SD3ControlNetModel",
        controls="SD3MultiControlNetModel",
        options={"guidance": 4.5, "control_scale": 0.8, **_WHEN},
        counted="all",
        batches=False,  # it encodes guides with noise that is of no picture's seed
        starts=False,
        notes=_UNSTARTED,
    ),
    _FLUX_1,
    replace(
        _FLUX_1,
        name="FLUX.1 with ControlNet",
        pipeline="FluxControlNetImg2ImgPipeline",
        control="FluxControlNetModel",
        options={"strength": 0.6, "guidance": 3.5, "control_scale": 0.7, **_WHEN},
        negative=None,
    ),
    replace(
        _FLUX_1,
        name="FLUX.1 Kontext",
        bases=_names("FluxKontext"),
        pipeline="FluxKontextPipeline",
        options={"guidance": 2.5, "true_cfg": 1.0},
        counted="all",
        # It would stretch the picture to a size of its own list.
        call={"_auto_resize": False},
        notes=_EDITS,
    ),
    Family(
        name="FLUX.2 klein",
        bases=_names("Flux2Klein"),
        pipeline="Flux2KleinPipeline",
        options={"guidance": 4.0},
        steps=28,
        negative=None,
        tokens=512,
        counted="all",
        batches=False,  # several pictures are several that one is made of
        pil=True,
        refers="images",
        notes=(
            *_EDITS,
            "It reads a picture of more than 1024 x 1024 pixels at that size.",
        ),
    ),
    Family(
        name="FLUX.2",
        bases=_names("Flux2"),
        pipeline="Flux2Pipeline",
        options={"guidance": 4.0},
        steps=28,
        negative=None,
        counted="all",
        batches=False,  # several pictures are several that one is made of
        pil=True,
        refers="images",
        # What it calls its tokenizer reads pictures as well, and counts no words.
        tokenizer="",
        needs="torchvision",
        notes=(
            *_EDITS,
            "It reads a picture of more than 1024 x 1024 pixels at that size.",
        ),
    ),
    Family(
        name="Chroma",
        bases=_names("Chroma", "ChromaImg2Img"),
        pipeline="ChromaImg2ImgPipeline",
        options={"strength": 0.6, "guidance": 5.0},
        steps=35,
        tokens=512,
        latin=True,
    ),
    _QWEN,
    replace(
        _QWEN,
        name="Qwen-Image with ControlNet",
        pipeline="QwenImageControlNetPipeline",
        control="QwenImageControlNetModel",
        options={"guidance": 1.0, "true_cfg": 4.0, "control_scale": 0.8, **_WHEN},
        counted="all",
        starts=False,
        notes=_UNSTARTED,
    ),
    _QWEN_EDIT,
    replace(
        _QWEN_EDIT,
        name="Qwen-Image-Edit-Plus",
        bases=_names("QwenImageEditPlus"),
        pipeline="QwenImageEditPlusPipeline",
        refers="images",
    ),
    _Z_IMAGE,
    replace(
        _Z_IMAGE,
        name="Z-Image with ControlNet",
        pipeline="ZImageControlNetPipeline",
        control="ZImageControlNetModel",
        options={"guidance": 5.0, "control_scale": 0.75},
        counted="all",
        starts=False,
        notes=_UNSTARTED,
    ),
    Family(
        name="Sana-Sprint",
        bases=_names("SanaSprint", "SanaSprintImg2Img"),
        pipeline="SanaSprintImg2ImgPipeline",
        options={"strength": 0.6, "guidance": 4.5},
        steps=2,
        negative=None,
        schedulers={},
        tokens=300,
        pil=True,
        adapts=False,
        # It would make a picture of a size of its own list.
        call={"use_resolution_binning": False},
        restepped={"intermediate_timesteps": None},  # its own are of two steps
        latin=True,
    ),
)


def family_of(card: ModelCard) -> Family:
    """
    Return the family of a model, narrowed to what its own configuration takes.

    Raises:
        ModelUnusable: no family runs its class, or its ControlNets are of another kind.
        SettingsError: the pipeline class that the settings name is none, or a package is missing.
    """
    family = _declared(card) if card.pipeline else _known(card)
    if family.needs and find_spec(family.needs) is None:
        raise SettingsError(
            f"The model {card.key!r} ({family.pipeline}) needs the package {family.needs}, which "
            "is not installed.",
            advice=f"Install a {family.needs} that was built for the torch that is here.",
        )
    for kind in filter(None, (family.pipeline, family.control, family.controls)):
        if not library_has("diffusers", kind):
            raise SettingsError(
                f"The model {card.key!r} ({family.name}) is run by the class {kind}, which the "
                "installed diffusers does not have.",
                advice="Install a version of diffusers that has it.",
            )
    if card.embeddings and not family.words:
        raise ModelUnusable(
            f"The model {card.key!r} ({family.name}) takes no textual inversions.",
            advice=f"Remove models.{card.key}.embeddings.",
        )
    require_fitting(card)
    options, negative = dict(family.options), family.negative
    if family.name == "FLUX.2 klein" and _distilled(card):
        options.pop("guidance", None)
    for folder in card.controls:
        if _config(folder).get("num_mode"):
            raise ModelUnusable(
                f"The ControlNet {folder.name} of the model {card.key!r} follows several kinds of "
                "guides (num_mode), which this family is not run with.",
                advice="Name a ControlNet that was trained for line art alone.",
            )
    unet, transformer = _config(card.folder / "unet"), _config(card.folder / "transformer")
    if transformer and family.name.startswith(("FLUX.1", "Qwen")):
        # Models that were not distilled from their own guidance have no place for it.
        default = family.name.startswith("FLUX.1")
        if not transformer.get("guidance_embeds", not default):
            options.pop("guidance", None)
    if unet.get("time_cond_proj_dim"):
        negative = None
    return replace(family, options=options, negative=negative)


def _distilled(card: ModelCard) -> bool:
    return bool(_json(card.folder / "model_index.json").get("is_distilled"))


def _known(card: ModelCard) -> Family:
    base = str(_json(card.folder / "model_index.json").get("_class_name"))
    controls = [str(_config(folder).get("_class_name")) for folder in card.controls]
    if len(controls) > 1 and "ControlNetUnionModel" in controls:
        raise ModelUnusable(
            f"The model {card.key!r} is given {len(controls)} ControlNets, one of them a Union.",
            advice="Name the ControlNet Union alone: it follows several kinds of guides by itself.",
        )
    related = [family for family in FAMILIES if base in family.bases]
    channels = int(str(_config(card.folder / "unet").get("in_channels") or 0))
    if any(family.channels for family in related):
        fitting = [family for family in related if family.channels == channels]
        if not fitting:
            wanted = " or ".join(str(count) for count in sorted({one.channels for one in related}))
            raise ModelUnusable(
                f"The UNet of the model {card.key!r} ({base}) reads {channels} channels, not "
                f"{wanted}.",
                advice="It was trained for a task that Haikei has no pipeline for.",
            )
        related = fitting
    if not related:
        raise ModelUnusable(
            f"The model {card.key!r} is a {base}, which Haikei does not know.",
            advice=f"If diffusers has a pipeline for it that takes an image, a prompt, height and "
            f"width, name its class as models.{card.key}.pipeline. Known are "
            f"{', '.join(family.name for family in FAMILIES)}.",
        )
    for family in related:
        fits = all(kind == family.control for kind in controls)
        several = len(controls) < 2 or bool(family.controls)
        if fits and several and bool(controls) == bool(family.control):
            return family
    taken = sorted({family.control for family in related if family.control})
    several = any(family.controls for family in related)
    number = "ControlNets, all of one class" if several else "one ControlNet"
    advice = f"It takes {number}: {' or '.join(taken)}."
    raise ModelUnusable(
        f"The model {card.key!r} ({base}) cannot be run with "
        f"{', '.join(controls) or 'no ControlNet'}.",
        advice=advice if taken else f"Remove models.{card.key}.controlnet: none fits it.",
    )


def _declared(card: ModelCard) -> Family:
    """Return a family for the class that the settings name, from the signature of its call."""
    asked = _parameters(card.pipeline)
    needed = {"image", "prompt", "height", "width", "num_inference_steps", "generator"}
    missing = sorted(needed - set(asked))
    extra = [name for name, optional in asked.items() if not optional and name not in needed]
    if missing or extra or card.controls:
        reason = "; ".join((
            *(f"takes no {name}" for name in missing),
            *(f"asks for {name}" for name in extra),
            *(("is given a ControlNet",) if card.controls else ()),
        ))  # fmt: skip
        raise ModelUnusable(
            f"The pipeline {card.pipeline} of the model {card.key!r} cannot be used: it {reason}.",
            advice="Name a class that takes an image, a prompt, height and width, and needs "
            f"nothing else, as models.{card.key}.pipeline.",
        )
    options = {
        name: None
        for name in ("strength", "guidance", "true_cfg", "image_guidance")
        if PARAMETERS[name] in asked
    }
    by = "true_cfg" if "true_cfg" in options else "guidance"
    reads = "negative_prompt" in asked and by in options
    return Family(
        name=card.pipeline.removesuffix("Pipeline"),
        bases=frozenset(),
        pipeline=card.pipeline,
        options=options,
        negative=(by, 1.0) if reads else None,
        schedulers={},
        counted="up" if "strength" in options else "all",
        reports="callback_on_step_end" in asked,
        adapts=False,
        batches=False,  # whatever its call makes of lists
        notes=() if "strength" in options else _EDITS,
    )


@cache
def _parameters(pipeline: str) -> Mapping[str, bool]:
    """
    Return the parameters of a pipeline's call and whether each can be left out.

    They are read from the source of the installed library: importing it takes seconds, and a
    plan is made in processes that never do.
    """
    for file in sorted(library_pipelines().rglob("pipeline_*.py")):
        text = file.read_text(encoding="utf-8")
        if f"class {pipeline}(" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and node.name == pipeline:
                for call in node.body:
                    if isinstance(call, ast.FunctionDef) and call.name == "__call__":
                        return _signature(call.args)
    raise SettingsError(
        f"The installed diffusers has no pipeline {pipeline!r}.",
        advice="Correct its name in the model's setting `pipeline`, or install a newer diffusers.",
    )


def _signature(arguments: ast.arguments) -> Mapping[str, bool]:
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    required = len(names) - len(arguments.defaults)
    optional = {name: place >= required for place, name in enumerate(names) if name != "self"}
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        optional[one.arg] = default is not None
    return optional


def _config(folder: Path) -> Mapping[str, object]:
    file = folder / "config.json"
    return _json(file) if file.is_file() else {}


def _json(file: Path) -> Mapping[str, object]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnusable(f"{file} cannot be read: {error}.") from error
    if not isinstance(data, dict):
        raise ModelUnusable(f"{file} holds no table of settings.")
    return data
