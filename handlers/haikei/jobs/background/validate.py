"""Validate: the file is the one that was announced, its marks hold, and its use is allowed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from haikei.credits import Evidence, Grade, Person, SourceType, System, people
from haikei.credits.record import Statement, StatementKind
from haikei.credits.records import asking, statements
from haikei.credits.records.confirmations import disowned_artists
from haikei.database import reading, utc_now
from haikei.errors import (
    ImageUnreadable,
    LayoutChanged,
    LayoutReplaced,
    ModelUnusable,
    PolicyRefusal,
    SheetBlank,
)
from haikei.jobs.background.collect import Collected
from haikei.jobs.background.disputed import as_declared, require_undisputed
from haikei.jobs.background.generate import production_order
from haikei.jobs.background.policy import (
    Run,
    named_artists,
    project_names,
    refusals_of_consent,
    require_allowed,
    require_drawn,
    require_licensed,
    require_show_rules,
    require_unreserved,
)
from haikei.jobs.background.refusals import note_refusal
from haikei.jobs.chain import copied, require_whole
from haikei.jobs.contributions import layout_key
from haikei.jobs.healing import is_watched
from haikei.jobs.inbox import event_of, receive
from haikei.jobs.job import JobOrder
from haikei.jobs.tools import Tools
from haikei.names import plain_name
from haikei.provenance import (
    FileMarks,
    names_ai,
    read_marks,
    source_term,
    system_of,
)
from haikei.settings import BlankSheets, Settings
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
    def key_suffix(self) -> str:
        """What the key of the layout's record ends in: named otherwise, it is another record."""
        return "" if self.declared is None else f"/as-of-{self.declared}"


def validate(
    order: JobOrder, collected: Collected, tools: Tools, ordered_at: datetime | None = None
) -> Validated:
    """
    Copy the layout into the job's folder and check the copy, its marks, and the studio's policy.

    It is hashed here and nowhere else: the steps that follow read the copy, which nobody changes.
    What the policy refuses is sealed in the ledger and reported to the supervisors in the tracker
    before this raises.

    Args:
        order: the job's.
        collected: what the tracker knows.
        tools: the studio's.
        ordered_at: when the job was asked for; now by default.

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
    try:
        return _validated(order, collected, tools, ordered_at or utc_now())
    except (PolicyRefusal, ModelUnusable) as refusal:
        note_refusal(order, collected.context, refusal, tools)
        raise


def _validated(
    order: JobOrder, collected: Collected, tools: Tools, ordered_at: datetime
) -> Validated:
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
    entries = require_licensed(task.recipe.stages, systems, settings)
    runs = tuple(
        Run(stage=stage, system=system, entry=entry)
        for stage, system, entry in zip(task.recipe.stages, systems(), entries, strict=True)
    )
    approvals, consents = _stated(order, tools)
    require_show_rules(
        project,
        runs,
        settings,
        stand_in=task.recipe.stand_in,
        approvals=approvals,
        ordered_at=ordered_at,
    )
    require_unreserved(
        order.place,
        order.layout.name,
        runs,
        settings,
        tracker=collected.context.no_ai,
        reservations=marks.reservations,
        refused=refusals_of_consent(consents, artists),
    )
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


def _stated(order: JobOrder, tools: Tools) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """Return what was stated of models for the show, and of consent about the layout."""
    place = order.place
    with reading(tools.database) as connection:
        approvals = tuple(
            statements.statements(
                connection, project=place.project, kinds={StatementKind.MODEL_APPROVED}
            )
        )
        consents = tuple(
            one
            for one in statements.statements(
                connection,
                project=place.project,
                episode=place.episode,
                sequence=place.sequence,
                shot=place.shot,
                kinds={StatementKind.CONSENT},
            )
            if one.image_sha256 in {"", order.layout_sha256}
        )
    return approvals, consents


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


def ai_signs_text(marks: FileMarks) -> str:
    """Return where a file shows a trained model's work, in the words of a record."""
    proofs = (f"{one.where}: {one.what}" for one in marks.ai_signs if one.proof)
    return "marks in the file: " + "; ".join(dict.fromkeys(proofs))[:_LONGEST_SIGNS]


def _declared(place: Place, tools: Tools) -> tuple[SourceType, str]:
    """Return how a layout is declared to be drawn, and by whom; not declared by default."""
    with reading(tools.database) as connection:
        found = statements.hand_drawn(connection, place)
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
        disowned = disowned_artists(connection, layout)
    if context.candidates and not answered:
        # An answer may name any of them, whom the register must know then.
        with tools.database.begin() as connection:
            people.note_all(connection, context.candidates)
    artists = named_artists(
        context,
        tools.settings,
        project=project_names(order.place, context),
        earlier_names=earlier,
        asked=asking.asked_for(layout),
        answered=answered,
    )
    if disowned:
        # The tracker may name them still; whose it is stays open until the production says.
        left = tuple(one for one in artists if one.id not in disowned)
        artists = left or (asking.disowned_by(layout),)
    asked = any(person.is_asked_for for person in artists) and not disowned
    source = context.artist_source or "tracker"
    note = asking.candidates_note(context.candidates) if asked else ""
    return artists, Evidence(source=source, note=note)
