"""BOOKs of layered layouts: known by name, and cut out by their alpha or by their outline."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from haikei.errors import ImageUnreadable
from haikei.images import DEFAULT_LIMITS, Layer, Picture, read_picture, write_layered, write_picture
from haikei.reading import BookParts, LayerRole, role_of, take_apart

WIDTH, HEIGHT = 320, 180
Mask = NDArray[np.float32]


def blank() -> NDArray[np.uint8]:
    return np.zeros((HEIGHT, WIDTH), np.uint8)


def ring(*, gap: int = 0) -> Mask:
    """Return the line of an ellipse, with a gap of some degrees."""
    drawn = cv2.ellipse(blank(), (100, 80), (60, 50), 0, gap, 360, 255, 3, cv2.LINE_AA)
    return np.asarray(drawn, np.float32) / np.float32(255)


def disc() -> Mask:
    drawn = cv2.ellipse(blank(), (100, 80), (60, 50), 0, 0, 360, 255, -1)
    return np.asarray(drawn, np.float32) / np.float32(255)


def lines(cover: Mask, name: str, *, visible: bool = True) -> Layer:
    ink = Picture(pixels=np.full((HEIGHT, WIDTH, 3), 0.1, np.float32))
    return Layer(name=name, picture=ink, cover=cover, visible=visible)


def back() -> Layer:
    pixels = np.ones((HEIGHT, WIDTH, 3), np.float32)
    pixels[120:123] = 0
    return Layer(name="BG", picture=Picture(pixels=pixels))


def apart(tmp_path: Path, *layers: Layer) -> BookParts:
    write_layered([back(), *layers], tmp_path / "lo.psd", bits=8)
    return take_apart(tmp_path / "lo.psd", tmp_path / "apart", DEFAULT_LIMITS)


def cover(tmp_path: Path, part: str) -> Mask:
    return read_picture(tmp_path / "apart" / part).pixels[..., 0]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("BOOK", LayerRole.BOOK),
        ("BOOK1", LayerRole.BOOK),
        ("ＢＯＯＫ　２ 手前の木", LayerRole.BOOK),
        ("bg_book_a", LayerRole.BOOK),
        ("手前ブック", LayerRole.BOOK),
        ("bookshelf", LayerRole.BACK),
        ("notebook", LayerRole.BACK),
        ("線画", LayerRole.BACK),
        ("BG", LayerRole.BACK),
        ("LO", LayerRole.BACK),
        ("フレーム", LayerRole.BACK),
        ("BOOK1 メモ", LayerRole.NOTE),
        ("カメラ指示", LayerRole.NOTE),
        ("A_CEL", LayerRole.CEL),
        ("キャラ", LayerRole.CEL),
        ("cellar", LayerRole.BACK),
    ],
)
def test_a_layer_is_known_by_its_name(name: str, role: LayerRole) -> None:
    assert role_of(name) is role


def test_parts_keep_names_and_order_and_the_back_shows_no_book(tmp_path: Path) -> None:
    found = apart(tmp_path, lines(disc(), "BOOK2 木"), lines(ring(), "BOOK1"))
    behind = read_picture(tmp_path / "apart" / found.parts[0].drawn).pixels
    whole = read_picture(tmp_path / "apart" / found.parts[-1].drawn).pixels

    assert [part.name for part in found.parts] == ["BG", "BOOK2 木", "BOOK1"]
    assert [bool(part.cover) for part in found.parts] == [False, True, True]
    assert np.array_equal(behind, back().picture.pixels)
    assert float(np.abs(whole - behind).max()) > 0.8


def test_a_filled_layer_is_cut_out_by_its_own_alpha_and_keeps_its_holes(tmp_path: Path) -> None:
    gate = disc()
    gate[70:90, 90:110] = 0
    found = apart(tmp_path, lines(gate, "BOOK"))

    assert float(np.abs(cover(tmp_path, found.parts[1].cover) - gate).max()) < 1 / 255
    assert found.notes == ()


@pytest.mark.parametrize("gap", [0, 2])
def test_lines_cover_what_they_enclose_and_hide_what_is_behind(tmp_path: Path, gap: int) -> None:
    found = apart(tmp_path, lines(ring(gap=gap), "BOOK"))
    cut = cover(tmp_path, found.parts[1].cover)
    drawn = read_picture(tmp_path / "apart" / found.parts[1].drawn).pixels

    assert float((cut[disc() > 0] > 0.99).mean()) > 0.99
    assert not cut[:20].any()
    assert found.notes == ()
    # The line of the background does not run through it.
    assert float(drawn[121, 80:120].min()) > 0.99


def test_a_drawing_that_runs_over_one_side_ends_there(tmp_path: Path) -> None:
    trunk = blank()
    cv2.polylines(trunk, [np.array([(140, 200), (150, 60), (170, 60), (180, 200)])], False, 255, 3)
    found = apart(tmp_path, lines(trunk.astype(np.float32) / np.float32(255), "BOOK"))
    cut = cover(tmp_path, found.parts[1].cover)

    assert float(cut[150:, 160].min()) == 1
    assert not cut[:, :100].any()
    assert not cut[:, 230:].any()


def test_lines_that_enclose_nothing_are_a_book_of_their_own_and_it_is_said(tmp_path: Path) -> None:
    wire = np.asarray(cv2.line(blank(), (0, 20), (320, 60), 255, 2), np.float32) / np.float32(255)
    found = apart(tmp_path, lines(wire, "BOOK 電線"))

    assert float(cover(tmp_path, found.parts[1].cover).mean()) < 0.03
    assert "enclose nothing" in " ".join(found.notes)


def test_hidden_layers_cels_and_notes_are_not_painted(tmp_path: Path) -> None:
    found = apart(
        tmp_path,
        lines(disc(), "BOOK"),
        lines(ring(), "BOOK2", visible=False),
        lines(disc(), "セルA"),
        lines(disc(), "指示"),
    )
    behind = read_picture(tmp_path / "apart" / found.parts[0].drawn).pixels

    assert [part.name for part in found.parts] == ["BG", "BOOK"]
    assert np.array_equal(behind, back().picture.pixels)
    assert [note.split("'")[1] for note in found.notes] == ["セルA", "指示"]


def test_what_was_taken_apart_is_not_taken_apart_again(tmp_path: Path) -> None:
    first = apart(tmp_path, lines(disc(), "BOOK"))
    (tmp_path / "lo.psd").write_bytes(b"gone")

    assert take_apart(tmp_path / "lo.psd", tmp_path / "apart", DEFAULT_LIMITS) == first


def test_layouts_without_books_are_painted_whole(tmp_path: Path) -> None:
    write_picture(back().picture, tmp_path / "lo.png")
    plain = take_apart(tmp_path / "lo.png", tmp_path / "no", DEFAULT_LIMITS)
    found = apart(tmp_path, lines(ring(), "線画"))

    assert plain == BookParts(parts=(), notes=())
    assert found.parts == ()
    assert "painted whole" in found.notes[0]


def test_what_cannot_be_taken_apart_is_refused_in_words(tmp_path: Path) -> None:
    nothing = np.zeros((HEIGHT, WIDTH), np.float32)
    with pytest.raises(ImageUnreadable, match="'BOOK' is empty"):
        apart(tmp_path, lines(nothing, "BOOK"))
    with pytest.raises(ImageUnreadable, match="17 BOOK layers; at most 16"):
        apart(tmp_path, *(lines(ring(), f"BOOK{number}") for number in range(17)))
    (tmp_path / "lo.psd").write_bytes(b"8BPS no more")
    with pytest.raises(ImageUnreadable, match=r"lo\.psd is damaged"):
        take_apart(tmp_path / "lo.psd", tmp_path / "apart", DEFAULT_LIMITS)
