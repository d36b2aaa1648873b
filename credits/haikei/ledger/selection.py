"""Which entries of the ledger tell of a show, a sequence, a shot or one image."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from haikei.database import (
    background_images,
    backgrounds,
    contributions,
    image_records,
    ingredients,
    statements,
)

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A part of a show, or an image with all that it was made from."""

    project: str = ""
    sequence: str = ""  #: empty: all of them
    shot: str = ""  #: empty: all of them
    image: str = ""  #: SHA-256 of an image's file; then nothing else is looked at


def select_entries(connection: Connection, selection: Selection) -> tuple[int, ...]:
    """
    Return the numbers of all entries about a selection, in order.

    They are those of its images in every version, of later contributions to them, and of
    statements; a statement about a whole show is also about each of its shots.
    """
    if selection.image:
        images = _lineage(connection, selection.image)
        about = set(_hashes(connection, images).values())
        said = _statements(connection, statements.c.image_sha256, about)
    else:
        images = _of_versions(connection, selection)
        said = _statements_within(connection, selection)
    return tuple(sorted({*images, *_later(connection, images), *said}))


def _of_versions(connection: Connection, selection: Selection) -> set[int]:
    row = backgrounds.c
    wanted: list[ColumnElement[bool]] = [row.project == selection.project]
    if selection.sequence:
        wanted.append(row.sequence == selection.sequence)
    if selection.shot:
        wanted.append(row.shot == selection.shot)
    query = (
        select(background_images.c.image_seq)
        .join(backgrounds, row.key == background_images.c.background_key)
        .where(*wanted)
        .distinct()
    )
    return set(connection.execute(query).scalars())


def _statements_within(connection: Connection, selection: Selection) -> set[int]:
    row = statements.c
    wanted: list[ColumnElement[bool]] = [row.project == selection.project]
    if selection.sequence:
        wanted.append(row.sequence.in_(("", selection.sequence)))
    if selection.shot:
        wanted.append(row.shot.in_(("", selection.shot)))
    return set(connection.execute(select(row.ledger_seq).where(*wanted)).scalars())


def _lineage(connection: Connection, sha256: str) -> set[int]:
    """Return the images with these bytes and all that they were made from."""
    found: set[int] = set()
    looked_for: set[str] = set()
    waiting = {sha256}
    while waiting:
        looked_for |= waiting
        query = select(image_records.c.ledger_seq).where(image_records.c.sha256.in_(waiting))
        here = set(connection.execute(query).scalars()) - found
        found |= here
        below = select(ingredients.c.sha256).where(ingredients.c.image_seq.in_(here))
        waiting = set(connection.execute(below).scalars()) - looked_for
    return found


def _hashes(connection: Connection, images: set[int]) -> dict[int, str]:
    row = image_records.c
    query = select(row.ledger_seq, row.sha256).where(row.ledger_seq.in_(images))
    return {one.ledger_seq: one.sha256 for one in connection.execute(query)}


def _later(connection: Connection, images: set[int]) -> set[int]:
    found: set[int] = set()
    ordered = sorted(images)
    row = contributions.c
    for start in range(0, len(ordered), _AT_ONCE):
        query = select(row.ledger_seq).where(
            row.image_seq.in_(ordered[start : start + _AT_ONCE]), row.ledger_seq.is_not(None)
        )
        found |= {int(seq) for seq in connection.execute(query).scalars() if seq is not None}
    return found


def _statements(connection: Connection, column: ColumnElement[str], values: set[str]) -> set[int]:
    query = select(statements.c.ledger_seq).where(column.in_(values))
    return set(connection.execute(query).scalars())
