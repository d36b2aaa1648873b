"""What every tracker feed owes the event-log handler, over HTTP against the embedded tracker."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import shotgun_api3
from pydantic import SecretStr

from haikei.errors import PlaceUnknown
from haikei.settings import Settings
from haikei.trackers import EventKind, FeedEvent, PublishedLayout, TrackerFeed
from haikei.trackers.shotgrid import ShotGridTracker
from haikei.trackers.shotgrid.client import SiteClient
from haikei.trackers.shotgrid.feed import ShotGridFeed
from support.sites import RunningStudio, Show, heeding, running_studio


def feed_of(settings: Settings, key: SecretStr) -> ShotGridFeed:
    return ShotGridFeed(SiteClient(settings.tracker, key), settings)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def feed(show: Show) -> Iterator[TrackerFeed]:
    made = ShotGridTracker(show.settings, show.key)
    assert made.parts.feed is not None
    yield made.parts.feed
    made.close()


@pytest.fixture
def publisher(studio: RunningStudio) -> shotgun_api3.Shotgun:
    """Another script, which publishes layouts."""
    site = studio.site
    site.site.add_script("publisher", "its-own-key")
    return site.closing(
        shotgun_api3.Shotgun(site.url, script_name="publisher", api_key="its-own-key")
    )


def published(
    show: Show, by: shotgun_api3.Shotgun, *, kind: str | None = "Layout", version: int = 3
) -> int:
    layout = show.layout()
    types = show.find("PublishedFileType", ["code", "is", kind])
    storages = show.find("LocalStorage", ["code", "is", "primary"])
    row = by.create(
        "PublishedFile",
        {
            "project": {"type": "Project", "id": show.project},
            "entity": {"type": "Shot", "id": show.shot},
            "code": layout.path.name,
            "name": "bg",
            "version_number": version,
            "published_file_type": {"type": "PublishedFileType", "id": types[0]["id"]}
            if types
            else None,
            "path": {
                "local_storage": {"type": "LocalStorage", "id": storages[0]["id"]},
                "relative_path": layout.relative,
            },
        },
    )
    return int(row["id"])


def news(feed: TrackerFeed, after: int) -> list[FeedEvent]:
    found = feed.events(after=after, until=None, limit=500)
    return [event for event in found if event.kind is EventKind.FILE_PUBLISHED]


def test_the_feed_is_named_by_the_site(show: Show, feed: TrackerFeed) -> None:
    assert feed.name == str(show.settings.tracker.url).rstrip("/")


def test_a_new_layout_is_an_event(
    show: Show, feed: TrackerFeed, publisher: shotgun_api3.Shotgun
) -> None:
    before = feed.newest()
    row = published(show, publisher)

    (event,) = news(feed, before)

    assert event.row == row
    assert event.project == show.name
    assert not event.by_us
    assert event.id > before
    assert abs(event.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_a_create_fills_in_is_no_change_of_its_own(
    show: Show, feed: TrackerFeed, publisher: shotgun_api3.Shotgun
) -> None:
    before = feed.newest()
    row = published(show, publisher)
    publisher.update("PublishedFile", row, {"path": None})

    found = feed.events(after=before, until=None, limit=500)
    kinds = [event.kind for event in found if event.row == row]

    assert len(kinds) > 2
    assert kinds.count(EventKind.FILE_PUBLISHED) == 1
    assert kinds.count(EventKind.FILE_CHANGED) == 1


def test_our_own_events_are_known(show: Show, feed: TrackerFeed) -> None:
    before = feed.newest()
    published(show, show.sg)

    assert [event.by_us for event in news(feed, before)] == [True]


def test_a_retired_row_keeps_its_number_in_the_event(
    show: Show, feed: TrackerFeed, publisher: shotgun_api3.Shotgun
) -> None:
    before = feed.newest()
    row = published(show, publisher)
    publisher.delete("PublishedFile", row)

    assert [event.row for event in news(feed, before)] == [row]


def test_events_come_in_order_and_as_many_as_asked(show: Show, feed: TrackerFeed) -> None:
    everything = feed.events(after=0, until=None, limit=500)
    some = feed.events(after=everything[2].id, until=everything[9].id, limit=4)
    rest = feed.events(after=everything[2].id, until=everything[9].id, limit=500)

    assert [event.id for event in everything] == sorted(event.id for event in everything)
    assert some == everything[3:7]
    assert rest == everything[3:10]
    newest = feed.newest()
    assert [one.id for one in feed.events(after=newest - 1, until=None, limit=2)] == [newest]


def test_a_layout_row_is_read_with_its_place_and_local_path(
    show: Show, feed: TrackerFeed, publisher: shotgun_api3.Shotgun
) -> None:
    row = published(show, publisher)

    (layout,) = feed.layouts([row])

    assert layout == PublishedLayout(
        id=row,
        project=show.name,
        sequence="s01",
        shot="c001",
        name="bg",
        version=3,
        path=str(show.layout().path),
        ready=True,
        created_at=layout.created_at,
    )


def test_a_path_is_ours_whatever_root_the_site_has(
    show: Show, feed: TrackerFeed, publisher: shotgun_api3.Shotgun
) -> None:
    row = published(show, publisher)
    (storage,) = show.find("LocalStorage", ["code", "is", "primary"])
    show.sg.update("LocalStorage", storage["id"], {"linux_path": "/mnt/elsewhere"})

    (layout,) = feed.layouts([row])

    show.sg.update("LocalStorage", storage["id"], {"linux_path": str(show.root)})
    assert layout.path == str(show.layout().path)


def test_other_types_are_no_layouts(
    show: Show, feed: TrackerFeed, publisher: shotgun_api3.Shotgun
) -> None:
    row = published(show, publisher, kind="Background")

    assert list(feed.layouts([row])) == []


def test_a_row_without_a_type_may_become_a_layout(
    show: Show, feed: TrackerFeed, publisher: shotgun_api3.Shotgun
) -> None:
    row = published(show, publisher, kind=None)

    assert [layout.ready for layout in feed.layouts([row])] == [False]


def test_a_row_without_a_path_or_a_shot_is_not_ready(show: Show, feed: TrackerFeed) -> None:
    row = show.create("PublishedFile", code="bare")

    (layout,) = feed.layouts([row])

    assert (layout.ready, layout.shot, layout.path) == (False, "", "")


def test_rows_that_are_gone_are_left_out(show: Show, feed: TrackerFeed) -> None:
    assert list(feed.layouts([])) == []
    assert list(feed.layouts([2_000_000_000])) == []


def test_layouts_are_found_by_the_time_of_their_making(
    show: Show, feed: TrackerFeed, publisher: shotgun_api3.Shotgun
) -> None:
    start = datetime.now(UTC)
    first, second = published(show, publisher), published(show, publisher, version=4)
    published(show, publisher, kind="Background")
    end = datetime.now(UTC)

    found = feed.layouts_between(start, end)

    assert [layout.id for layout in found if layout.project == show.name] == [first, second]
    assert list(feed.layouts_between(end + timedelta(hours=1), end + timedelta(hours=2))) == []
    assert list(feed.layouts_between(start - timedelta(hours=2), start - timedelta(hours=1))) == []


def test_projects_that_are_not_heeded_are_left_out_and_told_apart(
    studio: RunningStudio, show: Show, publisher: shotgun_api3.Shotgun
) -> None:
    other = studio.show()
    feed = feed_of(heeding(other.settings, show.name.upper()), show.key)
    before = feed.newest()
    ours, theirs = published(show, publisher), published(other, publisher)
    versions = [one.create("Version", code="c001_bg_v001") for one in (show, other)]
    notes = [
        one.create("Note", subject="Sky", note_links=[{"type": "Version", "id": version}])
        for one, version in zip((show, other), versions, strict=True)
    ]
    now = datetime.now(UTC)

    assert feed.projects() == frozenset({show.project})
    assert [one.id for one in feed.layouts([ours, theirs])] == [ours]
    found = feed.layouts_between(now - timedelta(minutes=1), now + timedelta(minutes=1))
    assert theirs not in {one.id for one in found}
    assert feed.discussed(notes=notes, replies=[]) == [versions[0]]
    told = {
        one.row: one.elsewhere for one in news(feed, before) if one.kind is EventKind.FILE_PUBLISHED
    }
    assert told == {ours: False, theirs: True}
    feed.close()


def test_a_feed_without_named_projects_heeds_all(feed: TrackerFeed) -> None:
    assert feed.projects() is None


def test_shots_of_one_name_in_two_episodes_are_told_apart(
    show: Show, publisher: shotgun_api3.Shotgun
) -> None:
    tracker = show.settings.tracker.model_copy(
        update={"episode_field": "sg_sequence.Sequence.episode"}
    )
    settings = show.settings.model_copy(update={"tracker": tracker})
    shots: dict[str, int] = {}
    for code in ("EP01", "EP02"):
        episode = {"type": "Episode", "id": show.create("Episode", code=code)}
        part = {"type": "Sequence", "id": show.create("Sequence", code="s05", episode=episode)}
        shots[code] = show.create("Shot", code="c005", sg_sequence=part)
    rows = {code: published(replace(show, shot=shot), publisher) for code, shot in shots.items()}

    with closing(feed_of(settings, show.key)) as feed:
        found = feed.layouts([*rows.values()])
    assert [(one.episode, one.sequence, one.shot) for one in found] == [
        ("EP01", "s05", "c005"),
        ("EP02", "s05", "c005"),
    ]

    own, plain = (ShotGridTracker(one, show.key) for one in (settings, show.settings))
    with closing(own), closing(plain):
        asked = show.ask(shot="c005", sequence="s05")
        for code, shot in shots.items():
            here = replace(asked, place=replace(asked.place, episode=code))
            for request in (here, replace(asked, published_file=rows[code])):
                context = own.context(request)
                assert (context.shot.id, context.episode) == (shot, code)
        with pytest.raises(PlaceUnknown, match="2 shots"):
            own.context(asked)
        # Without the field nothing tells them apart, not even their rows.
        with pytest.raises(PlaceUnknown, match=r"tracker\.episode_field"):
            plain.context(replace(asked, published_file=rows["EP02"]))
        selection = own.parts.selection
        assert selection is not None
        chosen = selection.read("PublishedFile", [*rows.values()])
        assert [one.place.episode for one in chosen] == ["EP01", "EP02"]
