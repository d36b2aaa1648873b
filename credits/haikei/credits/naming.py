"""How people and systems are printed, and the work for which nobody can be."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from haikei.credits.checking import check_makers
from haikei.credits.maker import Person, SourceType, System
from haikei.credits.record import ImageRecord
from haikei.credits.role import Facet
from haikei.errors import CreditError

#: What is printed for those who do not want to be named.
WITHHELD = "(name withheld at the artist's request)"
WITHHELD_JA = "（本人の希望により非表示）"
_SHOWN = 20
# Pixels that only a human can have made: somebody has to be named for them.
_HUMAN = {SourceType.DIGITAL_CREATION, SourceType.PRINT, SourceType.HUMAN_EDITS}
_MAKING = {Facet.LAYOUT, Facet.TOUCH_UP}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedName:
    """A name as credits print it."""

    en: str
    ja: str


def printed_person(person: Person) -> PrintedName:
    """Return a person's name in both scripts, one standing in for the other where it is missing."""
    if person.opt_out:
        return PrintedName(en=WITHHELD, ja=WITHHELD_JA)
    en, ja = _clean(person.name), _clean(person.name_ja)
    return PrintedName(en=en or ja, ja=ja or en)


def printed_system(system: System) -> str:
    """Return a system's name and version."""
    return _clean(f"{system.name} {system.version}")


def is_nameable(person: Person) -> bool:
    """Tell whether credits can be printed for a person: by a name, or as withheld."""
    return bool(person.opt_out or _clean(person.name) or _clean(person.name_ja))


def unnamed(image: ImageRecord) -> str | None:
    """
    Return why an image's own step cannot be credited, as the end of a sentence; None if it can.

    Raises:
        CreditError: a person stands where a tool belongs or the other way round, or is called AI.
    """
    check_makers(image.contributions, image.path or image.key)
    made = False
    for one in image.contributions:
        if isinstance(one.actor, Person):
            if not is_nameable(one.actor):
                return f"{one.role.value} by {one.actor.id}, who has no name"
            made = made or one.role.facet in _MAKING
    if image.source_type in _HUMAN and not made:
        return f"nobody is named for the {image.kind.value}"
    return None


def refuse(reasons: Sequence[str], more: int = 0) -> CreditError:
    """Return the error for work for which nobody can be named; the first twenty are listed."""
    shown = list(reasons[:_SHOWN])
    more += len(reasons) - len(shown)
    rest = f"; and {more} more" if more else ""
    return CreditError(
        f"No credits without names. Unnamed human work: {'; '.join(shown)}{rest}.",
        advice="Assign the task to its artist in the tracker, name the person with `haikei credits "
        "rename`, or record their wish with `haikei credits opt-out`.",
    )


def nobody(what: Iterable[str]) -> CreditError:
    """Return the error for images that no human had any part in, as far as is recorded."""
    return CreditError(
        f"No credits without a human: nobody at all is recorded for {', '.join(what)}.",
        advice="Record who drew the layout or who ran the system.",
    )


@lru_cache(maxsize=4096)
def _clean(text: str) -> str:
    # Line breaks and control characters of a name would tear the line that it stands in.
    plain = "".join(" " if unicodedata.category(one) in {"Cc", "Zl", "Zp"} else one for one in text)
    return " ".join(plain.split())
