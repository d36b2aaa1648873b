"""Generate: the recipe's stages one after the other, in the job's own folder."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from haikei.credits import System
from haikei.generators import Production, ProductionOrder, Progress, StageOutput
from haikei.jobs.job import JobOrder
from haikei.presets import recipe
from haikei.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedStage:
    """One stage's picture, in the job's folder."""

    stage: str
    path: Path
    pixels_sha256: str
    width: int
    height: int
    request_json: str
    request_sha256: str
    system: System
    notes: tuple[str, ...]
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What the recipe made; the last stage is the background."""

    stages: tuple[GeneratedStage, ...]


def production_order(order: JobOrder, settings: Settings) -> ProductionOrder:
    """
    Return what is asked of the generators for this job.

    Raises:
        SettingsError: there is no such recipe.
    """
    retake = order.retake
    return ProductionOrder(
        layout=order.layout,
        layout_sha256=order.layout_sha256,
        recipe=recipe(settings, order.recipe),
        season=order.season,
        time=order.time,
        place=order.place_hint,
        seed=order.seed,
        adjustments=tuple((turn.quality.value, turn.amount) for turn in retake.turns)
        if retake
        else (),
        words=retake.words if retake else (),
        unwanted=retake.unwanted if retake else (),
    )


def generate(
    order: JobOrder,
    *,
    settings: Settings,
    production: Production,
    folder: Path,
    tell: Callable[[float, str], None],
) -> Generated:
    """
    Make every stage; pictures that lie in the folder from the same request are used as they are.

    Args:
        folder: the job's own; made when it is not there.
        tell: called with the part that is done, 0 to 1, and what is being done; it may raise.

    Raises:
        GenerationError: a picture cannot be made.
        LayoutRefused: the layout cannot be read.
        StorageUnavailable: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    task = production_order(order, settings)
    plans = production.stages(task)
    made: list[StageOutput] = []
    for index, plan in enumerate(plans):

        def progress(now: Progress, index: int = index, name: str = plan.name) -> None:
            part = now.step / now.steps if now.steps else 0.0
            tell((index + part) / len(plans), f"{name} {now.step}/{now.steps}")

        tell(index / len(plans), plan.name)
        previous = made[-1] if made else None
        made.append(
            production.make_stage(task, index, folder=folder, previous=previous, progress=progress)
        )
    return Generated(stages=tuple(as_kept(output) for output in made))


def as_kept(output: StageOutput) -> GeneratedStage:
    """Return a stage's picture as the job keeps it."""
    # The file's time is the picture's, also when it was made by an earlier run of the job.
    made_at = datetime.fromtimestamp(output.path.stat().st_mtime, UTC)
    return GeneratedStage(
        stage=output.stage,
        path=output.path,
        pixels_sha256=output.pixels_sha256,
        width=output.width,
        height=output.height,
        request_json=output.request_json,
        request_sha256=output.request_sha256,
        system=output.system,
        notes=tuple(output.notes),
        made_at=made_at,
    )
