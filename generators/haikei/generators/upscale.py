"""Enlarging as a stage of its own, so that records name it and what comes after begins there."""

from importlib.metadata import version

from haikei.credits import SourceType, System
from haikei.errors import SettingsError
from haikei.generators.contract import (
    GenerationRequest,
    GenerationResult,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.images import Picture
from haikei.settings import Settings


class UpscaleGenerator:
    """
    Gives the stage before at the size that is asked for, by Lanczos' filter; nothing is invented.

    A stage's pictures come to its generator at the stage's own size, so that the filter is the one
    by which all pictures are resized.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self, stage: StageOrder) -> StageSystem:
        """
        Return the filter as records name it.

        Raises:
            SettingsError: it is given a model or options, of which it has none.
        """
        given = [name for name, _ in stage.options] + ([stage.model] if stage.model else [])
        if given:
            raise SettingsError(
                f"The generator 'upscale' takes no {given[0]!r}.",
                advice="How many times it enlarges is the stage's `enlarge`.",
            )
        return StageSystem(
            system=System(
                name="Haikei upscale (Lanczos)", version="1", source_type=SourceType.ALGORITHMIC
            ),
            libraries=(("haikei", version("haikei")),),
            reads=False,
            negates=False,
        )

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        """Return the stage before, or the layout where there is none, at the request's size."""
        progress(Progress(step=1, steps=1))
        return GenerationResult(picture=layout if previous is None else previous)
