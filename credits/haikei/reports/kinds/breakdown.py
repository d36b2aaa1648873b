"""
The breakdown: how each background came to be, step by step, with the names under each picture.

As "The Dog & The Boy" showed it in its end credits, except that everyone is named.
"""

from collections.abc import Iterator

from haikei.credits import (
    BackgroundVersion,
    Facet,
    ImageKind,
    ImageRecord,
    System,
    credit_line,
)
from haikei.errors import ReportError
from haikei.reports.document.blocks import Card, Document, Picture, Style
from haikei.reports.document.phrases import SOURCES, compose, joined, steps, variant
from haikei.reports.facts import version_lineage
from haikei.reports.facts.system_facts import system_name
from haikei.reports.report import Format, ReportOptions, ReportSource
from haikei.texts import ROLES, Bilingual, Text

_TITLE = Bilingual("Breakdown", "制作工程")
_CUT = Bilingual("Cut {shot}", "カット {shot}")


class Breakdown:
    """Layout, generations and touch-up side by side, one card a background."""

    name = "breakdown"
    title = _TITLE
    purpose = "End cards: layout, generations and touch-up side by side, with the names."
    formats = (Format.PDF, Format.PNG, Format.HTML, Format.TXT, Format.JSON)

    def document(self, source: ReportSource, options: ReportOptions) -> Document:
        """
        Return the cards of a cut, a sequence or a show; of each background the newest version.

        Raises:
            CreditError: human work has no name and no opt-out.
            ReportError: no background is recorded there.
        """
        _require_names(source)
        return compose(self, source, options, style=Style.CARD, blocks=_cards(source))


def _versions(source: ReportSource) -> Iterator[BackgroundVersion]:
    from haikei.credits import records

    return records.backgrounds(source.connection, source.scope)


def _require_names(source: ReportSource) -> None:
    """Look through the whole part of the show first, so that all unnamed work is listed at once."""
    from haikei.credits import roll

    if not roll(_versions(source), staff=()).sections:
        scope = source.scope
        raise ReportError(
            f"No background is recorded for {scope.name}.",
            advice="Check --project, --sequence and --shot.",
        )


def _cards(source: ReportSource) -> Iterator[Card]:
    for number, version in enumerate(_versions(source), 1):
        yield card(version, source)
        source.progress(number)


def card(version: BackgroundVersion, source: ReportSource) -> Card:
    """Return one background's card."""
    names = steps(version)
    line = credit_line(version.images)
    place = " / ".join(filter(None, (version.project, version.part)))
    seen = variant(version)
    return Card(
        name=version.code or version.key,
        title=_CUT.filled(shot=version.shot),
        subtitle=Bilingual(f"{place} · {seen.en}", f"{place} ・ {seen.ja}"),
        pictures=tuple(
            Picture(
                source=source.find_file(image.path),
                expected=image.path,
                caption=name,
                lines=(*makers(image), *_manner(version, image)),
            )
            for image, name in zip(version.images, names, strict=True)
        ),
        lines=(Bilingual(line.en, line.ja),),
    )


def _manner(version: BackgroundVersion, image: ImageRecord) -> tuple[Text, ...]:
    # Who made a touch-up is one thing, how it was made another.
    touched = image.kind is ImageKind.TOUCH_UP
    return (version_lineage.touch_up_origin(version, image),) if touched else ()


def makers(image: ImageRecord) -> tuple[Text, ...]:
    """Return who made this step: people by name, tools by theirs, with who ran them."""
    drawn = image.kind is ImageKind.LAYOUT
    lines: list[Text] = []
    # That a layout's lines are seen in a picture does not make its artist one of its painters.
    made = [one for one in image.contributions if one.evidence.recall is None]
    for role in dict.fromkeys(one.role for one in made):
        name = ROLES[role.value]
        # The lines of a layout may be measured in a later image, which its artist did not make.
        if not name.in_line or (role.facet is Facet.LAYOUT and not drawn):
            continue
        had = [one.actor for one in made if one.role is role]
        tools = [one for one in had if isinstance(one, System)]
        lines.extend(dict.fromkeys(map(system_name, tools)))
        people = joined(one for one in had if not isinstance(one, System))
        if not people.en:
            continue
        if role.facet in {Facet.LAYOUT, Facet.TOUCH_UP}:
            lines.append(people)
        else:
            lines.append(Bilingual(f"{name.short.en} {people.en}", f"{name.short.ja} {people.ja}"))
    return tuple(lines) or (SOURCES[image.source_type],)
