"""The job of a touch-up: what an artist painted over a version becomes the next version."""

from typing import TYPE_CHECKING

from haikei.doors import on_demand

if TYPE_CHECKING:
    from haikei.jobs.touchup.ask import OpenQuestion, open_questions
    from haikei.jobs.touchup.claims import shown_by
    from haikei.jobs.touchup.handle import TouchUpHandlers
    from haikei.jobs.touchup.painter import known_person, person_called, require_human
    from haikei.jobs.touchup.taking_in import TakenIn, compare, take_in

__all__ = [
    "OpenQuestion",
    "TakenIn",
    "TouchUpHandlers",
    "compare",
    "known_person",
    "open_questions",
    "person_called",
    "require_human",
    "shown_by",
    "take_in",
]

# Pages that list open questions do not load what measures and marks pictures.
__getattr__ = on_demand(
    __name__,
    {
        "haikei.jobs.touchup.handle": ("TouchUpHandlers",),
        "haikei.jobs.touchup.ask": ("OpenQuestion", "open_questions"),
        "haikei.jobs.touchup.claims": ("shown_by",),
        "haikei.jobs.touchup.painter": ("known_person", "person_called", "require_human"),
        "haikei.jobs.touchup.taking_in": ("TakenIn", "compare", "take_in"),
    },
)
