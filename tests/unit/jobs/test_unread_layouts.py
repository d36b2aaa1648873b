"""A version whose layout could not be read says so, and waits for a look before its review."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from haikei.database import notices
from support.jobs import JobStudio, OpenJobStudio, job_studios


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def questions(studio: JobStudio) -> list[str]:
    with studio.database.begin() as connection:
        found = connection.execute(select(notices.c.text).where(notices.c.kind == "question"))
        return list(found.scalars())


def test_a_version_above_the_limit_stays_out_of_review_and_people_are_asked_to_look(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio()
    studio.generator.unread = 0.7

    request = studio.tracker.published[studio.publish()]

    assert request.status == studio.settings.tracker.look_status == "na"
    assert request.unread == 0.7
    assert "70% could not be read." in request.description
    (note,) = studio.tracker.review.addressed.values()
    assert "needs a look" in note.subject
    assert "70% could not be read." in note.text
    (question,) = questions(studio)
    assert "70% could not be read." in question


@pytest.mark.parametrize("unread", [None, 0.0, 0.6])
def test_a_version_within_the_limit_goes_to_review(
    open_studio: OpenJobStudio, unread: float | None
) -> None:
    studio = open_studio()
    studio.generator.unread = unread

    request = studio.tracker.published[studio.publish()]

    assert request.status == studio.settings.tracker.review_status
    assert request.unread == unread
    assert not studio.tracker.review.addressed
    assert questions(studio) == []


def test_the_limit_is_the_studios(open_studio: OpenJobStudio) -> None:
    studio = open_studio(review={"unread_limit": 0.1})
    studio.generator.unread = 0.2

    request = studio.tracker.published[studio.publish()]

    assert request.status == studio.settings.tracker.look_status
