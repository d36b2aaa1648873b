"""Trouble of the whole studio is told once an episode, and monitors may ask for it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, update

from haikei.database import feed_cursors, jobs, notices
from haikei.notify import NoticeKind
from haikei.processes import Condition, HealthWatch, Readying
from haikei.processes.status import GRACE
from haikei.settings import Settings
from haikei.sources.watch import Watcher
from support.jobs import announce, put_layout, studio_database, studio_settings
from support.web import web_of

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Studio:
    """A studio that somebody watches, and what is told of it."""

    settings: Settings
    database: Engine
    watch: HealthWatch

    def job(self, key: str, state: str, at: datetime, **values: object) -> None:
        """Put a job there as it was at that moment."""
        ended = at if state in {"dead", "done"} else None
        row = {"key": key, "event_key": key, "state": state, "created_at": at, "updated_at": at}
        with self.database.begin() as connection:
            connection.execute(insert(jobs).values(**row, finished_at=ended, **values))

    def heard(self, feed: str, at: datetime) -> None:
        """Note when a source was read."""
        row = {"feed": feed, "frontier": 0, "clock": 0.0, "since": at, "updated_at": at}
        with self.database.begin() as connection:
            connection.execute(feed_cursors.delete().where(feed_cursors.c.feed == feed))
            connection.execute(insert(feed_cursors).values(**row))

    def all_heard(self, at: datetime) -> None:
        """Note that every source was just read."""
        for feed in ("http://tracker.test", "review", "watch"):
            self.heard(feed, at)

    @property
    def told(self) -> list[str]:
        """The texts of all notices of trouble."""
        query = select(notices.c.text).where(notices.c.kind == NoticeKind.TROUBLE.value)
        with self.database.connect() as connection:
            return list(connection.execute(query.order_by(notices.c.noted_at)).scalars())


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    folders = {"folders": [{"path": str(tmp_path / "root"), "template": "{project}/{shot}.{ext}"}]}
    settings = studio_settings(tmp_path, watch=folders, events={"enabled": True})
    database = studio_database(settings)
    yield Studio(settings, database, HealthWatch(settings, database, started=NOON))
    database.dispose()


def test_a_standstill_is_told_once_until_something_moves(studio: Studio) -> None:
    studio.job("one", "waiting", NOON)
    for minute in range(3, 60):
        studio.all_heard(NOON + minute * MINUTE)
        studio.watch.tick(NOON + minute * MINUTE)
    (told,) = studio.told
    assert "nothing moves" in told
    assert "2026-11-22 12:00 UTC" in told

    moved = NOON + 60 * MINUTE
    with studio.database.begin() as connection:
        connection.execute(update(jobs).values(updated_at=moved))
    for minute in range(60, 90):
        studio.all_heard(NOON + minute * MINUTE)
        studio.watch.tick(NOON + minute * MINUTE)

    assert len(studio.told) == 2


def test_another_process_and_another_start_tell_nothing_twice(studio: Studio) -> None:
    studio.job("one", "waiting", NOON)
    for start in (NOON, NOON, NOON + 60 * MINUTE):
        watch = HealthWatch(studio.settings, studio.database, started=start)
        studio.all_heard(start + 30 * MINUTE)
        assert watch.tick(start + 30 * MINUTE) == 1

    assert len(studio.told) == 1


def test_what_stood_still_while_nothing_ran_gets_the_time_to_move(studio: Studio) -> None:
    studio.job("one", "waiting", NOON - timedelta(days=2))
    studio.all_heard(NOON - timedelta(days=2))

    assert studio.watch.tick(NOON + GRACE / 2) == 0
    assert studio.told == []
    assert studio.watch.tick(NOON + GRACE) > 0


def test_a_layout_that_nobody_makes_jobs_of_is_a_standstill(studio: Studio) -> None:
    announce(studio.database, put_layout(studio.settings))
    later = datetime.now(UTC) + timedelta(hours=1)
    studio.all_heard(later)

    studio.watch.tick(later)

    assert ["nothing moves" in text for text in studio.told] == [True]


def test_idle_is_no_standstill(studio: Studio) -> None:
    studio.job("one", "done", NOON)
    studio.all_heard(NOON + 600 * MINUTE)

    assert studio.watch.tick(NOON + 600 * MINUTE) == 0


@pytest.mark.parametrize(
    ("step", "kind", "lane"),
    [
        ("generate", "GenerationError", "generate"),
        ("integrate", "TrackerRejected", "steps"),
        ("take_in", "StorageError", "steps"),
        ("validate", "SheetBlank", None),
        ("collect", "PlaceUnknown", None),
        ("detect", "PolicyRefusal", None),
        ("take_in", "PainterDisputed", None),
    ],
)
def test_a_lane_in_which_job_after_job_dies_is_told_and_a_refused_file_is_not(
    studio: Studio, step: str, kind: str, lane: str | None
) -> None:
    studio.job("good", "done", NOON)
    studio.all_heard(NOON + 5 * MINUTE)
    for number in range(5):
        assert studio.told == []
        studio.job(f"bad{number}", "dead", NOON + MINUTE, step=step, error_kind=kind)
        studio.watch.tick(NOON + (number + 5) * MINUTE)
    studio.job("bad5", "dead", NOON + MINUTE, step=step, error_kind=kind)
    studio.watch.tick(NOON + 12 * MINUTE)

    assert [f"lane {lane} fails" in text for text in studio.told] == ([True] if lane else [])
    studio.job("good again", "done", NOON + 20 * MINUTE)
    studio.all_heard(NOON + 20 * MINUTE)
    assert studio.watch.tick(NOON + 20 * MINUTE) == 0


@pytest.mark.parametrize(
    ("feed", "name"), [("http://tracker.test", "events"), ("watch", "watch"), ("review", "review")]
)
def test_a_source_that_lags_is_told_once(studio: Studio, feed: str, name: str) -> None:
    for minute in range(3, 60):
        studio.all_heard(NOON + minute * MINUTE)
        studio.heard(feed, NOON)
        studio.watch.tick(NOON + minute * MINUTE)

    assert [f"source {name} lags" in text for text in studio.told] == [True]


def test_a_source_that_was_never_read_lags_once_it_had_the_time(studio: Studio) -> None:
    studio.heard("review", NOON + 20 * MINUTE)
    studio.heard("watch", NOON + 20 * MINUTE)

    assert studio.watch.tick(NOON + 10 * MINUTE) == 0
    assert studio.watch.tick(NOON + 20 * MINUTE) == 1
    assert "source events lags: it could not be read so far" in studio.told[0]


def test_the_watcher_is_heard_of_when_it_has_walked_every_folder(studio: Studio) -> None:
    walked = select(feed_cursors.c.updated_at).where(feed_cursors.c.feed == "watch")
    root = studio.settings.storage.roots[0].path
    away = root.rename(root.with_name("elsewhere"))
    Watcher(studio.settings, studio.database).scan_once()
    with studio.database.connect() as connection:
        assert connection.execute(walked).scalar() is None
    away.rename(root)

    for _ in range(2):
        Watcher(studio.settings, studio.database).scan_once()

    with studio.database.connect() as connection:
        assert connection.execute(walked).scalar() is not None


def test_readiness_is_measured_anew_only_after_a_moment(studio: Studio) -> None:
    readying = Readying(studio.settings, studio.database)
    assert readying.ask().condition is Condition.OK
    shutil.rmtree(studio.settings.storage.roots[0].path)

    assert readying.ask().condition is Condition.OK


def test_monitors_are_told_without_signing_in_and_without_a_name(tmp_path: Path) -> None:
    with web_of(tmp_path, web={"host": "0.0.0.0"}) as web:
        web.client.cookies.clear()
        alive, ready = web.client.get("/healthz"), web.client.get("/readyz")

        assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
        assert ready.status_code == 200
        assert ready.json()["checks"]["queue"] == "ok"
        assert ready.headers["cache-control"] == "no-store"
        shown = json.dumps(ready.json())
        assert not {web.settings.studio.name, str(tmp_path), "PORT"} & set(shown.split('"'))


def test_a_standstill_degrades_and_only_a_strict_monitor_is_refused(tmp_path: Path) -> None:
    with web_of(tmp_path) as web:
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        row = {"key": "a", "event_key": "a", "state": "waiting"}
        with web.database.begin() as connection:
            connection.execute(insert(jobs).values(**row, created_at=long_ago, updated_at=long_ago))

        answer = web.client.get("/readyz")

        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["checks"]["queue"] == "standstill"
        assert web.client.get("/readyz?strict=1").status_code == 503


def test_storage_and_a_database_that_are_away_are_unavailable(tmp_path: Path) -> None:
    with web_of(tmp_path) as web:
        shutil.rmtree(web.settings.storage.roots[0].path)
        answer = web.client.get("/readyz")
        assert (answer.status_code, answer.json()["checks"]["storage"]) == (503, "away")
        with web.database.begin() as connection:
            jobs.drop(connection)

        found = Readying(web.settings, web.database).ask()

        assert (found.condition, dict(found.checks)) == (
            Condition.UNAVAILABLE,
            {"database": "away"},
        )
        assert web.client.get("/healthz").status_code == 200
