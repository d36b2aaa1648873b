"""
The fields that Haikei adds to a site, what the site's schema says of them, and what a
script may write.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, cast

from haikei.checkup import Finding
from haikei.errors import TrackerRejected
from haikei.trackers.contract.credits import StatedCredits
from haikei.trackers.contract.tracker import PublishRequest
from haikei.trackers.shotgrid.client import CreateRow, Record, RetireRow, SiteClient, UpdateRow

KEY = "sg_haikei_key"
CREDIT = "sg_haikei_credit"
CREDIT_JA = "sg_haikei_credit_ja"
SYSTEM = "sg_haikei_system"
SOURCE_TYPE = "sg_haikei_source_type"
RECORD = "sg_haikei_record"
ROLES = "sg_haikei_roles"
LEDGER = "sg_haikei_ledger"
RECORD_LINK = "sg_haikei_record_link"
CHECKPOINT = "sg_haikei_checkpoint"
UNREAD = "sg_haikei_unread"

#: What states credits: on a Version, and on each of its files.
CREDIT_FIELDS = (CREDIT, CREDIT_JA, ROLES, SYSTEM, SOURCE_TYPE, LEDGER, RECORD_LINK)

#: The entity types whose rows we make.
OWNERS = ("Version", "PublishedFile")


@dataclass(frozen=True, slots=True, kw_only=True)
class HaikeiField:
    """A field of ours."""

    name: str  #: what the site makes of the label: `sg_`, lower case, `_` for all but letters
    label: str
    description: str
    data_type: Literal["text", "number"] = "text"


#: The fields of each row that we make.
FIELDS = (
    HaikeiField(
        name=KEY,
        label="Haikei Key",
        description="Identifies what Haikei made, so that nothing is made twice. Do not edit.",
    ),
    HaikeiField(
        name=CREDIT, label="Haikei Credit", description="Who made this background, in English."
    ),
    HaikeiField(
        name=CREDIT_JA,
        label="Haikei Credit JA",
        description="Who made this background, in Japanese.",
    ),
    HaikeiField(
        name=SYSTEM, label="Haikei System", description="The generator, with model and version."
    ),
    HaikeiField(
        name=SOURCE_TYPE,
        label="Haikei Source Type",
        description="IPTC Digital Source Type of the pixels.",
    ),
    HaikeiField(
        name=RECORD,
        label="Haikei Record",
        description="SHA-256 of the record that Haikei's ledger seals.",
    ),
    HaikeiField(
        name=ROLES,
        label="Haikei Roles",
        description="What each person and each tool did, one line a role.",
    ),
    HaikeiField(
        name=LEDGER,
        label="Haikei Ledger",
        description="The number of the entry in Haikei's ledger; the first entry is 0.",
        data_type="number",
    ),
    HaikeiField(
        name=RECORD_LINK,
        label="Haikei Record Link",
        description="Where the full record stands: below the storage root, or at an address.",
    ),
)

#: What tells that we wrote a row that is neither a Version nor a file.
_OWN = HaikeiField(
    name=KEY,
    label="Haikei Key",
    description="Identifies what Haikei wrote, so that nothing is written twice. Do not edit.",
)

#: The fields that each entity type gets.
FIELDS_OF: Mapping[str, tuple[HaikeiField, ...]] = {
    **dict.fromkeys(OWNERS, FIELDS),
    "Version": (
        *FIELDS,
        HaikeiField(
            name=UNREAD,
            label="Haikei Unread",
            description="Per cent of the layout that could not be read; look there first.",
            data_type="number",
        ),
    ),
    "Project": (
        HaikeiField(
            name=CHECKPOINT,
            label="Haikei Checkpoint",
            description="The newest signed head of Haikei's ledger. Do not edit.",
        ),
    ),
    "Note": (_OWN,),
    "Playlist": (_OWN,),
}


def file_keys(request: PublishRequest) -> tuple[str, ...]:
    """Return the key of each file's row: the job's, and what of it the file is."""
    stages = (f"{request.key}:stage{number}" for number in range(1, len(request.images)))
    return (result_key(request.key), *stages)[: len(request.images)]


def result_key(key: str) -> str:
    """Return the key of the row of a version's own file."""
    return f"{key}:result"


def layout_key(sha256: str) -> str:
    """Return the key of a layout's row that Haikei made itself; within one shot it is unique."""
    return f"layout:{sha256}"


def credit_fields(stated: StatedCredits) -> dict[str, object]:
    """Return the values of the fields that state credits."""
    return {
        CREDIT: stated.credit_en,
        CREDIT_JA: stated.credit_ja,
        ROLES: stated.roles,
        SYSTEM: stated.system,
        SOURCE_TYPE: stated.source_type,
        LEDGER: stated.ledger_index,
        RECORD_LINK: stated.record_link,
    }


#: Fields by name, each with properties that are `{"value": …, "editable": …}`.
Schema = Mapping[str, Mapping[str, Any]]


class FieldState(StrEnum):
    """How a field of ours stands on a site."""

    RIGHT = "right"
    MISSING = "missing"
    OTHER_TYPE = "other_type"


def field_state(schema: Schema, field: HaikeiField) -> FieldState:
    """Return how a field stands."""
    found = schema.get(field.name)
    if found is None:
        return FieldState.MISSING
    kind = _value(found.get("data_type"))
    return FieldState.RIGHT if kind == field.data_type else FieldState.OTHER_TYPE


def twins(schema: Schema, field: HaikeiField) -> Sequence[str]:
    """Return fields that a site made under another name when ours was asked for."""
    numbered = re.compile(rf"{re.escape(field.name)}_\d+")
    return sorted(
        name
        for name, properties in schema.items()
        if name != field.name
        and (numbered.fullmatch(name) or _value(properties.get("name")) == field.label)
    )


def status_values(schema: Schema, field: str, name: str) -> tuple[str, ...]:
    """Return a list property of a status field: `valid_values` or `hidden_values`."""
    properties = schema.get(field, {}).get("properties")
    found = properties.get(name) if isinstance(properties, dict) else None
    values = _value(found)
    if not isinstance(values, list):
        return ()
    return tuple(value for value in cast("list[object]", values) if isinstance(value, str))


def _value(entry: object) -> object:
    return cast("Mapping[str, object]", entry).get("value") if isinstance(entry, dict) else None


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
        _, _, refusal = error.message.partition(" refused ")
        return refusal.partition(": ")[2] or error.message
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
