"""
The records of all images and versions: one place to save them, and to find them again.

Every function runs in the caller's transaction, and those that write want one that writes.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    func,
    insert,
    or_,
    select,
    tuple_,
    union,
    update,
)

from haikei.credits.contribution import Contribution, check_makers
from haikei.credits.people.erasing import Mentions
from haikei.credits.record import BackgroundVersion, ImageRecord, Scope
from haikei.credits.records.record_reading import ANSWERING, VERSION_COLUMNS, RecordReader
from haikei.credits.records.record_sealing import Sealer
from haikei.credits.records.record_writing import contribution_row, note_makers, save_batch
from haikei.database import schema
from haikei.decisions import ReviewState
from haikei.errors import CreditError, LedgerError
from haikei.ledger.entry import append_many
from haikei.show import Place

_Row = dict[str, Any]
_row = schema.backgrounds.c
_CUT, _ORDER = VERSION_COLUMNS[:6], VERSION_COLUMNS[:7]
#: What tells one contribution to an image from another.
_WHAT = ("role", "actor_kind", "actor", "grade", "source", "sha256", "measured", "note", "at")
#: Versions that are read, or saved, at once: enough to be fast, few enough to stay small.
_BATCH = 500
#: Versions of one name that an error lists.
_LISTED = 8


def save(
    connection: Connection,
    *,
    key: str,
    project: str,
    sequence: str,
    shot: str,
    season: str,
    time: str,
    version: int,
    code: str,
    images: Sequence[ImageRecord],
    created_at: datetime,
    episode: str = "",
) -> BackgroundVersion:
    """
    Record a version with its images, and return it as it stands, with its ledger entries.

    Keys make it happen once: an image that is recorded already, such as a layout that serves other
    versions too, is left as it is, and so is a version. New images are sealed in the ledger.

    Raises:
        CreditError: a person stands where a tool belongs or the other way round, or is called AI.
        LedgerError: something else is recorded already under one of the keys or as this version.
    """
    new_version = BackgroundVersion(
        key=key,
        project=project,
        episode=episode,
        sequence=sequence,
        shot=shot,
        season=season,
        time=time,
        version=version,
        code=code,
        tracker_id=None,
        url="",
        state=ReviewState.IN_REVIEW,
        images=tuple(images),
        ledger=(),
        created_at=created_at,
    )
    save_all(connection, (new_version,))
    found = background(connection, key)
    if found is None:
        raise LedgerError(f"{code} was saved and cannot be found.")
    return found


def save_all(connection: Connection, versions: Iterable[BackgroundVersion]) -> None:
    """
    Record many versions as `save` does, faster than one by one.

    Their `ledger` is not looked at; it follows from their images.

    Raises:
        CreditError: see `save`.
        LedgerError: see `save`.
    """
    batch: list[BackgroundVersion] = []
    for version in versions:
        batch.append(version)
        if len(batch) == _BATCH:
            save_batch(connection, batch)
            batch = []
    if batch:
        save_batch(connection, batch)


def published(connection: Connection, key: str, *, tracker_id: int, url: str) -> None:
    """
    Note where the tracker shows a version.

    Raises:
        LedgerError: no version is recorded under this key.
    """
    _change(connection, key, {"tracker_id": tracker_id, "url": url})


def decide(connection: Connection, key: str, state: ReviewState) -> None:
    """
    Note what was decided about a version.

    Raises:
        LedgerError: no version is recorded under this key.
    """
    _change(connection, key, {"state": state.value})


def contribute(connection: Connection, image_key: str, contribution: Contribution) -> int:
    """
    Add a contribution to a recorded image, and return the ledger entry that seals it.

    The same contribution again returns the entry that stands already.

    Raises:
        CreditError: a person stands where a tool belongs or the other way round, or is called AI.
        LedgerError: no image is recorded under this key.
    """
    check_makers((contribution,), image_key)
    images = schema.image_records.c
    query = select(images.ledger_seq, images.sha256).where(images.key == image_key)
    image = connection.execute(query).first()
    if image is None:
        raise LedgerError(f"No image is recorded under {image_key!r}.")
    people, systems = note_makers(connection, (contribution,))
    mentions = Mentions.load(connection)
    row = contribution_row(image.ledger_seq, 0, contribution, mentions, systems)
    columns = schema.contributions.c
    here = columns.image_seq == image.ledger_seq
    same = (column == row[column.name] for column in columns if column.name in _WHAT)
    standing = connection.execute(select(columns.ledger_seq).where(here, *same)).first()
    if standing is not None:
        seq = standing.ledger_seq
        return int(image.ledger_seq if seq is None else seq)
    last = connection.execute(select(func.max(columns.position)).where(here)).scalar()
    row["position"] = 0 if last is None else last + 1
    payload = Sealer(commitments=people, mentions=mentions).contribution(
        image_key, image.sha256, contribution
    )
    key = f"contribution/{hashlib.sha256(payload.encode()).hexdigest()}"
    (entry,) = append_many(connection, ((key, payload),))
    connection.execute(insert(schema.contributions), {**row, "ledger_seq": entry.seq})
    return entry.seq


def background(connection: Connection, key: str) -> BackgroundVersion | None:
    """Return the version with this key of ours."""
    return _only(connection, _row.key == key)


def by_code(connection: Connection, code: str) -> BackgroundVersion | None:
    """Return the version that the tracker knows by this name; the newest, if there are several."""
    return _only(connection, _row.code == code)


def named(connection: Connection, name: str, *, project: str = "") -> BackgroundVersion | None:
    """
    Return the version with this key of ours, or the one that the tracker knows by this name.

    Args:
        connection: of the caller's transaction.
        name: a key, or the tracker's name.
        project: only a version of this one; empty for any.

    Raises:
        CreditError: versions of several cuts have the name.
    """
    called = or_(_row.key == name, _row.code == name)
    within = and_(called, _row.project == project) if project else called
    rows = connection.execute(select(*VERSION_COLUMNS).where(within).order_by(*_ORDER)).all()
    if not any(row.key == name for row in rows) and len(rows) > 1:
        held = ", ".join(
            f"{' / '.join(filter(None, (row.project, row.episode, row.sequence, row.shot)))} "
            f"({row.key})"
            for row in rows[:_LISTED]
        )
        raise CreditError(
            f"{len(rows)} versions are called {name!r}: {held}.",
            advice="Name the one that is meant by its key, which stands in brackets.",
        )
    exact = [row for row in rows if row.key == name] or rows
    return next(iter(RecordReader(connection).backgrounds(exact[:1])), None)


def latest(
    connection: Connection,
    *,
    project: str,
    sequence: str,
    shot: str,
    season: str,
    time: str,
    episode: str = "",
) -> BackgroundVersion | None:
    """Return the highest version of a background."""
    given = (project, episode, sequence, shot, season, time)
    here = (column == value for column, value in zip(_CUT, given, strict=True))
    return _only(connection, and_(*here))


def backgrounds(connection: Connection, scope: Scope) -> Iterator[BackgroundVersion]:
    """
    Yield versions by project, episode, sequence, shot, season, time and version.

    A show of any size is read in a bounded amount of memory.
    """
    reader = RecordReader(connection)
    for rows in _rows(connection, scope):
        yield from reader.backgrounds(rows)


def backgrounds_with(connection: Connection, sha256: str) -> tuple[BackgroundVersion, ...]:
    """Return all versions that an image with these bytes led to, in the order of `backgrounds`."""
    query = (
        select(*VERSION_COLUMNS)
        .where(
            _row.key.in_(
                select(schema.background_images.c.background_key)
                .join(
                    schema.image_records,
                    schema.image_records.c.ledger_seq == schema.background_images.c.image_seq,
                )
                .where(schema.image_records.c.sha256 == sha256)
            )
        )
        .order_by(*_ORDER)
    )
    return tuple(RecordReader(connection).backgrounds(connection.execute(query).all()))


def find_image(
    connection: Connection, *, sha256: str = "", pixels_sha256: str = ""
) -> ImageRecord | None:
    """Return the first recorded image with these bytes; else, with these pixels."""
    columns = schema.image_records.c
    for column, value in ((columns.sha256, sha256), (columns.pixels_sha256, pixels_sha256)):
        if not value:
            continue
        query = select(func.min(columns.ledger_seq)).where(column == value)
        seq = connection.execute(query).scalar()
        if seq is not None:
            return RecordReader(connection).images((seq,))[seq]
    return None


def fingerprints(connection: Connection) -> Iterator[tuple[int, str]]:
    """Yield the ledger entry and the fingerprint of every image that has one, in that order."""
    columns = schema.image_records.c
    query = select(columns.ledger_seq, columns.fingerprint).where(columns.fingerprint > "")
    for number, fingerprint in connection.execute(query):
        yield int(number), str(fingerprint)


def images_at(connection: Connection, entries: Iterable[int]) -> tuple[ImageRecord, ...]:
    """Return the images that some ledger entries seal, in the order of the entries given."""
    wanted = tuple(entries)
    found = RecordReader(connection).images(wanted)
    return tuple(found[number] for number in wanted)


def entries_of(connection: Connection, image_key: str) -> tuple[int, ...]:
    """Return every ledger entry about an image: its own, later contributions, people's answers."""
    images, later, statements = schema.image_records.c, schema.contributions.c, schema.statements.c
    query = select(images.ledger_seq, images.sha256).where(images.key == image_key)
    image = connection.execute(query).first()
    if image is None:
        return ()
    own = image.ledger_seq
    added = select(later.ledger_seq).where(later.image_seq == own, later.ledger_seq.is_not(None))
    answers = select(statements.ledger_seq).where(
        statements.image_sha256 == image.sha256,
        statements.kind.in_([kind.value for kind in ANSWERING]),
    )
    return (
        own,
        *connection.execute(added.order_by(later.ledger_seq)).scalars(),
        *connection.execute(answers.order_by(statements.ledger_seq)).scalars(),
    )


def count(connection: Connection, scope: Scope) -> int:
    """Return how many versions `backgrounds` would yield."""
    query = select(func.count()).select_from(schema.backgrounds).where(_within(scope))
    return int(connection.execute(query).scalar_one())


def projects(connection: Connection) -> tuple[str, ...]:
    """Return the projects that have records, in alphabetical order."""
    query = select(_row.project).distinct().order_by(_row.project)
    return tuple(connection.execute(query).scalars())


def known_cuts(connection: Connection) -> frozenset[Place]:
    """Return the cuts of all records, and of jobs that found theirs."""
    one, job = schema.backgrounds.c, schema.jobs.c
    found = select(job.project, job.episode, job.sequence, job.shot).where(
        job.step.not_in(("", "collect"))
    )
    recorded = select(one.project, one.episode, one.sequence, one.shot)
    return frozenset(
        Place(project=row[0], episode=row[1], sequence=row[2], shot=row[3])
        for row in connection.execute(union(recorded, found))
    )


def is_known_file(connection: Connection, sha256: str) -> bool:
    """Tell whether an image is recorded, or ordered, by the SHA-256 of its file."""
    recorded = select(schema.image_records.c.ledger_seq).where(
        schema.image_records.c.sha256 == sha256
    )
    ordered = select(schema.jobs.c.id).where(schema.jobs.c.order_json.contains(sha256))
    return any(connection.execute(one.limit(1)).first() for one in (recorded, ordered))


def _rows(connection: Connection, scope: Scope) -> Iterator[Sequence[Sequence[Any]]]:
    if not scope.sequence and not scope.shot:
        yield from _pages(connection, _part(scope), fixed=1, latest=scope.latest)
        return
    # A sequence or a shot may be in several episodes: each is read by itself, through the index.
    episodes = select(_row.episode).where(_part(scope)).distinct().order_by(_row.episode)
    fixed = 2 if not scope.sequence else 3 if not scope.shot else 4
    for episode in connection.execute(episodes).scalars().all():
        here = and_(_row.episode == episode, _part(scope))
        yield from _pages(connection, here, fixed=fixed, latest=scope.latest)


def _pages(
    connection: Connection, part: ColumnElement[bool], *, fixed: int, latest: bool
) -> Iterator[Sequence[Sequence[Any]]]:
    query = select(*VERSION_COLUMNS).where(part).order_by(*_ORDER).limit(_BATCH)
    # Columns that the scope fixes stay out of the comparison: with them in it, SQLite would walk
    # through all rows before the page each time.
    last: list[Sequence[Any]] = []
    page = connection.execute(query).all()
    while page:
        after = tuple(page[-1][fixed : len(_ORDER)])
        if latest:
            # Versions of one cut follow on each other: a row that has a successor is superseded.
            rows = [*last, *page]
            yield [one for one, other in pairwise(rows) if one[: len(_CUT)] != other[: len(_CUT)]]
            last = rows[-1:]
        else:
            yield page
        page = (
            connection.execute(query.where(tuple_(*_ORDER[fixed:]) > after)).all()
            if len(page) == _BATCH
            else []
        )
    if last:
        yield last


def _part(scope: Scope) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = [_row.project == scope.project]
    if scope.episode:
        wanted.append(_row.episode == scope.episode)
    if scope.sequence:
        wanted.append(_row.sequence == scope.sequence)
    if scope.shot:
        wanted.append(_row.shot == scope.shot)
    return and_(*wanted)


def _within(scope: Scope) -> ColumnElement[bool]:
    wanted = [_part(scope)]
    if scope.latest:
        other = schema.backgrounds.alias("other")
        same = (column == other.c[column.name] for column in _CUT)
        wanted.append(
            _row.version == select(func.max(other.c.version)).where(*same).scalar_subquery()
        )
    return and_(*wanted)


def _only(connection: Connection, condition: ColumnElement[bool]) -> BackgroundVersion | None:
    query = select(*VERSION_COLUMNS).where(condition)
    rows = connection.execute(query.order_by(_row.version.desc(), _row.created_at.desc()).limit(1))
    return next(iter(RecordReader(connection).backgrounds(rows.all())), None)


def _change(connection: Connection, key: str, values: _Row) -> None:
    done = connection.execute(update(schema.backgrounds).where(_row.key == key).values(values))
    if not done.rowcount:
        raise LedgerError(f"No version is recorded under {key!r}.")
