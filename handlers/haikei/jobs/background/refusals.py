"""What becomes of a refusal: an entry of the ledger, and plain words to those who supervise."""

import hashlib

import structlog

from haikei.credits import Person, people
from haikei.credits.record import Statement, StatementKind
from haikei.credits.records import statements
from haikei.database import utc_now
from haikei.errors import ModelUnusable, PolicyRefusal, TrackerError
from haikei.jobs.contributions import as_credited
from haikei.jobs.job import JobOrder
from haikei.jobs.tools import Tools
from haikei.texts import REFUSED
from haikei.trackers import LayoutContext, NoteWrite

log = structlog.get_logger()

#: Who answers for what the policy refuses: the studio, whose settings say so.
POLICY = "studio:policy"
_LONGEST_SUBJECT = 80


def note_refusal(
    order: JobOrder,
    context: LayoutContext,
    refusal: PolicyRefusal | ModelUnusable,
    tools: Tools,
) -> None:
    """
    Seal a refusal in the ledger and tell it in the tracker, once for each reason and layout.

    Args:
        order: the job's.
        context: what the tracker knows of the layout.
        refusal: why no picture is made.
        tools: the studio's.

    Raises:
        TrackerUnavailable: the tracker cannot be written now; the entry stands already.
    """
    digest = hashlib.sha256(f"{order.key}\n{refusal}".encode()).hexdigest()[:32]
    key = f"refused/{digest}"
    named = [
        as_credited(person, tools.settings.people, ())
        for person in (*context.artists, *context.candidates)
    ]
    with tools.database.begin() as connection:
        # So that their names stand as commitments in what is sealed.
        people.note_all(connection, named)
        entry = statements.record(
            connection,
            Statement(
                key=key,
                kind=StatementKind.REFUSED,
                project=order.place.project,
                episode=order.place.episode,
                sequence=order.place.sequence,
                shot=order.place.shot,
                image_sha256=order.layout_sha256,
                by=Person(id=POLICY, name=tools.settings.studio.name),
                to="",
                subject=order.recipe[:_LONGEST_SUBJECT],
                answer="no",
                text=str(refusal),
                reference=order.key,
                at=utc_now(),
            ),
        )
    log.warning("refused", job=order.key, entry=entry, reason=refusal.message)
    _tell(order, context, refusal, key, entry, tools)


def _tell(
    order: JobOrder,
    context: LayoutContext,
    refusal: PolicyRefusal | ModelUnusable,
    key: str,
    entry: int,
    tools: Tools,
) -> None:
    desk = tools.tracker().parts.review
    if desk is None:
        return
    try:
        desk.write(
            NoteWrite(
                key=key,
                project=context.project,
                links=(context.shot,),
                subject=f"{REFUSED}: {order.layout.name}",
                text=f"{REFUSED}\n{order.layout.name} ({order.season}, {order.time}; recipe "
                f"{order.recipe}).\n{refusal}\nNo picture was made. Ledger entry {entry}.",
                to=tools.settings.review.dailies.supervisors,
            )
        )
    except TrackerError as error:
        if error.transient:
            raise
        # The refusal stands without the Note; the dead letter says the same.
        log.warning("refusal_not_told", job=order.key, error=str(error))
