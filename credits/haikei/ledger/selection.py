"""Which entries of the ledger tell of a show, a sequence, a shot or one image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sqlalchemy import ColumnElement, Connection, func, select

from haikei.database import (
    background_images,
    backgrounds,
    contributions,
    image_records,
    ingredients,
    statements,
)
from haikei.errors import LedgerError
from haikei.files import sha256_of

_AT_ONCE = 500
#: What the kinds of statements begin with that are about somebody's name.
_ABOUT_NAMES = "name_"
#: Files that mark an image from beside.
SIDECARS = (".c2pa", ".xmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledFile:
    """A file that goes into the bundle as it is."""

    name: str  #: below `files/`, with slashes
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySelection:
    """A part of a show, or an image with all that it was made from."""

    project: str = ""
    sequence: str = ""  #: empty: all of them
    shot: str = ""  #: empty: all of them
    episode: str = ""  #: empty: all of them
    image: str = ""  #: SHA-256 of an image's file; then nothing else is looked at


def select_entries(connection: Connection, selection: EntrySelection) -> tuple[int, ...]:
    """
    Return the numbers of all entries about a selection, in order.

    They are those of its images in every version, of later contributions to them, of statements,
    and of what was decided about the names of the people in all these; a statement about a whole
    show is also about each of its shots.
    """
    if selection.image:
        images = _lineage(connection, selection.image)
        about = set(_hashes(connection, images).values())
        stated = _statements(connection, statements.c.image_sha256, about)
    else:
        images = _of_versions(connection, selection)
        stated = _statements_within(connection, selection)
    named = _about_names(connection, images, stated)
    return tuple(sorted({*images, *_later(connection, images), *stated, *named}))


def image_entry(connection: Connection, sha256: str) -> int:
    """
    Return the entry that seals the image with these bytes.

    Raises:
        LedgerError: there is none.
    """
    row = image_records.c
    query = select(func.min(row.ledger_seq)).where(row.sha256 == sha256)
    found: int | None = connection.execute(query).scalar()
    if found is None:
        raise LedgerError(
            f"No image with the SHA-256 {sha256} is in the ledger.",
            advice="`haikei verify FILE` tells what is known of a file.",
        )
    return found


def published_files(
    connection: Connection, seqs: Sequence[int], roots: Sequence[Path]
) -> tuple[Sequence[BundledFile], Sequence[str]]:
    """
    Return the images that some entries seal, with what marks them from beside.

    Args:
        connection: where to read.
        seqs: the entries.
        roots: folders below which images were published.

    Returns:
        the files, and the paths of images that are not there any more as they were sealed.
    """
    row = image_records.c
    found: dict[str, BundledFile] = {}
    missing: list[str] = []
    for start in range(0, len(seqs), _AT_ONCE):
        part = seqs[start : start + _AT_ONCE]
        query = (
            select(row.path, row.sha256).where(row.ledger_seq.in_(part)).order_by(row.ledger_seq)
        )
        for path, sha256 in connection.execute(query):
            place = _where(path, sha256, roots)
            if place is None:
                missing.append(path)
                continue
            name = path.lstrip("/")
            found[name] = BundledFile(name=name, path=place)
            for suffix in SIDECARS:
                if place.with_suffix(suffix).is_file():
                    beside = str(PurePosixPath(name).with_suffix(suffix))
                    found[beside] = BundledFile(name=beside, path=place.with_suffix(suffix))
    return list(found.values()), missing


def _where(path: str, sha256: str, roots: Sequence[Path]) -> Path | None:
    for root in roots:
        place = root / path
        try:
            if place.is_file() and sha256_of(place) == sha256:
                return place
        except OSError:
            continue
    return None


def _of_versions(connection: Connection, selection: EntrySelection) -> set[int]:
    row = backgrounds.c
    wanted: list[ColumnElement[bool]] = [row.project == selection.project]
    if selection.episode:
        wanted.append(row.episode == selection.episode)
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


def _statements_within(connection: Connection, selection: EntrySelection) -> set[int]:
    row = statements.c
    wanted: list[ColumnElement[bool]] = [row.project == selection.project]
    if selection.episode:
        wanted.append(row.episode.in_(("", selection.episode)))
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


def _about_names(connection: Connection, images: set[int], stated: set[int]) -> set[int]:
    """Return what was sealed of the names of those who made images or stated something."""
    ids: set[str] = set()
    made, row = contributions.c, statements.c
    for numbers, person, number in (
        (images, made.actor, made.image_seq),
        (stated, row.by, row.ledger_seq),
    ):
        ordered = sorted(numbers)
        for start in range(0, len(ordered), _AT_ONCE):
            query = select(person).where(number.in_(ordered[start : start + _AT_ONCE])).distinct()
            ids |= set(connection.execute(query).scalars())
    found: set[int] = set()
    people = sorted(ids)
    for start in range(0, len(people), _AT_ONCE):
        query = select(row.ledger_seq).where(
            row.kind.startswith(_ABOUT_NAMES, autoescape=True),
            row.by.in_(people[start : start + _AT_ONCE]),
        )
        found |= set(connection.execute(query).scalars())
    return found


def _statements(connection: Connection, column: ColumnElement[str], values: set[str]) -> set[int]:
    query = select(statements.c.ledger_seq).where(column.in_(values))
    return set(connection.execute(query).scalars())
