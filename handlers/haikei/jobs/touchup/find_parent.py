"""
Find the version that a file is painted over: by the tracker's link, the path, marks, or likeness.

The first of them that finds a version counts. Where more than one version fits, people are asked;
nothing is guessed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import structlog
from sqlalchemy import ColumnElement, Connection, and_, false, or_, select

from haikei.credits import BackgroundVersion, records
from haikei.database import backgrounds, reading
from haikei.errors import MarksUnreadable, ParentUnknown
from haikei.events import TouchUpPublished
from haikei.jobs.job import PARENT_ADVICE
from haikei.jobs.tools import Tools
from haikei.jobs.touchup.parent import compared, read_own, topmost
from haikei.provenance import FileMarks, MarksState, xmp
from haikei.provenance.formats import file_format, read_metadata
from haikei.show import Place

log = structlog.get_logger()

#: How much more alike the most alike version must be than the next one, so that it is no guess.
_CLEAR = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parentage:
    """The version that was painted over, and how that is known."""

    sha256: str  #: of its file
    code: str
    found_by: str  #: in the words of the record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """All versions of the cut to which a paint-over belongs."""

    versions: tuple[BackgroundVersion, ...]

    @property
    def latest(self) -> tuple[BackgroundVersion, ...]:
        """The highest version of each season and time."""
        found: dict[tuple[str, str], BackgroundVersion] = {}
        for one in sorted(self.versions, key=lambda one: one.version):
            found[one.season, one.time] = one
        return tuple(found.values())


_Way = Callable[[TouchUpPublished, _Cut, Tools], Parentage | None]


def find_parent(event: TouchUpPublished, tools: Tools) -> Parentage:
    """
    Return the version that was painted over.

    Raises:
        ParentUnknown: no version fits, or more than one.
        ImageUnreadable: the file is no picture, or damaged.
        StorageUnavailable: the storage is away.
    """
    with reading(tools.database) as connection:
        cut = _cut(connection, event)
    for way in _WAYS:
        found = way(event, cut, tools)
        if found is not None:
            log.info(
                "parent_found", file=str(event.file), version=found.code, found_by=found.found_by
            )
            return found
    raise ParentUnknown(_no_version_fits(event, cut), advice=PARENT_ADVICE)


def current(event: TouchUpPublished, tools: Tools) -> tuple[BackgroundVersion, ...]:
    """Return the newest version of each season and time of the cut that a paint-over is of."""
    with reading(tools.database) as connection:
        return _cut(connection, event).latest


def _by_link(event: TouchUpPublished, _cut: _Cut, tools: Tools) -> Parentage | None:
    if not event.versions:
        return None
    with reading(tools.database) as connection:
        found = _where(connection, backgrounds.c.tracker_id.in_(event.versions))
    if not found:
        return None
    row = f"PublishedFile {event.published_file}"
    return _only(found, f"found by the tracker's link of {row}", event)


def _by_path(event: TouchUpPublished, cut: _Cut, _tools: Tools) -> Parentage | None:
    if event.version is None:
        return None
    found = [
        one
        for one in cut.versions
        if one.version == event.version
        and event.season in {"", one.season}
        and event.time in {"", one.time}
    ]
    return _only(found, "found by the file's name", event) if found else None


def _by_marks(event: TouchUpPublished, cut: _Cut, tools: Tools) -> Parentage | None:
    try:
        marks = read_own(event.file, tools)
    except MarksUnreadable:
        return None
    return _by_manifest(marks, tools) or _by_xmp(marks, cut, event, tools)


def _by_manifest(marks: FileMarks, tools: Tools) -> Parentage | None:
    if marks.state not in {MarksState.TRUSTED, MarksState.UNTRUSTED}:
        return None
    # The newest step of ours is the parent; the steps below it led to that.
    for step in reversed(marks.steps):
        with reading(tools.database) as connection:
            named = _where(connection, backgrounds.c.code == step.title)
        for version in named:
            path = tools.storage.published(PurePosixPath(version.final.path))
            if path.is_file() and read_own(path, tools).steps[-1].label == step.label:
                return Parentage(
                    sha256=version.final.sha256,
                    code=version.code,
                    found_by=f"found by the C2PA marks in the file ({step.label})",
                )
    return None


def _by_xmp(marks: FileMarks, cut: _Cut, event: TouchUpPublished, tools: Tools) -> Parentage | None:
    # Paint programs without C2PA keep a picture's XMP; we wrote the title there.
    title = marks.xmp.title if marks.xmp is not None else ""
    found = [one for one in cut.versions if title and one.code == title]
    if not found:
        return None
    found_by = "found by the XMP in the file"
    # A format into which we write nothing still holds the title of what it was painted over.
    same = [one for one in cut.versions if one not in found and _title_in(one, tools) == title]
    if len(found) > 1 or not same:
        return _only(found, found_by, event)
    top = topmost(event.file, found[0], same, tools)
    if top is None:
        return _only([*found, *same], found_by, event)
    return _found(
        top, f"{found_by}, which {len(same) + 1} versions hold, and by the paint it shows"
    )


def _title_in(version: BackgroundVersion, tools: Tools) -> str:
    """Return the title in a published file that keeps its artist's XMP; else nothing."""
    path = tools.storage.published(PurePosixPath(version.final.path))
    try:
        packet = None if file_format(path).embeds else read_metadata(path).xmp
        return "" if packet is None else xmp.read(packet).title
    except MarksUnreadable as error:
        log.warning("version_not_compared", version=version.code, error=str(error))
        return ""


def _by_likeness(event: TouchUpPublished, cut: _Cut, tools: Tools) -> Parentage | None:
    if not cut.latest:
        return None
    alike = [
        (measured.similarity_ppm / 1e6, one)
        for measured, one in compared(event.file, cut.latest, tools)
    ]
    alike.sort(key=lambda pair: pair[0], reverse=True)
    good = [(share, one) for share, one in alike if share >= tools.settings.review.similarity]
    if not good:
        return None
    best, version = good[0]
    rivals = [one for share, one in alike if best - share < _CLEAR]
    found_by = f"found by what it shows: {best:.1%} of what is drawn is alike"
    return _only(rivals, found_by, event) if len(rivals) > 1 else _found(version, found_by)


_WAYS: Sequence[_Way] = (_by_link, _by_path, _by_marks, _by_likeness)


def _only(found: Sequence[BackgroundVersion], found_by: str, event: TouchUpPublished) -> Parentage:
    if len(found) == 1:
        return _found(found[0], found_by)
    codes = ", ".join(sorted(one.code for one in found))
    raise ParentUnknown(
        f"{event.file.name} may be painted over any of {codes} ({found_by}).", advice=PARENT_ADVICE
    )


def _found(version: BackgroundVersion, found_by: str) -> Parentage:
    return Parentage(sha256=version.final.sha256, code=version.code, found_by=found_by)


def _cut(connection: Connection, event: TouchUpPublished) -> _Cut:
    place = event.place
    columns = (
        backgrounds.c.project,
        backgrounds.c.episode,
        backgrounds.c.sequence,
        backgrounds.c.shot,
    )
    # Paths may spell names in another way than the tracker, whose spelling is recorded.
    here = [
        and_(*(column == name for column, name in zip(columns, row, strict=True)))
        for row in connection.execute(select(*columns).distinct())
        if place.may_be(
            Place(project=row.project, episode=row.episode, sequence=row.sequence, shot=row.shot)
        )
    ]
    return _Cut(versions=_where(connection, or_(false(), *here)))


def _where(connection: Connection, condition: ColumnElement[bool]) -> tuple[BackgroundVersion, ...]:
    query = select(backgrounds.c.key).where(condition).order_by(backgrounds.c.created_at)
    keys = connection.execute(query).scalars().all()
    found = (records.background(connection, key) for key in keys)
    return tuple(one for one in found if one is not None)


def _no_version_fits(event: TouchUpPublished, cut: _Cut) -> str:
    if not cut.versions:
        return f"{event.file.name} is called a touch-up, but {event.place.name} has no background."
    return (
        f"Nothing tells which version of {event.place.name} {event.file.name} is painted over: "
        "no link in the tracker, no version in its name, no marks of ours in the file, and the "
        "picture is not like any current version."
    )
