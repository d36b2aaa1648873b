"""What every fresh site holds beyond its schema: an administrator and two pipeline steps."""

from haikei.sgserver.seeds.initial_rows import ADMIN_LOGIN
from haikei.sgserver.site import Site
from haikei.sgserver.values import Json, Row

#: Steps of a shot that background work hangs on, with colour and order.
_STEPS = (
    ("Layout", "LO", "97,173,214", 10),
    ("Background", "BG", "118,172,92", 20),
)


def seed_empty(site: Site) -> None:
    """Add what is missing; what is there stays as it is."""
    find_or_create(
        site,
        "HumanUser",
        {"login": ADMIN_LOGIN},
        {
            "name": "Site Administrator",
            "firstname": "Site",
            "lastname": "Administrator",
            "email": "admin@localhost",
            "sg_status_list": "act",
        },
    )
    for code, short_name, color, order in _STEPS:
        find_or_create(
            site,
            "Step",
            {"code": code, "entity_type": "Shot"},
            {"short_name": short_name, "color": color, "list_order": order},
        )


def find_or_create(
    site: Site, entity_type: str, names: dict[str, Json], fields: dict[str, Json]
) -> Row:
    """Return the row that has these names; make it, with these fields as well, when none has."""
    found = site.find_one(
        site.system, entity_type, [[field, "is", value] for field, value in names.items()]
    )
    return found or site.create(site.system, entity_type, names | fields)


def link(row: Row) -> Row:
    """Return a row as other rows point to it."""
    return {"type": row["type"], "id": row["id"]}
