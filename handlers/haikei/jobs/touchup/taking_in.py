"""Take in a touch-up: what an artist painted over a version becomes the next version."""

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

import structlog
from sqlalchemy import Connection, select, update

from haikei.canonical import canonical_json
from haikei.credits import BackgroundVersion, records
from haikei.database import jobs, reading, utc_now
from haikei.errors import CreditError, ImageUnreadable, TouchUpRefused
from haikei.events import TouchUpPublished
from haikei.files import sha256_of
from haikei.jobs.inbox import add_job
from haikei.jobs.job import JobState, TouchUpOrder
from haikei.jobs.publishing import MadeVersion, made_before, publish_files
from haikei.jobs.table import touch_up_row
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.claims import PRIORITY, agreed, is_open, require_painted, shown_by
from haikei.jobs.touchup.painter import declared_by_hand, painters
from haikei.jobs.touchup.parent import Parent, parent_of
from haikei.jobs.touchup.publish import (
    Examined,
    change_of,
    examine,
    is_undeclared,
    make,
    show,
)
from haikei.measurements import Change
from haikei.provenance.formats import MANIFEST_SUFFIX, XMP_SUFFIX
from haikei.trackers import ContextRequest, LayoutContext

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """A touch-up that is a version now."""

    background: BackgroundVersion
    change: Change
    path: Path  #: of the marked picture
    change_map: Path  #: of the picture that shows what was changed
    files: tuple[Path, ...]  #: all that was published, the picture first
    created: bool  #: False when it had been taken in before

    @property
    def code(self) -> str:
        """The version's name in the tracker."""
        return self.background.code


def touch_up_key(parent_sha256: str, file_sha256: str) -> str:
    """Return the key of a touch-up: one file on one parent is one version."""
    text = canonical_json(["touch-up", parent_sha256, file_sha256])
    return f"touch-up-{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def take_in(order: TouchUpOrder, tools: Tools) -> TakenIn:
    """
    Take in a file that an artist painted over a version of ours, as the next version.

    The parent's marks are validated, the change is measured, the picture is marked on top of the
    parent with its pixels' bytes as they were, published with its change map and record, sealed in
    the ledger and shown in the tracker. The artist's own file is only read.

    Raises:
        TouchUpRefused: no version of ours is meant, or the file does not show it.
        NothingPainted: no change is measured, and no reason is declared.
        PainterDisputed: somebody else was named for the same file, and no reason is declared.
        ImageUnreadable: the file is no picture, or damaged.
        CreditError: nobody is named for it.
        MarksError: marks do not hold, or cannot be written.
        StorageError: a file cannot be published.
        TrackerError: the tracker does not answer, or refuses; done again it goes on there.
    """
    sha256 = _sha256(order)
    parent = parent_of(order.of, tools)
    _require_another(order, parent, sha256)
    try:
        artists = painters(order, tools)
    except CreditError:
        require_change(order, parent, sha256, tools)
        raise
    by_hand = declared_by_hand(order, artists, parent.place, tools)
    key = touch_up_key(parent.version.final.sha256, sha256)
    with reading(tools.database) as connection:
        background = records.background(connection, key)
    created = background is None
    if background is not None:
        _require_same_manner(order, background)
        background = agreed(background, artists, order, sha256, tools)
        if background.tracker_id is not None:
            return _taken_in(background, tools, created=False)
    context = _context(parent, tools)
    folder = tools.folder(key)
    if background is None:
        made = made_before(folder)
        if made is None:
            examined = examine(order, parent, sha256, tools=tools, folder=folder)
            require_painted(order, examined, artists, tools)
            version = tools.storage.claim_version(
                place=context.completed(parent.place),
                stream=parent.stream,
                key=key,
                at_least=max(context.latest_version, parent.version.version),
            )
            made = make(
                order,
                examined,
                artists,
                by_hand=by_hand,
                key=key,
                version=version,
                place=context.completed(parent.place),
                at=utc_now(),
                tools=tools,
                folder=folder,
            )
        publish_files(made, tools)
        background = _recorded(made, parent, key, tools)
    background = show(background, parent, context, artists, tools, folder)
    shutil.rmtree(folder, ignore_errors=True)
    log.info("touch_up_taken_in", version=background.code, of=parent.version.code)
    return _taken_in(background, tools, created=created)


def _require_same_manner(order: TouchUpOrder, background: BackgroundVersion) -> None:
    if order.by_hand and is_undeclared(background):
        raise TouchUpRefused(
            f"{order.file.name} was taken in before as {background.code}, and nobody declared how "
            "it was made.",
            advice="Declare it of the version: haikei credits declare hand_painted --project "
            f"{background.project} --of {background.code} --by … --text ….",
        )


def require_change(order: TouchUpOrder, parent: Parent, sha256: str, tools: Tools) -> None:
    """
    Check that a file shows a change, before anybody is asked who painted it.

    Raises:
        NothingPainted: it shows none; whoever saved it, it is a conversion.
        HaikeiError: as `take_in` does before it writes anything.
    """
    with tempfile.TemporaryDirectory(prefix="haikei-touchup-") as folder:
        examined = examine(order, parent, sha256, tools=tools, folder=Path(folder))
        require_painted(order, examined, (), tools)


def compare(order: TouchUpOrder, tools: Tools, folder: Path) -> Examined:
    """
    Only compare a file with the version that it was painted over; nothing is kept but a copy.

    Args:
        order: the file, its parent and its artist.
        tools: the studio's.
        folder: of the caller's, for the copy.

    Raises:
        HaikeiError: as `take_in` does before it writes anything.
    """
    sha256 = _sha256(order)
    parent = parent_of(order.of, tools)
    _require_another(order, parent, sha256)
    examined = examine(order, parent, sha256, tools=tools, folder=folder)
    if shown_by(examined, tools) is None:
        painters(order, tools)
    return examined


def _sha256(order: TouchUpOrder) -> str:
    try:
        return sha256_of(order.file)
    except OSError as error:
        raise ImageUnreadable(
            f"{order.file} cannot be read: {error.strerror or error}.",
            advice="Name the file that the artist painted.",
        ) from error


def _require_another(order: TouchUpOrder, parent: Parent, sha256: str) -> None:
    if sha256 in {image.sha256 for image in parent.version.images}:
        raise TouchUpRefused(
            f"{order.file.name} is {parent.version.code} itself, or what it was made from: nothing "
            "was painted on it.",
            advice="Name the file that the artist saved.",
        )


def _context(parent: Parent, tools: Tools) -> LayoutContext:
    return tools.tracker().context(
        ContextRequest(
            place=parent.place,
            layout=parent.layout,
            published_file=None,
            stream=parent.stream,
            painted_over=parent.version.key,
        )
    )


def _recorded(made: MadeVersion, parent: Parent, key: str, tools: Tools) -> BackgroundVersion:
    version = parent.version
    with tools.database.begin() as connection:
        return records.save(
            connection,
            key=key,
            project=version.project,
            episode=version.episode,
            sequence=version.sequence,
            shot=version.shot,
            season=version.season,
            time=version.time,
            version=made.version_number,
            code=made.code,
            images=made.images,
            created_at=made.images[-1].created_at,
        )


def _taken_in(background: BackgroundVersion, tools: Tools, *, created: bool) -> TakenIn:
    path = tools.storage.published(PurePosixPath(background.final.path))
    change_map = path.with_name(f"{path.stem}_change.png")
    beside = (
        path.with_name(f"{path.name}.json"),
        change_map,
        path.with_suffix(MANIFEST_SUFFIX),
        path.with_suffix(XMP_SUFFIX),
    )
    return TakenIn(
        background=background,
        change=change_of(background),
        path=path,
        change_map=change_map,
        files=(path, *(file for file in beside if file.is_file())),
        created=created,
    )


def add_touch_up(connection: Connection, event: TouchUpPublished, now: datetime) -> bool:
    """
    Add a touch-up's job; a job that waits or is dead is updated from this event and runs anew.

    So is one that was a conversion, or a version by others than the event names: they are asked.
    A file that we made ourselves, or an artist's untouched copy of it, is no touch-up.

    Returns:
        False while the job runs on an earlier event: this event is to be dispatched again.
    """
    own = records.find_image(connection, sha256=event.sha256)
    if own is not None:
        log.info("own_picture_left_alone", file=str(event.file), image=own.key)
        return True
    row = touch_up_row(event, PRIORITY, now)
    if add_job(connection, row):
        return True
    here = jobs.c.key == event.key
    known = connection.execute(select(jobs).where(here)).mappings().one()
    match JobState(known["state"]):
        case JobState.RUNNING:
            return False
        case JobState.WAITING:
            changed: dict[str, object] = {}
        case _ if is_open(connection, known, event):
            changed = {
                "state": JobState.WAITING.value,
                "run": known["run"] + 1,
                "step": "",
                "progress": 0.0,
                "note": "",
                "error": "",
                "error_kind": "",
                "attempts": 0,
                "crashes": 0,
                "finished_at": None,
            }
        case _:
            return True
    updated = {name: row[name] for name in ("season", "time", "layout", "order_json", "updated_at")}
    connection.execute(update(jobs).where(here).values({**updated, **changed}))
    return True
