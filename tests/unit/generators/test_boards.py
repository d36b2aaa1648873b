"""The approved picture of a location guides those models that can look at one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from haikei.credits import SourceType, System
from haikei.errors import ModelUnusable, SettingsError
from haikei.generators import (
    GenerationRequest,
    GenerationResult,
    Production,
    ProductionOrder,
    Progress,
    ProgressCallback,
    StageOrder,
    StageSystem,
)
from haikei.images import Picture, write_picture
from haikei.settings import Recipe
from support.model_forms import save_ip_adapter
from support.models import build_family, tiny_settings

TERMS: Mapping[str, object] = {
    "licence": "own", "licence_url": "https://studio.example/", "commercial": "yes",
    "data": "None: its weights are random numbers.",
}  # fmt: skip


class Looker:
    """A generator that mixes in the mean colour of what it looks at."""

    def __init__(self, *, refers: bool) -> None:
        self.refers = refers
        self.requests: list[GenerationRequest] = []

    def describe(self, stage: StageOrder) -> StageSystem:
        system = System(name="Looker", version="1", source_type=SourceType.ALGORITHMIC)
        return StageSystem(system=system, libraries=(), refers=self.refers)

    def generate(
        self,
        request: GenerationRequest,
        *,
        layout: Picture,
        previous: Picture | None,
        progress: ProgressCallback,
        references: Sequence[Picture] = (),
    ) -> GenerationResult:
        self.requests.append(request)
        means = [one.pixels.mean((0, 1)) for one in references]
        pixels = layout.pixels * np.float32(0.5) + sum(means, np.zeros(3)) / 2
        return GenerationResult(picture=Picture(pixels=pixels.astype(np.float32)))


def silent(_: Progress) -> None:
    """Take progress and do nothing with it."""


def order_of(folder: Path, board: Path | None) -> ProductionOrder:
    layout = folder / "layout.png"
    write_picture(Picture(pixels=np.ones((32, 48, 3), np.float32)), layout, bits=8)
    asked = {"stages": [{"name": "gen1", "generator": "looker", "board": True}]}
    return ProductionOrder(
        layout=layout, layout_sha256="0" * 64, recipe=Recipe.model_validate(asked),
        season="summer", time="day", place="", seed=1, board=board,
    )  # fmt: skip


def board_of(folder: Path, red: float) -> Path:
    file = folder / f"board-{red}.png"
    pixels = np.zeros((20, 30, 3), np.float32)
    pixels[..., 0] = red
    write_picture(Picture(pixels=pixels), file, bits=8)
    return file


def test_the_board_reaches_the_generator_and_its_hash_the_request(tmp_path: Path) -> None:
    looker = Looker(refers=True)
    production = Production(tiny_settings(tmp_path, {}), generators={"looker": looker})
    orders = [
        order_of(tmp_path, board)
        for board in (board_of(tmp_path, 1.0), board_of(tmp_path, 0.4), None)
    ]
    made = [
        production.make_stage(
            one, 0, plans=production.stages(one), folder=tmp_path / "work", previous=None,
            progress=silent,
        )
        for one in orders
    ]  # fmt: skip

    assert len({one.pixels_sha256 for one in made}) == 3
    assert [len(one.references) for one in looker.requests] == [1, 1, 0]
    assert json.loads(made[0].request_json)["references"] == list(looker.requests[0].references)
    assert any("No look names a board" in note for note in made[2].notes)


def test_a_generator_that_cannot_look_at_a_board_is_refused_before_it_runs(tmp_path: Path) -> None:
    looker = Looker(refers=False)
    production = Production(tiny_settings(tmp_path, {}), generators={"looker": looker})
    order = order_of(tmp_path, board_of(tmp_path, 1.0))

    with pytest.raises(SettingsError, match="takes no board"):
        production.stages(order)
    with pytest.raises(SettingsError, match="board of the location is not there"):
        Production(tiny_settings(tmp_path, {}), generators={"looker": Looker(refers=True)}).stages(
            replace(order, board=tmp_path / "absent.png")
        )
    assert looker.requests == []


def test_an_ip_adapter_of_another_model_is_refused_and_a_changed_one_noticed(
    tmp_path: Path,
) -> None:
    base = build_family("sd15", tmp_path / "base")
    build_family("sdxl", tmp_path / "xl")
    file, encoder = save_ip_adapter(tmp_path / "xl", tmp_path / "adapter")
    entry = {"folder": base, "ip_adapter": {**TERMS, "file": file, "encoder": encoder}}
    settings = tiny_settings(tmp_path, {"tiny": entry})
    asked = {
        "stages": [
            {"name": "gen1", "generator": "diffusers", "model": "tiny", "board": True,
             "options": {"steps": 2}}
        ]
    }  # fmt: skip
    board = board_of(tmp_path, 1.0)
    order = replace(order_of(tmp_path, board), recipe=Recipe.model_validate(asked))
    production = Production(settings)

    plans = production.stages(order)
    (plan,) = plans
    assert dict(plan.libraries)["ip-adapter"]
    with pytest.raises(ModelUnusable, match="does not fit the model 'tiny'"):
        production.make_stage(
            order, 0, plans=plans, folder=tmp_path / "w", previous=None, progress=silent
        )
