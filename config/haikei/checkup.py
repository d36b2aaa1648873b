"""What a check-up finds: one line for each thing that must be right."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of a check-up."""

    ok: bool
    subject: str  #: what was looked at, such as `task type Layout`
    message: str  #: what was found
    advice: str = ""  #: what to do when not ok
    planned: bool = False  #: a dry run: it is missing, nothing is in its way, and it would be made
