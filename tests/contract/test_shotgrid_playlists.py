"""What a tracker's playlist desk owes the dailies, over HTTP against the embedded tracker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from haikei.errors import TrackerUnavailable
from haikei.show import Row
from haikei.trackers import Part, PlaylistDesk, PlaylistRequest, needed
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.servers import Mischief, proxy_before
from support.sites import PNG, RunningStudio, Show, running_studio


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture
def show(studio: RunningStudio) -> Show:
    return studio.show()


@pytest.fixture
def desk(show: Show) -> Iterator[PlaylistDesk]:
    adapter = ShotGridTracker(show.settings, show.key)
    yield needed(adapter.parts.playlists, adapter, Part.PLAYLISTS)
    adapter.close()


def versions(show: Show, count: int) -> list[int]:
    """Make Versions whose names sort the other way round than their ids."""
    return [show.create("Version", code=f"c{900 - n}") for n in range(count)]


def request(show: Show, *ids: int, key: str = "", name: str = "Backgrounds") -> PlaylistRequest:
    return PlaylistRequest(
        project=Row(type="Project", id=show.project, name=show.name),
        name=name,
        versions=ids,
        key=key or f"dailies-{show.name}",
    )


def order(show: Show, playlist: int) -> list[int]:
    """Return the Versions as reviewers watch them."""
    link = {"type": "Playlist", "id": playlist}
    joins = show.find(
        "PlaylistVersionConnection", ["playlist", "is", link], fields="version sg_sort_order"
    )
    return [row["version"]["id"] for row in sorted(joins, key=lambda row: row["sg_sort_order"])]


def test_a_playlist_is_made_once_in_the_order_of_the_cuts(show: Show, desk: PlaylistDesk) -> None:
    a, b, c = versions(show, 3)

    first = desk.collect(request(show, b, c, a))
    second = desk.collect(request(show, b, c, a))

    assert first == second
    assert first.type == "Playlist"
    assert first.name == "Backgrounds"
    assert order(show, first.id) == [b, c, a]
    assert len(show.own("Playlist")) == 1


def test_what_stands_already_is_not_written_again(show: Show, desk: PlaylistDesk) -> None:
    wanted = request(show, *versions(show, 3))
    desk.collect(wanted)
    newest = show.find("EventLogEntry")[-1]["id"]

    desk.collect(wanted)

    assert show.find("EventLogEntry")[-1]["id"] == newest


def test_new_versions_take_their_place_among_the_old(show: Show, desk: PlaylistDesk) -> None:
    a, b, c, d = versions(show, 4)
    playlist = desk.collect(request(show, a, d))

    desk.collect(request(show, a, b, c, d))

    assert order(show, playlist.id) == [a, b, c, d]


def test_what_people_added_stays_after_ours(show: Show, desk: PlaylistDesk) -> None:
    a, b, theirs, too = versions(show, 4)
    playlist = desk.collect(request(show, b))
    for number in (theirs, too):
        show.sg.update(
            "Playlist",
            playlist.id,
            {"versions": [{"type": "Version", "id": number}]},
            multi_entity_update_modes={"versions": "add"},
        )

    desk.collect(request(show, a, b))

    assert order(show, playlist.id) == [a, b, theirs, too]


def test_a_playlist_that_a_person_made_under_the_name_is_used(
    show: Show, desk: PlaylistDesk
) -> None:
    made = show.create("Playlist", code="Backgrounds")
    (a,) = versions(show, 1)

    assert desk.collect(request(show, a)).id == made


def test_the_same_name_in_another_show_is_another_playlist(
    show: Show, studio: RunningStudio, desk: PlaylistDesk
) -> None:
    other = studio.show()
    theirs = other.create("Playlist", code="Backgrounds")

    assert desk.collect(request(show)).id != theirs


def test_a_playlist_that_was_renamed_is_still_the_same(show: Show, desk: PlaylistDesk) -> None:
    playlist = desk.collect(request(show))
    show.sg.update("Playlist", playlist.id, {"code": "Monday"})

    assert desk.collect(request(show)) == Row(type="Playlist", id=playlist.id, name="Monday")


def test_a_playlist_with_another_key_of_ours_is_left_alone(show: Show, desk: PlaylistDesk) -> None:
    first = desk.collect(request(show, key="monday"))

    assert desk.collect(request(show, key="tuesday")).id != first.id


@pytest.mark.parametrize("cut", [2, 4, 6])
def test_what_was_cut_is_finished_by_the_next(show: Show, cut: int) -> None:
    a, b, c = versions(show, 3)
    with proxy_before(str(show.settings.tracker.url)) as proxy:
        adapter = ShotGridTracker(show.at(proxy.url).settings, show.key)
        desk = needed(adapter.parts.playlists, adapter, Part.PLAYLISTS)
        desk.collect(request(show, key="warm", name="warm"))
        proxy.reset({cut: Mischief.CUT_AFTER})
        with pytest.raises(TrackerUnavailable):
            desk.collect(request(show, c, a, b))
        playlist = desk.collect(request(show, c, a, b))
        adapter.close()

    assert order(show, playlist.id) == [c, a, b]
    assert len(show.own("Playlist", ["code", "is", "Backgrounds"])) == 1


def test_more_versions_than_one_call_takes_are_in_order(show: Show, desk: PlaylistDesk) -> None:
    project = {"type": "Project", "id": show.project}
    made = [
        int(row["id"])
        for row in show.sg.batch(
            [
                {
                    "request_type": "create",
                    "entity_type": "Version",
                    "data": {"project": project, "code": f"v{n}"},
                }
                for n in range(250)
            ]
        )
    ]
    wanted = list(reversed(made))

    assert order(show, desk.collect(request(show, *wanted)).id) == wanted


def test_a_file_is_attached_once_to_a_playlist_and_to_a_note(
    show: Show, desk: PlaylistDesk, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(PNG)
    playlist = desk.collect(request(show))
    note = Row(type="Note", id=show.create("Note", subject="Dailies"), name="Dailies")

    for row in (playlist, note):
        desk.attach(row, sheet, "contact sheet.png")
        desk.attach(row, sheet, "contact sheet.png")
        desk.attach(row, sheet, "contact sheet 2.png")

        link = {"type": row.type, "id": row.id}
        found = show.find("Attachment", ["attachment_links", "is", link], fields="display_name")
        assert [one["display_name"] for one in found] == [
            "contact sheet.png",
            "contact sheet 2.png",
        ]
    (read,) = show.find("Note", ["id", "is", note.id], fields="attachments")
    assert len(read["attachments"]) == 2
