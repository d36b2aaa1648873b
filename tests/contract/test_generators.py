"""What every generator must do, whatever makes its pixels; each enters by its entry point."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from haikei.errors import GenerationCancelled, SettingsError
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Generator,
    Production,
    ProductionOrder,
    Progress,
    ProgressCallback,
    StageOrder,
    StageOutput,
    load_generator,
)
from haikei.images import Picture, read_picture, write_picture
from haikei.settings import Recipe, Settings, Stage
from support.models import TinyModel, build_tiny_model, tiny_settings

Options = dict[str, str | int | float | bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One way of using a generator."""

    generator: str
    model: str
    options: Options

    def order(self, **more: str | float | bool) -> StageOrder:
        """Return the stage as a recipe would say it."""
        options = {**self.options, **more}
        return StageOrder(
            generator=self.generator, model=self.model, options=tuple(sorted(options.items()))
        )


CASES = {
    "painter, wash": Case(generator="painter", model="", options={"finish": "wash"}),
    "painter, full": Case(generator="painter", model="", options={"finish": "full"}),
    "diffusers, guided": Case(
        generator="diffusers", model="guided", options={"steps": 3, "strength": 0.7}
    ),
    "diffusers, plain": Case(
        generator="diffusers", model="plain", options={"steps": 3, "strength": 0.7}
    ),
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    return build_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def settings(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return tiny_settings(
        tmp_path_factory.mktemp("studio"),
        {
            "guided": {"folder": tiny.base, "controlnet": tiny.controlnet},
            "plain": {"folder": tiny.base},
        },
    )


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[str(request.param)]


@pytest.fixture(scope="module")
def generator(case: Case, settings: Settings) -> Generator:
    return load_generator(case.generator, settings)


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


def drawing(width: int = 96, height: int = 64) -> Picture:
    """A house under a horizon, in black lines on white paper."""
    pixels = np.ones((height, width, 3), dtype=np.float32)
    pixels[height // 2 : height // 2 + 2] = 0.0
    left, right, top, bottom = width // 4, width // 2, height // 4, height * 3 // 4
    pixels[top:bottom, left : left + 2] = pixels[top:bottom, right : right + 2] = 0.0
    pixels[top : top + 2, left:right] = pixels[bottom : bottom + 2, left:right] = 0.0
    return Picture(pixels=pixels)


def request_for(
    generator: Generator, case: Case, layout: Picture, *, seed: int = 5
) -> GenerationRequest:
    order = case.order()
    described = generator.describe(order)
    return GenerationRequest(
        layout_sha256=layout.sha256(),
        previous_sha256="",
        stage="gen1",
        generator=case.generator,
        system=described.system,
        model=case.model,
        options=order.options,
        prompt="anime background village autumn sunset",
        negative_prompt="",
        place="village",
        season="autumn",
        time="sunset",
        seed=seed,
        width=layout.width,
        height=layout.height,
        colour_space="srgb",
        libraries=described.libraries,
    )


def make(
    generator: Generator,
    case: Case,
    *,
    layout: Picture | None = None,
    previous: Picture | None = None,
    progress: ProgressCallback = ignore,
    seed: int = 5,
) -> GenerationResult:
    layout = layout or drawing()
    request = request_for(generator, case, layout, seed=seed)
    return generator.generate(request, layout=layout, previous=previous, progress=progress)


def test_it_says_truthfully_what_it_is(generator: Generator, case: Case) -> None:
    described = generator.describe(case.order())

    system = described.system
    assert system.name
    assert system.version
    assert system.licence
    assert system.data
    if system.source_type.is_ai:
        assert system.sha256
    elif system.sha256:  # a network helps an algorithm: the libraries say which one
        assert any(system.sha256 in version for _, version in described.libraries)
    assert system.source_type.is_ai == bool(case.model)
    names = [name for name, _ in described.libraries]
    assert names == sorted(set(names))
    assert all(version for _, version in described.libraries)


def test_the_same_request_gives_the_same_pixels_in_another_object(
    generator: Generator, case: Case, settings: Settings
) -> None:
    first = make(generator, case).picture

    other = load_generator(case.generator, settings)

    assert make(other, case).picture.sha256() == first.sha256()


def test_what_was_made_before_changes_nothing(generator: Generator, case: Case) -> None:
    first = make(generator, case).picture.sha256()

    make(generator, case, layout=drawing(64, 80), seed=99)

    assert make(generator, case).picture.sha256() == first


def test_another_seed_gives_another_picture(generator: Generator, case: Case) -> None:
    one, two = make(generator, case, seed=1), make(generator, case, seed=2)

    assert one.picture.sha256() != two.picture.sha256()


@pytest.mark.parametrize("size", [(250, 190), (97, 65), (64, 64)])
def test_any_size_comes_back_as_asked_and_in_range(
    generator: Generator, case: Case, size: tuple[int, int]
) -> None:
    picture = make(generator, case, layout=drawing(*size)).picture

    assert (picture.width, picture.height) == size
    assert np.isfinite(picture.pixels).all()
    assert picture.pixels.min() >= 0.0
    assert picture.pixels.max() <= 1.0


def test_the_stage_before_may_be_given(generator: Generator, case: Case) -> None:
    base = Picture(pixels=np.full((64, 96, 3), 0.5, dtype=np.float32))

    assert make(generator, case, previous=base).picture.width == 96


def test_progress_goes_forward_and_arrives(generator: Generator, case: Case) -> None:
    seen: list[Progress] = []

    make(generator, case, progress=seen.append)

    assert seen
    assert [one.step for one in seen] == sorted(one.step for one in seen)
    assert len({one.steps for one in seen}) == 1
    assert seen[-1].step == seen[-1].steps > 0


def test_it_can_be_cancelled_and_used_again(generator: Generator, case: Case) -> None:
    before = make(generator, case).picture.sha256()

    def stop(progress: Progress) -> None:
        if progress.step >= 1:
            raise GenerationCancelled("Somebody cancelled the job.")

    with pytest.raises(GenerationCancelled):
        make(generator, case, progress=stop)

    assert make(generator, case).picture.sha256() == before


def test_options_it_does_not_know_are_refused(generator: Generator, case: Case) -> None:
    with pytest.raises(SettingsError, match="sparkle"):
        generator.describe(case.order(sparkle=True))


def produce(
    settings: Settings, recipe: Recipe, layout: Path, folder: Path
) -> tuple[StageOutput, ...]:
    write_picture(drawing(150, 100), layout, bits=8)
    order = ProductionOrder(
        layout=layout,
        layout_sha256=hashlib.sha256(layout.read_bytes()).hexdigest(),
        recipe=recipe,
        season="autumn",
        time="sunset",
        place="village",
        seed=5,
    )
    production = Production(settings)
    made: list[StageOutput] = []
    for index in range(len(recipe.stages)):
        made.append(
            production.make_stage(
                order,
                index,
                plans=production.stages(order),
                folder=folder,
                previous=made[-1] if made else None,
                progress=ignore,
            )
        )
    return tuple(made)


def test_it_takes_part_in_a_recipe_and_its_record_names_every_field(
    case: Case, settings: Settings, tmp_path: Path
) -> None:
    stage = {"generator": case.generator, "model": case.model or None, "options": case.options}
    recipe = Recipe(
        stages=(
            Stage.model_validate({"name": "gen1", **stage}),
            Stage.model_validate({"name": "gen2", **stage}),
        )
    )

    first, second = produce(settings, recipe, tmp_path / "layout.png", tmp_path / "job")

    fields = {field.name for field in dataclasses.fields(GenerationRequest)}
    for output in (first, second):
        record = json.loads(output.request_json)
        assert set(record) == fields
        assert record["generator"] == case.generator
        assert read_picture(output.path).sha256() == output.pixels_sha256
    assert json.loads(second.request_json)["previous_sha256"] == first.pixels_sha256


def test_a_model_goes_on_from_the_painters_colours(settings: Settings, tmp_path: Path) -> None:
    model = {"generator": "diffusers", "model": "guided", "options": {"steps": 4, "strength": 0.5}}
    recipe = Recipe(
        stages=(
            Stage(name="base", generator="painter", options={"finish": "wash"}),
            Stage.model_validate({"name": "gen1", **model}),
            Stage.model_validate({"name": "gen2", **model}),
        )
    )

    made = produce(settings, recipe, tmp_path / "layout.png", tmp_path / "job")

    assert [one.system.source_type.is_ai for one in made] == [False, True, True]
    assert len({one.pixels_sha256 for one in made}) == 3
    assert {(one.width, one.height) for one in made} == {(150, 100)}
