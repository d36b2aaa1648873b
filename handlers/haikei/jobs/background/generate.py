"""Generate: the recipe's stages one after the other, in the job's own folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from haikei.generators import ProductionOrder, Progress, StageOutput
from haikei.images import decode_picture, resize
from haikei.jobs.job import JobOrder
from haikei.jobs.tools import Tools
from haikei.measurements import LineRecall
from haikei.presets import RegionChanged, choose_recipe
from haikei.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What the recipe made; the last stage is the background."""

    stages: tuple[StageOutput, ...]
    layout_pixels_sha256: str  #: of the layout as it was drawn
    layout_fingerprint: str  #: of the same pixels
    lines_kept: LineRecall  #: what of the layout's lines is seen in the background

    @property
    def unread(self) -> float | None:
        """The part of the layout that no stage could read; None where no stage counts it."""
        counted = [stage.unread for stage in self.stages if stage.unread is not None]
        return max(counted, default=None)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the stages have to say, each sentence once."""
        return tuple(dict.fromkeys(note for stage in self.stages for note in stage.notes))

    @property
    def changed(self) -> tuple[RegionChanged, ...]:
        """What a retake changed in parts of the picture, and on how much of it that acted."""
        return tuple(one for stage in self.stages for one in stage.changed)


def production_order(order: JobOrder, copy: Path, settings: Settings) -> ProductionOrder:
    """
    Return what is asked of the generators for this job.

    Args:
        order: the job's.
        copy: the layout in the job's folder.
        settings: the studio's.

    Raises:
        SettingsError: there is no such recipe, or a look does not fit it.
    """
    retake, place = order.retake, order.place
    chosen = choose_recipe(
        settings, order.recipe, place=place, season=order.season, time=order.time, cut=order.cut
    )
    return ProductionOrder(
        layout=copy,
        layout_sha256=order.layout_sha256,
        recipe=chosen.recipe,
        recipe_name=chosen.name,
        cut=chosen.cut,
        where=place,
        board=chosen.board,
        season=order.season,
        time=order.time,
        place=order.place_hint,
        seed=order.seed,
        location="/".join(filter(None, (place.project, order.cut.location or place.sequence))),
        adjustments=tuple((turn.quality.value, turn.amount) for turn in retake.turns)
        if retake
        else (),
        changes=retake.changes if retake else (),
        words=retake.words if retake else (),
        unwanted=retake.unwanted if retake else (),
    )


def generate(
    order: JobOrder, copy: Path, *, tools: Tools, report: Callable[[float, str], None]
) -> Generated:
    """
    Make every stage; pictures that lie in the folder from the same request are used as they are.

    Args:
        order: the job's.
        copy: the layout in the job's folder, which is the file that was announced.
        tools: the studio's.
        report: called with the part that is done, 0 to 1, and the stage's name; it may raise.

    Raises:
        GenerationError: a picture cannot be made.
        ImageUnreadable: the layout cannot be read.
        ModelUnusable: a stage's model is incomplete or unsafe.
        StorageUnavailable: the folder cannot be written.
    """
    # Only the commands that make pictures load what measures them.
    from haikei.measure import line_recall

    folder = tools.folder(order.key)
    folder.mkdir(parents=True, exist_ok=True)
    task = production_order(order, copy, tools.settings)
    stages = task.recipe.stages
    plans = tools.production.stages(task)
    made: list[StageOutput] = []
    for index, stage in enumerate(stages):

        def progress(now: Progress, index: int = index, name: str = stage.name) -> None:
            part = now.step / now.steps if now.steps else 0.0
            report((index + part) / len(stages), f"{name} {now.step}/{now.steps}")

        report(index / len(stages), stage.name)
        previous = made[-1] if made else None
        made.append(
            tools.production.make_stage(
                task, index, plans=plans, folder=folder, previous=previous, progress=progress
            )
        )
    layout = tools.production.layout(task)
    drawn, picture = layout.picture, decode_picture(made[-1].path).picture
    if (drawn.width, drawn.height) != (picture.width, picture.height):
        drawn = resize(drawn, picture.width, picture.height)
    return Generated(
        stages=tuple(made),
        layout_pixels_sha256=layout.pixels_sha256,
        layout_fingerprint=layout.fingerprint,
        lines_kept=line_recall(drawn, picture),
    )
