"""
After a restore: take back what was published since, and say in the ledger what is gone.

Storage holds each version's signed record and its files, and the tracker its row with our key. A
version whose files are whole is recorded anew. One that the tracker shows is done; one that it does
not show yet is left to its job, which finds its files made. What was cut off in the middle of
publishing belongs to nothing, and is set aside.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import structlog
from sqlalchemy import Connection, Engine, select

from haikei.backup.restore import PENDING, pending_restore
from haikei.credits import ImageKind, Person, people, records
from haikei.database import image_records, jobs, reading, utc_now
from haikei.errors import HaikeiError, StateError
from haikei.events import Source
from haikei.files import sha256_of
from haikei.jobs import JobState, begin_anew, end_published
from haikei.jobs.chain import lineage_credit
from haikei.jobs.checkpointing import outlets_of
from haikei.jobs.publishing import SealedRecord, make_from_published, read_record, write_list
from haikei.ledger import (
    Restoration,
    Signer,
    checkpoints_outside,
    find_lost,
    note_signer,
    state_restored,
    take_lost_numbers,
)
from haikei.provenance.formats import MANIFEST_SUFFIX, XMP_SUFFIX
from haikei.review import wake
from haikei.settings import Settings
from haikei.storage import PublishedRecord, Storage
from haikei.trackers import Tracker, load_tracker

log = structlog.get_logger()

#: Clocks of the tracker and of this machine may differ.
_MARGIN = timedelta(days=1)
_LOOK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """What was done about a restored state."""

    restoration: Restoration | None  #: what the ledger says of it; None where it was stated before
    versions: tuple[str, ...]  #: codes of those that were taken back
    unfinished: tuple[str, ...]  #: codes of those among them that their jobs still show the tracker
    ended: int  #: jobs that are done by that
    begun_anew: int  #: jobs that ran when the back-up was made, and wait now
    set_aside: tuple[str, ...]  #: files that belong to nothing, by their new paths
    refused: tuple[str, ...]  #: records that were not taken, each with the reason
    withheld: tuple[str, ...] = ()  #: ids of people who asked for that since the back-up


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredVersion:
    """A version that storage holds and the records lack."""

    published: PublishedRecord
    sealed: SealedRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A version's row in the tracker."""

    id: int
    url: str


def adopt(
    settings: Settings,
    database: Engine,
    *,
    open_tracker: Callable[[Settings], Tracker] = load_tracker,
) -> Adopted:
    """
    Adopt what was published after the back-up from which this state was restored.

    Interrupted, it can be begun again: what is recorded is not recorded twice.

    Raises:
        StateError: this state was not restored, or all of it is adopted.
        HistoryChanged: checkpoints outside say that the back-up itself was changed.
        StorageUnavailable: the storage is away.
        TrackerError: the tracker does not answer, or refuses.
    """
    backup = pending_restore(settings.studio.state)
    if backup is None:
        raise StateError(
            f"{settings.studio.state} was not restored from a back-up, or all is adopted.",
            advice="`haikei restore FILE` restores one.",
        )
    storage, signer = Storage(settings), Signer(settings)
    found, cut, refused = _look(database, storage, signer)
    withheld = _withheld(one.sealed for one in found)
    found = [replace(one, sealed=_without(one.sealed, withheld)) for one in found]
    with reading(database) as connection:
        known = people.withdrawn(connection)
    tracker = open_tracker(settings)
    try:
        shown = _shown(tracker, backup.made_at - _MARGIN)
        outlets = outlets_of(settings, database, open_tracker)
        with reading(database) as connection:
            outside = checkpoints_outside(connection, note_signer(settings).key, outlets)
            lost = find_lost(connection, backup, outside)
    finally:
        tracker.close()
    aside = [str(path) for one in cut for path in _set_aside(one, storage)]
    root = settings.storage.roots[0].path
    for one in found:
        if one.sealed.job not in shown:
            where = one.published
            made = make_from_published(one.sealed, where.picture, where.version, root)
            write_list(made, settings.work_folder / "jobs" / one.sealed.job)
    with database.begin() as connection:
        take_lost_numbers(connection, lost)
        taken: list[_StoredVersion] = []
        for one in found:
            problem = _record(connection, one, shown.get(one.sealed.job))
            if problem:
                refused.append(f"{one.published.path}: {problem}")
            else:
                taken.append(one)
        restoration = state_restored(connection, lost, adopted=len(taken), at=utc_now())
        rows = [shown[one.sealed.job].id for one in taken if one.sealed.job in shown]
        wake(connection, rows, source=Source.RECONCILIATION)
        ended = end_published(connection, _open_jobs(connection))
        anew = begin_anew(connection)
    (settings.studio.state / PENDING).unlink()
    for reason in refused:
        log.warning("record_not_adopted", reason=reason)
    return Adopted(
        restoration=restoration,
        versions=tuple(one.sealed.code for one in taken),
        unfinished=tuple(one.sealed.code for one in taken if one.sealed.job not in shown),
        ended=len(ended),
        begun_anew=anew,
        set_aside=tuple(aside),
        refused=tuple(refused),
        withheld=tuple(sorted(withheld.keys() - known)),
    )


def _withheld(sealed: Iterable[SealedRecord]) -> dict[str, str]:
    """Return who is withheld in what was published since, and where they asked for it."""
    people_ = (person for one in sealed for image in one.images for person in image.people)
    return {person.id: person.opt_out for person in people_ if person.opt_out}


def _without(sealed: SealedRecord, withheld: Mapping[str, str]) -> SealedRecord:
    """
    Return a record without the names of these people.

    Records from before they asked hold their names, and are adopted after that: they would bring
    back what was erased.
    """
    images = tuple(
        replace(
            image,
            contributions=tuple(
                replace(one, actor=Person(id=one.actor.id, name="", opt_out=withheld[one.actor.id]))
                if isinstance(one.actor, Person) and one.actor.id in withheld
                else one
                for one in image.contributions
            ),
        )
        for image in sealed.images
    )
    if images == sealed.images:
        return sealed
    return replace(sealed, images=images, credit=lineage_credit(images, unnamed=True))


def _look(
    database: Engine, storage: Storage, signer: Signer
) -> tuple[list[_StoredVersion], list[_StoredVersion], list[str]]:
    """Return versions that are whole, those that were cut off, and records that are not ours."""
    with reading(database) as connection:
        known = set(connection.execute(select(image_records.c.path)).scalars())
    whole: list[_StoredVersion] = []
    cut: list[_StoredVersion] = []
    refused: list[str] = []
    for published in storage.publications():
        if str(published.picture) in known:
            continue
        try:
            one = _StoredVersion(published=published, sealed=read_record(published.path, signer))
        except HaikeiError as error:
            if error.transient:
                raise
            refused.append(f"{published.path}: {error.message}")
            continue
        (whole if _is_whole(one, storage) else cut).append(one)
    # As they were made: what a touch-up stands on has the lower number.
    whole.sort(key=lambda one: one.sealed.images[-1].created_at)
    return whole, cut, refused


def _is_whole(one: _StoredVersion, storage: Storage) -> bool:
    for image in one.sealed.images:
        try:
            if sha256_of(storage.published(PurePosixPath(image.path))) != image.sha256:
                return False
        except OSError:
            return False
    return True


def _set_aside(one: _StoredVersion, storage: Storage) -> Sequence[str]:
    picture, job = one.published.picture, one.sealed.job
    # A touch-up has no copy of the layout: that is its parent's, which stays.
    touched = one.sealed.images[-1].kind is ImageKind.TOUCH_UP
    own = [
        PurePosixPath(image.path)
        for image in one.sealed.images
        if image.key.rpartition("/")[0] == job or (image.kind is ImageKind.LAYOUT and not touched)
    ]
    beside = [path.with_suffix(ending) for path in own for ending in (MANIFEST_SUFFIX, XMP_SUFFIX)]
    names = (picture.with_name(f"{picture.stem}_change.png"), *beside, *own)
    paths = (*names, picture.with_name(f"{picture.name}.json"))
    moved = (storage.set_aside(path) for path in dict.fromkeys(paths))
    return [str(path) for path in moved if path is not None]


def _shown(tracker: Tracker, since: datetime) -> dict[str, _Shown]:
    """Return our versions that changed in the tracker since then, by their keys."""
    review = tracker.parts.review
    if review is None:
        return {}
    ids = review.changed(since)
    found: dict[str, _Shown] = {}
    for start in range(0, len(ids), _LOOK):
        for one in review.look(ids[start : start + _LOOK]):
            found[one.key] = _Shown(id=one.version.id, url=one.url)
    return found


def _record(connection: Connection, one: _StoredVersion, shown: _Shown | None) -> str:
    """Record a version; return why that cannot be done, empty when it was."""
    sealed, where = one.sealed, one.published
    try:
        with connection.begin_nested():
            records.save(
                connection,
                key=sealed.job,
                project=where.place.project,
                episode=where.place.episode,
                sequence=where.place.sequence,
                shot=where.place.shot,
                season=where.season,
                time=where.time,
                version=where.version,
                code=sealed.code,
                images=sealed.images,
                created_at=sealed.images[-1].created_at,
            )
            if shown is not None:
                records.published(connection, sealed.job, tracker_id=shown.id, url=shown.url)
    except HaikeiError as error:
        return error.message
    return ""


def _open_jobs(connection: Connection) -> Sequence[str]:
    open_ = (JobState.WAITING.value, JobState.RUNNING.value)
    return list(connection.execute(select(jobs.c.key).where(jobs.c.state.in_(open_))).scalars())
