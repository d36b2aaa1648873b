"""What the tracker's fields say of a cut decides how its backgrounds are made."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from haikei.database import image_records, jobs
from haikei.images import read_picture
from haikei.jobs import JobOrder, JobState
from haikei.jobs.table import order_of
from haikei.show import CutFacts, Place
from support.jobs import PROJECT, JobStudio, OpenJobStudio, job_studios


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def orders(studio: JobStudio) -> list[JobOrder]:
    with studio.database.begin() as connection:
        texts = connection.execute(select(jobs.c.order_json)).scalars().all()
    return [order_of(text) for text in texts]


def say(studio: JobStudio, shot: str, **facts: str) -> None:
    place = Place(project=PROJECT, sequence="s01", shot=shot)
    studio.tracker.add_shot(place, cut=CutFacts(**facts))


def test_season_and_time_are_the_trackers_where_the_route_names_none(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio()
    say(studio, "c001", season="秋", time="夕方")
    say(studio, "c002")

    studio.publish("c001")
    studio.publish("c002")

    made = {job.place.shot: (job.season, job.time) for job in studio.store.list(limit=9)}
    assert made == {"c001": ("autumn", "sunset"), "c002": ("summer", "day")}
    assert {job.state for job in studio.store.list(limit=9)} == {JobState.DONE}


def test_what_a_route_names_stays_and_what_it_leaves_open_is_the_trackers(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio(routes=[{"recipe": "flat", "times": ["day", "night"]}])
    say(studio, "c001", season="winter", time="sunset")

    studio.publish("c001")

    made = {(job.season, job.time) for job in studio.store.list(limit=9)}
    assert made == {("winter", "day"), ("winter", "night")}


def test_a_season_that_nobody_knows_makes_no_picture_and_says_which_field(
    open_studio: OpenJobStudio,
) -> None:
    studio = open_studio()
    say(studio, "c001", season="梅雨")

    studio.publish("c001")

    (job,) = studio.store.list(limit=9)
    assert job.state is JobState.DEAD
    assert "梅雨" in job.error
    assert "tracker.cut_fields.season" in job.error
    assert studio.generator.made == []


def test_layouts_of_a_location_may_share_one_seed(open_studio: OpenJobStudio) -> None:
    studio = open_studio(routes=[{"recipe": "flat", "shared_seed": "location"}])
    for shot, location in (("c001", "港"), ("c002", "港"), ("c003", "駅"), ("c004", "")):
        say(studio, shot, location=location)
        studio.publish(shot)

    seeds = {order.place.shot: order.seed for order in orders(studio)}

    assert seeds["c001"] == seeds["c002"]
    assert len(set(seeds.values())) == 3


def test_the_request_names_the_recipe_its_hash_and_what_the_cut_is_to_look_like(
    open_studio: OpenJobStudio,
) -> None:
    recipe = {
        "extends": "flat",
        "prompt": "painted, {weather}, {notes}, {colours}",
        "negative_prompt": "text",
    }
    flat = {"stages": [{"name": "gen1", "generator": "flat", "options": {"level": 0.25}}]}
    studio = open_studio(
        recipes={"flat": flat, "rain": recipe},
        routes=[{"recipe": "rain"}],
        looks=[{"sequence": "s01", "colours": "teal", "prompt": "wet paper"}],
    )
    say(studio, "c001", weather="雨", notes="逆光、人物なし、龍", location="港")

    studio.publish("c001")

    (version,) = studio.tracker.published.values()
    query = select(image_records.c.request).where(image_records.c.request != "")
    with studio.database.begin() as connection:
        request = json.loads(connection.execute(query).scalars().first() or "")
    assert request["prompt"] == "painted, rain, wet ground, backlight, teal, wet paper"
    assert request["negative_prompt"] == "text, people"
    assert (request["recipe"], len(request["recipe_sha256"])) == ("rain", 64)
    assert request["weather"] == "雨"
    assert request["location"] == f"{PROJECT}/港"
    assert "龍" in version.description


def test_what_no_generator_of_the_recipe_reads_is_said(open_studio: OpenJobStudio) -> None:
    studio = open_studio()
    say(studio, "c001", weather="rain")

    studio.publish("c001")

    (version,) = studio.tracker.published.values()
    assert "weather reaches nothing, since no generator reads words: rain" in version.description


def test_an_enlarged_background_is_published_at_its_size_with_both_stages(
    open_studio: OpenJobStudio,
) -> None:
    stages = [
        {"name": "gen1", "generator": "flat", "options": {"level": 0.25}},
        {"name": "big", "generator": "upscale", "enlarge": 4},
    ]
    studio = open_studio(recipes={"flat": {"stages": stages}})

    studio.publish()

    (version,) = studio.tracker.published.values()
    result = read_picture(version.images[0].file.path)
    assert (result.width, result.height) == (192, 128)
    assert "Haikei upscale (Lanczos)" in version.system
