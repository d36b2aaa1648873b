"""Pictures of one recipe that wait are computed together, and each is its own affair still."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haikei.errors import GenerationCancelled, GenerationError
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Progress,
    ProgressCallback,
    StageOrder,
)
from haikei.generators.diffusers.batches import Turns
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.images import Picture
from haikei.settings import Settings
from support.batches import made_together, silent, with_batch
from support.clocks import eventually
from support.models import build_family, tiny_settings

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
LEVEL = 1 / 255
NOTE = "Computed in one call of the model with 2 other pictures."


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("batches")
    base = build_family("sd15", folder / "sd15")
    return with_batch(tiny_settings(folder, {"tiny": {"folder": base}}), 3)


@pytest.fixture
def generator(settings: Settings) -> DiffusersGenerator:
    return DiffusersGenerator(settings)


def drawn(number: int, width: int = 64, height: int = 64) -> Picture:
    pixels = np.random.default_rng(number).random((height, width, 3), dtype=np.float32)
    return Picture(pixels=pixels)


def request_of(
    generator: DiffusersGenerator, number: int, *, steps: int = 3, width: int = 64
) -> GenerationRequest:
    order = StageOrder(
        generator="diffusers", model="tiny", options=(("steps", steps), ("strength", 1.0))
    )
    described = generator.describe(order)
    words = ("summer port", "winter night station", "anime background painted sky sea")
    return GenerationRequest(
        layout_sha256="0" * 64, previous_sha256="", stage="gen1", generator="diffusers",
        system=described.system, model="tiny", options=order.options,
        prompt=words[number % len(words)], negative_prompt="people" if number % 2 else "",
        place="port", season="summer", time="day", seed=number, width=width, height=64,
        colour_space="srgb", libraries=described.libraries,
    )  # fmt: skip


def alone(generator: DiffusersGenerator, number: int) -> Picture:
    request = request_of(generator, number)
    return generator.generate(request, layout=drawn(number), previous=None, progress=silent).picture


def three(
    generator: DiffusersGenerator, progress: Sequence[ProgressCallback] = ()
) -> list[GenerationResult | BaseException]:
    numbers = range(3)
    requests = [request_of(generator, number) for number in numbers]
    return made_together(generator, requests, [drawn(number) for number in numbers], progress)


def results(found: Sequence[GenerationResult | BaseException]) -> list[GenerationResult]:
    assert [one for one in found if isinstance(one, BaseException)] == []
    return [one for one in found if isinstance(one, GenerationResult)]


def differs(one: Picture, other: Picture) -> float:
    return float(np.abs(one.pixels - other.pixels).max())


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each call decoded."""
    return decoding(monkeypatch, lambda _, decoded: decoded)


def decoding(monkeypatch: pytest.MonkeyPatch, change: Callable[[int, Any], Any]) -> list[int]:
    """Change what the VAE decodes, by the number of pictures; return the numbers as they come."""
    seen: list[int] = []
    kind: Any = import_module("diffusers").AutoencoderKL
    decode = kind.decode

    def instead(self: Any, latents: Any, *rest: Any, **more: Any) -> Any:
        seen.append(len(latents))
        return change(len(latents), decode(self, latents, *rest, **more))

    monkeypatch.setattr(kind, "decode", instead)
    return seen


def test_pictures_of_one_recipe_that_wait_are_computed_in_one_call_and_look_the_same(
    generator: DiffusersGenerator, settings: Settings, sizes: list[int]
) -> None:
    made = results(three(generator))

    assert sizes == [1, 3]
    plain = DiffusersGenerator(with_batch(settings, 1))
    for number, one in enumerate(made):
        assert differs(one.picture, alone(plain, number)) <= LEVEL
        assert NOTE in one.notes
        assert one.seconds is not None
    assert differs(made[0].picture, made[1].picture) > 10 * LEVEL


def test_the_first_waits_for_nobody_and_what_is_alone_says_nothing_of_others(
    generator: DiffusersGenerator, sizes: list[int]
) -> None:
    request = request_of(generator, 0)
    found = generator.generate(request, layout=drawn(0), previous=None, progress=silent)

    assert sizes == [1]
    assert not any("other pictures" in note for note in found.notes)


def test_no_more_go_together_than_the_device_is_set_to(
    settings: Settings, sizes: list[int]
) -> None:
    results(three(DiffusersGenerator(with_batch(settings, 2))))

    assert sizes == [1, 2, 1]
    sizes.clear()
    results(three(DiffusersGenerator(with_batch(settings, 1))))
    assert sizes == [1, 1, 1, 1]


def test_pictures_of_another_size_or_with_other_options_go_by_themselves(
    generator: DiffusersGenerator, sizes: list[int]
) -> None:
    requests = [
        request_of(generator, 0),
        request_of(generator, 1, steps=2),
        request_of(generator, 2, width=128),
        request_of(generator, 4),
    ]
    layouts = [drawn(one.seed, one.width) for one in requests]
    made = results(made_together(generator, requests, layouts))

    assert sizes == [1, 2, 1, 1]
    assert [one.picture.width for one in made] == [64, 64, 128, 64]


def test_each_picture_is_told_how_far_it_is(generator: DiffusersGenerator) -> None:
    steps: list[list[int]] = [[], [], []]

    def into(mine: list[int]) -> ProgressCallback:
        return lambda now: mine.append(now.step)

    results(three(generator, [into(mine) for mine in steps]))

    assert [sorted(set(mine)) for mine in steps] == [[0, 1, 2, 3]] * 3


def test_a_picture_that_is_cancelled_takes_no_neighbour_with_it(
    generator: DiffusersGenerator, settings: Settings
) -> None:
    def cancel(now: Progress) -> None:
        if now.step == 2:
            message = "not wanted any more"
            raise GenerationCancelled(message)

    first, second, third = three(generator, [silent, cancel, silent])

    assert isinstance(second, GenerationCancelled)
    plain = DiffusersGenerator(with_batch(settings, 1))
    for number, one in ((0, first), (2, third)):
        assert isinstance(one, GenerationResult)
        assert differs(one.picture, alone(plain, number)) <= LEVEL


def test_a_call_ends_at_once_when_nobody_wants_its_pictures(
    generator: DiffusersGenerator,
) -> None:
    steps: list[int] = []

    def cancel(now: Progress) -> None:
        steps.append(now.step)
        if now.step == 1:
            message = f"not wanted, {len(steps)}"
            raise GenerationCancelled(message)

    found = three(generator, [cancel] * 3)

    assert all(isinstance(one, GenerationCancelled) for one in found)
    assert len({str(one) for one in found}) == 3
    assert max(steps) == 1
    assert alone(generator, 0).width == 64


def test_a_picture_that_fails_takes_no_neighbour_with_it(
    generator: DiffusersGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(count: int, decoded: Any) -> Any:
        if count == 3:
            decoded[0][1] = float("nan")
        return decoded

    decoding(monkeypatch, spoil)
    first, second, third = three(generator)

    assert isinstance(second, GenerationError)
    assert "made no picture" in second.message
    assert isinstance(first, GenerationResult)
    assert isinstance(third, GenerationResult)


def test_a_call_that_fails_as_a_whole_is_broken_up_and_says_so(
    generator: DiffusersGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(count: int, decoded: Any) -> Any:
        if count > 1:
            message = "a kernel that takes no batch"
            raise RuntimeError(message)
        return decoded

    sizes = decoding(monkeypatch, fail)
    made = results(three(generator))

    assert sizes == [1, 3, 1, 1, 1]
    said = (
        "Computed alone, since a call for 3 pictures at once failed: a kernel that takes no batch."
    )
    assert all(said in one.notes for one in made)


def test_where_memory_is_short_for_several_each_is_computed_alone_and_fewer_are_tried_after(
    generator: DiffusersGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(count: int, decoded: Any) -> Any:
        if count > 1:
            raise import_module("torch").OutOfMemoryError("no memory")
        return decoded

    sizes = decoding(monkeypatch, short)
    made = results(three(generator))

    assert sizes == [1, 3, 1, 1, 1]
    assert all("cpu had no memory for 3 pictures at once" in " ".join(o.notes) for o in made)
    # No way to save memory was taken for it: a single picture has enough.
    assert not any("To save memory" in note for one in made for note in one.notes)
    sizes.clear()
    results(three(generator))
    assert sizes == [1, 1, 1, 1]


def take(
    turns: Turns[str, str], kind: str, asked: str, served: list[Sequence[str]], **more: Any
) -> str:
    def work(all_of_them: Sequence[str]) -> Sequence[str | BaseException]:
        served.append(all_of_them)
        if more.get("fails") == "whole":
            message = "the device is gone"
            raise OSError(message)
        return [one.upper() for one in all_of_them]

    check = more.get("check", lambda: None)
    return turns.take(kind, asked, work, most=more.get("most", 2), check=check)


def occupied(turns: Turns[str, str], pool: ThreadPoolExecutor) -> threading.Event:
    """Have the device in a thread until the event is set."""
    begun, leave = threading.Event(), threading.Event()

    def hold(asked: Sequence[str]) -> Sequence[str]:
        begun.set()
        leave.wait()
        return asked

    pool.submit(turns.take, "other", "first", hold, most=1, check=lambda: None)
    begun.wait()
    return leave


def queued(turns: Turns[str, str], count: int) -> bool:
    return turns.waiting == count


def test_turns_go_by_who_came_first_and_take_their_kind_along() -> None:
    turns = Turns[str, str]()
    served: list[Sequence[str]] = []
    asked = (("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3"), ("b", "b2"))
    with ThreadPoolExecutor(8) as pool:
        leave = occupied(turns, pool)
        found = []
        for place, (kind, one) in enumerate(asked):
            found.append(pool.submit(take, turns, kind, one, served))
            eventually(partial(queued, turns, place + 1), "its place")
        leave.set()

    assert [one.result() for one in found] == ["A1", "B1", "A2", "A3", "B2"]
    assert served == [["a1", "a2"], ["b1", "b2"], ["a3"]]


def test_who_no_longer_wants_to_wait_leaves_and_keeps_nobody() -> None:
    turns = Turns[str, str]()
    served: list[Sequence[str]] = []

    def give_up() -> None:
        raise InterruptedError

    with ThreadPoolExecutor(8) as pool:
        leave = occupied(turns, pool)
        gone = pool.submit(take, turns, "a", "a1", served, check=give_up)
        with pytest.raises(InterruptedError):
            gone.result()
        stays = pool.submit(take, turns, "a", "a2", served)
        leave.set()

        assert stays.result() == "A2"
    assert served == [["a2"]]


def test_an_error_of_the_device_is_everybodys_and_the_next_goes_on() -> None:
    turns = Turns[str, str]()
    served: list[Sequence[str]] = []
    with ThreadPoolExecutor(8) as pool:
        leave = occupied(turns, pool)
        found = [pool.submit(take, turns, "a", one, served, fails="whole") for one in ("x", "y")]
        eventually(lambda: turns.waiting == 2, "both")
        leave.set()
        for one in found:
            with pytest.raises(OSError, match="the device is gone"):
                one.result()

    assert take(turns, "a", "z", served) == "Z"


def test_a_model_that_reads_a_board_or_works_in_tiles_takes_one_picture_at_a_time(
    settings: Settings, sizes: list[int], tmp_path: Path
) -> None:
    generator = DiffusersGenerator(settings)
    order = StageOrder(
        generator="diffusers", model="tiny",
        options=(("steps", 2), ("strength", 1.0), ("tile", 256)),
    )  # fmt: skip
    described = generator.describe(order)
    requests = [
        replace(
            request_of(generator, number, width=320), options=order.options,
            system=described.system, libraries=described.libraries,
        )
        for number in range(2)
    ]  # fmt: skip
    results(made_together(generator, requests, [drawn(number, 320) for number in range(2)]))

    assert set(sizes) == {1}
