"""The follower announces each layout that the event log tells of, once."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from haikei.database import utc_now
from haikei.errors import HaikeiError, TrackerRejected, TrackerUnavailable
from haikei.events import LayoutPublished, Source
from haikei.images import Inspector
from haikei.jobs import receive
from haikei.show import Place
from haikei.storage import Storage
from haikei.trackers import EventKind
from support.clocks import eventually
from support.watching import FollowingStudio, following_studio, poll_all

PATIENCE = 300.0


@pytest.fixture(scope="module")
def inspector() -> Generator[Inspector]:
    with Inspector() as one:
        yield one


@pytest.fixture
def studio(tmp_path: Path, inspector: Inspector) -> Generator[FollowingStudio]:
    with following_studio(tmp_path, inspector=inspector) as one:
        yield one


def publish(studio: FollowingStudio, shot: str, *, hidden: bool = False) -> Path:
    path = studio.draw(shot)
    studio.feed.of_shot(str(path), hidden=hidden)
    return path


def test_a_published_layout_is_announced_once(studio: FollowingStudio) -> None:
    follower = studio.follower()
    poll_all(follower)
    publish(studio, "c001")

    results = [*poll_all(follower), *poll_all(follower), *poll_all(studio.follower())]

    assert sum(result.layouts for result in results) == 1
    assert len(studio.announced()) == 1
    assert studio.sources() == ["event_log"]


def test_the_event_is_the_one_that_a_watcher_makes_of_the_same_file(
    studio: FollowingStudio,
) -> None:
    path = studio.draw("c001")
    sha256 = studio.inspector.inspect([path])[0].sha256
    placed = Storage(studio.settings).place_of(path)
    assert placed is not None
    seen = LayoutPublished(
        place=placed.place,
        layout=path,
        sha256=sha256,
        name=placed.name,
        version=placed.version,
        published_file=None,
        source=Source.WATCH,
        at=utc_now(),
    )
    with studio.database.begin() as connection:
        receive(connection, seen)
    studio.feed.of_shot(str(path), shot="c001")

    poll_all(studio.follower())

    assert studio.announced() == [seen.key]


def test_two_rows_of_one_file_make_one_announcement(studio: FollowingStudio) -> None:
    path = publish(studio, "c001")
    studio.feed.of_shot(str(path))

    poll_all(studio.follower())

    assert len(studio.announced()) == 1


def test_the_first_start_is_at_the_newest_event_less_the_overlap(studio: FollowingStudio) -> None:
    now = utc_now()
    studio.feed.of_shot(str(studio.draw("c001")), at=now - timedelta(hours=2))
    for minute in range(700, 5, -1):
        studio.feed.write(at=now - timedelta(seconds=10 * minute))
    studio.feed.of_shot(str(studio.draw("c002")), at=now - timedelta(seconds=400))
    studio.feed.of_shot(str(studio.draw("c003")), at=now - timedelta(seconds=200))
    studio.feed.write(at=now)

    poll_all(studio.follower())
    studio.follower().reconcile()
    poll_all(studio.follower())

    assert len(studio.announced()) == 1


def test_the_first_start_on_a_long_log_reads_little_of_it(studio: FollowingStudio) -> None:
    now = utc_now()
    for index in range(20_000, 0, -1):
        studio.feed.write(at=now - timedelta(seconds=index))
    publish(studio, "c001")

    events = sum(result.events for result in poll_all(studio.follower()))

    assert 300 <= events <= 2500
    assert len(studio.announced()) == 1


def test_an_event_that_appears_late_is_read_and_its_neighbours_are_not_read_again(
    studio: FollowingStudio,
) -> None:
    follower = studio.follower()
    studio.feed.write()
    publish(studio, "c001", hidden=True)
    publish(studio, "c002")
    publish(studio, "c003", hidden=True)
    studio.feed.write()
    assert poll_all(follower)[-1].gaps == 2

    studio.feed.show(studio.feed.hidden[0])
    result = poll_all(follower)[-1]

    assert (result.events, result.layouts, result.gaps) == (1, 1, 1)
    assert len(studio.announced()) == 2


def test_a_missing_id_is_given_up_and_the_layout_found_by_query(studio: FollowingStudio) -> None:
    follower = studio.follower()
    publish(studio, "c001", hidden=True)
    studio.feed.write()
    poll_all(follower)
    for _ in range(15):
        studio.now += 25
        poll_all(follower)
    studio.feed.show(studio.feed.hidden[0])
    assert poll_all(follower)[-1].gaps == 0
    assert poll_all(follower)[-1].events == 0

    assert follower.reconcile() == 1
    poll_all(follower)

    assert studio.sources() == ["reconciliation"]
    assert follower.reconcile() == 0


def test_a_deadline_does_not_pass_while_the_site_is_away(studio: FollowingStudio) -> None:
    follower = studio.follower()
    publish(studio, "c001", hidden=True)
    studio.feed.write()
    poll_all(follower)

    def away(_: str) -> None:
        raise TrackerUnavailable("The site is away.")

    for _ in range(50):
        studio.feed.before_each_call = away
        studio.now += PATIENCE
        with pytest.raises(TrackerUnavailable):
            follower.poll_once()
        studio.feed.before_each_call = lambda _: None
        studio.now += PATIENCE
        assert poll_all(follower)[-1].gaps == 1

    studio.feed.show(studio.feed.hidden[0])
    poll_all(follower)
    assert len(studio.announced()) == 1


def test_many_gaps_cost_each_poll_few_calls_and_are_all_read(studio: FollowingStudio) -> None:
    follower = studio.follower()
    layouts = []
    for index in range(12):
        layouts.append(publish(studio, f"c{index:03d}", hidden=True))
        for _ in range(600):
            studio.feed.write()
    poll_all(follower)
    for event in studio.feed.hidden:
        studio.feed.show(event)
    studio.feed.calls.clear()
    follower.poll_once()

    assert len(studio.feed.calls) <= 6
    for _ in range(6):
        poll_all(follower)
    assert len(studio.announced()) == len(layouts)


@pytest.mark.parametrize("kind", EventKind)
def test_only_events_that_can_complete_a_layout_have_it_read(
    studio: FollowingStudio, kind: EventKind
) -> None:
    row = studio.feed.of_shot(str(studio.draw("c001")), silent=True)
    studio.feed.write(kind, row=row)

    poll_all(studio.follower())

    of_files = {EventKind.FILE_PUBLISHED, EventKind.FILE_CHANGED}
    assert len(studio.announced()) == int(kind in of_files)


def test_our_own_events_are_ignored(studio: FollowingStudio) -> None:
    studio.feed.of_shot(str(studio.draw("c001")), by_us=True)

    poll_all(studio.follower())

    assert studio.announced() == []


def test_an_event_about_nothing_is_ignored(studio: FollowingStudio) -> None:
    studio.feed.write(EventKind.FILE_PUBLISHED)

    assert poll_all(studio.follower())[-1].events == 1


def test_a_site_restored_from_a_backup_is_noticed_and_followed_on(
    studio: FollowingStudio,
) -> None:
    follower = studio.follower()
    for _ in range(20):
        studio.feed.write()
    poll_all(follower)
    studio.feed.restore(up_to=5)

    with capture_logs() as logs:
        poll_all(follower)
    publish(studio, "c001")
    poll_all(follower)

    assert [line["event"] for line in logs if line["log_level"] == "error"] == [
        "event_stream_went_back"
    ]
    assert len(studio.announced()) == 1


def test_ids_given_anew_after_a_restore_are_noticed_by_their_time(
    studio: FollowingStudio,
) -> None:
    follower = studio.follower()
    earlier = utc_now() - timedelta(seconds=60)
    for _ in range(20):
        studio.feed.write(at=earlier)
    poll_all(follower)
    studio.feed.restore(up_to=5)
    publish(studio, "c001")
    for _ in range(20):
        studio.feed.write()

    with capture_logs() as logs:
        poll_all(follower)

    assert "event_stream_went_back" in {line["event"] for line in logs}
    assert len(studio.announced()) == 1


def test_a_log_that_lost_its_old_events_is_followed_on(studio: FollowingStudio) -> None:
    follower = studio.follower()
    for _ in range(20):
        studio.feed.write()
    poll_all(follower)
    for _ in range(20):
        studio.feed.write()
    publish(studio, "c001")
    studio.feed.forget_events(up_to=30)

    with capture_logs() as logs:
        poll_all(follower)

    assert "event_history_shortened" in {line["event"] for line in logs}
    assert len(studio.announced()) == 1


def test_a_second_follower_of_the_same_feed_gives_way(studio: FollowingStudio) -> None:
    first, second = studio.follower(), studio.follower()
    poll_all(first)
    studio.feed.write()

    def overtake(call: str) -> None:
        studio.feed.before_each_call = lambda _: None
        assert call == "events"
        poll_all(first)

    studio.feed.before_each_call = overtake
    with capture_logs() as logs:
        result = second.poll_once()

    assert result.events == 0
    assert "feed_followed_by_another" in {line["event"] for line in logs}
    publish(studio, "c001")
    assert sum(result.layouts for result in [*poll_all(second), *poll_all(first)]) == 1


@pytest.mark.parametrize(
    "error",
    [
        TrackerUnavailable("The site is away.", retry_after=0.01),
        TrackerRejected("The key is wrong."),
    ],
)
def test_a_running_follower_waits_for_its_site_and_says_so(
    tmp_path: Path, inspector: Inspector, error: HaikeiError
) -> None:
    stop = threading.Event()
    with (
        following_studio(tmp_path, inspector=inspector, poll=0.01) as studio,
        capture_logs() as logs,
    ):
        publish(studio, "c001")
        left = 4

        def failing(_: str) -> None:
            nonlocal left
            left -= 1
            if left > 0:
                raise error

        studio.feed.before_each_call = failing
        with stopped_when(lambda: len(studio.announced()) == 1) as stop:
            studio.follower().run(stop)

    names = [line["event"] for line in logs]
    assert names.count("event_log_not_followed") == 3
    assert names.count("event_log_followed_again") == 1


def test_a_running_follower_does_not_pause_while_batches_are_full(
    tmp_path: Path, inspector: Inspector
) -> None:
    with following_studio(tmp_path, inspector=inspector, poll=3600, batch=10) as studio:
        for index in range(30):
            for _ in range(10):
                studio.feed.write()
            if index % 10 == 0:
                publish(studio, f"c{index:03d}")
        with stopped_when(lambda: len(studio.announced()) == 3) as stop:
            studio.follower().run(stop)

        assert len(studio.announced()) == 3


def test_the_doorbell_wakes_a_follower_that_would_look_once_an_hour(
    tmp_path: Path, inspector: Inspector
) -> None:
    with following_studio(tmp_path, inspector=inspector, poll=3600) as studio:
        poll_all(studio.follower())
        looks: list[str] = []
        studio.feed.before_each_call = looks.append

        def publish_when_it_rests() -> bool:
            if looks.count("events") == 1:
                publish(studio, "c001")
                looks.append("published")
            return len(studio.announced()) == 1

        with stopped_when(publish_when_it_rests) as stop:
            studio.follower().run(stop)

        assert len(studio.announced()) == 1


def test_what_can_be_read_only_after_it_rang_is_found_by_a_second_look(
    tmp_path: Path, inspector: Inspector
) -> None:
    with following_studio(tmp_path, inspector=inspector, poll=3600) as studio:
        poll_all(studio.follower())
        looks: list[str] = []
        studio.feed.before_each_call = looks.append

        def show_after_the_first_look() -> bool:
            if looks.count("events") == 1 and not studio.feed.hidden:
                publish(studio, "c001", hidden=True)
            if looks.count("events") == 2 and studio.feed.hidden:
                studio.feed.show(studio.feed.hidden[0])
            return len(studio.announced()) == 1

        with stopped_when(show_after_the_first_look) as stop:
            studio.follower().run(stop)

        assert len(studio.announced()) == 1


def test_a_doorbell_that_the_settings_turn_off_is_not_listened_to(
    tmp_path: Path, inspector: Inspector
) -> None:
    with following_studio(tmp_path, inspector=inspector, poll=0.01, live=False) as studio:
        listened: list[str] = []
        studio.feed.doorbell.listen = listened.append  # type: ignore[method-assign,assignment]  # pyright: ignore[reportAttributeAccessIssue]
        publish(studio, "c001")
        with stopped_when(lambda: len(studio.announced()) == 1) as stop:
            studio.follower().run(stop)

        assert listened == []


def test_a_running_follower_reconciles_by_itself(tmp_path: Path, inspector: Inspector) -> None:
    with following_studio(tmp_path, inspector=inspector, poll=0.01, reconcile_every=0.05) as studio:
        studio.feed.write()
        poll_all(studio.follower())
        studio.feed.of_shot(str(studio.draw("c001")), silent=True)
        with stopped_when(lambda: len(studio.announced()) == 1) as stop:
            studio.follower().run(stop)

        assert studio.sources() == ["reconciliation"]


def test_nothing_is_reconciled_before_the_first_start(studio: FollowingStudio) -> None:
    studio.feed.of_shot(str(studio.draw("c001")), silent=True)

    assert studio.follower().reconcile() == 0


def test_a_place_without_a_sequence_keeps_its_row_names(studio: FollowingStudio) -> None:
    path = studio.root / "odd" / "drawing.png"
    path.parent.mkdir()
    path.write_bytes(studio.draw("c001").read_bytes())
    studio.feed.of_shot(str(path), shot="c001")

    poll_all(studio.follower())

    sha256 = studio.inspector.inspect([path])[0].sha256
    expected = LayoutPublished(
        place=Place(project="PORT", sequence="s01", shot="c001"),
        layout=path,
        sha256=sha256,
        name="bg",
        version=3,
        published_file=None,
        source=Source.EVENT_LOG,
        at=utc_now(),
    )
    assert studio.announced() == [expected.key]


@contextmanager
def stopped_when(condition: Callable[[], bool]) -> Generator[threading.Event]:
    """Yield an event that is set as soon as the condition holds, or in vain after long."""
    stop = threading.Event()

    def watch() -> None:
        try:
            eventually(lambda: condition() or stop.is_set())
        finally:
            stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield stop
    finally:
        stop.set()
        watcher.join()
