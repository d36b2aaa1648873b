"""Diffusion models in diffusers format: they redraw a picture along the layout's lines."""

import re
import threading
import unicodedata
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

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
from haikei.generators.diffusers.families import Family, family_of
from haikei.generators.diffusers.pipeline import (
    DiffusersOptions,
    Pipeline,
    device_memory,
    lora_weights,
    precision,
)
from haikei.generators.diffusers.tiles import SEAM, Blend, Tile, tiles_of
from haikei.generators.diffusers.warm import WarmModels
from haikei.generators.guides import draw_guides
from haikei.images import Padding, Picture, fit_within, resize
from haikei.models import ModelCard, open_model
from haikei.settings import Settings

#: Sides that every Stable Diffusion network takes without resizing by itself.
MULTIPLE = 64
_LIBRARIES = ("diffusers", "haikei", "numpy", "safetensors", "torch", "transformers")


class DiffusersGenerator:
    """
    Redraws the picture of the stage before, or the layout itself, with a model in the settings.

    Models stay in memory as far as `engine.warm_mib` allows; those that were used longest ago leave
    for others. Calls from several threads take turns. It computes on the first device in
    `engine.devices`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._device = settings.engine.devices[0].name
        self._lock = threading.Lock()
        self._warm = WarmModels(self._room)

    @property
    def loads(self) -> int:
        """How often a model was loaded."""
        return self._warm.loads

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
        )

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
        with self._lock:
            pipeline = self._loaded(card, family, options)
            made, seam = self._redrawn(
                pipeline,
                padding.pad(source),
                [padding.pad(Picture(pixels=one)) for one in guides],
                request,
                options,
                progress,
                references,
            )
            notes = [*_plan_notes(family), *_prompt_notes(request, family, pipeline.tokenizer())]
            if pipeline.saved:
                notes.append(f"To save memory the picture was {pipeline.saved}.")
        if seam > SEAM:
            notes.append(
                f"Tiles differ by {seam:.0%} of white where they overlap: look for seams, or lower "
                "the strength."
            )
        if smaller != size:
            notes.append(f"Made at {smaller[0]} x {smaller[1]} pixels and enlarged (max_side).")
        return GenerationResult(picture=resize(padding.crop(made), *size), notes=tuple(notes))

    def _redrawn(
        self,
        pipeline: Pipeline,
        source: Picture,
        guides: Sequence[Picture],
        request: GenerationRequest,
        options: DiffusersOptions,
        progress: ProgressCallback,
        references: Sequence[Picture],
    ) -> tuple[Picture, float]:
        """Return the picture, and how much its tiles differ at most where they overlap."""
        side = options.tile or max(source.width, source.height)
        overlap = options.overlap or side // 8
        tiles = tuple(tiles_of(source.width, source.height, side, overlap))
        blend = Blend(width=source.width, height=source.height, overlap=overlap)
        for number, tile in enumerate(tiles):

            def done(step: int, steps: int, before: int = number) -> None:
                progress(Progress(step=before * steps + step, steps=len(tiles) * steps))

            made = pipeline.redraw(
                _part(source, tile),
                guides=[_part(one, tile).pixels for one in guides],
                prompt=request.prompt,
                negative_prompt=request.negative_prompt,
                options=options,
                # The same noise in each tile would be seen as a pattern.
                seed=(request.seed + number) % 2**63,
                on_step=done,
                references=references,
            )
            if len(tiles) == 1:
                return made, 0.0
            blend.add(tile, made.pixels)
        return Picture(pixels=np.clip(blend.picture(), 0.0, 1.0)), blend.seam

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
        key = repr((card.key, card.sha256, _added(card), sorted(weights.items())))
        return self._warm.get(
            key,
            lambda: Pipeline(card, family, self._device, weights, alone=self._warm.empty),
            size=card.size,
        )

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


def _versions() -> tuple[tuple[str, str], ...]:
    try:
        return tuple((name, version(name)) for name in _LIBRARIES)
    except PackageNotFoundError as error:
        raise SettingsError(
            f"The generator 'diffusers' needs a package that is not installed: {error.name}.",
            advice="Install it with `pip install 'haikei[diffusers]'`.",
        ) from error


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


def _prompt_notes(request: GenerationRequest, family: Family, tokenizer: Any) -> list[str]:
    notes: list[str] = []
    for kind, text in (("prompt", request.prompt), ("negative prompt", request.negative_prompt)):
        foreign = [word for word in re.findall(r"\w+", text) if not _is_latin(word)]
        if foreign and family.latin:
            notes.append(f"The model may not know these words of the {kind}: {' '.join(foreign)}.")
        if tokenizer is None:
            continue
        ids = tokenizer(text, truncation=False, verbose=False).input_ids
        limit = family.tokens or int(tokenizer.model_max_length)
        if len(ids) > limit:
            # The last token kept is the end mark.
            lost = tokenizer.decode(ids[limit - 1 : -1]).strip()
            notes.append(f"The {kind} is too long; the model did not read: {lost}.")
    return notes


def _is_latin(word: str) -> bool:
    return all(
        not letter.isalpha() or unicodedata.name(letter, "").startswith("LATIN") for letter in word
    )
