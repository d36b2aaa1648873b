"""
A small studio to try things with: two shows, their shots, who works on them, and their hours.

Every fresh site holds an administrator and two pipeline steps, this one too.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import cycle

from haikei.sgserver.http.rpc import dispatch
from haikei.sgserver.schema.stock import ADMIN_LOGIN
from haikei.sgserver.seeds.shows import BACKGROUND_ARTISTS, PEOPLE, SHOWS, Person, Show
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


_SATURDAY = 5


def log_hours(
    site: Site,
    *,
    project: Row,
    task: Row,
    artist: Row,
    minutes: Sequence[int],
    first: date,
    description: str,
) -> None:
    """Log time for a task, a row for each weekday from the first; what is there stays as it is."""
    for day, spent in zip(_weekdays(first), minutes, strict=False):
        find_or_create(
            site,
            "TimeLog",
            {"entity": task, "user": artist, "date": day.isoformat()},
            {"project": project, "duration": spent, "description": description},
        )


def _weekdays(first: date) -> Iterator[date]:
    day = first
    while True:
        if day.weekday() < _SATURDAY:
            yield day
        day += timedelta(days=1)


#: The field that holds a person's name in Japanese script.
NAME_JA = "sg_name_ja"
_A_WEEK = timedelta(days=7)


def seed_demo(site: Site) -> None:
    """Add what is missing of the small studio; what is there stays as it is."""
    seed_empty(site)
    _ensure_japanese_names(site)
    people = {person.login: link(_person(site, person)) for person in PEOPLE}
    steps = {
        code: link(find_or_create(site, "Step", {"code": code, "entity_type": "Shot"}, {}))
        for code in ("Layout", "Background")
    }
    for show in SHOWS:
        _show(site, show, people, steps)


def _ensure_japanese_names(site: Site) -> None:
    known = dispatch(site, site.system, "schema_field_read", {"type": "HumanUser"})
    if isinstance(known, Mapping) and NAME_JA in known:
        return
    dispatch(
        site,
        site.system,
        "schema_field_create",
        {
            "type": "HumanUser",
            "data_type": "text",
            "properties": [
                {"property_name": "name", "value": "Name JA"},
                {"property_name": "description", "value": "The name in Japanese script."},
            ],
        },
    )


def _person(site: Site, person: Person) -> Row:
    department = find_or_create(site, "Department", {"name": person.department}, {})
    return find_or_create(
        site,
        "HumanUser",
        {"login": person.login},
        {
            "name": f"{person.first} {person.last}",
            "firstname": person.first,
            "lastname": person.last,
            "email": f"{person.login}@localhost",
            "sg_status_list": "act",
            "department": link(department),
            NAME_JA: person.name_ja,
        },
    )


def _show(site: Site, show: Show, people: Mapping[str, Row], steps: Mapping[str, Row]) -> None:
    project = link(
        find_or_create(
            site,
            "Project",
            {"tank_name": show.tank_name},
            {
                "name": show.name,
                "code": show.tank_name,
                "sg_description": show.description,
                "sg_status": "Active",
                "users": list(people.values()),
            },
        )
    )
    painters = cycle(BACKGROUND_ARTISTS)
    for code, (description, cuts) in show.sequences.items():
        sequence = link(
            find_or_create(
                site,
                "Sequence",
                {"code": code, "project": project},
                {"description": description},
            )
        )
        for cut in cuts:
            shot = find_or_create(
                site,
                "Shot",
                {"code": cut.code, "project": project, "sg_sequence": sequence},
                {"description": cut.description, "sg_status_list": "ip"},
            )
            layout = _task(
                site,
                project,
                link(shot),
                steps["Layout"],
                people[cut.layout_artist],
                ("Layout", cut.layout_status),
            )
            background = _task(
                site,
                project,
                link(shot),
                steps["Background"],
                people[next(painters)],
                ("Background", cut.background_status),
            )
            log_hours(
                site,
                project=project,
                task=layout,
                artist=people[cut.layout_artist],
                minutes=cut.layout_minutes,
                first=cut.drawn,
                description="背景原図 / Background layout",
            )
            if cut.painter:
                log_hours(
                    site,
                    project=project,
                    task=background,
                    artist=people[cut.painter],
                    minutes=cut.painter_minutes,
                    first=cut.drawn + _A_WEEK,
                    description="加筆・修正 / Painting over",
                )


def _task(
    site: Site, project: Row, shot: Row, step: Row, artist: Row, named: tuple[str, str]
) -> Row:
    """Make a task of a shot, by its name and status."""
    name, status = named
    assignees: list[Json] = [artist]
    return link(
        find_or_create(
            site,
            "Task",
            {"content": name, "entity": shot},
            {
                "project": project,
                "step": step,
                "task_assignees": assignees,
                "sg_status_list": status,
            },
        )
    )
