"""The wire methods that read and write rows, tell who follows what, and keep working days."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import cast

from haikei.sgserver.credentials import Caller
from haikei.sgserver.query.clauses import Presenter
from haikei.sgserver.query.reading import Sort, query_of
from haikei.sgserver.site import Site
from haikei.sgserver.store import Session
from haikei.sgserver.values import Call, Json, bad_request, failed, inspect
from haikei.sgserver.wire_calls import (
    entity_id_of,
    entity_type_of,
    field_values,
    names_of,
    update_modes,
)
from haikei.sgserver.write.coercing import reference
from haikei.sgserver.write.rows import Work, change_row, missing, record, row_columns

#: How many rows a page has at most; a client that wants more asks for the next one.
LARGEST_PAGE = 5000
_DIRECTIONS = ("asc", "desc")


def read(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `read`: one page of rows."""
    del caller  # whoever is signed in sees everything
    query = query_of(site.schema, "read", call)
    per_page, page = _paging(call)
    with site.reading() as (_, reader):
        found = reader.page(
            query,
            names_of(call, "return_fields"),
            sorts=_sorts(call.get("sorts")),
            limit=per_page,
            offset=(page - 1) * per_page,
        )
        info: dict[str, Json] = {
            "current_page": page,
            "entities_per_page": per_page,
            "has_next_page": found.more,
        }
        if call.get("return_paging_info"):
            count = reader.count(query)
            info |= {"entity_count": count, "page_count": -(-count // per_page)}
    return {"entities": found.rows, "paging_info": info}


def _paging(call: Call) -> tuple[int, int]:
    paging = call.get("paging", {})
    if not isinstance(paging, Mapping):
        raise bad_request(f"API read() invalid/missing hash 'paging': {inspect(paging)}")
    numbers: list[int] = []
    for key, default in (("entities_per_page", 500), ("current_page", 1)):
        number = paging.get(key, default)
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise bad_request(
                f"API read() invalid/missing integer 'paging' '{key}':\n{inspect(paging)}"
            )
        numbers.append(number)
    return min(numbers[0], LARGEST_PAGE), numbers[1]


def _sorts(sorts: Json) -> list[Sort]:
    """Return the order that is asked for; a field that does not exist is left out while reading."""
    if sorts is None:
        return []
    if not isinstance(sorts, Sequence) or isinstance(sorts, str):
        raise bad_request(f"API read() invalid array 'sorts': {inspect(sorts)}")
    found: list[Sort] = []
    for sort in sorts:
        name = sort.get("field_name") if isinstance(sort, Mapping) else None
        direction = (sort.get("direction") or "asc") if isinstance(sort, Mapping) else None
        if not isinstance(name, str) or direction not in _DIRECTIONS:
            raise bad_request(
                "API read() invalid 'sorts', which have a 'field_name' and the 'direction' asc or "
                f"desc: {inspect(sort)}"
            )
        found.append(Sort(name, descending=direction == "desc"))
    return found


def create(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `create`: the new row, with the fields sent and asked for."""
    kind = entity_type_of(site.schema, "create", call)
    fields = field_values("create", call)
    return site.create(caller, kind.name, fields, return_fields=names_of(call, "return_fields"))


def update(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `update`: the row, with the fields sent."""
    kind = entity_type_of(site.schema, "update", call)
    return site.update(
        caller,
        kind.name,
        entity_id_of("update", call),
        field_values("update", call),
        modes=update_modes("update", call),
    )


def delete(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `delete`: whether the row was live."""
    kind = entity_type_of(site.schema, "delete", call)
    return site.delete(caller, kind.name, entity_id_of("delete", call))


def revive(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `revive`: whether the row was retired."""
    kind = entity_type_of(site.schema, "revive", call)
    return site.revive(caller, kind.name, entity_id_of("revive", call))


def export_page(site: Site, caller: Caller, call: Call) -> Json:
    """Refuse `export_page`: pages are exported once a person marks them so, which none is here."""
    del site, caller
    for name in ("format", "page_id"):
        if call.get(name) is None:
            raise bad_request(f"API export_page() '{name}' missing")
    raise failed(f"Export for Page id={call['page_id']} not available")


def follow(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `follow`."""
    with site.writing(caller, "follow") as (work, _):
        user, entity = _person(site, work, call), _end(site, work, call, "entity")
        work.session.execute("INSERT OR IGNORE INTO follows VALUES (?, ?)", (user, entity))
    return {"followed": True, "user": call["user"], "entity": call["entity"]}


def unfollow(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `unfollow`."""
    with site.writing(caller, "unfollow") as (work, _):
        ends = (_person(site, work, call), _end(site, work, call, "entity"))
        work.session.execute("DELETE FROM follows WHERE user = ? AND entity = ?", ends)
    return {"unfollowed": True, "user": call["user"], "entity": call["entity"]}


def _person(site: Site, work: Work, call: Call) -> int:
    _people_only(work.verb, call.get("user"))
    return _end(site, work, call, "user")


def _people_only(verb: str, user: Json) -> None:
    if isinstance(user, Mapping) and user.get("type") not in {"HumanUser", "ApiUser"}:
        raise bad_request(f"API {verb}() 'user' expects a HumanUser: {inspect(user)}")


def _end(site: Site, work: Work, call: Call, key: str) -> int:
    entity_type, entity_id = reference(work.verb, call.get(key), site.schema.types)
    found = record(work, entity_id)
    if found is None or found.kind.name != entity_type:
        raise missing(work.verb, entity_type, entity_id)
    return entity_id


def followers(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `followers`: the people who follow a row."""
    del caller
    entity_type, entity = reference("followers", call.get("entity"), site.schema.types)
    with site.reading() as (session, _):
        _there(session, "followers", entity_type, entity)
        users = session.numbers("SELECT user FROM follows WHERE entity = ?", (entity,))
        return _live(session, users)


def following(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `following`: the rows a person follows, of one type or project if wanted."""
    del caller
    verb = "following"
    _people_only(verb, call.get("user"))
    user_type, user = reference(verb, call.get("user"), site.schema.types)
    wanted = call.get("entity_type")
    kind = None if wanted is None else entity_type_of(site.schema, verb, {"type": wanted}).name
    sql = (
        "SELECT r.id FROM follows f JOIN records r ON r.id = f.entity "
        "WHERE f.user = ? AND (? IS NULL OR r.type = ?) AND (? IS NULL OR r.project = ?)"
    )
    with site.reading() as (session, _):
        _there(session, verb, user_type, user)
        project = _whose(site, session, verb, call, "project")
        inside = project if project > 0 else None
        found = session.numbers(sql, (user, kind, kind, inside, inside))
        return [
            {"type": link["type"], "id": link["id"]}
            for link in _live(session, found)
            if isinstance(link, Mapping)
        ]


def _there(session: Session, verb: str, entity_type: str, number: int) -> None:
    sql = "SELECT 1 FROM records WHERE id = ? AND type = ? AND retired = 0"
    if session.row(sql, (number, entity_type)) is None:
        raise missing(verb, entity_type, number)


def _live(session: Session, ids: list[int]) -> list[Json]:
    links = Presenter(session, "").links(ids)
    return [links[one] for one in ids if one in links]


def update_project_last_accessed(site: Site, caller: Caller, call: Call) -> Json:
    """
    Answer `update_project_last_accessed_by_current_user`; nothing is logged.

    A project has one such moment here, whoever it was: `user_id` must be somebody's.
    """
    project = call.get("project_id")
    if isinstance(project, bool) or not isinstance(project, int):
        raise bad_request(f"API invalid/missing integer 'project_id': {inspect(dict(call))}")
    user = call.get("user_id")
    if user is not None and (isinstance(user, bool) or not isinstance(user, int)):
        raise bad_request(f"API invalid integer 'user_id': {inspect(user)}")
    with site.writing(caller, "update") as (work, _):
        if user is not None:
            _there(work.session, "update", "HumanUser", user)
        kind = work.schema.types["Project"]
        old = row_columns(work, kind, project)
        if old is None:
            raise missing("update", "Project", project)
        change_row(work, kind, project, old, {"last_accessed_by_current_user": work.stamp})
    return True


_STUDIO = 0
_SATURDAY = 5
_LONGEST = 3660  #: days that one request may ask for


def work_schedule_read(site: Site, caller: Caller, call: Call) -> Json:
    """
    Answer `work_schedule_read`: the rule of each day, a person's before a project's before the
    studio's; without an exception the studio works from Monday to Friday.
    """
    del caller
    verb = "work_schedule_read"
    start, end = (_day(verb, call, key) for key in ("start_date", "end_date"))
    if not 0 <= (end - start).days < _LONGEST:
        raise bad_request(f"API {verb}() 'end_date' must be within ten years of 'start_date'.")
    with site.reading() as (session, _):
        exceptions: dict[str, Json] = {}
        for reason, row in (
            ("STUDIO_EXCEPTION", _STUDIO),
            ("PROJECT_EXCEPTION", _whose(site, session, verb, call, "project")),
            ("USER_EXCEPTION", _whose(site, session, verb, call, "user")),
        ):
            sql = (
                "SELECT day, working, description FROM work_days "
                "WHERE whose = ? AND day BETWEEN ? AND ?"
            )
            for day, working, text in session.rows(sql, (row, start.isoformat(), end.isoformat())):
                exceptions[str(day)] = {
                    "reason": reason,
                    "working": bool(working),
                    "description": text,
                }
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    return {day.isoformat(): exceptions.get(day.isoformat()) or _usual(day) for day in days}


def _usual(day: date) -> Json:
    working = day.weekday() < _SATURDAY
    return {"reason": "STUDIO_WORK_WEEK", "working": working, "description": None}


def work_schedule_update(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `work_schedule_update`: a day's exception for the studio, a project or a person."""
    verb = "work_schedule_update"
    day, working, text = _day(verb, call, "date"), call.get("working"), call.get("description")
    if not isinstance(working, bool):
        raise bad_request(f"API {verb}() invalid/missing boolean 'working': {inspect(working)}")
    if not isinstance(text, str | None):
        raise bad_request(f"API {verb}() invalid string 'description': {inspect(text)}")
    if call.get("project") is not None and call.get("user") is not None:
        raise bad_request(f"API {verb}() 'project' and 'user' cannot be used together.")
    if call.get("recalculate_field") is not None:
        raise bad_request(f"API {verb}() 'recalculate_field' is not available on this site.")
    with site.writing(caller, verb) as (work, _):
        project = _whose(site, work.session, verb, call, "project")
        user = _whose(site, work.session, verb, call, "user")
        whose = _STUDIO if max(project, user) < 0 else max(project, user)
        work.session.execute(
            "INSERT OR REPLACE INTO work_days (whose, day, working, description) "
            "VALUES (?, ?, ?, ?)",
            (whose, day.isoformat(), int(working), text),
        )
    return {
        "date": day.isoformat(),
        "working": working,
        "description": text,
        "project": call.get("project"),
        "user": call.get("user"),
    }


def _day(verb: str, call: Call, key: str) -> date:
    given = call.get(key)
    try:
        return date.fromisoformat(given if isinstance(given, str) else "")
    except ValueError:
        raise bad_request(
            f"API {verb}() invalid/missing date string '{key}': {inspect(given)}"
        ) from None


def _whose(site: Site, session: Session, verb: str, call: Call, key: str) -> int:
    """Return the id of the project or person that a request names, -1 where it names none."""
    given = call.get(key)
    if given is None:
        return -1
    entity_type, number = reference(verb, given, site.schema.types)
    if entity_type != {"project": "Project", "user": "HumanUser"}[key]:
        raise bad_request(f"API {verb}() invalid '{key}': {inspect(given)}")
    _there(session, verb, entity_type, number)
    return number


def user_subscriptions_read(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `user_subscriptions_read`: every person with a subscription."""
    del caller, call
    with site.reading() as (session, _):
        rows = session.rows("SELECT user, subscription FROM subscriptions ORDER BY user")
    return [
        {"humanUserId": user, "subscription": cast("Json", json.loads(str(kept)))}
        for user, kept in rows
    ]


def user_subscriptions_create(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `user_subscriptions_create`: all of them are assigned, or none."""
    verb = "user_subscriptions_create"
    users = call.get("users")
    if not isinstance(users, Sequence) or isinstance(users, str):
        raise bad_request(f"API {verb}() invalid/missing array 'users': {inspect(users)}")
    with site.writing(caller, verb) as (work, _):
        for one in users:
            number = one.get("humanUserId") if isinstance(one, Mapping) else None
            found = record(work, number) if isinstance(number, int) else None
            if not isinstance(one, Mapping) or found is None or found.kind.name != "HumanUser":
                raise bad_request(f"API {verb}() invalid 'humanUserId': {inspect(one)}")
            wanted = one.get("subscription")
            several = wanted if isinstance(wanted, Sequence) else [wanted]
            if not all(isinstance(item, str | None) for item in several):
                raise bad_request(f"API {verb}() invalid 'subscription': {inspect(wanted)}")
            sql = "INSERT OR REPLACE INTO subscriptions (user, subscription) VALUES (?, ?)"
            work.session.execute(sql, (found.id, json.dumps(wanted)))
    return {"status": "success"}
