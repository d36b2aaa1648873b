"""A notice: one thing that people are to learn, kept until every channel has delivered it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, String, cast, exists, literal, select

from haikei.database import backgrounds, inserting, jobs, notices, utc_now
from haikei.errors import ParentUnknown, TouchUpRefused


class NoticeKind(StrEnum):
    """What a notice is about; `notifications.on` names these, but for two that come with others."""

    DEAD = "dead"  #: a job will not go on by itself
    QUESTION = "question"  #: a person must decide
    TOUCH_UP = "touch_up"  #: a question too: what was a touch-up painted over
    CHECKPOINT = "checkpoint"  #: the ledger is not any more what was sealed
    READY = "ready"  #: a version is in review
    HOOK = "hook"  #: as what is dead: a program of the studio did not take what it was told


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell."""

    key: str  #: ours; what has the same key is told once
    kind: NoticeKind
    text: str
    url: str = ""  #: where a person can look at it


def note(connection: Connection, told: Notice, *, at: datetime | None = None) -> None:
    """Keep a notice in the caller's transaction, until it is told; the same key once."""
    note_all(connection, (told,), at=at)


def note_all(connection: Connection, told: Iterable[Notice], *, at: datetime | None = None) -> None:
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
        for one in told
    ]
    if rows:
        statement = inserting(connection, notices).on_conflict_do_nothing(index_elements=["key"])
        connection.execute(statement, rows)


#: As jobs and backgrounds say it, in layers above and below this one.
_DEAD, _IN_REVIEW = "dead", "in_review"
#: Touch-ups about which people were asked: that was noted then, and is no failure.
_ASKED = (jobs.c.kind == "touch_up") & jobs.c.error_kind.in_(
    (ParentUnknown.__name__, TouchUpRefused.__name__)
)
#: Notices that are made at once; what is left comes in the next round.
_BATCH = 1000


def gather(connection: Connection, kinds: Collection[NoticeKind], now: datetime) -> None:
    """
    Note dead letters and versions in review, once each.

    Questions and refused checkpoints are noted by those who come upon them.
    """
    for kind in kinds:
        if find := _FINDERS.get(kind):
            note_all(connection, find(connection), at=now)


def _dead(connection: Connection) -> list[Notice]:
    key = literal("dead/") + jobs.c.key + "/" + cast(jobs.c.run, String)
    query = select(key.label("notice"), jobs).where(
        jobs.c.state == _DEAD, ~_ASKED, ~exists().where(notices.c.key == key)
    )
    found: list[Notice] = []
    for row in connection.execute(query.order_by(jobs.c.id).limit(_BATCH)):
        place = "/".join(part for part in (row.project, row.sequence, row.shot) if part)
        background = " ".join(part for part in (row.season, row.time) if part)
        what = ", ".join(part for part in (place, background) if part) or row.layout
        text = f"{what}: {row.error or row.note} (haikei jobs show {row.key})"
        found.append(Notice(key=row.notice, kind=NoticeKind.DEAD, text=text))
    return found


def _ready(connection: Connection) -> list[Notice]:
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
            text=f"{row.project}/{row.sequence}: {row.code}",
            url=row.url,
        )
        for row in connection.execute(query.order_by(backgrounds.c.created_at).limit(_BATCH))
    ]


_FINDERS: Mapping[NoticeKind, Callable[[Connection], list[Notice]]] = {
    NoticeKind.DEAD: _dead,
    NoticeKind.READY: _ready,
}
