"""Control images show what is drawn, and nothing of what else stands on a sheet."""

import numpy as np
import pytest

from haikei.errors import GenerationCancelled
from haikei.generators.guides import COLOURS, Guide, draw_guides
from haikei.images import Picture
from haikei.reading import Kind
from haikei.scenes import Scene, SceneKind, draw
from haikei.settings import Stage


def sheet(shade: float = 1.0) -> Picture:
    """Return a hillside drawn on paper."""
    drawn = draw(Scene(kind=SceneKind.HILLS, width=320, height=180, seed=3)).picture()
    return Picture(pixels=(drawn.pixels * np.float32(shade)).astype(np.float32))


def guides_of(layout: Picture, *guides: Guide) -> tuple[np.ndarray, ...]:
    return draw_guides(layout, guides, place="hills", pause=lambda: None)


def test_lines_are_white_on_black_whatever_the_papers_tone() -> None:
    (lines,) = guides_of(sheet(), Guide.LINE)
    (darker,) = guides_of(sheet(0.8), Guide.LINE)

    assert lines.shape == (180, 320, 3)
    assert lines.dtype == np.float32
    assert float(np.median(lines)) == 0.0
    assert lines.max() > 0.85
    assert np.abs(lines - darker).mean() < 0.02


def test_coloured_trace_lines_are_no_part_of_the_line_art() -> None:
    plain = sheet()
    pixels = plain.pixels.copy()
    pixels[60:64, 40:280] = (0.9, 0.1, 0.1)
    pixels[100:103, 40:280] = (0.1, 0.2, 0.9)

    (lines,) = guides_of(Picture(pixels=pixels), Guide.LINE)

    paper = plain.pixels[60:64, 40:280].min(axis=2) > 0.95
    assert lines[60:64, 40:280][paper].max() < 0.2


def test_regions_have_the_colours_of_their_kinds_and_near_things_are_bright() -> None:
    regions, depth = guides_of(sheet(), Guide.REGIONS, Guide.DEPTH)

    found = {tuple(colour) for colour in np.rint(regions * 255).astype(int).reshape(-1, 3).tolist()}
    assert found <= set(COLOURS.values())
    assert COLOURS[Kind.SKY] in found
    assert len(found) > 1
    assert depth[-1].mean() > depth[0].mean()
    assert 0.0 <= depth.min() <= depth.max() <= 1.0


def test_every_kind_of_region_has_a_colour() -> None:
    assert set(COLOURS) == set(Kind)


def test_guides_come_in_the_order_in_which_they_are_asked_for() -> None:
    one = guides_of(sheet(), Guide.DEPTH, Guide.LINE)
    other = guides_of(sheet(), Guide.LINE, Guide.DEPTH)

    assert (one[0] == other[1]).all()
    assert (one[1] == other[0]).all()
    assert guides_of(sheet()) == ()


def test_a_reading_can_be_cancelled() -> None:
    def stop() -> None:
        message = "stopped"
        raise GenerationCancelled(message)

    with pytest.raises(GenerationCancelled):
        draw_guides(sheet(), (Guide.REGIONS,), place="", pause=stop)


def test_a_recipe_names_guides_in_a_list() -> None:
    stage = Stage.model_validate(
        {"name": "gen1", "generator": "diffusers", "model": "m", "control": ["line", "regions"]}
    )

    assert tuple(Guide(one) for one in stage.control) == (Guide.LINE, Guide.REGIONS)
