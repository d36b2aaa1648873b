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

With `--waiting`, so many jobs of one recipe wait for one worker, which has as many of them in work
as it has of its device's: one at a time on the device, then `--batch` of them in one call. The
device idles between two calls of the pipeline; the bare loop, which reads, computes and writes in
turn, is measured beside them in each round.

    python benchmarks/generate.py --layouts 3 --rounds 5
    python benchmarks/generate.py --families sd15 sdxl z-image --width 640 --height 384 --jobs 100
    python benchmarks/generate.py --families sd15 sdxl z-image --waiting 12 --batch 4
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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import psutil
import structlog

from bare_pipeline import Bare, Times
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Production,
    ProductionOrder,
    Progress,
    ProgressCallback,
    StageOrder,
    StageOutput,
    StageSystem,
    seed_of,
)
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.generators.diffusers.pipeline import Pipeline
from haikei.images import Picture, decode_picture, read_picture
from haikei.measure import line_recall
from haikei.models import model_from_folder
from haikei.scenes import Scene, SceneKind, draw, save_layout
from haikei.settings import Device, Model, Recipe, Settings, Stage

MIB = 1024 * 1024
MARK = 1.03
SWITCH = 0.0005  #: seconds, as in a generation worker
IDLE = 0.03  #: the most of its time that the device may idle while jobs wait
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
class Waiting:
    """What one worker made of jobs that wait; medians over the rounds, times in seconds."""

    model: str
    jobs: int  #: of two pictures each
    batch: int
    picture_bare: float
    picture_single: float
    picture_batch: float
    single_ratio: float  #: to the bare loop
    single_ratio_spread: tuple[float, float]
    single_cpu_ratio: float  #: in CPU seconds of all threads, which other processes disturb less
    batch_gain: float  #: singles against batches
    batch_gain_spread: tuple[float, float]
    batch_cpu_gain: float
    calls: int  #: of the pipeline, with batches; singles take one a picture
    #: Part of the time between the first call and the end of the last job but one.
    idle_bare: float
    idle_single: float
    idle_batch: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """How long some jobs took, and how much of that the device idled."""

    seconds: float
    cpu: float  #: CPU seconds of all threads
    idle: float
    calls: int = 0


class CpuClock:
    """A generator that notes the CPU seconds of the one it stands for."""

    def __init__(self, inner: DiffusersGenerator) -> None:
        self._inner = inner
        self.seconds = 0.0

    def words_lost(self, stage: StageOrder, **words: str) -> tuple[str, ...]:
        """Ask the inner one."""
        return self._inner.words_lost(stage, **words)

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


class Calls:
    """Notes when the pipeline is at work, while it is open."""

    def __init__(self) -> None:
        self._times: list[tuple[float, float]] = []
        self._redraw = Pipeline.redraw

    def __enter__(self) -> Self:
        def timed(pipeline: Pipeline, *given: Any, **more: Any) -> Any:
            begun = time.perf_counter()
            try:
                return self._redraw(pipeline, *given, **more)
            finally:
                self._times.append((begun, time.perf_counter()))

        setattr(Pipeline, "redraw", timed)  # noqa: B010 - a method is not assigned to
        return self

    def __exit__(self, *_: object) -> None:
        setattr(Pipeline, "redraw", self._redraw)  # noqa: B010 - likewise

    def spell(self, seconds: float, cpu: float, until: float) -> Spell:
        """Return what was noted; the device idles between a call and the next, until then."""
        first, until = self._times[0][0], min(until, self._times[-1][1])
        busy = sum(min(end, until) - begun for begun, end in self._times if begun < until)
        idle = 1 - busy / (until - first)
        return Spell(seconds=seconds, cpu=cpu, idle=idle, calls=len(self._times))


def waiting(arguments: argparse.Namespace, folder: Path, model: Model) -> Waiting:
    """Let jobs of one recipe wait for a worker that makes them singly, then in batches."""
    recipe = _recipe(model, "measured", arguments.steps)
    size = (arguments.width, arguments.height)
    orders = [_order(recipe, folder, size, number) for number in range(arguments.waiting)]
    workers = {
        batch: _production(folder, model, Device(batch=batch)) for batch in (1, arguments.batch)
    }
    bare = Bare(model)
    beside = folder / "bare-waiting"
    beside.mkdir()
    # What is made here loads the models, and tells the bare loop its words and seeds.
    requests = [_requests(_job(workers[1], order, folder / "told")) for order in orders]
    _job(workers[arguments.batch], orders[0], folder / "warm")
    bare.make(orders[0].layout, requests[0], beside)
    found: list[tuple[Spell, Spell, Spell]] = []
    for number in range(arguments.rounds):
        begun, cpu = time.perf_counter(), time.process_time()
        times = [
            bare.make(order.layout, asked, beside)
            for order, asked in zip(orders, requests, strict=True)
        ]
        files = sum(one.files for one in times)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        apart = {
            batch: _spell(worker, orders, folder / f"{number}-{batch}")
            for batch, worker in workers.items()
        }
        loop = Spell(seconds=seconds, cpu=cpu, idle=files / seconds)
        found.append((loop, apart[1], apart[arguments.batch]))
    ratios = [single.seconds / loop.seconds for loop, single, _ in found]
    gains = [single.seconds / batch.seconds for _, single, batch in found]
    burnt = [(single.cpu / loop.cpu, single.cpu / batch.cpu) for loop, single, batch in found]
    pictures = len(orders) * len(STRENGTHS)
    loops, singles, batches = zip(*found, strict=True)
    return Waiting(
        model=model.name,
        jobs=len(orders),
        batch=arguments.batch,
        picture_bare=statistics.median(one.seconds for one in loops) / pictures,
        picture_single=statistics.median(one.seconds for one in singles) / pictures,
        picture_batch=statistics.median(one.seconds for one in batches) / pictures,
        single_ratio=statistics.median(ratios),
        single_ratio_spread=(min(ratios), max(ratios)),
        single_cpu_ratio=statistics.median(one for one, _ in burnt),
        batch_gain=statistics.median(gains),
        batch_gain_spread=(min(gains), max(gains)),
        batch_cpu_gain=statistics.median(one for _, one in burnt),
        calls=round(statistics.median(one.calls for one in batches)),
        idle_bare=statistics.median(one.idle for one in loops),
        idle_single=statistics.median(one.idle for one in singles),
        idle_batch=statistics.median(one.idle for one in batches),
    )


def _production(folder: Path, model: Model, device: Device) -> tuple[Production, int]:
    settings = _settings(folder, {"measured": model})
    engine = settings.engine.model_copy(update={"devices": (device,)})
    return Production(settings.model_copy(update={"engine": engine})), device.in_work


def _spell(worker: tuple[Production, int], orders: list[ProductionOrder], folder: Path) -> Spell:
    """Do all jobs, as many in work as the worker has, each in a thread as the engine's are."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    begun, cpu = time.perf_counter(), time.process_time()
    ends: list[float] = []

    def job(order: ProductionOrder) -> None:
        _job(worker, order, folder)
        ends.append(time.perf_counter())

    with Calls() as calls, ThreadPoolExecutor(worker[1]) as pool:
        for one in [pool.submit(job, order) for order in orders]:
            one.result()
    # From then on there is one job alone, whose pictures stand on each other: nobody waits.
    until = sorted(ends)[-2]
    spell = calls.spell(ends[-1] - begun, time.process_time() - cpu, until)
    sys.setswitchinterval(usual)
    return spell


def _job(worker: tuple[Production, int], order: ProductionOrder, folder: Path) -> list[StageOutput]:
    """Do what the step `generate` of a job does."""
    production, _ = worker
    made: list[StageOutput] = []
    plans = production.stages(order)
    for index in range(len(plans)):
        previous = made[-1] if made else None
        made.append(
            production.make_stage(
                order, index, plans=plans, folder=folder / order.layout.stem, previous=previous,
                progress=_ignore,
            )
        )  # fmt: skip
    line_recall(production.layout(order).picture, decode_picture(made[-1].path).picture)
    return made


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


def _crowd(one: Waiting) -> str:
    low, high = one.single_ratio_spread
    least, most = one.batch_gain_spread
    verdict = "reached" if max(one.idle_single, one.idle_batch) <= IDLE else "MISSED"
    pictures = one.jobs * len(STRENGTHS)
    rows = (
        ("bare loop", one.picture_bare, one.idle_bare),
        ("one at a time", one.picture_single, one.idle_single),
        (f"up to {one.batch} at once", one.picture_batch, one.idle_batch),
    )
    ratio = f"{one.single_ratio:.3f} ({low:.3f} to {high:.3f}); in CPU {one.single_cpu_ratio:.3f}"
    gain = f"{one.batch_gain:.3f} ({least:.3f} to {most:.3f}); in CPU {one.batch_cpu_gain:.3f}"
    lines = [
        f"{one.model}: {one.jobs} jobs of two pictures wait; seconds a picture, files included",
        *(f"  {name:16} {took:.3f}  the device idles {idle:6.1%}" for name, took, idle in rows),
        f"  at most {IDLE:.0%} idle: {verdict}",
        f"  one at a time against the bare loop {ratio}",
        f"  gain of batches {gain}; {one.calls} calls for {pictures} pictures",
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
    parser.add_argument("--waiting", type=int, default=0, help="jobs that wait for one worker")
    parser.add_argument("--batch", type=int, default=4, help="pictures in one call, for --waiting")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    found: list[Figures] = []
    crowds: list[Waiting] = []
    turns: Turns | None = None
    with tempfile.TemporaryDirectory(prefix="haikei-generate-") as name:
        folder = Path(name)
        models = {kind: _family(kind, folder) for kind in arguments.families}
        for number, model in enumerate(models.values() or [_model(arguments, folder)]):
            place = folder / f"run-{number}"
            place.mkdir()
            if arguments.waiting:
                crowds.append(waiting(arguments, place, model))
            else:
                found.append(run(arguments, place, model))
        if arguments.jobs:
            turns = in_turn(arguments, folder, models)
    if arguments.json:
        told = {
            "families": [asdict(one) for one in found],
            "waiting": [asdict(one) for one in crowds],
            "turns": turns and asdict(turns),
        }
        print(json.dumps(told, indent=2))
    else:
        print("\n\n".join((*map(_table, found), *map(_crowd, crowds))))
        if turns is not None:
            print(
                f"\n{turns.jobs} backgrounds of {turns.recipes} recipes in turn: {turns.loads} "
                f"models loaded, {turns.seconds:.1f} s"
            )
    return 0 if all(one.same_pixels for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
