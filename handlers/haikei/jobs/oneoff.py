"""One background from one layout, outside the queue and without a tracker."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from haikei.canonical import canonical_json
from haikei.credits import (
    Contribution,
    CreditLine,
    Evidence,
    Grade,
    ImageKind,
    ImageRecord,
    Person,
    Role,
    is_machine_name,
    people,
)
from haikei.database import utc_now
from haikei.errors import CreditError, StorageUnavailable
from haikei.files import sha256_of, write_whole
from haikei.generators import (
    DrawnLayout,
    Production,
    ProductionOrder,
    Progress,
    StageOutput,
    StagePlan,
    seed_of,
)
from haikei.images import decode_picture
from haikei.jobs.background.policy import (
    Run,
    require_allowed,
    require_drawn,
    require_licensed,
    require_show_rules,
    require_unreserved,
)
from haikei.jobs.background.validate import ai_signs_text, drawn_as, require_drawing
from haikei.jobs.chain import Chain, own_copy, require_whole
from haikei.jobs.contributions import (
    drawing,
    layout_image,
    made_elsewhere,
    operation,
    stage_image,
)
from haikei.presets import ChosenRecipe, choose_recipe
from haikei.provenance import FileMarks, MarkSigner, read_marks, system_of
from haikei.settings import Settings
from haikei.show import NO_CUT_FACTS, CutFacts, Place

#: Where pictures are kept before they have their marks, so that none is made twice.
_WORK = ".unmarked"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """What a person asked for."""

    layout: Path
    out: Path
    artist: str  #: who drew the layout; empty when not given
    artist_ja: str
    operator: str  #: who ordered it, as the person who operates the tool; empty when not given
    operator_ja: str
    season: str
    time: str
    place: str
    recipe: str
    seed: int | None
    where: Place | None = None  #: in its show, as its path gives it; None where it gives nothing
    cut: CutFacts = NO_CUT_FACTS


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
    settings: Settings,
    order: OneOff,
    *,
    project: Callable[[], Sequence[str]],
    dry_run: bool,
    report: Callable[[str], None],
    production: Production | None = None,
) -> Made:
    """
    Make every stage of the recipe, mark the pictures and write the record beside them.

    Files are named by what was asked for, so the same order again makes nothing anew and another
    one never overwrites.

    Args:
        settings: the studio's.
        order: what is asked for.
        project: returns every name of the layout's project, for rules about AI in projects; none
            where it is not known. Called only where a trained model takes part.
        dry_run: only report what would be made.
        report: gets a line about each stage.
        production: what makes pictures, and keeps models and layouts between several orders.

    Raises:
        CreditError: a machine is named as a person.
        LayoutRefused: the layout cannot be used, a trained system states no licence, or the
            project takes no AI.
        MarksError: the layout's own marks do not hold, or a picture cannot be marked.
        GenerationError: a picture cannot be made.
        StorageUnavailable: the pictures cannot be written.
    """
    artists = _people(order.artist, order.artist_ja)
    if (order.operator, order.operator_ja) == (order.artist, order.artist_ja):
        operators = artists
    else:
        operators = _people(order.operator, order.operator_ja)
    sha256 = sha256_of(order.layout)
    choice = _choice(settings, order)
    chosen = choice.recipe
    seed = order.seed
    if seed is None:
        seed = seed_of(sha256, order.recipe, order.season, order.time)
    production = production or Production(settings)
    task = ProductionOrder(
        layout=order.layout,
        layout_sha256=sha256,
        recipe=chosen,
        recipe_name=choice.name,
        cut=choice.cut,
        where=order.where,
        board=choice.board,
        season=order.season,
        time=order.time,
        place=order.place,
        seed=seed,
    )
    plans = production.stages(task)
    entries = require_licensed(chosen.stages, lambda: [plan.system for plan in plans], settings)
    signer = MarkSigner.from_settings(settings)
    marks = read_marks(order.layout, trust_pem=signer.trust_pem)
    runs = tuple(
        Run(stage=stage, system=plan.system, entry=entry)
        for stage, plan, entry in zip(chosen.stages, plans, entries, strict=True)
    )
    _require_allowed(marks, runs, project, settings, stand_in=chosen.stand_in)
    _report_plans(choice, plans, report)
    if dry_run:
        return Made(stages=(), credit_en="", credit_ja="", record=None)
    drawn = production.layout(task)
    require_drawing(drawn.picture, order.layout.name, settings)
    work = order.out / _WORK
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(
            f"{order.out} cannot be made: {error}.", advice="Name another folder with --out."
        ) from error
    task = replace(task, layout=own_copy(order.layout, sha256, work))
    outputs: list[StageOutput] = []
    for index, plan in enumerate(plans):
        previous = outputs[-1] if outputs else None
        output = production.make_stage(
            task, index, plans=plans, folder=work, previous=previous, progress=_silent
        )
        outputs.append(output)
        word = "was there" if output.reused else f"{output.seconds:.1f} s"
        report(f"{plan.name}: {output.path.name} ({word})")
    named = _Named(artists=artists, operators=operators)
    names = (order.artist, order.artist_ja, order.operator, order.operator_ja)
    asked = canonical_json([outputs[-1].request_sha256, *names])
    suffix = hashlib.sha256(asked.encode()).hexdigest()[:16]
    path = order.out / f"record-{suffix}.json"
    record = _made_before(path)
    if record is None:
        chain = Chain(signer, unnamed=True)
        record = _mark_all(settings, order, named, drawn, task, outputs, suffix, chain, marks)
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


def _report_plans(
    choice: ChosenRecipe, plans: Sequence[StagePlan], report: Callable[[str], None]
) -> None:
    report(f"recipe {choice.name} {choice.sha256[:12]}")
    for plan in plans:
        report(f"{plan.name}: {plan.system.name} {plan.system.version}")
        for note in plan.notes:
            report(f"{plan.name}: {note}")


def _choice(settings: Settings, order: OneOff) -> ChosenRecipe:
    return choose_recipe(
        settings,
        order.recipe,
        place=order.where or Place(project="", sequence="", shot=""),
        season=order.season,
        time=order.time,
        cut=order.cut,
    )


def _require_allowed(
    marks: FileMarks,
    runs: Sequence[Run],
    project: Callable[[], Sequence[str]],
    settings: Settings,
    *,
    stand_in: bool,
) -> None:
    require_whole(marks)
    drawn_by_ai = drawn_as(marks).is_ai
    systems = [run.system for run in runs]
    trained = any(one.source_type.is_ai or one.sha256 for one in systems)
    names = project() if drawn_by_ai or trained else ()
    if names:
        require_allowed(names, lambda: systems, settings)
    # Approvals are in a studio's ledger, which a picture made by hand does not look into: where a
    # show asks for them, its pictures are made by jobs.
    require_show_rules(names, runs, settings, stand_in=stand_in, approvals=(), ordered_at=utc_now())
    require_unreserved(
        Place(project=next(iter(names), ""), sequence="", shot=""),
        marks.path.name,
        runs,
        settings,
        tracker="",
        reservations=marks.reservations,
        refused=(),
    )
    if names and drawn_by_ai:
        require_drawn(names, f"{marks.path.name} ({ai_signs_text(marks)})", settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """Who takes part; a person who did both has one id."""

    artists: tuple[Person, ...]
    operators: tuple[Person, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    credit: CreditLine
    images: tuple[ImageRecord, ...]


_RECORD = TypeAdapter(_Record)


def _made_before(path: Path) -> _Record | None:
    """Return the record in a file, when all the pictures that it lists are there and whole."""
    try:
        record = _RECORD.validate_json(path.read_bytes())
        whole = all(sha256_of(path.parent / one.path) == one.sha256 for one in record.images)
    except (OSError, ValidationError):
        return None
    return record if whole else None


def _mark_all(
    settings: Settings,
    order: OneOff,
    named: _Named,
    drawn: DrawnLayout,
    task: ProductionOrder,
    outputs: Sequence[StageOutput],
    suffix: str,
    chain: Chain,
    marks: FileMarks,
) -> _Record:
    now = utc_now()
    source_type, made = drawn_as(marks), tuple[Contribution, ...]()
    if source_type.is_ai:
        system = system_of(marks.ai_signs, source_type)
        made = (made_elsewhere(system, signs=ai_signs_text(marks), at=now),)
    target = order.out / f"layout-{suffix}{task.layout.suffix}"
    image = layout_image(
        key=f"layout-{suffix}",
        sha256=task.layout_sha256,
        pixels_sha256=drawn.pixels_sha256,
        fingerprint=drawn.fingerprint,
        source_type=source_type,
        drawn_by=(
            *drawing(
                named.artists,
                role=Role(settings.credits.layout_role),
                evidence=Evidence(source="haikei generate --artist"),
                at=now,
                grade=Grade.DECLARED,
            ),
            *made,
        ),
        path=PurePosixPath(target.name),
        at=now,
    )
    chain.mark(image, source=task.layout, target=target, title=order.layout.stem)
    operators = tuple(
        operation(person, source="haikei generate --operator", at=now) for person in named.operators
    )
    for output in outputs:
        target = order.out / f"{output.stage}-{suffix}{output.path.suffix}"
        image = stage_image(
            output,
            lambda path=output.path: decode_picture(path).picture,  # type: ignore[misc]
            key=f"{output.stage}-{suffix}",
            kind=ImageKind.BACKGROUND if output is outputs[-1] else ImageKind.GENERATION,
            path=PurePosixPath(target.name),
            others=operators,
        )
        chain.mark(image, source=output.path, target=target)
    return _Record(credit=chain.credit, images=chain.images)


def _people(name: str, name_ja: str) -> tuple[Person, ...]:
    if not (name or name_ja):
        return ()
    machine = next(filter(is_machine_name, (name, name_ja)), None)
    if machine is not None:
        raise CreditError(
            f"{machine!r} is the name of a machine, not of a person.",
            advice="Name the people who drew the layout and ran the generator; the system itself "
            "is credited as a tool.",
        )
    return (Person(id=people.new_id(), name=name, name_ja=name_ja),)


def _silent(_: Progress) -> None:
    return
