"""
Compute the credits of a show anew, from its lineage and today's names, and put them right.

Only the tracker's fields are written, and only where they differ: a run that was cut is finished by
the next. Files and the ledger are never touched; they hold what was known when they were made.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import stamina
import structlog
from sqlalchemy import Connection, Engine, select

from haikei.credits import (
    BackgroundVersion,
    Person,
    Scope,
    credit_line,
    is_machine_name,
    overall_source_type,
    people,
    records,
)
from haikei.credits.records import asking
from haikei.database import jobs, reading, utc_now
from haikei.errors import CreditError, PathRefused, PlaceUnknown, TrackerUnavailable
from haikei.jobs.contributions import as_credited, roles_text, systems_text
from haikei.jobs.job import JobKind, JobOrder
from haikei.jobs.table import order_of
from haikei.settings import PersonEntry, Settings
from haikei.storage import Storage
from haikei.trackers import (
    ContextRequest,
    CreditDesk,
    CreditRow,
    CreditsWritten,
    StatedCredits,
    Tracker,
)

log = structlog.get_logger()

#: Versions that are compared, and written, at once.
_BATCH = 200
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputeRefused:
    """A version whose credits cannot be printed, or a name of the tracker's that is nobody's."""

    code: str  #: the version's, or the person's id
    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """A person whom the tracker names in another way than the register."""

    before: Person
    after: Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """What was found and written, so far or in the end."""

    total: int = 0  #: versions there are
    versions: int = 0  #: versions looked at
    changed: int = 0  #: the tracker's rows, Versions and files, that differed
    unpublished: int = 0  #: versions that the tracker does not have yet
    unknown: tuple[str, ...] = ()  #: versions whose row is gone from the tracker, or not ours
    refused: tuple[RecomputeRefused, ...] = ()
    renamed: tuple[Renamed, ...] = ()


def recompute(
    database: Engine,
    desk: CreditDesk,
    scope: Scope,
    *,
    dry_run: bool = False,
    names_from_tracker: bool = False,
    entries: Sequence[PersonEntry] = (),
    tell: Callable[[Recomputed], None] | None = None,
) -> Recomputed:
    """
    Bring the tracker's credits of a scope's versions in line with the lineage and the register.

    Args:
        database: the studio's own.
        desk: the tracker's credits.
        scope: which versions; `latest` is as the caller sets it.
        dry_run: only find out what would be written.
        names_from_tracker: first take over the names that the tracker has today.
        entries: first take over how the settings name people today, which goes before the tracker.
            Names that were given or erased here stay as they are.
        tell: called with the result so far, after each batch.

    Raises:
        TrackerError: the tracker does not answer, or refuses; what is written already stays.
    """
    renamed, machines = _names(
        database, desk if names_from_tracker else None, entries, dry_run=dry_run
    )
    names = {one.after.id: one.after for one in renamed}
    with reading(database) as connection:
        total = records.count(connection, scope)
        done = Recomputed(total=total, renamed=renamed, refused=machines)
        versions = records.backgrounds(connection, scope)
        while some := tuple(islice(versions, _BATCH)):
            done = _batch(done, [_with_names(one, names) for one in some], desk, dry_run=dry_run)
            if tell is not None:
                tell(done)
    return done


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A layout whose artist was open among several, and whom the tracker names alone by now."""

    version: BackgroundVersion
    artist: Person
    source: str  #: where the tracker names them, such as `Task:14 assignee`


def answers_in_tracker(
    database: Engine, tracker: Tracker, settings: Settings, scope: Scope | None = None
) -> Iterator[Answered]:
    """
    Yield the open questions who drew a layout that the tracker answers by naming one person alone.

    Nothing is recorded of it; see `take_answer`.

    Args:
        database: the studio's own.
        tracker: is asked about the layout of each open question.
        settings: the studio's.
        scope: which versions; None for all.

    Raises:
        TrackerError: the tracker does not answer, or refuses.
    """
    storage, done = Storage(settings), set[str]()
    with reading(database) as connection:
        versions = [records.background(connection, key) for key in asking.keys_asked(connection)]
        orders = {one.key: _order(connection, one.key) for one in versions if one is not None}
    for version in versions:
        order = orders[version.key] if version is not None else None
        if version is None or order is None or not _within(version, scope):
            continue
        layout = version.images[0].key
        if layout in done or asking.open_question(version.images) is None:
            continue
        done.add(layout)
        try:
            request = ContextRequest(
                place=order.place,
                layout=storage.stored(order.layout, order.layout_sha256),
                published_file=order.published_file,
                stream=order.stream,
            )
            context = tracker.context(request)
        except (PlaceUnknown, PathRefused) as error:
            log.warning("artist_not_looked_up", version=version.code, error=error.message)
            continue
        if len(context.artists) == 1 and not is_machine_name(context.artists[0].name):
            source = context.artist_source or "tracker"
            yield Answered(version=version, artist=context.artists[0], source=source)


def take_answer(connection: Connection, one: Answered, entries: Sequence[PersonEntry]) -> Person:
    """Name the artist whom the tracker names alone, in the caller's transaction; return them."""
    question = asking.open_question(one.version.images)
    person = as_credited(one.artist, entries)
    if question is not None:
        people.note(connection, person)
        asking.name_artist(connection, question, person, source=one.source, at=utc_now())
        log.info("layout_artist_named", version=one.version.code, artist=person.id)
    return person


def _within(version: BackgroundVersion, scope: Scope | None) -> bool:
    pairs = (
        ()
        if scope is None
        else (
            (scope.project, version.project),
            (scope.episode, version.episode),
            (scope.sequence, version.sequence),
            (scope.shot, version.shot),
        )
    )
    return all(not wanted or wanted == found for wanted, found in pairs)


def _order(connection: Connection, key: str) -> JobOrder | None:
    query = select(jobs.c.order_json).where(
        jobs.c.key == key, jobs.c.kind == JobKind.BACKGROUND.value
    )
    text = connection.execute(query).scalar()
    return order_of(text) if text else None


def stated(version: BackgroundVersion) -> StatedCredits:
    """
    Return a version's credits as the tracker shows them.

    Raises:
        CreditError: work by a human has neither a name nor an opt-out.
    """
    line = credit_line(version.images)
    return StatedCredits(
        credit_en=line.en,
        credit_ja=line.ja,
        roles=roles_text(version.images),
        system=systems_text(version.images),
        source_type=overall_source_type(version.images).value,
        ledger_index=version.ledger[-1],
        record_link=f"{version.final.path}.json",
    )


def _batch(
    done: Recomputed, versions: Sequence[BackgroundVersion], desk: CreditDesk, *, dry_run: bool
) -> Recomputed:
    rows: list[CreditRow] = []
    refused: list[RecomputeRefused] = []
    codes: dict[int, str] = {}
    unpublished = 0
    for version in versions:
        try:
            credits_now = stated(version)
        except CreditError as error:
            refused.append(
                RecomputeRefused(code=version.code, key=version.key, reason=error.message)
            )
            continue
        if version.tracker_id is None:
            unpublished += 1
            continue
        codes[version.tracker_id] = version.code
        artist = asking.artist_answered(version.images)
        of = artist.id if artist is not None and not artist.opt_out else ""
        rows.append(
            CreditRow(version=version.tracker_id, key=version.key, stated=credits_now, artist=of)
        )
    written = _write(desk, rows, dry_run=dry_run)
    return replace(
        done,
        versions=done.versions + len(versions),
        changed=done.changed + written.changed,
        unpublished=done.unpublished + unpublished,
        unknown=(*done.unknown, *(codes[number] for number in written.unknown)),
        refused=(*done.refused, *refused),
    )


def _write(desk: CreditDesk, rows: Sequence[CreditRow], *, dry_run: bool) -> CreditsWritten:
    # A write that nobody answered may have been carried out: the next try compares again.
    for attempt in stamina.retry_context(on=TrackerUnavailable, attempts=_ATTEMPTS):
        with attempt:
            return desk.write(rows, dry_run=dry_run)
    raise AssertionError("unreachable")


def _names(
    database: Engine, desk: CreditDesk | None, entries: Sequence[PersonEntry], *, dry_run: bool
) -> tuple[tuple[Renamed, ...], tuple[RecomputeRefused, ...]]:
    """Take over today's names of those in the register; return whose changed, and refused."""
    with reading(database) as connection:
        before = {person.id: person for person in people.everyone(connection)}
    current = before if desk is None else desk.people(list(before))
    with reading(database) as connection:
        had = people.names_had(connection, list(current))
        stated = (as_credited(one, entries, had.get(one.id, ())) for one in current.values())
        after = people.as_printed(connection, stated)
    changed = [
        person
        for person in after
        if (person.name.strip() or person.name_ja.strip()) and person != before[person.id]
    ]
    machines = tuple(
        RecomputeRefused(
            code=person.id,
            key="",
            reason=f"The tracker calls them {named!r}, which is the name of a machine; credits go "
            f"on naming {before[person.id].name or before[person.id].name_ja!r}.",
        )
        for person in changed
        for named in list(filter(is_machine_name, (person.name, person.name_ja)))[:1]
    )
    refused = {one.code for one in machines}
    renamed = tuple(
        Renamed(before=before[person.id], after=person)
        for person in changed
        if person.id not in refused
    )
    if renamed and not dry_run:
        with database.begin() as connection:
            people.note_all(connection, [one.after for one in renamed])
    return renamed, machines


def _with_names(version: BackgroundVersion, names: Mapping[str, Person]) -> BackgroundVersion:
    """Return a version as the register will name its people."""
    if not names:
        return version
    return replace(version, images=tuple(image.with_names(names) for image in version.images))
