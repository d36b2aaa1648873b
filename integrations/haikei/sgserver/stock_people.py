"""The shipped entity types of people: persons, scripts, groups, departments."""

from haikei.sgserver.declaring import (
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
from haikei.sgserver.fields import DataType

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
    fixed("password_proxy", "Password", DataType.PASSWORD),
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
