"""What a job tells the tracker, and what is computed anew from its lineage, are the same."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from haikei.credits import SourceType, records
from haikei.jobs.recompute import stated
from haikei.trackers import PublishRequest, StatedCredits
from support.house import House, OpenHouse, opening


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[OpenHouse]:
    with ExitStack() as stack:
        yield opening(stack, tmp_path)


@pytest.fixture
def house(open_house: OpenHouse) -> House:
    return open_house()


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


def anew(house: House) -> StatedCredits:
    with house.database.begin() as connection:
        version = records.background(connection, house.key)
    assert version is not None
    return stated(version)


def test_credits_that_are_computed_anew_are_those_that_the_job_wrote(house: House) -> None:
    house.publish()

    assert anew(house) == told(house.tracker.published[house.key])


def test_it_is_so_for_a_trained_model_too(house: House) -> None:
    house.generator.source_type = SourceType.TRAINED
    house.publish()

    found = anew(house)

    assert found == told(house.tracker.published[house.key])
    assert found.source_type == "compositeWithTrainedAlgorithmicMedia"


def test_it_is_so_for_artists_who_are_withheld(open_house: OpenHouse) -> None:
    house = open_house(people=[{"name": "Aoi Sato", "opt_out": "letter of 2026-10-02"}])
    house.publish()

    found = anew(house)

    assert found == told(house.tracker.published[house.key])
    assert "HumanUser" not in found.roles
