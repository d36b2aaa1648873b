"""
The inbox: where every source puts what happened, once each, and from where jobs are made.

A source calls `receive` in the very transaction in which it notes its own progress, so neither
can be lost without the other.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Table, bindparam, delete, func, insert, select, update

from haikei.credits import people
from haikei.database import events, inserting, jobs, utc_now
from haikei.events import Event, LayoutPublished, Source, TouchUpPublished
from haikei.jobs.healing import SUPERSEDED, answer, is_gone, taken, was_superseded
from haikei.jobs.job import JobState, Step
from haikei.jobs.table import touch_up_of, touch_up_text
from haikei.show import Place

LAYOUT = "layout_published"
TOUCH_UP = "touch_up_published"
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_LOOKUP = 500
#: Kind, payload and source of an event, as its row has them.
_EventRow = tuple[str, str, str]
#: Built once: with the keys written into it, the library looks at each of them.
_ROWS_OF = select(events.c.key, events.c.kind, events.c.payload, events.c.source).where(
    events.c.key.in_(bindparam("keys", expanding=True))
)


def receive(connection: Connection, event: Event) -> bool:
    """Note an event; return False when it was known already, from any source."""
    return receive_all(connection, [event]).new == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What became of events that the inbox was given."""

    keys: tuple[str, ...]  #: under which each of them is kept, in their order
    new: int  #: how many were not known yet


def receive_all(connection: Connection, published: Sequence[Event]) -> Received:
    """
    Note many events in one statement.

    A touch-up's row in the tracker replaces what is known from a folder, and so does a new name or
    a corrected row: the touch-up is dispatched again, unless it is a version by then.

    A layout that comes again from another file was moved there, or holds a drawing that was taken
    before: the first goes on from its new place, the second is answered. One that was saved back
    to what it held before, while its job gave way, is made after all.
    """
    if not published:
        return Received(keys=(), new=0)
    # A key is a hash over a place and a content: each is made once.
    plain = [event.key for event in published]
    found = _rows_of(connection, plain)
    keyed = _told_apart(connection, zip(plain, published, strict=True), found)
    keys = tuple(key for key, _ in keyed)
    found |= _rows_of(connection, list({*keys}.difference(plain)))
    known = {key: payload for key, (_, payload, _) in found.items()}
    printed = [_as_printed(connection, event) for _, event in keyed]
    now = utc_now()
    rows = [_row(event, key, now) for key, event in zip(keys, printed, strict=True)]
    statement = inserting(connection, events).on_conflict_do_nothing(index_elements=["key"])
    new = connection.execute(statement, rows).rowcount
    for key, event, row in zip(keys, printed, rows, strict=True):
        if isinstance(event, TouchUpPublished):
            _update_touch_up(connection, event, str(row["payload"]))
        elif key in known:
            _seen_again(connection, event, known[key])
        else:
            known[key] = str(row["payload"])
        if isinstance(event, LayoutPublished) and event.published_by:
            _note_publisher(connection, event)
    return Received(keys=keys, new=new)


def told_apart(connection: Connection, published: Sequence[Event]) -> list[Event]:
    """
    Return events with the keys under which they are received.

    The same bytes in two sequences or episodes that have a shot of one name are two events, and
    the second of them gets a key of its own. One file is one event, whatever its sources call its
    place; it is two only where two rows of the tracker link it to two shots.
    """
    keyed = [(event.key, event) for event in published]
    rows = _rows_of(connection, [key for key, _ in keyed])
    return [event for _, event in _told_apart(connection, keyed, rows)]


def _told_apart(
    connection: Connection, keyed: Iterable[tuple[str, Event]], rows: Mapping[str, _EventRow]
) -> list[tuple[str, Event]]:
    """Do what `told_apart` does, for events whose keys and rows are known; keys come along."""
    holders = {key: _event(*row) for key, row in rows.items()}
    found: list[tuple[str, Event]] = []
    for plain, event in keyed:
        key, one = plain, event
        holder = holders.get(key)
        if holder is not None and not one.apart and _is_elsewhere(connection, one, holder):
            one = replace(one, apart=True)
            key = one.key
        holders.setdefault(key, one)
        found.append((key, one))
    return found


def _is_elsewhere(connection: Connection, event: Event, holder: Event) -> bool:
    there = holder.place
    # What a path left open, its job may have found in the tracker since.
    found = connection.execute(
        select(jobs.c.episode, jobs.c.sequence).where(jobs.c.event_key == holder.key).limit(1)
    ).first()
    if found is not None:
        there = replace(
            there,
            episode=there.episode or found.episode,
            sequence=there.sequence or found.sequence,
        )
    if event.place.may_be(there):
        return False
    rows = (event.published_file, holder.published_file)
    if None not in rows:
        return rows[0] != rows[1]
    return os.path.realpath(_file_of(event)) != os.path.realpath(_file_of(holder))


def _file_of(event: Event) -> Path:
    return event.layout if isinstance(event, LayoutPublished) else event.file


def keys_of(connection: Connection, kind: str, place: Place, sha256: str) -> tuple[str, ...]:
    """Return the keys of events of this kind about these bytes in this place, however spelt."""
    query = select(events.c.key, events.c.kind, events.c.payload, events.c.source).where(
        events.c.kind == kind, events.c.payload.contains(sha256, autoescape=True)
    )
    found = (
        (row.key, _event(row.kind, row.payload, row.source)) for row in connection.execute(query)
    )
    return tuple(
        key for key, event in found if event.sha256 == sha256 and place.may_be(event.place)
    )


def _rows_of(connection: Connection, keys: Sequence[str]) -> dict[str, _EventRow]:
    found: dict[str, _EventRow] = {}
    for start in range(0, len(keys), _LOOKUP):
        asked = {"keys": keys[start : start + _LOOKUP]}
        for key, kind, payload, source in connection.execute(_ROWS_OF, asked):
            found[key] = (kind, payload, source)
    return found


def _row(event: Event, key: str, now: datetime) -> dict[str, object]:
    return {
        "key": key,
        "kind": LAYOUT if isinstance(event, LayoutPublished) else TOUCH_UP,
        "source": event.source.value,
        "payload": _dump(event),
        "received_at": now,
    }


def _seen_again(connection: Connection, event: LayoutPublished, payload: str) -> None:
    known = _load(payload, event.source)
    if event.published_by and known.published_by not in {"", event.published_by}:
        return  # it is asked who drew it
    here = known.layout == event.layout
    if was_superseded(connection, event.key) or (not here and is_gone(known.layout)):
        # Where it stands now, and all that is known of its row.
        row = event.published_file or known.published_file
        by = event.published_by or known.published_by
        _announce_anew(connection, replace(event, published_file=row, published_by=by))
    elif not here and os.path.realpath(known.layout) != os.path.realpath(event.layout):
        answer(connection, event, known.layout)


def _announce_anew(connection: Connection, event: LayoutPublished) -> None:
    # A row of its own behind all others: dispatch takes events in the order of their rows.
    connection.execute(delete(events).where(events.c.key == event.key))
    connection.execute(insert(events), _row(event, event.key, utc_now()))


def event_of(connection: Connection, key: str) -> LayoutPublished | None:
    """Return a layout as it was announced last."""
    row = connection.execute(
        select(events.c.payload, events.c.source).where(
            events.c.key == key, events.c.kind == LAYOUT
        )
    ).first()
    return None if row is None else _load(row.payload, Source(row.source))


def _as_printed(connection: Connection, event: Event) -> Event:
    # The tracker may still hold a name that was erased here.
    if not isinstance(event, TouchUpPublished):
        return event
    return replace(
        event,
        artists=tuple(people.as_printed(connection, event.artists)),
        candidates=tuple(people.as_printed(connection, event.candidates)),
    )


def _update_touch_up(connection: Connection, event: TouchUpPublished, payload: str) -> None:
    query = select(events.c.payload).where(events.c.key == event.key)
    known = touch_up_of(connection.execute(query).scalar_one())
    same = replace(known, source=event.source, at=event.at) == event
    if same or (known.from_tracker and not event.from_tracker):
        return
    connection.execute(
        update(events)
        .where(events.c.key == event.key)
        .values(payload=payload, source=event.source.value, dispatched_at=None)
    )


def _note_publisher(connection: Connection, event: LayoutPublished) -> None:
    """Note who published a drawing first; by another person it is an event of its own."""
    here = events.c.key == event.key
    row = connection.execute(select(events.c.payload, events.c.source).where(here)).one()
    known = _load(row.payload, Source(row.source))
    if not known.published_by:
        row_of = known.published_file or event.published_file
        seen = replace(known, published_by=event.published_by, published_file=row_of)
        connection.execute(update(events).where(here).values(payload=_dump(seen)))
    elif known.published_by != event.published_by:
        file = f" (PublishedFile {known.published_file})" if known.published_file else ""
        rival = replace(event, published_before_by=f"{known.published_by}{file}")
        connection.execute(
            inserting(connection, events).on_conflict_do_nothing(index_elements=["key"]),
            _row(rival, rival.key, utc_now()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A file that will not become a job, and why."""

    key: str  #: as `refusal_key` gives it
    layout: Path
    source: Source
    reason: str
    kind: str  #: the error's class name
    sha256: str = ""  #: of the file's bytes; empty where they do not matter to it


def refusal_key(*state: str) -> str:
    """
    Return the key of a refusal, of what was refused in this very state.

    A corrected file or row is judged anew, and the same one is refused once only,
    whichever source finds it. A file's state is its path, size, time in nanoseconds and SHA-256.
    """
    return "refused-" + hashlib.sha256("\0".join(state).encode()).hexdigest()[:32]


def refuse(connection: Connection, refusal: Refusal) -> bool:
    """
    Put a refused file among the dead letters; return False when it stood there already.

    A file that another source has handed over is never refused.
    """
    if taker(connection, refusal):
        return False
    now = utc_now()
    row = {
        "key": refusal.key,
        "event_key": refusal.key,
        "state": JobState.DEAD.value,
        "step": Step.DETECT.value,
        "layout": str(refusal.layout),
        "error": refusal.reason,
        "error_kind": refusal.kind,
        "created_at": now,
        "finished_at": now,
        "updated_at": now,
    }
    if _insert_new(connection, jobs, row):
        return True
    # It was taken off the dead letters, and stands there again as it was.
    back = update(jobs).where(jobs.c.key == refusal.key, jobs.c.error_kind == SUPERSEDED)
    return connection.execute(back.values(**row, note="")).rowcount == 1


def taker(connection: Connection, refusal: Refusal) -> str:
    """Return the key of the event by which a refused file was handed over; empty for none."""
    key, sha256 = taken(connection, str(refusal.layout)) or ("", "")
    return key if not refusal.sha256 or refusal.sha256 == sha256 else ""


def add_job(connection: Connection, row: Mapping[str, object]) -> bool:
    """Put a job's row into the table; return False when one of its key stood there already."""
    return _insert_new(connection, jobs, row)


def oldest_undispatched(connection: Connection) -> datetime | None:
    """Return since when a layout waits for its jobs; a touch-up may wait for what it stands on."""
    waiting = events.c.dispatched_at.is_(None), events.c.kind == LAYOUT
    return connection.execute(select(func.min(events.c.received_at)).where(*waiting)).scalar()


def undispatched(connection: Connection, limit: int) -> Sequence[Event]:
    """Return events for which there are no jobs yet, oldest first."""
    rows = connection.execute(
        select(events.c.kind, events.c.payload, events.c.source)
        .where(events.c.dispatched_at.is_(None))
        .order_by(events.c.id)
        .limit(limit)
    )
    return [_event(row.kind, row.payload, row.source) for row in rows]


def received(connection: Connection, key: str) -> Event | None:
    """Return the event of this key; None where there is none."""
    query = select(events.c.kind, events.c.payload, events.c.source).where(events.c.key == key)
    row = connection.execute(query).first()
    return None if row is None else _event(row.kind, row.payload, row.source)


def mark_dispatched(connection: Connection, keys: Sequence[str]) -> None:
    """Note that jobs stand for these events."""
    connection.execute(update(events).where(events.c.key.in_(keys)).values(dispatched_at=utc_now()))


def _insert_new(connection: Connection, table: Table, row: Mapping[str, object]) -> bool:
    statement = inserting(connection, table).on_conflict_do_nothing(index_elements=["key"])
    return connection.execute(statement, dict(row)).rowcount == 1


def _dump(event: Event) -> str:
    if isinstance(event, TouchUpPublished):
        return touch_up_text(event)
    return _ENCODER.encode(
        {
            "project": event.place.project,
            "episode": event.place.episode,
            "sequence": event.place.sequence,
            "shot": event.place.shot,
            "layout": str(event.layout),
            "sha256": event.sha256,
            "name": event.name,
            "version": event.version,
            "published_file": event.published_file,
            "published_by": event.published_by,
            "published_before_by": event.published_before_by,
            "apart": event.apart,
            "at": event.at.isoformat(),
        }
    )


def _event(kind: str, payload: str, source: str) -> Event:
    return touch_up_of(payload) if kind == TOUCH_UP else _load(payload, Source(source))


def _load(payload: str, source: Source) -> LayoutPublished:
    data = json.loads(payload)
    return LayoutPublished(
        place=Place(
            project=data["project"],
            episode=data.get("episode", ""),
            sequence=data["sequence"],
            shot=data["shot"],
        ),
        layout=Path(data["layout"]),
        sha256=data["sha256"],
        name=data["name"],
        version=data["version"],
        published_file=data["published_file"],
        source=source,
        at=datetime.fromisoformat(data["at"]),
        published_by=data.get("published_by", ""),
        published_before_by=data.get("published_before_by", ""),
        apart=data.get("apart", False),
    )
