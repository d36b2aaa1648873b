"""The shipped entity types of pipelines, editorial and deliveries, and a site's own slots."""

from haikei.sgserver.schema.declaring import (
    ASSIGNEES,
    CUSTOM_SLOTS,
    back,
    checkbox,
    choice,
    entity_type,
    images,
    link,
    links,
    notes,
    number,
    plain,
    production,
    status,
    tags,
    through,
)
from haikei.sgserver.schema.entities import DataType, EntityType, Field

_SYSTEMS = (("linux", "Linux"), ("mac", "Mac"), ("windows", "Windows"))


def _paths(*endings: tuple[str, str]) -> tuple[Field, ...]:
    return tuple(
        plain(f"{system}_{ending}", f"{shown} {label}")
        for ending, label in endings
        for system, shown in _SYSTEMS
    )


def _connection(name: str, label: str, *fields: Field) -> EntityType:
    return entity_type(name, label, *fields, name_field=None, stamped=False, connection=True)


def _end(name: str, label: str, far: str) -> Field:
    return link(name, label, far, binds=True, editable=False, create_only=True)


PIPELINE_CONFIGURATION = entity_type(
    "PipelineConfiguration",
    "Pipeline Configuration",
    plain("code", "Config Name", mandatory=True),
    plain("description", "Description"),
    *_paths(("path", "Path")),
    plain("descriptor", "Descriptor"),
    plain("plugin_ids", "Plugin Ids"),
    plain("uploaded_config", "Uploaded Config", DataType.URL),
    through(
        "users",
        "User Restrictions",
        "HumanUser",
        "PipelineConfigurationUserConnection",
        ("pipeline_configuration", "user"),
    ),
    link("project", "Project", "Project", binds=True),
    *images(),
    *tags("PipelineConfiguration"),
)

PIPELINE_CONFIGURATION_USER_CONNECTION = _connection(
    "PipelineConfigurationUserConnection",
    "Pipeline Configuration User Connection",
    _end("pipeline_configuration", "Pipeline Configuration", "PipelineConfiguration"),
    _end("user", "User", "HumanUser"),
)

SOFTWARE = entity_type(
    "Software",
    "Software",
    plain("code", "Software Name", mandatory=True),
    plain("description", "Description"),
    plain("engine", "Engine"),
    plain("products", "Products"),
    plain("version_names", "Versions"),
    *_paths(("path", "Path"), ("args", "Args")),
    plain("group_name", "Group"),
    checkbox("group_default", "Group Default"),
    number("sort_order", "Sort Order"),
    status("act", "dis", default="act"),
    links("Software", "projects", "Projects", "Project"),
    links("Software", "user_restrictions", "User Restrictions", *ASSIGNEES),
    *images(),
    *tags("Software"),
)

FILESYSTEM_LOCATION = entity_type(
    "FilesystemLocation",
    "Filesystem Location",
    plain("code", "Filesystem Location Name", mandatory=True),
    plain("configuration_metadata", "Configuration Metadata"),
    link("entity", "Link"),
    checkbox("is_primary", "Primary"),
    number("linked_entity_id", "Linked Entity Id"),
    plain("linked_entity_type", "Linked Entity Type"),
    plain("path", "Path", DataType.URL),
    link("pipeline_configuration", "Pipeline Configuration", "PipelineConfiguration"),
    link("project", "Project", "Project", binds=True),
    needs_project=True,
)

CUT = entity_type(
    "Cut",
    "Cut",
    plain("code", "Cut Name", mandatory=True),
    plain("description", "Description"),
    *production("Cut"),
    link("entity", "Link"),
    link("version", "Version", "Version", binds=True),
    number("revision_number", "Revision Number"),
    plain("fps", "Frames per Second", DataType.FLOAT),
    number("duration", "Duration"),
    plain("timecode_start_text", "Timecode Start"),
    plain("timecode_end_text", "Timecode End"),
    choice("sg_cut_type", "Type"),
    status("wtg", "ip", "fin", "omt", "hld", default="ip"),
    back("cut_items", "Cut Items", "CutItem", "cut"),
    through("versions", "Versions", "Version", "CutVersionConnection", ("cut", "version")),
    needs_project=True,
)

CUT_ITEM = entity_type(
    "CutItem",
    "Cut Item",
    plain("code", "Cut Item Name", mandatory=True),
    plain("description", "Description"),
    link("project", "Project", "Project", binds=True),
    link("cut", "Cut", "Cut", binds=True),
    number("cut_order", "Cut Order"),
    *(
        number(f"{part}_{end}", f"{shown} {label}")
        for part, shown in (("cut_item", "Cut Item"), ("edit", "Edit"))
        for end, label in (("in", "In"), ("out", "Out"), ("duration", "Duration"))
    ),
    *(
        plain(f"timecode_{part}_{end}_text", f"{shown} {label} Timecode")
        for part, shown in (("cut_item", "Cut Item"), ("edit", "Edit"))
        for end, label in (("in", "In"), ("out", "Out"))
    ),
    link("shot", "Shot", "Shot", binds=True),
    link("version", "Version", "Version", binds=True),
    *images(),
    *notes(),
    *tags("CutItem"),
    needs_project=True,
)

CUT_VERSION_CONNECTION = _connection(
    "CutVersionConnection",
    "Cut Version Connection",
    _end("cut", "Cut", "Cut"),
    _end("version", "Version", "Version"),
    number("sg_cut_order", "Cut Order"),
    number("sg_cut_in", "Cut In"),
    number("sg_cut_out", "Cut Out"),
    number("sg_cut_duration", "Cut Duration"),
    plain("sg_cut_comments", "Cut Comments"),
)

DELIVERY = entity_type(
    "Delivery",
    "Delivery",
    plain("title", "Title", mandatory=True),
    plain("sg_contents", "Contents"),
    plain("sg_date", "Date", DataType.DATE),
    *production("Delivery"),
    links("Delivery", "addressings_to", "To", *ASSIGNEES),
    choice("sg_delivery_method", "Method"),
    choice("sg_delivery_type", "Type"),
    status("wtg", "dlvr", "recd", default="wtg"),
    name_field="title",
    needs_project=True,
)

TICKET = entity_type(
    "Ticket",
    "Ticket",
    plain("title", "Title", mandatory=True),
    plain("description", "Description"),
    *production("Ticket"),
    links("Ticket", "addressings_to", "Assigned To", *ASSIGNEES),
    link("sg_source", "Source"),
    choice("sg_ticket_type", "Type", "Feature", "Bug", "Inquiry", "Backlog", "Task"),
    back("replies", "Replies", "Reply", "entity", owned=True),
    choice("sg_priority", "Priority", "1", "2", "3", "4", "5"),
    status("opn", "pndng", "rev", "res", "clsd", default="opn"),
    through(
        "related_tickets",
        "Related Tickets",
        "Ticket",
        "TicketTicketConnection",
        ("source_ticket", "dest_ticket"),
    ),
    name_field="title",
    needs_project=True,
)

TICKET_TICKET_CONNECTION = _connection(
    "TicketTicketConnection",
    "Ticket Ticket Connection",
    _end("source_ticket", "Ticket", "Ticket"),
    _end("dest_ticket", "Related Ticket", "Ticket"),
)

PHASE = entity_type(
    "Phase",
    "Phase",
    plain("code", "Phase Name", mandatory=True),
    plain("description", "Description"),
    plain("color", "Color", DataType.COLOR),
    plain("start_date", "Start Date", DataType.DATE),
    plain("end_date", "End Date", DataType.DATE),
    checkbox("milestone", "Milestone"),
    link("project", "Project", "Project", binds=True),
    *notes(),
    needs_project=True,
)

#: The slots of a site's own: more of them than a site shows, as those that nobody has switched on
#: on a real site can be written to as well.
_SHOWN = 5
_SLOTS = 50
_SLOTS_OUTSIDE = 15


def custom_types() -> list[EntityType]:
    """Declare the slots that a site may use for things of its own, in projects and outside."""
    inside = [
        entity_type(
            name,
            f"Custom Entity {name[-2:]}",
            plain("code", "Name", mandatory=True),
            plain("description", "Description"),
            *production(name),
            status("wtg", "ip", "cmpt", default="wtg"),
            back("tasks", "Tasks", "Task", "entity"),
            needs_project=True,
            visible=name in CUSTOM_SLOTS,
        )
        for name in (f"CustomEntity{n:02d}" for n in range(1, _SLOTS + 1))
    ]
    outside = [
        entity_type(
            f"CustomNonProjectEntity{n:02d}",
            f"Custom Non Project Entity {n:02d}",
            plain("code", "Name", mandatory=True),
            plain("description", "Description"),
            *notes(),
            *images(),
            *tags(f"CustomNonProjectEntity{n:02d}"),
            status("wtg", "ip", "cmpt", default="wtg"),
            visible=n <= _SHOWN,
        )
        for n in range(1, _SLOTS_OUTSIDE + 1)
    ]
    return [*inside, *outside]
