"""The register of people: names, commitments in place of names, consent and erasure."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand

if TYPE_CHECKING:
    from haikei.credits.people.erasing import Mentions, occurrences
    from haikei.credits.people.questions import (
        LinkState,
        Question,
        ask,
        confirmation_key,
        link_token,
        open_link,
        revoke,
    )
    from haikei.credits.people.registry import (
        Erased,
        as_printed,
        contributions_of,
        erase,
        everyone,
        last_withdrawal,
        look_up,
        names_had,
        new_id,
        note,
        note_all,
        opening,
        opt_out,
        register,
        rename,
        withdrawn,
    )

__all__ = [
    "Erased",
    "LinkState",
    "Mentions",
    "Question",
    "as_printed",
    "ask",
    "confirmation_key",
    "contributions_of",
    "erase",
    "everyone",
    "last_withdrawal",
    "link_token",
    "look_up",
    "names_had",
    "new_id",
    "note",
    "note_all",
    "occurrences",
    "open_link",
    "opening",
    "opt_out",
    "register",
    "rename",
    "revoke",
    "withdrawn",
]

__getattr__ = on_demand(
    __name__,
    {
        "haikei.credits.people.questions": (
            "LinkState",
            "Question",
            "ask",
            "confirmation_key",
            "link_token",
            "open_link",
            "revoke",
        ),
        "haikei.credits.people.erasing": (
            "Mentions",
            "occurrences",
        ),
        "haikei.credits.people.registry": (
            "Erased",
            "as_printed",
            "contributions_of",
            "erase",
            "everyone",
            "last_withdrawal",
            "look_up",
            "names_had",
            "new_id",
            "note",
            "note_all",
            "opening",
            "opt_out",
            "register",
            "rename",
            "withdrawn",
        ),
    },
)
