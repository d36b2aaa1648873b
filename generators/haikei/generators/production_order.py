"""One background to make, its words, the plans of its stages, and what each stage gave."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from haikei.credits import System
from haikei.generators.contract import StageOrder
from haikei.images import Layer, Picture, decode_picture, resize
from haikei.presets import (
    PROMPT,
    QUALITIES,
    Act,
    Quality,
    RegionChange,
    RegionChanged,
    board_words,
    fill_prompt,
)
from haikei.settings import Recipe, Route, Stage, Variant
from haikei.show import NO_CUT_FACTS, CutFacts, Place


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
    location: str = ""  #: show and sequence or location: its pictures share a palette
    recipe_name: str = ""  #: as the settings call it
    cut: CutFacts = NO_CUT_FACTS  #: how it is to look, in people's words
    where: Place | None = None  #: the cut in its show, for prompts that name it
    board: Path | None = None  #: the approved picture of the location
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
    #: Whether it reads the prompt; None where that is not known: it gets what the recipe has.
    reads: bool | None
    shares: bool = False  #: whether several threads may have it make pictures at once


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLayer:
    """One layer of a stage: what is behind a layout's BOOKs, or a BOOK."""

    name: str  #: of the layout's layer
    path: Path  #: the whole picture up to this layer, as a stage's
    pixels_sha256: str  #: of that picture
    cover: Path | None  #: where the layer is, white on black, as large as the layout


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
    fingerprint: str = ""  #: of its pixels, as `haikei.fingerprint` writes it; empty: not noted
    #: From the back to the front, where the layout's BOOKs were made on their own.
    layers: tuple[StageLayer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnLayout:
    """A layout, decoded."""

    picture: Picture  #: at the size at which the recipe works
    pixels_sha256: str  #: of the pixels at the size at which they were drawn
    fingerprint: str  #: of the same pixels, as `haikei.fingerprint` writes it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StageWork:
    """One stage of one background: what its pictures have in common."""

    order: ProductionOrder
    plan: StagePlan
    index: int
    folder: Path
    changes: tuple[RegionChange, ...]
    board: Picture | None


def layers_of(layers: Sequence[StageLayer]) -> tuple[Layer, ...]:
    """
    Return a stage's layers as a layered file holds them, from the back to the front.

    Raises:
        ImageUnreadable: one of their pictures is gone or damaged.
    """
    found: list[Layer] = []
    for layer in layers:
        picture = decode_picture(layer.path).picture
        cover = None
        if layer.cover is not None:
            drawn = resize(decode_picture(layer.cover).picture, picture.width, picture.height)
            cover = np.ascontiguousarray(drawn.pixels[..., 0])
        found.append(Layer(name=layer.name, picture=picture, cover=cover))
    return tuple(found)


def seed_of(layout_sha256: str, recipe: str, season: str, time: str) -> int:
    """Return the seed, 0 to 2^63-1, of a background for which nobody fixed one."""
    return number_of(f"{layout_sha256}\n{recipe}\n{season}\n{time}")


def stage_order(stage: Stage, *, references: int = 0) -> StageOrder:
    """Return what a generator is asked for a stage of a recipe."""
    guided = {"control": ", ".join(stage.control)} if stage.control else {}
    return StageOrder(
        generator=stage.generator,
        model=stage.model or "",
        options=tuple(sorted({**stage.options, **guided}.items())),
        references=references,
    )


def variant_seed(route: Route, layout_sha256: str, variant: Variant, *, location: str = "") -> int:
    """
    Return the seed of one of a route's backgrounds.

    Args:
        route: of the layout.
        layout_sha256: of the layout.
        variant: the season and time of day.
        location: of the story, with its show; empty where none is known.
    """
    if route.seed is not None:
        return route.seed
    if route.shared_seed == "location" and location:
        return seed_of(location, route.recipe, "", "")
    if route.shared_seed:
        return seed_of(layout_sha256, route.recipe, "", "")
    return seed_of(layout_sha256, route.recipe, variant.season, variant.time)


def number_of(text: str) -> int:
    """Return a number, 0 to 2^63-1, that stands for a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def prompts_of(order: ProductionOrder) -> tuple[str, str]:
    """Return what a generator that reads words is given: what to paint, and what not to paint."""
    return _filled(order, order.recipe.prompt or PROMPT, order.words), negative_of(order)


def prompt_of(order: ProductionOrder, plan: StagePlan) -> str:
    """Return what a stage is asked to paint; empty where nothing reads it."""
    if plan.reads is None:
        return _filled(order, order.recipe.prompt, order.words)
    if not plan.reads:
        return ""
    more = (*plan.words, *_asked_for(order), *order.words)
    return _filled(order, order.recipe.prompt or PROMPT, more)


def _filled(order: ProductionOrder, text: str, more: tuple[str, ...]) -> str:
    return ", ".join(filter(None, (fill_prompt(text, _fillings(order)), *more)))


def _fillings(order: ProductionOrder) -> Mapping[str, str]:
    where = order.where
    return {
        "place": order.place,
        "season": order.season,
        "time": order.time,
        **{
            token: ", ".join(board_words(getattr(order.cut, token)).wanted)
            for token in ("weather", "location", "notes", "colours")
        },
        "project": where.project if where else "",
        "sequence": where.sequence if where else "",
        "shot": where.shot if where else "",
    }


def negative_of(order: ProductionOrder) -> str:
    """Return what is not to be painted."""
    more = (*board_words(order.cut.notes).unwanted, *order.unwanted)
    return _filled(order, order.recipe.negative_prompt, more)


def unused_words(order: ProductionOrder, plans: tuple[StagePlan, ...]) -> tuple[str, ...]:
    """Return what is known of the cut and reaches nothing that makes its pictures."""
    reading = any(plan.reads for plan in plans) or (
        bool(order.recipe.prompt) and any(plan.reads is None for plan in plans)
    )
    asked = (order.recipe.prompt or PROMPT) if reading else ""
    notes: list[str] = []
    for token in ("weather", "notes", "colours"):
        text = " ".join(getattr(order.cut, token).split())
        if not text:
            continue
        if f"{{{token}}}" not in asked:
            why = f"the prompt has no {{{token}}}" if reading else "no generator reads words"
            notes.append(f"What is said of the {token} reaches nothing, since {why}: {text}.")
        elif unread := board_words(text).unread:
            notes.append(f"Of the {token} this was not read: {'; '.join(unread)}.")
    return tuple(notes)


def _asked_for(order: ProductionOrder) -> tuple[str, ...]:
    """Return what a model reads of the qualities that a retake turns."""
    return tuple(
        QUALITIES[Quality(name)].more if amount > 0 else QUALITIES[Quality(name)].less
        for name, amount in sorted(order.adjustments)
        if amount
    )
