"""`haikei read` says what stands on a sheet: for people, for programs, and as pictures."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.images import Picture, read_picture, write_picture
from haikei.sheets import can_read_texts
from support.layout_sheets import FRAME, blank, put_drawing, put_frame, put_pegs, put_text


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("HAIKEI_"):
            monkeypatch.delenv(name)
    sheet = blank()
    put_drawing(sheet)
    put_frame(sheet)
    put_pegs(sheet)
    put_text(sheet, "C-012", (140, 100))
    write_picture(Picture(pixels=sheet), tmp_path / "C012.png", bits=8)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(app, ["read", *words])


def test_people_are_told_frame_pegs_notes_and_what_is_unread() -> None:
    done = call("C012.png", "--place", "village")

    assert done.exit_code == 0, done.output
    assert "900 x 640 pixels, white paper" in done.output
    assert "ratio 1.78" in done.output
    assert "3 holes, black" in done.output
    assert "in the margin" in done.output
    assert "of the picture, by the" in done.output


def test_programs_get_the_same_as_json(here: Path) -> None:
    done = call("C012.png", "--json", "--overlay", "over.png", "--ink", "ink.png")

    answer: dict[str, Any] = json.loads(done.stdout)
    (frame,) = answer["frames"]
    assert frame["corners"][0] == pytest.approx(list(FRAME[:2]), abs=1)
    assert answer["area"][0] > FRAME[0]
    assert [one["shape"] for one in answer["pegs"]] == ["oblong", "round", "oblong"]
    assert answer["paper"]["tint"] == "white"
    assert 0 <= answer["unread"] <= 1
    ink = read_picture(here / "ink.png").pixels
    assert ink[: FRAME[1]].min() == 1
    assert ink[200:500, 200:700].min() < 0.2
    assert read_picture(here / "over.png").pixels.shape == ink.shape


def test_a_picture_goes_to_a_pipe_and_words_beside_it() -> None:
    done = call("C012.png", "--overlay", "-")

    assert done.exit_code == 0
    assert done.stdout_bytes.startswith(b"\x89PNG")
    assert "Frame" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("C012.png", "--trace", "red=nothing"), "red=nothing"),
        (("C012.png", "--overlay", "-", "--ink", "-"), "not two"),
        (("C012.png", "--overlay", "-", "--json"), "already"),
        (("C012.png", "--overlay", "none/over.png"), "no folder"),
        (("missing.png",), "missing.png"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(words: tuple[str, ...], message: str) -> None:
    done = call(*words)

    assert done.exit_code == 2
    assert message in done.output


@pytest.mark.skipif(can_read_texts(), reason="the extra haikei[ocr] is installed")
def test_texts_are_read_only_where_the_library_is() -> None:
    done = call("C012.png", "--ocr")

    assert done.exit_code != 0
    assert "RapidOCR is not installed" in str(done.exception)
