"""People as reports name them: as they want to be named, and never where they do not."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from haikei.credits import Person, naming, printed_person
from haikei.reports.words import Words
from haikei.settings import PersonEntry

WITHHELD = Words(naming.WITHHELD, naming.WITHHELD_JA)
NOT_NAMED = Words("(not named)", "（記名なし）")
_NOBODY = "person:unnamed"


def is_named(person: Person) -> bool:
    """Whether a name is printed for this person."""
    return bool(printed_person(person).en) and not person.opt_out and person.id != _NOBODY


@lru_cache(maxsize=4096)
def shown(person: Person) -> Words:
    """
    Return a person's name in both languages.

    Nothing else of a person who wants no name is shown, their id neither: it may be a name.
    """
    if is_named(person):
        name = printed_person(person)
        return Words(name.en, name.ja)
    return WITHHELD if person.opt_out and person.id != _NOBODY else NOT_NAMED


def joined(people: Iterable[Person]) -> Words:
    """Return names in a row, each once."""
    names = tuple(dict.fromkeys(map(shown, people)))
    return Words(", ".join(name.en for name in names), "、".join(name.ja for name in names))


class StudioPeople:
    """What the settings say about people, found by their names and logins."""

    def __init__(self, entries: Sequence[PersonEntry]) -> None:
        self.entries = tuple(entries)
        self._found: dict[str, PersonEntry | None] = {}
        self._by_name: dict[str, PersonEntry] = {}
        for entry in entries:
            for name in (entry.name, entry.name_ja, *entry.logins):
                if name.strip():
                    self._by_name.setdefault(name.casefold(), entry)

    def find(self, person: Person) -> PersonEntry | None:
        """Return what the studio says about a person; None where it says nothing."""
        if person.id not in self._found:
            names = (person.name, person.name_ja, person.id)
            found = (self._by_name.get(name.casefold()) for name in names if name.strip())
            self._found[person.id] = next((one for one in found if one is not None), None)
        return self._found[person.id]
