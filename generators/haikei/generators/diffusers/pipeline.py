"""
A diffusers pipeline in memory: loaded from local safetensors, called for one picture with the
options of a stage.
"""

import gc
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from haikei.errors import GenerationError, GeneratorUnavailable, ModelUnusable, SettingsError
from haikei.generators.contract import StageOrder
from haikei.generators.diffusers.families import PARAMETERS, Family
from haikei.images import Picture
from haikei.models import WEIGHTS, ModelCard, variant_of

_RANGES = {
    "guidance": (0.0, 50.0),
    "true_cfg": (0.0, 50.0),
    "image_guidance": (1.0, 20.0),
    "control_scale": (0.0, 2.0),
}
_GENERATOR = "the generator 'diffusers'"


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
    scheduler: str = ""  #: a name in the family's `schedulers`; empty keeps the model's own
    max_side: int = 0  #: pixels; a longer picture is made smaller and enlarged after; 0 never
    executed: int = 0  #: steps that are run

    @classmethod
    def of(cls, stage: StageOrder, family: Family, *, controls: int) -> Self:
        """
        Return the options of a stage for a model of `family` with so many ControlNets.

        Raises:
            SettingsError: an option is unknown, not taken by the model, of the wrong kind or out
                of range.
        """
        taken = {"steps", "max_side", *family.options}
        if family.schedulers:
            taken.add("scheduler")
        known = {one.name for one in fields(cls)} - {"executed"}
        given: dict[str, str | int | float] = {"steps": family.steps}
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

    def call(self) -> dict[str, float]:
        """Return what the pipeline is called with, control scales apart, by its own names."""
        numbers = {name: getattr(self, name) for name in PARAMETERS if name != "control_scale"}
        return {PARAMETERS[name]: value for name, value in numbers.items() if value is not None}

    def negates(self, family: Family) -> bool:
        """Tell whether a negative prompt acts."""
        if family.negative is None:
            return False
        value = getattr(self, family.negative[0])
        # The class's own default, where nothing is said, is for guidance that acts.
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
        if len(self.scales()) not in {0, 1, controls}:
            raise _wrong(
                "control_scale",
                self.control_scale,
                f"one number, or {controls} with commas between",
            )
        if self.scheduler and self.scheduler not in family.schedulers:
            raise _wrong(
                "scheduler",
                self.scheduler,
                f"one of {', '.join(family.schedulers)} for {family.name}",
            )
        if self.max_side and not 64 <= self.max_side <= 16384:
            raise _wrong("max_side", self.max_side, "0, or from 64 to 16384")


def _typed(name: str, value: str | float) -> str | int | float:
    if name == "control_scale" and isinstance(value, str):
        try:
            whole = all(math.isfinite(float(part)) for part in value.split(","))
        except ValueError:
            whole = False
        if whole:
            return value
        raise _wrong(name, value, "a number, or numbers with commas between")
    kind = {"scheduler": str, "steps": int, "max_side": int}.get(name, float)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)  # TOML writes whole numbers without a point
    if type(value) is not kind:
        raise _wrong(name, value, f"a value of type {kind.__name__}")
    return value


def _wrong(name: str, value: object, allowed: str) -> SettingsError:
    return SettingsError(
        f"The option {name!r} of {_GENERATOR} is {value!r}.", advice=f"It must be {allowed}."
    )


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

    def __init__(self, card: ModelCard, family: Family, device: str) -> None:
        torch, diffusers = _libraries()
        self._torch = torch
        self._diffusers = diffusers
        self._name = card.key
        self._family = family
        self._device = device
        _require_device(torch, device)
        try:
            self._pipe: Any = self._loaded(card)
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
        self._pipe.set_progress_bar_config(disable=True)
        self._scheduler: Any = self._pipe.scheduler

    def _loaded(self, card: ModelCard) -> Any:
        family = self._family
        common = {
            "use_safetensors": True,
            "local_files_only": True,
            "dtype": getattr(self._torch, precision(family, self._device)),
        }
        described = json.loads((card.folder / "model_index.json").read_text(encoding="utf-8"))
        # Left out where the model has none: a class is asked for what its folder names.
        parts = {
            name: value
            for name, value in family.load.items()
            if name in described or name != "safety_checker"
        }
        libraries = {"diffusers": self._diffusers, "transformers": import_module("transformers")}
        # Part by part, since a whole pipeline drops weights that its classes do not know and
        # makes up those that it misses, and says neither.
        for name, value in described.items():
            if name in {*parts, "controlnet"} or not isinstance(value, list):
                continue
            library, kind = value
            names = [one for one, _ in card.files if one.startswith(f"{name}/")]
            weights = [one for one in names if one.endswith(WEIGHTS)]
            if weights and library in libraries:
                known = getattr(libraries[library], kind)
                parts[name] = _whole(known, card.folder / name, name, weights[0], common)
        if card.controls:
            known = getattr(self._diffusers, family.control)
            nets: list[Any] = []
            for number, folder in enumerate(card.controls):
                name = f"controlnet_{number}" if number else "controlnet"
                weights = [one for one, _ in card.files if one.startswith(f"{name}/")]
                first = next(one for one in weights if one.endswith(WEIGHTS))
                nets.append(_whole(known, folder, name, first, common))
            several = self._diffusers.MultiControlNetModel
            parts["controlnet"] = several(nets) if len(nets) > 1 else nets[0]
        made = getattr(self._diffusers, family.pipeline).from_pretrained(
            card.folder, **common, **parts
        )
        return made.to(self._device)

    def close(self) -> None:
        """Give the model's memory back."""
        self._pipe = self._scheduler = None
        gc.collect()
        if self._device.startswith("cuda"):
            self._torch.cuda.empty_cache()

    def tokenizer(self) -> Any:
        """Return the tokenizer that decides what of a prompt is read; None where none is known."""
        return getattr(self._pipe, self._family.tokenizer, None)

    def redraw(
        self,
        image: Picture,
        *,
        lines: NDArray[np.float32],
        prompt: str,
        negative_prompt: str,
        options: DiffusersOptions,
        seed: int,
        on_step: Callable[[int, int], None],
    ) -> Picture:
        """
        Return the picture as the model redraws it, at the same size.

        Args:
            image: what to start from; both sides divide evenly by 64.
            lines: (height, width, 3) float32, 0 to 1, the lines white on black.
            prompt: what to paint.
            negative_prompt: what not to paint.
            options: of the stage.
            seed: of the noise, which is made on the CPU so that it is the same on each device.
            on_step: called with the steps done and the steps in all; what it raises ends the call
                and leaves the pipeline as it was.

        Raises:
            GenerationError: the result is not a picture.
            GeneratorUnavailable: the device has no memory left.
        """

        def after_step(pipe: Any, step: int, _: object, tensors: dict[str, Any]) -> dict[str, Any]:
            on_step(step + 1, int(pipe.num_timesteps))
            return tensors

        asked: dict[str, Any] = {
            "prompt": prompt,
            # A copy: pictures are read-only, which torch cannot promise to keep.
            "image": image.pixels[None].copy(),
            "generator": self._torch.Generator("cpu").manual_seed(seed),
            "output_type": "np",
            **options.call(),
            **self._family.call,
            **self._guides(image, lines, options),
        }
        if options.negates(self._family):
            # Guidance that is measured from a negative prompt needs one, be it blank.
            asked["negative_prompt"] = negative_prompt or " "
        if self._family.pil:
            levels = np.round(image.pixels * 255).astype(np.uint8)
            asked["image"] = import_module("PIL.Image").fromarray(levels)
        if self._family.reports:
            asked["callback_on_step_end"] = after_step
        if self._family.sized:
            asked |= {"height": image.height, "width": image.width}
        if "_auto_resize" in asked:
            asked["max_area"] = image.height * image.width
        self._pipe.scheduler = self._fresh_scheduler(options.scheduler)
        try:
            with self._torch.inference_mode():
                made = self._pipe(**asked)
        except self._torch.OutOfMemoryError as error:
            raise _no_memory(self._name, self._device) from error
        pixels = np.asarray(made.images[0], dtype=np.float32)
        if pixels.shape != image.pixels.shape or not np.isfinite(pixels).all():
            raise GenerationError(
                f"The model {self._name!r} made no picture of {image.width} x {image.height} "
                f"pixels, but values of shape {pixels.shape}, finite or not.",
                advice="Its weights may be damaged or unfit for half precision.",
            )
        return Picture(pixels=np.clip(pixels, 0.0, 1.0))

    def _guides(
        self, image: Picture, lines: NDArray[np.float32], options: DiffusersOptions
    ) -> Mapping[str, Any]:
        if self._family.channels == 9:
            return {"mask_image": np.ones((1, image.height, image.width, 1), dtype=np.float32)}
        if not self._family.control:
            return {}
        controls = getattr(self._pipe.controlnet, "nets", None)
        scales = options.scales()
        if controls is None:
            return {"control_image": lines[None], "controlnet_conditioning_scale": scales[0]}
        given = scales * len(controls) if len(scales) == 1 else scales
        return {
            "control_image": [lines[None]] * len(controls),
            "controlnet_conditioning_scale": list(given),
        }

    def _fresh_scheduler(self, name: str) -> Any:
        # A scheduler keeps the state of its last run; a new one costs a millisecond.
        if not name:
            return type(self._scheduler).from_config(self._scheduler.config)
        class_name, extra = self._family.schedulers[name]
        return getattr(self._diffusers, class_name).from_config(self._scheduler.config, **extra)


def precision(family: Family, device: str) -> str:
    """Return the number format on a device; half precision is slower than full on a CPU."""
    return family.precision if device.startswith("cuda") else "float32"


def _whole(kind: Any, folder: Path, name: str, first: str, common: Mapping[str, Any]) -> Any:
    """Load one part and make sure that its weights are those that its class asks for."""
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


def _libraries() -> tuple[ModuleType, ModuleType]:
    # By name, since their types are incomplete: all that comes out of them is checked here.
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    # Threads that spin while they wait make two busy workers slower than one thread each.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        torch = import_module("torch")
        # Before diffusers: it warns about the absent torchvision while its classes are imported.
        speech = import_module("transformers.utils.logging")
        speech.set_verbosity_error()
        speech.disable_progress_bar()
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
        advice="End what else runs on it, or set the stage's option max_side lower.",
    )
