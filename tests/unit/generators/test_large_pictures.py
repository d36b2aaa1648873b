"""Large pictures: stages that enlarge, and tiles that are blended where they overlap."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from haikei.errors import SettingsError
from haikei.generators import Production, ProductionOrder, Progress, StageOrder
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.generators.diffusers.tiles import Blend, tiles_of
from haikei.images import Picture, decode_picture, resize, write_picture
from haikei.settings import Recipe, Settings
from support.models import build_family, tiny_settings

SIZES = [(64, 64), (700, 300), (257, 1025), (4096, 2304), (1000, 999)]


def silent(_: Progress) -> None:
    """Take progress and do nothing with it."""


def order_of(folder: Path, size: tuple[int, int], *stages: dict[str, object]) -> ProductionOrder:
    width, height = size
    pixels = np.random.default_rng(1).random((height // 8, width // 8, 3), dtype=np.float32)
    layout = folder / "layout.png"
    write_picture(resize(Picture(pixels=pixels), width, height), layout, bits=8)
    return ProductionOrder(
        layout=layout, layout_sha256="0" * 64,
        recipe=Recipe.model_validate({"stages": list(stages)}),
        season="summer", time="day", place="", seed=1,
    )  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("side", "overlap"), [(256, 32), (512, 256), (256, 100)])
def test_tiles_cover_a_picture_and_share_what_they_should(
    size: tuple[int, int], side: int, overlap: int
) -> None:
    tiles = list(tiles_of(*size, side, overlap))
    covered = np.zeros((size[1], size[0]), int)
    for tile in tiles:
        covered[tile.place] += 1

    assert covered.min() == 1
    assert {(tile.width, tile.height) for tile in tiles} == {
        (min(side, size[0]), min(side, size[1]))
    }
    columns = sorted({tile.x for tile in tiles})
    assert all(one + side - other >= overlap for one, other in pairwise(columns))


@pytest.mark.parametrize("size", [(300, 280), (1000, 257)])
def test_tiles_of_one_picture_give_that_picture(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).random((size[1], size[0], 3), dtype=np.float32)
    blend = Blend(width=size[0], height=size[1], overlap=32)
    for tile in tiles_of(*size, 256, 32):
        blend.add(tile, pixels[tile.place])

    assert np.abs(blend.picture() - pixels).max() < 1e-5
    assert blend.seam < 1e-6


def test_tiles_that_differ_fade_into_each_other_and_are_noticed() -> None:
    blend = Blend(width=448, height=256, overlap=64)
    for tile, level in zip(tiles_of(448, 256, 256, 64), (0.2, 0.6), strict=True):
        blend.add(tile, np.full((256, 256, 3), level, np.float32))
    row = blend.picture()[100, :, 0]

    assert (row[0], row[-1]) == (np.float32(0.2), np.float32(0.6))
    assert np.abs(np.diff(row)).max() < 0.02
    assert blend.seam == pytest.approx(0.4)


def test_a_stage_that_enlarges_is_named_and_the_next_one_begins_there(tmp_path: Path) -> None:
    paint: dict[str, object] = {
        "name": "gen1", "generator": "painter", "options": {"finish": "wash"},
    }  # fmt: skip
    up: dict[str, object] = {"name": "big", "generator": "upscale", "enlarge": 3}
    order = order_of(tmp_path, (96, 64), paint, up)
    production = Production(tiny_settings(tmp_path, {}))
    first = production.make_stage(
        order, 0, plans=production.stages(order), folder=tmp_path, previous=None, progress=silent
    )
    big = production.make_stage(
        order, 1, plans=production.stages(order), folder=tmp_path, previous=first, progress=silent
    )

    assert (big.width, big.height) == (288, 192)
    assert big.system.name == "Haikei upscale (Lanczos)"
    small, large = decode_picture(first.path).picture, decode_picture(big.path).picture
    assert np.abs(resize(small, 288, 192).pixels - large.pixels).max() < 2 / 65535
    request = json.loads(big.request_json)
    assert (request["width"], request["prompt"]) == (288, "")


@pytest.fixture(scope="module")
def tiled(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("tiled")
    return tiny_settings(folder, {"tiny": {"folder": build_family("sd15", folder / "sd15")}})


@pytest.mark.parametrize(
    "options",
    [{"tile": 200}, {"tile": 256, "overlap": 200}, {"overlap": 32}, {"tile": 64}],
    ids=str,
)
def test_tiles_that_cannot_be_are_refused(tiled: Settings, options: dict[str, int]) -> None:
    order = StageOrder(generator="diffusers", model="tiny", options=tuple(options.items()))

    with pytest.raises(SettingsError, match=r"'(tile|overlap)'"):
        DiffusersGenerator(tiled).describe(order)


def test_a_large_picture_is_made_in_tiles_at_its_exact_size(
    tiled: Settings, tmp_path: Path
) -> None:
    stage: dict[str, object] = {
        "name": "gen1", "generator": "diffusers", "model": "tiny", "enlarge": 2,
        "options": {"steps": 4, "strength": 0.5, "tile": 256, "overlap": 64},
    }  # fmt: skip
    order = order_of(tmp_path, (208, 104), stage)
    seen: list[Progress] = []
    production = Production(tiled)
    made = production.make_stage(
        order, 0, plans=production.stages(order), folder=tmp_path, previous=None,
        progress=seen.append,
    )  # fmt: skip

    assert (made.width, made.height) == (416, 208)
    assert max(one.steps for one in seen) == 2 * 2
    assert [one.step for one in seen] == sorted(one.step for one in seen)
    # Random weights make of each tile a picture of its own, which is what the check is for.
    assert any("look for seams" in note for note in made.notes)
