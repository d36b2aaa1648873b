"""Who asks: the script or person behind one request."""

from dataclasses import dataclass
from typing import Literal

UserType = Literal["ApiUser", "HumanUser"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as it is written into `created_by` and into the event log."""

    kind: UserType
    id: int
    name: str
    session_uuid: str | None = None  #: of the web page whose work this is, None for scripts
    generates_events: bool = True  #: False: what this script writes leaves no event log entries
