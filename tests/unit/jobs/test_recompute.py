"""What a job tells the tracker, and what is computed anew from its lineage, are the same."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from haikei.credits import SourceType, records
from haikei.events import Source
from haikei.jobs.recomputing import stated
from haikei.review import Reviewer, wake
from haikei.trackers import PublishRequest, StatedCredits
from support.jobs import JobStudio, OpenJobStudio, job_studios
from support.trackers import MORI


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


@pytest.fixture
def studio(open_studio: OpenJobStudio) -> JobStudio:
    return open_studio()


def told(request: PublishRequest) -> StatedCredits:
    return StatedCredits(
        credit_en=request.credit_en,
        credit_ja=request.credit_ja,
        roles=request.roles,
        system=request.system,
        source_type=request.source_type,
        ledger_index=request.ledger_index,
        record_link=request.record_link,
    )


def anew(studio: JobStudio) -> StatedCredits:
    with studio.database.begin() as connection:
        version = records.background(connection, studio.key)
    assert version is not None
    return stated(version)


def test_credits_that_are_computed_anew_are_those_that_the_job_wrote(studio: JobStudio) -> None:
    studio.publish()

    assert anew(studio) == told(studio.tracker.published[studio.key])


def test_it_is_so_for_a_trained_model_too(studio: JobStudio) -> None:
    studio.generator.source_type = SourceType.TRAINED
    studio.publish()

    found = anew(studio)

    assert found == told(studio.tracker.published[studio.key])
    assert found.source_type == "compositeWithTrainedAlgorithmicMedia"


def test_it_is_so_for_artists_who_are_withheld(open_studio: OpenJobStudio) -> None:
    studio = open_studio(people=[{"name": "Aoi Sato", "opt_out": "letter of 2026-10-02"}])
    studio.publish()

    found = anew(studio)

    assert found == told(studio.tracker.published[studio.key])
    assert "HumanUser" not in found.roles


def test_who_approved_stands_in_the_trackers_fields_at_once(studio: JobStudio) -> None:
    studio.publish()
    studio.tracker.review.set_status(1, "apr", MORI)
    with studio.database.begin() as connection:
        wake(connection, [1], source=Source.EVENT_LOG)

    Reviewer(studio.settings, studio.database, open_tracker=studio.open_tracker).tick()

    shown = studio.tracker.credits.stated["Version", 1]
    assert "approval: K. Mori (HumanUser:14)" in shown.roles.splitlines()
    assert shown == anew(studio)
