"""Validate: the file is the one that was announced, its marks hold, and its use is allowed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from haikei.credits import Evidence, Grade, Person, SourceType, System, is_machine_name, people
from haikei.credits.records import asking, statements
from haikei.database import reading, utc_now
from haikei.errors import (
    ImageUnreadable,
    LayoutChanged,
    LayoutReplaced,
    PolicyRefusal,
    SheetBlank,
)
from haikei.jobs.background.collect import Collected
from haikei.jobs.background.disputed import as_declared, require_undisputed
from haikei.jobs.background.generate import production_order
from haikei.jobs.chain import copied, require_whole
from haikei.jobs.contributions import as_credited, layout_key
from haikei.jobs.healing import is_watched
from haikei.jobs.inbox import event_of, receive
from haikei.jobs.job import JobOrder
from haikei.jobs.tools import Tools
from haikei.names import fits, plain_name
from haikei.provenance import (
    FileMarks,
    names_ai,
    read_marks,
    source_term,
    system_of,
)
from haikei.settings import BlankSheets, Settings, Stage, Unnamed
from haikei.show import Place
from haikei.trackers import LayoutContext

if TYPE_CHECKING:
    from haikei.images import Picture

log = structlog.get_logger()

_LONGEST_SIGNS = 500
#: Terms of the vocabulary for which records use another term.
_RECORDED_AS: Mapping[str, SourceType] = {
    "digitalArt": SourceType.DIGITAL_CREATION,
    "minorHumanEdits": SourceType.HUMAN_EDITS,
    "digitalCapture": SourceType.PRINT,
    "computationalCapture": SourceType.PRINT,
    "negativeFilm": SourceType.PRINT,
    "positiveFilm": SourceType.PRINT,
}


def drawn_as(marks: FileMarks) -> SourceType:
    """
    Return how a layout was drawn, as its own marks state it; not declared without any.

    Raises:
        SourceTypeUnknown: they name a source type that no vocabulary holds.
    """
    stated = marks.xmp.digital_source_type if marks.xmp is not None else ""
    term = source_term(stated) if stated else ""
    if term in {SourceType.TRAINED, SourceType.COMPOSITE_TRAINED}:
        return SourceType(term)
    if marks.says_ai or names_ai(stated):
        # A human's part may stand beside the model's where the marks say so, or call it composite.
        mixed = bool(stated) or any("composite" in sign.what for sign in marks.ai_signs)
        return SourceType.COMPOSITE_TRAINED if mixed else SourceType.TRAINED
    if term in set(SourceType):
        return SourceType(term)
    return _RECORDED_AS.get(term, SourceType.NOT_DECLARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """A layout that may be used."""

    copy: Path  #: in the job's folder, byte for byte as it was announced
    artists: tuple[Person, ...]  #: as credits name them, never empty
    drawn_by: Evidence  #: where the artists are known from
    declared: int | None = None  #: the ledger's entry of the statement that names them, if one does
    source_type: SourceType  #: how it was drawn, by the file's own marks or as it is declared
    made_with: System | None  #: the trained model that marks in the file tell of
    signs: str  #: those marks

    @property
    def grade(self) -> Grade:
        """How it is known who drew it."""
        return Grade.LOGGED if self.declared is None else Grade.DECLARED

    @property
    def said(self) -> str:
        """What the key of the layout's record ends in: named otherwise, it is another record."""
        return "" if self.declared is None else f"/as-of-{self.declared}"


def validate(order: JobOrder, collected: Collected, tools: Tools) -> Validated:
    """
    Copy the layout into the job's folder and check the copy, its marks, and the studio's policy.

    It is hashed here and nowhere else: the steps that follow read the copy, which nobody changes.

    Raises:
        LayoutReplaced: the file was saved again; what it holds now is a job of its own.
        LayoutChanged: the file is gone.
        ImageUnreadable: it is damaged, truncated or too large.
        SheetBlank: nothing is drawn on it, and the studio has such sheets asked about.
        MarksBroken: its marks were changed after it was signed.
        SourceTypeUnknown: its marks name a source type that no vocabulary holds.
        PolicyRefusal: consent, the show's rule or a licence forbids it.
        LayoutDisputed: the same pixels are recorded as somebody else's.
        ModelUnusable: a stage's model is incomplete or unsafe.
        SettingsError: the recipe cannot be run.
        StorageUnavailable: the layout cannot be copied.
    """
    settings = tools.settings
    copy = _copied(order, tools)
    found = tools.inspector.inspect([copy])[0]
    changed = bool(found.sha256) and found.sha256 != order.layout_sha256
    if changed and is_watched(order.layout, tools.settings, tools.database):
        raise _replaced(order)
    if not found.ok:
        named = order.layout.name in found.reason
        raise ImageUnreadable(found.reason if named else f"{order.layout} {found.reason}.")
    # Decoding all of it finds most damage, which headers do not show.
    decoded = tools.inspector.read(copy)
    if changed:
        _announce(order, found.sha256, tools)
        raise _replaced(order)
    if decoded.note:
        log.warning("layout_noted", layout=str(order.layout), note=decoded.note)
    require_drawing(decoded.picture, order.layout.name, settings)
    marks = read_marks(copy, trust_pem=tools.marks().trust_pem)
    require_whole(marks)
    source_type = drawn_as(marks)
    context, declared = as_declared(order, collected.context, tools)
    artists, evidence = _artists(order, context, tools)
    if declared is None:
        require_undisputed(order, decoded.picture.sha256(), artists, context, tools)
    task = production_order(order, copy, settings)

    @cache
    def systems() -> tuple[System, ...]:
        return tuple(plan.system for plan in tools.production.stages(task))

    project = project_names(order.place, collected.context)
    require_allowed(project, systems, settings)
    require_licensed(task.recipe.stages, systems, settings)
    made_with, signs = None, ""
    if source_type.is_ai:
        made_with, signs = system_of(marks.ai_signs, source_type), ai_signs_text(marks)
        require_drawn(project, f"{order.layout.name} ({signs})", settings)
    else:
        note = "drawn by hand, as the file's own XMP states" if source_type.is_drawn else ""
        if source_type is SourceType.NOT_DECLARED:
            source_type, note = _declared(order.place, tools)
        evidence = replace(evidence, note="; ".join(filter(None, (evidence.note, note))))
    return Validated(
        copy=copy,
        artists=artists,
        drawn_by=evidence,
        declared=declared,
        source_type=source_type,
        made_with=made_with,
        signs=signs,
    )


#: Looks at a layout that is not there, and seconds between them: programs that save a file may
#: take it away for a moment.
_LOOKS, _PAUSE = 4, 0.5


def _copied(order: JobOrder, tools: Tools) -> Path:
    for _ in range(_LOOKS - 1):
        try:
            return copied(order.layout, tools.folder(order.key))
        except LayoutChanged:
            tools.stop.wait(_PAUSE)
    return copied(order.layout, tools.folder(order.key))


def _announce(order: JobOrder, sha256: str, tools: Tools) -> None:
    with tools.database.begin() as connection:
        event = event_of(connection, order.event_key)
        if event is not None:
            receive(connection, replace(event, sha256=sha256, at=utc_now(), published_before_by=""))


def _replaced(order: JobOrder) -> LayoutReplaced:
    return LayoutReplaced(
        f"{order.layout.name} was saved again; what it holds now is looked at by itself."
    )


def require_drawing(layout: "Picture", name: str, settings: Settings) -> None:
    """
    Make sure that something is drawn on a layout, unless the studio has blank sheets painted.

    Args:
        layout: as it was decoded.
        name: of its file, for the message.
        settings: the studio's.

    Raises:
        SheetBlank: it shows paper, its grain and dust, and nothing else.
    """
    from haikei.images import is_blank

    if settings.policy.blank_sheets is BlankSheets.ASK and is_blank(layout):
        raise SheetBlank(
            f"There is no drawing on this sheet: {name} is blank paper.",
            advice=(
                "Publish the drawing; or, where empty paper is meant, set policy.blank_sheets to "
                '"paint" and try again.'
            ),
        )


def named_artists(
    context: LayoutContext,
    settings: Settings,
    *,
    earlier_names: Mapping[str, Sequence[str]] = MappingProxyType({}),
    asked: Person | None = None,
    answered: Sequence[Person] = (),
) -> tuple[Person, ...]:
    """
    Return who drew the layout, as the studio's credits name them.

    Where the studio allows layouts for which nobody is named, a person without a name is returned:
    no credits are printed until `haikei credits rename` gives one.

    Args:
        context: what the tracker knows of the layout.
        settings: the studio's.
        earlier_names: what artists were called before, by id: a refusal under one of these holds.
        asked: who stands for the artist where the tracker leaves it open among several.
        answered: who was named since as the artist of this layout.

    Raises:
        PolicyRefusal: an artist has not consented, or nobody is named where a name is needed.
    """
    for person in (*context.artists, *context.candidates):
        # The logins of several artists come in one list: each may be anybody's among them.
        former = earlier_names.get(person.id, ())
        names = (*context.artist_logins, person.name, person.name_ja, *former)
        entry = next(
            (one for one in settings.people if not one.consent and one.means(person.id, names)),
            None,
        )
        if entry is not None:
            raise PolicyRefusal(
                f"{entry.name} does not consent to layouts being given to a generator.",
                advice="Have this background painted by hand, or ask the artist again.",
            )
        if is_machine_name(person.name) or is_machine_name(person.name_ja):
            raise PolicyRefusal(
                f"The tracker names {person.name!r} as the artist of the layout of "
                f"{context.shot.name}: that is a generator, not a person.",
                advice="Assign the layout's task to the person who answers for it, then retry the "
                "job.",
            )
    found = context.artists or answered or ((asked,) if context.candidates and asked else ())
    if found:
        return tuple(
            as_credited(person, settings.people, earlier_names.get(person.id, ()))
            for person in found
        )
    if settings.policy.unnamed_layouts is Unnamed.ALLOW:
        shot = context.shot
        return (Person(id=f"person:layout-of-{shot.type}:{shot.id}", name=""),)
    raise PolicyRefusal(
        f"The tracker names nobody as the artist of the layout of {context.shot.name}.",
        advice="Assign the shot's layout task to its artist, then retry the job.",
    )


def project_names(place: Place, context: LayoutContext) -> tuple[str, ...]:
    """Return each name of a layout's project: as its path has it, the tracker's, and its id."""
    row = context.project
    return (place.project, row.name, *context.project_names, f"{row.type}:{row.id}")


def require_allowed(
    project: Sequence[str], systems: Callable[[], Iterable[System]], settings: Settings
) -> None:
    """
    Check that a project takes what the systems of a recipe are.

    Args:
        project: each of its names; the first is for the message.
        systems: asks the generators; called only where a rule forbids AI.
        settings: the studio's.

    Raises:
        PolicyRefusal: a trained model would run in a project that forbids AI, if only to help an
            algorithm.
    """
    rule = _fitting(settings.policy.no_ai_projects, project)
    if rule is None:
        return
    for system in systems():
        if system.source_type.is_ai:
            raise PolicyRefusal(
                f"{project[0]} takes no AI (policy.no_ai_projects has {rule!r}), but the recipe "
                f"runs {system.name} {system.version}.",
                advice="Route the project to a recipe without a trained model.",
            )
        # An algorithm with weights: a trained model takes part, though it makes no pixels.
        if system.sha256:
            raise PolicyRefusal(
                f"{project[0]} takes no AI (policy.no_ai_projects has {rule!r}), but in the "
                f"recipe {system.name} {system.version} is helped by a trained model: "
                f"{system.data}.",
                advice="Choose the way without one; for the painter, write "
                '`reader = "geometric"` in the stage\'s options.',
            )


def require_drawn(project: Sequence[str], layout: str, settings: Settings) -> None:
    """
    Check that a project, by any of its names, takes a layout that says a trained model made it.

    Raises:
        PolicyRefusal: it does not.
    """
    policy = settings.policy
    for key, rules in (
        ("no_ai_projects", policy.no_ai_projects),
        ("no_ai_layouts", policy.no_ai_layouts),
    ):
        rule = _fitting(rules, project)
        if rule is None:
            continue
        takes = "AI" if key == "no_ai_projects" else "AI layouts"
        raise PolicyRefusal(
            f"{project[0]} takes no {takes} (policy.{key} has {rule!r}), but the layout "
            f"{layout} carries marks of a trained model.",
            advice="Ask who made it and how; `haikei verify` shows what the file says.",
        )


def require_licensed(
    stages: Sequence[Stage], systems: Callable[[], Iterable[System]], settings: Settings
) -> None:
    """
    Check that each stage's model is declared, and may be used for the studio's work.

    A trained system that a generator brings without a model of `[models]` must itself state its
    licence and what it was trained on.

    Args:
        stages: of the recipe.
        systems: asks the generators what runs in each stage, in the same order; called only where
            a stage names no model.
        settings: the studio's.

    Raises:
        PolicyRefusal: it is not.
    """
    for stage in stages:
        if stage.model is None:
            continue
        model = settings.models.get(stage.model)
        if model is None:
            raise PolicyRefusal(
                f"The stage {stage.name} runs the model {stage.model!r}, which is not declared.",
                advice="Declare it in [models] with its licence and what it was trained on.",
            )
        if model.commercial == "no" and not settings.policy.allow_non_commercial:
            raise PolicyRefusal(
                f"The licence of {model.name} ({model.licence}) forbids commercial use.",
                advice="Use another model, or set policy.allow_non_commercial.",
            )
    if any(stage.model is None for stage in stages):
        for stage, system in zip(stages, systems(), strict=True):
            if stage.model is None:
                _require_stated(stage, system)


def _require_stated(stage: Stage, system: System) -> None:
    if system.source_type.is_ai and not (system.licence.strip() and system.data.strip()):
        raise PolicyRefusal(
            f"The stage {stage.name} runs {system.name} {system.version}, a trained system without "
            "a licence or a statement of what it was trained on.",
            advice="Name its model in [models], with both, as the stage's `model`; or have the "
            f"generator {stage.generator!r} describe both.",
        )


def _fitting(rules: Iterable[str], project: Sequence[str]) -> str | None:
    return next((rule for rule in rules if fits(rule, project)), None)


def ai_signs_text(marks: FileMarks) -> str:
    """Return where a file tells of a trained model, in the words of a record."""
    proofs = (f"{one.where}: {one.what}" for one in marks.ai_signs if one.proof)
    return "marks in the file: " + "; ".join(dict.fromkeys(proofs))[:_LONGEST_SIGNS]


def _declared(place: Place, tools: Tools) -> tuple[SourceType, str]:
    """Return how a layout is declared to be drawn, and by whom; not declared by default."""
    with reading(tools.database) as connection:
        found = statements.hand_drawn(
            connection, project=place.project, sequence=place.sequence, shot=place.shot
        )
        entry = statements.entry_of(connection, found.key) if found is not None else None
    if found is None:
        return SourceType.NOT_DECLARED, ""
    on_paper = plain_name(found.subject) == "paper"
    note = f"drawn by hand, as declared by {found.by.id} (entry {entry})"
    return SourceType.PRINT if on_paper else SourceType.DIGITAL_CREATION, note


def _artists(
    order: JobOrder, context: LayoutContext, tools: Tools
) -> tuple[tuple[Person, ...], Evidence]:
    """Return who drew the layout, and where that is known from."""
    layout = layout_key(order)
    maybe = (*context.artists, *context.candidates)
    with reading(tools.database) as connection:
        earlier = people.names_had(connection, [person.id for person in maybe])
        answered = () if context.artists else asking.artists_named(connection, layout)
    if context.candidates and not answered:
        # An answer may name any of them, whom the register must know then.
        with tools.database.begin() as connection:
            people.note_all(connection, context.candidates)
    artists = named_artists(
        context,
        tools.settings,
        earlier_names=earlier,
        asked=asking.asked_for(layout),
        answered=answered,
    )
    asked = any(person.is_asked_for for person in artists)
    source = context.artist_source or "tracker"
    note = asking.candidates_note(context.candidates) if asked else ""
    return artists, Evidence(source=source, note=note)
