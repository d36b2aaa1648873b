"""The register of people: names, commitments in place of names, consent and erasure."""

from haikei.credits.people.redaction import Mentions, occurrences
from haikei.credits.people.register import (
    Erased,
    as_printed,
    contributions_of,
    erase,
    everyone,
    look_up,
    note,
    note_all,
    opening,
    opt_out,
    register,
    rename,
)

__all__ = [
    "Erased",
    "Mentions",
    "as_printed",
    "contributions_of",
    "erase",
    "everyone",
    "look_up",
    "note",
    "note_all",
    "occurrences",
    "opening",
    "opt_out",
    "register",
    "rename",
]
