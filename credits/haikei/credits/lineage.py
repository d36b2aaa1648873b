"""The graph of images by content hash: what an image was made from, and what was made from it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from haikei.credits.record import ImageRecord, Relation
from haikei.credits.rows import RecordReader
from haikei.database import image_records, ingredients

_ASKED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One image was made from another."""

    image: str  #: SHA-256 of the later image
    ingredient: str  #: SHA-256 of the earlier one
    relation: Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """An image's place in the graph."""

    sha256: str  #: whose it is
    images: tuple[ImageRecord, ...]  #: each after what it was made from
    edges: tuple[Edge, ...]
    missing: tuple[str, ...]  #: hashes that are named and for which there is no record
    circular: tuple[str, ...]  #: hashes of images that are said to be made from themselves


def lineage(connection: Connection, sha256: str, *, descendants: bool = False) -> Lineage:
    """
    Return an image with everything that it was made from, as far as is recorded.

    A record may be wrong: what is missing or goes in a circle is told and not followed.

    Args:
        connection: of the caller's transaction.
        sha256: of the image's file. Without a record of it, the lineage holds no image.
        descendants: also follow what was made from it, and what that was made from.
    """
    reader = RecordReader(connection)
    found: dict[str, ImageRecord] = {}
    missing: set[str] = set()
    above = {sha256}
    below = {sha256} if descendants else set[str]()
    while above or below:
        made_from_them = _made_from(connection, below) - found.keys()
        asked = (above | made_from_them) - found.keys() - missing
        new = _images(connection, reader, asked)
        missing |= asked - new.keys()
        found |= new
        above = {one.sha256 for image in new.values() for one in image.ingredients}
        above -= found.keys() | missing
        below = made_from_them & new.keys()
    edges = tuple(
        dict.fromkeys(
            Edge(image=image.sha256, ingredient=one.sha256, relation=one.relation)
            for image in found.values()
            for one in image.ingredients
        )
    )
    order, circular = _in_order(found, edges)
    return Lineage(
        sha256=sha256,
        images=tuple(found[name] for name in order),
        edges=edges,
        missing=tuple(sorted(missing)),
        circular=circular,
    )


def _images(
    connection: Connection, reader: RecordReader, hashes: Collection[str]
) -> dict[str, ImageRecord]:
    columns = image_records.c
    found: dict[str, ImageRecord] = {}
    for part in _parts(hashes):
        # The same bytes may be recorded twice, as a layout of two cuts: the first record counts.
        query = select(func.min(columns.ledger_seq)).where(columns.sha256.in_(part))
        seqs = connection.execute(query.group_by(columns.sha256)).scalars().all()
        found |= {image.sha256: image for image in reader.images(seqs).values()}
    return found


def _made_from(connection: Connection, hashes: Collection[str]) -> set[str]:
    found: set[str] = set()
    for part in _parts(hashes):
        query = (
            select(image_records.c.sha256)
            .join(ingredients, ingredients.c.image_seq == image_records.c.ledger_seq)
            .where(ingredients.c.sha256.in_(part))
        )
        found.update(connection.execute(query).scalars())
    return found


def _parts(hashes: Collection[str]) -> Iterable[list[str]]:
    given = sorted(hashes)
    return (given[start : start + _ASKED] for start in range(0, len(given), _ASKED))


def _in_order(
    found: Mapping[str, ImageRecord], edges: Iterable[Edge]
) -> tuple[list[str], tuple[str, ...]]:
    """Return the images, each after its ingredients, and those that go in a circle last."""
    waits: dict[str, set[str]] = {name: set() for name in found}
    led_to: dict[str, set[str]] = {name: set() for name in found}
    for edge in edges:
        if edge.ingredient in found:
            waits[edge.image].add(edge.ingredient)
            led_to[edge.ingredient].add(edge.image)
    key = {name: (image.created_at, image.key) for name, image in found.items()}
    ready = sorted((name for name, above in waits.items() if not above), key=key.__getitem__)
    order: list[str] = []
    for name in ready:
        order.append(name)
        freed: list[str] = []
        for later in led_to[name]:
            waits[later].discard(name)
            if not waits[later]:
                freed.append(later)
        # The list grows while it is walked: what became ready is taken in its turn.
        ready.extend(sorted(freed, key=key.__getitem__))
    stuck = sorted(found.keys() - set(order), key=key.__getitem__)
    return [*order, *stuck], tuple(name for name in stuck if _reaches(name, waits))


def _reaches(name: str, waits: Mapping[str, set[str]]) -> bool:
    """Tell whether an image is among its own ingredients, at any distance."""
    seen: set[str] = set()
    open_ = list(waits[name])
    while open_:
        one = open_.pop()
        if one == name:
            return True
        if one not in seen:
            seen.add(one)
            open_.extend(waits[one])
    return False
