"""
Validate: the file is the one that was announced, its marks hold, and nothing forbids
to use it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from haikei.credits import Person, SourceType
from haikei.errors import ImageUnreadable, LayoutChanged, MarksBroken
from haikei.generators import Production
from haikei.images import Inspector
from haikei.jobs.background.collect import Collected
from haikei.jobs.background.generate import production_order
from haikei.jobs.background.policy import (
    named_artists,
    require_allowed,
    require_drawing,
    require_drawn,
    require_licensed,
)
from haikei.jobs.job import JobOrder
from haikei.provenance import FileMarks, MarksState, names_ai, read_marks, source_term
from haikei.settings import Settings

#: Terms of the vocabulary that our records say in other words.
_SAID: Mapping[str, SourceType] = {
    "minorHumanEdits": SourceType.HUMAN_EDITS,
    "digitalCapture": SourceType.PRINT,
    "computationalCapture": SourceType.PRINT,
    "negativeFilm": SourceType.PRINT,
    "positiveFilm": SourceType.PRINT,
}


def require_whole(marks: FileMarks) -> None:
    """
    Check that nothing is signed on top of marks that do not hold.

    Raises:
        MarksBroken: they do not.
    """
    if marks.state is MarksState.BROKEN:
        raise MarksBroken(
            f"{marks.path.name} carries marks (C2PA) that do not hold: "
            f"{', '.join(marks.failures) or 'it was changed after it was signed'}.",
            advice="Ask for the file as it was signed, or for an export without marks.",
        )


def drawn_as(marks: FileMarks) -> SourceType:
    """
    Return how a layout was drawn, as it says of itself; by hand and digitally unless it says so.

    Raises:
        SourceTypeUnknown: it says what no vocabulary holds.
    """
    said = marks.xmp.digital_source_type if marks.xmp is not None else ""
    if not said:
        return SourceType.TRAINED if marks.says_ai else SourceType.DIGITAL_CREATION
    term = source_term(said)
    if term in set(SourceType):
        return SourceType(term)
    if names_ai(said) or marks.says_ai:
        return SourceType.COMPOSITE_TRAINED
    return _SAID.get(term, SourceType.DIGITAL_CREATION)


log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """A layout that may be used."""

    width: int  #: pixels
    height: int
    artists: tuple[Person, ...]  #: as credits name them, never empty
    source_type: SourceType  #: how it was drawn, as far as the file says so


def validate(
    order: JobOrder,
    collected: Collected,
    *,
    settings: Settings,
    inspector: Inspector,
    production: Production,
    trust_pem: str,
) -> Validated:
    """
    Check the file first, then what it says of itself, then what the studio's policy says of it.

    Raises:
        LayoutChanged: the file is not the one that was announced.
        ImageUnreadable: it is damaged, truncated or too large.
        SheetBlank: nothing is drawn on it, and the studio has such sheets asked about.
        MarksBroken: what it says of itself was changed after it was signed.
        SourceTypeUnknown: it says of itself what no vocabulary holds.
        PolicyRefusal: consent, the show's rule or a licence forbids it.
        ModelUnusable: a stage's model is incomplete or unsafe.
        SettingsError: the recipe cannot be run.
    """
    found = inspector.inspect([order.layout])[0]
    if found.reason.startswith(("changed", "vanished")) or (
        found.sha256 and found.sha256 != order.layout_sha256
    ):
        raise LayoutChanged(
            f"{order.layout} is not the file that was announced: {found.reason or 'it changed'}.",
            advice="A changed layout is announced anew; skip this job.",
        )
    if not found.ok:
        told = order.layout.name in found.reason
        raise ImageUnreadable(found.reason if told else f"{order.layout} {found.reason}.")
    _require_drawing(order, inspector, settings)
    marks = read_marks(order.layout, trust_pem=trust_pem)
    require_whole(marks)
    source_type = drawn_as(marks)
    artists = named_artists(collected.context, settings)
    task = production_order(order, settings)
    require_licensed(task.recipe.stages, settings)
    systems = [plan.system for plan in production.stages(task)]
    require_allowed(order.place.project, systems, settings)
    if source_type.is_ai:
        require_drawn(order.place.project, order.layout.name, settings)
    return Validated(
        width=found.width,
        height=found.height,
        artists=artists,
        source_type=source_type,
    )


def _require_drawing(order: JobOrder, inspector: Inspector, settings: Settings) -> None:
    """Decode all of the layout, which alone finds most damage, and see that it holds a drawing."""
    decoded = inspector.read(order.layout)
    if decoded.note:
        log.warning("layout_noted", layout=str(order.layout), note=decoded.note)
    require_drawing(decoded.picture, order.layout.name, settings)
