"""A retake and an approval over HTTP against the embedded tracker."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from haikei.credits import Role, records
from haikei.database import jobs, utc_now
from haikei.decisions import Decision, ReviewState
from haikei.jobs import JobOrder, JobState, add_job, job_row, order_of, result_text
from haikei.review import Decider, Deciding, Reviewer, ReviewVerdict
from haikei.show import Place
from haikei.trackers import Part, PublishResult, needed
from haikei.trackers.shotgrid.tracker import ShotGridTracker
from support.databases import fresh_database
from support.records import a_background, a_chain, save_background
from support.sites import Show, running_studio

SUPERVISOR = "haruka"


@pytest.fixture
def show(tmp_path: Path) -> Iterator[Show]:
    with running_studio(tmp_path / "studio", uploads="classic") as studio:
        yield studio.show()


@pytest.fixture
def tracker(show: Show) -> Iterator[ShotGridTracker]:
    adapter = ShotGridTracker(show.settings, show.key)
    yield adapter
    adapter.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    engine = fresh_database(tmp_path / "haikei.db")
    yield engine
    engine.dispose()


def first_order() -> JobOrder:
    told = a_background()
    return JobOrder(
        key=told.key,
        event_key="layout-c001",
        place=Place(project=told.project, sequence=told.sequence, shot=told.shot),
        layout=Path("/show/c001.png"),
        layout_sha256="0" * 64,
        layout_name="bg",
        published_file=None,
        recipe="flat",
        season=told.season,
        time=told.time,
        place_hint="",
        priority=100,
        seed=7,
    )


def make(
    database: Engine, tracker: ShotGridTracker, show: Show, order: JobOrder, version: int
) -> PublishResult:
    """Let a job be done: its records, its Version, its result."""
    told = a_background(
        season=order.season,
        time=order.time,
        version=version,
        images=a_chain(order.key, touch_up_by=()),
    )
    request = show.background(tracker.context(show.ask()), key=order.key)
    result = tracker.publish(request)
    with database.begin() as connection:
        add_job(connection, job_row(order, utc_now()))
        save_background(connection, replace(told, key=order.key))
        records.published(connection, order.key, tracker_id=result.version.id, url=result.url)
        connection.execute(
            update(jobs)
            .where(jobs.c.key == order.key)
            .values(state=JobState.DONE.value, result_json=result_text(result))
        )
    return result


def test_a_retake_from_the_page_is_answered_and_the_next_version_approved(
    show: Show, tracker: ShotGridTracker, database: Engine
) -> None:
    show.sg.create("HumanUser", {"login": SUPERVISOR, "name": "Haruka Mori"})
    ahead = timedelta()
    desk = needed(tracker.parts.review, tracker, Part.REVIEW)
    reviewer = Reviewer(
        show.settings, database, open_tracker=lambda _: tracker, clock=lambda: utc_now() + ahead
    )
    order = first_order()
    first = make(database, tracker, show, order, 1)
    by = Decider(login=SUPERVISOR, name="Haruka Mori")
    deciding = Deciding(show.settings, database, desk)

    deciding.decide(
        order.key, ReviewVerdict(decision=Decision.RETAKE, text="less green, at night", by=by)
    )
    for _ in range(3):
        reviewer.tick()
        ahead += timedelta(minutes=1)
    with database.connect() as connection:
        text = connection.execute(
            select(jobs.c.order_json).where(jobs.c.key.startswith("retake-"))
        ).scalar_one()
    retake = order_of(text)
    second = make(database, tracker, show, retake, 1)
    reviewer.tick()
    reviewer.tick()

    (note,) = show.find("Note", ["note_links", "is", _link("Version", first.version.id)])
    found = show.find("Reply", ["entity", "is", _link("Note", note["id"])])
    begun, reply = sorted(found, key=lambda one: one["id"])
    assert "is being made again" in value(show, "Reply", begun["id"], "content")
    links = value(show, "Note", note["id"], "note_links")
    linked = {one["id"] for one in links if one["type"] == "Version"}
    assert linked == {first.version.id, second.version.id}
    assert "less green" in value(show, "Reply", reply["id"], "content")
    assert retake.retake is not None
    assert [person.name for person in retake.retake.asked_by] == ["Haruka Mori"]

    deciding.decide(retake.key, ReviewVerdict(decision=Decision.APPROVE, by=by))
    reviewer.tick()

    assert value(show, "Task", show.background_task, "sg_status_list") == "fin"
    with database.connect() as connection:
        version = records.background(connection, retake.key)
    assert version is not None
    assert version.state is ReviewState.APPROVED
    (approval,) = [one for one in version.final.contributions if one.role is Role.APPROVAL]
    assert approval.actor.name == "Haruka Mori"


def value(show: Show, entity_type: str, number: int, name: str) -> Any:
    found = show.sg.find_one(entity_type, [["id", "is", number]], [name])
    assert found is not None
    return dict[str, Any](found)[name]


def _link(entity_type: str, number: int) -> dict[str, object]:
    return {"type": entity_type, "id": number}
