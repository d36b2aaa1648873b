"""The fields that Haikei adds to a site, and the keys that it writes into one of them."""

from dataclasses import dataclass

from haikei.trackers.tracker import PublishRequest

KEY = "sg_haikei_key"
CREDIT = "sg_haikei_credit"
CREDIT_JA = "sg_haikei_credit_ja"
SYSTEM = "sg_haikei_system"
SOURCE_TYPE = "sg_haikei_source_type"
RECORD = "sg_haikei_record"

#: The entity types that get all of them.
OWNERS = ("Version", "PublishedFile")


@dataclass(frozen=True, slots=True, kw_only=True)
class HaikeiField:
    """A text field of ours."""

    name: str  #: what the site makes of the label: `sg_`, lower case, `_` for all but letters
    label: str
    description: str


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
)


def file_keys(request: PublishRequest) -> tuple[str, ...]:
    """Return the key of each file's row: the job's, and what of it the file is."""
    stages = (f"stage{number}" for number in range(1, len(request.images)))
    return tuple(f"{request.key}:{role}" for role in ("result", *stages))[: len(request.images)]


def layout_key(sha256: str) -> str:
    """Return the key of a layout's row that Haikei made itself; within one shot it is unique."""
    return f"layout:{sha256}"
