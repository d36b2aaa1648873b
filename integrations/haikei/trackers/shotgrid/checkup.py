"""Look at a site for everything that Haikei needs there, and say each thing in one line."""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from haikei.checkup import Finding
from haikei.errors import HaikeiError, TrackerError, TrackerRejected
from haikei.settings import PersonFields, Settings
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.projects import (
    STORAGE_PATHS,
    Catalogue,
    check_projects,
    heeded_ids,
    type_codes,
)
from haikei.trackers.shotgrid.schema import (
    FIELDS_OF,
    KEY,
    FieldState,
    check_permissions,
    field_state,
    twins,
)
from haikei.trackers.shotgrid.setup import check_menu, same_path, storage_elsewhere
from haikei.trackers.shotgrid.statuses import check_statuses
from haikei.trackers.shotgrid.webhooks import check_webhooks

_SETUP = "Run `haikei setup`."
_SKEW_SECONDS = 60.0
_NAMES = 5
_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    client: SiteClient
    settings: Settings
    key: SecretStr


def check_site(client: SiteClient, settings: Settings, key: SecretStr) -> tuple[Finding, ...]:
    """Return the findings; when the site is away or refuses the key, only that."""
    visit = _Visit(client=client, settings=settings, key=key)
    findings: list[Finding] = []
    for subject, first in (("site", _site), ("sign-in", _sign_in)):
        found = _guarded(subject, first, visit)
        findings += found
        if not all(finding.ok for finding in found):
            return tuple(findings)
    looks: tuple[tuple[str, Callable[[_Visit], Iterator[Finding]]], ...] = (
        ("clock", _clock),
        ("events", _events),
        ("projects", _projects),
        ("fields", _fields),
        ("fields of the settings", _named_fields),
        ("statuses", _statuses),
        ("local storages", _storages),
        ("published file types", _types),
        ("pipeline steps", _steps),
        ("permissions", _permissions),
        ("hours", _hours),
        ("thumbnails", _thumbnails),
        ("menu items", _menu),
        ("webhook", _webhooks),
    )
    for subject, look in looks:
        findings += _guarded(subject, look, visit)
    return tuple(findings)


def _guarded(
    subject: str, look: Callable[[_Visit], Iterator[Finding]], visit: _Visit
) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(look(visit))
    except TrackerError as error:
        found.append(_failing(subject, error))
    return found


def _failing(subject: str, error: HaikeiError) -> Finding:
    return Finding(ok=False, subject=subject, message=error.message, advice=error.advice or "")


def _named_fields(visit: _Visit) -> Iterator[Finding]:
    """Yield whether the site has the fields that the settings name; a default may be missing."""
    tracker, default = visit.settings.tracker, PersonFields()
    wanted = [
        ("tracker.episode_field", "Shot", tracker.episode_field),
        ("tracker.no_ai_field", "Shot", tracker.no_ai_field),
    ]
    wanted += [
        (f"tracker.cut_fields.{name}", "Shot", field)
        for name, fields in tracker.cut_fields
        for field in fields
    ]
    wanted += [
        (f"tracker.person_fields.{name}", "HumanUser", field)
        for name, field in tracker.person_fields
        if field != getattr(default, name)
    ]
    for key, type_, field in wanted:
        if not field:
            continue
        try:
            visit.client.find(type_, [], [field], limit=1)
        except TrackerRejected as error:
            advice = f"Correct {key}, or make the field in the tracker."
            yield Finding(ok=False, subject=key, message=error.message, advice=advice)
        else:
            yield Finding(ok=True, subject=key, message=f"{type_} has the field {field}.")


def _site(visit: _Visit) -> Iterator[Finding]:
    version = visit.client.info().get("full_version")
    words = ".".join(str(part) for part in version) if isinstance(version, list) else "unknown"
    yield Finding(ok=True, subject="site", message=f"{visit.client.url} answers, version {words}.")


def _sign_in(visit: _Visit) -> Iterator[Finding]:
    script = visit.settings.tracker.script
    rows = visit.client.find("ApiUser", [["firstname", "is", script]], ["firstname"])
    if rows:
        yield Finding(ok=True, subject="sign-in", message=f"The script {script!r} may sign in.")
    else:
        yield Finding(
            ok=False,
            subject="sign-in",
            message=f"The script {script!r} may sign in, but cannot see its own row.",
            advice="Let its permission role see scripts; else its own events cannot be told apart.",
        )


def _clock(visit: _Visit) -> Iterator[Finding]:
    reading = visit.client.clock()
    if reading is None:
        yield Finding(ok=True, subject="clock", message="The site does not tell its time.")
        return
    skew = (reading.ours - reading.site).total_seconds()
    yield Finding(
        ok=abs(skew) <= _SKEW_SECONDS,
        subject="clock",
        message=f"Ours is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the site's.",
        advice="" if abs(skew) <= _SKEW_SECONDS else "Let NTP set this machine's clock.",
    )


def _events(visit: _Visit) -> Iterator[Finding]:
    rows = visit.client.find("ApiUser", [], ["firstname", "generate_event_log_entries"])
    ours = [row for row in rows if row.text("firstname") == visit.settings.tracker.script]
    silent = [
        row.text("firstname") for row in rows if row.flag("generate_event_log_entries") is False
    ]
    for row in ours:
        loud = row.flag("generate_event_log_entries") is not False
        yield Finding(
            ok=loud,
            subject=f"events of script {row.text('firstname')}",
            message="It writes the event log."
            if loud
            else "What it creates leaves no event log entries and fires no webhooks.",
            advice="" if loud else "Switch on Generate Events for it, so that other tools see it.",
        )
    others = [name for name in silent if name != visit.settings.tracker.script]
    if others:
        more = f" and {len(others) - _NAMES} more" if len(others) > _NAMES else ""
        yield Finding(
            ok=False,
            subject="events of other scripts",
            message=f"Without events: {', '.join(others[:_NAMES])}{more}.",
            advice="Layouts that they publish are found by reconciliation only, minutes later: "
            "switch on Generate Events for those that publish.",
        )
    else:
        yield Finding(
            ok=True, subject="events of other scripts", message="All of them write the event log."
        )


def _projects(visit: _Visit) -> Iterator[Finding]:
    yield from check_projects(visit.client, visit.settings.tracker)


def _fields(visit: _Visit) -> Iterator[Finding]:
    for owner, fields in FIELDS_OF.items():
        schema = visit.client.schema(owner)
        for field in fields:
            subject = f"field {owner}.{field.name}"
            state = field_state(schema, field)
            if state is FieldState.MISSING:
                yield Finding(ok=False, subject=subject, message="It is missing.", advice=_SETUP)
            elif state is FieldState.OTHER_TYPE:
                yield Finding(
                    ok=False,
                    subject=subject,
                    message=f"It is no {field.data_type} field.",
                    advice="Delete or rename it on the site; then run `haikei setup`.",
                )
            else:
                yield Finding(
                    ok=True, subject=subject, message=f"It is there, as {field.data_type}."
                )
            for twin in twins(schema, field):
                yield Finding(
                    ok=False,
                    subject=f"field {owner}.{twin}",
                    message=f"It is a twin of {field.name}, made when the site had that already.",
                    advice="Nobody reads it: delete it on the site.",
                )


def _statuses(visit: _Visit) -> Iterator[Finding]:
    yield from check_statuses(visit.client, visit.settings)


def _menu(visit: _Visit) -> Iterator[Finding]:
    yield from check_menu(visit.client, visit.settings)


def _webhooks(visit: _Visit) -> Iterator[Finding]:
    projects = heeded_ids(visit.client, visit.settings.tracker)
    yield from check_webhooks(visit.settings, visit.key, projects=projects)


def _storages(visit: _Visit) -> Iterator[Finding]:
    roots = visit.settings.storage.roots
    known = Catalogue(visit.client).storages([root.name for root in roots])
    field = STORAGE_PATHS.get(platform.system(), "linux_path")
    for root in roots:
        subject = f"local storage {root.name}"
        storage = known.get(root.name)
        if storage is None:
            yield Finding(ok=False, subject=subject, message="It is missing.", advice=_SETUP)
        elif not same_path(storage.paths.get(field, ""), root):
            yield storage_elsewhere(subject, storage.paths.get(field, ""), root)
        else:
            yield Finding(ok=True, subject=subject, message=f"It is at {root.path}.")


def _types(visit: _Visit) -> Iterator[Finding]:
    codes = type_codes(visit.settings.tracker)
    known = Catalogue(visit.client).file_types(codes)
    for code in codes:
        there = code in known
        yield Finding(
            ok=there,
            subject=f"published file type {code}",
            message="It is there." if there else "It is missing.",
            advice="" if there else _SETUP,
        )


def _steps(visit: _Visit) -> Iterator[Finding]:
    tracker = visit.settings.tracker
    rows = visit.client.find("Step", [], ["code", "short_name", "entity_type"])
    names = {
        row.text(field).casefold()
        for row in rows
        if row.text("entity_type") in {"", "Shot"}
        for field in ("code", "short_name")
    }
    for name in dict.fromkeys((tracker.layout_step, tracker.background_step)):
        message = "Shots can have it." if name.casefold() in names else ""
        if not message and visit.client.find("Task", [["content", "is", name]], ["id"], limit=1):
            message = "No step has this name; tasks are found that have it."
        yield Finding(
            ok=bool(message),
            subject=f"pipeline step {name}",
            message=message or "No pipeline step of shots, and no task, has this name.",
            advice=""
            if message
            else "Name the studio's own in tracker.layout_step or tracker.background_step.",
        )


def _permissions(visit: _Visit) -> Iterator[Finding]:
    yield from check_permissions(visit.client)


def _hours(visit: _Visit) -> Iterator[Finding]:
    logged = visit.client.find("TimeLog", [], ["duration"], limit=1)
    yield Finding(
        ok=True,
        subject="hours",
        message="The script may read time logs."
        if logged
        else "The script sees no time log: reports go without hours.",
    )


def _thumbnails(visit: _Visit) -> Iterator[Finding]:
    bare = visit.client.find(
        "Version",
        [[KEY, "is_not", None], ["image", "is", None], ["created_at", "in_last", _DAYS, "DAY"]],
        ["code"],
    )
    names = ", ".join(row.text("code") for row in bare[:_NAMES])
    yield Finding(
        ok=not bare,
        subject="thumbnails",
        message=f"{len(bare)} Versions of the last {_DAYS} days have none: {names}."
        if bare
        else f"All Versions of the last {_DAYS} days have one.",
        advice="The site has not made them from the media: look at its transcoding."
        if bare
        else "",
    )
