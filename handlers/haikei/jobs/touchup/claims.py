"""Whether a file earns its credit: something was painted, and nobody else is named for it."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import structlog
from sqlalchemy import Connection, RowMapping, select, update

from haikei.credits import (
    BackgroundVersion,
    Contribution,
    Evidence,
    Grade,
    ImageKind,
    ImageRecord,
    Person,
    Role,
    Scope,
    printed_person,
    records,
    shows_change,
)
from haikei.credits.records.confirmations import reinstate
from haikei.database import backgrounds, jobs, reading, utc_now
from haikei.errors import (
    CreditError,
    ImageUnreadable,
    LedgerError,
    NothingPainted,
    PainterDisputed,
)
from haikei.events import Source, TouchUpPublished
from haikei.fingerprint import Fingerprint, FingerprintIndex, Likeness
from haikei.images import read_picture
from haikei.jobs.inbox import TOUCH_UP, add_job, keys_of
from haikei.jobs.job import JobState, TouchUpOrder
from haikei.jobs.recomputing import stated
from haikei.jobs.table import result_of, touch_up_row
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.publish import Examined, measure_painted
from haikei.show import Place
from haikei.trackers import CreditRow

log = structlog.get_logger()

#: Somebody waits for it, and no picture has to be made: it goes before layouts.
PRIORITY = 10
#: Recorded pictures, the most alike first, that a file is measured against.
_MOST = 6


def require_painted(
    order: TouchUpOrder, examined: Examined, artists: Sequence[Person], tools: Tools
) -> None:
    """
    Check that a file shows a change that nobody made before; a declared reason outweighs that.

    What shows none is a conversion: who saved it is noted among the jobs, and nobody is credited.

    Raises:
        NothingPainted: no change is measured from its parent, or from another picture of the cut.
        PainterDisputed: it is the very touch-up of somebody else.
    """
    if order.reason:
        return
    found = shown_by(examined, tools)
    if found is None:
        return
    code, image = found
    if image.kind is ImageKind.TOUCH_UP and image.pixels_sha256 == examined.picture.sha256():
        missing = _missing(image, artists)
        if missing:
            raise _disputed(order, code, examined.parent.version.code, image, missing)
    what = f"{order.file.name} shows what {code} shows, and no change is measured"
    if examined.ai_found or order.used_generative_fill:
        signs = examined.ai_found or "generative fill, as declared"
        what += f"; its signs of AI ({signs}) made none either"
    named = [one for one in order.artists if isinstance(one, str) and one]
    by = _named(artists) or ", ".join(map(repr, named)) or "somebody whom nothing names"
    reason = f"{what}. It is a conversion, saved by {by}; nobody is credited for it."
    log.info(
        "touch_up_is_conversion",
        file=str(order.file),
        of=code,
        saved_by=[person.id for person in artists],
    )
    with tools.database.begin() as connection:
        add_job(connection, _row(order, examined, artists, reason))
    command = _command(order, examined.parent.version.code, artists)
    raise NothingPainted(
        reason,
        advice="If it was painted over all the same, say what was painted: "
        f"{command} --reason '…'; {_AS}.",
    )


_AS = "it is credited as declared then, and the reason is sealed"


def shown_by(examined: Examined, tools: Tools) -> tuple[str, ImageRecord] | None:
    """
    Return the recorded picture of the cut that a file only converts, with its name; None if none.

    Its parent is looked at first, then every other version of the cut with what led to it: nobody
    painted what an earlier version shows already.
    """
    version = examined.parent.version
    if not shows_change(examined.measured.change):
        return version.code, version.final
    with reading(tools.database) as connection:
        scope = Scope.of(version)
        cut = tuple(records.backgrounds(connection, scope))
    found = {image.sha256: (image.path, image) for one in cut for image in one.images}
    found.update({one.final.sha256: (one.code, one.final) for one in cut})
    found.pop(version.final.sha256, None)
    candidates = tuple(found.values())
    index = FingerprintIndex(_fingerprints(image for _, image in candidates))
    alike = [one for one in index.look_up(examined.picture) if one.likeness is Likeness.COPY]
    for match in alike[:_MOST]:
        code, image = candidates[match.number]
        try:
            before = read_picture(
                tools.storage.published(PurePosixPath(image.path)), limits=tools.limits
            )
        except ImageUnreadable as error:
            log.warning("version_not_compared", version=code, error=str(error))
            continue
        if not shows_change(measure_painted(before, examined.picture)[0].change):
            return code, image
    return None


def _fingerprints(images: Iterable[ImageRecord]) -> Iterable[tuple[int, Fingerprint]]:
    for number, image in enumerate(images):
        if not image.fingerprint:
            continue
        try:
            yield number, Fingerprint.read(image.fingerprint)
        except LedgerError as error:
            log.warning("fingerprint_not_read", image=image.key, error=str(error))


def agreed(
    background: BackgroundVersion,
    artists: Sequence[Person],
    order: TouchUpOrder,
    sha256: str,
    tools: Tools,
) -> BackgroundVersion:
    """
    Return a touch-up that was taken in before, with those who are named for it now.

    Who was not named then is added as declared, sealed with the reason, and shown in the tracker.

    Raises:
        PainterDisputed: somebody else was named then, and no reason is declared.
        TrackerError: the tracker does not answer, or refuses.
    """
    image = background.final
    missing = _missing(image, artists)
    if not missing:
        return background
    if not order.reason:
        raise _disputed(order, background.code, order.of, image, missing)
    evidence = Evidence(
        source=order.known_by,
        sha256=sha256,
        note=f"named after it was taken in; reason as declared: {order.reason}",
    )
    with tools.database.begin() as connection:
        for person in missing:
            at = utc_now()
            contribution = Contribution(
                role=Role.TOUCH_UP, actor=person, grade=Grade.DECLARED, evidence=evidence, at=at
            )
            reinstate(connection, image.key, Role.TOUCH_UP, person, why=order.reason, at=at)
            records.contribute(connection, image.key, contribution)
        place = Place(
            project=background.project,
            episode=background.episode,
            sequence=background.sequence,
            shot=background.shot,
        )
        keys = keys_of(connection, TOUCH_UP, place, sha256)
        disputed = (jobs.c.state == JobState.DEAD.value) & (
            jobs.c.error_kind == PainterDisputed.__name__
        )
        connection.execute(
            update(jobs)
            .where(jobs.c.key.in_(keys), disputed)
            .values(state=JobState.DONE.value, error="", error_kind="", updated_at=utc_now())
        )
        now = records.background(connection, background.key)
    if now is None:
        raise LedgerError(f"{background.code} is not recorded any more.")
    log.info("painter_added", version=now.code, people=[person.id for person in missing])
    _show(now, tools)
    return now


def _show(background: BackgroundVersion, tools: Tools) -> None:
    desk = tools.tracker().parts.credits
    if desk is None or background.tracker_id is None:
        return
    try:
        credits_now = stated(background)
    except CreditError as error:
        # The studio lets layouts go unnamed; the record holds the name.
        log.warning("credits_not_shown", version=background.code, error=str(error))
        return
    row = CreditRow(version=background.tracker_id, key=background.key, stated=credits_now)
    desk.write([row], dry_run=False)


def is_open(connection: Connection, job: RowMapping, event: TouchUpPublished) -> bool:
    """Tell whether a job that ended is to run anew for an event: it says what was not known."""
    match JobState(job["state"]):
        case JobState.DEAD:
            return True
        case JobState.SKIPPED:
            return bool(job["error_kind"] == NothingPainted.__name__)
        case JobState.DONE:
            result = result_of(job["result_json"])
            row = backgrounds.c
            query = select(row.key).where(row.tracker_id == (result.version.id if result else None))
            key = connection.execute(query).scalar()
            made = None if key is None else records.background(connection, key)
            return made is not None and bool(_missing(made.final, event.artists))
        case _:
            return False


def _missing(image: ImageRecord, artists: Sequence[Person]) -> tuple[Person, ...]:
    # Whoever only approved it, or asked for another, did not paint it.
    known = {person.id for person in _painters(image)}
    return tuple(person for person in artists if person.id not in known)


def _painters(image: ImageRecord) -> tuple[Person, ...]:
    painted = (one.actor for one in image.contributions if one.role is Role.TOUCH_UP)
    return tuple({one.id: one for one in painted if isinstance(one, Person)}.values())


def _disputed(
    order: TouchUpOrder, code: str, of: str, image: ImageRecord, missing: Sequence[Person]
) -> PainterDisputed:
    return PainterDisputed(
        f"{order.file.name} was taken in before, as {code} by {_named(_painters(image))}, and not "
        f"by {_named(missing)}. Nobody is credited anew.",
        advice=f"If they painted it together, say so: {_command(order, of, missing)} "
        f"--reason '…'; {_AS}. If it is not theirs, skip the job.",
    )


def _named(people: Iterable[Person]) -> str:
    return ", ".join(printed_person(one).en or one.id for one in people)


def _command(order: TouchUpOrder, of: str, artists: Iterable[Person]) -> str:
    words = ["haikei", "touchup", str(order.file), "--of", of]
    for person in artists:
        # People of the tracker are named by its id; ids of our own mean nothing to others.
        known = not person.id.startswith("person:") or not person.name
        words += ["--artist", person.id if known else person.name]
    return shlex.join(words if "--artist" in words else [*words, "--artist", "…"])


def _row(
    order: TouchUpOrder, examined: Examined, artists: Sequence[Person], reason: str
) -> dict[str, object]:
    parent, now = examined.parent, utc_now()
    event = TouchUpPublished(
        place=parent.place,
        file=order.file,
        sha256=examined.sha256,
        published_file=None,
        artists=tuple(artists),
        artist_source=order.known_by,
        artist_name="",
        versions=(),
        season=parent.version.season,
        time=parent.version.time,
        version=parent.version.version,
        source=Source.COMMAND,
        at=now,
    )
    return {
        **touch_up_row(event, PRIORITY, now),
        "state": JobState.SKIPPED.value,
        "note": reason,
        "error_kind": NothingPainted.__name__,
        "finished_at": now,
    }
