"""
The summary Note and the contact sheets of a day, in English and Japanese, of the versions shown.

A day ends at its close, and a restart makes nothing twice.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, exists, func, insert, select, update

from haikei.credits import BackgroundVersion
from haikei.database import backgrounds, dailies, daily_versions, inserting, jobs, review_notes
from haikei.decisions import ReviewState
from haikei.images import SheetRow, write_sheet
from haikei.jobs.job import JobKind, JobState
from haikei.jobs.page_inputs import published_files
from haikei.jobs.table import order_of
from haikei.jobs.touchup.ask import open_questions
from haikei.review.notes import NoteState
from haikei.settings import Settings
from haikei.texts import REVIEW_STATES, variant_text

#: Lines of one list that are written out.
LISTED = 40
#: Jobs that carry out an order: neither paint-overs nor refused files.
_GENERATED = (jobs.c.kind == JobKind.BACKGROUND.value) & (jobs.c.order_json != "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a day came to."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayLinks:
    """Where a person looks further."""

    playlist: str
    pages: str  #: Haikei's own; empty when nobody but this machine reaches them


def summarize(
    connection: Connection,
    project: str,
    name: str,
    versions: Sequence[BackgroundVersion],
    links: DayLinks,
) -> Summary:
    """
    Return the summary of a day.

    Args:
        connection: to the studio's database.
        project: the show.
        name: the playlist's.
        versions: what the day showed, in cut order.
        links: where to look further.
    """
    states = Counter(version.state for version in versions)
    retakes = _retakes(connection, [version.key for version in versions])
    lines = [
        f"{str(text).capitalize()}: {states[ReviewState(state)]}"
        for state, text in REVIEW_STATES.items()
        if states[ReviewState(state)]
    ]
    lines += ["", "New versions (新しいバージョン):"]
    lines += _listed([_line(version, retakes) for version in versions])
    if making := _being_made(connection, project):
        lines += ["", f"Retakes being made (作成中のリテイク): {making}"]
    if questions := _questions(connection, project):
        lines += ["", "A person must decide (ご判断ください):", *_listed(questions)]
    if asked := open_questions(connection, project):
        touch_ups = [f"- {one.text} {one.url}".rstrip() for one in asked]
        lines += ["", "Touch-ups that wait for an answer (加筆元をご確認ください):"]
        lines += _listed(touch_ups)
    lines += ["", f"Playlist: {links.playlist}"]
    if links.pages:
        lines.append(f"Haikei: {links.pages}")
    count = len(versions)
    return Summary(
        subject=f"{name}: {count} new version{'' if count == 1 else 's'}", text="\n".join(lines)
    )


def _line(version: BackgroundVersion, retakes: Mapping[str, str]) -> str:
    retake = f", retake of (リテイク元) {retakes[version.key]}" if version.key in retakes else ""
    return f"- {version.code}{retake} {version.url}".rstrip()


def _listed(lines: Sequence[str]) -> list[str]:
    if len(lines) <= LISTED:
        return list(lines)
    return [*lines[:LISTED], f"and {len(lines) - LISTED} more"]


def _retakes(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Return the names of the versions that retakes were made of, by the retakes' keys."""
    rows = connection.execute(
        select(jobs.c.key, jobs.c.order_json).where(jobs.c.key.in_(keys), _GENERATED)
    )
    orders = {row.key: order_of(row.order_json).retake for row in rows}
    return {key: order.parent_version_code for key, order in orders.items() if order is not None}


def _being_made(connection: Connection, project: str) -> int:
    unfinished = [JobState.WAITING.value, JobState.RUNNING.value]
    query = select(jobs.c.order_json).where(
        jobs.c.project == project, jobs.c.state.in_(unfinished), _GENERATED
    )
    return sum(order_of(text).retake is not None for text in connection.execute(query).scalars())


def _questions(connection: Connection, project: str) -> list[str]:
    """Return the versions that are not decided and on which a person was asked something."""
    open_states = [state.value for state in ReviewState if state.is_open]
    version = backgrounds.c
    query = (
        select(version.code, func.max(version.url).label("url"))
        .join(review_notes, review_notes.c.background_key == version.key)
        .where(
            version.project == project,
            version.state.in_(open_states),
            review_notes.c.state == NoteState.ASKED.value,
        )
        .group_by(version.code)
        .order_by(version.code)
    )
    return [f"- {row.code} {row.url}".rstrip() for row in connection.execute(query)]


COLUMNS, LINES, CELL_WIDTH = 3, 8, 320


def write_sheets(
    settings: Settings, versions: Sequence[BackgroundVersion], day: str, folder: Path
) -> Iterator[Path]:
    """
    Write as many JPEG sheets as the versions need, one at a time.

    Args:
        settings: where published files stand.
        versions: in the order in which they are watched.
        day: names the files.
        folder: where to.

    Raises:
        StorageUnavailable: the disk does not take a sheet.
    """
    find = published_files(settings)
    root = settings.storage.roots[0].path
    size = COLUMNS * LINES
    for start in range(0, len(versions), size):
        rows = [
            SheetRow(
                title=version.code,
                caption=f"{variant_text(version.season, version.time).en} · "
                f"{REVIEW_STATES[version.state].en}",
                pictures=tuple(
                    find(image.path) or root / image.path
                    for image in (version.images[0], version.final)
                ),
            )
            for version in versions[start : start + size]
        ]
        number = f" {start // size + 1}" if len(versions) > size else ""
        path = folder / f"Contact sheet {day}{number}.jpg"
        write_sheet(rows, path, columns=min(COLUMNS, len(rows)), cell_width=CELL_WIDTH)
        yield path


_DAY = timedelta(days=1)


def closing(day: date, close_at: str, zone: tzinfo | None = None) -> datetime:
    """
    Return the moment at which a day is finished, in UTC.

    Where clocks are set, an hour that comes twice means the first one, and one that never comes
    means as long after midnight as it would have been.

    Args:
        day: the local date.
        close_at: local time, such as `18:00`.
        zone: the studio's; by default this machine's.
    """
    local = datetime.combine(day, time.fromisoformat(close_at), tzinfo=zone)
    # Without a zone, Python takes this machine's.
    return local.astimezone(UTC)


def day_at(now: datetime, close_at: str, zone: tzinfo | None = None) -> date:
    """Return the day on which a version that arrives now is shown: after the close, tomorrow."""
    today = now.astimezone(zone).date()
    return today if now < closing(today, close_at, zone) else today + _DAY


def next_day(day: date) -> date:
    """Return the day after."""
    return day + _DAY


#: Versions that are older than this when they are first seen here are not new to anybody.
NEW = timedelta(days=14)
_daily = dailies.c
_shown = daily_versions.c
_version = backgrounds.c


class ShownState(StrEnum):
    """Whether a version's playlist shows it."""

    WAITING = "waiting"
    SHOWN = "shown"
    GONE = "gone"  #: the tracker has no such version any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """One day of one show."""

    project: str
    day: date
    name: str  #: the playlist's


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyVersion:
    """A version and the day on which it is shown."""

    key: str  #: the background's
    tracker_id: int
    day: date
    state: ShownState


def assign(
    connection: Connection, now: datetime, day: date, name: Callable[[str, date], str]
) -> int:
    """
    Give every new version its day, once and for good; return how many there were.

    Args:
        connection: to the studio's database.
        now: the present moment.
        day: the one that is open now.
        name: makes a playlist's name of a project's and a date.
    """
    found = _new(connection, now)
    days = {project: _open_day(connection, project, day) for project in {one for _, one in found}}
    for project, open_day in days.items():
        connection.execute(
            inserting(connection, dailies).on_conflict_do_nothing(
                index_elements=["project", "day"]
            ),
            {"project": project, "day": open_day.isoformat(), "name": name(project, open_day)},
        )
    if found:
        values = [
            {
                "background_key": key,
                "project": project,
                "day": days[project].isoformat(),
                "state": ShownState.WAITING.value,
            }
            for key, project in found
        ]
        connection.execute(insert(daily_versions), values)
    return len(found)


def has_new(connection: Connection, now: datetime) -> bool:
    """Tell whether `assign` would find something, without asking to write."""
    return bool(_new(connection, now, limit=1))


def open_dailies(connection: Connection) -> tuple[Daily, ...]:
    """Return the days that are not finished, the earliest first."""
    query = select(dailies).where(_daily.closed_at.is_(None)).order_by(_daily.day, _daily.project)
    return tuple(
        Daily(project=row.project, day=date.fromisoformat(row.day), name=row.name)
        for row in connection.execute(query)
    )


def shown(connection: Connection, daily: Daily) -> Sequence[DailyVersion]:
    """
    Return the versions of a day's playlist in cut order: sequence, shot, season, time, version.

    Days whose playlists have the same name share one, and so their versions.
    """
    days = select(_daily.day).where(_daily.project == daily.project, _daily.name == daily.name)
    query = (
        select(daily_versions, _version.tracker_id)
        .join(backgrounds, _version.key == _shown.background_key)
        .where(_shown.project == daily.project, _shown.day.in_(days))
        .order_by(
            _version.sequence, _version.shot, _version.season, _version.time, _version.version
        )
    )
    return [
        DailyVersion(
            key=row.background_key,
            tracker_id=row.tracker_id,
            day=date.fromisoformat(row.day),
            state=ShownState(row.state),
        )
        for row in connection.execute(query)
    ]


def mark(connection: Connection, keys: Collection[str], state: ShownState) -> None:
    """Note whether these versions are in their playlist."""
    if keys:
        connection.execute(
            update(daily_versions)
            .where(_shown.background_key.in_(list(keys)))
            .values(state=state.value)
        )


def close(connection: Connection, daily: Daily, now: datetime) -> None:
    """Finish a day: no version gets it any more."""
    here = _daily.project == daily.project, _daily.day == daily.day.isoformat()
    connection.execute(update(dailies).where(*here).values(closed_at=now))


def _new(
    connection: Connection, now: datetime, *, limit: int | None = None
) -> list[tuple[str, str]]:
    """Return the keys and projects of versions that have no day."""
    query = select(_version.key, _version.project).where(
        _version.tracker_id.is_not(None),
        _version.created_at > now - NEW,
        ~exists().where(_shown.background_key == _version.key),
    )
    rows = connection.execute(query.order_by(_version.key).limit(limit))
    return [(row.key, row.project) for row in rows]


def _open_day(connection: Connection, project: str, day: date) -> date:
    # A clock that was set back, or a close that was set later, does not open a day again.
    closed = select(_daily.day).where(
        _daily.project == project, _daily.closed_at.is_not(None), _daily.day >= day.isoformat()
    )
    taken = set(connection.execute(closed).scalars())
    while day.isoformat() in taken:
        day = next_day(day)
    return day
