"""What publishing does on a site that was changed meanwhile, or that is unlike others."""

from collections.abc import Iterator

import pytest

from haikei.errors import TrackerRejected
from haikei.trackers import PublishRequest
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.servers import Proxy, proxy_before
from support.sites import RunningStudio, Show, running_studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def proxy(show: Show) -> Iterator[Proxy]:
    with proxy_before(str(show.settings.tracker.url)) as running:
        yield running


@pytest.fixture
def tracker(show: Show, proxy: Proxy) -> Iterator[ShotGridTracker]:
    made = ShotGridTracker(show.at(proxy.url).settings, show.key)
    yield made
    made.close()


@pytest.fixture
def request_(show: Show, tracker: ShotGridTracker) -> PublishRequest:
    return show.background(tracker.context(show.ask()))


def test_files_that_somebody_unlinked_are_linked_again(
    show: Show, tracker: ShotGridTracker, request_: PublishRequest
) -> None:
    result = tracker.publish(request_)
    file = result.files[1]
    show.sg.update("PublishedFile", file.id, {"version": None, "upstream_published_files": []})

    tracker.publish(request_)

    (row,) = show.find(
        "PublishedFile", ["id", "is", file.id], fields="version upstream_published_files"
    )
    assert row["version"]["id"] == result.version.id
    assert [link["id"] for link in row["upstream_published_files"]] == [result.layout_file.id]


def test_a_file_row_that_somebody_deleted_is_made_again(
    show: Show, tracker: ShotGridTracker, request_: PublishRequest
) -> None:
    result = tracker.publish(request_)
    show.sg.delete("PublishedFile", result.files[2].id)

    again = tracker.publish(request_)

    assert again.files[:2] == result.files[:2]
    assert len(show.own("PublishedFile")) == 4
    assert not again.created


def test_a_version_that_somebody_deleted_is_made_again_with_the_same_files(
    show: Show, tracker: ShotGridTracker, request_: PublishRequest
) -> None:
    result = tracker.publish(request_)
    show.sg.delete("Version", result.version.id)

    again = tracker.publish(request_)

    assert again.created
    assert again.files == result.files
    (version,) = show.own("Version", fields="published_files sg_uploaded_movie")
    assert version["sg_uploaded_movie"]
    assert len(version["published_files"]) == 3


def test_a_site_without_reverse_fields_on_shots_is_searched_type_by_type(
    show: Show, proxy: Proxy, tracker: ShotGridTracker, request_: PublishRequest
) -> None:
    proxy.asked_as[b"sg_versions.Version"] = b"sg_not_here.Version"

    first = tracker.publish(request_)
    second = tracker.publish(request_)

    assert first.version == second.version
    assert len(show.own("Version")) == 1


def test_what_a_create_does_not_tell_is_read_back(
    show: Show, proxy: Proxy, tracker: ShotGridTracker, request_: PublishRequest
) -> None:
    proxy.answered_as[b'"version.Version.image"'] = b'"something.else"'

    assert tracker.publish(request_).created


def test_a_row_that_is_not_as_it_was_sent_is_refused(
    proxy: Proxy, tracker: ShotGridTracker, request_: PublishRequest
) -> None:
    proxy.asked_as["背景".encode()] = "前景".encode()

    with pytest.raises(TrackerRejected, match=r"not as it was sent.*sg_haikei_credit_ja"):
        tracker.publish(request_)


def test_a_link_that_is_lost_is_refused(
    proxy: Proxy, tracker: ShotGridTracker, request_: PublishRequest
) -> None:
    proxy.answered_as[b'"upstream_published_files": [{'] = (
        b'"upstream_published_files": [], "x": [{'
    )
    proxy.answered_as[b'"upstream_published_files":[{'] = b'"upstream_published_files":[],"x":[{'

    with pytest.raises(TrackerRejected, match="upstream_published_files"):
        tracker.publish(request_)


def test_a_status_that_the_site_does_not_have_is_refused_with_advice(
    show: Show, tracker: ShotGridTracker
) -> None:
    request = show.background(tracker.context(show.ask()), status="zzz")

    with pytest.raises(TrackerRejected, match="review_status"):
        tracker.publish(request)

    assert show.own("Version") == []
    assert show.own("PublishedFile") == []


@pytest.mark.parametrize(
    ("words", "wrong", "message"),
    [
        (b'"Background Stage", "Background Touch-up"]', b'"Nothing"]', "no published file type"),
        (b'"code": "primary"', b'"code": "tertiary"', "no local storage"),
    ],
)
def test_a_site_that_was_not_set_up_is_refused_with_advice(
    proxy: Proxy,
    tracker: ShotGridTracker,
    request_: PublishRequest,
    words: bytes,
    wrong: bytes,
    message: str,
) -> None:
    proxy.asked_as[words] = wrong
    proxy.answered_as[words.replace(b": ", b":")] = wrong
    proxy.answered_as[words] = wrong

    with pytest.raises(TrackerRejected, match=rf"{message}.*haikei setup"):
        tracker.publish(request_)
