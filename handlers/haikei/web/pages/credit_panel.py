"""
Who made a version, with how that is known and where it is sealed, and its lineage as a drawing.

Boxes are images, arrows show what was made from what.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from haikei.credits import (
    BackgroundVersion,
    Contribution,
    FacetSummary,
    ImageRecord,
    Person,
    Relation,
    facets,
    printed_system,
    records,
)
from haikei.credits.records import Lineage, lineage
from haikei.database import background_images, backgrounds, image_records
from haikei.reports import joined, share, shown
from haikei.texts import FACETS, GRADES, IMAGE_KINDS, ROLES, Bilingual
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
    evidence = one.evidence
    for text in (evidence.source, evidence.note):
        if text:
            yield Bilingual(text, text)
    if evidence.minutes is not None:
        yield page_texts.MINUTES.filled(number=evidence.minutes)
    if evidence.change is not None:
        change = evidence.change
        regions = len(change.regions)
        changed = page_texts.CHANGED_IN_ONE if regions == 1 else page_texts.CHANGED
        yield changed.filled(share=share(change.area_ppm), regions=regions)
    if evidence.recall is not None:
        yield page_texts.RECALLED.filled(
            share=share(evidence.recall.observed_ppm), chance=share(evidence.recall.chance_ppm)
        )


BOX_WIDTH, BOX_HEIGHT = 186, 76
_GAP_X, _GAP_Y, _EDGE = 46, 22, 8
#: Images beyond this are left out of the drawing; they are many when all was made from one.
_MOST = 60
_NO_VERSION = ("", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One image of the drawing; lengths are in the drawing's own units."""

    x: int
    y: int
    title: Bilingual
    made_by: Bilingual
    entry: int  #: of the ledger
    version: int  #: that it is; 0 when it is a step on the way to one
    key: str  #: of that version; empty when there is none
    sha256: str
    kind: str
    is_ai: bool
    is_here: bool  #: whether it is the version that the page is about


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """From an image to one that was made from it."""

    path: str  #: as SVG's `d`
    derived: bool  #: it was painted over, and not only looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The drawing."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    missing: int  #: images that records name and that are not recorded


def graph_of(
    connection: Connection, version: BackgroundVersion, names: Sequence[Bilingual]
) -> Graph:
    """Draw what a version was made from and what was made from it, from left to right."""
    found = lineage(connection, version.final.sha256, descendants=True)
    images = found.images[:_MOST]
    columns = _columns(found, images)
    called = {image.sha256: name for image, name in zip(version.images, names, strict=True)}
    entries, versions = _ledger_entries(connection, images), _versions(connection, images)
    places: dict[str, tuple[int, int]] = {}
    rows: dict[int, int] = {}
    for image in images:
        column = columns[image.sha256]
        row = rows.get(column, 0)
        rows[column] = row + 1
        places[image.sha256] = (
            _EDGE + column * (BOX_WIDTH + _GAP_X),
            _EDGE + row * (BOX_HEIGHT + _GAP_Y),
        )
    boxes = tuple(
        Box(
            x=places[image.sha256][0],
            y=places[image.sha256][1],
            title=called.get(image.sha256, IMAGE_KINDS[image.kind]),
            made_by=_makers(image),
            entry=entries.get(image.sha256, 0),
            version=versions.get(image.sha256, _NO_VERSION)[1],
            key=versions.get(image.sha256, _NO_VERSION)[0],
            sha256=image.sha256,
            kind=image.kind.value,
            is_ai=image.source_type.is_ai,
            is_here=image.sha256 == version.final.sha256,
        )
        for image in images
    )
    arrows = tuple(
        Arrow(
            path=_path(places[edge.ingredient], places[edge.image]),
            derived=edge.relation is Relation.PARENT,
        )
        for edge in found.edges
        if edge.image in places and edge.ingredient in places
    )
    return Graph(
        width=(max(columns.values(), default=0) + 1) * (BOX_WIDTH + _GAP_X) - _GAP_X + 2 * _EDGE,
        height=max(rows.values(), default=1) * (BOX_HEIGHT + _GAP_Y) + 2 * _EDGE,
        boxes=boxes,
        arrows=arrows,
        missing=len(found.missing),
    )


def _columns(found: Lineage, images: Sequence[ImageRecord]) -> Mapping[str, int]:
    """Return how many steps lie before each image; in a circle nobody is first."""
    columns: dict[str, int] = {}
    for image in images:
        before = [columns[one.sha256] for one in image.ingredients if one.sha256 in columns]
        circular = image.sha256 in found.circular
        columns[image.sha256] = 0 if circular else max(before, default=-1) + 1
    return columns


def _path(start: tuple[int, int], end: tuple[int, int]) -> str:
    """Return an arrow's line; one that skips a column goes in an arc below the boxes between."""
    x1, y1 = start[0] + BOX_WIDTH, start[1] + BOX_HEIGHT // 2
    x2, y2 = end[0], end[1] + BOX_HEIGHT // 2
    if x2 - x1 <= _GAP_X:
        middle = (x1 + x2) // 2
        return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    low = max(start[1], end[1]) + BOX_HEIGHT + _GAP_Y // 2
    x1, y1 = start[0] + BOX_WIDTH * 3 // 4, start[1] + BOX_HEIGHT
    x2, y2 = end[0] + BOX_WIDTH // 4, end[1] + BOX_HEIGHT
    down = f"M{x1} {y1}C{x1} {low} {x1 + 20} {low} {x1 + 40} {low}"
    up = f"L{x2 - 40} {low}C{x2 - 20} {low} {x2} {low} {x2} {y2}"
    return down + up


def _makers(image: ImageRecord) -> Bilingual:
    system = image.system
    if system is not None:
        name = printed_system(system)
        return Bilingual(name, name)
    return joined(image.people)


def _ledger_entries(connection: Connection, images: Sequence[ImageRecord]) -> dict[str, int]:
    columns = image_records.c
    query = select(columns.sha256, columns.ledger_seq).where(
        columns.sha256.in_([image.sha256 for image in images])
    )
    return {
        row.sha256: row.ledger_seq
        for row in connection.execute(query.order_by(columns.ledger_seq.desc()))
    }


def _versions(connection: Connection, images: Sequence[ImageRecord]) -> dict[str, tuple[str, int]]:
    """Return key and number of those images that are versions, by their hashes."""
    last = background_images.alias("last")
    columns = background_images.c
    query = (
        select(image_records.c.sha256, backgrounds.c.key, backgrounds.c.version)
        .join(background_images, columns.image_seq == image_records.c.ledger_seq)
        .join(backgrounds, backgrounds.c.key == columns.background_key)
        .outerjoin(
            last,
            (last.c.background_key == columns.background_key)
            & (last.c.position == columns.position + 1),
        )
        .where(
            image_records.c.sha256.in_([image.sha256 for image in images]),
            last.c.image_seq.is_(None),
        )
    )
    return {row.sha256: (row.key, row.version) for row in connection.execute(query)}
