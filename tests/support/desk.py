"""A tracker's side of reviews in memory, which fails, or lets others in, when it is told to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, select, update
from typing_extensions import override

from haikei.credits import Person, records
from haikei.database import jobs, utc_now
from haikei.errors import TrackerRejected
from haikei.jobs.inbox import add_job
from haikei.jobs.job import JobOrder, JobState
from haikei.jobs.table import job_row, order_of, result_text
from haikei.show import Place, Row
from haikei.trackers import PublishResult
from haikei.trackers.contract.review import (
    NoteWrite,
    ReplyWrite,
    ReviewDesk,
    ReviewWrite,
    SeenNote,
    SeenVersion,
    StatusWrite,
)
from support.records import a_background, a_chain, save_background

MORI = Person(id="HumanUser:14", name="K. Mori", name_ja="森健")
KATO = Person(id="HumanUser:15", name="N. Kato", name_ja="加藤望")
PROJECT = Row(type="Project", id=1, name="akane")
TASK = Row(type="Task", id=4, name="bg")
BEGINNING = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def _nothing() -> None: ...


@dataclass(slots=True)
class MemoryDesk(ReviewDesk):
    """
    Versions, Notes and statuses as a tracker keeps them, with a clock of its own.

    Args:
        failures: raised, one after the other, before anything else is done.
        after_look: called when the rows are read and not given back yet; it may raise.
        after_write: called when a change stands and nobody knows; it may raise.
        hides_authors: the tracker cannot tell who set a status.
        refused_statuses: nobody may set these through us.
    """

    versions: dict[int, SeenVersion] = field(default_factory=dict[int, SeenVersion])
    task_status: dict[int, str] = field(default_factory=dict[int, str])
    written: dict[str, Row] = field(default_factory=dict[str, Row])
    replies: list[ReplyWrite] = field(default_factory=list[ReplyWrite])
    questions: list[NoteWrite] = field(default_factory=list[NoteWrite])
    failures: list[Exception] = field(default_factory=list[Exception])
    after_look: Callable[[], None] = _nothing
    after_write: Callable[[], None] = _nothing
    hides_authors: bool = False
    version_statuses: tuple[str, ...] = ("rev", "apr", "fin", "rtk", "hld", "omt")
    task_statuses: tuple[str, ...] = ("wtg", "ip", "fin")
    refused_statuses: tuple[str, ...] = ()
    looks: int = 0
    closed: bool = False
    now: datetime = BEGINNING
    _next: int = 100

    def show(self, version: int, key: str, code: str) -> None:
        """Put a version of ours into the tracker, in review."""
        self.versions[version] = SeenVersion(
            version=Row(type="Version", id=version, name=code),
            key=key,
            project=PROJECT,
            shot=None,
            task=TASK,
            status="rev",
            status_by=None,
            status_at=None,
            notes=(),
            url=f"https://tracker.test/detail/Version/{version}",
        )

    def set_status(self, version: int, status: str, by: Person | None = MORI) -> None:
        """Set a version's status as a person does in the tracker."""
        seen = self.versions[version]
        self.now += timedelta(seconds=1)
        if seen.status != status:
            self.versions[version] = replace(
                seen,
                status=status,
                status_by=None if self.hides_authors else by,
                status_at=None if self.hides_authors else self.now,
            )

    def note(
        self,
        version: int,
        text: str,
        by: Person | None = MORI,
        *,
        reply_to: int | None = None,
        by_us: bool = False,
    ) -> int:
        """Write a Note, or a Reply, as a person does in the tracker; return its id."""
        self._next += 1
        self.now += timedelta(seconds=1)
        seen = self.versions[version]
        one = SeenNote(
            id=self._next,
            reply_to=reply_to,
            author=by,
            by_us=by_us,
            text=text,
            created_at=self.now,
        )
        self.versions[version] = replace(seen, notes=(*seen.notes, one))
        return one.id

    def delete_note(self, version: int, note: int) -> None:
        """Delete a Note."""
        seen = self.versions[version]
        left = tuple(one for one in seen.notes if one.id != note)
        self.versions[version] = replace(seen, notes=left)

    @override
    def look(self, versions: Sequence[int]) -> tuple[SeenVersion, ...]:
        self._fail()
        self.looks += 1
        found = tuple(self.versions[one] for one in versions if one in self.versions)
        self.after_look()
        return found

    @override
    def changed(self, since: datetime) -> tuple[int, ...]:
        self._fail()
        return tuple(sorted(self.versions))

    @override
    def write(self, change: ReviewWrite) -> Row:
        self._fail()
        row = self._write(change)
        self.after_write()
        return row

    @override
    def statuses(self, entity_type: str) -> tuple[str, ...]:
        self._fail()
        return self.version_statuses if entity_type == "Version" else self.task_statuses

    @override
    def close(self) -> None:
        self.closed = True

    def _write(self, change: ReviewWrite) -> Row:
        if isinstance(change, StatusWrite):
            if change.status in self.refused_statuses:
                raise TrackerRejected(f"{change.status} cannot be set.")
            if change.row.type == "Version":
                person = KATO if change.by else None
                self.set_status(change.row.id, change.status, by=person)
            else:
                self.task_status[change.row.id] = change.status
            return change.row
        if change.key in self.written:
            return self.written[change.key]
        if isinstance(change, NoteWrite):
            (link, *_) = change.links
            by_us = not change.by
            author = KATO if change.by else None
            row = Row(
                type="Note",
                id=self.note(link.id, change.text, author, by_us=by_us),
                name=change.subject,
            )
            if not change.key.startswith("page/"):
                self.questions.append(change)
        else:
            self.replies.append(change)
            version = next(
                one.version.id
                for one in self.versions.values()
                if any(note.id == change.note for note in one.notes)
            )
            id_ = self.note(version, change.text, None, reply_to=change.note, by_us=True)
            row = Row(type="Reply", id=id_, name="")
        self.written[change.key] = row
        return row

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


def make_version(
    connection: Connection, desk: MemoryDesk, version: int, *, shot: str = "c001"
) -> JobOrder:
    """Let a job have made the first version of a cut, with the tracker's id `version`."""
    told = a_background(shot, images=a_chain(shot, touch_up_by=()))
    order = JobOrder(
        key=told.key,
        event_key=f"layout-{shot}",
        place=Place(project=told.project, sequence=told.sequence, shot=told.shot),
        layout=Path(f"/show/{shot}.png"),
        layout_sha256="0" * 64,
        layout_name="bg",
        published_file=None,
        recipe="flat",
        season=told.season,
        time=told.time,
        place_hint="",
        priority=100,
        seed=7,
    )
    add_job(connection, {**job_row(order, utc_now()), "state": JobState.RUNNING.value})
    save_background(connection, told)
    finish(connection, desk, order, version, code=told.code)
    return order


def finish(
    connection: Connection, desk: MemoryDesk, order: JobOrder, version: int, *, code: str
) -> None:
    """Let a job whose background is recorded be done."""
    row = Row(type="Version", id=version, name=code)
    desk.show(version, order.key, code)
    url = desk.versions[version].url
    records.published(connection, order.key, tracker_id=version, url=url)
    result = PublishResult(version=row, files=(), layout_file=row, url=url, created=True)
    connection.execute(
        update(jobs)
        .where(jobs.c.key == order.key)
        .values(state=JobState.DONE.value, result_json=result_text(result))
    )


def make_retake(database: Engine, desk: MemoryDesk, key: str, version: int) -> str:
    """Let a retake that waits be made; return the new version's name."""
    with database.begin() as connection:
        text = connection.execute(select(jobs.c.order_json).where(jobs.c.key == key)).scalar_one()
        order = order_of(text)
        place = order.place
        before = records.latest(
            connection,
            project=place.project,
            sequence=place.sequence,
            shot=place.shot,
            season=order.season,
            time=order.time,
        )
        told = a_background(
            place.shot,
            season=order.season,
            time=order.time,
            version=before.version + 1 if before else 1,
            images=a_chain(key, touch_up_by=()),
        )
        save_background(connection, replace(told, key=key))
        finish(connection, desk, order, version, code=told.code)
        return told.code


def end_badly(database: Engine, key: str, state: JobState = JobState.DEAD) -> None:
    """Let a job end without a version."""
    with database.begin() as connection:
        connection.execute(
            update(jobs)
            .where(jobs.c.key == key)
            .values(
                state=state.value, error="The generator failed." if state is JobState.DEAD else ""
            )
        )


def retake_jobs(database: Engine) -> list[JobOrder]:
    """Return the orders of all retakes, in the order in which they were given."""
    with database.connect() as connection:
        texts = connection.execute(
            select(jobs.c.order_json).where(jobs.c.key.startswith("retake-")).order_by(jobs.c.id)
        ).scalars()
        return [order_of(text) for text in texts]
