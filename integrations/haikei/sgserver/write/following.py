"""Who follows what, and which projects a person was last in."""

from collections.abc import Mapping

from haikei.sgserver.credentials import Caller
from haikei.sgserver.query.presenting import Presenter
from haikei.sgserver.site import Site
from haikei.sgserver.store import Session
from haikei.sgserver.values import Call, Json, bad_request, inspect
from haikei.sgserver.write.coercing import reference
from haikei.sgserver.write.rows import Work, change_row, missing, record, row_columns


def follow(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `follow`."""
    with site.writing(caller, "follow") as (work, _):
        user, entity = _end(site, work, call, "user"), _end(site, work, call, "entity")
        work.session.execute("INSERT OR IGNORE INTO follows VALUES (?, ?)", (user, entity))
    return {"followed": True, "user": call["user"], "entity": call["entity"]}


def unfollow(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `unfollow`."""
    with site.writing(caller, "unfollow") as (work, _):
        ends = (_end(site, work, call, "user"), _end(site, work, call, "entity"))
        work.session.execute("DELETE FROM follows WHERE user = ? AND entity = ?", ends)
    return {"unfollowed": True, "user": call["user"], "entity": call["entity"]}


def _end(site: Site, work: Work, call: Call, key: str) -> int:
    entity_type, entity_id = reference(work.verb, call.get(key), site.schema.types)
    found = record(work, entity_id)
    if found is None or found.kind.name != entity_type:
        raise missing(work.verb, entity_type, entity_id)
    return entity_id


def followers(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `followers`: the people who follow a row."""
    del caller
    _, entity = reference("followers", call.get("entity"), site.schema.types)
    with site.reading() as (session, _):
        users = session.numbers("SELECT user FROM follows WHERE entity = ?", (entity,))
        return _live(session, users)


def following(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `following`: the rows a person follows, of one type or project if wanted."""
    del caller
    _, user = reference("following", call.get("user"), site.schema.types)
    entity_type, project = call.get("entity_type"), call.get("project")
    wanted = project.get("id") if isinstance(project, Mapping) else None
    sql = (
        "SELECT r.id FROM follows f JOIN records r ON r.id = f.entity "
        "WHERE f.user = ? AND (? IS NULL OR r.type = ?) AND (? IS NULL OR r.project = ?)"
    )
    kind = entity_type if isinstance(entity_type, str) else None
    inside = wanted if isinstance(wanted, int) else None
    with site.reading() as (session, _):
        found = session.numbers(sql, (user, kind, kind, inside, inside))
        return [
            {"type": link["type"], "id": link["id"]}
            for link in _live(session, found)
            if isinstance(link, Mapping)
        ]


def _live(session: Session, ids: list[int]) -> list[Json]:
    links = Presenter(session, "").links(ids)
    return [links[one] for one in ids if one in links]


def update_project_last_accessed(site: Site, caller: Caller, call: Call) -> Json:
    """Answer `update_project_last_accessed_by_current_user`; nothing is logged."""
    project = call.get("project_id")
    if isinstance(project, bool) or not isinstance(project, int):
        raise bad_request(f"API invalid/missing integer 'project_id': {inspect(dict(call))}")
    with site.writing(caller, "update") as (work, _):
        kind = work.schema.types["Project"]
        old = row_columns(work, kind, project)
        if old is None:
            raise missing("update", "Project", project)
        change_row(work, kind, project, old, {"last_accessed_by_current_user": work.stamp})
    return True
