"""
What every report's document begins with (studio, scope, moment), and people as
reports name them.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from haikei.credits import Person, naming, printed_person
from haikei.reports.document.blocks import Block, Document, Fact, Style
from haikei.reports.report import Report, ReportOptions, ReportSource
from haikei.settings import PersonEntry
from haikei.texts import Bilingual, Text


def compose(
    report: Report,
    source: ReportSource,
    options: ReportOptions,
    *,
    blocks: Iterable[Block],
    subtitle: Text = "",
    facts: tuple[Fact, ...] = (),
    notes: tuple[Text, ...] = (),
    style: Style = Style.REPORT,
    csv: str = "",
    json: Iterable[str] | None = None,
    sign: Callable[[Path], Path] | None = None,
) -> Document:
    """Return the report's document with the head that its source and the settings give it."""
    look = source.settings.reports
    return Document(
        name=report.name,
        title=report.title,
        subtitle=subtitle,
        language=options.language,
        scope=source.scope.name,
        studio=source.settings.studio.name,
        made_at=source.now,
        client=look.client,
        contact=look.contact,
        logo=look.logo,
        font=look.font,
        style=style,
        csv=csv,
        json=json,
        sign=sign,
        facts=facts,
        blocks=blocks,
        notes=notes,
    )


WITHHELD = Bilingual(naming.WITHHELD, naming.WITHHELD_JA)
NOT_NAMED = Bilingual("(not named)", "（記名なし）")
_NOBODY = "person:unnamed"


def is_named(person: Person) -> bool:
    """Whether a name is printed for this person."""
    unknown = person.opt_out or person.is_asked_for or person.id == _NOBODY
    return bool(printed_person(person).en) and not unknown


@lru_cache(maxsize=4096)
def shown(person: Person) -> Bilingual:
    """
    Return a person's name in both languages.

    Nothing else of a person who wants no name is shown, their id neither: it may be a name.
    """
    if is_named(person) or person.is_asked_for:
        return printed_person(person)
    return WITHHELD if person.opt_out and person.id != _NOBODY else NOT_NAMED


def joined(people: Iterable[Person]) -> Bilingual:
    """Return names in a row, each once."""
    names = tuple(dict.fromkeys(map(shown, people)))
    return Bilingual(", ".join(name.en for name in names), "、".join(name.ja for name in names))


class StudioPeople:
    """What the settings say about people, found by their ids, names and logins."""

    def __init__(self, entries: Sequence[PersonEntry]) -> None:
        self.entries = tuple(entries)
        self._found: dict[str, PersonEntry | None] = {}

    def find(self, person: Person) -> PersonEntry | None:
        """Return what the studio says about a person; None where it says nothing."""
        if person.id not in self._found:
            names = (person.name, person.name_ja)
            meant = (entry for entry in self.entries if entry.means(person.id, names))
            self._found[person.id] = next(meant, None)
        return self._found[person.id]
