"""Dailies: a playlist a day and show, finished with contact sheets and a summary."""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path

import structlog
from sqlalchemy import Engine

from haikei.credits import BackgroundVersion, records
from haikei.dailies.summary import (
    Daily,
    DailyVersion,
    DayLinks,
    ShownState,
    assign,
    close,
    closing,
    day_at,
    has_new,
    mark,
    open_dailies,
    shown,
    summarize,
    write_sheets,
)
from haikei.database import reading
from haikei.errors import HaikeiError
from haikei.jobs.engine.recovery import Locks, open_locks
from haikei.review.replies import answer
from haikei.settings import Settings
from haikei.show import Row
from haikei.trackers import NoteWrite, Part, PlaylistRequest, Tracker, load_tracker, needed

log = structlog.get_logger()

#: Seconds between two looks for new versions.
LOOK = 15.0
#: Seconds before a day that failed is tried again, doubled up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 900.0
_LOCK = "dailies"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Playlist:
    """A playlist as it stands in the tracker."""

    row: Row
    project: Row
    keys: frozenset[str]  #: of our versions that it shows


class Dailies:
    """
    Collects dailies; of many processes one at a time.

    Args:
        settings: the studio's.
        database: the studio's own.
        open_tracker: makes this thread's adapter; by default that of the studio's tracker.
        zone: the studio's time zone; by default this machine's.
    """

    def __init__(
        self,
        settings: Settings,
        database: Engine,
        *,
        open_tracker: Callable[[Settings], Tracker] = load_tracker,
        zone: tzinfo | None = None,
    ) -> None:
        self._settings = settings
        self._wanted = settings.review.dailies
        self._database = database
        self._open_tracker = open_tracker
        self._zone = zone
        self._opened: Tracker | None = None
        self._locks: Locks | None = None
        self._look_at: datetime | None = None
        self._resting: dict[Daily, tuple[int, datetime]] = {}

    def tick(self, now: datetime) -> int:
        """
        Do what is due; return how many versions were added and days finished.

        A version gets its day when it is first seen here, once and for good. What then follows
        can be cut anywhere and is done again: the tracker makes a playlist, an attachment and a
        Note once for each key.
        """
        if not self._wanted.enabled or (self._look_at is not None and now < self._look_at):
            return 0
        self._look_at = now + timedelta(seconds=LOOK)
        if self._locks is None:
            self._locks = open_locks(
                self._settings.database_url, self._settings.studio.state / "locks"
            )
        with self._locks.borrowed(_LOCK) as ours:
            return self._do(now) if ours else 0

    def close(self) -> None:
        """Close this thread's connections."""
        if self._opened is not None:
            self._opened.close()
        if self._locks is not None:
            self._locks.release()
        self._opened = self._locks = None

    def _do(self, now: datetime) -> int:
        with reading(self._database) as connection:
            new = has_new(connection, now)
        if new:
            day = day_at(now, self._wanted.close_at, self._zone)
            with self._database.begin() as connection:
                assign(connection, now, day, self._name)
        with reading(self._database) as connection:
            days = open_dailies(connection)
        done = 0
        for daily in days:
            attempts, until = self._resting.get(daily, (0, now))
            if until > now:
                continue
            try:
                done += self._go_on(daily, now)
            except HaikeiError as error:
                log.warning("dailies_failed", playlist=daily.name, error=str(error))
                pause = error.retry_after or min(
                    FIRST_PAUSE * 2 ** min(attempts, 20), LONGEST_PAUSE
                )
                self._resting[daily] = (attempts + 1, now + timedelta(seconds=pause))
            else:
                self._resting.pop(daily, None)
        return done

    def _go_on(self, daily: Daily, now: datetime) -> int:
        with reading(self._database) as connection:
            versions = shown(connection, daily)
        waiting = [one.key for one in versions if one.state is ShownState.WAITING]
        over = now >= closing(daily.day, self._wanted.close_at, self._zone)
        if not waiting and not over:
            return 0
        # Once more at the end: somebody may have deleted a version, or the playlist itself.
        playlist = self._collect(daily, versions)
        there = playlist.keys if playlist else frozenset[str]()
        with self._database.begin() as connection:
            mark(connection, [key for key in waiting if key in there], ShownState.SHOWN)
            gone = [one.key for one in versions if one.key not in there]
            mark(connection, gone, ShownState.GONE)
        if over:
            todays = [one.key for one in versions if one.day == daily.day and one.key in there]
            self._finish(daily, playlist, todays, now)
        return len(waiting) + over

    def _collect(self, daily: Daily, versions: Sequence[DailyVersion]) -> _Playlist | None:
        """Bring the playlist up to date; None when no version is left that it could show."""
        desk = needed(self._tracker.parts.review, self._tracker, Part.REVIEW)
        # One version that was deleted there would have the site refuse all the others.
        ids = [one.tracker_id for one in versions if one.state is not ShownState.GONE]
        seen = {one.version.id: one for one in desk.look(ids)} if ids else {}
        there = [one for one in versions if one.tracker_id in seen]
        if not there:
            return None
        project = seen[there[0].tracker_id].project
        # Playlists of one name are one playlist.
        words = f"{daily.project}\0{daily.name}"
        request = PlaylistRequest(
            project=project,
            name=daily.name,
            versions=tuple(one.tracker_id for one in there),
            key=f"dailies/{hashlib.sha256(words.encode()).hexdigest()[:32]}",
        )
        playlists = needed(self._tracker.parts.playlists, self._tracker, Part.PLAYLISTS)
        row = playlists.collect(request)
        log.info("playlist_collected", playlist=daily.name, versions=len(there))
        return _Playlist(row=row, project=project, keys=frozenset(one.key for one in there))

    def _finish(
        self, daily: Daily, playlist: _Playlist | None, keys: Sequence[str], now: datetime
    ) -> None:
        versions = self._versions(keys)
        if playlist is not None and versions:
            self._attach_sheets(daily, playlist, versions)
        # The Note is written by the reviewer, for as long as it takes; asking for it and the end
        # of the day are one.
        with self._database.begin() as connection:
            close(connection, daily, now)
            if playlist is not None and versions and self._wanted.note:
                summary = summarize(
                    connection, daily.project, daily.name, versions, self._links(playlist)
                )
                note = NoteWrite(
                    key=f"dailies/{daily.project}/{daily.day.isoformat()}",
                    project=playlist.project,
                    links=(playlist.row,),
                    subject=summary.subject,
                    text=summary.text,
                    to=self._wanted.supervisors,
                )
                answer(connection, note, now)
        log.info("dailies_finished", playlist=daily.name, versions=len(versions))

    def _attach_sheets(
        self, daily: Daily, playlist: _Playlist, versions: Sequence[BackgroundVersion]
    ) -> None:
        playlists = needed(self._tracker.parts.playlists, self._tracker, Part.PLAYLISTS)
        with tempfile.TemporaryDirectory(prefix="haikei-dailies-") as folder:
            day = daily.day.isoformat()
            for sheet in write_sheets(self._settings, versions, day, Path(folder)):
                playlists.attach(playlist.row, sheet, sheet.name)
                sheet.unlink()

    def _versions(self, keys: Sequence[str]) -> list[BackgroundVersion]:
        with reading(self._database) as connection:
            found = (records.background(connection, key) for key in keys)
            return [version for version in found if version is not None]

    @property
    def _tracker(self) -> Tracker:
        if self._opened is None:
            self._opened = self._open_tracker(self._settings)
        return self._opened

    def _links(self, playlist: _Playlist) -> DayLinks:
        web = self._settings.web
        pages = str(web.url) if web.enabled and web.url is not None else ""
        return DayLinks(playlist=self._tracker.address(playlist.row), pages=pages)

    def _name(self, project: str, day: date) -> str:
        # Not str.format: a show's own braces are no fields.
        name = self._wanted.name.replace("{date}", day.isoformat())
        return name.replace("{project}", project)[:255]
