"""The register of people: names, commitments in place of names, consent and erasure."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand

if TYPE_CHECKING:
    from haikei.credits.people.redaction import Mentions, occurrences
    from haikei.credits.people.registry import (
        Erased,
        as_printed,
        contributions_of,
        erase,
        everyone,
        look_up,
        names_had,
        new_id,
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
    "names_had",
    "new_id",
    "note",
    "note_all",
    "occurrences",
    "opening",
    "opt_out",
    "register",
    "rename",
]

__getattr__ = on_demand(
    __name__,
    {
        "haikei.credits.people.redaction": (
            "Mentions",
            "occurrences",
        ),
        "haikei.credits.people.registry": (
            "Erased",
            "as_printed",
            "contributions_of",
            "erase",
            "everyone",
            "look_up",
            "names_had",
            "new_id",
            "note",
            "note_all",
            "opening",
            "opt_out",
            "register",
            "rename",
        ),
    },
)
