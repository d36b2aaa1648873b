"""A generator: fog over the picture of the stage before."""

import numpy as np

from haikei.credits import SourceType, System
from haikei.errors import SettingsError
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.images import Picture
from haikei.settings import Settings

_FOG = 0.92  #: sRGB-encoded grey
_DENSITY = 0.5


class Fog:
    """
    Mixes the picture with light grey, more towards the top, where things are far in a landscape.

    The option `density`, 0 to 1, is the share of grey in the topmost row. An algorithm without a
    trained model: the credits print it as a tool, and no model's licence is asked for.
    """

    def __init__(self, settings: Settings) -> None:
        del settings  # a generator with a service or a model of its own finds it there

    def describe(self, stage: StageOrder) -> StageSystem:
        """Return what makes the pixels, and refuse options that do not exist."""
        _density(stage.options)
        system = System(name="Kawa Fog", version="1", source_type=SourceType.ALGORITHMIC)
        return StageSystem(system=system, libraries=(("numpy", np.__version__),))

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        """Return the foggy picture; `progress` may raise to cancel."""
        progress(Progress(step=0, steps=1))
        base = (previous or layout).pixels
        share = np.linspace(_density(request.options), 0.0, base.shape[0])
        mixed = (base + (_FOG - base) * share[:, np.newaxis, np.newaxis]).astype(np.float32)
        progress(Progress(step=1, steps=1))
        return GenerationResult(picture=Picture(pixels=mixed))


def _density(options: tuple[tuple[str, str | int | float | bool], ...]) -> float:
    given = dict(options)
    density = given.pop("density", _DENSITY)
    if given:
        raise SettingsError(
            f"The generator fog has no option {', '.join(sorted(given))}.",
            advice="Its one option is density.",
        )
    if isinstance(density, bool | str) or not 0 <= density <= 1:
        raise SettingsError(
            f"The option density of the generator fog is {density!r}.",
            advice="Give a number from 0 to 1.",
        )
    return float(density)
