"""The follower on a real event log: over HTTP, with the real client and the embedded tracker."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import shotgun_api3
from pydantic import HttpUrl
from sqlalchemy import Engine, select

from haikei.database import events, jobs, reading, review_wakes, utc_now
from haikei.settings import Events, Settings
from haikei.sources.eventlog import Follower
from haikei.storage import Storage
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.feed import ShotGridFeed
from support.clocks import PATIENCE, eventually
from support.databases import fresh_database
from support.pictures import png_bytes
from support.sites import RunningStudio, Show, running_studio
from support.watching import poll_all


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = fresh_database(tmp_path / "haikei.db")
    yield engine
    engine.dispose()


@pytest.fixture
def settings(show: Show) -> Settings:
    return show.settings.model_copy(update={"events": Events(poll=0.05, reconcile_every=3600)})


@pytest.fixture
def feed(show: Show, settings: Settings) -> Iterator[ShotGridFeed]:
    one = ShotGridFeed(SiteClient(settings.tracker, show.key), settings)
    yield one
    one.close()


@pytest.fixture
def follower(settings: Settings, database: Engine, feed: ShotGridFeed) -> Iterator[Follower]:
    with Follower(settings, database, feed, Storage(settings)) as one:
        yield one


def another_script(studio: RunningStudio, *, tells: bool = True) -> shotgun_api3.Shotgun:
    name = "publisher" if tells else "silent publisher"
    studio.site.site.add_script(name, "its-own-key", generates_events=tells)
    client = shotgun_api3.Shotgun(studio.site.url, script_name=name, api_key="its-own-key")
    return studio.site.closing(client)


def publish(
    show: Show, by: shotgun_api3.Shotgun, name: str, *, kind: str = "Layout", complete: bool = True
) -> int:
    """Register a layout of its own content; an incomplete row lacks type, link and path."""
    layout = show.layout(f"c001_{name}_v001.png", png_bytes(f"{show.name} {name}"))
    fields: dict[str, object] = {
        "project": {"type": "Project", "id": show.project},
        "code": layout.path.name,
        "name": name,
    }
    if complete:
        fields |= links(show, layout.relative, kind)
    return int(by.create("PublishedFile", fields)["id"])


def links(show: Show, relative: str, kind: str) -> dict[str, object]:
    (storage,) = show.find("LocalStorage", ["code", "is", "primary"])
    (found,) = show.find("PublishedFileType", ["code", "is", kind])
    return {
        "entity": {"type": "Shot", "id": show.shot},
        "published_file_type": {"type": "PublishedFileType", "id": found["id"]},
        "path": {
            "local_storage": {"type": "LocalStorage", "id": storage["id"]},
            "relative_path": relative,
        },
    }


def announced(database: Engine, show: Show) -> list[str]:
    """Return who told of each layout of this show."""
    with reading(database) as connection:
        rows = connection.execute(select(events.c.payload, events.c.source).order_by(events.c.id))
        return [row.source for row in rows if f'"project": "{show.name}"' in row.payload]


def test_a_layout_published_by_a_script_is_announced_once(
    studio: RunningStudio, show: Show, follower: Follower, database: Engine
) -> None:
    poll_all(follower)
    publisher = another_script(studio)
    row = publish(show, publisher, "bg")
    publisher.update("PublishedFile", row, {"sg_status_list": "ip"})

    poll_all(follower)
    poll_all(follower)

    assert announced(database, show) == ["event_log"]


def test_rows_of_other_types_and_our_own_are_left_alone(
    studio: RunningStudio, show: Show, follower: Follower, database: Engine
) -> None:
    poll_all(follower)
    publish(show, another_script(studio), "result", kind="Background")
    publish(show, show.sg, "ours")

    poll_all(follower)

    assert announced(database, show) == []


def test_a_row_completed_by_later_changes_is_announced(
    studio: RunningStudio, show: Show, follower: Follower, database: Engine
) -> None:
    poll_all(follower)
    publisher = another_script(studio)
    row = publish(show, publisher, "bg", complete=False)
    poll_all(follower)
    assert announced(database, show) == []
    relative = f"{show.name}/s01/c001/layout/c001_bg_v001.png"

    publisher.update("PublishedFile", row, links(show, relative, "Layout"))
    poll_all(follower)

    assert announced(database, show) == ["event_log"]


def test_a_script_that_leaves_no_events_is_found_by_query(
    studio: RunningStudio, show: Show, follower: Follower, database: Engine
) -> None:
    poll_all(follower)
    publish(show, another_script(studio, tells=False), "bg")
    poll_all(follower)
    assert announced(database, show) == []

    follower.reconcile()
    poll_all(follower)

    assert announced(database, show) == ["reconciliation"]


def test_a_backfill_by_date_finds_what_was_published_before(
    studio: RunningStudio, show: Show, follower: Follower, database: Engine
) -> None:
    start = utc_now() - timedelta(minutes=1)
    publisher = another_script(studio)
    rows = [publish(show, publisher, name) for name in ("sky", "bg")]

    def run(*, dry_run: bool) -> list[str]:
        end = utc_now() + timedelta(minutes=1)
        found = follower.backfill(start, end, dry_run=dry_run)
        return [entry.outcome.value for entry in found if entry.published_file in rows]

    assert run(dry_run=True) == ["new", "new"]
    assert announced(database, show) == []
    assert run(dry_run=False) == ["new", "new"]
    assert run(dry_run=False) == ["known", "known"]
    assert announced(database, show) == ["backfill", "backfill"]


def test_a_burst_is_announced_by_a_running_follower_without_loss(
    studio: RunningStudio,
    show: Show,
    follower: Follower,
    feed: ShotGridFeed,
    database: Engine,
) -> None:
    poll_all(follower)
    publisher = another_script(studio)
    for index in range(30):
        publish(show, publisher, f"bg{index:02d}")

    run_until(follower, feed, lambda: len(announced(database, show)) == 30)

    assert announced(database, show) == ["event_log"] * 30
    with reading(database) as connection:
        assert connection.execute(select(jobs.c.key)).all() == []


def test_a_site_that_is_away_is_waited_for(
    show: Show, settings: Settings, database: Engine
) -> None:
    away = settings.tracker.model_copy(update={"url": HttpUrl("http://127.0.0.1:9/")})
    lost = settings.model_copy(update={"tracker": away})
    feed = ShotGridFeed(SiteClient(lost.tracker, show.key), lost)
    tries = 0

    def tried() -> bool:
        nonlocal tries
        tries += 1
        return tries > 10

    run_until(Follower(lost, database, feed, Storage(lost)), feed, tried)

    assert announced(database, show) == []


def run_until(follower: Follower, feed: ShotGridFeed, condition: Callable[[], bool]) -> None:
    """Run a follower until the condition holds."""
    stop = threading.Event()

    def run() -> None:
        try:
            follower.run(stop)
        finally:
            feed.close()  # each thread has a connection of its own

    runner = threading.Thread(target=run)
    runner.start()
    try:
        eventually(lambda: condition() or not runner.is_alive(), pause=0.1)
    finally:
        still_running = runner.is_alive()
        stop.set()
        runner.join(PATIENCE)
    assert still_running


def test_what_people_say_of_versions_wakes_them(
    studio: RunningStudio, show: Show, follower: Follower, database: Engine
) -> None:
    first, second, third, fourth = (
        show.create("Version", code=f"v{number}", entity={"type": "Shot", "id": show.shot})
        for number in range(4)
    )
    poll_all(follower)
    supervisor = another_script(studio)
    project = {"type": "Project", "id": show.project}
    supervisor.update("Version", first, {"sg_status_list": "apr"})
    supervisor.update("Version", fourth, {"description": "no decision"})
    note = supervisor.create(
        "Note",
        {"project": project, "content": "more sky", "note_links": [_version(second)]},
    )
    older = show.create("Note", content="by us", note_links=[_version(third)])
    gone = supervisor.create(
        "Note", {"project": project, "content": "gone", "note_links": [_version(fourth)]}
    )
    supervisor.delete("Note", gone["id"])
    supervisor.create("Reply", {"entity": {"type": "Note", "id": older}, "content": "and this one"})
    supervisor.create("Reply", {"entity": note, "content": "less green"})

    poll_all(follower)

    with reading(database) as connection:
        woken = set(connection.execute(select(review_wakes.c.version_id)).scalars())
    assert woken & {first, second, third, fourth} == {first, second, third}


def test_a_touch_up_tells_who_painted_it_and_on_what(
    studio: RunningStudio, show: Show, follower: Follower, feed: ShotGridFeed, database: Engine
) -> None:
    poll_all(follower)
    ours = show.create("Version", code="c001_bg_summer_day_v001")
    parent = show.create(
        "PublishedFile", code="c001_bg_summer_day_v001.png", version=_version(ours)
    )
    publisher = another_script(studio)
    row = publish(show, publisher, "painted", kind="Background Touch-up")
    task = show.background_task
    publisher.update(
        "PublishedFile",
        row,
        {
            "upstream_published_files": [{"type": "PublishedFile", "id": parent}],
            "task": {"type": "Task", "id": task},
        },
    )
    second = show.sg.create(
        "HumanUser", {"name": "Nao Abe", "login": f"nao-{task}", "sg_status_list": "dis"}
    )["id"]
    group = {"type": "Group", "id": show.sg.create("Group", {"code": f"bg-{task}"})["id"]}
    assigned = [{"type": "HumanUser", "id": one} for one in (show.artist, second)]
    publisher.update("Task", task, {"task_assignees": [*assigned, group]})
    mine = publish(show, show.sg, "mine", kind="Background Touch-up")
    show.sg.update("PublishedFile", mine, {"sg_haikei_key": "touch-up-1"})

    (known,) = feed.layouts([row, mine])
    poll_all(follower)
    follower.reconcile()
    poll_all(follower)

    assert known.painted is not None
    both = {f"HumanUser:{show.artist}", f"HumanUser:{second}"}
    assert known.painted.artists == ()
    assert {one.id for one in known.painted.candidates} == both
    assert known.painted.source == f"Task:{task} assignee"
    assert known.painted.versions == (ours,)
    with reading(database) as connection:
        here = events.c.payload.contains(f"/{show.name}/")
        kinds = list(connection.execute(select(events.c.kind).where(here)).scalars())
    assert kinds == ["touch_up_published"]

    publisher.update("Task", task, {"task_assignees": [assigned[1]]})
    (alone,) = feed.layouts([row])
    assert alone.painted is not None
    assert [one.id for one in alone.painted.artists] == [f"HumanUser:{second}"]
    assert alone.painted.candidates == ()


def _version(number: int) -> dict[str, object]:
    return {"type": "Version", "id": number}
