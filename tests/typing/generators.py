"""Type-checked, never run: what a package with a generator relies on."""

from collections.abc import Callable
from typing import assert_type

from haikei.credits import SourceType, System
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Generator,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
    load_generator,
)
from haikei.images import Picture
from haikei.settings import Settings


class Fog:
    """A generator as a studio writes it: it inherits nothing from Haikei."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self, stage: StageOrder) -> StageSystem:
        assert_type(stage.options, tuple[tuple[str, str | int | float | bool], ...])
        system = System(name="Fog", version="1", source_type=SourceType.ALGORITHMIC)
        return StageSystem(system=system, libraries=())

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        progress(Progress(step=request.seed, steps=request.width * request.height))
        return GenerationResult(picture=previous or layout, notes=("foggy",))


class WithoutPrevious:
    """No generator: a later stage could not hand over the picture of the stage before."""

    def describe(self, stage: StageOrder) -> StageSystem:
        raise NotImplementedError(stage)

    def generate(
        self, request: GenerationRequest, *, layout: Picture, progress: ProgressCallback
    ) -> GenerationResult:
        raise NotImplementedError(request, layout, progress)


#: What an entry point of the group `haikei.generators` names.
entry_point: Callable[[Settings], Generator] = Fog

refused: Generator = WithoutPrevious()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def use(settings: Settings, order: StageOrder, request: GenerationRequest, layout: Picture) -> None:
    generator = load_generator("fog", settings)
    assert_type(generator, Generator)
    described = generator.describe(order)
    assert_type(described, StageSystem)
    assert_type(described.system, System)
    result = generator.generate(request, layout=layout, previous=None, progress=lambda _: None)
    assert_type(result, GenerationResult)
    assert_type(result.picture, Picture)
    assert_type(result.notes, tuple[str, ...])
