"""
The schema every site ships with: ShotGrid's own types of people and of the site itself, all others
put together, and the rows that every fresh site holds.
"""

from dataclasses import replace

from haikei.sgserver.schema import stock_pipeline, stock_production, stock_publishing
from haikei.sgserver.schema.declaring import (
    USERS,
    back,
    checkbox,
    choice,
    entity_type,
    fixed,
    images,
    link,
    links,
    mirror,
    notes,
    number,
    plain,
    status,
    tags,
)
from haikei.sgserver.schema.entities import DataType, EntityType, Schema
from haikei.sgserver.write.rows import Columns, Work, insert_row

HUMAN_USER = entity_type(
    "HumanUser",
    "Person",
    plain("name", "Name"),
    plain("firstname", "First Name"),
    plain("lastname", "Last Name"),
    plain("login", "Login", mandatory=True),
    plain("email", "Email"),
    status("act", "dis", default="act"),
    link("department", "Department", "Department"),
    mirror("groups", "Groups", "Group", "users"),
    mirror("projects", "Projects", "Project", "users"),
    checkbox("file_access", "File Access", default=True),
    checkbox("email_notes", "Subscribe to My Notes Emails"),
    checkbox("email_tasks", "Subscribe to My Task Emails"),
    checkbox("email_versions", "Subscribe to My Version Emails"),
    choice("home_page", "Home Page", "home", "inbox", "my_tasks", "new_user_welcome"),
    plain("language", "Language"),
    plain("locked_until", "Locked Until", DataType.DATE_TIME),
    plain("password_proxy", "Password", DataType.PASSWORD),
    link("permission_rule_set", "Permission Role", "PermissionRuleSet", editable=False),
    *images(),
    *tags("HumanUser"),
    name_field="name",
    auto_name=False,
)

API_USER = entity_type(
    "ApiUser",
    "Script",
    plain("firstname", "Script Name", mandatory=True),
    plain("lastname", "Version"),
    plain("description", "Description"),
    plain("email", "Maintainer"),
    checkbox("generate_event_log_entries", "Generate Events"),
    fixed("salted_password", "Application Key", DataType.PASSWORD),
    link("permission_rule_set", "Permission Role", "PermissionRuleSet", editable=False),
    *images(),
    *tags("ApiUser"),
    name_field="firstname",
)

GROUP = entity_type(
    "Group",
    "Group",
    plain("code", "Group Name", mandatory=True),
    links("Group", "users", "Users", "HumanUser"),
    *notes(),
    *tags("Group"),
)

DEPARTMENT = entity_type(
    "Department",
    "Department",
    plain("name", "Department Name", mandatory=True),
    plain("code", "Department Short Name"),
    plain("color", "Color", DataType.COLOR),
    choice("department_type", "Department Type"),
    number("list_order", "Order"),
    status("act", "dis", default="act"),
    back("users", "People", "HumanUser", "department"),
    *images(),
    *notes(),
    *tags("Department"),
    name_field="name",
)

PERMISSION_RULE_SET = entity_type(
    "PermissionRuleSet",
    "Permission Role",
    fixed("code", "Code"),
    fixed("display_name", "Display Name"),
    plain("entity_type", "Entity Type", editable=False),
    stamped=False,
    name_field="display_name",
    visible=False,
)


STATUS = entity_type(
    "Status",
    "Status",
    plain("code", "Short Code", editable=False, create_only=True),
    plain("name", "Status Name"),
    plain("bg_color", "Background Color", DataType.COLOR),
    plain("system", "Locked by System", DataType.CHECKBOX, default=False, editable=False),
    name_field="name",
)

LOCAL_STORAGE = entity_type(
    "LocalStorage",
    "Local File Storage",
    plain("code", "Local Storage Name", mandatory=True),
    plain("description", "Description"),
    plain("mac_path", "Mac Path"),
    plain("windows_path", "Windows Path"),
    plain("linux_path", "Linux Path"),
    fixed("uuid", "UUID", DataType.UUID),
)

TAG = entity_type(
    "Tag",
    "Tag",
    plain("name", "Tag Name", mandatory=True),
    name_field="name",
)

EVENT_LOG_ENTRY = entity_type(
    "EventLogEntry",
    "Event",
    plain("event_type", "Event Type", editable=False, create_only=True),
    plain("attribute_name", "Attribute Name", editable=False, create_only=True),
    plain("description", "Event Summary", editable=False, create_only=True),
    plain("meta", "Meta Data", DataType.SERIALIZABLE, editable=False, create_only=True),
    link("entity", "Link", editable=False, create_only=True),
    link("project", "Project", "Project", binds=True, editable=False, create_only=True),
    link("user", "Who", *USERS, editable=False, create_only=True),
    plain("session_uuid", "Session UUID", DataType.UUID, editable=False, create_only=True),
    plain("created_at", "Date Created", DataType.DATE_TIME, editable=False, create_only=True),
    *images(),
    name_field="description",
    needs_project=True,
    stamped=False,
    permanent=True,
)

ACTION_MENU_ITEM = entity_type(
    "ActionMenuItem",
    "Action Menu Item",
    plain("title", "Title", mandatory=True),
    plain("url", "URL"),
    plain("entity_type", "Entity Type", DataType.ENTITY_TYPE),
    number("list_order", "Order"),
    plain("folder", "Folder"),
    checkbox("selection_required", "Selection Required"),
    checkbox("poll_for_data_updates", "Poll For Data Updates"),
    checkbox("light_payload", "Light Payload"),
    plain("secret_token", "Secret Token", DataType.PASSWORD),
    links(
        "ActionMenuItem",
        "permissions_groups",
        "Restrict to Permission Groups",
        "PermissionRuleSet",
    ),
    links("ActionMenuItem", "projects", "Restrict to Projects", "Project"),
    name_field="title",
)

PAGE = entity_type(
    "Page",
    "Page",
    plain("name", "Name", mandatory=True),
    plain("description", "Description"),
    plain("folder", "Folder"),
    plain("page_type", "Page Type", editable=False, create_only=True),
    plain("entity_type", "Entity Type", DataType.ENTITY_TYPE, editable=False, create_only=True),
    fixed("ui_category", "UI Category"),
    link("project", "Project", "Project", binds=True),
    checkbox("shared", "Shared"),
    checkbox("current_user_favorite", "Favorite"),
    fixed("last_accessed", "Last Accessed", DataType.DATE_TIME),
    fixed("last_accessed_by_current_user", "Last Accessed by You", DataType.DATE_TIME),
    *tags("Page"),
    name_field="name",
)


def stock_schema() -> Schema:
    """
    Return the shipped schema.

    Names, data types, values and links follow the schema that the official client's tests carry
    (`tests/mockgun/schema.pickle`) and what present-day sites have added to it.
    """
    types = [
        stock_production.PROJECT,
        stock_production.EPISODE,
        stock_production.SEQUENCE,
        stock_production.SHOT,
        stock_production.ASSET,
        stock_production.TASK,
        stock_production.TASK_DEPENDENCY,
        stock_production.TASK_TEMPLATE,
        stock_production.STEP,
        stock_production.TIME_LOG,
        stock_publishing.VERSION,
        stock_publishing.PUBLISHED_FILE,
        stock_publishing.PUBLISHED_FILE_TYPE,
        stock_publishing.PUBLISHED_FILE_DEPENDENCY,
        stock_publishing.NOTE,
        stock_publishing.REPLY,
        stock_publishing.ATTACHMENT,
        stock_publishing.PLAYLIST,
        stock_publishing.PLAYLIST_VERSION_CONNECTION,
        HUMAN_USER,
        API_USER,
        GROUP,
        DEPARTMENT,
        PERMISSION_RULE_SET,
        STATUS,
        LOCAL_STORAGE,
        TAG,
        EVENT_LOG_ENTRY,
        ACTION_MENU_ITEM,
        PAGE,
        stock_pipeline.PIPELINE_CONFIGURATION,
        stock_pipeline.SOFTWARE,
        stock_pipeline.FILESYSTEM_LOCATION,
        stock_pipeline.CUT,
        stock_pipeline.CUT_ITEM,
        stock_pipeline.PIPELINE_CONFIGURATION_USER_CONNECTION,
        stock_pipeline.CUT_VERSION_CONNECTION,
        stock_pipeline.DELIVERY,
        stock_pipeline.TICKET,
        stock_pipeline.TICKET_TICKET_CONNECTION,
        stock_pipeline.PHASE,
        *stock_pipeline.custom_types(),
    ]
    return Schema(_reachable(types))


def _reachable(types: list[EntityType]) -> list[EntityType]:
    """Let the links that may point anywhere name every type there is."""
    every = tuple(sorted(kind.name for kind in types))
    result: list[EntityType] = []
    for kind in types:
        open_links = [
            replace(field, valid_types=every)
            for field in kind.fields.values()
            if field.data_type is DataType.ENTITY and not field.valid_types
        ]
        wider = kind
        for field in open_links:
            wider = wider.with_field(field)
        result.append(wider)
    return result


SYSTEM = "System"
#: The administrator of a site without a show.
ADMIN_LOGIN = "admin"

#: The statuses that every site ships with, by code.
STATUSES = {
    "act": "Active",
    "apr": "Approved",
    "clsd": "Closed",
    "cmpt": "Complete",
    "dis": "Disabled",
    "fin": "Final",
    "hld": "On Hold",
    "ip": "In Progress",
    "na": "N/A",
    "omt": "Omit",
    "opn": "Open",
    "res": "Resolved",
    "rev": "Pending Review",
    "wtg": "Waiting to Start",
    "vwd": "Viewed",
    "recd": "Received",
    "dlvr": "Delivered",
    "cfrm": "Confirmed",
    "pndng": "Pending",
    "rdy": "Ready to Start",
    "cbb": "Could Be Better",
}
_SYSTEM_STATUSES = {"act", "dis", "ip", "na", "cfrm", "pndng"}

#: The pipeline steps: entity type, name, short name, colour.
STEPS = (
    ("Shot", "Layout", "LAY", "255,205,0"),
    ("Shot", "Background", "BG", "96,170,110"),
    ("Shot", "Animation", "ANM", "81,146,216"),
    ("Shot", "Colour", "COL", "214,118,73"),
    ("Shot", "Composite", "CMP", "140,110,190"),
    ("Asset", "Art", "ART", "129,183,65"),
    ("Asset", "Model", "MDL", "129,130,180"),
    ("Sequence", "Storyboard", "SB", "176,176,176"),
)
DEPARTMENTS = (
    ("Layout", "LAY"),
    ("Background Art", "BG"),
    ("Animation", "ANM"),
    ("Photography", "CMP"),
    ("Production", "PROD"),
)
#: The pages of a site that show rows of all projects: name, entity type.
PAGES = (("All Projects", "Project"), ("All Shots", "Shot"), ("All Versions", "Version"))


def furnish(work: Work) -> int:
    """Make the rows of a fresh site; return the id of its own ApiUser, which makes them."""
    system = _row(work, "ApiUser", firstname=SYSTEM, generate_event_log_entries=1)
    for code, name in STATUSES.items():
        _row(work, "Status", code=code, name=name, system=int(code in _SYSTEM_STATUSES))
    for order, (step_of, name, short, color) in enumerate(STEPS, start=1):
        _row(
            work,
            "Step",
            code=name,
            short_name=short,
            color=color,
            entity_type=step_of,
            list_order=order,
        )
    for order, (name, code) in enumerate(DEPARTMENTS, start=1):
        _row(work, "Department", name=name, code=code, list_order=order, sg_status_list="act")
    for name, shown in PAGES:
        _row(work, "Page", name=name, entity_type=shown, shared=1, last_accessed=work.stamp)
    return system


def _row(work: Work, type_name: str, /, **columns: str | int) -> int:
    kind = work.schema.types[type_name]
    kept: Columns = {"created_at": work.stamp, "updated_at": work.stamp, **columns}
    return insert_row(work, kind, work.session.next_id(), kept).id
