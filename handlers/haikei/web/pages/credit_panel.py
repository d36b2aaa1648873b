"""Who made a version, side by side, with how that is known and where it is sealed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from haikei.credits import (
    BackgroundVersion,
    Contribution,
    FacetSummary,
    Person,
    facets,
    printed_system,
    records,
)
from haikei.reports import share, shown
from haikei.texts import FACETS, GRADES, ROLES, Bilingual
from haikei.web.pages import page_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """One thing that somebody did."""

    role: Bilingual
    who: Bilingual
    is_person: bool
    image: Bilingual  #: what it was done to
    grade: str
    grade_name: Bilingual
    evidence: tuple[Bilingual, ...]
    entry: int  #: of the ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetView:
    """One side of a version's making."""

    name: str
    title: Bilingual
    state: Bilingual
    parts: tuple[PartView, ...]


def panel(
    connection: Connection, version: BackgroundVersion, names: Sequence[Bilingual]
) -> tuple[FacetView, ...]:
    """Return the four sides of a version; `names` are what its images are called."""
    called = {image.key: name for image, name in zip(version.images, names, strict=True)}
    sealed = {
        image.key: records.seals(connection, entry)
        for image, entry in zip(version.images, version.ledger, strict=True)
    }
    return tuple(
        FacetView(
            name=summary.facet.value,
            title=FACETS[summary.facet],
            state=summary.text,
            parts=tuple(_parts(summary, called, sealed)),
        )
        for summary in facets(version)
    )


def _parts(
    summary: FacetSummary, called: dict[str, Bilingual], sealed: dict[str, tuple[int, ...]]
) -> Iterator[PartView]:
    for part in summary.parts:
        one, image = part.contribution, part.image
        is_person = isinstance(one.actor, Person)
        name = "" if isinstance(one.actor, Person) else printed_system(one.actor)
        yield PartView(
            role=ROLES[one.role].heading,
            who=shown(one.actor) if isinstance(one.actor, Person) else Bilingual(name, name),
            is_person=is_person,
            image=called[image.key],
            grade=one.grade.value,
            grade_name=grade_name(one),
            evidence=tuple(evidence_of(one)),
            entry=sealed[image.key][image.contributions.index(one)],
        )


def grade_name(one: Contribution) -> Bilingual:
    """Return how a contribution is known, and for a confirmed one how it was known before."""
    name = GRADES[one.grade]
    if one.found is None:
        return name
    before = GRADES[one.found]
    return Bilingual(f"{name.en} ({before.en})", f"{name.ja}（{before.ja}）")


def evidence_of(one: Contribution) -> Iterator[Bilingual]:
    """Yield what shows that a contribution happened."""
    told = one.evidence
    for text in (told.source, told.note):
        if text:
            yield Bilingual(text, text)
    if told.minutes is not None:
        yield page_texts.MINUTES.filled(number=told.minutes)
    if told.change is not None:
        change = told.change
        regions = len(change.regions)
        said = page_texts.CHANGED_IN_ONE if regions == 1 else page_texts.CHANGED
        yield said.filled(share=share(change.area_ppm), regions=regions)
    if told.recall is not None:
        yield page_texts.RECALLED.filled(
            share=share(told.recall.observed_ppm), chance=share(told.recall.chance_ppm)
        )
