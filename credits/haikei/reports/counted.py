"""Charts over the tables that they are drawn from, each count with the records behind it."""

from collections.abc import Iterator, Sequence

from haikei.reports.charts import Bar, bars, columns
from haikei.reports.document import (
    Align,
    Block,
    Cell,
    Chart,
    Column,
    Figure,
    Item,
    Lines,
    Link,
    Table,
)
from haikei.reports.tally import Trail
from haikei.reports.words import Language, Text, Words, said

RECORDS = Column(key="records", title=Words("Records", "記録"), linked=True, wide=True)


def bar_blocks(
    language: Language,
    *,
    key: str,
    title: Words,
    found: Sequence[tuple[Text, str, Trail]],
    head: Words,
    counted: Words,
    colour: int,
) -> Iterator[Block]:
    """Yield lying bars and their table; each thing counted has words for people and a code."""
    items = [Bar(label=said(words, language), value=trail.count) for words, _, trail in found]
    yield Chart(svg=bars(items, title=said(title, language), colour=colour), title=title)
    yield _table(key, head, counted, [(Figure(code, words), trail) for words, code, trail in found])


def column_blocks(
    language: Language,
    *,
    key: str,
    title: Words,
    found: Sequence[tuple[str, Trail]],
    head: Words,
    counted: Words,
    colour: int,
) -> Iterator[Block]:
    """Yield standing bars and their table."""
    svg = columns(
        [Bar(label=label, value=trail.count) for label, trail in found],
        title=said(title, language),
        x_label=said(head, language),
        y_label=said(counted, language),
        colour=colour,
    )
    yield Chart(svg=svg, title=title)
    yield _table(key, head, counted, found)


def _table(key: str, head: Words, counted: Words, found: Sequence[tuple[Item, Trail]]) -> Table:
    title = Words(counted.en.capitalize(), counted.ja)
    return Table(
        key=key,
        columns=(
            Column(key="label", title=head),
            Column(key="count", title=title, align=Align.END),
            RECORDS,
        ),
        rows=((label, trail.count, records_of(trail)) for label, trail in found),
    )


def records_of(trail: Trail) -> Cell:
    """Return the ledger entries of what was counted, and some of the Versions."""
    if not trail.count:
        return None
    links = tuple(Link(code, url) for code, url in trail.examples)
    return Lines(
        (span_of(trail), *links, *(("…",) if trail.count > len(links) else ())), inline=True
    )


def span_of(trail: Trail) -> Words | None:
    """Return the first and the last ledger entry of what was counted."""
    if trail.first is None:
        return None
    if trail.first == trail.last:
        return Words(f"ledger {trail.first}", f"台帳 {trail.first}")
    return Words(
        f"ledger entries {trail.first} to {trail.last}", f"台帳 {trail.first}〜{trail.last}"
    )
