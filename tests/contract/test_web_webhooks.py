"""From the embedded tracker's webhooks to what Haikei's real server is woken for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from pydantic import HttpUrl, SecretStr
from sqlalchemy import Engine, Table, select

from haikei.database import feed_cursors, feed_rows, review_wakes, utc_now
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.clocks import PATIENCE, eventually
from support.databases import fresh_database
from support.sites import RunningStudio, Show, running_studio
from support.web import SECRET, TOKEN, a_form, serving, sign_form


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A show whose tracker reaches Haikei's server."""

    show: Show
    url: str
    database: Engine

    def ids(self, table: Table, column: str) -> set[int]:
        with self.database.connect() as connection:
            return set(connection.execute(select(table.c[column])).scalars())


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    with running_studio(tmp_path_factory.mktemp("studio"), uploads="classic") as running:
        yield running


@pytest.fixture
def reached(studio: RunningStudio, tmp_path: Path) -> Iterator[Reached]:
    show = studio.show()
    tracker = show.settings.tracker.model_copy(update={"key": show.key})
    web = show.settings.web.model_copy(
        update={
            "port": 0,
            "webhook_token": SecretStr(TOKEN),
            "menu_secret": SecretStr(SECRET),
        }
    )
    state = show.settings.studio.model_copy(update={"state": tmp_path})
    settings = show.settings.model_copy(update={"tracker": tracker, "web": web, "studio": state})
    database = fresh_database(tmp_path / "haikei.db")
    try:
        with serving(settings, database) as (url, _, _):
            known = web.model_copy(update={"url": HttpUrl(url)})
            adapter = ShotGridTracker(settings.model_copy(update={"web": known}), show.key)
            adapter.setup(dry_run=False)
            adapter.close()
            yield Reached(show=replace(show, settings=settings), url=url, database=database)
    finally:
        database.dispose()


def test_a_status_a_note_and_a_reply_in_the_tracker_wake_their_versions(reached: Reached) -> None:
    show = reached.show
    versions = [show.create("Version", code=f"c001_bg_v00{number}") for number in (1, 2, 3)]
    other = show.create("Note", subject="old", content="…")

    show.sg.update("Version", versions[0], {"sg_status_list": "apr"})
    eventually(lambda: versions[0] in reached.ids(review_wakes, "version_id"))
    note = show.create(
        "Note",
        subject="Sky",
        note_links=[{"type": "Version", "id": versions[1]}],
        content="Less green.",
    )
    eventually(lambda: versions[1] in reached.ids(review_wakes, "version_id"))
    with reached.database.begin() as connection:
        connection.execute(review_wakes.delete())
    show.sg.create("Reply", {"entity": {"type": "Note", "id": note}, "content": "And warmer."})
    eventually(lambda: versions[1] in reached.ids(review_wakes, "version_id"))

    assert versions[2] not in reached.ids(review_wakes, "version_id")
    assert other


def test_a_published_file_is_expected_by_the_follower(reached: Reached) -> None:
    feed = str(reached.show.settings.tracker.url).rstrip("/")
    with reached.database.begin() as connection:
        connection.execute(
            feed_cursors.insert().values(
                feed=feed, frontier=1, clock=0.0, since=utc_now(), updated_at=utc_now()
            )
        )

    row = reached.show.create("PublishedFile", code="c001_bg_v001.png")

    eventually(lambda: row in reached.ids(feed_rows, "row_id"))


def test_a_person_comes_by_a_menu_item_and_is_known(reached: Reached) -> None:
    show = reached.show
    version = show.create("Version", code="not ours")
    show.sg.update("HumanUser", show.artist, {"sg_status_list": "act"})
    (person,) = show.find("HumanUser", ["id", "is", show.artist], fields="login")
    form = a_form("Version", version, login=str(person["login"]), server_hostname="127.0.0.1")

    with httpx.Client(base_url=reached.url, timeout=PATIENCE) as browser:
        answer = browser.post("/menu/open", data={**form, "signature": sign_form(form)})

        assert answer.status_code == 404
        assert "no background of this yet" in answer.text
        assert "haikei" in browser.cookies
