"""
Which versions each day shows; a day ends at its close, and a restart makes nothing
twice.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy import Connection, exists, insert, select, update

from haikei.database import backgrounds, dailies, daily_versions, inserting

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
