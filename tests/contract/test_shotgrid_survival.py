"""A publish that is cut at any request, or whose requests arrive twice, leaves one set of rows."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from haikei.errors import TrackerUnavailable
from haikei.trackers import PublishRequest
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.servers import Mischief, Proxy, proxy_before
from support.sites import RunningStudio, Show, running_studio

MARK = 8  #: requests that one background may take, the context included


@pytest.fixture(scope="module", params=["classic", "cloud"])
def studio(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads=request.param) as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def proxy(show: Show) -> Iterator[Proxy]:
    with proxy_before(str(show.settings.tracker.url)) as running:
        yield running


def warmed(show: Show, proxy: Proxy) -> ShotGridTracker:
    """Return an adapter that has published once, as a worker's has."""
    tracker = ShotGridTracker(show.at(proxy.url).settings, show.key)
    shot(show, "warm")
    tracker.publish(show.background(tracker.context(show.ask(shot="warm")), key="warm"))
    return tracker


def shot(show: Show, code: str) -> None:
    """Make a shot with the two tasks that shots have."""
    number = show.create("Shot", code=code, sg_sequence={"type": "Sequence", "id": show.sequence})
    for task in (show.layout_task, show.background_task):
        (row,) = show.find("Task", ["id", "is", task], fields="content step task_assignees")
        wanted = {name: row[name] for name in ("content", "step", "task_assignees")}
        show.create("Task", entity={"type": "Shot", "id": number}, **wanted)


def assert_one_complete_set(show: Show, request: PublishRequest) -> None:
    here = ["entity", "is", {"type": "Shot", "id": request.context.shot.id}]
    (version,) = show.find(
        "Version", here, fields="sg_uploaded_movie image published_files sg_haikei_key"
    )
    assert version["sg_haikei_key"] == request.key
    assert version["sg_uploaded_movie"]
    assert version["image"]
    rows = show.find(
        "PublishedFile", here, fields="code path version upstream_published_files sg_haikei_key"
    )
    names = sorted(image.file.path.name for image in request.images)
    (layout,) = (row for row in rows if row["sg_haikei_key"].startswith("layout:"))
    others = [row for row in rows if row is not layout]
    assert sorted(row["code"] for row in others) == names
    assert layout["path"]
    for row in others:
        assert row["path"]
        assert row["version"]["id"] == version["id"]
        assert [link["id"] for link in row["upstream_published_files"]] == [layout["id"]]
    assert sorted(link["id"] for link in version["published_files"]) == [
        row["id"] for row in others
    ]


def test_one_background_takes_at_most_eight_requests(show: Show, proxy: Proxy) -> None:
    tracker = warmed(show, proxy)
    shot(show, "c100")
    proxy.reset()

    request = show.background(tracker.context(show.ask(shot="c100")))
    tracker.publish(request)
    tracker.close()

    assert proxy.count <= MARK, proxy.passed
    assert_one_complete_set(show, request)


def test_a_touch_up_takes_no_more_requests_than_a_background(show: Show, proxy: Proxy) -> None:
    tracker = warmed(show, proxy)
    shot(show, "c101")
    tracker.publish(show.background(tracker.context(show.ask(shot="c101"))))
    proxy.reset()

    context = tracker.context(show.ask(shot="c101", painted_over="job-1"))
    request = show.background(context, key="touch-up-1", version=2)
    tracker.publish(replace(request, parent_file=context.parent_file))
    tracker.close()

    assert context.parent_file is not None
    assert proxy.count <= MARK, proxy.passed


@pytest.mark.parametrize("mischief", list(Mischief))
def test_a_publish_that_is_cut_at_any_request_is_finished_by_the_next(
    show: Show, proxy: Proxy, mischief: Mischief
) -> None:
    tracker = warmed(show, proxy)
    for cut in count(1):
        shot(show, f"k{cut}")
        request = show.background(tracker.context(show.ask(shot=f"k{cut}")), key=f"job-{cut}")
        proxy.reset({cut: mischief})
        try:
            tracker.publish(request)
        except TrackerUnavailable:
            # The worker was killed, too: the next one knows nothing.
            proxy.reset()
            another = ShotGridTracker(show.at(proxy.url).settings, show.key)
            another.publish(request)
            another.close()
        assert_one_complete_set(show, request)
        if proxy.met < cut:
            break
    tracker.close()
    assert proxy.met > 4


def test_a_row_that_a_person_duplicated_with_its_key_is_left_alone(
    show: Show, proxy: Proxy
) -> None:
    tracker = warmed(show, proxy)
    request = show.background(tracker.context(show.ask()))
    result = tracker.publish(request)
    copy = show.create(
        "Version",
        code="a copy",
        sg_haikei_key=request.key,
        created_by={"type": "HumanUser", "id": show.artist},
    )

    again = tracker.publish(request)
    tracker.close()

    assert again.version == result.version
    assert show.find("Version", ["id", "is", copy])
