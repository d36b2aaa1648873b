"""What people decide and write in a tracker in memory, and our answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from haikei.credits import Person
from haikei.errors import TrackerRejected
from haikei.show import Row
from haikei.trackers.contract.feed import EventKind
from haikei.trackers.contract.review import (
    NoteWrite,
    ReplyWrite,
    ReviewWrite,
    SeenNote,
    SeenVersion,
    StatusWrite,
)


def _now() -> datetime:
    return datetime.now(UTC)


def _unheard(_kind: EventKind, _row: int, *, by_us: bool) -> None: ...


def _all_projects(_project: str) -> bool:
    return True


@dataclass(slots=True, kw_only=True)
class MemoryReviewDesk:
    """
    Implements `ReviewDesk` over versions, Notes and statuses.

    Args:
        people: who can sign in, by login.
        version_statuses: the codes that a Version may have.
        task_statuses: the codes that a Task may have.
        clock: gives the present moment.
        on_event: called with what happened, its row, and whether it was done by us.
        heeds: tells whether a project is one of `tracker.projects`.
    """

    people: dict[str, Person] = field(default_factory=dict[str, Person])
    version_statuses: tuple[str, ...] = ("rev", "apr", "fin", "rtk", "hld", "omt")
    task_statuses: tuple[str, ...] = ("wtg", "ip", "fin")
    clock: Callable[[], datetime] = _now
    on_event: Callable[..., None] = _unheard
    heeds: Callable[[str], bool] = _all_projects
    versions: dict[int, SeenVersion] = field(default_factory=dict[int, SeenVersion])
    task_status: dict[int, str] = field(default_factory=dict[int, str])
    written: dict[str, Row] = field(default_factory=dict[str, Row])
    addressed: dict[str, NoteWrite] = field(default_factory=dict[str, NoteWrite])
    answers: dict[str, ReplyWrite] = field(default_factory=dict[str, ReplyWrite])
    changed_at: dict[int, datetime] = field(default_factory=dict[int, datetime])
    next_note: int = 101

    def add(self, version: SeenVersion) -> None:
        """Put a version of ours into the tracker."""
        self.versions[version.version.id] = version
        self.changed_at[version.version.id] = self.clock()

    def delete(self, version: int) -> None:
        """Delete a version."""
        del self.versions[version]

    def set_status(self, version: int, status: str, by: Person | None) -> None:
        """Set a version's status as a person does in the tracker; None: as a script does."""
        seen = self.versions[version]
        if seen.status != status:
            self.changed_at[version] = now = self.clock()
            self.versions[version] = replace(seen, status=status, status_by=by, status_at=now)
            self.on_event(EventKind.VERSION_CHANGED, version, by_us=by is None)

    def note(
        self,
        version: int,
        text: str,
        by: Person | None,
        *,
        reply_to: int | None = None,
        by_us: bool = False,
    ) -> int:
        """Write a Note on a version, or a Reply to one, as a person does; return its id."""
        written = SeenNote(
            id=self.next_note,
            reply_to=reply_to,
            author=by,
            by_us=by_us,
            text=text,
            created_at=self.clock(),
        )
        self.next_note += 1
        self._show(version, written)
        kind = EventKind.NOTE_CHANGED if reply_to is None else EventKind.REPLY_CHANGED
        self.on_event(kind, written.id, by_us=by_us)
        return written.id

    def delete_note(self, version: int, note: int) -> None:
        """Delete a Note."""
        seen = self.versions[version]
        left = tuple(one for one in seen.notes if one.id != note)
        self.versions[version] = replace(seen, notes=left)

    def about(self, note: int) -> tuple[int, ...]:
        """Return the versions on which a Note or Reply stands."""
        return tuple(
            number
            for number, seen in self.versions.items()
            if any(one.id == note for one in seen.notes) and self.heeds(seen.project.name)
        )

    def look(self, versions: Sequence[int]) -> tuple[SeenVersion, ...]:
        """Return those of the versions that there are, in heeded projects."""
        found = (self.versions[one] for one in versions if one in self.versions)
        return tuple(seen for seen in found if self.heeds(seen.project.name))

    def changed(self, since: datetime) -> tuple[int, ...]:
        """Return the versions that changed since then, in order of id."""
        return tuple(sorted(one for one, at in self.changed_at.items() if at >= since))

    def write(self, change: ReviewWrite) -> Row:
        """
        Write one change, once.

        Raises:
            TrackerRejected: there is no such row, or it may not have that status.
        """
        if isinstance(change, StatusWrite):
            return self._set(change)
        if change.key in self.written:
            return self.written[change.key]
        row = self._note(change) if isinstance(change, NoteWrite) else self._reply(change)
        self.written[change.key] = row
        return row

    def statuses(self, entity_type: str) -> tuple[str, ...]:
        """Return the codes that rows of this type may have."""
        return self.version_statuses if entity_type == "Version" else self.task_statuses

    def close(self) -> None:
        """Nothing is open."""

    def _set(self, change: StatusWrite) -> Row:
        if change.status not in self.statuses(change.row.type):
            raise TrackerRejected(
                f"{change.status!r} is not a valid status of a {change.row.type}.",
                advice="Correct review.statuses.",
            )
        if change.row.type != "Version":
            self.task_status[change.row.id] = change.status
        elif change.row.id in self.versions:
            self.set_status(change.row.id, change.status, self.people.get(change.by))
        else:
            raise TrackerRejected(f"The tracker has no Version {change.row.id}.")
        return change.row

    def _note(self, change: NoteWrite) -> Row:
        self.addressed[change.key] = change
        versions = [
            link.id for link in change.links if link.type == "Version" and link.id in self.versions
        ]
        author = self.people.get(change.by)
        if not versions:
            # It stands on a playlist or a shot, where no reviewer looks.
            self.next_note += 1
            return Row(type="Note", id=self.next_note - 1, name=change.subject)
        first, *others = versions
        number = self.note(first, change.text, author, by_us=not change.by)
        for other in others:
            self._show(other, self._seen(number))
        return Row(type="Note", id=number, name=change.subject)

    def _reply(self, change: ReplyWrite) -> Row:
        self.answers[change.key] = change
        about = self.about(change.note)
        if not about:
            raise TrackerRejected(f"The tracker has no Note {change.note}.")
        number = self.note(about[0], change.text, None, reply_to=change.note, by_us=True)
        if change.link is not None and change.link.id not in about:
            self._show(change.link.id, self._seen(change.note))
        return Row(type="Reply", id=number, name="")

    def _seen(self, note: int) -> SeenNote:
        return next(one for seen in self.versions.values() for one in seen.notes if one.id == note)

    def _show(self, version: int, note: SeenNote) -> None:
        seen = self.versions[version]
        self.versions[version] = replace(seen, notes=(*seen.notes, note))
        self.changed_at[version] = self.clock()
