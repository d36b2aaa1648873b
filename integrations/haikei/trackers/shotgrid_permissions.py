"""Find out what a script may write, without leaving anything behind."""

import re
from collections.abc import Iterator, Sequence

from haikei.errors import TrackerRejected
from haikei.trackers.shotgrid_client import CreateRow, RetireRow, SiteClient, UpdateRow
from haikei.trackers.shotgrid_fields import CHECKPOINT, KEY, OWNERS
from haikei.trackers.shotgrid_record import Record
from haikei.trackers.tracker import Finding

#: No site ever gets this far; a batch that retires it fails, and with it all else in the batch.
_IMPOSSIBLE = 2_147_483_647
_PROBE = "haikei doctor"


def check_permissions(client: SiteClient) -> Iterator[Finding]:
    """
    Yield whether Versions and PublishedFiles may be created and changed, and Projects changed.

    There is no call that tells. A batch is carried out whole or not at all, so each write is
    sent together with one that must fail: when the site complains about that one only, it would
    have done the other.

    Raises:
        TrackerError: the site does not answer.
    """
    projects = client.find(
        "Project",
        [["archived", "is_not", True]],
        ["name", CHECKPOINT],
        order=("id", "desc"),
        limit=1,
    )
    for owner in OWNERS:
        expected = _refusal(client, [RetireRow(type=owner, id=_IMPOSSIBLE)])
        probes: list[tuple[str, CreateRow | UpdateRow]] = []
        if projects:
            probes.append((f"create {owner}", _new(owner, projects[0])))
        mine = client.find(owner, [[KEY, "is_not", None]], ["description"], limit=1)
        probes += [(f"change {owner}", _unchanged(row, "description")) for row in mine]
        for what, row in probes:
            refused = _refusal(client, [row, RetireRow(type=owner, id=_IMPOSSIBLE)])
            _sweep(client, owner)
            yield _finding(what, refused=refused, expected=expected)
    for project in projects:
        if project.has(CHECKPOINT):
            impossible = RetireRow(type="Project", id=_IMPOSSIBLE)
            yield _finding(
                "change Project",
                refused=_refusal(client, [_unchanged(project, CHECKPOINT), impossible]),
                expected=_refusal(client, [impossible]),
            )
    if not projects:
        yield Finding(
            ok=True,
            subject="permission to create",
            message="There is no project yet in which it could be tried.",
        )


def _finding(what: str, *, refused: str, expected: str) -> Finding:
    allowed = _without_numbers(refused) == _without_numbers(expected)
    return Finding(
        ok=allowed,
        subject=f"permission to {what}",
        message="The script may do it." if allowed else refused,
        advice="" if allowed else "Give the script's permission role this right.",
    )


def _refusal(client: SiteClient, rows: Sequence[CreateRow | UpdateRow | RetireRow]) -> str:
    try:
        client.batch(rows)
    except TrackerRejected as error:
        _, _, said = error.message.partition(" refused ")
        return said.partition(": ")[2] or error.message
    return ""


def _new(owner: str, project: Record) -> CreateRow:
    fields = {"project": {"type": "Project", "id": project.id}, "code": _PROBE, "description": ""}
    return CreateRow(type=owner, fields=fields)


def _unchanged(row: Record, field: str) -> UpdateRow:
    return UpdateRow(type=row.type, id=row.id, fields={field: row.text(field)})


def _sweep(client: SiteClient, owner: str) -> None:
    # A site whose batches are not atomic would keep the probe.
    left = client.find(owner, [["code", "is", _PROBE]], ["code"])
    client.batch([RetireRow(type=row.type, id=row.id) for row in left])


def _without_numbers(text: str) -> str:
    return re.sub(r"\d+", "#", text)
