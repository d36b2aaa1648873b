"""Who drew a layout whose pixels were published before: people are asked, nobody is guessed."""

import shlex
from collections.abc import Sequence

import structlog

from haikei.credits import (
    ImageRecord,
    Person,
    StatementKind,
    System,
    printed_person,
    printed_system,
    records,
)
from haikei.credits.records import statements
from haikei.database import reading
from haikei.errors import LayoutDisputed
from haikei.jobs.job import JobOrder
from haikei.jobs.tools import Tools
from haikei.trackers import LayoutContext, NoteWrite

log = structlog.get_logger()


def require_undisputed(
    order: JobOrder,
    pixels_sha256: str,
    artists: Sequence[Person],
    context: LayoutContext,
    tools: Tools,
) -> None:
    """
    Check that nobody else is recorded for the pixels of a layout.

    Else a Note on the shot asks, once. The answer is a sealed statement about the layout's bytes,
    `drawn_by`, by whoever answers for it.

    Raises:
        LayoutDisputed: somebody else is, and no statement says that these artists drew it too.
        TrackerError: the tracker does not answer, or refuses.
    """
    with reading(tools.database) as connection:
        known = records.find_image(connection, pixels_sha256=pixels_sha256)
        said = statements.statements(
            connection,
            project=order.place.project,
            kinds=(StatementKind.DRAWN_BY,),
            image_sha256=order.layout_sha256,
        )
        answered = any(one.answer == "yes" and one.image_sha256 for one in said)
    if known is None or answered:
        return
    named = {person.id for person in known.people if _name(person)}
    missing = [one for one in artists if _name(one) and one.id not in named]
    if not missing or not (named or known.system is not None):
        return
    error = _disputed(order, known, missing)
    log.info("layout_disputed", layout=str(order.layout), image=known.key)
    desk = tools.tracker().parts.review
    if desk is not None:
        try:
            desk.write(
                NoteWrite(
                    key=f"{order.event_key}/drawn-by",
                    project=context.project,
                    links=(context.shot,),
                    subject=f"Who drew {order.layout.name}?",
                    text=f"{error.message}\n\n{error.advice}",
                    to=tools.settings.review.dailies.supervisors,
                )
            )
        finally:
            desk.close()
    raise error


def _name(person: Person) -> str:
    return "" if person.is_asked_for else printed_person(person).en


def _disputed(order: JobOrder, known: ImageRecord, missing: Sequence[Person]) -> LayoutDisputed:
    makers = [
        printed_system(one.actor) if isinstance(one.actor, System) else _name(one.actor)
        for one in known.contributions
    ]
    answer = shlex.join(
        (
            *("haikei", "credits", "declare", StatementKind.DRAWN_BY.value),
            *("--project", order.place.project, "--image", order.layout_sha256),
            *("--by", missing[0].id, "--answer", "yes"),
        )
    )
    return LayoutDisputed(
        f"{order.layout.name} shows the pixels that are recorded as {known.path}, by "
        f"{', '.join(dict.fromkeys(filter(None, makers)))}, and is published as drawn by "
        f"{', '.join(map(_name, missing))}. Nobody is credited anew.",
        advice=f"If they drew it, say so: {answer} --text '…', then haikei jobs retry "
        f"{order.key}. If not, assign the layout's task to who did, then retry the job.",
    )
