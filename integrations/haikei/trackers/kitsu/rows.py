"""The rows of a Kitsu server, as far as Haikei reads them; what else an answer holds is left."""

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict


def _aware(moment: datetime) -> datetime:
    # The server writes UTC without saying so.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _text(value: object) -> object:
    return "" if value is None else value


def _listed(value: object) -> object:
    return value if isinstance(value, list) else ()


def _filled(value: object) -> object:
    return {} if value is None else value


Moment = Annotated[datetime, AfterValidator(_aware)]
Text = Annotated[str, BeforeValidator(_text)]
Data = Annotated[dict[str, Any], BeforeValidator(_filled)]


class KitsuRow(BaseModel):
    """A row with the id that the server gave it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str


class ProjectRow(KitsuRow):
    """A production."""

    name: str
    code: Text = ""
    data: Data

    @property
    def path_name(self) -> str:
        """What paths call it: its code where it has one."""
        return self.code or self.name


class EntityRow(KitsuRow):
    """An episode, a sequence or a shot."""

    name: str
    type: str = ""
    project_id: str
    parent_id: str | None = None
    canceled: bool = False
    data: Data


class TypeRow(KitsuRow):
    """A task type or an output type."""

    name: str


class StatusRow(KitsuRow):
    """A task status."""

    name: str
    short_name: str
    archived: bool = False


class PersonRow(KitsuRow):
    """Somebody who can sign in, or a bot."""

    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    desktop_login: Text = ""
    active: bool = True
    is_bot: bool = False
    data: Data


class TaskRow(KitsuRow):
    """A task of an entity."""

    name: str
    project_id: str
    entity_id: str
    task_type_id: str
    task_status_id: str
    assignees: tuple[str, ...] = ()
    updated_at: Moment


class ReplyRow(BaseModel):
    """An answer to a comment."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    date: Moment
    person_id: Text = ""
    text: Text = ""


class PreviewLink(BaseModel):
    """A preview that a comment brought."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str


class ChecklistItem(BaseModel):
    """Something that a comment asks for."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: Text = ""
    checked: bool = False


class AttachedFile(BaseModel):
    """A file that was attached to a comment."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: Text = ""


class CommentRow(KitsuRow):
    """A comment on a task; each carries a status."""

    object_id: str
    text: Text = ""
    task_status_id: Text = ""
    person_id: Text = ""
    created_at: Moment
    links: Annotated[tuple[str, ...], BeforeValidator(lambda value: value or ())] = ()
    replies: Annotated[tuple[ReplyRow, ...], BeforeValidator(lambda value: value or ())] = ()
    previews: tuple[PreviewLink | str, ...] = ()
    checklist: Annotated[tuple[ChecklistItem, ...], BeforeValidator(lambda value: value or ())] = ()
    attachment_files: tuple[AttachedFile | str, ...] = ()

    @property
    def attached(self) -> tuple[str, ...]:
        """The names of attached files, where the answer has them."""
        return tuple(
            one.name for one in self.attachment_files if isinstance(one, AttachedFile) and one.name
        )

    @property
    def preview_ids(self) -> tuple[str, ...]:
        """The previews that it brought: lists give whole rows, single answers ids."""
        return tuple(one if isinstance(one, str) else one.id for one in self.previews)


class PreviewRow(KitsuRow):
    """A revision of a task's work, as reviewers see it."""

    name: Text = ""
    original_name: Text = ""
    revision: int = 1
    position: int = 1
    extension: Text = ""
    path: Text = ""
    status: Text = ""
    task_id: str
    person_id: Text = ""
    created_at: Moment
    data: Data
    width: Annotated[int, BeforeValidator(lambda value: value or 0)] = 0
    height: Annotated[int, BeforeValidator(lambda value: value or 0)] = 0
    annotations: Annotated[tuple[Any, ...], BeforeValidator(_listed)] = ()


class OutputRow(KitsuRow):
    """A file on a storage."""

    name: str
    revision: int | None = None
    path: Text = ""
    entity_id: str | None = None
    task_type_id: str | None = None
    output_type_id: str | None = None
    person_id: Text = ""
    created_at: Moment
    data: Data


class EventRow(KitsuRow):
    """One line of the audit log; moments have whole seconds."""

    name: str
    created_at: Moment
    user_id: Text = ""
    project_id: Text = ""
    data: Data


class PlaylistRow(KitsuRow):
    """A playlist; each entry names an entity and the preview that is shown of it."""

    name: str
    project_id: str
    shots: Annotated[list[dict[str, Any]], BeforeValidator(lambda value: value or [])]


class TimeRow(KitsuRow):
    """Time that somebody spent on a task."""

    duration: float
    date: date
    task_id: str
    person_id: str
