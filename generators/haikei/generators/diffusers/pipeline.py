"""
A diffusers pipeline in memory: loaded from local safetensors, called for one picture with the
options of a stage.
"""

import gc
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any, Self, TypeVar

import numpy as np
import psutil
import structlog
from numpy.typing import NDArray

from haikei.errors import GenerationError, GeneratorUnavailable, ModelUnusable, SettingsError
from haikei.generators.contract import StageOrder
from haikei.generators.diffusers.families import PARAMETERS, Family
from haikei.generators.diffusers.prompt_memory import PromptMemory
from haikei.generators.diffusers.weights import load_pipeline, offline_transformers
from haikei.generators.guides import Guide
from haikei.images import Picture
from haikei.models import ModelCard

_RANGES = {
    "guidance": (0.0, 50.0),
    "true_cfg": (0.0, 50.0),
    "image_guidance": (1.0, 20.0),
    "control_scale": (0.0, 2.0),
    "control_start": (0.0, 1.0),
    "control_end": (0.0, 1.0),
    "reference_scale": (0.0, 2.0),
}
_GENERATOR = "the generator 'diffusers'"
#: Ways to save memory, each with those before it, and how records name them.
_SAVING = ("whole", "tiled", "offloaded")
_SAVED = ("", "decoded in tiles", "decoded in tiles, parts moved in as they compute")
_OFFLOADED = 2

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusersOptions:
    """
    How a diffusion model redraws the picture of the stage before.

    None stands for what the model's family does not take, or leaves to the pipeline.
    """

    strength: float | None = None  #: how much is redrawn: more than 0, up to 1
    steps: int = 0  #: of the whole schedule; `strength` of them are run
    guidance: float | None = None  #: how closely the prompt is followed
    true_cfg: float | None = None  #: the same, beside a guidance that was distilled in
    image_guidance: float | None = None  #: how closely the picture is followed
    control_scale: str = ""  #: how closely lines are followed; one number, or one a ControlNet
    control_start: float | None = None  #: the part of the steps from which guides act
    control_end: float | None = None  #: and that after which they act no more
    reference_scale: float | None = None  #: how closely another picture is followed
    control: str = ""  #: what guides it, by `Guide`, with commas between: one a ControlNet
    loras: str = ""  #: which of the model's LoRAs act: `name:weight`, with commas between
    scheduler: str = ""  #: a name in the family's `schedulers`; empty keeps the model's own
    max_side: int = 0  #: pixels; a longer picture is made smaller and enlarged after; 0 never
    tile: int = 0  #: pixels of the sides of tiles in which a large picture is made; 0: as a whole
    overlap: int = 0  #: pixels in which neighbouring tiles are blended; 0: an eighth of a tile
    executed: int = 0  #: steps that are run

    @classmethod
    def of(cls, stage: StageOrder, family: Family, *, controls: int) -> Self:
        """
        Return the options of a stage for a model of `family` with so many ControlNets.

        Raises:
            SettingsError: an option is unknown, not taken by the model, of the wrong kind or out
                of range.
        """
        given: dict[str, str | int | float] = {"steps": family.steps}
        taken = {"steps", "max_side", *family.options}
        if "strength" in family.options:
            taken |= {"tile", "overlap"}
        if family.schedulers:
            taken.add("scheduler")
        if family.adapts:
            taken.add("loras")
        if family.refers == "ip_adapter" and stage.references:
            taken.add("reference_scale")
            given["reference_scale"] = 0.6
        if family.control:
            taken.add("control")
            # A ControlNet Union follows several guides by itself.
            given["control"] = ", ".join([Guide.LINE] * (1 if family.modes else controls))
        known = {one.name for one in fields(cls)} - {"executed"}
        given |= {name: value for name, value in family.options.items() if value is not None}
        for name, value in stage.options:
            if name not in known:
                raise SettingsError(
                    f"{_GENERATOR.capitalize()} has no option {name!r}.",
                    advice=f"Its options are {', '.join(sorted(known))}.",
                )
            if name not in taken:
                raise SettingsError(
                    f"The model {stage.model!r} ({family.name}) takes no option {name!r}.",
                    advice=f"Remove it from the stage. It takes {', '.join(sorted(taken))}.",
                )
            given[name] = _typed(name, value)
        scales = str(given.pop("control_scale", ""))
        options = cls(**given, control_scale=scales)  # type: ignore[arg-type] # each was checked
        options._check(family, controls)
        options = replace(options, executed=options._executed(family))
        if options.executed < 1:
            raise SettingsError(
                f"{options.steps} steps at strength {options.strength} leave nothing to do.",
                advice="Raise one of them so that their product is at least 1.",
            )
        return options

    def scales(self) -> tuple[float, ...]:
        """Return the control scales as they were written: one, or one for each ControlNet."""
        return tuple(float(part) for part in self.control_scale.split(",") if part.strip())

    def guides(self) -> tuple[Guide, ...]:
        """Return what guides it, one for each control image; none without a ControlNet."""
        return tuple(Guide(one.strip()) for one in self.control.split(",") if one.strip())

    def lora_weights(self) -> Mapping[str, float]:
        """Return how strongly each LoRA acts, by name."""
        return lora_weights(self.loras)

    def call(self) -> dict[str, float]:
        """Return what the pipeline is called with, control scales apart, by its own names."""
        numbers = {name: getattr(self, name) for name in PARAMETERS if name != "control_scale"}
        return {PARAMETERS[name]: value for name, value in numbers.items() if value is not None}

    def negates(self, family: Family) -> bool:
        """Tell whether a negative prompt acts."""
        if family.negative is None:
            return False
        value = getattr(self, family.negative[0])
        # The class's own default, where nothing is set, is for guidance that acts.
        return value is None or bool(value > family.negative[1])

    def _executed(self, family: Family) -> int:
        if self.strength is None or family.counted == "all":
            return self.steps
        if family.counted == "down":
            return min(int(self.steps * self.strength), self.steps)
        return self.steps - int(max(self.steps - self.steps * self.strength, 0))

    def _check(self, family: Family, controls: int) -> None:
        if self.strength is not None and not 0.0 < self.strength <= 1.0:
            raise _wrong("strength", self.strength, "more than 0 and at most 1")
        if not 1 <= self.steps <= 500:
            raise _wrong("steps", self.steps, "from 1 to 500")
        for name, (low, high) in _RANGES.items():
            values = self.scales() if name == "control_scale" else (getattr(self, name),)
            for value in values:
                if value is not None and not low <= value <= high:
                    raise _wrong(name, value, f"from {low:g} to {high:g}")
        start, end = self.control_start or 0.0, self.control_end
        if end is not None and start >= end:
            raise _wrong("control_end", end, f"more than control_start, which is {start:g}")
        self.lora_weights()
        self._check_guides(family, controls)
        if self.scheduler and self.scheduler not in family.schedulers:
            raise _wrong(
                "scheduler",
                self.scheduler,
                f"one of {', '.join(family.schedulers)} for {family.name}",
            )
        if self.tile and (self.tile % 64 or not 256 <= self.tile <= 4096):
            raise _wrong("tile", self.tile, "0, or a multiple of 64 from 256 to 4096")
        if self.overlap and not (self.tile and 16 <= self.overlap <= self.tile // 2):
            raise _wrong("overlap", self.overlap, "0, or from 16 to half of a tile")
        if self.max_side and not 64 <= self.max_side <= 16384:
            raise _wrong("max_side", self.max_side, "0, or from 64 to 16384")

    def _check_guides(self, family: Family, controls: int) -> None:
        names = [one.strip() for one in self.control.split(",") if one.strip()]
        allowed = [guide.value for guide in (family.modes or Guide)]
        wanted = "at least one" if family.modes else f"{controls}"
        fits = len(names) > 0 if family.modes else len(names) == controls
        twice = bool(family.modes) and len(set(names)) < len(names)
        if family.control and (not fits or twice or any(one not in allowed for one in names)):
            raise _wrong(
                "control",
                self.control,
                f"{wanted} of {', '.join(allowed)}"
                f"{', each once' if family.modes else ', one a ControlNet'}",
            )
        if len(self.scales()) not in {0, 1, len(names)}:
            raise _wrong(
                "control_scale",
                self.control_scale,
                f"one number, or {len(names)} with commas between",
            )


def lora_weights(text: str) -> Mapping[str, float]:
    """
    Return the weight of each LoRA that the option `loras` names, 1 where it says none.

    Raises:
        SettingsError: it is not written well.
    """
    found: dict[str, float] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, separator, weight = (one.strip() for one in part.partition(":"))
        try:
            number = float(weight) if separator else 1.0
        except ValueError:
            number = math.nan
        if not name or name in found or not -2.0 <= number <= 2.0:
            raise _wrong(
                "loras", text, 'names with weights from -2 to 2, each once: "style:0.8, line:0.4"'
            )
        found[name] = number
    return found


def _typed(name: str, value: str | float) -> str | int | float:
    if name == "control_scale" and isinstance(value, str):
        try:
            whole = all(math.isfinite(float(part)) for part in value.split(","))
        except ValueError:
            whole = False
        if whole:
            return value
        raise _wrong(name, value, "a number, or numbers with commas between")
    kind = {
        "scheduler": str,
        "loras": str,
        "control": str,
        "steps": int,
        "max_side": int,
        "tile": int,
        "overlap": int,
    }.get(name, float)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)  # TOML writes whole numbers without a point
    if type(value) is not kind:
        raise _wrong(name, value, f"a value of type {kind.__name__}")
    return value


def _wrong(name: str, value: object, allowed: str) -> SettingsError:
    return SettingsError(
        f"The option {name!r} of {_GENERATOR} is {value!r}.", advice=f"It must be {allowed}."
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wanted:
    """One picture that a model is to redraw."""

    image: Picture  #: what to start from; both sides divide evenly by 64
    #: Those that the options name, in their order; each (height, width, 3) float32, 0 to 1.
    guides: Sequence[NDArray[np.float32]]
    prompt: str  #: what to paint
    negative_prompt: str  #: what not to paint
    seed: int  #: of the noise, which is made on the CPU so that it is the same on each device
    references: Sequence[Picture] = ()  #: other pictures that it looks at, of any size


class BatchTooLarge(Exception):
    """A device has no memory for so many pictures at once."""


class Pipeline:
    """
    One loaded model. It serves one call at a time.

    Nothing is downloaded, no pickle is read, no code of a model folder is run. A safety checker
    is left out: it would blacken pictures without a record of it.

    Raises:
        ModelUnusable: the folder cannot be loaded, or its weights are not those of its classes.
        GeneratorUnavailable: the device has no memory left.
        SettingsError: this machine has no such device, or a package is missing.
    """

    def __init__(
        self,
        card: ModelCard,
        family: Family,
        device: str,
        lora_weights: Mapping[str, float] = MappingProxyType({}),
        *,
        alone: bool = True,
    ) -> None:
        torch, diffusers = _libraries()
        self._torch = torch
        self._diffusers = diffusers
        self._name = card.key
        self._family = family
        self._device = device
        _require_device(torch, device)
        self._saving = _SAVING.index(card.memory) if card.memory in _SAVING else 0
        # Where others can leave, that is tried before this one is slowed down.
        self._may_save = card.memory == "auto" and alone
        try:
            self._pipe: Any = load_pipeline(
                card,
                family,
                torch=torch,
                diffusers=diffusers,
                precision=precision(family, device),
                lora_weights=lora_weights,
            )
            self._place()
        except torch.OutOfMemoryError as error:
            raise _no_memory(card.key, device) from error
        except ModelUnusable:
            raise
        except Exception as error:
            raise ModelUnusable(
                f"The model {card.key!r} ({family.pipeline}) cannot be loaded from "
                f"{card.folder}: {error}",
                advice="Check that the folder is whole, and that its ControlNets fit it.",
            ) from error
        self._may_save = card.memory == "auto"
        self.prompts = PromptMemory(self._pipe)
        self.most = sys.maxsize  #: pictures at once, as far as its memory is known to suffice
        self._pipe.set_progress_bar_config(disable=True)
        self._scheduler: Any = self._pipe.scheduler

    @property
    def size(self) -> int:
        """What the model takes in memory, in bytes."""
        parts = [one for one in self._pipe.components.values() if hasattr(one, "parameters")]
        tensors = [tensor for part in parts for tensor in (*part.parameters(), *part.buffers())]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def close(self) -> None:
        """Give the model's memory back."""
        self._pipe = self._scheduler = None
        gc.collect()
        self._forget_memory()

    @property
    def saved(self) -> str:
        """How memory is saved, for the record; empty where the whole model is there."""
        return _SAVED[self._saving]

    def _place(self) -> None:
        """Put the pipeline onto its device, in the way in which memory is saved."""
        while True:
            try:
                if self._saving:
                    _in_parts(self._pipe)
                if self._saving == _OFFLOADED and self._device != "cpu":
                    self._pipe.enable_model_cpu_offload(device=self._device)
                else:
                    self._pipe.to(self._device)
            except self._torch.OutOfMemoryError:
                if not self._save_more():
                    raise
            else:
                return

    def _save_more(self) -> bool:
        """Take the next way to save memory; False where there is none."""
        if not self._may_save or self._saving == _OFFLOADED:
            return False
        self._saving += 1
        self._forget_memory()
        return True

    def _forget_memory(self) -> None:
        if self._device.startswith("cuda"):
            self._torch.cuda.empty_cache()

    def redraw(
        self,
        wanted: Sequence[Wanted],
        options: DiffusersOptions,
        on_step: Callable[[int, int], None],
    ) -> list[Picture | GenerationError]:
        """
        Return pictures as the model redraws them, in one call; for each that is none, why.

        The same picture comes of the same wish in whatever company, but for its last digits: noise
        is drawn for each from its own seed.

        Args:
            wanted: at least one; several are of one size, and without references.
            options: of the stage.
            on_step: called with the steps done and the steps in all; what it raises ends the call
                and leaves the pipeline as it was.

        Raises:
            BatchTooLarge: the device has no memory for so many at once.
            GeneratorUnavailable: the device has no memory left.
        """

        def after_step(pipe: Any, step: int, _: object, tensors: dict[str, Any]) -> dict[str, Any]:
            on_step(step + 1, int(pipe.num_timesteps))
            return tensors

        first = wanted[0].image
        asked: dict[str, Any] = {
            "prompt": _each([one.prompt for one in wanted]),
            # A copy: pictures are read-only, which torch cannot promise to keep.
            "image": np.stack([one.image.pixels for one in wanted]),
            "output_type": "np",
            **options.call(),
            **self._family.call,
            **self._guides(wanted, options),
        }
        if options.negates(self._family):
            # Guidance that is measured from a negative prompt needs one, be it blank.
            asked["negative_prompt"] = _each([one.negative_prompt or " " for one in wanted])
        if self._family.pil:
            asked["image"] = _each([_levels(one.image) for one in wanted])
        if not self._family.starts:
            del asked["image"]
        if wanted[0].references:
            asked |= self._references(first, wanted[0].references, options)
        if options.steps != self._family.steps:
            asked |= self._family.restepped
        if self._family.reports:
            asked["callback_on_step_end"] = after_step
        if self._family.sized:
            asked |= {"height": first.height, "width": first.width}
        if "_auto_resize" in asked:
            asked["max_area"] = first.height * first.width
        made = self._called(asked, [one.seed for one in wanted], options.scheduler)
        return [self._picture(first, pixels) for pixels in made.images]

    def _picture(self, asked: Picture, found: Any) -> Picture | GenerationError:
        pixels = np.asarray(found, dtype=np.float32)
        if pixels.shape != asked.pixels.shape or not np.isfinite(pixels).all():
            return GenerationError(
                f"The model {self._name!r} made no picture of {asked.width} x {asked.height} "
                f"pixels, but values of shape {pixels.shape}, finite or not.",
                advice="Its weights may be damaged or unfit for half precision.",
            )
        return Picture(pixels=np.clip(pixels, 0.0, 1.0))

    def _called(self, asked: dict[str, Any], seeds: Sequence[int], scheduler: str) -> Any:
        """Call the pipeline; where memory runs out, once more with each way to save some."""
        while True:
            self._pipe.scheduler = self._fresh_scheduler(scheduler)
            noise = [self._torch.Generator("cpu").manual_seed(seed) for seed in seeds]
            asked["generator"] = _each(noise)
            try:
                # Some pipelines draw numbers of their own beside the generator that they are given.
                with self._torch.inference_mode(), self._torch.random.fork_rng(self._forked()):
                    self._torch.manual_seed(seeds[0])
                    return self._pipe(**asked)
            except self._torch.OutOfMemoryError as error:
                if len(seeds) > 1:
                    self.most = max(1, len(seeds) // 2)
                    self._forget_memory()
                    raise BatchTooLarge(self._device) from error
                if not self._save_more():
                    raise _no_memory(self._name, self._device) from error
                log.warning("memory_saved", model=self._name, how=self.saved)
                self._place()

    def _references(
        self, image: Picture, references: Sequence[Picture], options: DiffusersOptions
    ) -> Mapping[str, Any]:
        if self._family.refers == "images":
            return {"image": [_levels(image), *map(_levels, references)]}
        self._pipe.set_ip_adapter_scale(options.reference_scale)
        return {"ip_adapter_image": [_levels(one) for one in references]}

    def _forked(self) -> list[int]:
        if not self._device.startswith("cuda"):
            return []
        index = self._device.partition(":")[2]
        return [int(index) if index else int(self._torch.cuda.current_device())]

    def _guides(self, wanted: Sequence[Wanted], options: DiffusersOptions) -> Mapping[str, Any]:
        if self._family.channels == 9:
            first = wanted[0].image
            shape = (len(wanted), first.height, first.width, 1)
            return {"mask_image": np.ones(shape, dtype=np.float32)}
        if not self._family.control:
            return {}
        scales = options.scales()
        images = [np.stack(each) for each in zip(*(one.guides for one in wanted), strict=True)]
        if self._family.modes:
            # It follows all of them by itself, and is given their kinds.
            modes = [self._family.modes[guide] for guide in options.guides()]
            scale = list(scales * len(images)) if len(scales) == 1 else list(scales)
            return {
                "control_image": images,
                "control_mode": modes,
                "controlnet_conditioning_scale": scale if len(images) > 1 else scale[0],
            }
        if len(images) == 1:
            return {"control_image": images[0], "controlnet_conditioning_scale": scales[0]}
        given = scales * len(images) if len(scales) == 1 else scales
        return {"control_image": images, "controlnet_conditioning_scale": list(given)}

    def _fresh_scheduler(self, name: str) -> Any:
        # A scheduler keeps the state of its last run; a new one costs a millisecond.
        if not name:
            return type(self._scheduler).from_config(self._scheduler.config)
        class_name, extra = self._family.schedulers[name]
        return getattr(self._diffusers, class_name).from_config(self._scheduler.config, **extra)


def _each(values: Sequence[T]) -> T | list[T]:
    """Return the only one of them, or all: what is asked for one picture is no list."""
    return values[0] if len(values) == 1 else list(values)


def _in_parts(pipe: Any) -> None:
    """Let the VAE work in tiles and slices, where its class can."""
    for way in ("enable_tiling", "enable_slicing"):
        if hasattr(pipe.vae, way):
            getattr(pipe.vae, way)()


def _levels(picture: Picture) -> Any:
    """Return a picture as PIL holds it."""
    levels = np.round(picture.pixels * 255).astype(np.uint8)
    return import_module("PIL.Image").fromarray(levels)


def device_memory(device: str) -> int:
    """
    Return how much memory a device has, in bytes.

    Raises:
        SettingsError: this machine has no such device, or a package is missing.
    """
    if device.startswith("cuda"):
        torch, _ = _libraries()
        _require_device(torch, device)
        return int(torch.cuda.get_device_properties(device).total_memory)
    return int(psutil.virtual_memory().total)


def precision(family: Family, device: str) -> str:
    """Return the number format on a device; half precision is slower than full on a CPU."""
    return family.precision if device.startswith("cuda") else "float32"


def _libraries() -> tuple[ModuleType, ModuleType]:
    # By name, since their types are incomplete: all that comes out of them is checked here.
    # Threads that spin while they wait make two busy workers slower than one thread each.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        torch = import_module("torch")
        # Before diffusers: it warns about the absent torchvision while its classes are imported.
        offline_transformers()
        diffusers = import_module("diffusers")
    except ImportError as error:
        raise SettingsError(
            f"The generator 'diffusers' needs a package that is not installed: {error}.",
            advice="Install it with `pip install 'haikei[diffusers]'`.",
        ) from error
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    return torch, diffusers


def _require_device(torch: ModuleType, device: str) -> None:
    kind = device.partition(":")[0]
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(kind, False):
        usable = ", ".join(name for name, usable in there.items() if usable)
        raise SettingsError(
            f"The device {device!r} cannot be used here.",
            advice=f"Devices of this machine: {usable}. Correct engine.devices.",
        )


def _no_memory(name: str, device: str) -> GeneratorUnavailable:
    return GeneratorUnavailable(
        f"{device} has not enough free memory for the model {name!r}.",
        advice="End what else runs on it, set the stage's option max_side or tile lower, or the "
        "model's setting memory to auto.",
    )
