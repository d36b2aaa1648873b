"""The statuses that a site lets rows have, and those that stand for decisions."""

from collections.abc import Iterator, Mapping, Sequence

from haikei.checkup import Finding
from haikei.errors import TrackerRejected
from haikei.settings import Settings
from haikei.trackers.contract.review import statuses_of_tasks, statuses_of_versions
from haikei.trackers.shotgrid.client import CreateRow, SiteClient
from haikei.trackers.shotgrid.schema import status_values

_FIELD = "sg_status_list"
_PROJECTS = 25
_SETUP = "Run `haikei setup`."
#: What a status is called that setup has to create.
_NAMES = {
    "apr": "Approved",
    "fin": "Final",
    "rtk": "Retake",
    "hld": "On Hold",
    "omt": "Omit",
}


def valid_statuses(client: SiteClient, entity_type: str) -> tuple[str, ...]:
    """
    Return the status codes that rows of a type may have.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    return status_values(client.schema(entity_type, _FIELD), _FIELD, "valid_values")


def hidden_statuses(client: SiteClient, entity_type: str) -> Mapping[str, frozenset[str]]:
    """
    Return the codes that each of the newest projects hides, by the project's name.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    projects = client.find(
        "Project", [["archived", "is_not", True]], ["name"], order=("id", "desc"), limit=_PROJECTS
    )
    return {
        f"{project.text('name')} ({project.id})": frozenset(
            status_values(
                client.schema(entity_type, _FIELD, project=project.id), _FIELD, "hidden_values"
            )
        )
        for project in projects
    }


def visible_statuses(client: SiteClient, entity_type: str) -> tuple[str, ...]:
    """
    Return the codes that rows may have, less those that every one of the newest projects hides.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    valid = valid_statuses(client, entity_type)
    hidden = list(hidden_statuses(client, entity_type).values())
    nowhere = frozenset[str]().union(*hidden).intersection(*hidden)
    return tuple(code for code in valid if code not in nowhere)


def set_up_statuses(client: SiteClient, settings: Settings, *, dry_run: bool) -> Iterator[Finding]:
    """
    Let Versions have the statuses by which people decide; create those that the site lacks.

    Raises:
        TrackerError: the site does not answer.
    """
    wanted = settings.review.statuses.codes
    valid = valid_statuses(client, "Version")
    missing = [code for code in wanted if code not in valid]
    refused = ""
    if missing and not dry_run:
        refused = _add(client, valid, missing)
    for code in wanted:
        subject = f"status Version {code}"
        if code not in missing:
            yield Finding(ok=True, subject=subject, message="It stands already.")
        elif dry_run:
            message = "Versions cannot have it; it would be added."
            yield Finding(ok=True, planned=True, subject=subject, message=message)
        elif refused:
            yield Finding(
                ok=False,
                subject=subject,
                message=refused,
                advice="As an admin of the site, add it: Admin > Statuses, then the Version's "
                "Status field > Configure Field.",
            )
        else:
            yield Finding(ok=True, subject=subject, message="Created.")


def _add(client: SiteClient, valid: Sequence[str], missing: Sequence[str]) -> str:
    """Add statuses to Versions; return why the site refuses, empty when it does not."""
    try:
        rows = client.find("Status", [["code", "in", list(missing)]], ["code"])
        known = {row.text("code") for row in rows}
        client.batch(
            [
                CreateRow(type="Status", fields={"code": code, "name": _NAMES.get(code, code)})
                for code in missing
                if code not in known
            ]
        )
        client.set_valid_values("Version", _FIELD, [*valid, *missing])
        left = [code for code in missing if code not in valid_statuses(client, "Version")]
    except TrackerRejected as error:
        return error.message
    return f"The site did not take {', '.join(left)} up." if left else ""


def check_statuses(client: SiteClient, settings: Settings) -> Iterator[Finding]:
    """
    Yield whether people can set the statuses of decisions, on Versions and on Tasks.

    Raises:
        TrackerError: the site does not answer, or refuses.
    """
    yield from _check(client, "Version", statuses_of_versions(settings))
    yield from _check(client, "Task", statuses_of_tasks(settings))


def _check(client: SiteClient, entity_type: str, wanted: Sequence[str]) -> Iterator[Finding]:
    if not wanted:
        return
    valid = valid_statuses(client, entity_type)
    hiding = hidden_statuses(client, entity_type)
    for code in wanted:
        subject = f"status {entity_type} {code}"
        hidden = [name for name, codes in hiding.items() if code in codes]
        if code not in valid:
            yield Finding(
                ok=False,
                subject=subject,
                message=f"The site has no such status for a {entity_type}; it has "
                f"{', '.join(valid)}.",
                advice=f"{_SETUP} Or correct tracker.review_status and [review.statuses]."
                if entity_type == "Version"
                else "Name one that it has in [review.statuses].",
            )
        elif hidden:
            yield Finding(
                ok=False,
                subject=subject,
                message=f"It is hidden in {', '.join(hidden)}.",
                advice="Show it in the project's tracking settings: nobody can choose it there.",
            )
        else:
            yield Finding(ok=True, subject=subject, message=f"A {entity_type} can have it.")
