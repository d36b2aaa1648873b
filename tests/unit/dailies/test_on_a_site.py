"""Dailies on the embedded tracker, over HTTP."""

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from haikei.credits import records
from haikei.dailies import Dailies
from haikei.database import utc_now
from haikei.review.replies import write_answers
from haikei.trackers import Part, needed
from haikei.trackers.shotgrid.schema import KEY
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.databases import fresh_database
from support.records import a_background, save_background
from support.sites import Show, running_studio
from support.studio import TOKYO


def publish(show: Show, database: Engine, shot: str) -> int:
    """Make a version in our records and on the site; return its id there."""
    told = a_background(shot, project=show.name, created_at=utc_now())
    version = show.create("Version", code=told.code, **{KEY: told.key})
    with database.begin() as connection:
        save_background(connection, told)
        records.published(connection, told.key, tracker_id=version, url=f"https://v/{version}")
    return version


def at_hour(day: datetime, hour: int) -> datetime:
    """Return that hour of the same day by the studio's clocks."""
    return day.replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(UTC)


def test_supervisors_find_a_playlist_a_sheet_and_a_note_once(tmp_path: Path) -> None:
    with running_studio(tmp_path, uploads="classic") as studio, ExitStack() as ends:
        show = studio.show()
        database = fresh_database(tmp_path / "state" / "haikei.db")
        tracker = ends.enter_context(closing(ShotGridTracker(show.settings, show.key)))
        ends.callback(database.dispose)
        review = show.settings.review.model_copy(
            update={
                "dailies": show.settings.review.dailies.model_copy(update={"supervisors": ("aoi",)})
            }
        )
        settings = show.settings.model_copy(update={"review": review})

        def dailies() -> Dailies:
            made = Dailies(
                settings,
                database,
                open_tracker=lambda _: tracker,
                zone=TOKYO,
            )
            return ends.enter_context(closing(made))

        # Asked once: what is made after midnight belongs to the same day's list.
        tomorrow = utc_now().astimezone(TOKYO) + timedelta(days=1)
        first = at_hour(tomorrow, 9)
        late, early = publish(show, database, "c002"), publish(show, database, "c001")
        dailies().tick(first)
        between = publish(show, database, "c001a")
        gone = publish(show, database, "c000")
        show.sg.delete("Version", gone)
        for _ in range(2):
            dailies().tick(first)
        for _ in range(2):
            dailies().tick(at_hour(tomorrow, 18))
            write_answers(
                database, needed(tracker.parts.review, tracker, Part.REVIEW), at_hour(tomorrow, 20)
            )

        (playlist,) = show.own("Playlist", fields="code")
        joins = show.find(
            "PlaylistVersionConnection",
            ["playlist", "is", {"type": "Playlist", "id": playlist["id"]}],
            fields="version sg_sort_order",
        )
        joins.sort(key=lambda row: int(row["sg_sort_order"]))
        assert [row["version"]["id"] for row in joins] == [early, between, late]
        (sheet,) = show.find(
            "Attachment",
            ["attachment_links", "is", {"type": "Playlist", "id": playlist["id"]}],
            fields="display_name",
        )
        assert sheet["display_name"].startswith("Contact sheet ")
        (note,) = show.own("Note", fields="subject content note_links addressings_to")
        assert note["subject"] == f"{playlist['code']}: 3 new versions"
        assert [row["id"] for row in note["note_links"]] == [playlist["id"]]
        assert [row["id"] for row in note["addressings_to"]] == [show.artist]
        assert f"https://v/{early}" in note["content"]
