"""The fields that Haikei adds to a site, and the keys that it writes into one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from haikei.trackers.crediting import StatedCredits
from haikei.trackers.tracker import PublishRequest

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
