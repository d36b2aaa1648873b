"""Haikei's own mark in the `data` of a preview or an output file, and how one is found by it."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from haikei.show import Row
from haikei.trackers.contract.credits import StatedCredits
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.numbering import Numbering
from haikei.trackers.kitsu.rows import PreviewRow, TaskRow

MARK = "haikei"
VERSION, FILE, TASK, NOTE, REPLY = "Version", "PublishedFile", "Task", "Note", "Reply"
#: A link in a comment of ours that carries its key: Kitsu takes it with the comment at once.
LINKED = "haikei:"


class Mark(BaseModel):
    """What Haikei keeps with a row of its own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    key: str
    code: str = ""
    number: int = 0
    stream: str = ""
    status: str = ""  #: of a version that is not the task's newest any more
    status_by: str = ""
    notes: tuple[str, ...] = ()  #: comments that are about it as well, wherever they stand
    record: str = ""
    upstream: str = ""
    credit_en: str = ""
    credit_ja: str = ""
    roles: str = ""
    system: str = ""
    source_type: str = ""
    ledger_index: int = -1
    record_link: str = ""

    def wire(self, besides: Mapping[str, Any]) -> dict[str, object]:
        """Return a row's `data` with this mark in it."""
        return {**besides, MARK: self.model_dump()}


def mark_of(data: Mapping[str, Any]) -> Mark | None:
    """Return our mark in a row's `data`; None where it is not ours."""
    try:
        return Mark.model_validate(data[MARK])
    except (KeyError, ValidationError):
        return None


def stated(stated_credits: StatedCredits) -> dict[str, str | int]:
    """Return credits as a mark holds them."""
    return {
        "credit_en": stated_credits.credit_en,
        "credit_ja": stated_credits.credit_ja,
        "roles": stated_credits.roles,
        "system": stated_credits.system,
        "source_type": stated_credits.source_type,
        "ledger_index": stated_credits.ledger_index,
        "record_link": stated_credits.record_link,
    }


def key_link(key: str) -> str:
    """Return the link that a comment of ours carries."""
    return f"{LINKED}{key}"


class KitsuVersions:
    """The previews that are versions of ours."""

    def __init__(self, site: KitsuSite, numbering: Numbering) -> None:
        self._site = site
        self._numbering = numbering

    def of_task(self, task: str) -> tuple[PreviewRow, ...]:
        """Return our versions on a task, oldest first."""
        rows = self._site.rows(PreviewRow, "data/preview-files", task_id=task)
        ours = [one for one in rows if mark_of(one.data) is not None]
        return tuple(sorted(ours, key=lambda one: (one.revision, one.position)))

    def marks(self, task: str) -> list[Mark]:
        """Return the marks of our versions on a task, oldest first."""
        return [mark for one in self.of_task(task) if (mark := mark_of(one.data)) is not None]

    def numbered(self, number: int) -> PreviewRow | None:
        """Return a version by its number; None when it is gone, or not ours."""
        uid = self._numbering.uid(VERSION, number)
        row = self._site.row(PreviewRow, f"data/preview-files/{uid}") if uid else None
        return row if row is not None and mark_of(row.data) is not None else None

    def row(self, preview: PreviewRow, task: TaskRow) -> Row:
        """Return a version's row, with its number."""
        mark = mark_of(preview.data)
        path = f"{task_path(task)}previews/{preview.id}"
        return Row(
            type=VERSION,
            id=self._numbering.number(VERSION, preview.id, path),
            name=mark.code if mark and mark.code else preview.name,
        )


def task_path(task: TaskRow) -> str:
    """Return where people look at a task, below the server's address."""
    return f"/productions/{task.project_id}/shots/tasks/{task.id}/"


def read_task(site: KitsuSite, uid: str) -> TaskRow | None:
    """Return a task with its assignees; None when it is not there."""
    return site.row(TaskRow, f"data/tasks/{uid}?relations=true")
