"""One background from one layout, outside the queue and without a tracker."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from haikei.credits import ImageKind, ImageRecord, Person, System, credit_line
from haikei.database import utc_now
from haikei.errors import StorageUnavailable
from haikei.generators import Progress
from haikei.generators.production import Production, ProductionOrder, StageOutput, seed_of
from haikei.ledger import canonical_json
from haikei.presets import recipe
from haikei.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """What a person asked for."""

    layout: Path
    out: Path
    artist: str  #: who drew the layout; empty when not said
    artist_ja: str
    season: str
    time: str
    place: str
    recipe: str
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeStage:
    """One stage's picture."""

    name: str
    system: str
    path: Path
    request_sha256: str
    seconds: float
    reused: bool  #: it lay there already, from the same request


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What came out."""

    stages: tuple[MadeStage, ...]
    credit_en: str  #: empty when nobody is named for the layout
    credit_ja: str
    record: Path | None  #: the image records as JSON


def make_one(
    settings: Settings, order: OneOff, *, dry_run: bool, tell: Callable[[str], None]
) -> Made:
    """
    Make every stage of the recipe and write the record beside the pictures.

    Pictures are named by what was asked for, so the same order again makes nothing anew and
    another one never overwrites.

    Raises:
        LayoutRefused: the layout cannot be used.
        GenerationError: a picture cannot be made.
        StorageUnavailable: the pictures cannot be written.
    """
    sha256 = _file_sha256(order.layout)
    chosen = recipe(settings, order.recipe)
    seed = order.seed
    if seed is None:
        seed = seed_of(sha256, order.recipe, order.season, order.time)
    production = Production(settings)
    task = ProductionOrder(
        layout=order.layout,
        layout_sha256=sha256,
        recipe=chosen,
        season=order.season,
        time=order.time,
        place=order.place,
        seed=seed,
    )
    plans = production.stages(task)
    for plan in plans:
        tell(f"{plan.name}: {plan.system.name} {plan.system.version}")
    if dry_run:
        return Made(stages=(), credit_en="", credit_ja="", record=None)
    try:
        order.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(
            f"{order.out} cannot be made: {error}.", advice="Name another folder with --out."
        ) from error
    outputs: list[StageOutput] = []
    for index, plan in enumerate(plans):
        previous = outputs[-1] if outputs else None
        output = production.make_stage(
            task, index, folder=order.out, previous=previous, progress=_silent
        )
        outputs.append(output)
        word = "was there" if output.reused else f"{output.seconds:.1f} s"
        tell(f"{plan.name}: {output.path.name} ({word})")
    return _recorded(order, sha256, outputs)


def _recorded(order: OneOff, layout_sha256: str, outputs: list[StageOutput]) -> Made:
    artists: tuple[Person, ...] = ()
    en = ja = ""
    systems: list[System] = [output.system for output in outputs]
    if order.artist:
        artists = (Person(id=f"person:{order.artist}", name=order.artist, name_ja=order.artist_ja),)
        line = credit_line(artists=artists, systems=systems, operator=None)
        en, ja = line.en, line.ja
    parents: tuple[str, ...] = (layout_sha256,)
    records: list[ImageRecord] = []
    for index, output in enumerate(outputs):
        sha256 = _file_sha256(output.path)
        last = index == len(outputs) - 1
        records.append(
            ImageRecord(
                key=f"{output.stage}-{output.request_sha256}",
                sha256=sha256,
                pixels_sha256=output.pixels_sha256,
                kind=ImageKind.BACKGROUND if last else ImageKind.GENERATION,
                parents=parents,
                artists=artists,
                system=output.system,
                operator=None,
                request_json=output.request_json,
                path=output.path.name,
                created_at=utc_now(),
            )
        )
        parents = (sha256, *parents)
    record = order.out / f"record-{outputs[-1].request_sha256[:16]}.json"
    part = record.with_name(f".{record.name}.{os.getpid()}.tmp")
    part.write_text(
        canonical_json({"credit": {"en": en, "ja": ja}, "images": records}) + "\n",
        encoding="utf-8",
    )
    part.replace(record)
    stages = tuple(
        MadeStage(
            name=output.stage,
            system=f"{output.system.name} {output.system.version}",
            path=output.path,
            request_sha256=output.request_sha256,
            seconds=output.seconds,
            reused=output.reused,
        )
        for output in outputs
    )
    return Made(stages=stages, credit_en=en, credit_ja=ja, record=record)


def _silent(_: Progress) -> None:
    return


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
