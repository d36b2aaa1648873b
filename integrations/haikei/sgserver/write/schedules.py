"""Working days of the studio, of projects and of people, and the subscriptions that people have."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import cast

from haikei.sgserver.credentials import Caller
from haikei.sgserver.site import Site
from haikei.sgserver.store import Session
from haikei.sgserver.values import Call, Json, bad_request, inspect
from haikei.sgserver.write.coercing import reference
from haikei.sgserver.write.rows import missing, record

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
    sql = "SELECT 1 FROM records WHERE id = ? AND type = ? AND retired = 0"
    if session.row(sql, (number, entity_type)) is None:
        raise missing(verb, entity_type, number)
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
