"""
The difference between what the tracker says of a version and what was done about it.

Only states are compared, never events: whoever woke us, in whatever order and however often, the
same rows in the tracker lead to the same outcome.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import Connection, select, update

from haikei.credits import (
    BackgroundVersion,
    Contribution,
    Evidence,
    Grade,
    Person,
    Role,
    is_machine_name,
    people,
    records,
)
from haikei.database import backgrounds, inserting, reviews
from haikei.decisions import Decision, ReviewState
from haikei.jobs.contributions import as_credited
from haikei.review import replies
from haikei.review.artist_answers import take_answers
from haikei.review.decisions import StatusMap, task_status, task_write_key
from haikei.review.notes import (
    NoteState,
    keep_decision,
    keep_seen,
    name_decision,
    notes_of,
    pop_status_author,
    set_state,
    withdraw_decisions,
)
from haikei.review.replies import set_status
from haikei.review.retaking import Retaking, answer_note, tell_of_ends
from haikei.settings import Settings
from haikei.trackers import SeenVersion, StatusWrite

log = structlog.get_logger()

#: The tracker tells who set a status a little later than that it is set: how soon it is asked
#: again, and for how long.
NAMED_AFTER, NAMED_WITHIN = timedelta(seconds=5), timedelta(minutes=1)
_columns = reviews.c


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedDecision:
    """What was decided about a version, as far as it was acted on."""

    decision: Decision
    decided_by: str  #: a person's id; empty when nobody is known
    decided_at: datetime | None
    updated_at: datetime


class ReviewOutcome(StrEnum):
    """How an application ended, where it does not say when to look again."""

    DONE = "done"
    OVERTAKEN = "overtaken"  #: another reviewer was faster; what we saw may be old


def standing_of(connection: Connection, version: int) -> AppliedDecision | None:
    """Return what was acted on; None for a version that nobody has decided about."""
    row = connection.execute(select(reviews).where(_columns.version_id == version)).first()
    if row is None:
        return None
    return AppliedDecision(
        decision=Decision(row.decision or Decision.NONE.value),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        updated_at=row.updated_at,
    )


class Applying:
    """
    Acts on what is seen of a version.

    Args:
        settings: the studio's.
        task_statuses: those that the site has for a Task; no other is written.
    """

    def __init__(self, settings: Settings, task_statuses: tuple[str, ...] | None = None) -> None:
        self._settings = settings
        self._map = StatusMap(settings)
        self._retaking = Retaking(settings)
        self._settle = timedelta(seconds=settings.review.settle)
        self._task_statuses = task_statuses

    def apply(
        self,
        connection: Connection,
        seen: SeenVersion,
        before: AppliedDecision | None,
        now: datetime,
    ) -> ReviewOutcome | datetime:
        """
        Act on the difference, in the caller's transaction.

        Args:
            connection: to the studio's database; the transaction is a writer's.
            seen: the version as it stands in the tracker.
            before: what stood before the version was looked at; when something else stands by
                now, another reviewer was faster and nothing is done.
            now: the present moment.

        Returns:
            when to look again, or how it ended.

        Raises:
            HaikeiError: it cannot be recorded.
        """
        version = records.background(connection, seen.key)
        if version is None or version.tracker_id not in {None, seen.version.id}:
            # Another studio's, or a copy that somebody made of ours with all its fields.
            log.info("version_not_ours", version=seen.version.id, key=seen.key)
            return ReviewOutcome.DONE
        decision = self._map.decision(seen.status)
        after = self._stand(connection, seen, before, decision, now)
        if after is None:
            return ReviewOutcome.OVERTAKEN
        seen = take_answers(connection, seen, version, self._settings.people, now)
        prior = before.decision if before else Decision.NONE
        if decision is not prior:
            after = self._decide(connection, seen, version, prior, after, now)
        elif not after.decided_by and decision is not Decision.NONE and seen.status_by is not None:
            after = self._name(connection, seen, version, after, seen.status_by, now)
        kept = {note.id: note for note in notes_of(connection, seen.version.id)}
        for late in keep_seen(connection, seen, kept, now, decision):
            words = hashlib.sha256(late.text.encode()).hexdigest()[:12]
            answer_note(connection, late, f"reworded/{late.id}/{words}", replies.reworded(), now)
        tell_of_ends(connection, seen, tuple(kept.values()), now)
        if decision is Decision.APPROVE:
            self._lock(connection, version, seen, after.decided_at, now)
        outcome: ReviewOutcome | datetime = ReviewOutcome.DONE
        if decision is Decision.RETAKE:
            outcome = self._retaking.act(connection, seen, version, now) or ReviewOutcome.DONE
        if outcome is ReviewOutcome.DONE and _may_be_named(after, seen, now):
            outcome = now + NAMED_AFTER
        return outcome

    def _stand(
        self,
        connection: Connection,
        seen: SeenVersion,
        before: AppliedDecision | None,
        decision: Decision,
        now: datetime,
    ) -> AppliedDecision | None:
        """Take the version for this transaction; None when it changed since it was looked at."""
        moment = now
        if before is not None and moment <= before.updated_at:
            moment = before.updated_at + timedelta(microseconds=1)
        values = {"status": seen.status, "decision": decision.value, "updated_at": moment}
        if before is None:
            done = connection.execute(
                inserting(connection, reviews).on_conflict_do_nothing(
                    index_elements=["version_id"]
                ),
                {"version_id": seen.version.id, "background_key": seen.key, **values},
            )
        else:
            done = connection.execute(
                update(reviews)
                .where(
                    _columns.version_id == seen.version.id,
                    _columns.updated_at == before.updated_at,
                )
                .values(**values)
            )
        if done.rowcount != 1:
            return None
        return AppliedDecision(
            decision=decision,
            decided_by=before.decided_by if before else "",
            decided_at=before.decided_at if before else None,
            updated_at=moment,
        )

    def _decide(
        self,
        connection: Connection,
        seen: SeenVersion,
        version: BackgroundVersion,
        prior: Decision,
        after: AppliedDecision,
        now: datetime,
    ) -> AppliedDecision:
        decision = after.decision
        author = pop_status_author(connection, seen.version.id, seen.status)
        by = seen.status_by or author
        records.decide(connection, version.key, decision.state)
        if prior is Decision.RETAKE:
            withdraw_decisions(connection, seen.version.id)
        if decision is Decision.RETAKE:
            keep_decision(connection, seen, at=seen.status_at or now, now=now)
        named = self._name(connection, seen, version, after, by, now)
        if not (prior is Decision.APPROVE and _approved_otherwise(connection, version)):
            self._set_task(connection, seen, prior, decision, now)
        log.info("decided", version=seen.version.name, decision=decision.value, was=prior.value)
        return named

    def _name(
        self,
        connection: Connection,
        seen: SeenVersion,
        version: BackgroundVersion,
        standing: AppliedDecision,
        by: Person | None,
        now: datetime,
    ) -> AppliedDecision:
        """Note who took the decision that stands, and seal an approval; once for a decision."""
        at = seen.status_at or now
        if by is not None and is_machine_name(by.name):
            # A service's account sets statuses too; a decision of its own is nobody's.
            by = None
        if by is not None:
            by = as_credited(by, self._settings.people)
            people.note(connection, by)
        id_ = by.id if by else ""
        connection.execute(
            update(reviews)
            .where(_columns.version_id == seen.version.id)
            .values(decided_by=id_, decided_at=at)
        )
        if standing.decision is Decision.RETAKE:
            name_decision(connection, seen.version.id, id_)
        if standing.decision is Decision.APPROVE and by is not None and (by.name or by.opt_out):
            evidence = Evidence(source=f"Version:{seen.version.id} status {seen.status}")
            records.contribute(
                connection,
                version.final.key,
                Contribution(
                    role=Role.APPROVAL, actor=by, grade=Grade.LOGGED, evidence=evidence, at=at
                ),
            )
        return replace(standing, decided_by=id_, decided_at=at)

    def _set_task(
        self,
        connection: Connection,
        seen: SeenVersion,
        prior: Decision,
        decision: Decision,
        now: datetime,
    ) -> None:
        status = task_status(prior, decision, self._settings)
        known = self._task_statuses is None or status in self._task_statuses
        if seen.task is not None and status and known:
            change = StatusWrite(row=seen.task, status=status)
            set_status(connection, task_write_key(seen.task), change, now)

    def _lock(
        self,
        connection: Connection,
        version: BackgroundVersion,
        seen: SeenVersion,
        approved_at: datetime | None,
        now: datetime,
    ) -> None:
        """Answer what was written after the approval; what came with it belongs to it."""
        if approved_at is None:
            return
        late = [
            note
            for note in notes_of(connection, seen.version.id)
            if note.state is NoteState.WAITING and note.written_at > approved_at + self._settle
        ]
        for note in late:
            set_state(connection, [note.id], NoteState.LOCKED)
            answer_note(connection, note, f"locked/{note.id}", replies.locked(version.code), now)


def _approved_otherwise(connection: Connection, version: BackgroundVersion) -> bool:
    """Tell whether another version of the same background is approved: its task is done."""
    columns = backgrounds.c
    query = select(columns.key).where(
        columns.project == version.project,
        columns.sequence == version.sequence,
        columns.shot == version.shot,
        columns.season == version.season,
        columns.time == version.time,
        columns.key != version.key,
        columns.state == ReviewState.APPROVED.value,
    )
    return connection.execute(query.limit(1)).first() is not None


def _may_be_named(standing: AppliedDecision, seen: SeenVersion, now: datetime) -> bool:
    """Tell whether the tracker may still come to know who took a decision."""
    if standing.decided_by or standing.decision is Decision.NONE or seen.status_at is not None:
        return False
    return standing.decided_at is not None and now < standing.decided_at + NAMED_WITHIN
