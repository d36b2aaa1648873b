"""A diffusers pipeline in memory: loaded from local safetensors, called for one picture."""

import gc
import json
import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haikei.errors import GenerationError, GeneratorUnavailable, ModelUnusable, SettingsError
from haikei.generators.diffusers.families import Family
from haikei.generators.diffusers.options import DiffusersOptions
from haikei.images import Picture
from haikei.models import WEIGHTS, ModelCard, variant_of


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
