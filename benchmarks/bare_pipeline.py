"""The loop over a diffusers pipeline that anybody would write, as what Haikei is compared with."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.generators.diffusers.generator import MULTIPLE
from haikei.generators.guides import Guide, draw_guides
from haikei.images import Padding, Picture, decode_picture, read_picture
from haikei.settings import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What one layout took."""

    generate: float
    files: float
    cpu: float  #: CPU seconds of all threads in the generate part


class Bare:
    """The loop that anybody would write: one pipeline, one picture after the other."""

    def __init__(self, model: Model) -> None:
        self._torch: Any = import_module("torch")
        diffusers: Any = import_module("diffusers")
        common: Mapping[str, object] = {"use_safetensors": True, "local_files_only": True}
        parts: dict[str, object] = {"safety_checker": None, "requires_safety_checker": False}
        if model.controlnet:
            (folder,) = model.controlnet
            parts["controlnet"] = diffusers.ControlNetModel.from_pretrained(folder, **common)
        self._pipe: Any = diffusers.AutoPipelineForImage2Image.from_pretrained(
            model.folder, **common, **parts
        )
        self._pipe.set_progress_bar_config(disable=True)
        self._guided = hasattr(self._pipe, "controlnet")
        self._taken = signature(self._pipe.__call__).parameters

    def make(self, layout: Path, requests: list[dict[str, Any]], folder: Path) -> Times:
        """Run both stages with the words and seeds of our own requests."""
        begun = time.perf_counter()
        picture = read_picture(layout)
        padding = Padding.to_multiple(picture, MULTIPLE)
        padded = padding.pad(picture)
        lines = None
        if self._guided:
            (ink,) = draw_guides(picture, (Guide.LINE,), place="", pause=lambda: None)
            lines = padding.pad(Picture(pixels=ink)).pixels[None]
        files = time.perf_counter() - begun
        generate = cpu = 0.0
        image: NDArray[np.float32] = padded.pixels[None]
        for request in requests:
            options = dict(request["options"])
            guide: dict[str, object] = {}
            if self._guided:
                guide = {
                    "control_image": lines,
                    "controlnet_conditioning_scale": float(options["control_scale"]),
                }
            if "height" in self._taken:
                guide |= {"height": padded.height, "width": padded.width}
            begun, cpu_begun = time.perf_counter(), time.process_time()
            made: NDArray[np.float32] = self._pipe(
                prompt=request["prompt"],
                negative_prompt=request["negative_prompt"] or " ",
                image=image,
                strength=float(options["strength"]),
                num_inference_steps=int(options["steps"]),
                guidance_scale=float(options["guidance"]),
                generator=self._torch.Generator("cpu").manual_seed(int(request["seed"])),
                output_type="np",
                **guide,
            ).images[0]
            generate += time.perf_counter() - begun
            cpu += time.process_time() - cpu_begun
            begun = time.perf_counter()
            result = padding.crop(Picture(pixels=np.clip(made, 0.0, 1.0))).as_uint16()
            cv2.imwrite(str(folder / f"{request['stage']}.png"), result[..., ::-1])
            # What the next stage reads from our files, so that both loops get the same.
            stored = decode_picture(folder / f"{request['stage']}.png").picture
            image = padding.pad(stored).pixels[None]
            files += time.perf_counter() - begun
        return Times(generate=generate, files=files, cpu=cpu)
