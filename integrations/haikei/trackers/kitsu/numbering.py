"""
Numbers for the rows of a server whose own ids are none.

Kitsu names everything by UUIDs, and its audit log has neither numbers nor an order within one
second. The state gives each id a number when it is first met, without gaps within its kind, so
that above this adapter rows and events are numbered as everywhere. Numbers never change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError

from haikei.database import open_database, reading, tracker_numbers

#: Ids that one query names at most.
_CHUNK = 400
#: How often two processes may give the same number before one of them gives up.
_TRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A row's number, the server's own id of it, and what was noted of it."""

    number: int
    uid: str
    note: str


class Numbering:
    """
    The numbers of one server's rows, by kind, such as `Version`; processes may share them.

    Args:
        database_url: the studio's state.
        tracker: the server's address.
    """

    def __init__(self, database_url: str, tracker: str) -> None:
        self._url = database_url
        self._tracker = tracker
        self._known: dict[tuple[str, str], Numbered] = {}

    def number(self, kind: str, uid: str, note: str = "") -> int:
        """Return the number of a row; it gets one when it has none."""
        return self.numbers(kind, [(uid, note)])[0]

    def numbers(self, kind: str, rows: Sequence[tuple[str, str]]) -> tuple[int, ...]:
        """Return the numbers of rows, each an id and a note; new ones get theirs in order."""
        if any((kind, uid) not in self._known for uid, _ in rows):
            self._meet(kind, rows)
        return tuple(self._known[kind, uid].number for uid, _ in rows)

    def uid(self, kind: str, number: int) -> str | None:
        """Return the server's id of a numbered row; None for a number that was never given."""
        found = self.numbered(kind, [number])
        return found[0].uid if found else None

    def numbered(self, kind: str, numbers: Sequence[int]) -> tuple[Numbered, ...]:
        """Return those rows of these numbers that there are, in their order."""
        wanted = tracker_numbers.c.number.in_(list(numbers))
        found = {one.number: one for one in self._select(kind, wanted)}
        return tuple(found[number] for number in numbers if number in found)

    def unknown(self, kind: str, uids: Sequence[str]) -> frozenset[str]:
        """Return those of these ids that have no number yet."""
        known: set[str] = set()
        for start in range(0, len(uids), _CHUNK):
            some = tracker_numbers.c.uid.in_(uids[start : start + _CHUNK])
            known.update(one.uid for one in self._select(kind, some))
        return frozenset(uids) - known

    def after(self, kind: str, number: int, until: int | None, limit: int) -> tuple[Numbered, ...]:
        """Return rows with `number < theirs <= until` in order, at most `limit`."""
        table = tracker_numbers.c
        conditions = [table.number > number]
        if until is not None:
            conditions.append(table.number <= until)
        return self._select(kind, *conditions, limit=limit)

    def newest(self, kind: str) -> Numbered | None:
        """Return the row that was met last."""
        found = self._select(kind, limit=1, newest_first=True)
        return found[0] if found else None

    def noted(self, kind: str, note: str) -> Numbered | None:
        """Return the first row of which this was noted."""
        return next(iter(self._select(kind, tracker_numbers.c.note == note, limit=1)), None)

    def note(self, kind: str, uid: str, note: str) -> None:
        """Note something else of a row that has a number."""
        table = tracker_numbers.c
        with self._database.begin() as connection:
            connection.execute(
                tracker_numbers.update()
                .where(table.tracker == self._tracker, table.kind == kind, table.uid == uid)
                .values(note=note)
            )

    @property
    def _database(self) -> Engine:
        return _opened(self._url)

    def _select(
        self, kind: str, *conditions: object, limit: int = 0, newest_first: bool = False
    ) -> tuple[Numbered, ...]:
        table = tracker_numbers.c
        order = table.number.desc() if newest_first else table.number
        query = (
            select(table.number, table.uid, table.note)
            .where(table.tracker == self._tracker, table.kind == kind, *conditions)  # type: ignore[arg-type]
            .order_by(order)
        )
        if limit:
            query = query.limit(limit)
        with reading(self._database) as connection:
            rows = connection.execute(query).all()
        return tuple(Numbered(number=row.number, uid=row.uid, note=row.note) for row in rows)

    def _meet(self, kind: str, rows: Sequence[tuple[str, str]]) -> None:
        for attempt in range(_TRIES):
            try:
                self._give(kind, rows)
            except IntegrityError:
                # Another process gave these numbers at the same moment.
                if attempt + 1 == _TRIES:
                    raise
            else:
                return

    def _give(self, kind: str, rows: Sequence[tuple[str, str]]) -> None:
        table = tracker_numbers.c
        here = (table.tracker == self._tracker, table.kind == kind)
        uids = list(dict.fromkeys(uid for uid, _ in rows))
        notes = dict(rows)
        with self._database.begin() as connection:
            known: dict[str, Numbered] = {}
            for start in range(0, len(uids), _CHUNK):
                some = uids[start : start + _CHUNK]
                query = select(table.number, table.uid, table.note)
                for row in connection.execute(query.where(*here, table.uid.in_(some))):
                    known[row.uid] = Numbered(number=row.number, uid=row.uid, note=row.note)
            new = [uid for uid in uids if uid not in known]
            if new:
                last = connection.scalar(select(func.max(table.number)).where(*here)) or 0
                for number, uid in enumerate(new, start=last + 1):
                    known[uid] = Numbered(number=number, uid=uid, note=notes[uid])
                connection.execute(
                    tracker_numbers.insert(),
                    [
                        {
                            "tracker": self._tracker,
                            "kind": kind,
                            "number": known[uid].number,
                            "uid": uid,
                            "note": known[uid].note,
                        }
                        for uid in new
                    ],
                )
        self._known |= {(kind, uid): one for uid, one in known.items()}


@cache
def _opened(url: str) -> Engine:
    return open_database(url)
