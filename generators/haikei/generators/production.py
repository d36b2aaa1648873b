"""
Carry one layout through the stages of its recipe: the prompt, the request, the
generator, the file.
"""

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Generator as Yields
from collections.abc import Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import structlog
from pydantic import TypeAdapter

from haikei import tracing
from haikei.canonical import canonical_json
from haikei.errors import GenerationError, HaikeiError, SettingsError
from haikei.fingerprint import fingerprint_text
from haikei.generators.contract import (
    CountingGenerator,
    GenerationRequest,
    GenerationResult,
    Generator,
    Progress,
    ProgressCallback,
    ReferringGenerator,
)
from haikei.generators.loading import load_generator
from haikei.generators.production_order import (
    DrawnLayout,
    ProductionOrder,
    StageLayer,
    StageOutput,
    StagePlan,
    StageWork,
    layers_of,
    negative_of,
    number_of,
    prompt_of,
    stage_order,
    unused_words,
)
from haikei.generators.stage_file import MEMORY, STAGE_SECONDS, StageFile, peak_memory
from haikei.images import SRGB, Limits, Picture, decode_picture, merged, read_picture, resize
from haikei.presets import Abilities, RegionChanged, recipe_sha256
from haikei.settings import Device, Recipe, Settings, Stage

if TYPE_CHECKING:
    from haikei.reading import BookParts

_REQUEST: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_log = structlog.get_logger()
#: Seconds between looks at whether one who waits for the device still wants to.
_LOOK = 0.5


def _as_stored(picture: Picture) -> Picture:
    """Return the picture as whoever reads its file will see it."""
    values = picture.as_uint16().astype(np.float32)
    return Picture(pixels=values / np.float32(65535))


class Production:
    """
    Makes backgrounds stage by stage with generators that stay loaded between calls.

    Args:
        settings: the studio's settings.
        device: what the generators compute on; they see it as the only one in the settings. It may
            be used by as many threads as it has pictures `in_work`.
        generators: generators by name that stand in for entry points of the same name.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        device: str = "cpu",
        generators: Mapping[str, Generator] | None = None,
    ) -> None:
        self._device = device
        known = (one for one in settings.engine.devices if one.name == device)
        chosen = next(known, Device(name=device))
        engine = settings.engine.model_copy(update={"devices": (chosen,)})
        self._settings = settings.model_copy(update={"engine": engine})
        self._generators = dict(generators or {})
        self._layouts: OrderedDict[tuple[str, int], DrawnLayout] = OrderedDict()
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._kept_layouts = chosen.in_work
        #: For generators that do not take turns on the device by themselves.
        self._free = threading.BoundedSemaphore(chosen.concurrency)

    def stages(self, order: ProductionOrder) -> tuple[StagePlan, ...]:
        """
        Return what would make each stage, without reading the layout or loading weights.

        Raises:
            ModelUnusable: a model is undeclared, incomplete or unsafe.
            PolicyRefusal: a model's licence does not allow what the studio does.
            SettingsError: a generator or an option is unknown.
        """
        plans = tuple(self._plan(order, stage) for stage in order.recipe.stages)
        unused = unused_words(order, plans)
        return (*plans[:-1], replace(plans[-1], notes=(*plans[-1].notes, *unused)))

    def abilities(self, recipe: Recipe) -> Abilities:
        """
        Return what the recipe's generators can do with a note, without loading weights.

        Raises:
            ModelUnusable: a model is undeclared, incomplete or unsafe.
            PolicyRefusal: a model's licence does not allow what the studio does.
            SettingsError: a generator or an option is unknown.
        """
        systems = [
            (stage, self._generator(stage.generator).describe(stage_order(stage)))
            for stage in recipe.stages
        ]
        reading = [
            system
            for stage, system in systems
            if (bool(stage.model) if system.reads is None else system.reads)
        ]
        return Abilities(
            turns=tuple(sorted({one for _, system in systems for one in system.turns})),
            acts=tuple(sorted({one for _, system in systems for one in system.acts})),
            reads=bool(reading),
            negates=any(system.negates for system in reading),
        )

    def make_stage(
        self,
        order: ProductionOrder,
        index: int,
        *,
        plans: Sequence[StagePlan],
        folder: Path,
        previous: StageOutput | None,
        progress: ProgressCallback,
    ) -> StageOutput:
        """
        Make stage `index` of the recipe and save it in `folder`, or reuse it if it is there.

        Args:
            order: the background.
            index: 0 for the first stage.
            plans: what `stages` gave for this order; each generator is asked once a background.
            folder: where files of this job stand; it is made when missing.
            previous: what this gave for the stage before; None for the first.
            progress: called with the generator's progress; it raises to cancel.

        Raises:
            ImageUnreadable: the layout cannot be read.
            GenerationError: the generator could not make it.
            GenerationCancelled: `progress` asked to stop.
            StorageUnavailable: the disk does not take the file.
        """
        if (previous is None) != (index == 0):
            message = f"stage {index} with previous {previous}: only the first stage has none"
            raise ValueError(message)
        plan = plans[index]
        changes = order.changes if index == _changing_stage(plans) else ()
        board = self._board(order) if plan.order.references else None
        work = StageWork(
            order=order,
            plan=plan,
            index=index,
            folder=folder,
            changes=tuple(one for one in changes if one.act in plan.acts),
            board=board,
        )
        apart = self._apart(order, folder)
        if len(apart.parts) > 1:
            return self._in_layers(work, apart, previous, progress)
        layout = _enlarged(self.layout(order).picture, order.recipe, index)
        before = None if previous is None else (previous.path, previous.pixels_sha256)
        output = self._one(work, layout, before, progress)
        return replace(output, notes=tuple(dict.fromkeys((*output.notes, *apart.notes))))

    def _apart(self, order: ProductionOrder, folder: Path) -> "BookParts":
        # Only who makes pictures loads what reads them.
        from haikei.reading import BookParts, take_apart

        if not order.recipe.books:
            return BookParts(parts=(), notes=())
        limits = Limits.from_settings(self._settings.watch)
        return take_apart(order.layout, folder / "apart", limits)

    def _in_layers(
        self,
        work: StageWork,
        apart: "BookParts",
        previous: StageOutput | None,
        progress: ProgressCallback,
    ) -> StageOutput:
        """
        Make a stage of a layout with BOOKs: once for what is behind them, and once up to each.

        A BOOK is cut out of a picture of all that lies behind and within it: so it is painted in
        its surroundings, and the flat picture shows no seam.
        """
        size = self.layout(work.order).picture
        books = len(apart.parts) - 1
        made: list[StageOutput] = []
        layers: list[StageLayer] = []
        for number, part in enumerate(apart.parts):

            def counted(now: Progress, number: int = number) -> None:
                steps = max(now.steps, 1)
                progress(Progress(step=number * steps + now.step, steps=(books + 1) * steps))

            drawn = decode_picture(work.folder / "apart" / part.drawn).picture
            drawn = resize(drawn, size.width, size.height)
            layout = _enlarged(drawn, work.order.recipe, work.index)
            before = None
            if previous is not None:
                kept = previous.layers[number]
                before = (kept.path, kept.pixels_sha256)
            output = self._one(work, layout, before, counted, book=number, books=books)
            made.append(output)
            cover = work.folder / "apart" / part.cover if part.cover else None
            layers.append(
                StageLayer(
                    name=part.name,
                    path=output.path,
                    pixels_sha256=output.pixels_sha256,
                    cover=cover,
                )
            )
        return self._flattened(work, made, tuple(layers), previous, apart.notes)

    def _flattened(
        self,
        work: StageWork,
        made: Sequence[StageOutput],
        layers: tuple[StageLayer, ...],
        previous: StageOutput | None,
        notes: tuple[str, ...],
    ) -> StageOutput:
        """Return a stage as what is seen of its layers."""
        last = made[-1]
        # What was asked for the last of them, but of the whole: no single BOOK.
        asked = _REQUEST.validate_json(last.request_json)
        before = "" if previous is None else previous.pixels_sha256
        text = canonical_json({**asked, "book": 0, "previous_sha256": before})
        digest = hashlib.sha256(text.encode()).hexdigest()
        path = work.folder / f"{work.plan.name}-{digest[:16]}-flat.png"
        file = StageFile.at(path)
        reused = file is not None
        if file is None:
            picture = merged(layers_of(layers))
            file = StageFile(
                pixels_sha256=picture.sha256(),
                seconds=round(sum(one.seconds for one in made), 3),
                # The last of them shows all of the layout.
                notes=last.notes,
                unread=last.unread,
                changed_ppm=tuple(one.ppm for one in last.changed),
                fingerprint=fingerprint_text(_as_stored(picture)),
            )
            file.save(path, picture)
        return replace(
            last,
            path=path,
            pixels_sha256=file.pixels_sha256,
            request_json=text,
            request_sha256=digest,
            seconds=file.seconds,
            notes=tuple(dict.fromkeys((*file.notes, *notes))),
            reused=reused,
            made_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            fingerprint=file.fingerprint,
            layers=layers,
        )

    def _one(
        self,
        work: StageWork,
        layout: Picture,
        before: tuple[Path, str] | None,
        progress: ProgressCallback,
        *,
        book: int = 0,
        books: int = 0,
    ) -> StageOutput:
        """Make one picture, or reuse it if it is there; `before` is the stage's before it."""
        plan = work.plan
        request = replace(_request(work, layout, before), book=book, books=books)
        text = canonical_json(request)
        digest = hashlib.sha256(text.encode()).hexdigest()
        path = work.folder / f"{plan.name}-{digest[:16]}.png"
        made = StageFile.at(path)
        if made is None:
            stored = None if before is None else _stored(*before, layout)
            with tracing.span(f"stage {plan.name}", stage=plan.name, generator=request.generator):
                made = self._make(
                    request,
                    path,
                    layout=layout,
                    previous=stored,
                    references=() if work.board is None else (work.board,),
                    progress=progress,
                    shares=plan.shares,
                )
            reused = False
        else:
            reused = True
            _log.info("stage_reused", stage=plan.name, file=path.name)
        return StageOutput(
            stage=plan.name,
            path=path,
            pixels_sha256=made.pixels_sha256,
            width=request.width,
            height=request.height,
            request_json=text,
            request_sha256=digest,
            system=plan.system,
            seconds=made.seconds,
            notes=tuple(dict.fromkeys((*plan.notes, *made.notes))),
            unread=made.unread,
            reused=reused,
            made_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
            changed=tuple(
                RegionChanged(change=change, ppm=ppm)
                for change, ppm in zip(request.changes, made.changed_ppm, strict=False)
            ),
            fingerprint=made.fingerprint,
        )

    def _plan(self, order: ProductionOrder, stage: Stage) -> StagePlan:
        referring = stage.board and order.board is not None
        asked = stage_order(stage, references=1 if referring else 0)
        described = self._generator(stage.generator).describe(asked)
        notes = described.notes
        if referring and not described.refers:
            raise SettingsError(
                f"The generator {stage.generator!r} of the stage {stage.name!r} takes no board.",
                advice="Remove board from the stage, or give it to a stage that can look at it.",
            )
        if referring and not (order.board and order.board.is_file()):
            raise SettingsError(
                f"The board of the location is not there: {order.board}.",
                advice="Put the approved picture there, or correct the look that names it.",
            )
        if stage.board and not referring:
            notes = (*notes, "No look names a board for this cut: the stage goes without one.")
        negative = negative_of(order)
        if negative and not described.negates:
            notes = (
                *notes,
                f"The negative prompt is not given to {described.system.name}: {negative}.",
            )
        plan = StagePlan(
            name=stage.name,
            order=asked,
            system=described.system,
            libraries=described.libraries,
            words=described.words,
            negates=described.negates,
            notes=notes,
            acts=described.acts,
            reads=bool(stage.model) or None if described.reads is None else described.reads,
            shares=described.shares,
        )
        if not described.counts:
            return plan
        lost = cast("CountingGenerator", self._generator(stage.generator)).words_lost(
            asked,
            prompt=prompt_of(order, plan),
            negative_prompt=negative if plan.negates else "",
        )
        return replace(plan, notes=(*plan.notes, *lost))

    def _generator(self, name: str) -> Generator:
        with self._lock:
            if name not in self._generators:
                self._generators[name] = load_generator(name, self._settings)
            return self._generators[name]

    def layout(self, order: ProductionOrder) -> DrawnLayout:
        """
        Return the layout's pixels; those of the last layouts are kept.

        Raises:
            ImageUnreadable: the layout cannot be read.
        """
        key = (order.layout_sha256, order.recipe.width)
        found = self._kept(key)
        if found is not None:
            return found
        # One after the other, so that streams of one layout do not each read it.
        with self._reading:
            found = self._kept(key)
            return self._drawn(order, key) if found is None else found

    def _kept(self, key: tuple[str, int]) -> DrawnLayout | None:
        with self._lock:
            if key in self._layouts:
                self._layouts.move_to_end(key)
            return self._layouts.get(key)

    def _drawn(self, order: ProductionOrder, key: tuple[str, int]) -> DrawnLayout:
        picture = read_picture(order.layout, limits=Limits.from_settings(self._settings.watch))
        pixels_sha256, fingerprint = picture.sha256(), fingerprint_text(picture)
        if order.recipe.width:
            height = round(picture.height * order.recipe.width / picture.width)
            picture = resize(picture, order.recipe.width, max(1, height))
        drawn = DrawnLayout(picture=picture, pixels_sha256=pixels_sha256, fingerprint=fingerprint)
        with self._lock:
            self._layouts[key] = drawn
            if len(self._layouts) > self._kept_layouts:
                self._layouts.popitem(last=False)
        return drawn

    def _board(self, order: ProductionOrder) -> Picture:
        if order.board is None:
            message = "a stage refers to a board that no order names"
            raise ValueError(message)
        return read_picture(order.board, limits=Limits.from_settings(self._settings.watch))

    def _make(
        self,
        request: GenerationRequest,
        path: Path,
        *,
        layout: Picture,
        previous: Picture | None,
        references: tuple[Picture, ...],
        progress: ProgressCallback,
        shares: bool,
    ) -> StageFile:
        generator = self._generator(request.generator)
        with nullcontext() if shares else self._turn(progress):
            begun = time.perf_counter()
            result = self._result(generator, request, layout, previous, references, progress)
            whole = time.perf_counter() - begun
        seconds = whole if result.seconds is None else result.seconds
        _require_size(request, result)
        made = StageFile(
            pixels_sha256=result.picture.sha256(),
            seconds=round(seconds, 3),
            notes=result.notes,
            unread=result.unread,
            changed_ppm=result.changed_ppm,
            fingerprint=fingerprint_text(_as_stored(result.picture)),
        )
        made.save(path, result.picture)
        STAGE_SECONDS.labels(stage=request.stage, generator=request.generator).observe(seconds)
        MEMORY.labels(device=self._device).set(peak_memory(self._device))
        _log.info("stage_made", stage=request.stage, file=path.name, seconds=made.seconds)
        return made

    @contextmanager
    def _turn(self, progress: ProgressCallback) -> Yields[None]:
        """Have the device, with no more others than compute on it at once."""
        while not self._free.acquire(timeout=_LOOK):
            progress(Progress(step=0, steps=0))
        try:
            yield
        finally:
            self._free.release()

    def _result(
        self,
        generator: Generator,
        request: GenerationRequest,
        layout: Picture,
        previous: Picture | None,
        references: tuple[Picture, ...],
        progress: ProgressCallback,
    ) -> GenerationResult:
        try:
            if references:
                return cast("ReferringGenerator", generator).generate(
                    request,
                    layout=layout,
                    previous=previous,
                    progress=progress,
                    references=references,
                )
            return generator.generate(request, layout=layout, previous=previous, progress=progress)
        except HaikeiError:
            raise
        except Exception as error:
            raise GenerationError(
                f"The generator {request.generator!r} failed in stage {request.stage!r}: {error}.",
                advice="The log holds the full story; a retry will do the same again.",
            ) from error


def _changing_stage(plans: Sequence[StagePlan]) -> int | None:
    """Return the last stage that can change regions, as a change is made only once."""
    able = [index for index, plan in enumerate(plans) if plan.acts]
    return able[-1] if able else None


def _request(
    work: StageWork, layout: Picture, before: tuple[Path, str] | None
) -> GenerationRequest:
    order, plan, board = work.order, work.plan, work.board
    return GenerationRequest(
        layout_sha256=order.layout_sha256,
        previous_sha256="" if before is None else before[1],
        stage=plan.name,
        generator=plan.order.generator,
        system=plan.system,
        model=plan.order.model,
        options=plan.order.options,
        prompt=prompt_of(order, plan),
        negative_prompt=negative_of(order) if plan.negates else "",
        place=order.place,
        location=order.location,
        season=order.season,
        time=order.time,
        weather=order.cut.weather,
        recipe=order.recipe_name,
        recipe_sha256=recipe_sha256(order.recipe),
        seed=number_of(f"{order.seed}\n{plan.name}"),
        width=layout.width,
        height=layout.height,
        colour_space=SRGB,
        libraries=plan.libraries,
        references=() if board is None else (board.sha256(),),
        adjustments=tuple(sorted(order.adjustments)),
        changes=work.changes,
    )


def _require_size(request: GenerationRequest, result: GenerationResult) -> None:
    size = (result.picture.width, result.picture.height)
    if size != (request.width, request.height):
        raise GenerationError(
            f"The generator {request.generator!r} made {size[0]} x {size[1]} pixels where "
            f"{request.width} x {request.height} were asked for."
        )


def _enlarged(layout: Picture, recipe: Recipe, index: int) -> Picture:
    """Return the layout at the size of a stage's picture."""
    times = math.prod(stage.enlarge for stage in recipe.stages[: index + 1])
    return resize(layout, layout.width * times, layout.height * times) if times > 1 else layout


def _stored(path: Path, pixels_sha256: str, layout: Picture) -> Picture:
    picture = decode_picture(path).picture
    if picture.sha256() != pixels_sha256:
        raise GenerationError(
            f"{path.name} is not what the stage before made.",
            advice="Delete the job's folder and retry the job.",
        )
    return resize(picture, layout.width, layout.height)
