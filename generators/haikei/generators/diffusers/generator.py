"""Diffusion models in diffusers format: they redraw a picture along the layout's lines."""

import re
import threading
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import structlog

from haikei.credits import SourceType, System
from haikei.errors import GenerationError, ModelUnusable, SettingsError
from haikei.generators.contract import (
    GenerationRequest,
    GenerationResult,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.generators.diffusers.batches import Turns
from haikei.generators.diffusers.families import Family, family_of
from haikei.generators.diffusers.pipeline import (
    BatchTooLarge,
    DiffusersOptions,
    Pipeline,
    Wanted,
    device_memory,
    lora_weights,
    precision,
)
from haikei.generators.diffusers.tiles import SEAM, Blend, Tile, tiles_of
from haikei.generators.diffusers.warm import WarmModels
from haikei.generators.diffusers.weights import folder_tokenizer
from haikei.generators.guides import draw_guides
from haikei.images import Padding, Picture, fit_within, resize
from haikei.models import ModelCard, open_model
from haikei.settings import Settings

#: Sides that every Stable Diffusion network takes without resizing by itself.
MULTIPLE = 64
_LIBRARIES = ("diffusers", "haikei", "numpy", "safetensors", "torch", "transformers")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Wish:
    """One picture that waits for its turn."""

    wanted: Wanted
    progress: ProgressCallback

    @property
    def size(self) -> tuple[int, int]:
        return self.wanted.image.width, self.wanted.image.height


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Made:
    """One picture, at the size at which it was wanted."""

    picture: Picture
    notes: tuple[str, ...]
    seam: float = 0.0  #: how much its tiles differ at most where they overlap
    seconds: float = 0.0  #: its part of what the calls took


class _AllStopped(Exception):
    """Nobody wants a picture of this call any more."""


class DiffusersGenerator:
    """
    Redraws the picture of the stage before, or the layout itself, with a model in the settings.

    Models stay in memory as far as `engine.warm_mib` allows; those that were used longest ago leave
    for others. It computes on the first device in `engine.devices`. Calls from several threads take
    turns, and those of one model, size and options that wait are computed together, as many at once
    as the device's `batch` says.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._device = settings.engine.devices[0].name
        self._most = settings.engine.devices[0].batch
        self._turns = Turns[_Wish, _Made]()
        self._counting = threading.Lock()
        self._tokenizers: dict[str, Any] = {}  #: by model: a few MiB each
        self._warm = WarmModels(self._room)

    @property
    def loads(self) -> int:
        """How often a model was loaded."""
        return self._warm.loads

    @property
    def waiting(self) -> int:
        """How many pictures wait for the device, prepared."""
        return self._turns.waiting

    def describe(self, stage: StageOrder) -> StageSystem:
        """
        Return the model of a stage as records name it, without loading weights.

        Raises:
            ModelUnusable: its folder is missing, incomplete, unsafe, or not the one expected.
            PolicyRefusal: its licence does not allow what the studio does.
            SettingsError: the stage names no model, an option is wrong, a package is missing.
        """
        card, family, options = self._order(stage)
        return StageSystem(
            system=System(
                name=card.name,
                version=card.version,
                source_type=SourceType.TRAINED,
                sha256=card.sha256,
                licence=card.licence,
                data=card.data,
            ),
            # The kind of device is in the record: kernels differ in the third digit.
            libraries=tuple(sorted((*_versions(), ("device", self._kind(family)), *_added(card)))),
            words=tuple(lora.trigger for lora in card.loras if lora.trigger),
            negates=options.negates(family),
            notes=_plan_notes(family),
            refers=bool(family.refers),
            counts=True,
            shares=True,
        )

    def words_lost(
        self, stage: StageOrder, *, prompt: str, negative_prompt: str
    ) -> tuple[str, ...]:
        """
        Return which of these words the model will not read, or may not know.

        They are counted by the tokenizer in the model's folder; no weights are loaded.

        Raises:
            ModelUnusable: its folder is damaged.
            SettingsError: the stage cannot be made.
        """
        card, family, _ = self._order(stage)
        return self._lost(card, family, prompt, negative_prompt)

    def _lost(
        self, card: ModelCard, family: Family, prompt: str, negative_prompt: str
    ) -> tuple[str, ...]:
        key = f"{card.sha256} {card.embeddings}"
        # Not the pipeline's own tokenizer: that is at work in another thread, and takes no two.
        with self._counting:
            if key not in self._tokenizers:
                self._tokenizers[key] = folder_tokenizer(card, family)
            return _prompt_notes(prompt, negative_prompt, family, self._tokenizers[key])

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
        references: Sequence[Picture] = (),
    ) -> GenerationResult:
        """
        Redraw `previous`, or the layout where there is none.

        The picture is padded to what the network takes and cropped after, so that no pixel moves.

        Raises:
            ModelUnusable: the model cannot be loaded, or changed since the request was made.
            GenerationError: the result is not a picture.
            GeneratorUnavailable: the device has no memory left.
            GenerationCancelled: `progress` asked to stop.
        """
        begun = time.perf_counter()
        card, family, options = self._order(
            StageOrder(
                generator=request.generator,
                model=request.model,
                options=request.options,
                references=len(request.references),
            )
        )
        if request.negative_prompt and not options.negates(family):
            raise GenerationError(
                f"The request names a negative prompt, which never acts on {family.name} as it is "
                "asked here.",
                advice="Leave it out, so that the record does not claim it.",
            )
        if card.sha256 != request.system.sha256 or _added(card) != tuple(
            pair for pair in request.libraries if pair[0].startswith(_ADDED)
        ):
            raise ModelUnusable(
                f"The files of the model {request.model!r} changed after this picture was asked "
                "for.",
                advice="Retry the job: its record will name the files as they are now.",
            )
        progress(Progress(step=0, steps=options.executed))
        source = layout if previous is None else previous
        size = (request.width, request.height)
        smaller = fit_within(*size, options.max_side) if options.max_side else size
        source, drawing = resize(source, *smaller), resize(layout, *smaller)
        padding = Padding.to_multiple(source, MULTIPLE)
        guides = draw_guides(
            drawing,
            options.guides(),
            place=request.place,
            pause=lambda: progress(Progress(step=0, steps=options.executed)),
        )
        lost = self._lost(card, family, request.prompt, request.negative_prompt)
        wish = _Wish(
            wanted=Wanted(
                image=padding.pad(source),
                guides=[padding.pad(Picture(pixels=one)).pixels for one in guides],
                prompt=request.prompt,
                negative_prompt=request.negative_prompt,
                seed=request.seed,
                references=references,
            ),
            progress=progress,
        )
        whole = not options.tile or options.tile >= max(wish.size)
        alone = not family.batches or references or not whole
        weights = self._key(card, options)
        prepared = time.perf_counter() - begun
        made = self._turns.take(
            (weights, options, wish.size),
            wish,
            lambda wishes: self._computed(card, family, options, wishes),
            most=1 if alone else self._most,
            check=lambda: progress(Progress(step=0, steps=options.executed)),
        )
        begun = time.perf_counter()
        notes = [*_plan_notes(family), *lost, *made.notes]
        if made.seam > SEAM:
            notes.append(
                f"Tiles differ by {made.seam:.0%} of white where they overlap: look for seams, or "
                "lower the strength."
            )
        if smaller != size:
            notes.append(f"Made at {smaller[0]} x {smaller[1]} pixels and enlarged (max_side).")
        picture = resize(padding.crop(made.picture), *size)
        seconds = prepared + made.seconds + time.perf_counter() - begun
        return GenerationResult(picture=picture, notes=tuple(notes), seconds=seconds)

    def _computed(
        self, card: ModelCard, family: Family, options: DiffusersOptions, wishes: Sequence[_Wish]
    ) -> Sequence[_Made | BaseException]:
        """Return what the model makes of each, or why it makes nothing; the device is ours."""
        begun = time.perf_counter()
        pipeline = self._loaded(card, family, options)
        found: list[_Made | BaseException] = []
        while rest := wishes[len(found) :]:
            found += self._at_once(pipeline, options, rest[: pipeline.most])
        # What a call took belongs to its pictures in equal parts.
        seconds = (time.perf_counter() - begun) / len(wishes)
        return [replace(one, seconds=seconds) if isinstance(one, _Made) else one for one in found]

    def _at_once(
        self, pipeline: Pipeline, options: DiffusersOptions, wishes: Sequence[_Wish]
    ) -> Sequence[_Made | BaseException]:
        if len(wishes) == 1:
            return [_attempt(lambda: self._redrawn(pipeline, options, wishes[0]))]
        stopped: dict[int, BaseException] = {}

        def done(step: int, steps: int) -> None:
            for place, wish in enumerate(wishes):
                if place not in stopped:
                    try:
                        wish.progress(Progress(step=step, steps=steps))
                    except BaseException as error:  # noqa: BLE001 - it stops this one alone
                        stopped[place] = error
            if len(stopped) == len(wishes):
                raise _AllStopped

        try:
            pictures = pipeline.redraw([one.wanted for one in wishes], options, done)
        except _AllStopped:
            return [stopped[place] for place in range(len(wishes))]
        except BatchTooLarge:
            why = f"{self._device} had no memory for {len(wishes)} pictures at once"
        except Exception as error:  # noqa: BLE001 - each is tried alone, and has its own
            why = f"a call for {len(wishes)} pictures at once failed: {error}"
        else:
            together = f"Computed in one call of the model with {len(wishes) - 1} other pictures."
            notes = (together, *_saved(pipeline))
            return [
                stopped.get(place)
                or (one if isinstance(one, GenerationError) else _Made(picture=one, notes=notes))
                for place, one in enumerate(pictures)
            ]
        log.warning("batch_broken_up", pictures=len(wishes), why=why)
        found = (
            stopped.get(place) or _attempt(partial(self._redrawn, pipeline, options, wish))
            for place, wish in enumerate(wishes)
        )
        note = f"Computed alone, since {why}."
        return [
            replace(one, notes=(*one.notes, note)) if isinstance(one, _Made) else one
            for one in found
        ]

    def _redrawn(self, pipeline: Pipeline, options: DiffusersOptions, wish: _Wish) -> _Made:
        """Return one picture, tile by tile where its options say so."""
        wanted = wish.wanted
        width, height = wish.size
        side = options.tile or max(width, height)
        overlap = options.overlap or side // 8
        tiles = tuple(tiles_of(width, height, side, overlap))
        blend = Blend(width=width, height=height, overlap=overlap)
        for number, tile in enumerate(tiles):

            def done(step: int, steps: int, before: int = number) -> None:
                wish.progress(Progress(step=before * steps + step, steps=len(tiles) * steps))

            part = replace(
                wanted,
                image=_part(wanted.image, tile),
                guides=[_part(Picture(pixels=one), tile).pixels for one in wanted.guides],
                # The same noise in each tile would be seen as a pattern.
                seed=(wanted.seed + number) % 2**63,
            )
            (made,) = pipeline.redraw([part], options, done)
            if isinstance(made, GenerationError):
                raise made
            if len(tiles) == 1:
                return _Made(picture=made, notes=_saved(pipeline))
            blend.add(tile, made.pixels)
        picture = Picture(pixels=np.clip(blend.picture(), 0.0, 1.0))
        return _Made(picture=picture, notes=_saved(pipeline), seam=blend.seam)

    def _order(self, stage: StageOrder) -> tuple[ModelCard, Family, DiffusersOptions]:
        if not stage.model:
            raise SettingsError(
                "A stage of the generator 'diffusers' names no model.",
                advice='Add model = "…" to the stage, and declare it as [models.…].',
            )
        named = dict(stage.options).get("loras", "")
        loras = tuple(lora_weights(named)) if isinstance(named, str) else ()
        card = open_model(self._settings, stage.model, loras, referring=bool(stage.references))
        family = family_of(card)
        if stage.references and (
            not family.refers or (family.refers == "ip_adapter" and card.ip_adapter is None)
        ):
            raise SettingsError(
                f"The model {stage.model!r} ({family.name}) cannot look at a board"
                f"{' without an IP-Adapter' if family.refers else ''}.",
                advice=f"Declare [models.{stage.model}.ip_adapter]."
                if family.refers
                else "Remove board from the stage.",
            )
        return card, family, DiffusersOptions.of(stage, family, controls=len(card.controls))

    def _room(self) -> int:
        given = self._settings.engine.warm_mib
        # Half of it: pictures in the making need the rest.
        return given << 20 if given else device_memory(self._device) // 2

    def _loaded(self, card: ModelCard, family: Family, options: DiffusersOptions) -> Pipeline:
        weights = options.lora_weights()
        return self._warm.get(
            self._key(card, options),
            lambda: Pipeline(card, family, self._device, weights, alone=self._warm.empty),
            size=card.size,
        )

    def _key(self, card: ModelCard, options: DiffusersOptions) -> str:
        """Return what tells one model in memory from another."""
        loras = sorted(options.lora_weights().items())
        return repr((card.key, card.sha256, _added(card), loras))

    def _kind(self, family: Family) -> str:
        return f"{self._device.partition(':')[0]} {precision(family, self._device)}"


#: How names of files begin that are recorded beside a model.
_ADDED = ("lora ", "described by", "ip-adapter")


def _added(card: ModelCard) -> tuple[tuple[str, str], ...]:
    """Return what runs beside the model's own weights, and its SHA-256."""
    loras = [(f"lora {lora.name}", lora.sha256) for lora in card.loras]
    described = [("described by", card.beside)] if card.beside else []
    adapter = [("ip-adapter", card.ip_adapter.sha256)] if card.ip_adapter else []
    return tuple(sorted((*described, *loras, *adapter)))


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    try:
        return tuple((name, version(name)) for name in _LIBRARIES)
    except PackageNotFoundError as error:
        raise SettingsError(
            f"The generator 'diffusers' needs a package that is not installed: {error.name}.",
            advice="Install it with `pip install 'haikei[diffusers]'`.",
        ) from error


def _attempt(make: Callable[[], _Made]) -> _Made | BaseException:
    """Return what is made, or the error: whoever asked for it raises that in its own thread."""
    try:
        return make()
    except BaseException as error:  # noqa: BLE001 - it is raised elsewhere
        return error


def _saved(pipeline: Pipeline) -> tuple[str, ...]:
    return (f"To save memory the picture was {pipeline.saved}.",) if pipeline.saved else ()


def _part(picture: Picture, tile: Tile) -> Picture:
    whole = (tile.width, tile.height) == (picture.width, picture.height)
    return picture if whole else Picture(pixels=np.ascontiguousarray(picture.pixels[tile.place]))


def _plan_notes(family: Family) -> tuple[str, ...]:
    notes = family.notes
    if not family.reports:
        notes = (*notes, f"{family.pipeline} cannot be followed or cancelled while it runs.")
    if not family.control:
        lines = "The model has no ControlNet: the layout's lines guide it only as paint."
        notes = (*notes, lines)
    return notes


def _prompt_notes(
    prompt: str, negative_prompt: str, family: Family, tokenizer: Any
) -> tuple[str, ...]:
    notes: list[str] = []
    for kind, text in (("prompt", prompt), ("negative prompt", negative_prompt)):
        foreign = [word for word in re.findall(r"\w+", text) if not _is_latin(word)]
        if foreign and family.latin:
            notes.append(f"The model may not know these words of the {kind}: {' '.join(foreign)}.")
        if tokenizer is None:
            continue
        ids = tokenizer(text, truncation=False, verbose=False).input_ids
        limit = family.tokens or int(tokenizer.model_max_length)
        if len(ids) > limit:
            # Where there is an end mark, it is the last token kept.
            ended = ids[-1] == tokenizer.eos_token_id
            lost = tokenizer.decode(ids[limit - 1 : -1] if ended else ids[limit:]).strip()
            notes.append(f"The {kind} is too long; the model does not read: {lost}.")
    return tuple(notes)


def _is_latin(word: str) -> bool:
    return all(
        not letter.isalpha() or unicodedata.name(letter, "").startswith("LATIN") for letter in word
    )
