"""
Decisions from Haikei's pages and commands: the tracker is written first and stays the truth.

A wake asks to look at a version: one row each, however many asked. It says nothing of what
happened, and is given back only when nobody woke the version again while it was looked at.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, case, delete, func, select, update

from haikei.credits import BackgroundVersion, Person, is_machine_name, records
from haikei.database import inserting, reading, review_notes, review_wakes, utc_now
from haikei.errors import HaikeiError, ReviewError, ReviewOvertaken
from haikei.events import Source
from haikei.review.decisions import Decider, ReviewVerdict, StatusMap
from haikei.review.notes import (
    OPEN,
    NoteState,
    add,
    delete_status_author,
    record_status_author,
    storable,
)
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers import NoteWrite, ReviewDesk, SeenVersion, SelectionDesk, StatusWrite

#: Seconds in which a reviewer that took a wake is expected to be done; then another takes it.
LEASE = 60.0
#: Seconds before a version is looked at again after a failure, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 300.0
_columns = review_wakes.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A wake that this reviewer took."""

    version: int
    attempts: int  #: failures so far
    asked_at: datetime
    until: datetime  #: when another reviewer may take it


def wake(
    connection: Connection, versions: Collection[int], *, source: Source, after: float = 0.0
) -> int:
    """
    Ask that these Versions be looked at, in the caller's transaction; return how many they are.

    Args:
        connection: to the studio's database.
        versions: ids in the tracker; those that are not ours are found to be so and forgotten.
        source: who tells.
        after: seconds to wait; an earlier wake of the same version stays as early as it was.
    """
    now = utc_now()
    look_at = now + timedelta(seconds=after)
    rows = [
        {
            "version_id": version,
            "source": source.value,
            "asked_at": now,
            "look_at": look_at,
            "attempts": 0,
            "error": "",
        }
        for version in sorted(set(versions))
    ]
    if not rows:
        return 0
    statement = inserting(connection, review_wakes)
    asked = statement.excluded
    earlier = case((_columns.look_at < asked.look_at, _columns.look_at), else_=asked.look_at)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["version_id"],
            set_={"source": asked.source, "asked_at": asked.asked_at, "look_at": earlier},
        ),
        rows,
    )
    return len(rows)


def any_due(connection: Connection, now: datetime) -> bool:
    """Tell whether a wake is due, without taking it."""
    query = select(review_wakes.c.version_id).where(_columns.look_at <= now).limit(1)
    return connection.execute(query).first() is not None


def take(connection: Connection, *, now: datetime, limit: int) -> Sequence[Wake]:
    """Take wakes that are due, the longest due first; no other reviewer takes them meanwhile."""
    until = now + timedelta(seconds=LEASE)
    due = connection.execute(
        select(review_wakes).where(_columns.look_at <= now).order_by(_columns.look_at).limit(limit)
    ).all()
    taken: list[Wake] = []
    for row in due:
        one = Wake(
            version=row.version_id, attempts=row.attempts, asked_at=row.asked_at, until=row.look_at
        )
        if _change(connection, one, look_at=until):
            taken.append(
                Wake(version=one.version, attempts=one.attempts, asked_at=one.asked_at, until=until)
            )
    return taken


def done(connection: Connection, one: Wake) -> None:
    """Forget a wake, unless the version was woken again since it was taken."""
    connection.execute(delete(review_wakes).where(_still(one)))


def look_again(connection: Connection, one: Wake, at: datetime) -> None:
    """Put a wake back until then, unless the version was woken again since it was taken."""
    _change(connection, one, look_at=at, attempts=0, error="")


def put_off(
    connection: Connection, one: Wake, *, now: datetime, error: str, retry_after: float | None
) -> None:
    """Put a wake back because it failed; each time longer."""
    pause = retry_after or min(FIRST_PAUSE * 2**one.attempts, LONGEST_PAUSE)
    _change(
        connection,
        one,
        look_at=now + timedelta(seconds=pause),
        attempts=min(one.attempts + 1, 30),
        error=error,
    )


def _still(one: Wake) -> ColumnElement[bool]:
    return (
        (_columns.version_id == one.version)
        & (_columns.asked_at == one.asked_at)
        & (_columns.look_at == one.until)
    )


def _change(connection: Connection, one: Wake, **values: object) -> bool:
    return (
        connection.execute(update(review_wakes).where(_still(one)).values(**values)).rowcount == 1
    )


class Deciding:
    """
    Writes decisions.

    Args:
        settings: the studio's.
        database: the studio's own.
        desk: this thread's.
        source: where these decisions come from.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        desk: ReviewDesk,
        *,
        source: Source = Source.PAGE,
    ) -> None:
        self._map = StatusMap(settings)
        self._database = database
        self._desk = desk
        self._source = source

    def decide(
        self,
        key: str,
        verdict: ReviewVerdict,
        *,
        annotate: Callable[[Row], None] | None = None,
    ) -> None:
        """
        Write a Note, then the status, then wake the reviewer; the same again changes nothing.

        Args:
            key: the background's.
            verdict: what was decided, and by whom.
            annotate: attaches what was drawn to the Note, before the status is set; once for a
                Note, however often it is called.

        Raises:
            ReviewError: there is no such version, or the tracker does not show it.
            ReviewOvertaken: what the person saw does not stand any more; nothing is written.
            TrackerError: the tracker does not answer, or refuses.
        """
        with reading(self._database) as connection:
            version = records.background(connection, key)
        if version is None:
            raise ReviewError(f"There is no version {key!r}.", advice="See `haikei jobs list`.")
        seen = self._look(version)
        status = self._map.status(verdict.decision, self._desk.statuses("Version"))
        if not status:
            raise ReviewError(
                f"No status stands for {verdict.decision.value} in this studio.",
                advice=f"Set review.statuses.{verdict.decision.value}.",
            )
        stands = self._map.decision(seen.status)
        if verdict.seen is not None and stands not in {verdict.seen, verdict.decision}:
            who = f" by {seen.status_by.name}" if seen.status_by and seen.status_by.name else ""
            raise ReviewOvertaken(
                f"{version.code} was set to {seen.status} ({stands.value}){who} meanwhile.",
                advice="Look at it as it stands; send your decision again to overrule that.",
            )
        if verdict.text.strip():
            note = self._write_note(version, seen, verdict)
            if annotate is not None:
                annotate(note)
        if stands is not verdict.decision:
            self._write_status(version, seen, status, verdict.by)
        with self._database.begin() as connection:
            wake(connection, [seen.version.id], source=self._source)

    def _look(self, version: BackgroundVersion) -> SeenVersion:
        if version.tracker_id is not None:
            for seen in self._desk.look([version.tracker_id]):
                return seen
        raise ReviewError(
            f"The tracker does not show {version.code}.",
            advice="Wait until its job is done, or look whether somebody removed it there.",
        )

    def _write_note(
        self, version: BackgroundVersion, seen: SeenVersion, verdict: ReviewVerdict
    ) -> Row:
        text = storable(verdict.text.strip())
        with reading(self._database) as connection:
            taken = _taken(connection, seen.version.id, text)
        by = verdict.by
        # Sent twice, it is one Note; written again after a retake was made for it, it is another.
        parts = (str(seen.version.id), by.login or by.person_id, str(taken), text)
        key = "page/" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
        row = self._desk.write(
            NoteWrite(
                key=key,
                project=seen.project,
                links=(seen.version,),
                subject=f"{verdict.decision.value}: {seen.version.name}",
                text=text,
                by=by.login,
            )
        )
        now = utc_now()
        with self._database.begin() as connection:
            add(
                connection,
                id_=f"Note:{row.id}",
                version=seen.version.id,
                background=version.key,
                author=by.person_id,
                text=text,
                written_at=now,
                now=now,
            )
        return row

    def _write_status(
        self, version: BackgroundVersion, seen: SeenVersion, status: str, by: Decider
    ) -> None:
        record_id = ""
        if by.person_id:
            with self._database.begin() as connection:
                record_id = record_status_author(
                    connection,
                    version=seen.version.id,
                    background=version.key,
                    status=status,
                    person=Person(id=by.person_id, name=by.name),
                    now=utc_now(),
                )
        try:
            self._desk.write(StatusWrite(row=seen.version, status=status, by=by.login))
        except HaikeiError:
            if record_id:
                with self._database.begin() as connection:
                    delete_status_author(connection, record_id)
            raise


def decider_of(desk: SelectionDesk, login: str) -> Decider:
    """
    Return the active person with this login, who is credited.

    Raises:
        ReviewError: the tracker has none, or it is a generator's account.
        TrackerError: the tracker does not answer.
    """
    found = desk.person(login)
    if found is None:
        raise ReviewError(
            f"The tracker has no active person with the login {login!r}.",
            advice="Give the login as the tracker has it, so that the right person is credited.",
        )
    if is_machine_name(found.name):
        raise ReviewError(
            f"{login!r} is the account of {found.name!r}, which is no person.",
            advice="Give the login of the person who decides, or none.",
        )
    return Decider(login=found.login, name=found.name, person_id=found.person_id)


def _taken(connection: Connection, version: int, text: str) -> int:
    """Return how many notes with these words were acted on."""
    columns = review_notes.c
    query = select(func.count()).where(
        columns.version_id == version,
        columns.text == text,
        columns.state.not_in([state.value for state in (*OPEN, NoteState.THANKS)]),
    )
    return int(connection.execute(query).scalar_one())
