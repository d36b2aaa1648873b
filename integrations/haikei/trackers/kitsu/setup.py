"""What a Kitsu server must have for Haikei: made by `haikei setup`, looked at by the doctor."""

from collections.abc import Iterator

from haikei.checkup import Finding
from haikei.errors import HaikeiError
from haikei.settings import Settings
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.places import KitsuPlaces
from haikei.trackers.kitsu.publishing import CREDIT_FIELD
from haikei.trackers.kitsu.rows import ProjectRow, TypeRow

_COLOUR = "#5e7fb1"


def set_up(
    site: KitsuSite, settings: Settings, places: KitsuPlaces, *, dry_run: bool
) -> tuple[Finding, ...]:
    """
    Make the task types, output types and columns that are missing; what stands is left alone.

    Raises:
        TrackerError: the server does not answer, or refuses.
    """
    tracker = settings.tracker
    found = [
        *_task_types(site, places, (tracker.layout_step, tracker.background_step), dry_run=dry_run),
        *_output_types(
            site,
            (
                *tracker.layout_types,
                tracker.background_type,
                tracker.stage_type,
                tracker.touch_up_type,
            ),
            dry_run=dry_run,
        ),
        *_statuses(places, settings),
        *_columns(site, places, dry_run=dry_run),
    ]
    return tuple(found)


def check(site: KitsuSite, settings: Settings, places: KitsuPlaces) -> tuple[Finding, ...]:
    """Return one finding for each thing that must be right; never raises for the server."""
    try:
        user = site.read("auth/authenticated")["user"]
        version = site.read("")["version"]
        answers = Finding(
            ok=True,
            subject="kitsu",
            message=f"{site.url} answers (zou {version}); Haikei is {user['full_name']!r} there.",
        )
        role = Finding(
            ok=user["role"] == "admin",
            subject="kitsu role",
            message=f"The account has the role {user['role']!r}.",
            advice=""
            if user["role"] == "admin"
            else "Give it the role admin: it reads the log "
            "of events, and comments in the name of who decided on Haikei's pages.",
        )
        bot = Finding(
            ok=bool(user["is_bot"]),
            subject="kitsu bot",
            message="Kitsu shows what it publishes as a bot's."
            if user["is_bot"]
            else "The account is no bot: Kitsu shows what it publishes as a person's.",
            advice="" if user["is_bot"] else "Make a bot in Kitsu and use its token.",
        )
        return (answers, role, bot, *set_up(site, settings, places, dry_run=True))
    except HaikeiError as error:
        return (
            Finding(ok=False, subject="kitsu", message=error.message, advice=error.advice or ""),
        )


def _task_types(
    site: KitsuSite, places: KitsuPlaces, names: tuple[str, ...], *, dry_run: bool
) -> Iterator[Finding]:
    for name in dict.fromkeys(names):
        known = places.task_type(name)
        if known is None and not dry_run:
            fields = {"name": name, "short_name": "", "color": _COLOUR, "for_entity": "Shot"}
            site.add(TypeRow, "data/task-types", fields)
        yield _made("task type", name, there=known is not None, dry_run=dry_run)


def _output_types(site: KitsuSite, names: tuple[str, ...], *, dry_run: bool) -> Iterator[Finding]:
    known = {row.name for row in site.rows(TypeRow, "data/output-types")}
    for name in dict.fromkeys(names):
        if name not in known and not dry_run:
            site.add(TypeRow, "data/output-types", {"name": name, "short_name": ""})
        yield _made("output type", name, there=name in known, dry_run=dry_run)


def _statuses(places: KitsuPlaces, settings: Settings) -> Iterator[Finding]:
    codes = {row.short_name for row in places.statuses()}
    wanted = settings.review.statuses
    named = (*wanted.approve, *wanted.retake, *wanted.hold, *wanted.omit)
    tasks = filter(None, (wanted.task_approved, wanted.task_retake))
    for code in dict.fromkeys((settings.tracker.review_status, *named, *tasks)):
        there = code in codes
        yield Finding(
            ok=there,
            subject=f"task status {code}",
            message="It is there." if there else "Kitsu has no status with this short name.",
            advice=""
            if there
            else "Name one of Kitsu's in tracker.review_status and review.statuses "
            f"({', '.join(sorted(codes))}), or make it there.",
        )


def _columns(site: KitsuSite, places: KitsuPlaces, *, dry_run: bool) -> Iterator[Finding]:
    heeded = places.heeded()
    projects = heeded if heeded is not None else site.rows(ProjectRow, "data/projects")
    for project in projects:
        path = f"data/projects/{project.id}/metadata-descriptors"
        known = {str(one.get("field_name")) for one in site.read(path)}
        there = CREDIT_FIELD in known
        if not there and not dry_run:
            site.send(
                path,
                {
                    "name": "Haikei Credit",
                    "entity_type": "Shot",
                    "data_type": "string",
                    "choices": [],
                    "for_client": False,
                    "departments": [],
                },
            )
        yield _made(f"column of {project.name}", "Haikei Credit", there=there, dry_run=dry_run)


def _made(what: str, name: str, *, there: bool, dry_run: bool) -> Finding:
    if there:
        return Finding(ok=True, subject=f"{what} {name}", message="It is there.")
    if dry_run:
        return Finding(ok=True, subject=f"{what} {name}", message="It would be made.", planned=True)
    return Finding(ok=True, subject=f"{what} {name}", message="It was made.")
