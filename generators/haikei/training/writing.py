"""
Sheets with writing on them, to learn letters from: any drawing, and notes by many hands over it.

Letters are those of the fonts that are there (Japanese ones too, where such are installed) and of
OpenCV's pen strokes; a hand makes them thin, uneven, slanted and wavering. Arrows and circled
numbers are notes as well. Drawings bring what looks like letters: windows, tiles, birds, stones.
"""

import logging
import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from safetensors.numpy import load_file
from torch import Tensor, nn
from torch.nn import functional

from haikei.sheets.letter_network import (
    FIGURES,
    GROUPINGS,
    HIDDEN,
    LAST,
    PICTURES,
    SEEN,
    LetterFigures,
    letter_figures,
    letter_shapes,
)
from haikei.sheets.lettering import parted, strokes_of, sums_of, usual_height
from haikei.sheets.paper import flatten
from haikei.training.lessons import draw_lesson

LOG = logging.getLogger(__name__)
Plane = NDArray[np.float32]
Random = np.random.Generator
FONTS = Path("/usr/share/fonts")
PENS = (
    cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)  # fmt: skip
LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.,:/#()"
KANA = (
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん"
    "がぎぐげござじずぜぞだでどばびぶべぼアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホ"
    "マミムメモヤユヨラリルレロワヲンガギグゲゴザジズゼゾダデドバビブベボパピプペポッャュョー"
)
KANJI = (
    "一二三四五六七八九十上下左右中大小日月火水木金土山川空雲海森林花草道家町村店駅車船橋門窓戸壁"
    "床机本朝昼夕夜光影明暗色赤青白黒緑黄線画面人手足目顔前後奥手間遠近高低強弱動止入出開閉組合"
    "変更追加注意確認参照不要全部分背景原図作監督演美術撮影修正済第話秒回転移送引寄欠番兼用看板"
)
WORDS = (
    "PAN",
    "FIX",
    "T.U",
    "T.B",
    "BOOK",
    "Follow",
    "BG",
    "CUT",
    "SL",
    "O.L",
    "LO",
    "A",
    "B",
    "OK",
)


NUMBERED = "0123456789ABCDEFG"  #: what BOOKs, cels and frames are called by
#: Places full of small strokes that are no letters: most sheets to learn from show one.
LEAFY = ("forest", "river", "lake", "village", "shrine", "ruin", "mountain", "close-up", "snow")
CROWDED, FREE = 0.08, 0.015  #: ink where a note may stand: many touch the drawing


def sheet_of(seed: int) -> tuple[Plane, Plane]:
    """
    Return the ink of a drawing and, apart from it, the ink of notes over it.

    Two numbers beside each other share a place, which the second one mirrors.
    """
    random = np.random.default_rng((seed, 77))
    drawing = _drawing(seed // 2)
    if seed % 2:
        drawing = drawing[:, ::-1]
    drawing = np.ascontiguousarray(drawing * np.float32(random.uniform(0.7, 1)))
    height = drawing.shape[0]
    if random.random() < 0.65:
        _small_things(drawing, random)
    notes = np.zeros_like(drawing)
    if random.random() < 0.85:
        usual = random.uniform(0.018, 0.05) * height
        for _ in range(int(random.integers(1, 7))):
            _note(notes, drawing, random, usual * random.uniform(0.75, 1.3))
    return drawing, notes


@lru_cache(maxsize=1)
def _drawing(number: int) -> Plane:
    random = np.random.default_rng((number, 76))
    height = int(random.choice((540, 640, 760, 900, 1080)))
    chance = random.random()
    place = "open" if chance < 0.2 else str(random.choice(LEAFY)) if chance < 0.55 else ""
    return draw_lesson(8_000_000 + number, height=height, place=place).ink


def inked(drawing: Plane, notes: Plane, random: Random) -> Plane:
    """Return the ink that a sheet's reading finds of both, on paper that may be grey and rough."""
    paper = (1 - 0.88 * drawing) * (1 - np.float32(random.uniform(0.6, 0.95)) * notes)
    if random.random() < 0.4:
        paper = np.asarray(cv2.GaussianBlur(paper, (0, 0), random.uniform(0.4, 0.9)), np.float32)
        paper = paper + random.normal(0, 0.012, paper.shape).astype(np.float32)
    return flatten(np.asarray(np.clip(paper, 0, 1), np.float32))


def _note(notes: Plane, drawing: Plane, random: Random, size: float) -> None:
    """Put a note where there is room; some touch the drawing, and some point at it."""
    patch = _signed(random, size) if random.random() < 0.35 else _lines(random, size)
    high, wide = patch.shape
    height, width = notes.shape
    if high > 0.7 * height or wide > 0.8 * width:
        return
    most = CROWDED if random.random() < 0.45 else FREE
    for _ in range(16):
        x, y = int(random.integers(0, width - wide)), int(random.integers(0, height - high))
        part = np.s_[y : y + high, x : x + wide]
        if float((drawing[part] > 0.2).mean()) < most and not (notes[part] > 0.2).any():
            np.maximum(notes[part], patch, out=notes[part])
            if random.random() < 0.3:
                _pointer(notes, drawing, random, (x, y, wide, high), size)
            return


def _pointer(
    notes: Plane, drawing: Plane, random: Random, box: tuple[int, int, int, int], size: float
) -> None:
    """Draw a line or an arrow away from a note, over paper that is free."""
    x, y, wide, high = box
    left = random.random() < 0.5
    turn = random.uniform(-1.1, 1.1) + (np.pi if left else 0)
    gap = size * random.uniform(-0.05, 0.4)
    start = np.array([x - gap if left else x + wide + gap, y + high * random.uniform(0.3, 0.7)])
    end = start + size * random.uniform(1.2, 5.5) * np.array([np.cos(turn), np.sin(turn)])
    ends = [(round(float(one[0])), round(float(one[1]))) for one in (start, end)]
    way = np.zeros(notes.shape, np.uint8)
    cv2.line(way, ends[0], ends[1], 1, 7)
    if float((drawing[way > 0] > 0.2).sum()) > 0.5 * size:
        return
    thick = max(1, round(size * random.uniform(0.02, 0.08)))
    line = np.zeros_like(notes)
    if random.random() < 0.55:
        tip = random.uniform(0.12, 0.35)
        cv2.arrowedLine(line, ends[0], ends[1], (1.0,), thick, cv2.LINE_AA, 0, tip)
    else:
        cv2.line(line, ends[0], ends[1], (1.0,), thick, cv2.LINE_AA)
    np.maximum(notes, line * np.float32(random.uniform(0.75, 1)), out=notes)


def _text(random: Random) -> str:
    style = random.random()
    if style < 0.2:
        return str(random.choice(WORDS)) + (
            str(random.integers(1, 13)) if random.random() < 0.5 else ""
        )
    many = int(random.choice((1, 2, 3, 4, 5, 6, 8, 11)))
    if style < 0.5:
        return "".join(random.choice(list(LATIN), many)) + ("" if many > 1 else "x")
    mixed = list(KANA + KANA + KANJI) if random.random() < 0.7 else list(KANA + KANJI + LATIN)
    return "".join(random.choice(mixed, many))


@cache
def _fonts() -> tuple[str, ...]:
    found = sorted(
        str(one) for ending in ("ttf", "ttc", "otf") for one in FONTS.rglob(f"*.{ending}")
    )
    return tuple(one for one in found if "Math" not in one and "Mono" not in one)


@cache
def _font(path: str, size: int, face: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=face)


def _glyphs(random: Random, text: str, size: float) -> Plane:
    """Return text of a size in pixels as ink."""
    latin = text.isascii()
    fonts = [one for one in _fonts() if latin or "CJK" in one]
    if latin and (not fonts or random.random() < 0.4):
        return _by_pen(random, text, size)
    if not fonts:
        return _by_pen(random, "".join(random.choice(list(LATIN), len(text))), size)
    fine = 3
    font = _font(str(random.choice(fonts)), max(8, round(size * fine)), 0)
    left, top, right, bottom = font.getbbox(text)
    pad = 4 * fine
    sheet = Image.new("L", (int(right - left) + 2 * pad, int(bottom - top) + 2 * pad), 0)
    ImageDraw.Draw(sheet).text((pad - left, pad - top), text, fill=255, font=font)
    large = np.asarray(sheet, np.uint8)
    if random.random() < 0.6:  # a pencil is thinner than print
        thin = max(1, round(size * fine * random.uniform(0.01, 0.035)))
        large = np.asarray(cv2.erode(large, np.ones((thin, thin), np.uint8)), np.uint8)
    small = (max(3, large.shape[1] // fine), max(3, large.shape[0] // fine))
    plane = cv2.resize(large, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return np.asarray(np.clip(plane * 1.4, 0, 1), np.float32)


def _by_pen(random: Random, text: str, size: float) -> Plane:
    pen = int(random.choice(PENS))
    scale = cv2.getFontScaleFromHeight(pen, max(4, round(size * 0.75)))
    thick = max(1, round(size * random.uniform(0.03, 0.1)))
    (wide, high), low = cv2.getTextSize(text, pen, scale, thick)
    sheet = np.zeros((high + low + 10, wide + 10), np.uint8)
    cv2.putText(sheet, text, (5, high + 4), pen, scale, (255,), thick, cv2.LINE_AA)
    return np.asarray(sheet.astype(np.float32) / 255, np.float32)


def _lines(random: Random, size: float) -> Plane:
    """Return one to three lines of text, upright columns now and then."""
    if random.random() < 0.12:
        rows = [_glyphs(random, one, size) for one in _text(random)]
        gap = size * random.uniform(-0.1, 0.2)
    else:
        rows = [
            _glyphs(random, _text(random), size) for _ in range(int(random.choice((1, 1, 1, 2, 3))))
        ]
        gap = size * random.uniform(-0.1, 0.5)
    wide = max(one.shape[1] for one in rows)
    high = int(sum(one.shape[0] + max(gap, 0) for one in rows)) + 1
    sheet = np.zeros((high + 4, wide + 4), np.float32)
    y = 0.0
    for one in rows:
        part = sheet[int(y) : int(y) + one.shape[0], : one.shape[1]]
        np.maximum(part, one[: part.shape[0]], out=part)
        y += one.shape[0] + max(gap, 0)
    return _by_hand(random, sheet, size) if random.random() < 0.75 else sheet


def _signed(random: Random, size: float) -> Plane:
    """Return a text with a ring around it, as BOOKs are numbered, or with an arrow beside it."""
    ringed = random.random() < 0.7
    short = ringed and random.random() < 0.7
    words = _text(random)[:2]
    if short:
        words = str(random.choice(list(NUMBERED))) if random.random() < 0.6 else words[:1]
    text = _glyphs(random, words, size)
    room = round(size * random.uniform(0.3, 0.7))
    sheet = np.pad(text, room)
    high, wide = sheet.shape
    thick = max(1, round(size * random.uniform(0.02, 0.08)))
    if ringed:
        axes = (max(2, wide // 2 - thick - 1), max(2, high // 2 - thick - 1))
        if random.random() < 0.6 and max(axes) < 1.6 * min(axes):
            # As round as a hand draws it, around whatever stands in it.
            grown = max(axes) - min(axes)
            sheet = np.pad(sheet, ((grown, grown), (grown, grown)))
            high, wide = sheet.shape
            axes = (max(axes), round(max(axes) * random.uniform(0.85, 1.0)))
        middle = (wide // 2, high // 2)
        turn = random.uniform(0, 180)
        if axes[0] > 1.3 * axes[1]:
            turn = 0.0  # around two signs it lies level
        cv2.ellipse(sheet, middle, axes, turn, 0, 360, (1.0,), thick, cv2.LINE_AA)
        if random.random() < 0.35:
            return np.asarray(sheet * np.float32(random.uniform(0.75, 1)), np.float32)
    else:
        long = round(size * random.uniform(1.2, 2.2))
        sheet = np.pad(sheet, ((0, 0), (0, long)))
        ends = (
            (wide, high // 2),
            (wide + long - 3, high // 2 + round(random.normal(0, 0.2) * size)),
        )
        cv2.arrowedLine(sheet, *ends, (1.0,), thick, cv2.LINE_AA, 0, random.uniform(0.15, 0.4))
    return _by_hand(random, np.asarray(sheet, np.float32), size)


def _by_hand(random: Random, plane: Plane, size: float) -> Plane:
    """Slant, turn and waver what is written, and press unevenly."""
    plane = np.pad(plane, 6)
    height, width = plane.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), random.normal(0, 4), 1.0)
    turn[0, 1] += random.normal(0, 0.12)
    spin = np.asarray(cv2.warpAffine(plane, turn, (width, height)), np.float32)
    maps: list[Plane] = []
    amount, scale = size * random.uniform(0.01, 0.07), max(size * random.uniform(0.25, 0.7), 1.0)
    for base in np.meshgrid(np.arange(width), np.arange(height)):
        rough = random.normal(size=(height, width)).astype(np.float32)
        noise = np.asarray(cv2.GaussianBlur(rough, (0, 0), scale), np.float64)
        maps.append((base + noise * amount / max(float(noise.std()), 1e-6)).astype(np.float32))
    drawn = np.asarray(cv2.remap(spin, maps[0], maps[1], cv2.INTER_LINEAR), np.float32)
    return np.asarray(np.clip(drawn * random.uniform(0.75, 1.2), 0, 1), np.float32)


def _small_things(plane: Plane, random: Random) -> None:
    """Draw what is small and is no writing: birds, stones, leaves, bricks, panes, ripples."""
    height, width = plane.shape
    for _ in range(int(random.integers(1, 6))):
        style = int(random.integers(STYLES))
        x, y = random.uniform(0, width), random.uniform(0, height)
        size = random.uniform(0.006, 0.04) * height
        spread = random.uniform(0.05, 0.4) * height
        across, apart = int(random.integers(2, 12)), random.uniform(1.25, 2.2)
        pen = (float(random.uniform(0.6, 1)), int(random.choice((1, 1, 1, 2))))
        uneven = random.uniform(0.05, 0.4)
        for index in range(int(random.choice((3, 8, 20, 60, 160)))):
            at = np.array([x, y]) + random.normal(0, spread, 2) * (1, random.uniform(0.3, 1))
            if style >= IN_ROWS:
                row, column = index // across, index % across
                at = np.array([x + column * size * apart, y + row * size * apart])
            own = size * float(np.exp(random.normal(0, uneven if style < IN_ROWS else 0.05)))
            _thing(plane, random, style, at, own, pen)


STYLES, IN_ROWS = 16, 10  #: of small things, and the first of those that stand in rows


def _thing(
    plane: Plane,
    random: Random,
    style: int,
    at: NDArray[np.float64],
    size: float,
    pen: tuple[float, int],
) -> None:
    for one in _shape(random, style):
        fixed = np.rint((np.asarray(one, np.float64) * size + at) * 16).astype(np.int32)
        tone, thick = pen
        cv2.polylines(
            plane, [fixed], isClosed=False, color=(tone,), thickness=thick,
            lineType=cv2.LINE_AA, shift=4,
        )  # fmt: skip


def _shape(random: Random, style: int) -> list[NDArray[np.float64]]:
    """Return the lines of a small thing of about one unit."""
    if style >= IN_ROWS:
        return _shape_in_a_row(random, style)
    turns = np.linspace(0, 2 * np.pi, 10)
    ring = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    level = np.linspace(-1, 1, 9)
    match style:
        case 0:  # a bird
            return [np.array([[-1, 0], [-0.5, -0.4], [0, 0], [0.5, -0.4], [1, 0]])]
        case 1:  # a stone
            return [ring * (1.3, 0.8) + random.normal(0, 0.1, ring.shape)]
        case 2:  # a leaf of a crown
            arc = turns[: int(random.integers(4, 8))] + random.uniform(0, 6)
            return [np.stack([np.cos(arc), np.sin(arc) * 0.7], axis=1)]
        case 3:  # a tuft of grass
            tips = random.uniform(-0.6, 0.6, int(random.integers(2, 6)))
            apart = random.uniform(0, 0.4)
            return [np.array([[tip * apart, 0], [tip, -random.uniform(0.6, 1)]]) for tip in tips]
        case 4:  # a leaf with its rib
            bend = np.sin(np.linspace(0, np.pi, 7)) * random.uniform(0.2, 0.45)
            along = np.linspace(-1, 1, 7)
            turn = random.uniform(0, 2 * np.pi)
            spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
            sides = [np.stack([along, side * bend], axis=1) @ spin for side in (-1, 1, 0)]
            return sides[: int(random.integers(2, 4))]
        case 5:  # a ripple
            wave = 0.18 * np.sin(level * random.uniform(3, 8) + random.uniform(0, 6))
            return [np.stack([level * random.uniform(0.8, 2), wave], axis=1)]
        case 6:  # fruit, bubbles, pebbles, a clock now and then
            hands = random.uniform(0, 2 * np.pi, 2)
            ends = 0.7 * np.stack([np.cos(hands), np.sin(hands)], axis=1)
            clock = [ring, np.array([ends[0], [0, 0], ends[1] * 0.6])]
            return clock if random.random() < 0.3 else [ring * random.uniform(0.5, 1)]
        case 7:  # a flower
            petals = [ring * 0.35 + 0.55 * ring[2 * index] for index in range(5)]
            return [ring * 0.25, *petals][: int(random.integers(2, 7))]
        case 8:  # a scribble of leaves
            steps = random.normal(0, 0.45, (int(random.integers(5, 14)), 2))
            return [np.cumsum(steps, axis=0)]
        case _:  # a zigzag of grass
            zigzag = np.where(np.arange(9) % 2 == 0, 0.0, -random.uniform(0.4, 1.0))
            return [np.stack([level, zigzag + random.normal(0, 0.1, 9)], axis=1)]


def _shape_in_a_row(random: Random, style: int) -> list[NDArray[np.float64]]:
    match style:
        case 10:  # a brick
            return [np.array([[0, 0], [1.3, 0], [1.3, 0.6], [0, 0.6], [0, 0]])]
        case 11:  # a window of four panes
            box = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
            return [box, np.array([[0.5, 0], [0.5, 1]]), np.array([[0, 0.5], [1, 0.5]])]
        case 12:  # pickets
            return [np.array([[0, 0], [0, 1]]), np.array([[0.3, 0], [0.3, 1]])]
        case 13:  # scales of a roof
            arc = np.linspace(0, np.pi, 6)
            return [np.stack([0.6 * np.cos(arc), 0.6 * np.sin(arc)], axis=1)]
        case 14:  # a cross of a lattice
            return [np.array([[0, 0], [0.8, 0.8]]), np.array([[0.8, 0], [0, 0.8]])]
        case _:  # hatching
            lean = random.uniform(-0.1, 0.1) + 0.6
            return [np.array([[0, 0], [-lean, 1]]) + (0.3 * index, 0) for index in range(3)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """The strokes of one sheet, and which of them are writing."""

    shown: LetterFigures
    letter: NDArray[np.float32]  #: the part of each one's ink that is a note's


def strokes_with_truth(seed: int) -> Written:
    """Draw a sheet, take it apart as a layout is, and label each small stroke."""
    drawing, notes = sheet_of(seed)
    ink = inked(drawing, notes, np.random.default_rng((seed, 78)))
    tall = usual_height(ink, ink)
    strokes = parted(strokes_of(ink), tall)
    shown = letter_figures(ink, strokes, sums_of(ink, strokes, tall), tall)
    flat = strokes.labels.ravel()
    count = len(strokes.area)
    of_notes = np.bincount(flat, (notes.ravel() > 0.15) & (notes > drawing).ravel(), count)
    part = (of_notes / np.maximum(np.bincount(flat, minlength=count), 1))[shown.strokes]
    return Written(shown=shown, letter=part.astype(np.float32))


def written_sheets(seeds: range, *, workers: int) -> list[Written]:
    """Draw sheets and take them apart, in several processes."""
    if workers < 2:
        return [strokes_with_truth(seed) for seed in seeds]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        return pool.map(strokes_with_truth, seeds, chunksize=8)


class Letters(nn.Module):
    """The twin of `LetterNetwork`, with gradients."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FIGURES))
        self.register_buffer("deviation", torch.ones(FIGURES))
        channels = (PICTURES, *SEEN)
        self.seen = nn.ModuleList(
            [nn.Conv2d(one, other, 3, stride=2, padding=1) for one, other in pairwise(channels)]
        )
        shapes = letter_shapes()
        self.first = nn.Linear(shapes["letters.first.weight"][1], HIDDEN)
        self.second = nn.Linear(HIDDEN * (GROUPINGS + 1), HIDDEN)
        self.third = nn.Linear(HIDDEN * (GROUPINGS + 1), LAST)
        self.last = nn.Linear(LAST, 1)
        self.drop = nn.Dropout(0.1)

    def forward(self, pictures: Tensor, figures: Tensor, groups: Tensor, area: Tensor) -> Tensor:
        """Return each stroke's score as writing; pictures are (strokes, channels, side, side)."""
        scaled = (figures - self.mean) / self.deviation
        seen = pictures
        if self.training:
            scaled = scaled + torch.randn_like(scaled) * 0.1
            seen = (seen * (0.75 + 0.5 * torch.rand(len(seen), PICTURES, 1, 1))).clamp(max=1)
        for layer in self.seen:
            seen = functional.relu(layer(seen))
        # Channels last, as `LetterNetwork` has them.
        flat = seen.permute(0, 2, 3, 1).flatten(1)
        state = functional.relu(self.first(torch.cat([scaled, self.drop(flat)], dim=1)))
        weight = area.sqrt()[:, None]
        for layer in (self.second, self.third):
            heard = [state]
            for of in groups.T:
                size = int(of.max()) + 1
                sums = torch.zeros(size, state.shape[1]).index_add(0, of, state * weight)
                whole = torch.zeros(size, 1).index_add(0, of, weight)
                heard.append((sums / whole.clamp(min=1e-6))[of])
            state = functional.relu(layer(self.drop(torch.cat(heard, dim=1))))
        scores: Tensor = self.last(state)[:, 0]
        return scores


RATE, RATE_AGAIN = 2.5e-3, 1.2e-3  #: of learning, at first, and from weights that are there
TOGETHER = 1  #: sheets that are learnt from at once
MOST_STROKES = 1200  #: of a sheet that is learnt from: more teach nothing new, and take long


def fit_letters(
    sheets: list[Written],
    *,
    epochs: int,
    seed: int,
    start: Mapping[str, NDArray[np.float16]] | None = None,
    dear: float = 0.6,
) -> Letters:
    """
    Learn which strokes are writing.

    Args:
        sheets: what to learn from.
        epochs: how often each is seen.
        seed: of chance.
        start: weights to learn on from, at a lower rate; None begins with chance.
        dear: what drawing counts, of what a letter does.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Letters()
    kept = [one for one in sheets if 0 < len(one.shown.strokes) <= MOST_STROKES]
    if start is None:
        figures = np.concatenate([one.shown.figures for one in kept])
        network.mean.copy_(torch.from_numpy(figures.mean(axis=0)))
        network.deviation.copy_(torch.from_numpy(figures.std(axis=0) + 0.05))
    else:
        _begin_with(network, start)
    highest = RATE if start is None else RATE_AGAIN
    optimizer = torch.optim.AdamW(network.parameters(), lr=highest, weight_decay=0.02)
    each = max(1, len(kept) // TOGETHER)
    for epoch in range(epochs):
        total = 0.0
        order = rng.permutation(len(kept))
        for step in range(each):
            at = (epoch + step / each) / epochs
            for group in optimizer.param_groups:
                group["lr"] = highest * min(1.0, 20 * at + 0.05) * (0.5 + 0.5 * np.cos(np.pi * at))
            chosen = order[step * TOGETHER : (step + 1) * TOGETHER]
            loss = _loss(network, [kept[index] for index in chosen], dear)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch has no types for it
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            total += float(loss.detach())
        LOG.info("letters, epoch %d: loss %.4f", epoch + 1, total / each)
    return network.eval()


def _begin_with(network: Letters, start: Mapping[str, NDArray[np.float16]]) -> None:
    state = network.state_dict()
    for name, weights in start.items():
        held = state[name.removeprefix("letters.")]
        held.copy_(torch.from_numpy(weights.astype(np.float32)).reshape(held.shape))


def _loss(network: Letters, sheets: list[Written], dear: float) -> Tensor:
    """Return how far scores are from the truth; large strokes count more, mixed ones less."""
    shown = [one.shown for one in sheets]
    apart = np.cumsum([0, *(int(one.groups.max()) + 1 for one in shown)])
    groups = [one.groups + begin for one, begin in zip(shown, apart, strict=False)]
    area = torch.from_numpy(np.concatenate([one.area for one in shown]))
    scores = network(
        _planes(np.concatenate([one.pictures for one in shown])),
        torch.from_numpy(np.concatenate([one.figures for one in shown])),
        torch.from_numpy(np.concatenate(groups)),
        area,
    )
    part = torch.from_numpy(np.concatenate([one.letter for one in sheets]))
    truth = (part > 0.5).float()
    each = functional.binary_cross_entropy_with_logits(scores, truth, reduction="none")
    weight = area**0.7 * (2 * part - 1).abs() * (1 + (dear - 1) * (1 - truth))
    return (each * weight).sum() / (weight.sum() + 300)


def _planes(pictures: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def letter_weights(network: Letters) -> dict[str, NDArray[np.float16]]:
    """Return the weights by the names that `LetterNetwork` reads."""
    state = network.state_dict()
    return {
        name: state[name.removeprefix("letters.")].numpy().reshape(shape).astype(np.float16)
        for name, shape in letter_shapes().items()
    }


def kept_letters(file: Path) -> dict[str, NDArray[np.float16]]:
    """Return the weights for letters out of a file of both networks."""
    held = load_file(file)
    return {name: held[name] for name in letter_shapes()}
