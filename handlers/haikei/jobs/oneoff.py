"""One background from one layout, outside the queue and without a tracker."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from haikei.canonical import canonical_json
from haikei.credits import CreditLine, Grade, ImageKind, ImageRecord, Person, Role
from haikei.database import utc_now
from haikei.errors import StorageUnavailable
from haikei.files import sha256_of, write_whole
from haikei.generators import Production, ProductionOrder, Progress, StageOutput, seed_of
from haikei.images import read_picture
from haikei.images.limits import Limits
from haikei.jobs.background.generate import as_kept
from haikei.jobs.background.policy import require_drawing
from haikei.jobs.background.validate import drawn_as, require_whole
from haikei.jobs.chain import Chain, own_copy
from haikei.jobs.contributions import drawing, layout_image, operation, stage_image
from haikei.presets import recipe
from haikei.provenance import MarkSigner, read_marks
from haikei.settings import Settings

#: Where pictures are kept before they have their marks, so that none is made twice.
_WORK = ".unmarked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """What a person asked for."""

    layout: Path
    out: Path
    artist: str  #: who drew the layout; empty when not said
    artist_ja: str
    operator: str  #: who ordered it, as the person who operates the tool; empty when not said
    operator_ja: str
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
    path: Path  #: with its marks
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
    Make every stage of the recipe, mark the pictures and write the record beside them.

    Files are named by what was asked for, so the same order again makes nothing anew and another
    one never overwrites.

    Raises:
        LayoutRefused: the layout cannot be used.
        MarksError: the layout's own marks do not hold, or a picture cannot be marked.
        GenerationError: a picture cannot be made.
        StorageUnavailable: the pictures cannot be written.
    """
    sha256 = sha256_of(order.layout)
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
    drawn = read_picture(order.layout, limits=Limits.from_settings(settings))
    require_drawing(drawn, order.layout.name, settings)
    work = order.out / _WORK
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(
            f"{order.out} cannot be made: {error}.", advice="Name another folder with --out."
        ) from error
    outputs: list[StageOutput] = []
    for index, plan in enumerate(plans):
        previous = outputs[-1] if outputs else None
        output = production.make_stage(
            task, index, folder=work, previous=previous, progress=_silent
        )
        outputs.append(output)
        word = "was there" if output.reused else f"{output.seconds:.1f} s"
        tell(f"{plan.name}: {output.path.name} ({word})")
    return _recorded(settings, order, sha256, outputs, work)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    credit: CreditLine
    images: tuple[ImageRecord, ...]


_RECORD = TypeAdapter(_Record)


def _recorded(
    settings: Settings, order: OneOff, sha256: str, outputs: Sequence[StageOutput], work: Path
) -> Made:
    named = (order.artist, order.artist_ja, order.operator, order.operator_ja)
    asked = canonical_json([outputs[-1].request_sha256, *named])
    mark = hashlib.sha256(asked.encode()).hexdigest()[:16]
    path = order.out / f"record-{mark}.json"
    record = _made_before(path)
    if record is None:
        record = _marked(settings, order, sha256, outputs, work, mark)
        try:
            write_whole(path, canonical_json(record).encode() + b"\n")
        except OSError as error:
            raise StorageUnavailable(f"{path} cannot be written: {error}.") from error
    stages = tuple(
        MadeStage(
            name=output.stage,
            system=f"{output.system.name} {output.system.version}",
            path=order.out / image.path,
            request_sha256=output.request_sha256,
            seconds=output.seconds,
            reused=output.reused,
        )
        for output, image in zip(outputs, record.images[1:], strict=True)
    )
    return Made(stages=stages, credit_en=record.credit.en, credit_ja=record.credit.ja, record=path)


def _made_before(path: Path) -> _Record | None:
    """Return the record that stands there, when all the pictures it tells of stand there too."""
    try:
        record = _RECORD.validate_json(path.read_bytes())
        whole = all(sha256_of(path.parent / one.path) == one.sha256 for one in record.images)
    except (OSError, ValidationError):
        return None
    return record if whole else None


def _marked(
    settings: Settings,
    order: OneOff,
    sha256: str,
    outputs: Sequence[StageOutput],
    work: Path,
    mark: str,
) -> _Record:
    chain = Chain(MarkSigner.from_settings(settings), unnamed=True)
    now = utc_now()
    _put_layout(chain, settings, order, sha256, own_copy(order.layout, sha256, work), mark)
    said = "haikei generate --operator"
    operators = tuple(
        operation(person, source=said, at=now)
        for person in _people(order.operator, order.operator_ja)
    )
    for index, output in enumerate(outputs):
        last = index == len(outputs) - 1
        target = order.out / f"{output.stage}-{mark}{output.path.suffix}"
        image = stage_image(
            as_kept(output),
            read_picture(output.path),
            key=f"{output.stage}-{mark}",
            kind=ImageKind.BACKGROUND if last else ImageKind.GENERATION,
            path=target.name,
            others=operators,
        )
        chain.mark(image, source=output.path, target=target, title=target.stem)
    return _Record(credit=chain.credit, images=chain.images)


def _put_layout(
    chain: Chain, settings: Settings, order: OneOff, sha256: str, copy: Path, mark: str
) -> None:
    marks = read_marks(copy, trust_pem=chain.signer.trust_pem)
    require_whole(marks)
    target = order.out / f"layout-{mark}{copy.suffix}"
    now = utc_now()
    image = layout_image(
        key=f"layout-{mark}",
        sha256=sha256,
        drawn=read_picture(copy, limits=Limits.from_settings(settings)),
        source_type=drawn_as(marks),
        drawn_by=drawing(
            _people(order.artist, order.artist_ja),
            role=Role(settings.credits.layout_role),
            source="haikei generate --artist",
            at=now,
            grade=Grade.DECLARED,
        ),
        path=target.name,
        at=now,
    )
    chain.mark(image, source=copy, target=target, title=order.layout.stem)


def _people(name: str, name_ja: str) -> tuple[Person, ...]:
    return (Person(id=f"person:{name}", name=name, name_ja=name_ja),) if name else ()


def _silent(_: Progress) -> None:
    return
