"""The painter as the rest of Haikei sees it: one request in, one picture out."""

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from haikei.credits import SourceType
from haikei.errors import GenerationCancelled, GenerationError, SettingsError
from haikei.generators import GenerationRequest, Generator, Progress, StageOrder, load_generator
from haikei.generators.painter import PainterGenerator
from haikei.images import Picture
from haikei.reading import Reader, read_layout
from haikei.reading.network import WEIGHTS
from haikei.scenes import Scene, SceneKind, draw
from haikei.settings import Policy, Settings

Options = tuple[tuple[str, str | int | float | bool], ...]
WASH: Options = (("finish", "wash"),)
FULL: Options = (("finish", "full"),)


@pytest.fixture(scope="module")
def painter() -> PainterGenerator:
    return PainterGenerator(Settings.model_construct())


@pytest.fixture(scope="module")
def layout() -> Picture:
    return draw(Scene(kind=SceneKind.VILLAGE, width=320, height=180, seed=2)).picture()


def request(options: Options = FULL, *, layout: Picture, **changes: object) -> GenerationRequest:
    plain = GenerationRequest(
        layout_sha256="0" * 64,
        previous_sha256="",
        stage="gen1",
        generator="painter",
        system=PainterGenerator(Settings.model_construct()).describe(order(options)).system,
        model="",
        options=options,
        prompt="",
        negative_prompt="",
        place="village",
        season="summer",
        time="day",
        seed=7,
        width=layout.width,
        height=layout.height,
        colour_space="srgb",
        libraries=(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # the test names the fields


def order(options: Options, model: str = "") -> StageOrder:
    return StageOrder(generator="painter", model=model, options=options)


def ignore(progress: Progress) -> None:
    assert 0 <= progress.step <= progress.steps


def paint(
    painter: Generator,
    layout: Picture,
    options: Options = FULL,
    previous: Picture | None = None,
    **changes: object,
) -> Picture:
    asked = request(options, layout=layout, **changes)
    return painter.generate(asked, layout=layout, previous=previous, progress=ignore).picture


def test_the_painter_describes_itself_as_an_algorithm_and_never_as_ai(
    painter: PainterGenerator,
) -> None:
    stage = painter.describe(order(WASH))

    assert (stage.system.name, stage.system.version) == ("Haikei painter", "1")
    assert stage.system.source_type is SourceType.ALGORITHMIC
    assert not stage.system.source_type.is_ai
    names = [name for name, _ in stage.libraries]
    network = "Haikei reading network"
    assert names == sorted(names) == [network, "numpy", "opencv-python-headless", "scipy"]
    assert all(number[0].isdigit() for _, number in stage.libraries)


def test_the_network_that_reads_for_the_painter_stands_in_the_record(
    painter: PainterGenerator,
) -> None:
    read = painter.describe(order(WASH))
    by_rules = painter.describe(order((*WASH, ("reader", "geometric"))))

    assert read.system.sha256 == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    assert "line drawings" in read.system.data
    assert dict(read.libraries)["Haikei reading network"] == f"1 (sha256 {read.system.sha256})"
    assert by_rules.system.sha256 == ""
    assert by_rules.system.data == "none: it is not trained"
    assert "Haikei reading network" not in dict(by_rules.libraries)


def test_a_studio_with_shows_without_ai_reads_by_rules_unless_a_stage_says_otherwise() -> None:
    policy = Policy(no_ai_projects=("KAZE",))
    painter = PainterGenerator(Settings.model_construct(policy=policy))

    assert painter.describe(order(WASH)).system.sha256 == ""
    assert painter.describe(order((*WASH, ("reader", "network")))).system.sha256


def test_the_stage_chooses_who_reads(
    painter: PainterGenerator, layout: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[Reader] = []

    def read(*layout_and_place: Any, reader: Reader, **roles: Any) -> Any:
        readers.append(reader)
        return read_layout(*layout_and_place, reader=reader, **roles)

    monkeypatch.setattr("haikei.painting.read_layout", read)
    paint(painter, layout, WASH)
    paint(painter, layout, (*WASH, ("reader", "geometric")))

    assert readers == [Reader.NETWORK, Reader.GEOMETRIC]


def test_the_painter_enters_by_the_door_of_every_generator() -> None:
    assert isinstance(load_generator("painter", Settings.model_construct()), PainterGenerator)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((("finish", "oil"),), "wash, full"),
        ((("strength", 0.5),), "finish"),
        ((("finish", True),), "wash, full"),
        ((("reader", "oracle"),), "network, geometric"),
    ],
)
def test_an_unknown_option_is_refused_with_what_is_allowed(
    painter: PainterGenerator, layout: Picture, options: Options, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        painter.describe(order(options))
    with pytest.raises(SettingsError, match=said):
        painter.generate(
            replace(request(layout=layout), options=options),
            layout=layout,
            previous=None,
            progress=ignore,
        )


def test_a_model_is_refused(painter: PainterGenerator) -> None:
    with pytest.raises(SettingsError, match="uses no model"):
        painter.describe(order(FULL, model="some-model"))


def test_the_same_request_gives_the_same_pixels(painter: PainterGenerator, layout: Picture) -> None:
    first = paint(painter, layout, FULL, paint(painter, layout, WASH))
    other = PainterGenerator(Settings.model_construct())
    again = paint(other, layout, FULL, paint(other, layout, WASH))

    assert np.array_equal(first.pixels, again.pixels)


def test_another_seed_gives_another_picture(painter: PainterGenerator, layout: Picture) -> None:
    assert not np.array_equal(
        paint(painter, layout, WASH, seed=1).pixels, paint(painter, layout, WASH, seed=2).pixels
    )


def test_without_a_stage_before_the_painter_lays_its_own_wash(
    painter: PainterGenerator, layout: Picture
) -> None:
    wash = paint(painter, layout, WASH)

    assert np.array_equal(
        paint(painter, layout, FULL).pixels, paint(painter, layout, FULL, wash).pixels
    )


def test_a_wash_that_was_changed_by_hand_stays_changed_in_the_finished_painting(
    painter: PainterGenerator, layout: Picture
) -> None:
    rules = ("reader", "geometric")  # they see a meadow there, whose green is far from red
    wash = paint(painter, layout, (*WASH, rules))
    altered = wash.pixels.copy()
    patch = (slice(120, 160), slice(20, 80))
    altered[patch] = (0.8, 0.2, 0.2)

    plain = paint(painter, layout, (*FULL, rules), wash).pixels
    retouched = paint(painter, layout, (*FULL, rules), Picture(pixels=altered)).pixels

    redness = (retouched[patch] - plain[patch]).mean(axis=(0, 1))
    assert redness[0] > 0.15
    assert redness[1] < 0
    far = (slice(0, 60), slice(160, 320))
    assert np.abs(retouched[far] - plain[far]).max() < 0.02


def test_a_cancelled_painting_stops_at_the_next_step(
    painter: PainterGenerator, layout: Picture
) -> None:
    for allowed in (0, 3, 6):
        seen: list[Progress] = []

        def stop(progress: Progress, seen: list[Progress] = seen, allowed: int = allowed) -> None:
            seen.append(progress)
            if len(seen) > allowed:
                raise GenerationCancelled("The job was cancelled.")

        with pytest.raises(GenerationCancelled):
            painter.generate(
                request(FULL, layout=layout), layout=layout, previous=None, progress=stop
            )
        assert len(seen) == allowed + 1


def test_progress_goes_forward_to_its_end(painter: PainterGenerator, layout: Picture) -> None:
    for options in (WASH, FULL):
        seen: list[Progress] = []
        painter.generate(
            request(options, layout=layout, seed=99),
            layout=layout,
            previous=layout if options is FULL else None,
            progress=seen.append,
        )

        steps = [progress.step for progress in seen]
        assert steps == sorted(steps)
        assert len(set(steps)) > 4


def test_pictures_of_another_size_than_asked_for_are_refused(
    painter: PainterGenerator, layout: Picture
) -> None:
    with pytest.raises(GenerationError, match="320x180"):
        paint(painter, layout, width=640)


def test_a_season_without_a_palette_is_refused(painter: PainterGenerator, layout: Picture) -> None:
    with pytest.raises(GenerationError, match="monsoon"):
        paint(painter, layout, season="monsoon")


def test_a_picture_too_small_to_paint_is_refused(painter: PainterGenerator) -> None:
    tiny = Picture(pixels=np.ones((8, 8, 3), np.float32))

    with pytest.raises(GenerationError, match="8x8"):
        paint(painter, tiny)
