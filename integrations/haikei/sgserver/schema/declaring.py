"""Short words to declare the entity types that every site ships with."""

from haikei.sgserver.schema.entities import (
    Back,
    DataType,
    EntityType,
    Field,
    Links,
    Relation,
    Through,
)
from haikei.sgserver.values import Json

#: The slots for entity types of a site's own that ours has switched on.
CUSTOM_SLOTS = tuple(f"CustomEntity{n:02d}" for n in range(1, 6))
USERS = ("HumanUser", "ApiUser")
ASSIGNEES = ("Group", "HumanUser")


def plain(
    name: str,
    label: str,
    data_type: DataType = DataType.TEXT,
    *,
    default: Json = None,
    editable: bool = True,
    create_only: bool = False,
    mandatory: bool = False,
) -> Field:
    """Declare a field that holds a value, a text unless declared otherwise."""
    return Field(
        name=name,
        label=label,
        data_type=data_type,
        default=default,
        editable=editable,
        create_only=create_only,
        mandatory=mandatory,
    )


def fixed(name: str, label: str, data_type: DataType = DataType.TEXT) -> Field:
    """Declare a field that only the site writes."""
    return plain(name, label, data_type, editable=False)


def number(name: str, label: str) -> Field:
    """Declare a whole number."""
    return plain(name, label, DataType.NUMBER)


def checkbox(name: str, label: str, *, default: bool = False) -> Field:
    """Declare a checkbox."""
    return plain(name, label, DataType.CHECKBOX, default=default)


def choice(name: str, label: str, *values: str, default: str | None = None) -> Field:
    """Declare a list field."""
    return Field(
        name=name, label=label, data_type=DataType.LIST, valid_values=values, default=default
    )


def status(*values: str, default: str, name: str = "sg_status_list") -> Field:
    """Declare a status field."""
    return Field(
        name=name,
        label="Status",
        data_type=DataType.STATUS_LIST,
        valid_values=values,
        default=default,
    )


def link(
    name: str,
    label: str,
    *types: str,
    binds: bool = False,
    editable: bool = True,
    create_only: bool = False,
) -> Field:
    """Declare a link to one row."""
    return Field(
        name=name,
        label=label,
        data_type=DataType.ENTITY,
        valid_types=types,
        binds=binds,
        editable=editable,
        create_only=create_only,
    )


def _many(
    name: str, label: str, types: tuple[str, ...], relation: Relation, *, editable: bool = True
) -> Field:
    return Field(
        name=name,
        label=label,
        data_type=DataType.MULTI_ENTITY,
        valid_types=types,
        relation=relation,
        editable=editable,
    )


def links(owner: str, name: str, label: str, *types: str) -> Field:
    """Declare links to many rows, kept on this side (`owner` is the type declared)."""
    return _many(name, label, types, Links(key=f"{owner}.{name}", outward=True))


def mirror(name: str, label: str, far: str, field: str) -> Field:
    """Declare the other end of another type's `links`."""
    return _many(name, label, (far,), Links(key=f"{far}.{field}", outward=False))


def back(
    name: str, label: str, far: str, field: str, *, owned: bool = False, by_name: bool = False
) -> Field:
    """Declare the rows of another type whose link points here."""
    relation = Back(entity_type=far, field=field, owned=owned, by_name=by_name)
    return _many(name, label, (far,), relation)


def through(
    name: str,
    label: str,
    far: str,
    connection: str,
    ends: tuple[str, str],
    *,
    by_name: bool = False,
) -> Field:
    """Declare links that are rows of a connection type; `ends` are its near and its far field."""
    relation = Through(entity_type=connection, near=ends[0], far=ends[1], by_name=by_name)
    return _many(name, label, (far,), relation)


def notes() -> tuple[Field, ...]:
    """Declare what a type has that Notes can be about."""
    key = "Note.note_links"
    return (
        mirror("notes", "Notes", "Note", "note_links"),
        *_open_notes(key),
    )


def task_notes() -> tuple[Field, ...]:
    """Declare the same for Task, which Notes keep in a field of its own."""
    return (mirror("notes", "Notes", "Note", "tasks"), *_open_notes("Note.tasks"))


def _open_notes(key: str) -> tuple[Field, ...]:
    relation = Links(key=key, outward=False, open_only=True)
    return (
        _many("open_notes", "Open Notes", ("Note",), relation, editable=False),
        Field(
            name="open_notes_count",
            label="Open Notes Count",
            data_type=DataType.SUMMARY,
            editable=False,
            counts="open_notes",
        ),
    )


def images() -> tuple[Field, ...]:
    """Declare the thumbnails."""
    return (
        plain("image", "Thumbnail", DataType.IMAGE),
        plain("filmstrip_image", "Filmstrip Thumbnail", DataType.IMAGE),
        fixed("image_blur_hash", "Image Blur Hash"),
        link("image_source_entity", "Image Source Entity", editable=False),
    )


def tags(owner: str) -> tuple[Field, ...]:
    """Declare tags in both their forms."""
    return (
        links(owner, "tags", "Tags", "Tag"),
        plain("tag_list", "Tag List", DataType.TAG_LIST),
    )


def production(owner: str) -> tuple[Field, ...]:
    """Declare what things on a tracking page share: project, notes, tags, images, cc."""
    return (
        link("project", "Project", "Project", binds=True),
        *notes(),
        *images(),
        *tags(owner),
        links(owner, "addressings_cc", "Cc", *ASSIGNEES),
        link("task_template", "Task Template", "TaskTemplate", binds=True),
    )


def stamps() -> tuple[Field, ...]:
    """Declare who made and changed a row, and when."""
    return (
        plain("created_at", "Date Created", DataType.DATE_TIME, editable=False, create_only=True),
        link("created_by", "Created by", *USERS, editable=False, create_only=True),
        plain("updated_at", "Date Updated", DataType.DATE_TIME, editable=False, create_only=True),
        link("updated_by", "Updated by", *USERS, editable=False, create_only=True),
    )


def entity_type(
    name: str,
    label: str,
    *fields: Field,
    name_field: str | None = "code",
    needs_project: bool = False,
    auto_name: bool = True,
    stamped: bool = True,
    connection: bool = False,
    permanent: bool = False,
    visible: bool = True,
) -> EntityType:
    """Declare an entity type; `id`, `cached_display_name` and the stamps are added."""
    every = (
        Field(name="id", label="Id", data_type=DataType.NUMBER, editable=False),
        plain("cached_display_name", "Cached Display Name"),
        *(stamps() if stamped else ()),
        *fields,
    )
    return EntityType(
        name=name,
        label=label,
        fields={field.name: field for field in every},
        name_field=name_field,
        needs_project=needs_project,
        auto_name=auto_name,
        connection=connection,
        permanent=permanent,
        visible=visible,
    )
