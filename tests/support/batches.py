"""Pictures that are asked of one generator at the same time, so that they meet at its device."""

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from haikei.generators import GenerationRequest, GenerationResult, Progress, ProgressCallback
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.images import Picture
from haikei.settings import Settings
from support.clocks import eventually


def silent(_: Progress) -> None:
    """Take progress and do nothing with it."""


def with_batch(settings: Settings, batch: int) -> Settings:
    """Return the settings with so many pictures at once on their first device."""
    device = settings.engine.devices[0].model_copy(update={"batch": batch})
    engine = settings.engine.model_copy(update={"devices": (device,)})
    return settings.model_copy(update={"engine": engine})


@contextmanager
def device_held(
    generator: DiffusersGenerator, request: GenerationRequest, layout: Picture, until: int
) -> Generator[Callable[[int], None]]:
    """
    Let a picture have the device until so many wait for it.

    Yields:
        what waits until a number of others does.
    """
    begun = threading.Event()

    def hold(now: Progress) -> None:
        if now.step:
            begun.set()
            eventually(lambda: generator.waiting == until, "all of them to wait")

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(
            generator.generate, request, layout=layout, previous=None, progress=hold
        )
        eventually(lambda: begun.is_set() or holder.done(), "the first picture to begin")

        def wait_for(count: int) -> None:
            eventually(lambda: generator.waiting >= count or holder.done(), "their places")

        yield wait_for
        holder.result()


def made_together(
    generator: DiffusersGenerator,
    requests: Sequence[GenerationRequest],
    layouts: Sequence[Picture],
    progress: Sequence[ProgressCallback] = (),
) -> list[GenerationResult | BaseException]:
    """
    Return what came of each, when all of them waited while another picture was made.

    That one is the first request's as well.
    """

    def make(place: int) -> GenerationResult | BaseException:
        note = progress[place] if progress else silent
        try:
            return generator.generate(
                requests[place], layout=layouts[place], previous=None, progress=note
            )
        except BaseException as error:  # noqa: BLE001 - it is what came of it
            return error

    with (
        ThreadPoolExecutor(len(requests)) as pool,
        device_held(generator, requests[0], layouts[0], len(requests)) as wait_for,
    ):
        found: list[Future[GenerationResult | BaseException]] = []
        for place in range(len(requests)):
            found.append(pool.submit(make, place))
            wait_for(place + 1)
    return [one.result() for one in found]
