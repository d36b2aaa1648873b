"""What a Kitsu server must have for Haikei: made by `haikei setup`, looked at by the doctor."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from haikei.checkup import Finding
from haikei.errors import HaikeiError, TrackerDenied, TrackerRejected
from haikei.names import nearest_names
from haikei.settings import Settings
from haikei.trackers.contract.review import statuses_of_tasks, statuses_of_versions
from haikei.trackers.kitsu.client import KitsuSite
from haikei.trackers.kitsu.places import KitsuPlaces
from haikei.trackers.kitsu.publishing import CREDIT_FIELD
from haikei.trackers.kitsu.rows import ProjectRow, TypeRow

_COLOUR = "#5e7fb1"
#: The oldest server whose calls are those that Haikei makes.
OLDEST = (1, 0)
ADMIN = "admin"
_NO_AI = "tracker.no_ai_field"
#: Whose columns can be read, by what stands before the dot in a setting.
_OWNERS = {"": "Shot", "sequence": "Sequence", "episode": "Episode", "project": "Project"}
#: What Haikei reads all the time, and what for.
_READ = {
    "events": ("data/events/last", "the log of events, by which layouts and decisions are found"),
    "people": ("data/persons", "the people whom credits name"),
    "projects": ("data/projects", "the productions"),
    "files": ("data/output-files", "the files that were published"),
}


def set_up(
    site: KitsuSite, settings: Settings, places: KitsuPlaces, *, dry_run: bool
) -> tuple[Finding, ...]:
    """
    Make the task types, output types and columns that are missing; what stands is left alone.

    Raises:
        TrackerUnavailable: the server does not answer.
        TrackerDenied: it is no Kitsu server, or does not take the token.
    """
    site.me()
    tracker = settings.tracker
    steps = (tracker.layout_step, tracker.background_step)
    types = (
        *tracker.layout_types,
        tracker.background_type,
        tracker.stage_type,
        tracker.touch_up_type,
    )
    parts: dict[str, Callable[[], Iterable[Finding]]] = {
        "task types": lambda: _task_types(site, places, steps, dry_run=dry_run),
        "output types": lambda: _output_types(site, types, dry_run=dry_run),
        "task statuses": lambda: _statuses(places, settings),
        "columns": lambda: _columns(site, places, dry_run=dry_run),
        "columns that the settings name": lambda: _named_columns(site, places, settings),
    }
    found: list[Finding] = []
    for subject, part in parts.items():
        try:
            found += part()
        except (TrackerDenied, TrackerRejected) as error:
            # What the account may not see says nothing of the other parts.
            found.append(_failed(subject, error))
    return tuple(found)


def check(site: KitsuSite, settings: Settings, places: KitsuPlaces) -> tuple[Finding, ...]:
    """Return one finding for each thing that must be right; never raises for the server."""
    try:
        version = str(site.read("")["version"])
        if _numbers(version) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            return (
                Finding(
                    ok=False,
                    subject="kitsu version",
                    message=f"{site.url} runs zou {version}; Haikei needs {oldest} or newer.",
                    advice="Upgrade Kitsu's server.",
                ),
            )
        user = site.read("auth/authenticated")["user"]
        answers = Finding(
            ok=True,
            subject="kitsu",
            message=f"{site.url} answers (zou {version}); Haikei is {user['full_name']!r} there.",
        )
        return (
            answers,
            *_account(user),
            *_rights(site),
            *set_up(site, settings, places, dry_run=True),
        )
    except HaikeiError as error:
        return (_failed("kitsu", error),)


def _account(user: Any) -> Iterator[Finding]:
    role, bot = str(user.get("role")), bool(user.get("is_bot"))
    yield Finding(
        ok=role == ADMIN,
        subject="kitsu role",
        message=f"The account has the role {role!r}.",
        advice=""
        if role == ADMIN
        else "Give it the role admin: it reads the log of events, makes task types and columns, "
        "and comments in the name of who decided on Haikei's pages.",
    )
    yield Finding(
        ok=bot,
        subject="kitsu bot",
        message="Kitsu shows what it publishes as a bot's."
        if bot
        else "The account is no bot: Kitsu shows what it publishes as a person's.",
        advice="" if bot else "Make a bot in Kitsu and use its token.",
    )


def _rights(site: KitsuSite) -> Iterator[Finding]:
    for name, (path, what) in _READ.items():
        subject = f"kitsu right {name}"
        try:
            site.read(path, limit="1", page="1")
        except (TrackerDenied, TrackerRejected) as error:
            yield Finding(
                ok=False,
                subject=subject,
                message=f"The account may not read {what}: {error.message}",
                advice=error.advice or "Give the bot the role admin.",
            )
        else:
            yield Finding(ok=True, subject=subject, message=f"The account reads {what}.")


def _task_types(
    site: KitsuSite, places: KitsuPlaces, names: tuple[str, ...], *, dry_run: bool
) -> Iterator[Finding]:
    for name in dict.fromkeys(names):
        fields = {"name": name, "short_name": "", "color": _COLOUR, "for_entity": "Shot"}
        yield _made(
            f"task type {name}",
            there=places.task_type(name) is not None,
            make=partial(site.add, TypeRow, "data/task-types", fields),
            dry_run=dry_run,
        )


def _output_types(site: KitsuSite, names: tuple[str, ...], *, dry_run: bool) -> Iterator[Finding]:
    known = {row.name for row in site.rows(TypeRow, "data/output-types")}
    for name in dict.fromkeys(names):
        fields = {"name": name, "short_name": ""}
        yield _made(
            f"output type {name}",
            there=name in known,
            make=partial(site.add, TypeRow, "data/output-types", fields),
            dry_run=dry_run,
        )


def _statuses(places: KitsuPlaces, settings: Settings) -> Iterator[Finding]:
    codes = {row.short_name for row in places.statuses()}
    # Kitsu's versions have the statuses of their tasks.
    wanted = (*statuses_of_versions(settings), *statuses_of_tasks(settings))
    for code in dict.fromkeys(wanted):
        there = code in codes
        yield Finding(
            ok=there,
            subject=f"task status {code}",
            message="It is there." if there else "Kitsu has no status with this short name.",
            advice=""
            if there
            else "Name one of Kitsu's in tracker.review_status, tracker.look_status and "
            f"review.statuses ({', '.join(sorted(codes))}), or make it there.",
        )


def _projects(site: KitsuSite, places: KitsuPlaces) -> tuple[ProjectRow, ...]:
    heeded = places.heeded()
    return tuple(heeded if heeded is not None else site.rows(ProjectRow, "data/projects"))


def _columns(site: KitsuSite, places: KitsuPlaces, *, dry_run: bool) -> Iterator[Finding]:
    for project in _projects(site, places):
        path = _descriptors(project)
        known = {str(one.get("field_name")) for one in site.read(path)}
        fields = {
            "name": "Haikei Credit",
            "entity_type": "Shot",
            "data_type": "string",
            "choices": [],
            "for_client": False,
            "departments": [],
        }
        yield _made(
            f"column of {project.name} Haikei Credit",
            there=CREDIT_FIELD in known,
            make=partial(site.send, path, fields),
            dry_run=dry_run,
        )


def _descriptors(project: ProjectRow) -> str:
    return f"data/projects/{project.id}/metadata-descriptors"


def _named_columns(site: KitsuSite, places: KitsuPlaces, settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each column that the settings name: read, and never made by Haikei."""
    tracker = settings.tracker
    named = [(f"tracker.cut_fields.{key}", one) for key, all_ in tracker.cut_fields for one in all_]
    if tracker.no_ai_field:
        named.append((_NO_AI, tracker.no_ai_field))
    if not named:
        return
    projects = _projects(site, places)
    known = {
        project.name: {
            (str(one.get("entity_type")), str(one.get("field_name")))
            for one in site.read(_descriptors(project))
        }
        for project in projects
    }
    for key, field in named:
        # The whole name stands for the shot's own where only those are read.
        whose, _, name = ("", "", field) if key == _NO_AI else field.rpartition(".")
        of = _OWNERS.get(whose)
        subject = f"{key} {field}"
        if of is None:
            yield Finding(
                ok=False,
                subject=subject,
                message=f"{field!r} is no column that Haikei reads from Kitsu.",
                advice="Write the column's name, as for the shot's own, or in [tracker.cut_fields] "
                "sequence.NAME, episode.NAME or project.NAME.",
            )
            continue
        having = [project for project, columns in known.items() if (of, name) in columns]
        lacking = ", ".join(project for project in known if project not in having)
        if having:
            there = f"{', '.join(having)} has the column {name} of {of}s."
            message = f"{there} {lacking} has not." if lacking else there
            yield Finding(ok=True, subject=subject, message=message)
            continue
        near = nearest_names(
            name, {one for all_ in known.values() for kind, one in all_ if kind == of}
        )
        yield Finding(
            ok=False,
            subject=subject,
            message=f"No production has a column {name} of {of}s; near ones: "
            f"{', '.join(near) or 'none'}.",
            advice=f"Correct {key} (Kitsu's own name of a column has small letters and _), or make "
            "the column in Kitsu.",
        )


def _made(subject: str, *, there: bool, make: Callable[[], object], dry_run: bool) -> Finding:
    """Return what becomes of one thing; it is made unless it is there, or is only looked for."""
    if there:
        return Finding(ok=True, subject=subject, message="It is there.")
    if dry_run:
        return Finding(ok=True, subject=subject, message="It would be made.", planned=True)
    try:
        make()
    except (TrackerDenied, TrackerRejected) as error:
        return _failed(subject, error)
    return Finding(ok=True, subject=subject, message="It was made.")


def _failed(subject: str, error: HaikeiError) -> Finding:
    return Finding(ok=False, subject=subject, message=error.message, advice=error.advice or "")


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(int(one) for one in parts[:2] if one.isdigit())
