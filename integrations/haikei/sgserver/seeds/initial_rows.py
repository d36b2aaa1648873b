"""What every fresh site holds: statuses, pipeline steps, departments and the site's own hand."""

from haikei.sgserver.write.rows import Columns, Work, insert_row

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
    for order, (entity_type, name, short, color) in enumerate(STEPS, start=1):
        _row(
            work,
            "Step",
            code=name,
            short_name=short,
            color=color,
            entity_type=entity_type,
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
