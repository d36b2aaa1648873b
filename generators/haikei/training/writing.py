"""
Sheets with writing on them, to learn letters from: any drawing, and notes by many hands over it.

Letters are those of the fonts that are there (Japanese ones too, where such are installed) and of
OpenCV's pen strokes; a hand makes them thin, uneven, slanted and wavering. Arrows and circled
numbers are notes as well. Drawings bring what looks like letters: windows, tiles, birds, stones.
"""

import logging
import multiprocessing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from safetensors.numpy import load_file
from torch import Tensor, nn
from torch.nn import functional

from haikei.sheets.lettering import (
    FIGURES,
    HIDDEN,
    LINKED,
    LetterFigures,
    letter_figures,
    letter_shapes,
    strokes_of,
)
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


def sheet_of(seed: int) -> tuple[Plane, Plane]:
    """Return the ink of a drawing and, apart from it, the ink of notes over it."""
    random = np.random.default_rng((seed, 77))
    height = int(random.choice((540, 640, 760, 900, 1080)))
    place = "open" if random.random() < 0.3 else ""
    drawing = draw_lesson(8_000_000 + seed, height=height, place=place).ink
    drawing = np.ascontiguousarray(drawing * np.float32(random.uniform(0.7, 1)))
    if random.random() < 0.5:
        _small_things(drawing, random)
    notes = np.zeros_like(drawing)
    if random.random() < 0.85:
        usual = random.uniform(0.018, 0.05) * height
        for _ in range(int(random.integers(1, 7))):
            _note(notes, drawing, random, usual * random.uniform(0.75, 1.3))
    return drawing, notes


def inked(drawing: Plane, notes: Plane, random: Random) -> Plane:
    """Return the ink that a sheet's reading finds of both, on paper that may be grey and rough."""
    paper = (1 - 0.88 * drawing) * (1 - np.float32(random.uniform(0.6, 0.95)) * notes)
    if random.random() < 0.4:
        paper = np.asarray(cv2.GaussianBlur(paper, (0, 0), random.uniform(0.4, 0.9)), np.float32)
        paper = paper + random.normal(0, 0.012, paper.shape).astype(np.float32)
    return flatten(np.asarray(np.clip(paper, 0, 1), np.float32))


def _note(notes: Plane, drawing: Plane, random: Random, size: float) -> None:
    """Put a note where there is room; what touches the drawing is lost in it anyway."""
    patch = _signed(random, size) if random.random() < 0.2 else _lines(random, size)
    high, wide = patch.shape
    height, width = notes.shape
    if high > 0.7 * height or wide > 0.8 * width:
        return
    for _ in range(12):
        x, y = int(random.integers(0, width - wide)), int(random.integers(0, height - high))
        part = np.s_[y : y + high, x : x + wide]
        if float((drawing[part] > 0.2).mean()) < 0.015 and not (notes[part] > 0.2).any():
            np.maximum(notes[part], patch, out=notes[part])
            return


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
    """Return a text with a ring around it, or an arrow beside it."""
    text = _glyphs(random, _text(random)[:2], size)
    room = round(size * random.uniform(0.35, 0.6))
    sheet = np.pad(text, room)
    high, wide = sheet.shape
    thick = max(1, round(size * random.uniform(0.03, 0.08)))
    if random.random() < 0.6:
        axes = (max(2, wide // 2 - thick - 1), max(2, high // 2 - thick - 1))
        cv2.ellipse(sheet, (wide // 2, high // 2), axes, 0, 0, 360, (1.0,), thick, cv2.LINE_AA)
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
    """Draw what is small and is no writing: birds, stones, leaves, bricks, panes, pickets."""
    height, width = plane.shape
    for _ in range(int(random.integers(1, 5))):
        style = int(random.integers(7))
        x, y = random.uniform(0, width), random.uniform(0, height)
        size = random.uniform(0.006, 0.04) * height
        spread = random.uniform(0.05, 0.4) * height
        columns, apart = int(random.integers(2, 12)), random.uniform(1.25, 2.2)
        for index in range(int(random.choice((3, 8, 20, 60, 160)))):
            at = np.array([x, y]) + random.normal(0, spread, 2)
            if style >= 4:  # in rows
                across, down = index % columns, index // columns
                at = np.array([x + across * size * apart, y + down * size * apart])
            _thing(plane, random, style, at, size * random.uniform(0.9, 1.1))


def _thing(plane: Plane, random: Random, style: int, at: NDArray[np.float64], size: float) -> None:
    turns = np.linspace(0, 2 * np.pi, 10)
    match style:
        case 0:
            lines = [
                np.array(
                    [
                        [-size, 0],
                        [-size / 2, -size * 0.4],
                        [0, 0],
                        [size / 2, -size * 0.4],
                        [size, 0],
                    ]
                )
            ]
        case 1:
            ring = np.stack([np.cos(turns) * size * 1.3, np.sin(turns) * size * 0.8], axis=1)
            lines = [ring + random.normal(0, size * 0.08, ring.shape)]
        case 2:
            arc = turns[: int(random.integers(4, 8))] + random.uniform(0, 6)
            lines = [np.stack([np.cos(arc), np.sin(arc) * 0.7], axis=1) * size]
        case 3:  # a tuft of grass
            tips = random.uniform(-0.5, 0.5, int(random.integers(2, 5))) * size
            lines = [np.array([[0, 0], [tip, -size]]) for tip in tips]
        case 4:
            lines = [
                np.array(
                    [[0, 0], [size * 1.3, 0], [size * 1.3, size * 0.6], [0, size * 0.6], [0, 0]]
                )
            ]
        case 5:
            box = np.array([[0, 0], [size, 0], [size, size], [0, size], [0, 0]])
            half = size / 2
            lines = [box, np.array([[half, 0], [half, size]]), np.array([[0, half], [size, half]])]
        case _:
            lines = [np.array([[0, 0], [0, size]]), np.array([[size * 0.3, 0], [size * 0.3, size]])]
    for one in lines:
        fixed = np.rint((one + at) * 16).astype(np.int32)
        cv2.polylines(
            plane, [fixed], isClosed=False, color=(1.0,), thickness=1, lineType=cv2.LINE_AA, shift=4
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Written:
    """The strokes of one sheet, and which of them are writing."""

    shown: LetterFigures
    letter: NDArray[np.float32]


def strokes_with_truth(seed: int) -> Written:
    """Draw a sheet, take it apart as a layout is, and label each small stroke."""
    drawing, notes = sheet_of(seed)
    ink = inked(drawing, notes, np.random.default_rng((seed, 78)))
    strokes = strokes_of(ink)
    shown = letter_figures(ink, strokes, float(min(ink.shape)))
    flat = strokes.labels.ravel()
    count = len(strokes.area)
    of_notes = np.bincount(flat, (notes.ravel() > 0.15) & (notes > drawing).ravel(), count)
    part = (of_notes / np.maximum(np.bincount(flat, minlength=count), 1))[shown.strokes]
    return Written(shown=shown, letter=(part > 0.5).astype(np.float32))


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
        self.first = nn.Linear(FIGURES, HIDDEN)
        self.second = nn.Linear(HIDDEN * (len(LINKED) + 2), HIDDEN)
        self.last = nn.Linear(HIDDEN, 1)
        self.drop = nn.Dropout(0.2)

    def forward(self, figures: Tensor, groups: Tensor, area: Tensor) -> Tensor:
        """Return each stroke's score as writing."""
        scaled = (figures - self.mean) / self.deviation
        if self.training:
            scaled = scaled + torch.randn_like(scaled) * 0.15
        state = functional.relu(self.first(scaled))
        weight = area[:, None]
        parts = [state]
        for of in groups.T:
            size = int(of.max()) + 1
            sums = torch.zeros(size, HIDDEN).index_add(0, of, state * weight)
            whole = torch.zeros(size, 1).index_add(0, of, weight)
            parts.append((sums / whole.clamp(min=1e-6))[of])
        state = functional.relu(self.second(self.drop(torch.cat(parts, dim=1))))
        scores: Tensor = self.last(state)[:, 0]
        return scores


def fit_letters(sheets: list[Written], *, epochs: int, seed: int, dear: float = 2.0) -> Letters:
    """Learn which strokes are writing; to lose drawing is dearer than to leave a letter."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Letters()
    kept = [one for one in sheets if len(one.shown.strokes)]
    figures = np.concatenate([one.shown.figures for one in kept])
    network.mean.copy_(torch.from_numpy(figures.mean(axis=0)))
    network.deviation.copy_(torch.from_numpy(figures.std(axis=0) + 0.05))
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.02)
    steps = len(kept) * epochs
    done = 0
    for epoch in range(epochs):
        total = 0.0
        for index in rng.permutation(len(kept)):
            one = kept[index]
            for group in optimizer.param_groups:
                group["lr"] = 3e-3 * (0.5 + 0.5 * np.cos(np.pi * done / steps)) + 1e-6
            done += 1
            truth = torch.from_numpy(one.letter)
            area = torch.from_numpy(one.shown.area)
            scores = network(
                torch.from_numpy(one.shown.figures), torch.from_numpy(one.shown.groups), area
            )
            each = functional.binary_cross_entropy_with_logits(scores, truth, reduction="none")
            weight = area.sqrt() * (1 + (dear - 1) * (1 - truth))
            loss = (each * weight).sum() / (weight.sum() + 200)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch has no types for it
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            total += float(loss.detach())
        LOG.info("letters, epoch %d: loss %.4f", epoch + 1, total / len(kept))
    return network.eval()


def letter_weights(network: Letters) -> dict[str, NDArray[np.float16]]:
    """Return the weights by the names that `LetterNetwork` reads."""
    state = network.state_dict()
    return {
        name: state[name.removeprefix("letters.")].numpy().astype(np.float16)
        for name in letter_shapes()
    }


def kept_letters(file: Path) -> dict[str, NDArray[np.float16]]:
    """Return the weights for letters out of a file of both networks."""
    held = load_file(file)
    return {name: held[name] for name in letter_shapes()}
