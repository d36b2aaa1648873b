"""The shipped entity types of the site itself: statuses, storages, tags, events, menus, pages."""

from haikei.sgserver.declaring import (
    USERS,
    checkbox,
    entity_type,
    fixed,
    images,
    link,
    links,
    number,
    plain,
    tags,
)
from haikei.sgserver.fields import DataType

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
    *tags("Page"),
    name_field="name",
)
