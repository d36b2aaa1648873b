"""
The difference between what the tracker says of a version and what was done about it.

Only states are compared, never events: whoever woke us, in whatever order and however often, the
same rows in the tracker lead to the same outcome.
"""

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
    ImageKind,
    Person,
    Role,
    people,
    records,
)
from haikei.database import inserting, reviews
from haikei.jobs.job import JobState
from haikei.jobs.policy import as_credited
from haikei.review import wording
from haikei.review.answers import answer, set_status
from haikei.review.decision import Decision, StatusMap, task_status, task_write_key
from haikei.review.ended import tell_of_ends
from haikei.review.notes import (
    OPEN,
    KeptNote,
    NoteState,
    keep_decision,
    keep_seen,
    name_decision,
    notes_of,
    set_state,
    who_said,
    withdraw_decisions,
)
from haikei.review.retakes import (
    count_retakes,
    is_being_made,
    last_retake,
    order_retake,
    ordered,
    parent_of,
    taken_over,
)
from haikei.settings import Settings
from haikei.trackers.reviewing import NoteWrite, ReplyWrite, SeenVersion, StatusWrite

log = structlog.get_logger()

#: The tracker tells who set a status a little later than that it is set: how soon it is asked
#: again, and for how long.
NAMED_AFTER, NAMED_WITHIN = timedelta(seconds=5), timedelta(minutes=1)
_columns = reviews.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was decided about a version, as far as it was acted on."""

    decision: Decision
    decided_by: str  #: a person's id; empty when nobody is known
    decided_at: datetime | None
    updated_at: datetime


class Outcome(StrEnum):
    """How an application ended, where it does not say when to look again."""

    DONE = "done"
    OVERTAKEN = "overtaken"  #: another reviewer was faster; what we saw may be old


def standing_of(connection: Connection, version: int) -> Standing | None:
    """Return what was acted on; None for a version that nobody has decided about."""
    row = connection.execute(select(reviews).where(_columns.version_id == version)).first()
    if row is None:
        return None
    return Standing(
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
        self._settle = timedelta(seconds=settings.review.settle)
        self._task_statuses = task_statuses

    def apply(
        self, connection: Connection, seen: SeenVersion, before: Standing | None, now: datetime
    ) -> Outcome | datetime:
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
            return Outcome.DONE
        decision = self._map.decision(seen.status)
        after = self._stand(connection, seen, before, decision, now)
        if after is None:
            return Outcome.OVERTAKEN
        prior = before.decision if before else Decision.NONE
        if decision is not prior:
            after = self._decide(connection, seen, version, prior, after, now)
        elif not after.decided_by and decision is not Decision.NONE and seen.status_by is not None:
            after = self._name(connection, seen, version, after, seen.status_by, now)
        kept = {note.id: note for note in notes_of(connection, seen.version.id)}
        keep_seen(connection, seen, kept, now)
        tell_of_ends(connection, seen, tuple(kept.values()), now)
        if decision is Decision.APPROVE:
            self._lock(connection, version, seen, after.decided_at, now)
        outcome: Outcome | datetime = Outcome.DONE
        if decision is Decision.RETAKE:
            outcome = self._retake(connection, seen, version, now)
        if outcome is Outcome.DONE and _may_be_named(after, seen, now):
            outcome = now + NAMED_AFTER
        return outcome

    def _stand(
        self,
        connection: Connection,
        seen: SeenVersion,
        before: Standing | None,
        decision: Decision,
        now: datetime,
    ) -> Standing | None:
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
        return Standing(
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
        after: Standing,
        now: datetime,
    ) -> Standing:
        decision = after.decision
        said = who_said(connection, seen.version.id, seen.status)
        by = seen.status_by or said
        records.decide(connection, version.key, decision.state)
        if prior is Decision.RETAKE:
            withdraw_decisions(connection, seen.version.id)
        if decision is Decision.RETAKE:
            keep_decision(connection, seen, at=seen.status_at or now, now=now)
        named = self._name(connection, seen, version, after, by, now)
        self._set_task(connection, seen, prior, decision, now)
        log.info("decided", version=seen.version.name, decision=decision.value, was=prior.value)
        return named

    def _name(
        self,
        connection: Connection,
        seen: SeenVersion,
        version: BackgroundVersion,
        standing: Standing,
        by: Person | None,
        now: datetime,
    ) -> Standing:
        """Note who took the decision that stands, and seal an approval; once for a decision."""
        at = seen.status_at or now
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
            self._reply(connection, note, f"locked/{note.id}", wording.locked(version.code), now)

    def _retake(
        self,
        connection: Connection,
        seen: SeenVersion,
        version: BackgroundVersion,
        now: datetime,
    ) -> Outcome | datetime:
        notes = notes_of(connection, seen.version.id)
        fresh = [note for note in notes if note.state in OPEN]
        if not fresh:
            return Outcome.DONE
        if version.final.kind is ImageKind.TOUCH_UP:
            self._leave_to_its_artist(connection, version, fresh, now)
            return Outcome.DONE
        due = max(note.seen_at for note in fresh) + self._settle
        if now < due:
            return due
        last = last_retake(connection, seen.version.id)
        if last is not None and last[1] in {JobState.WAITING, JobState.RUNNING}:
            # The end of that job wakes us.
            return Outcome.DONE
        parent = parent_of(connection, version, last[2] if last else None)
        if parent is None:
            self._ask(connection, seen, fresh, wording.no_job(version.code), now)
            return Outcome.DONE
        dead = last[0] if last and last[1] is JobState.DEAD else ""
        asked = [note for note in notes if note.state is NoteState.ASKED]
        all_of_it = sorted(
            (*fresh, *asked, *taken_over(notes, dead)), key=lambda one: (one.written_at, one.id)
        )
        authors = people.look_up(connection, {note.author for note in all_of_it})
        order = ordered(*parent, all_of_it, authors)
        before, code = parent
        moments = ((before.season, before.time), (order.season, order.time))
        if is_being_made(connection, version, moments):
            return Outcome.DONE
        made = max(count_retakes(connection, version, one) for one in (before, order))
        if made >= self._settings.review.max_retakes:
            self._ask(connection, seen, fresh, wording.too_many(code, made), now)
            return Outcome.DONE
        order_retake(connection, order, dead)
        set_state(
            connection, order.retake.notes if order.retake else (), NoteState.TAKEN, job=order.key
        )
        log.info("retake_ordered", version=version.code, job=order.key, notes=len(all_of_it))
        return Outcome.DONE

    def _leave_to_its_artist(
        self,
        connection: Connection,
        version: BackgroundVersion,
        notes: list[KeptNote],
        now: datetime,
    ) -> None:
        set_state(connection, [note.id for note in notes], NoteState.ASKED)
        for note in notes:
            self._reply(connection, note, f"painted/{note.id}", wording.painted(version.code), now)

    def _ask(
        self,
        connection: Connection,
        seen: SeenVersion,
        notes: list[KeptNote],
        text: str,
        now: datetime,
    ) -> None:
        set_state(connection, [note.id for note in notes], NoteState.ASKED)
        question = NoteWrite(
            key=f"question/{seen.version.id}/{notes[0].id}",
            project=seen.project,
            links=(seen.version,),
            subject=wording.subject([seen.version.name]),
            text=text,
        )
        answer(connection, question, now)

    def _reply(
        self, connection: Connection, note: KeptNote, key: str, text: str, now: datetime
    ) -> None:
        if note.thread is not None:
            answer(connection, ReplyWrite(key=key, note=note.thread, text=text), now)


def _may_be_named(standing: Standing, seen: SeenVersion, now: datetime) -> bool:
    """Tell whether the tracker may still come to know who took a decision."""
    if standing.decided_by or standing.decision is Decision.NONE or seen.status_at is not None:
        return False
    return standing.decided_at is not None and now < standing.decided_at + NAMED_WITHIN
