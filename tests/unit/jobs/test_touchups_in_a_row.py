"""Touch-ups upon touch-ups: what came along is told from what was done; one person stays one."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from haikei.credits import BackgroundVersion, Person, Role, SourceType
from haikei.images import Picture, read_picture, write_picture
from haikei.jobs import TouchUpOrder
from haikei.jobs.touchup import TakenIn, take_in
from haikei.provenance import read_marks
from support.jobs import JobStudio, job_studios, make_background, version_of

SAKURA = Person(id="HumanUser:21", name="Sakura Ito", name_ja="伊藤さくら")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[JobStudio]:
    with ExitStack() as stack:
        opened = job_studios(stack, tmp_path)()
        make_background(opened)
        yield opened


def touch_up(
    studio: JobStudio,
    version: BackgroundVersion,
    at: int,
    *,
    artist: Person = SAKURA,
    parameters: str = "",
) -> TakenIn:
    """Take in a square that is painted on a version, in a file with a program's text."""
    pixels = read_picture(studio.settings.storage.roots[0].path / version.final.path).pixels.copy()
    pixels[at : at + 40, at : at + 60] = (0.9, 0.2, at / 200)
    file = studio.settings.studio.state.parent / f"painted-{at}.png"
    write_picture(
        Picture(pixels=pixels), file, attributes={"parameters": parameters} if parameters else {}
    )
    return take_in(TouchUpOrder(file=file, of=version.code, artists=(artist,)), studio.tools)


@pytest.mark.parametrize(("seed", "made"), [(1, False), (2, True)])
def test_a_programs_text_tells_of_a_paint_over_where_it_is_not_its_parents(
    studio: JobStudio, seed: int, made: bool
) -> None:
    text = "a harbour\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: "
    first = touch_up(studio, version_of(studio, 1), 20, parameters=f"{text}1").background

    final = touch_up(studio, first, 90, parameters=f"{text}{seed}").background.final

    assert first.final.source_type is SourceType.COMPOSITE_TRAINED
    assert (final.source_type is SourceType.COMPOSITE_TRAINED) == made
    roles = [one.role for one in final.contributions]
    assert roles == [Role.TOUCH_UP, *([Role.AI_GENERATION] if made else [])]


def test_somebody_whom_the_tracker_spells_otherwise_by_now_has_one_name_in_all_marks(
    studio: JobStudio,
) -> None:
    first = touch_up(studio, version_of(studio, 1), 20).background
    spelt = replace(SAKURA, name="Sakura Itoh", name_ja="伊東さくら")

    taken = touch_up(studio, first, 90, artist=spelt)

    xmp = read_marks(taken.path, trust_pem=studio.tools.marks().trust_pem).xmp
    assert xmp is not None
    assert {one.name for one in xmp.contributors if one.id == SAKURA.id} == {"Sakura Itoh"}
    assert [one for one in xmp.creators if one.startswith("Sakura")] == ["Sakura Itoh"]
    assert "Sakura Itoh" in xmp.credit
    assert "Sakura Ito " not in f"{xmp.credit} "
