"""
How much does Haikei add to a diffusers pipeline, against a bare loop over the same pipeline?

Layouts go through two stages, each twice in turn: through `Production`, with everything that a
job does, and through a bare loop that calls the same pipeline class on pictures that are in
memory already. Both must make the very same pixels, or the run fails.

- The generate part is what the mark is on: from pictures in memory to a picture in memory.
  Ours holds padding, line extraction, the model's file check, progress, prompt notes, cropping.
- The file part is told beside it: reading the layout, hashing it, the canonical request, the
  16-bit PNG, synced, and its note; the bare loop saves 16-bit PNGs with OpenCV, not synced.
- Loading the pipeline is outside of both, and told once.

Without `--model`, a tiny pipeline with random weights stands in: its pictures mean nothing, and
its steps are so short that what Haikei adds weighs more than it would on a real model. With
`--families` each of them stands in after the other; the bare loop encodes its prompts each time.
Then `--jobs` backgrounds of one recipe for each family are made in turn by one `Production`, as
one worker makes them, and it is counted how often a model was loaded.

    python benchmarks/generate.py --layouts 3 --rounds 5
    python benchmarks/generate.py --families sd15 sdxl z-image --width 640 --height 384 --jobs 100
"""

import argparse
import hashlib
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import structlog
from numpy.typing import NDArray

from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Generator,
    Production,
    ProductionOrder,
    Progress,
    ProgressCallback,
    StageOrder,
    StageOutput,
    StageSystem,
    seed_of,
)
from haikei.generators.diffusers.generator import MULTIPLE, DiffusersGenerator
from haikei.generators.guides import Guide, draw_guides
from haikei.images import Padding, Picture, decode_picture, read_picture
from haikei.models import model_from_folder
from haikei.scenes import Scene, SceneKind, draw, save_layout
from haikei.settings import Model, Recipe, Settings, Stage

MIB = 1024 * 1024
MARK = 1.03
STRENGTHS = {"gen1": 0.8, "gen2": 0.5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run gave; times in seconds a layout (two stages), memory in MiB."""

    model: str
    size: str
    layouts: int
    rounds: int
    steps: int
    generate_ours: float
    generate_bare: float
    generate_ratio: float  #: median over the rounds of ours against bare
    generate_ratio_spread: tuple[float, float]
    cpu_ratio: float  #: the same in CPU seconds of all threads, which other processes disturb less
    cpu_ratio_spread: tuple[float, float]
    files_ours: float
    files_bare: float
    whole_ratio: float
    loading: float  #: imports, weights and the first picture, once
    rss: float  #: of this process with the model loaded and used by Production alone
    same_pixels: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What it took to make backgrounds of several recipes in turn."""

    jobs: int
    recipes: int
    loads: int  #: of models; one a recipe where all stay in memory
    seconds: float


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


class CpuClock:
    """A generator that notes the CPU seconds of the one it stands for."""

    def __init__(self, inner: Generator) -> None:
        self._inner = inner
        self.seconds = 0.0

    def describe(self, stage: StageOrder) -> StageSystem:
        """Describe the inner one."""
        return self._inner.describe(stage)

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        """Let the inner one generate, and note what it took."""
        begun = time.process_time()
        result = self._inner.generate(request, layout=layout, previous=previous, progress=progress)
        self.seconds += time.process_time() - begun
        return result


def ours(
    production: Production, clock: CpuClock, order: ProductionOrder, folder: Path
) -> tuple[Times, list[StageOutput]]:
    """Run both stages as a job's worker does."""
    made: list[StageOutput] = []
    clock.seconds = 0.0
    begun = time.perf_counter()
    plans = production.stages(order)
    for index in range(len(plans)):
        previous = made[-1] if made else None
        made.append(
            production.make_stage(
                order, index, plans=plans, folder=folder, previous=previous, progress=_ignore
            )
        )
    whole = time.perf_counter() - begun
    generate = sum(output.seconds for output in made)
    return Times(generate=generate, files=whole - generate, cpu=clock.seconds), made


def _ignore(_: Progress) -> None:
    return


def _recipe(model: Model, key: str, steps: int) -> Recipe:
    options: dict[str, str | int | float | bool] = {"steps": steps, "guidance": 3.0}
    if model.controlnet:
        options["control_scale"] = 0.8
    return Recipe(
        stages=tuple(
            Stage(
                name=name,
                generator="diffusers",
                model=key,
                options={"strength": strength, **options},
            )
            for name, strength in STRENGTHS.items()
        )
    )


def _settings(folder: Path, models: Mapping[str, Model]) -> Settings:
    return Settings.model_validate(
        {
            "studio": {"state": folder / "state"},
            "storage": {"roots": [{"name": "work", "path": folder}]},
            "models": {key: model.model_dump() for key, model in models.items()},
            "policy": {"allow_non_commercial": True},
        }
    )


def in_turn(arguments: argparse.Namespace, folder: Path, models: Mapping[str, Model]) -> Turns:
    """Make backgrounds of one recipe for each model, one after the other, as one worker does."""
    settings = _settings(folder, models)
    recipes = [_recipe(model, key, 2) for key, model in models.items()]
    generator = DiffusersGenerator(settings)
    production = Production(settings, generators={"diffusers": generator})
    begun = time.perf_counter()
    for number in range(arguments.jobs):
        order = _order(recipes[number % len(recipes)], folder, (256, 128), number)
        plans = production.stages(order)
        made: StageOutput | None = None
        for index in range(len(plans)):
            made = production.make_stage(
                order, index, plans=plans, folder=folder / "turns", previous=made, progress=_ignore
            )
    return Turns(
        jobs=arguments.jobs,
        recipes=len(recipes),
        loads=generator.loads,
        seconds=time.perf_counter() - begun,
    )


def run(arguments: argparse.Namespace, folder: Path, model: Model) -> Figures:
    """Build the studio, warm both loops, and take turns."""
    recipe = _recipe(model, "measured", arguments.steps)
    settings = _settings(folder, {"measured": model})
    size = (arguments.width, arguments.height)
    orders = [_order(recipe, folder, size, number) for number in range(arguments.layouts)]
    process = psutil.Process()
    clock = CpuClock(DiffusersGenerator(settings))
    production = Production(settings, generators={"diffusers": clock})
    begun = time.perf_counter()
    outputs = [ours(production, clock, orders[0], folder / "first")[1]]
    loading = time.perf_counter() - begun
    # What was made here tells the bare loop its words and seeds.
    outputs += [ours(production, clock, order, folder / "first")[1] for order in orders[1:]]
    rss = process.memory_info().rss / MIB
    bare = Bare(model)
    beside = folder / "bare"
    beside.mkdir()
    bare.make(orders[0].layout, _requests(outputs[0]), beside)

    rounds: list[tuple[Times, Times]] = []
    same = True
    for number in range(arguments.rounds):
        mine: list[Times] = []
        theirs: list[Times] = []
        for place, (order, made) in enumerate(zip(orders, outputs, strict=True)):
            for turn in range(2):
                if (turn + number + place) % 2:
                    theirs.append(bare.make(order.layout, _requests(made), beside))
                    same = same and all(_same(output, beside) for output in made)
                else:
                    mine.append(ours(production, clock, order, folder / f"{number}-{place}")[0])
        rounds.append((_mean(mine), _mean(theirs)))
    burnt = [one.cpu / other.cpu for one, other in rounds]
    ratios = [one.generate / other.generate for one, other in rounds]
    wholes = [(x.generate + x.files) / (y.generate + y.files) for x, y in rounds]
    return Figures(
        model=model.name,
        size=f"{arguments.width}x{arguments.height}",
        layouts=arguments.layouts,
        rounds=arguments.rounds,
        steps=arguments.steps,
        generate_ours=statistics.median(one.generate for one, _ in rounds),
        generate_bare=statistics.median(other.generate for _, other in rounds),
        generate_ratio=statistics.median(ratios),
        generate_ratio_spread=(min(ratios), max(ratios)),
        cpu_ratio=statistics.median(burnt),
        cpu_ratio_spread=(min(burnt), max(burnt)),
        files_ours=statistics.median(one.files for one, _ in rounds),
        files_bare=statistics.median(other.files for _, other in rounds),
        whole_ratio=statistics.median(wholes),
        loading=loading,
        rss=rss,
        same_pixels=same,
    )


def _mean(times: list[Times]) -> Times:
    return Times(
        generate=statistics.fmean(one.generate for one in times),
        files=statistics.fmean(one.files for one in times),
        cpu=statistics.fmean(one.cpu for one in times),
    )


def _requests(outputs: list[StageOutput]) -> list[dict[str, Any]]:
    return [json.loads(output.request_json) for output in outputs]


def _same(output: StageOutput, beside: Path) -> bool:
    return read_picture(beside / f"{output.stage}.png").sha256() == output.pixels_sha256


def _order(recipe: Recipe, folder: Path, size: tuple[int, int], number: int) -> ProductionOrder:
    kinds = list(SceneKind)
    kind = kinds[number % len(kinds)]
    path = folder / f"layout-{size[0]}-{number}.png"
    save_layout(draw(Scene(kind=kind, width=size[0], height=size[1], seed=number)), path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return ProductionOrder(
        layout=path,
        layout_sha256=sha256,
        recipe=recipe,
        season="autumn",
        time="day",
        place=kind.value,
        seed=seed_of(sha256, "measured", "autumn", "day"),
    )


def _family(kind: str, folder: Path) -> Model:
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    tiny = import_module("support.models")
    base: Path = tiny.build_family(kind, folder / kind)
    settings: Settings = tiny.tiny_settings(folder, {kind: {"folder": base, "name": kind}})
    return settings.models[kind]


def _model(arguments: argparse.Namespace, folder: Path) -> Model:
    if arguments.model is not None:
        # The licence says nothing about speed; measuring publishes nothing.
        return model_from_folder(
            arguments.model,
            controlnet=arguments.controlnet,
            licence="not stated: measured only",
            licence_url="https://example.invalid/",
            commercial="no",
            data="not stated: measured only",
        )
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    tiny = import_module("support.models")
    made = tiny.build_tiny_model(folder / "tiny")
    settings: Settings = tiny.tiny_settings(
        folder, {"tiny": {"folder": made.base, "controlnet": made.controlnet}}
    )
    return settings.models["tiny"]


def _table(figures: Figures) -> str:
    verdict = "reached" if figures.generate_ratio <= MARK else "MISSED"
    low, high = figures.generate_ratio_spread
    burnt_low, burnt_high = figures.cpu_ratio_spread
    lines = [
        f"{figures.model}, {figures.size}, {figures.steps} steps, {figures.layouts} layouts",
        f"{figures.rounds} rounds; seconds a layout of two stages",
        f"  generate  ours {figures.generate_ours:.3f}  bare {figures.generate_bare:.3f}",
        f"    ratio   {figures.generate_ratio:.3f} ({low:.3f} to {high:.3f}); {MARK}: {verdict}",
        f"    in CPU  {figures.cpu_ratio:.3f} ({burnt_low:.3f} to {burnt_high:.3f})",
        f"  files     ours {figures.files_ours:.3f}  bare {figures.files_bare:.3f}",
        f"  whole     ratio {figures.whole_ratio:.3f}",
        f"  loading   {figures.loading:.1f} s once, with imports and the first picture",
        f"  memory    {figures.rss:.0f} MiB with the model in use",
        f"  pixels    {'the very same' if figures.same_pixels else 'DIFFERENT'}",
    ]
    return "\n".join(lines)


def main() -> int:
    """Print the figures; 0 when both loops made the same pixels."""
    parser = argparse.ArgumentParser(description="Measure what Haikei adds to a bare loop.")
    parser.add_argument("--model", type=Path, help="a model folder in diffusers format")
    parser.add_argument("--controlnet", type=Path, help="a ControlNet folder for it")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--layouts", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--families", nargs="*", default=[], help="tiny ones instead of a model")
    parser.add_argument("--jobs", type=int, default=0, help="backgrounds of all families in turn")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    found: list[Figures] = []
    turns: Turns | None = None
    with tempfile.TemporaryDirectory(prefix="haikei-generate-") as name:
        folder = Path(name)
        models = {kind: _family(kind, folder) for kind in arguments.families}
        for number, model in enumerate(models.values() or [_model(arguments, folder)]):
            place = folder / f"run-{number}"
            place.mkdir()
            found.append(run(arguments, place, model))
        if arguments.jobs:
            turns = in_turn(arguments, folder, models)
    if arguments.json:
        told = {"families": [asdict(one) for one in found], "turns": turns and asdict(turns)}
        print(json.dumps(told, indent=2))
    else:
        print("\n\n".join(_table(one) for one in found))
        if turns is not None:
            print(
                f"\n{turns.jobs} backgrounds of {turns.recipes} recipes in turn: {turns.loads} "
                f"models loaded, {turns.seconds:.1f} s"
            )
    return 0 if all(one.same_pixels for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
