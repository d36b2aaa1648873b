"""A retake as a whole job: other pictures from the same layout, and who asked for them."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from haikei.credits import Role, records
from haikei.database import jobs, utc_now
from haikei.jobs import JobOrder, JobState, add_job, job_row, order_of, order_text
from haikei.presets import PAINTER_ABILITIES
from haikei.review.notes import KeptNote, NoteState
from haikei.review.retakes import ordered
from support.jobs import JobStudio, job_studios
from support.trackers import MORI


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)()


def retaken(studio: JobStudio, key: str, text: str) -> JobOrder:
    """Let the version of a job be made again as a note asks."""
    with studio.database.begin() as connection:
        parent = records.background(connection, key)
        assert parent is not None
        note = KeptNote(
            id="Note:12",
            version=1,
            author=MORI.id,
            text=text,
            state=NoteState.WAITING,
            job="",
            written_at=utc_now(),
            seen_at=utc_now(),
        )
        before = order_in(connection, key)
        order = ordered(before, parent.code, [note], {MORI.id: MORI}, PAINTER_ABILITIES)
        add_job(connection, job_row(order, utc_now()))
    studio.work()
    return order


def order_in(connection: Connection, key: str) -> JobOrder:
    text = connection.execute(select(jobs.c.order_json).where(jobs.c.key == key)).scalar_one()
    return order_of(text)


def test_a_retake_becomes_the_next_version_with_who_asked_in_its_record(studio: JobStudio) -> None:
    first = studio.publish()

    order = retaken(studio, first, "less green")

    job = studio.store.get(order.key)
    assert (job.state, job.version_code) == (JobState.DONE, "c001_bg_summer_day_v002")
    with studio.database.connect() as connection:
        before = records.background(connection, first)
        after = records.background(connection, order.key)
    assert before is not None
    assert after is not None
    assert after.images[0].sha256 == before.images[0].sha256
    assert after.images[0].contributions == before.images[0].contributions
    (asked,) = [one for one in after.final.contributions if one.role is Role.RETAKE]
    assert asked.actor.name == "K. Mori"
    assert asked.evidence.source == "Note:12 on c001_bg_summer_day_v001"
    assert len(asked.evidence.sha256) == 64
    request = studio.tracker.published[order.key]
    assert "retake: K. Mori (HumanUser:14)" in request.roles
    assert "Retake of c001_bg_summer_day_v001: less green" in request.description


def test_what_is_turned_reaches_the_generator_with_the_seed_that_was(studio: JobStudio) -> None:
    first = studio.publish()

    order = retaken(studio, first, "less green, keep it calm")

    with studio.database.connect() as connection:
        requests = [
            json.loads(found.final.request_json)
            for key in (first, order.key)
            if (found := records.background(connection, key)) is not None
        ]
    assert requests[0]["seed"] == requests[1]["seed"]
    assert requests[1]["adjustments"] == [["green", -50]]
    assert "less green, keep it calm" in requests[1]["prompt"]
    assert requests[0]["layout_sha256"] == requests[1]["layout_sha256"]


def test_a_retake_at_another_time_is_the_first_of_its_own_versions(studio: JobStudio) -> None:
    first = studio.publish()

    order = retaken(studio, first, "make it night")

    assert studio.store.get(order.key).version_code == "c001_bg_summer_night_v001"


def test_an_order_is_read_as_it_was_written(studio: JobStudio) -> None:
    first = studio.publish()
    order = retaken(studio, first, "less green, no power lines")

    assert order_of(order_text(order)) == order
    plain = replace(order, retake=None)
    assert order_of(order_text(plain)) == plain
