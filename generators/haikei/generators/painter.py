"""The embedded default: a deterministic watercolour painter that works from the line alone."""

from collections.abc import Callable
from dataclasses import dataclass
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
from haikei.sheets import TraceColour, TraceRole, TraceRoles

Colours = NDArray[np.float32]
FINISHES = ("wash", "full")
READERS = ("network", "geometric")
STEPS = {"wash": 10, "full": 12}
LIBRARIES = ("numpy", "opencv-python-headless", "scipy")
SMALLEST, LARGEST = 16, 16384


class PainterGenerator:
    """
    Paints layouts in watercolour; no trained model makes any of its pixels.

    Options of a stage: `finish` is `wash` (flat colours, a colour script) or `full` (the finished
    painting, over the colours of the stage before it). Left out, it is `full`. `reader` is what
    tells sky from roofs: `network` (a small network, trained on drawings that Haikei's own code
    makes) or `geometric` (rules). Left out, it is `network`, and `geometric` in a studio that has
    shows without trained models (`policy.no_ai_projects`). `trace_red`, `trace_blue`, `trace_green`
    and `trace_brown` say what lines of that colour on a layout mean: `light`, `shadow` or `border`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def describe(self, stage: StageOrder) -> StageSystem:
        """
        Return what paints: an algorithm, never AI; a network that reads for it is named.

        Raises:
            ModelUnusable: the weights of the reading network are missing.
            SettingsError: an option is unknown, or a model is named.
        """
        chosen = _chosen(stage.options, self._settings)
        _roles(stage.options)
        if stage.model:
            raise SettingsError(
                f"The painter uses no model, but the stage names {stage.model!r}.",
                advice="Leave `model` out of this stage.",
            )
        libraries = [(name, version(name)) for name in LIBRARIES]
        sha256, data = "", "none: it is not trained"
        if chosen.reader == "network":
            from haikei.reading.network import DATA, NAME, VERSION, shipped_sha256

            sha256 = shipped_sha256()
            data = f"what paints: none; what reads the layout ({NAME} {VERSION}): {DATA}"
            libraries.append((NAME, f"{VERSION} (sha256 {sha256})"))
        return StageSystem(
            system=System(
                name="Haikei painter",
                version="1",
                source_type=SourceType.ALGORITHMIC,
                sha256=sha256,
                licence="Apache-2.0",
                data=data,
            ),
            libraries=tuple(sorted(libraries)),
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
            notes_of,
            paint_full,
            paint_wash,
            read_layout,
        )
        from haikei.reading import Reader

        chosen = _chosen(request.options, self._settings)
        finish = chosen.finish
        location = " ".join(filter(None, (request.location, request.place)))
        _check(request, layout, previous)
        adjusting = Adjusting(**{name: amount / 100 for name, amount in request.adjustments})
        pause = _counting(progress, STEPS[finish])
        pause()
        reading = read_layout(
            layout.pixels,
            request.place,
            pause,
            roles=_roles(request.options),
            reader=Reader(chosen.reader),
        )
        changes = RegionChanges(reading, request.changes, light_of(request.time))

        def wash(pause: Callable[[], None], changes: RegionChanges | None) -> Colours:
            return paint_wash(
                reading,
                season=request.season,
                time=request.time,
                seed=request.seed,
                pause=pause,
                location=location,
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
                location=location,
                changes=changes,
            )
        progress(Progress(step=STEPS[finish], steps=STEPS[finish]))
        return GenerationResult(
            picture=Picture(pixels=pixels),
            notes=notes_of(reading),
            unread=reading.unread,
            changed_ppm=changes.changed_ppm,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """The options of a stage."""

    finish: str
    reader: str


def _chosen(
    options: tuple[tuple[str, str | int | float | bool], ...], settings: Settings
) -> _Chosen:
    given = dict(options)
    unknown = sorted(set(given) - {"finish", "reader", *(f"trace_{one}" for one in TraceColour)})
    if unknown:
        raise SettingsError(
            f"The painter has no option {', '.join(map(repr, unknown))}.",
            advice="Its options are `finish`, `reader` and `trace_red`, `trace_blue`, "
            "`trace_green`, `trace_brown`.",
        )
    usual = "geometric" if settings.policy.no_ai_projects else "network"
    chosen = _Chosen(
        finish=str(given.get("finish", "full")), reader=str(given.get("reader", usual))
    )
    for name, value, known in (
        ("finish", chosen.finish, FINISHES),
        ("reader", chosen.reader, READERS),
    ):
        if value not in known:
            raise SettingsError(
                f"The painter has no {name} {given[name]!r}.",
                advice=f"`{name}` is one of: {', '.join(known)}.",
            )
    return chosen


def _roles(options: tuple[tuple[str, str | int | float | bool], ...]) -> TraceRoles:
    roles: dict[str, TraceRole] = {}
    for name, value in options:
        if not name.startswith("trace_"):
            continue
        if value not in set(TraceRole):
            raise SettingsError(
                f"The painter knows no trace lines that mean {value!r} ({name}).",
                advice=f"`{name}` is one of: {', '.join(TraceRole)}.",
            )
        roles[name.removeprefix("trace_")] = TraceRole(str(value))
    return TraceRoles(**roles)


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
