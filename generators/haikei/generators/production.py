"""
Carry one layout through the stages of its recipe: the prompt, the request, the
generator, the file.
"""

import hashlib
import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import structlog

from haikei.canonical import canonical_json
from haikei.credits import System
from haikei.errors import GenerationError, HaikeiError, StorageUnavailable
from haikei.fingerprint import fingerprint_text
from haikei.generators.contract import (
    GenerationRequest,
    GenerationResult,
    Generator,
    ProgressCallback,
    StageOrder,
)
from haikei.generators.device_memory import MEMORY, STAGE_SECONDS, peak_memory
from haikei.generators.loading import load_generator
from haikei.images import SRGB, Limits, Picture, decode_picture, read_picture, resize, write_picture
from haikei.presets import (
    PROMPT,
    QUALITIES,
    SEASON_PROMPTS,
    TIME_PROMPTS,
    Abilities,
    Act,
    Quality,
    RegionChange,
    RegionChanged,
)
from haikei.settings import Device, Recipe, Route, Settings, Stage, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFile:
    """What is noted beside a stage's picture, so that a stage found again is fully known."""

    pixels_sha256: str  #: as `Picture.sha256` gives it
    seconds: float  #: that making it took
    notes: tuple[str, ...]
    unread: float | None  #: as the generator counted it
    changed_ppm: tuple[int, ...] = ()  #: as `GenerationResult` holds it

    @classmethod
    def at(cls, path: Path) -> Self | None:
        """Return what stands at `path` if picture and note are whole and belong together."""
        # Whatever is wrong with the files of a stage, it can be made again.
        try:
            data = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            made = cls(
                pixels_sha256=str(data["pixels_sha256"]),
                seconds=float(data["seconds"]),
                notes=tuple(str(note) for note in data["notes"]),
                unread=None if data["unread"] is None else float(data["unread"]),
                changed_ppm=tuple(int(one) for one in data.get("changed_ppm", ())),
            )
            return made if decode_picture(path).picture.sha256() == made.pixels_sha256 else None
        except (OSError, ValueError, KeyError, TypeError, HaikeiError):
            return None

    def save(self, path: Path, picture: Picture) -> None:
        """
        Write the picture as a 16-bit PNG and the note beside it; both appear whole or not at all.

        Raises:
            StorageUnavailable: the disk does not take them.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The same name each time: what a killed process left is overwritten, not collected.
            temporary = path.with_name(f".{path.stem}.part.png")
            beside = path.with_name(f".{path.stem}.part.json")
            write_picture(picture, temporary, attributes={"Software": "Haikei"})
            with beside.open("w", encoding="utf-8") as file:
                json.dump(
                    {
                        "changed_ppm": self.changed_ppm,
                        "notes": self.notes,
                        "pixels_sha256": self.pixels_sha256,
                        "seconds": self.seconds,
                        "unread": self.unread,
                    },
                    file,
                )
                file.flush()
                os.fsync(file.fileno())
            # The picture last: where it stands, what is said about it stands too.
            beside.replace(path.with_suffix(".json"))
            temporary.replace(path)
            _sync(path.parent)
        except OSError as error:
            raise StorageUnavailable(
                f"{path} cannot be written: {error.strerror or error}.",
                advice="Check free space, permissions and the mount.",
            ) from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fill_prompt(text: str, *, place: str, season: str, time: str) -> str:
    """
    Return `text` with `{place}`, `{season}` and `{time}` filled in.

    Seasons and times become the words that models know; others are taken as they are. Phrases
    left empty, as by an unknown place, are dropped with their comma.
    """
    words = {
        "{place}": place,
        "{season}": SEASON_PROMPTS.get(season, season),
        "{time}": TIME_PROMPTS.get(time, time),
    }
    for token, word in words.items():
        # Not str.format: a recipe's braces must not reach into our objects.
        text = text.replace(token, word)
    return ", ".join(phrase for part in text.split(",") if (phrase := part.strip()))


_log = structlog.get_logger()
_KEPT_LAYOUTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductionOrder:
    """One background to make: everything that its stages have in common."""

    layout: Path  #: a file of the caller's own, which nobody else changes
    layout_sha256: str  #: of its bytes, which the caller has checked
    recipe: Recipe
    season: str
    time: str
    place: str  #: what kind of place it is, as a hint; may be empty
    seed: int
    location: str = ""  #: show and sequence, whose pictures share a palette
    adjustments: tuple[tuple[str, int], ...] = ()  #: what a retake turns, by `Quality`
    changes: tuple[RegionChange, ...] = ()  #: what a retake changes in parts of the picture
    words: tuple[str, ...] = ()  #: that a retake adds to the prompt
    unwanted: tuple[str, ...] = ()  #: and to the negative prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """One stage before it is made: what would make it."""

    name: str
    order: StageOrder
    system: System
    libraries: tuple[tuple[str, str], ...]
    words: tuple[str, ...]  #: that the prompt must hold for what makes it
    negates: bool  #: whether a negative prompt reaches what makes it
    notes: tuple[str, ...]  #: what of the order cannot be taken
    acts: tuple[Act, ...]  #: which changes of regions it can make


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOutput:
    """One stage that was made, and the request that made it."""

    stage: str
    path: Path  #: a 16-bit sRGB PNG
    pixels_sha256: str
    width: int
    height: int
    request_json: str  #: canonical JSON of the `GenerationRequest`
    request_sha256: str
    system: System
    seconds: float  #: that the generator took, also where the file was reused
    notes: tuple[str, ...]
    unread: float | None  #: part of the layout that was not read, 0 to 1; None: not known
    reused: bool  #: the file was there already
    made_at: datetime  #: the file's time, also when an earlier run made it
    changed: tuple[RegionChanged, ...] = ()  #: what was asked of parts of the picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnLayout:
    """A layout, decoded."""

    picture: Picture  #: at the size at which the recipe works
    pixels_sha256: str  #: of the pixels at the size at which they were drawn
    fingerprint: str  #: of the same pixels, as `haikei.fingerprint` writes it


def seed_of(layout_sha256: str, recipe: str, season: str, time: str) -> int:
    """Return the seed, 0 to 2^63-1, of a background for which nobody fixed one."""
    return _number(f"{layout_sha256}\n{recipe}\n{season}\n{time}")


def stage_order(stage: Stage) -> StageOrder:
    """Return what a generator is asked for a stage of a recipe."""
    guided = {"control": ", ".join(stage.control)} if stage.control else {}
    return StageOrder(
        generator=stage.generator,
        model=stage.model or "",
        options=tuple(sorted({**stage.options, **guided}.items())),
    )


def variant_seed(route: Route, layout_sha256: str, variant: Variant) -> int:
    """Return the seed of one of a route's backgrounds."""
    if route.seed is not None:
        return route.seed
    if route.shared_seed:
        return seed_of(layout_sha256, route.recipe, "", "")
    return seed_of(layout_sha256, route.recipe, variant.season, variant.time)


class Production:
    """
    Makes backgrounds stage by stage with generators that stay loaded between calls.

    Args:
        settings: the studio's settings.
        device: what the generators compute on; they see it as the only one in the settings.
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
        engine = settings.engine.model_copy(update={"devices": (Device(name=device),)})
        self._settings = settings.model_copy(update={"engine": engine})
        self._generators = dict(generators or {})
        self._layouts: OrderedDict[tuple[str, int], DrawnLayout] = OrderedDict()
        self._lock = threading.Lock()

    def stages(self, order: ProductionOrder) -> tuple[StagePlan, ...]:
        """
        Return what would make each stage, without reading the layout or loading weights.

        Raises:
            ModelUnusable: a model is undeclared, incomplete or unsafe.
            PolicyRefusal: a model's licence does not allow what the studio does.
            SettingsError: a generator or an option is unknown.
        """
        return tuple(self._plan(order, stage) for stage in order.recipe.stages)

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
        folder: Path,
        previous: StageOutput | None,
        progress: ProgressCallback,
    ) -> StageOutput:
        """
        Make stage `index` of the recipe and save it in `folder`, or reuse it if it is there.

        Args:
            order: the background.
            index: 0 for the first stage.
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
        plan = self._plan(order, order.recipe.stages[index])
        layout = self.layout(order).picture
        changes = order.changes if index == self._changing_stage(order) else ()
        request = _request(order, plan, layout, previous, changes)
        text = canonical_json(request)
        digest = hashlib.sha256(text.encode()).hexdigest()
        path = folder / f"{plan.name}-{digest[:16]}.png"
        made = StageFile.at(path)
        if made is None:
            before = None if previous is None else _stored(previous, layout)
            made = self._make(request, path, layout=layout, previous=before, progress=progress)
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
        )

    def _changing_stage(self, order: ProductionOrder) -> int | None:
        """Return the last stage that can change regions, as a change is made only once."""
        if not order.changes:
            return None
        able = [index for index, plan in enumerate(self.stages(order)) if plan.acts]
        return able[-1] if able else None

    def _plan(self, order: ProductionOrder, stage: Stage) -> StagePlan:
        asked = stage_order(stage)
        described = self._generator(stage.generator).describe(asked)
        notes = described.notes
        negative = _negative(order)
        if negative and not described.negates:
            notes = (
                *notes,
                f"The negative prompt is not given to {described.system.name}: {negative}.",
            )
        return StagePlan(
            name=stage.name,
            order=asked,
            system=described.system,
            libraries=described.libraries,
            words=described.words,
            negates=described.negates,
            notes=notes,
            acts=described.acts,
        )

    def _generator(self, name: str) -> Generator:
        with self._lock:
            if name not in self._generators:
                self._generators[name] = load_generator(name, self._settings)
            return self._generators[name]

    def layout(self, order: ProductionOrder) -> DrawnLayout:
        """
        Return the layout's pixels; those of the last two layouts are kept.

        Raises:
            ImageUnreadable: the layout cannot be read.
        """
        key = (order.layout_sha256, order.recipe.width)
        with self._lock:
            if key in self._layouts:
                self._layouts.move_to_end(key)
                return self._layouts[key]
            picture = read_picture(order.layout, limits=Limits.from_settings(self._settings.watch))
            pixels_sha256, fingerprint = picture.sha256(), fingerprint_text(picture)
            if order.recipe.width:
                height = round(picture.height * order.recipe.width / picture.width)
                picture = resize(picture, order.recipe.width, max(1, height))
            drawn = DrawnLayout(
                picture=picture, pixels_sha256=pixels_sha256, fingerprint=fingerprint
            )
            self._layouts[key] = drawn
            if len(self._layouts) > _KEPT_LAYOUTS:
                self._layouts.popitem(last=False)
            return drawn

    def _make(
        self,
        request: GenerationRequest,
        path: Path,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
    ) -> StageFile:
        generator = self._generator(request.generator)
        begun = time.perf_counter()
        try:
            result = generator.generate(
                request, layout=layout, previous=previous, progress=progress
            )
        except HaikeiError:
            raise
        except Exception as error:
            raise GenerationError(
                f"The generator {request.generator!r} failed in stage {request.stage!r}: {error}.",
                advice="The log holds the full story; a retry will do the same again.",
            ) from error
        seconds = time.perf_counter() - begun
        _require_size(request, result)
        made = StageFile(
            pixels_sha256=result.picture.sha256(),
            seconds=round(seconds, 3),
            notes=result.notes,
            unread=result.unread,
            changed_ppm=result.changed_ppm,
        )
        made.save(path, result.picture)
        STAGE_SECONDS.labels(stage=request.stage, generator=request.generator).observe(seconds)
        MEMORY.labels(device=self._device).set(peak_memory(self._device))
        _log.info("stage_made", stage=request.stage, file=path.name, seconds=made.seconds)
        return made


def _request(
    order: ProductionOrder,
    plan: StagePlan,
    layout: Picture,
    previous: StageOutput | None,
    changes: tuple[RegionChange, ...],
) -> GenerationRequest:
    return GenerationRequest(
        layout_sha256=order.layout_sha256,
        previous_sha256="" if previous is None else previous.pixels_sha256,
        stage=plan.name,
        generator=plan.order.generator,
        system=plan.system,
        model=plan.order.model,
        options=plan.order.options,
        prompt=_filled(
            order,
            order.recipe.prompt or (PROMPT if plan.order.model else ""),
            (*plan.words, *_asked_for(order), *order.words) if plan.order.model else order.words,
        ),
        negative_prompt=_negative(order) if plan.negates else "",
        place=order.place,
        location=order.location,
        season=order.season,
        time=order.time,
        seed=_number(f"{order.seed}\n{plan.name}"),
        width=layout.width,
        height=layout.height,
        colour_space=SRGB,
        libraries=plan.libraries,
        adjustments=tuple(sorted(order.adjustments)),
        changes=tuple(one for one in changes if one.act in plan.acts),
    )


def _filled(order: ProductionOrder, text: str, more: tuple[str, ...]) -> str:
    words = fill_prompt(text, place=order.place, season=order.season, time=order.time)
    return ", ".join(filter(None, (words, *more)))


def _negative(order: ProductionOrder) -> str:
    return _filled(order, order.recipe.negative_prompt, order.unwanted)


def _asked_for(order: ProductionOrder) -> tuple[str, ...]:
    """Return what a model reads of the qualities that a retake turns."""
    return tuple(
        QUALITIES[Quality(name)].more if amount > 0 else QUALITIES[Quality(name)].less
        for name, amount in sorted(order.adjustments)
        if amount
    )


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _require_size(request: GenerationRequest, result: GenerationResult) -> None:
    size = (result.picture.width, result.picture.height)
    if size != (request.width, request.height):
        raise GenerationError(
            f"The generator {request.generator!r} made {size[0]} x {size[1]} pixels where "
            f"{request.width} x {request.height} were asked for."
        )


def _stored(previous: StageOutput, layout: Picture) -> Picture:
    picture = decode_picture(previous.path).picture
    same_size = (picture.width, picture.height) == (layout.width, layout.height)
    if picture.sha256() != previous.pixels_sha256 or not same_size:
        raise GenerationError(
            f"{previous.path.name} is not what stage {previous.stage!r} made.",
            advice="Delete the job's folder and retry the job.",
        )
    return picture
