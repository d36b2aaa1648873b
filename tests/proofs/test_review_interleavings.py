"""
Whoever tells first, however often, and whoever dies in between: one outcome.

A supervisor works in the tracker and on our page, the event log, a webhook and the reconciliation
wake two reviewers, which fail, are killed and let each other in at the worst moments, and jobs end
when they like. In between nothing may be done twice; in the end nothing may be missing.
"""

import atexit
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Connection, func, select
from typing_extensions import override

from haikei.credits import Role, records
from haikei.database import contributions, jobs, utc_now
from haikei.decisions import Decision, ReviewState
from haikei.errors import TrackerRejected, TrackerUnavailable
from haikei.events import Source
from haikei.jobs import JobState
from haikei.review import Decider, Deciding, Reviewer, ReviewVerdict, wake
from haikei.review.notes import NoteState, notes_of
from haikei.settings import Settings
from haikei.trackers import TrackerParts
from support.databases import fresh_database
from support.studio import end_badly, make_retake, make_version, retake_jobs
from support.trackers import MemoryReview, PartsTracker

STATUSES = ("rev", "apr", "fin", "rtk", "hld", "omt")
APPROVED, RETAKE = ("apr", "fin"), "rtk"
WORDS = (
    "less green",
    "more clouds, at night",
    "keep the seed, brighter",
    "夕方に",
    "what is this?",
)
_CODES = {Decision.APPROVE: "apr", Decision.RETAKE: "rtk", Decision.HOLD: "hld"}
SOURCES = (Source.EVENT_LOG, Source.WEBHOOK, Source.PAGE, Source.RECONCILIATION)


class _Killed(BaseException):
    """The process died here."""


class _Place:
    """One database for all runs: each begins with the same file, and nothing is compiled twice."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings.model_validate(
            {
                "studio": {"name": "Test", "state": str(folder)},
                "storage": {"roots": [{"name": "primary", "path": str(folder)}]},
                "review": {"settle": 0, "max_retakes": 100},
            }
        )
        self.database = fresh_database(folder / "haikei.db")
        self._begun = folder / "begun.db"
        desk = MemoryReview()
        with self.database.begin() as connection:
            self.key = make_version(connection, desk, 1).key
        self.code = desk.versions[1].version.name
        # Closing the last connection puts the write-ahead log into the file.
        self.database.dispose()
        shutil.copy(folder / "haikei.db", self._begun)

    def begin(self) -> MemoryReview:
        """Begin anew: one version in review, which nobody has looked at."""
        self.database.dispose()
        shutil.copy(self._begun, self._begun.with_name("haikei.db"))
        desk = MemoryReview()
        desk.show(1, self.key, self.code)
        return desk


@cache
def _place() -> _Place:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return _Place(folder)


class Interleavings(RuleBasedStateMachine):
    """One version of one cut, all that people do to it, and two reviewers."""

    def __init__(self) -> None:
        super().__init__()
        structlog.configure(processors=[_silent])
        place = _place()
        self.settings, self.database, self.key = place.settings, place.database, place.key
        self.desk = place.begin()
        self.ahead = timedelta()
        self.next_version = 2
        self.approvals = self.wishes = 0
        self.untold = self.acted = False
        self.status = "rev"
        self.reviewers = [self._reviewer() for _ in range(2)]

    def _reviewer(self) -> Reviewer:
        return Reviewer(
            self.settings,
            self.database,
            open_tracker=lambda _: PartsTracker(TrackerParts(review=self.desk)),
            clock=lambda: utc_now() + self.ahead,
        )

    def _wake(self, source: Source = Source.EVENT_LOG) -> None:
        self.untold = False
        with self.database.begin() as connection:
            wake(connection, tuple(self.desk.versions), source=source)

    def _tick(self, which: int, *, hook: Callable[[], None] | None = None, at: str = "") -> None:
        """Let a reviewer work; what `hook` does happens once, inside of its call to the desk."""

        def once() -> None:
            setattr(self.desk, at, _nothing)
            if hook is not None:
                hook()

        if hook is not None:
            setattr(self.desk, at, once)
        self.ahead += timedelta(minutes=15)
        self.acted = True
        try:
            self.reviewers[which].tick()
        except _Killed:
            self.reviewers[which] = self._reviewer()
        except (TrackerUnavailable, TrackerRejected):
            pass
        finally:
            self.desk.after_look = self.desk.after_write = _nothing

    # What people do.

    @rule(status=st.sampled_from(STATUSES))
    def a_person_sets_the_status(self, status: str) -> None:
        self._count(status)
        self.desk.set_status(1, status)
        self.untold = True

    @rule(text=st.sampled_from(WORDS))
    def a_person_writes_a_note(self, text: str) -> None:
        self.desk.note(1, text)
        self.untold = True

    @rule(text=st.sampled_from(WORDS))
    def a_person_replies(self, text: str) -> None:
        notes = [one for one in self.desk.versions[1].notes if one.reply_to is None]
        if notes:
            self.desk.note(1, text, reply_to=notes[-1].id)
            self.untold = True

    @rule(
        decision=st.sampled_from([Decision.APPROVE, Decision.RETAKE, Decision.HOLD]),
        text=st.sampled_from(("", *WORDS)),
        twice=st.booleans(),
    )
    def the_page_decides(self, decision: Decision, text: str, *, twice: bool) -> None:
        by = Decider(login="kato", name="N. Kato", person_id="HumanUser:15")
        deciding = Deciding(self.settings, self.database, self.desk)
        for _ in range(1 + twice):
            self._count(_CODES[decision])
            deciding.decide(self.key, ReviewVerdict(decision=decision, text=text, by=by))

    def _count(self, status: str) -> None:
        """Count how often the tracker said that the version is approved, or a retake wanted."""
        was = self.desk.versions[1].status
        self.approvals += status in APPROVED and was not in APPROVED
        self.wishes += status == RETAKE and was != RETAKE

    # What tells us.

    @rule(source=st.sampled_from(SOURCES), times=st.integers(1, 3))
    def somebody_tells(self, source: Source, times: int) -> None:
        for _ in range(times):
            self._wake(source)

    # What happens to the reviewers.

    @rule(which=st.integers(0, 1))
    def a_reviewer_works(self, which: int) -> None:
        self._tick(which)

    @rule(which=st.integers(0, 1), at=st.sampled_from(["after_look", "after_write"]))
    def a_reviewer_is_killed(self, which: int, at: str) -> None:
        def die() -> None:
            raise _Killed

        self._wake()
        self._tick(which, hook=die, at=at)

    @rule(which=st.integers(0, 1), at=st.sampled_from(["after_look", "after_write"]))
    def the_other_works_in_between(self, which: int, at: str) -> None:
        def meanwhile() -> None:
            self._wake(Source.RECONCILIATION)
            self.reviewers[1 - which].tick()

        self._wake()
        self._tick(which, hook=meanwhile, at=at)

    @rule(which=st.integers(0, 1), status=st.sampled_from(STATUSES), other=st.booleans())
    def things_change_after_they_were_read(self, which: int, status: str, *, other: bool) -> None:
        def change() -> None:
            self.a_person_sets_the_status(status)
            self.desk.note(1, "warmer")
            self._wake()
            if other:
                self.ahead += timedelta(minutes=15)
                self.reviewers[1 - which].tick()

        self._wake()
        self._tick(which, hook=change, at="after_look")

    @rule(which=st.integers(0, 1), rejected=st.booleans())
    def the_tracker_is_away(self, which: int, *, rejected: bool) -> None:
        error = TrackerRejected("no") if rejected else TrackerUnavailable("maintenance")
        self.desk.failures.append(error)
        self._wake()
        self._tick(which)
        self.desk.failures.clear()

    # What happens to the jobs.

    def _open_job(self) -> str:
        with self.database.connect() as connection:
            return (
                connection.execute(
                    select(jobs.c.key).where(jobs.c.state == JobState.WAITING.value)
                ).scalar()
                or ""
            )

    @precondition(lambda self: self._open_job())
    @rule()
    def a_job_is_done(self) -> None:
        make_retake(self.database, self.desk, self._open_job(), self.next_version)
        self.next_version += 1

    @precondition(lambda self: self._open_job())
    @rule()
    def a_job_dies(self) -> None:
        end_badly(self.database, self._open_job())

    # What must hold at every moment.

    @invariant()
    def nothing_is_done_twice(self) -> None:
        if self.acted:
            self.acted = False
            with self.database.connect() as connection:
                self._check_retakes(connection)
                self._check_decisions(connection)
            self._check_answers()

    def _check_retakes(self, connection: Connection) -> None:
        """One retake at a time, and no note in two of them."""
        rows = connection.execute(
            select(jobs.c.state, jobs.c.order_json).where(jobs.c.key.startswith("retake-"))
        ).all()
        assert sum(row.state == JobState.WAITING.value for row in rows) <= 1
        # Only a retake that died hands its notes on to the next.
        lived = [json.loads(row.order_json) for row in rows if row.state != JobState.SKIPPED.value]
        taken = Counter(note for order in lived for note in order["retake"]["notes"])
        assert not [note for note, times in taken.items() if times > 1]

    def _check_decisions(self, connection: Connection) -> None:
        """No more approvals than were given, and no more retakes wanted than were asked for."""
        assert self._approval_count(connection) <= self.approvals
        wished = [one for one in notes_of(connection, 1) if one.is_decision]
        assert len(wished) <= self.wishes

    def _check_answers(self) -> None:
        """Every answer stands once."""
        keys = Counter(one.key for one in self.desk.replies)
        assert not [key for key, times in keys.items() if times > 1]
        threads = Counter((one.note, one.link) for one in self.desk.replies if one.link)
        assert not [thread for thread, times in threads.items() if times > 1]

    def _approval_count(self, connection: Connection) -> int:
        return connection.execute(
            select(func.count()).where(contributions.c.role == Role.APPROVAL.value)
        ).scalar_one()

    # What must hold in the end.

    @override
    def teardown(self) -> None:
        self._come_to_rest()
        self._check_the_end()

    def _come_to_rest(self) -> None:
        for _ in range(30):
            # What was told already is not told again: a wake that is lost would be seen.
            if self.untold:
                self._wake(Source.RECONCILIATION)
            self.ahead += timedelta(hours=2)
            self.reviewers[0].tick()
            if key := self._open_job():
                make_retake(self.database, self.desk, key, self.next_version)
                self.next_version += 1
            elif self.reviewers[1].tick() == 0:
                return
        message = "the review never comes to rest"
        raise AssertionError(message)

    def _check_the_end(self) -> None:
        seen = self.desk.versions[1]
        with self.database.connect() as connection:
            version = records.background(connection, self.key)
            notes = notes_of(connection, 1)
            approvals = self._approval_count(connection)
        assert version is not None
        expected = {
            "rev": ReviewState.IN_REVIEW,
            "apr": ReviewState.APPROVED,
            "fin": ReviewState.APPROVED,
            "rtk": ReviewState.RETAKE,
            "hld": ReviewState.ON_HOLD,
            "omt": ReviewState.OMITTED,
        }
        # A version that nobody has decided about stays as it was made.
        assert version.state is expected[seen.status]
        assert (approvals > 0) or seen.status not in APPROVED
        people = [one for one in seen.notes if not one.by_us]
        kept = {note.id: note for note in notes}
        ids = {
            f"Note:{one.id}" if one.reply_to is None else f"Reply:{one.id} of Note:{one.reply_to}"
            for one in people
        }
        assert ids == {id_ for id_, note in kept.items() if not note.is_decision}
        answered = {one.note for one in self.desk.replies if one.link}
        for note in kept.values():
            if seen.status == RETAKE:
                assert note.state is not NoteState.TAKEN
                assert note.state not in {NoteState.WAITING, NoteState.LOCKED}
            if note.state is NoteState.DONE and note.thread is not None:
                assert note.thread in answered
        if seen.status == RETAKE:
            assert any(one.retake for one in retake_jobs(self.database))


def _nothing() -> None: ...


def _silent(*_: object) -> str:
    raise structlog.DropEvent


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=500,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
)
