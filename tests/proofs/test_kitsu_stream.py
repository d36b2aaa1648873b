"""Kitsu's event stream is a doorbell: it may ring, be killed and come back, and nothing is lost."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from haikei.database import events, open_database, reading
from haikei.settings import Settings
from haikei.sources.eventlog import Follower
from haikei.storage import Storage
from haikei.trackers.kitsu import KitsuTracker
from support.clocks import eventually
from support.kitsu import event_server, running_kitsu
from support.kitsu_bench import KitsuBench
from support.pictures import png_bytes
from support.watching import poll_all

AN_HOUR = 3600.0


class Studio:
    """A studio that follows a real Kitsu, in threads of this process."""

    def __init__(self, bench: KitsuBench, events_url: str) -> None:
        self.bench = bench
        self._events_url = events_url
        self._database = open_database(bench.settings.database_url)
        self._published: list[str] = []
        first = self._follower(self._settings(poll=1.0))
        poll_all(first)
        first.close()

    @contextmanager
    def following(self, *, poll: float) -> Generator[None]:
        """Follow while the block runs, with a tracker of its own as a process would have."""
        follower = self._follower(self._settings(poll=poll))
        stop = threading.Event()
        thread = threading.Thread(target=follower.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def publish(self, count: int) -> None:
        """Publish layouts, each of its own content."""
        for _ in range(count):
            name = f"c001_bg_v{len(self._published) + 10:03d}.png"
            self.bench.publish_file(self.bench.files.layout(name, png_bytes(name)).path)
            self._published.append(name)

    def all_announced(self) -> bool:
        """Tell whether each layout was announced, and fail when one was twice."""
        with reading(self._database) as connection:
            found = list(connection.execute(select(events.c.payload)).scalars())
        times = {name: sum(name in one for one in found) for name in self._published}
        assert max(times.values(), default=0) <= 1, times
        return len(found) == len(self._published) and all(times.values())

    def close(self) -> None:
        self._database.dispose()

    def _settings(self, *, poll: float) -> Settings:
        given = self.bench.settings.model_dump()
        given["tracker"] |= {"events_url": self._events_url, "projects": (self.bench.files.name,)}
        given["events"] |= {"poll": poll, "reconcile_every": 10 * AN_HOUR}
        return Settings.model_validate(given)

    def _follower(self, settings: Settings) -> Follower:
        tracker = KitsuTracker(settings, self.bench.key)
        feed, bell = tracker.parts.feed, tracker.parts.doorbell
        assert feed is not None
        return Follower(settings, self._database, feed, Storage(settings), doorbell=bell)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[KitsuBench]:
    made = KitsuBench(running_kitsu(), tmp_path)
    yield made
    made.close()


@pytest.mark.timeout(600)
def test_no_layout_is_lost_or_told_twice_when_the_event_server_is_killed(bench: KitsuBench) -> None:
    threads = threading.active_count()
    with event_server(running_kitsu()) as stream, capture_logs() as logs:
        studio = Studio(bench, stream.url)

        def said(name: str) -> int:
            return sum(line["event"] == name for line in logs)

        # Nobody looks within an hour: only the stream can have told.
        with studio.following(poll=AN_HOUR):
            eventually(lambda: said("event_stream_heard") == 1)
            studio.publish(3)
            eventually(studio.all_announced)
            publishing = threading.Thread(target=studio.publish, args=(6,))
            publishing.start()
            stream.kill()
            publishing.join()
            eventually(lambda: said("event_stream_away") == 1)
            assert bench.opened_with(events_url=stream.url).check()[-1].ok is False
            stream.start()
            eventually(lambda: said("event_stream_heard") == 2)
            eventually(studio.all_announced)
            studio.publish(3)
            eventually(studio.all_announced)
        stream.kill()
        # Without the stream the log is polled as before.
        with studio.following(poll=0.5):
            studio.publish(2)
            eventually(studio.all_announced)
            eventually(lambda: said("event_stream_away") == 2)
        studio.close()
    eventually(lambda: threading.active_count() == threads)
