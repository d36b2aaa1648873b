"""
Notes that hang on more than one Version, and which of these they count for.

A Note may be written about several cuts at once: it counts for each. When a retake is made, the new
Version is linked to the Notes that asked for it, so one thread of Replies hangs on the old and on
the new Version; in that thread, and on Versions of one cut, season and time, each word counts once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from haikei.database import backgrounds, jobs, review_notes, reviews
from haikei.jobs import JobState, order_of
from haikei.review.decisions import Decision

_columns = review_notes.c
#: What a version must have been decided to be for it to draw words from its thread's older ones.
_DRAWS = frozenset({Decision.APPROVE, Decision.RETAKE, Decision.HOLD})
_OPEN = (JobState.WAITING.value, JobState.RUNNING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A Note or Reply as it is kept for another Version of the cut."""

    id: str
    version: int
    state: str
    decision: Decision  #: about that version


def own_id(source: str, version: int) -> str:
    """Return the id of a Note or Reply that counts for another Version as well."""
    return f"{source} on Version:{version}"


def source_of(id_: str) -> str:
    """Return the id without the Version for which it counts as well."""
    return id_.partition(" on Version:")[0]


def thread_of(id_: str) -> int | None:
    """Return the Note to which a Note or Reply belongs; None for a decision."""
    number = source_of(id_).partition("Note:")[2]
    return int(number) if number else None


def made_for(connection: Connection, background: str) -> frozenset[int]:
    """Return the Notes in whose threads a background was asked for."""
    found = connection.execute(select(_columns.id).where(_columns.job_key == background)).scalars()
    return frozenset(thread for id_ in found if (thread := thread_of(id_)) is not None)


def draws(decision: Decision, version: int, other: Elsewhere | None = None) -> bool:
    """Tell whether what waits on another Version of a thread, or on none, counts for this one."""
    if decision not in _DRAWS:
        return False
    return other is None or other.version < version or other.decision not in _DRAWS


def taken_ids(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Return which of these are kept, for whichever Version."""
    return frozenset(
        connection.execute(select(_columns.id).where(_columns.id.in_(list(ids)))).scalars()
    )


def elsewhere(
    connection: Connection, version: int, background: str
) -> Mapping[str, Sequence[Elsewhere]]:
    """
    Return what is kept for other Versions and need not be kept for this one, by its source.

    That is all on Versions of the same cut, season and time; and, in another season or time of the
    cut, what hangs in a thread that one of the two Versions was made for.
    """
    here, there = backgrounds.alias("here"), backgrounds.alias("there")
    query = (
        select(
            review_notes,
            reviews.c.decision,
            (and_(there.c.season == here.c.season, there.c.time == here.c.time)).label("alike"),
        )
        .select_from(here)
        .join(
            there,
            and_(
                there.c.project == here.c.project,
                there.c.sequence == here.c.sequence,
                there.c.shot == here.c.shot,
            ),
        )
        .join(review_notes, _columns.background_key == there.c.key)
        .outerjoin(reviews, reviews.c.version_id == _columns.version_id)
        .where(here.c.key == background, _columns.version_id != version)
        .order_by(_columns.version_id)
    )
    asked: dict[str, frozenset[int]] = {background: made_for(connection, background)}
    found: dict[str, list[Elsewhere]] = {}
    for row in connection.execute(query).all():
        thread = thread_of(row.id)
        if thread is None:
            continue
        if row.background_key not in asked:
            asked[row.background_key] = made_for(connection, row.background_key)
        if row.alike or thread in asked[background] or thread in asked[row.background_key]:
            one = Elsewhere(
                id=row.id,
                version=row.version_id,
                state=row.state,
                decision=Decision(row.decision or Decision.NONE.value),
            )
            found.setdefault(source_of(row.id), []).append(one)
    return found


def being_made_for(connection: Connection, ids: Collection[str], background: str) -> str:
    """Return the retake of a background that is being made for one of these; empty for none."""
    query = (
        select(jobs.c.key, jobs.c.order_json)
        .join(review_notes, _columns.job_key == jobs.c.key)
        .where(_columns.id.in_(list(ids)), jobs.c.state.in_(_OPEN))
        .order_by(jobs.c.id)
    )
    for row in connection.execute(query):
        retake = order_of(row.order_json).retake
        if retake is not None and retake.parent == background:
            return str(row.key)
    return ""
