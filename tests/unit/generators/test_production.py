"""A layout is carried through the stages of its recipe, each made once."""

import hashlib
import json
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typing_extensions import override

from haikei.credits import SourceType, System
from haikei.errors import (
    GenerationCancelled,
    GenerationError,
    ImageUnreadable,
    SettingsError,
    StorageUnavailable,
)
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
from haikei.images import Picture, read_picture, write_picture
from haikei.settings import Device, Recipe, Settings, Stage
from support.clocks import PATIENCE, eventually


class Tint:
    """A generator of one line: it mixes what it gets with a colour that its seed gives."""

    def __init__(self) -> None:
        self.requests: list[GenerationRequest] = []
        self.fault: Exception | None = None
        self.grow = 0

    def describe(self, stage: StageOrder) -> StageSystem:
        if unknown := [name for name, _ in stage.options if name != "strength"]:
            raise SettingsError(f"unknown option {unknown[0]}")
        return StageSystem(
            system=System(name="Tint", version="1", source_type=SourceType.ALGORITHMIC),
            libraries=(("numpy", np.__version__),),
        )

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        self.requests.append(request)
        assert (layout.width, layout.height) == (request.width, request.height)
        progress(Progress(step=1, steps=1))
        if self.fault:
            raise self.fault
        colour = np.random.default_rng(request.seed).random(3).astype(np.float32)
        base = layout if previous is None else previous
        pixels = np.pad(base.pixels, ((0, self.grow), (0, 0), (0, 0))) * 0.5 + colour * 0.5
        return GenerationResult(
            picture=Picture(pixels=pixels.astype(np.float32)), notes=(f"for {request.stage}",)
        )


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "studio": {"state": tmp_path / "state"},
            "storage": {"roots": [{"name": "work", "path": tmp_path}]},
        }
    )


@pytest.fixture
def tint() -> Tint:
    return Tint()


@pytest.fixture
def production(settings: Settings, tint: Tint) -> Production:
    return Production(settings, generators={"tint": tint})


@pytest.fixture
def order(tmp_path: Path) -> ProductionOrder:
    layout = tmp_path / "layout.png"
    noise = np.random.default_rng(5).random((36, 64, 3)).astype(np.float32)
    write_picture(Picture(pixels=noise), layout, bits=8)
    return order_for(layout)


def order_for(layout: Path, *, width: int = 0, prompt: str = "", seed: int = 7) -> ProductionOrder:
    return ProductionOrder(
        layout=layout,
        layout_sha256=hashlib.sha256(layout.read_bytes()).hexdigest(),
        recipe=Recipe(
            stages=(
                Stage(name="gen1", generator="tint", options={"strength": 0.5}),
                Stage(name="gen2", generator="tint"),
            ),
            prompt=prompt,
            width=width,
        ),
        season="autumn",
        time="sunset",
        place="port",
        seed=seed,
    )


def make_all(production: Production, order: ProductionOrder, folder: Path) -> list[StageOutput]:
    made: list[StageOutput] = []
    plans = production.stages(order)
    for index in range(len(order.recipe.stages)):
        previous = made[-1] if made else None
        made.append(
            production.make_stage(
                order, index, plans=plans, folder=folder, previous=previous, progress=ignore
            )
        )
    return made


def test_each_stage_is_a_sixteen_bit_file_named_by_its_request(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    first, second = make_all(production, order, tmp_path / "job")

    for output, name in ((first, "gen1"), (second, "gen2")):
        digest = hashlib.sha256(output.request_json.encode()).hexdigest()
        assert output.request_sha256 == digest
        assert output.path == tmp_path / "job" / f"{name}-{digest[:16]}.png"
        assert read_picture(output.path).sha256() == output.pixels_sha256
        assert (output.width, output.height) == (64, 36)
        assert output.notes == (f"for {name}",)
        assert not output.reused


def test_the_request_is_the_record(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    first, second = make_all(production, order, tmp_path / "job")

    record = json.loads(second.request_json)
    assert record["layout_sha256"] == order.layout_sha256
    assert record["previous_sha256"] == first.pixels_sha256
    assert record["system"]["name"] == "Tint"
    assert record["system"]["source_type"] == "algorithmicMedia"
    assert record["libraries"] == [["numpy", np.__version__]]
    assert (record["season"], record["time"], record["place"]) == ("autumn", "sunset", "port")
    assert record["colour_space"] == "srgb"
    assert json.loads(first.request_json)["options"] == [["strength", "0.5"]]
    assert record["seed"] != json.loads(first.request_json)["seed"]


def test_a_stage_that_stands_is_reused_with_all_that_is_known_of_it(
    production: Production, tint: Tint, order: ProductionOrder, tmp_path: Path
) -> None:
    made = make_all(production, order, tmp_path / "job")

    again = make_all(production, order, tmp_path / "job")

    assert len(tint.requests) == 2
    assert all(output.reused for output in again)
    for before, after in zip(made, again, strict=True):
        assert (before.path, before.pixels_sha256, before.notes, before.seconds) == (
            after.path,
            after.pixels_sha256,
            after.notes,
            after.seconds,
        )


@pytest.mark.parametrize("harm", ["truncate", "no note", "other pixels", "broken note"])
def test_a_stage_that_was_harmed_is_made_again_alike(
    production: Production, order: ProductionOrder, tmp_path: Path, harm: str
) -> None:
    (first, _) = make_all(production, order, tmp_path / "job")
    note = first.path.with_suffix(".json")
    if harm == "truncate":
        os.truncate(first.path, first.path.stat().st_size // 2)
    elif harm == "no note":
        note.unlink()
    elif harm == "broken note":
        note.write_text("{", encoding="utf-8")
    else:
        write_picture(Picture(pixels=np.zeros((36, 64, 3), dtype=np.float32)), first.path)

    again = production.make_stage(
        order,
        0,
        plans=production.stages(order),
        folder=tmp_path / "job",
        previous=None,
        progress=ignore,
    )

    assert not again.reused
    assert again.pixels_sha256 == first.pixels_sha256 == read_picture(first.path).sha256()


def test_another_seed_season_or_width_is_another_picture(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    folder = tmp_path / "job"
    names = {
        make_all(production, one, folder)[0].path.name
        for one in (order, order_for(order.layout, seed=8), order_for(order.layout, width=32))
    }

    assert len(names) == 3


def test_the_same_order_gives_the_same_bytes_in_another_process_and_folder(
    settings: Settings, order: ProductionOrder, tmp_path: Path
) -> None:
    first = make_all(Production(settings, generators={"tint": Tint()}), order, tmp_path / "a")
    second = make_all(Production(settings, generators={"tint": Tint()}), order, tmp_path / "b")

    assert [one.path.read_bytes() for one in first] == [one.path.read_bytes() for one in second]


def test_the_recipe_gives_the_width_and_the_layout_the_shape(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    (first, _) = make_all(production, order_for(order.layout, width=32), tmp_path / "job")

    assert (first.width, first.height) == (32, 18)
    assert read_picture(first.path).width == 32


def test_prompts_are_filled_with_the_words_that_models_know(
    production: Production, order: ProductionOrder, tint: Tint, tmp_path: Path
) -> None:
    prompt = "background, {place}, {season}, {time}, {seed.__class__}"

    make_all(production, order_for(order.layout, prompt=prompt), tmp_path / "job")

    assert tint.requests[0].prompt == (
        "background, port, autumn, red and golden leaves, "
        "sunset, warm orange light, long shadows, {seed.__class__}"
    )


def test_a_layout_that_is_damaged_is_refused(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    os.truncate(order.layout, 900)

    with pytest.raises(ImageUnreadable):
        make_all(production, order, tmp_path / "job")


def test_a_stage_file_that_was_painted_over_is_not_built_upon(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    first = production.make_stage(
        order,
        0,
        plans=production.stages(order),
        folder=tmp_path / "job",
        previous=None,
        progress=ignore,
    )
    write_picture(Picture(pixels=np.zeros((36, 64, 3), dtype=np.float32)), first.path)

    with pytest.raises(GenerationError, match="gen1"):
        production.make_stage(
            order,
            1,
            plans=production.stages(order),
            folder=tmp_path / "job",
            previous=first,
            progress=ignore,
        )


def test_a_cancelled_stage_leaves_no_picture(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    def stop(_: Progress) -> None:
        raise GenerationCancelled("Somebody cancelled the job.")

    with pytest.raises(GenerationCancelled):
        production.make_stage(
            order,
            0,
            plans=production.stages(order),
            folder=tmp_path / "job",
            previous=None,
            progress=stop,
        )

    assert not (tmp_path / "job").exists()


def test_what_a_killed_process_left_does_not_stay(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    (first, _) = make_all(production, order, tmp_path / "job")
    first.path.rename(first.path.with_name(f".{first.path.stem}.part.png"))

    make_all(production, order, tmp_path / "job")

    assert not list((tmp_path / "job").glob(".*"))
    assert first.path.exists()


def test_a_generator_that_breaks_is_named(
    production: Production, tint: Tint, order: ProductionOrder, tmp_path: Path
) -> None:
    tint.fault = ZeroDivisionError("division by zero")

    with pytest.raises(GenerationError, match=r"tint.*gen1.*division by zero"):
        make_all(production, order, tmp_path / "job")


def test_a_generator_that_makes_another_size_is_refused(
    production: Production, tint: Tint, order: ProductionOrder, tmp_path: Path
) -> None:
    tint.grow = 4

    with pytest.raises(GenerationError, match="64 x 40"):
        make_all(production, order, tmp_path / "job")


def test_a_folder_that_cannot_be_made_may_become_possible(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageUnavailable):
        make_all(production, order, tmp_path / "file" / "job")


def test_stages_say_what_would_make_them_without_the_layout(
    production: Production, order: ProductionOrder
) -> None:
    order.layout.unlink()

    plans = production.stages(order)

    assert [plan.name for plan in plans] == ["gen1", "gen2"]
    assert plans[0].system.source_type is SourceType.ALGORITHMIC
    assert plans[0].order.options == (("strength", 0.5),)


def test_the_first_stage_has_no_previous_and_the_second_has_one(
    production: Production, order: ProductionOrder, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="only the first stage"):
        production.make_stage(
            order,
            1,
            plans=production.stages(order),
            folder=tmp_path,
            previous=None,
            progress=ignore,
        )


def test_an_unknown_generator_is_a_mistake_in_the_settings(
    settings: Settings, order: ProductionOrder
) -> None:
    with pytest.raises(SettingsError, match="tint"):
        Production(settings).stages(order)


def test_seeds_depend_on_layout_recipe_season_and_time_alone() -> None:
    base = ("a" * 64, "watercolour", "summer", "day")
    others = [
        ("b" * 64, *base[1:]),
        (base[0], "oil", *base[2:]),
        (*base[:2], "winter", "day"),
        (*base[:3], "night"),
    ]

    seeds = {seed_of(*base), *(seed_of(*other) for other in others)}

    assert len(seeds) == 5
    assert seed_of(*base) == seed_of(*base)
    assert all(0 <= seed < 2**63 for seed in seeds)


class Counting(Tint):
    """It notes how many of its pictures are made at once, and waits until told to go on."""

    def __init__(self, *, shares: bool) -> None:
        super().__init__()
        self.inside = self.most = 0
        self.leave = threading.Event()
        self._shares = shares
        self._lock = threading.Lock()

    @override
    def describe(self, stage: StageOrder) -> StageSystem:
        return replace(super().describe(stage), shares=self._shares)

    @override
    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.leave.wait(PATIENCE)
        with self._lock:
            self.inside -= 1
        made = super().generate(request, layout=layout, previous=previous, progress=progress)
        return replace(made, seconds=1.5) if self._shares else made


def on_device(settings: Settings, concurrency: int) -> Settings:
    engine = settings.engine.model_copy(update={"devices": (Device(concurrency=concurrency),)})
    return settings.model_copy(update={"engine": engine})


def start(
    pool: ThreadPoolExecutor, production: Production, order: ProductionOrder, folder: Path,
    count: int, progress: ProgressCallback = ignore,
) -> list[Future[StageOutput]]:  # fmt: skip
    """Make the first stage of so many backgrounds, each in a thread and folder of its own."""
    return [
        pool.submit(
            production.make_stage, order, 0, plans=production.stages(order),
            folder=folder / str(number), previous=None, progress=progress,
        )
        for number in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_generator_makes_as_many_pictures_at_once_as_its_device_is_set_to(
    settings: Settings, order: ProductionOrder, tmp_path: Path, concurrency: int
) -> None:
    generator = Counting(shares=False)
    production = Production(on_device(settings, concurrency), generators={"tint": generator})
    waiting: list[int] = []
    with ThreadPoolExecutor(4) as pool:
        made = start(pool, production, order, tmp_path, 4, lambda now: waiting.append(now.steps))
        eventually(lambda: generator.inside == concurrency, "those that may")
        # Those that wait say so, that they can be cancelled.
        eventually(lambda: len(waiting) >= 4 - concurrency, "the others to look")
        generator.leave.set()
        assert len({one.result().pixels_sha256 for one in made}) == 1

    assert generator.most == concurrency


def test_a_generator_that_takes_turns_by_itself_is_given_all_of_them(
    settings: Settings, order: ProductionOrder, tmp_path: Path
) -> None:
    generator = Counting(shares=True)
    production = Production(on_device(settings, 1), generators={"tint": generator})
    with ThreadPoolExecutor(4) as pool:
        made = start(pool, production, order, tmp_path, 4)
        eventually(lambda: generator.inside == 4, "all of them")
        generator.leave.set()

        # It knows what of that time was spent on each.
        assert [one.result().seconds for one in made] == [1.5] * 4


def test_who_waits_for_the_device_can_be_cancelled(
    settings: Settings, order: ProductionOrder, tmp_path: Path
) -> None:
    generator = Counting(shares=False)
    production = Production(on_device(settings, 1), generators={"tint": generator})

    def cancel(now: Progress) -> None:
        if not now.steps:
            message = "not wanted any more"
            raise GenerationCancelled(message)

    with ThreadPoolExecutor(2) as pool:
        found = start(pool, production, order, tmp_path, 2, cancel)
        eventually(lambda: any(one.done() for one in found), "one to be cancelled")
        generator.leave.set()
        ended = [one.exception() for one in found]

    assert sorted(type(one).__name__ for one in ended) == ["GenerationCancelled", "NoneType"]


def test_streams_of_one_layout_that_come_at_once_read_it_once(
    settings: Settings, order: ProductionOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def reading(path: Path, **more: Any) -> Picture:
        read.append(path)
        return read_picture(path, **more)

    monkeypatch.setattr("haikei.generators.production.read_picture", reading)
    production = Production(settings, generators={"tint": Tint()})
    with ThreadPoolExecutor(4) as pool:
        for one in start(pool, production, order, tmp_path, 4):
            one.result()

    assert read == [order.layout]
