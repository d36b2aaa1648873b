"""Codes of sequences and shots repeat from episode to episode: each cut stays one of its own."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from haikei.credits import Scope, Statement, StatementKind, records
from haikei.credits.people import note
from haikei.credits.records import statements
from haikei.database import ChangeStamp, reading, utc_now
from haikei.errors import CreditError, TouchUpRefused
from haikei.events import LayoutPublished
from haikei.jobs import JobState
from haikei.jobs.inbox import LAYOUT, keys_of
from haikei.jobs.touchup.find_parent import find_parent
from haikei.jobs.touchup.parent import parent_of
from haikei.show import Place
from haikei.web.pages.gallery import CardPlace, GalleryFilter, Overviews, card, gallery
from support.jobs import (
    SAKURA,
    JobStudio,
    OpenJobStudio,
    announce,
    job_studios,
    paint,
    put_layout,
    touch_up_event,
)

TEMPLATES = {
    "background": "{project}/{episode}/{shot}_bg_{season}_{time}_v{version:03d}.{ext}",
    "stage": "{project}/{episode}/{shot}_{season}_{time}_v{version:03d}_{stage}.{ext}",
    "touch_up": "{project}/{episode}/{shot}_bg_{season}_{time}_v{version:03d}.{ext}",
}
FIRST = Place(project="PORT", episode="EP01", sequence="s01", shot="c001")
SECOND = Place(project="PORT", episode="EP02", sequence="s01", shot="c001")


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


@pytest.fixture
def studio(open_studio: OpenJobStudio) -> JobStudio:
    made = open_studio()
    for place in (FIRST, SECOND):
        made.tracker.add_shot(place, artists=(SAKURA,))
    return made


def _layout(studio: JobStudio, place: Place, folder: str, name: str = "") -> LayoutPublished:
    """Return the very same drawing as a file of this place's."""
    event = put_layout(studio.settings)
    path = event.layout.with_name(f"{folder}_{name or event.layout.name}")
    shutil.copy(event.layout, path)
    return replace(event, place=place, layout=path)


def _done(studio: JobStudio) -> list[Place]:
    found = [job for job in studio.store.list() if job.state is JobState.DONE]
    return sorted((job.place for job in found), key=lambda place: place.episode + place.sequence)


def test_the_same_bytes_in_two_episodes_are_two_layouts(studio: JobStudio) -> None:
    announce(studio.database, _layout(studio, FIRST, "one"), _layout(studio, SECOND, "two"))
    studio.work()
    # Told of once more, by whom else: nothing is new.
    announce(studio.database, _layout(studio, SECOND, "two"), _layout(studio, FIRST, "one"))
    studio.work()

    assert _done(studio) == [FIRST, SECOND]
    with reading(studio.database) as connection:
        for place in (FIRST, SECOND):
            scope = Scope(project="PORT", episode=place.episode, sequence="s01", shot="c001")
            (version,) = records.backgrounds(connection, scope)
            assert version.part == f"{place.episode} / s01"
            assert len(keys_of(connection, LAYOUT, place, version.images[0].sha256)) <= 1
        assert records.count(connection, Scope(project="PORT")) == 2
        assert len({*records.backgrounds(connection, Scope(project="PORT", shot="c001"))}) == 2


@pytest.mark.parametrize("other", ["s02", "Ｓ０２"])
def test_the_same_bytes_in_two_sequences_are_two_layouts(studio: JobStudio, other: str) -> None:
    second = Place(project="PORT", sequence=other, shot="c001")
    studio.tracker.add_shot(Place(project="PORT", sequence="s02", shot="c001"))
    announce(studio.database, _layout(studio, FIRST, "one"), _layout(studio, second, "two"))
    studio.work()

    assert {place.sequence for place in _done(studio)} == {"s01", "s02"}


def test_the_same_bytes_again_for_one_cut_are_answered(studio: JobStudio) -> None:
    for place in (FIRST, SECOND):
        announce(studio.database, _layout(studio, place, place.episode))
    studio.work()
    announce(studio.database, _layout(studio, SECOND, "two", "c001_bg_v003.png"))
    studio.work()

    answered = [job for job in studio.store.list() if job.error_kind == "SameDrawing"]
    assert [job.place for job in answered] == [SECOND]
    assert len(_done(studio)) == 2


def test_what_a_path_leaves_open_is_no_second_layout(studio: JobStudio) -> None:
    vague = _layout(studio, Place(project="PORT", sequence="", shot="c001"), "one")
    row = replace(vague, place=FIRST, published_file=7)
    announce(studio.database, row)
    announce(studio.database, vague)
    studio.work()

    assert _done(studio) == [FIRST]
    assert len(studio.store.list()) == 1


def test_a_path_that_calls_its_sequence_otherwise_is_no_second_layout(studio: JobStudio) -> None:
    file = _layout(studio, replace(FIRST, sequence="01"), "one")
    row = replace(file, place=FIRST, published_file=7)
    announce(studio.database, file)
    announce(studio.database, row)
    studio.work()

    assert len(studio.store.list()) == 1


def test_one_file_that_two_rows_link_to_two_shots_is_two_layouts(studio: JobStudio) -> None:
    first = replace(_layout(studio, FIRST, "one"), published_file=7)
    announce(studio.database, first)
    announce(studio.database, replace(first, place=SECOND, published_file=8))
    studio.work()
    announce(studio.database, replace(first, place=SECOND, published_file=8))
    studio.work()

    assert _done(studio) == [FIRST, SECOND]


def test_pages_show_each_cut_by_itself(studio: JobStudio) -> None:
    announce(studio.database, _layout(studio, FIRST, "one"), _layout(studio, SECOND, "two"))
    studio.work()

    with reading(studio.database) as connection:
        with closing(ChangeStamp(studio.database)) as stamp:
            groups = Overviews(stamp).groups(connection)
        found = gallery(connection, "PORT", GalleryFilter(), groups)
        assert found is not None
        assert [one.name for one in found.sequences] == ["EP01 / s01", "EP02 / s01"]
        one = gallery(connection, "PORT", GalleryFilter(sequence="EP02 / s01"), groups)
        assert one is not None
        assert one.shown == 1
        wanted = CardPlace(episode="EP02", sequence="s01", shot="c001", season="summer", time="day")
        shown = card(connection, "PORT", wanted)
        assert shown is not None
        assert shown.place == wanted


def test_a_touch_up_goes_home_to_its_own_episode(studio: JobStudio) -> None:
    announce(studio.database, _layout(studio, FIRST, "one"), _layout(studio, SECOND, "two"))
    studio.work()

    with reading(studio.database) as connection:
        scope = Scope(project="PORT", episode="EP02", shot="c001")
        (version,) = records.backgrounds(connection, scope)
    file = paint(studio, version, "comes-home.png")
    event = touch_up_event(file, place=SECOND, season="summer", time="day", version=version.version)
    assert find_parent(event, studio.tools).sha256 == version.final.sha256


def test_a_name_that_versions_of_two_cuts_have_is_asked_about(
    open_studio: OpenJobStudio, tmp_path: Path
) -> None:
    roots = [{"name": "primary", "path": str(tmp_path / "root")}]
    studio = open_studio(storage={**TEMPLATES, "roots": roots, "reserve_mib": 0})
    for place in (FIRST, SECOND):
        studio.tracker.add_shot(place, artists=(SAKURA,))
    announce(studio.database, _layout(studio, FIRST, "one"), _layout(studio, SECOND, "two"))
    studio.work()

    with reading(studio.database) as connection:
        one, two = records.backgrounds(connection, Scope(project="PORT"))
        assert one.code == two.code
        with pytest.raises(CreditError) as refused:
            records.named(connection, one.code)
        for version in (one, two):
            assert version.key in refused.value.message
            assert f"PORT / {version.episode} / s01" in refused.value.message
            assert records.named(connection, version.key) == version
        assert records.named(connection, one.code, project="UMI") is None
    with pytest.raises(TouchUpRefused, match="EP02"):
        parent_of(one.code, studio.tools)


def test_a_statement_about_one_episode_holds_for_it_alone(studio: JobStudio) -> None:
    said = Statement(
        key="by-hand",
        kind=StatementKind.HAND_DRAWN,
        project="PORT",
        episode="EP02",
        sequence="s01",
        shot="c001",
        image_sha256="",
        by=SAKURA,
        to="",
        subject="",
        answer="",
        text="I drew it.",
        reference="",
        at=utc_now(),
    )
    with studio.database.begin() as connection:
        note(connection, SAKURA)
        statements.declare(connection, said)
        assert statements.hand_drawn(connection, FIRST) is None
        assert statements.hand_drawn(connection, SECOND) is not None
        assert list(statements.statements(connection, project="PORT")) == [said]
