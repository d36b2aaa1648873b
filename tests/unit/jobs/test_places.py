"""Where a layout belongs is completed from the tracker before anything is made of it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from haikei.credits import Scope, records
from haikei.dailies import Dailies
from haikei.database import reading, utc_now
from haikei.images import write_picture
from haikei.jobs import JobState, Step
from haikei.jobs.touchup import open_questions
from haikei.jobs.touchup.find_parent import find_parent
from haikei.show import Place
from support.jobs import (
    RIKU,
    JobStudio,
    OpenJobStudio,
    QuestionTracker,
    announce,
    announce_touch_up,
    another_drawing,
    job_studios,
    put_layout,
    touch_up_event,
)

TEMPLATES = {
    "background": "{project}/{sequence}/{shot}_{season}_{time}_v{version:03d}.{ext}",
    "stage": "{project}/[{episode}/]{shot}_{season}_{time}_v{version:03d}_{stage}.{ext}",
    "touch_up": "{project}/{shot}_{season}_{time}_v{version:03d}.{ext}",
}


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def announced(studio: JobStudio, place: Place, *, shade: float = 0.5) -> None:
    event = put_layout(studio.settings, place.shot, shade=shade)
    announce(studio.database, replace(event, place=place))
    studio.work()


def storage(folder: Path) -> dict[str, object]:
    roots = [{"name": "primary", "path": str(folder / "root")}]
    return {**TEMPLATES, "roots": roots, "reserve_mib": 0}


def test_a_path_that_does_not_say_the_sequence_gets_the_trackers(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    studio = open_studio(storage=storage(tmp_path))
    studio.tracker.add_shot(Place(project="PORT", sequence="s07", shot="c001"))

    announced(studio, Place(project="PORT", sequence="", shot="c001"))

    job = studio.store.get(studio.key)
    assert (job.state, job.place.sequence) == (JobState.DONE, "s07")
    assert (tmp_path / "root" / "PORT" / "s07" / "c001_summer_day_v001.png").is_file()


def test_what_nobody_says_is_refused_in_collect_with_what_to_do_and_nothing_is_made(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    studio = open_studio(storage=storage(tmp_path))

    announced(studio, Place(project="PORT", sequence="", shot="c001"))

    job = studio.store.get(studio.key)
    assert (job.state, job.step, job.error_kind) == (JobState.DEAD, Step.COLLECT, "PlaceUnknown")
    assert "{sequence}" in job.error
    assert "[{sequence}/]" in job.error
    assert studio.generator.made == []


@pytest.mark.parametrize("touch_up", [r"{project}/{shot:C\d+}_{season}_{time}_v{version}.{ext}"])
def test_a_name_that_a_template_cannot_write_is_refused_before_anything_is_made(
    open_studio: OpenJobStudio, tmp_path: Path, touch_up: str
) -> None:
    studio = open_studio(storage={**storage(tmp_path), "touch_up": touch_up})

    announced(studio, Place(project="PORT", sequence="s01", shot="c001"))

    job = studio.store.get(studio.key)
    assert (job.state, job.step, job.error_kind) == (JobState.DEAD, Step.COLLECT, "PathRefused")
    assert studio.generator.made == []


@pytest.mark.parametrize("other", ["port", "ＰＯＲＴ"])
def test_folders_of_one_show_in_two_spellings_are_one_project_and_one_playlist(
    open_studio: OpenJobStudio, other: str
) -> None:
    studio = open_studio()
    studio.tracker.add_shot(Place(project="PORT", sequence="s01", shot="c001"))
    studio.tracker.add_shot(Place(project="PORT", sequence="s01", shot="c002"))
    announced(studio, Place(project="PORT", sequence="s01", shot="c001"))

    announced(studio, Place(project=other, sequence="S01", shot="C002"), shade=0.3)

    with reading(studio.database) as connection:
        found = list(records.backgrounds(connection, Scope(project="PORT", latest=False)))
    assert [(one.sequence, one.shot) for one in found] == [("s01", "c001"), ("s01", "c002")]
    root = studio.settings.storage.roots[0].path
    assert [one.name for one in root.iterdir() if not one.name.startswith(".")] == ["PORT"]
    dailies = Dailies(studio.settings, studio.database, open_tracker=lambda _: studio.tracker)
    assert dailies.tick(utc_now()) == 2
    dailies.close()
    assert len(studio.tracker.playlists.playlists) == 1


def test_a_folder_on_disk_keeps_its_spelling(open_studio: OpenJobStudio) -> None:
    studio = open_studio()
    studio.tracker.add_shot(Place(project="Port", sequence="s01", shot="c001"))

    announced(studio, Place(project="PORT", sequence="s01", shot="c001"))

    root = studio.settings.storage.roots[0].path
    assert [one.name for one in root.iterdir() if not one.name.startswith(".")] == ["PORT"]


def test_a_touch_up_in_another_spelling_finds_its_version(open_studio: OpenJobStudio) -> None:
    studio = open_studio()
    announced(studio, Place(project="PORT", sequence="s01", shot="c001"))
    event = touch_up_event(studio.files[0], season="summer", time="day", version=1)
    place = Place(project="port", sequence="S01", shot="C001")

    found = find_parent(replace(event, place=place), studio.tools)

    assert found.code == "c001_bg_summer_day_v001"


def test_a_question_about_a_touch_up_stands_on_its_show_in_any_spelling(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    studio = open_studio()
    studio.tracker = QuestionTracker()
    studio.tracker.add_shot(Place(project="PORT", sequence="s01", shot="c001"))
    drawing = tmp_path / "painted.png"
    write_picture(another_drawing(), drawing)
    place = Place(project="port", sequence="s01", shot="c001")

    announce_touch_up(studio, touch_up_event(drawing, place=place, artist=RIKU))

    with reading(studio.database) as connection:
        assert len(open_questions(connection, "PORT")) == 1
        assert open_questions(connection, "OTHER") == ()


def routed(open_studio: OpenJobStudio, tmp_path: Path, *routes: dict[str, object]) -> JobStudio:
    stages = [{"name": "gen1", "generator": "flat", "options": {"level": 0.5}}]
    studio = open_studio(
        storage=storage(tmp_path),
        recipes={name: {"stages": stages} for name in ("flat", "night", "other")},
        routes=list(routes),
    )
    studio.tracker.add_shot(Place(project="PORT", sequence="s07", shot="c001"))
    announced(studio, Place(project="PORT", sequence="", shot="c001"))
    return studio


def made(studio: JobStudio) -> set[tuple[str, str, str, JobState]]:
    return {(one.recipe, one.season, one.time, one.state) for one in studio.store.list()}


NIGHTS = [{"season": "winter", "time": "night"}, {"season": "summer", "time": "night"}]


@pytest.mark.parametrize("rest", [({"recipe": "flat"},), ()], ids=["with another", "alone"])
def test_a_route_of_a_sequence_that_only_the_tracker_knows_is_taken_before_anything_is_made(
    open_studio: OpenJobStudio, tmp_path: Path, rest: tuple[dict[str, object], ...]
) -> None:
    night: dict[str, object] = {
        "sequence": "S07",
        "recipe": "night",
        "variants": NIGHTS,
        "seed": 11,
    }

    studio = routed(open_studio, tmp_path, night, *rest)

    assert made(studio) == {("night", one["season"], one["time"], JobState.DONE) for one in NIGHTS}
    for one in NIGHTS:
        name = f"c001_{one['season']}_{one['time']}_v001.png"
        assert (tmp_path / "root" / "PORT" / "s07" / name).is_file()
    announced(studio, Place(project="PORT", sequence="", shot="c001"))
    assert len(studio.store.list()) == 2


def test_a_variant_that_the_sequences_route_does_not_make_is_refused_clearly(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    night: dict[str, object] = {"sequence": "s07", "recipe": "night", "variants": NIGHTS[:1]}

    studio = routed(open_studio, tmp_path, night, {"recipe": "flat", "variants": NIGHTS})

    (dead,) = studio.store.list(states=[JobState.DEAD])
    assert (dead.season, dead.step) == ("summer", Step.COLLECT)
    assert "the route of that place makes no summer night" in dead.error
    assert ("night", "winter", "night", JobState.DONE) in made(studio)


def test_a_layout_of_another_sequence_than_any_routes_is_refused_in_collect(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    studio = routed(open_studio, tmp_path, {"sequence": "s08", "recipe": "other"})

    (dead,) = studio.store.list()
    assert (dead.state, dead.step, dead.error_kind) == (
        JobState.DEAD,
        Step.COLLECT,
        "PolicyRefusal",
    )
    assert "No route in the settings takes PORT/s07/c001" in dead.error
    assert studio.generator.made == []
