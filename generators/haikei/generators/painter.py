"""The embedded default: a deterministic watercolour painter that works from the line alone."""

from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from haikei.credits import SourceType, System
from haikei.errors import GenerationError, SettingsError
from haikei.generators.contract import (
    GenerationRequest,
    GenerationResult,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.images import Picture
from haikei.presets import PAINTER_ABILITIES, Quality
from haikei.settings import Settings

Colours = NDArray[np.float32]
FINISHES = ("wash", "full")
STEPS = {"wash": 10, "full": 12}
LIBRARIES = ("numpy", "opencv-python-headless", "scipy")
SMALLEST, LARGEST = 16, 16384


class PainterGenerator:
    """
    Paints layouts in watercolour without any weights.

    Options of a stage: `finish` is `wash` (flat colours, a colour script) or `full` (the finished
    painting, over the colours of the stage before it). Left out, it is `full`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self, stage: StageOrder) -> StageSystem:
        """
        Return what paints: an algorithm, never AI.

        Raises:
            SettingsError: an option is unknown, or a model is named.
        """
        _finish(stage.options)
        if stage.model:
            raise SettingsError(
                f"The painter uses no model, but the stage names {stage.model!r}.",
                advice="Leave `model` out of this stage.",
            )
        return StageSystem(
            system=System(
                name="Haikei painter",
                version="1",
                source_type=SourceType.ALGORITHMIC,
                licence="Apache-2.0",
                data="none: it is not trained",
            ),
            libraries=tuple((name, version(name)) for name in LIBRARIES),
            turns=PAINTER_ABILITIES.turns,
            acts=PAINTER_ABILITIES.acts,
            reads=False,
        )

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> GenerationResult:
        """
        Paint one stage; the same request and layout always give the same pixels.

        Raises:
            GenerationError: sizes do not agree, or season or time is unknown to the palette.
            GenerationCancelled: `progress` asked to stop.
            SettingsError: an option is unknown.
        """
        from haikei.painting import (
            Adjusting,
            RegionChanges,
            light_of,
            paint_full,
            paint_wash,
            read_layout,
        )

        finish = _finish(request.options)
        _check(request, layout, previous)
        adjusting = Adjusting(**{name: amount / 100 for name, amount in request.adjustments})
        pause = _counting(progress, STEPS[finish])
        pause()
        reading = read_layout(layout.pixels, request.place, pause)
        changes = RegionChanges(reading, request.changes, light_of(request.time))

        def wash(pause: Callable[[], None], changes: RegionChanges | None) -> Colours:
            return paint_wash(
                reading,
                season=request.season,
                time=request.time,
                seed=request.seed,
                pause=pause,
                adjusting=adjusting,
                changes=changes,
            )

        if finish == "wash":
            pixels = wash(pause, changes)
        else:
            base = previous.pixels if previous is not None else wash(lambda: None, None)
            pixels = paint_full(
                reading,
                base,
                season=request.season,
                time=request.time,
                seed=request.seed,
                pause=pause,
                changes=changes,
            )
        progress(Progress(step=STEPS[finish], steps=STEPS[finish]))
        return GenerationResult(picture=Picture(pixels=pixels), changed_ppm=changes.changed_ppm)


def _finish(options: tuple[tuple[str, str | int | float | bool], ...]) -> str:
    given = dict(options)
    unknown = sorted(set(given) - {"finish"})
    if unknown:
        raise SettingsError(
            f"The painter has no option {', '.join(map(repr, unknown))}.",
            advice="Its only option is `finish`.",
        )
    finish = given.get("finish", "full")
    if finish not in FINISHES:
        raise SettingsError(
            f"The painter has no finish {finish!r}.",
            advice=f"`finish` is one of: {', '.join(FINISHES)}.",
        )
    return str(finish)


def _check(request: GenerationRequest, layout: Picture, previous: Picture | None) -> None:
    from haikei.painting.strokes import LIGHTS, SEASONS

    unknown = sorted({name for name, _ in request.adjustments} - set(Quality))
    if unknown:
        raise GenerationError(
            f"The painter cannot turn {', '.join(map(repr, unknown))}.",
            advice=f"It can turn: {', '.join(Quality)}.",
        )
    if request.season not in SEASONS or request.time not in LIGHTS:
        raise GenerationError(
            f"The painter's palette has no {request.season!r} {request.time!r}.",
            advice=f"Seasons: {', '.join(SEASONS)}; times: {', '.join(LIGHTS)}.",
        )
    wanted = (request.width, request.height)
    for name, picture in (("layout", layout), ("stage before", previous)):
        if picture is not None and (picture.width, picture.height) != wanted:
            raise GenerationError(
                f"The {name} is {picture.width}x{picture.height}, "
                f"but {request.width}x{request.height} is asked for.",
                advice="Give every picture at the size of the request.",
            )
    if min(wanted) < SMALLEST or max(wanted) > LARGEST:
        raise GenerationError(
            f"The painter cannot paint {request.width}x{request.height}.",
            advice=f"A side has {SMALLEST} to {LARGEST} pixels.",
        )


def _counting(progress: ProgressCallback, steps: int) -> Callable[[], None]:
    """Return a call that reports the next step each time, and never more than there are."""
    done = 0

    def pause() -> None:
        nonlocal done
        progress(Progress(step=min(done, steps), steps=steps))
        done += 1

    return pause
