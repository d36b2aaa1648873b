"""A notice: one thing that people are to learn, kept until every channel has delivered it."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, String, cast, exists, literal, select

from haikei.database import backgrounds, begins_with, files, inserting, jobs, notices, utc_now
from haikei.errors import ParentUnknown, TouchUpRefused


class NoticeKind(StrEnum):
    """What a notice is about; `notifications.on` names these; some come with others."""

    DEAD = "dead"  #: a job will not go on by itself
    QUESTION = "question"  #: a person must decide
    TOUCH_UP = "touch_up"  #: a question too: what was a touch-up painted over
    CHECKPOINT = "checkpoint"  #: the ledger is not any more what was sealed
    MISPLACED = "misplaced"  #: a question too: files that may be layouts by a wrong name
    SAME = "same"  #: an answer: a file holds a drawing that was taken before
    READY = "ready"  #: a version is in review
    TROUBLE = "trouble"  #: something is wrong with the whole studio, not with one job
    HOOK = "hook"  #: as what is dead: a program of the studio did not take what was sent to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell."""

    key: str  #: ours; what has the same key is sent once
    kind: NoticeKind
    text: str
    url: str = ""  #: where a person can look at it


def note(connection: Connection, notice: Notice, *, at: datetime | None = None) -> None:
    """Keep a notice in the caller's transaction, until it is sent; the same key once."""
    note_all(connection, (notice,), at=at)


def note_all(connection: Connection, new: Iterable[Notice], *, at: datetime | None = None) -> None:
    """Keep many notices, as `note` does."""
    moment = at or utc_now()
    rows = [
        {
            "key": one.key,
            "kind": one.kind.value,
            "text": one.text,
            "url": one.url,
            "noted_at": moment,
        }
        for one in new
    ]
    if rows:
        statement = inserting(connection, notices).on_conflict_do_nothing(index_elements=["key"])
        connection.execute(statement, rows)


#: As jobs, backgrounds and the watcher say it, in layers above and below this one.
_DEAD, _IN_REVIEW, _SKIPPED = "dead", "in_review", "skipped"
_SAME_DRAWING, _MISPLACED = "SameDrawing", "misplaced"
_DAY = timedelta(days=1)
_LOOKUP = 500
#: Touch-ups about which people were asked: that was noted then, and is no failure.
_ASKED = (jobs.c.kind == "touch_up") & jobs.c.error_kind.in_(
    (ParentUnknown.__name__, TouchUpRefused.__name__)
)
#: Notices that are made at once; what is left comes in the next round.
_BATCH = 1000


def gather(connection: Connection, kinds: Collection[NoticeKind], now: datetime) -> None:
    """
    Note dead letters, misplaced files, answers and versions in review, once each.

    Questions and refused checkpoints are noted by those who come upon them.
    """
    for kind in kinds:
        if find := _FINDERS.get(kind):
            note_all(connection, find(connection, now), at=now)


def _dead(connection: Connection, _now: datetime) -> list[Notice]:
    key = literal("dead/") + jobs.c.key + "/" + cast(jobs.c.run, String)
    query = select(key.label("notice"), jobs).where(
        jobs.c.state == _DEAD, ~_ASKED, ~exists().where(notices.c.key == key)
    )
    found: list[Notice] = []
    for row in connection.execute(query.order_by(jobs.c.id).limit(_BATCH)):
        place = "/".join(
            part for part in (row.project, row.episode, row.sequence, row.shot) if part
        )
        background = " ".join(part for part in (row.season, row.time) if part)
        what = ", ".join(part for part in (place, background) if part) or row.layout
        text = f"{what}: {row.error or row.note} (haikei jobs show {row.key})"
        found.append(Notice(key=row.notice, kind=NoticeKind.DEAD, text=text))
    return found


def healed() -> ColumnElement[bool]:
    """Return the condition that a notice is of a dead letter that went before it was sent."""
    key = literal("dead/") + jobs.c.key + "/" + cast(jobs.c.run, String)
    still = exists().where(jobs.c.state == _DEAD, key == notices.c.key)
    return (notices.c.kind == NoticeKind.DEAD.value) & begins_with(notices.c.key, "dead/") & ~still


def _misplaced(connection: Connection, now: datetime) -> list[Notice]:
    """
    Return a notice for each folder in which files lie that may be layouts by a wrong name.

    A folder is reported once a day, and again only for files that came since; one that another
    source took is no question.
    """
    seen = connection.execute(
        select(files.c.path, files.c.reason, files.c.seen_at)
        .where(files.c.state == _MISPLACED, files.c.seen_at > now - 2 * _DAY)
        .order_by(files.c.path)
    ).all()
    if not seen:
        return []
    prefix = f"{_MISPLACED}/"
    reported: dict[str, datetime] = {}
    for key, noted_at in connection.execute(
        select(notices.c.key, notices.c.noted_at)
        .where(notices.c.key >= prefix, notices.c.key < f"{prefix}~")
        .order_by(notices.c.noted_at)
    ):
        reported[key.split("/")[1]] = noted_at
    folders: dict[str, list[tuple[str, str]]] = {}
    for row in seen:
        folder, _, name = row.path.rpartition("/")
        last = reported.get(_digest(folder))
        if last is None or (now - last >= _DAY and row.seen_at > last):
            folders.setdefault(folder, []).append((name, row.reason))
    paths = [f"{folder}/{name}" for folder, found in folders.items() for name, _ in found]
    taken: set[str] = set()
    for start in range(0, len(paths), _LOOKUP):
        here = jobs.c.layout.in_(paths[start : start + _LOOKUP])
        taken.update(connection.execute(select(jobs.c.layout).where(here)).scalars())
    notices_: list[Notice] = []
    for folder, found in folders.items():
        left = [(name, why) for name, why in found if f"{folder}/{name}" not in taken]
        if left:
            name, why = left[0]
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            key = f"{prefix}{_digest(folder)}/{now:%Y-%m-%d}"
            text = (
                f"{folder}: {name}{more} may be meant as layouts and were not taken. {why} "
                "Rename them; `haikei watch --explain PATH` says more."
            )
            notices_.append(Notice(key=key, kind=NoticeKind.MISPLACED, text=text))
    return notices_


def _digest(folder: str) -> str:
    return hashlib.sha256(folder.encode()).hexdigest()[:32]


def _same(connection: Connection, _now: datetime) -> list[Notice]:
    key = literal("same/") + jobs.c.key
    query = select(key.label("notice"), jobs.c.layout, jobs.c.note).where(
        jobs.c.state == _SKIPPED,
        jobs.c.error_kind == _SAME_DRAWING,
        ~exists().where(notices.c.key == key),
    )
    return [
        Notice(key=row.notice, kind=NoticeKind.SAME, text=f"{row.layout}: {row.note}")
        for row in connection.execute(query.order_by(jobs.c.id).limit(_BATCH))
    ]


def _ready(connection: Connection, _now: datetime) -> list[Notice]:
    key = literal("ready/") + backgrounds.c.key
    query = select(key.label("notice"), backgrounds).where(
        backgrounds.c.state == _IN_REVIEW,
        backgrounds.c.tracker_id.is_not(None),
        ~exists().where(notices.c.key == key),
    )
    return [
        Notice(
            key=row.notice,
            kind=NoticeKind.READY,
            text=f"{'/'.join(filter(None, (row.project, row.episode, row.sequence)))}: {row.code}",
            url=row.url,
        )
        for row in connection.execute(query.order_by(backgrounds.c.created_at).limit(_BATCH))
    ]


_FINDERS: Mapping[NoticeKind, Callable[[Connection, datetime], list[Notice]]] = {
    NoticeKind.DEAD: _dead,
    NoticeKind.MISPLACED: _misplaced,
    NoticeKind.SAME: _same,
    NoticeKind.READY: _ready,
}
