"""A diffusers pipeline in memory: loaded from local safetensors, called for one picture."""

import gc
import inspect
import json
import os
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haikei.errors import GenerationError, GeneratorUnavailable, ModelUnusable, SettingsError
from haikei.generators.diffusers.options import SCHEDULERS, DiffusersOptions
from haikei.images import Picture
from haikei.models import ModelCard


class Pipeline:
    """
    One loaded model. It serves one call at a time.

    Nothing is downloaded, no pickle is read, no code of a model folder is run. A safety checker
    is left out: it would blacken pictures without a record of it.

    Raises:
        ModelUnusable: the folder cannot be loaded, or its family takes no picture to redraw.
        GeneratorUnavailable: the device has no memory left.
        SettingsError: this machine has no such device, or a package is missing.
    """

    def __init__(self, card: ModelCard, device: str) -> None:
        torch, diffusers = _libraries()
        self._torch = torch
        self._diffusers = diffusers
        self._name = card.key
        _require_device(torch, device)
        common = {
            "use_safetensors": True,
            "local_files_only": True,
            "dtype": getattr(torch, precision(device)),
        }
        parts: dict[str, object] = {}
        described = json.loads((card.folder / "model_index.json").read_text(encoding="utf-8"))
        if "safety_checker" in described:
            parts = {"safety_checker": None, "requires_safety_checker": False}
        try:
            if card.controlnet is not None:
                parts["controlnet"] = diffusers.ControlNetModel.from_pretrained(
                    card.controlnet, **common
                )
            pipe: Any = diffusers.AutoPipelineForImage2Image.from_pretrained(
                card.folder, **common, **parts
            ).to(device)
        except torch.OutOfMemoryError as error:
            raise _no_memory(card.key, device) from error
        except Exception as error:
            raise ModelUnusable(
                f"The model {card.key!r} cannot be loaded from {card.folder}: {error}",
                advice="Check that it is a Stable Diffusion pipeline in diffusers format, and that "
                "its ControlNet fits it.",
            ) from error
        pipe.set_progress_bar_config(disable=True)
        self._accepted = frozenset(inspect.signature(pipe.__call__).parameters)
        if not {"strength", "image", "prompt"} <= self._accepted:
            raise ModelUnusable(
                f"The model {card.key!r} ({type(pipe).__name__}) cannot redraw a picture.",
                advice="Use a model of the Stable Diffusion family.",
            )
        self._pipe: Any = pipe
        self._device = device
        self._scheduler: Any = pipe.scheduler

    def close(self) -> None:
        """Give the model's memory back."""
        self._pipe = self._scheduler = None
        gc.collect()
        if self._device.startswith("cuda"):
            self._torch.cuda.empty_cache()

    def tokenizers(self) -> tuple[Any, ...]:
        """Return the tokenizers that read the prompt."""
        found = (getattr(self._pipe, name, None) for name in ("tokenizer", "tokenizer_2"))
        return tuple(tokenizer for tokenizer in found if tokenizer is not None)

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

        asked = {
            "prompt": prompt,
            "negative_prompt": negative_prompt or None,
            "image": image.pixels[None],
            "control_image": lines[None],
            "strength": options.strength,
            "num_inference_steps": options.steps,
            "guidance_scale": options.guidance,
            "controlnet_conditioning_scale": options.control_scale,
            "generator": self._torch.Generator("cpu").manual_seed(seed),
            "callback_on_step_end": after_step,
            "output_type": "np",
        }
        self._pipe.scheduler = self._fresh_scheduler(options.scheduler)
        try:
            with self._torch.inference_mode():
                made = self._pipe(**{k: v for k, v in asked.items() if k in self._accepted})
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

    def _fresh_scheduler(self, name: str) -> Any:
        # A scheduler keeps the state of its last run; a new one costs a millisecond.
        if not name:
            return type(self._scheduler).from_config(self._scheduler.config)
        class_name, extra = SCHEDULERS[name]
        return getattr(self._diffusers, class_name).from_config(self._scheduler.config, **extra)


def precision(device: str) -> str:
    """Return the number format on a device; half precision is slower than full on a CPU."""
    return "float16" if device.startswith("cuda") else "float32"


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
