"""
Layout sheets with all that stands on one, drawn for `sheets.py` to be read.

All kinds of frames (single, PAN, T.U., safety), ratios, hands, tints, pegs, forms, notes in the
margin and on the picture, trace lines, scanners' dust and shading, turned by a few degrees; some
are bare drawings without any frame. What is drawn is known.
"""

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from drawn_layouts import Plane, Random, draw_box, draw_curve, draw_line, drawn, wavering

FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
    "/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc",
)
RATIOS = (4 / 3, 1.371, 1.66, 16 / 9, 16 / 9, 16 / 9, 1.85, 2.35)
MARGIN_TEXTS = tuple(
    "C-012 #12-129 6+12 第3話 作画監督 演出 BG原図 田中 タップ レイアウト用紙 TITLE CUT TIME "  # noqa: SIM905
    "SCENE4 LO 背景 監督 兼用C-008 A B セル 撮影".split()
)
NOTES = tuple(
    "BOOK1 PAN2秒 FIX T.U Follow ここに影 空は明るく 夕方の光 BG-only 組線 木の影 BOOK "  # noqa: SIM905
    "奥の山ぼかす 窓は開いている Q.PAN カメラ右へ 雲を動かす ハイライト もう少し暗く 兼用 3コマ "
    "看板の文字あとで cloud-slide see-C-014 セルかぶり注意".split()
)


@dataclass(kw_only=True, eq=False)
class DrawnSheet:
    """A sheet and all that is known of it."""

    kind: str
    pixels: Plane
    quad: NDArray[np.float64] | None  #: the painted part's corners; None on a bare drawing
    drawing: Plane
    notes: Plane
    lines: Plane  #: of frames that stand on the picture: T.U., the ends of a PAN, safety
    traits: list[str] = field(default_factory=list)


@cache
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def write(
    plane: Plane, random: Random, text: str, at: tuple[float, float], size: int, *, hand: bool
) -> None:
    """Write a text, printed or as a hand would: leaning, wavering, uneven."""
    font = _font(FONTS[int(random.integers(len(FONTS)))], max(7, size))
    left, top, right, bottom = font.getbbox(text)
    wide, high = int(right - left) + 12, int(bottom - top) + 12
    image = Image.new("L", (wide, high), 0)
    ImageDraw.Draw(image).text((6 - left, 6 - top), text, fill=255, font=font)
    patch: Plane = np.asarray(np.asarray(image, np.float32) / 255, np.float32)
    if hand:
        patch = wavering(patch, random, size * 0.05, size * 0.5)
        turn = cv2.getRotationMatrix2D((wide / 2, high / 2), random.uniform(-6, 6), 1.0)
        turn[0, 1] += random.uniform(-0.2, 0.2)
        patch = np.asarray(cv2.warpAffine(patch, turn, (wide, high)), np.float32)
        patch *= np.float32(random.uniform(0.75, 1.0))
    height, width = plane.shape
    x = int(np.clip(at[0], 0, max(0, width - wide)))
    y = int(np.clip(at[1], 0, max(0, height - high)))
    part = plane[y : y + high, x : x + wide]
    np.maximum(part, patch[: part.shape[0], : part.shape[1]], out=part)


@dataclass(kw_only=True, eq=False)
class Planes:
    """Layers of one sheet, all of its size."""

    drawing: Plane
    frame: Plane
    form: Plane
    notes: Plane
    pegs: Plane
    traces: list[tuple[tuple[float, float, float], Plane]]


def _hand_side(
    plane: Plane, random: Random, one: NDArray[np.float64], other: NDArray[np.float64], thick: int
) -> None:
    """Rule a side by hand: it wavers by a little and runs past its corners."""
    along = other - one
    length = float(np.linalg.norm(along))
    unit = along / length
    part = np.linspace(-random.uniform(0, 10) / length, 1 + random.uniform(0, 10) / length, 40)
    waver = cv2.GaussianBlur(random.normal(size=(1, 40)).astype(np.float32), (0, 0), 5)[0]
    waver *= 0.5 / max(float(waver.std()), 1e-6)
    waver -= waver.mean()
    points = one + part[:, None] * along + waver[:, None] * np.array([-unit[1], unit[0]])
    draw_curve(plane, points, thick)


def _rule(
    plane: Plane, random: Random, quad: NDArray[np.float64], *, hand: bool, thick: int
) -> None:
    for index in range(4):
        one, other = quad[index], quad[(index + 1) % 4]
        if hand:
            _hand_side(plane, random, one, other, thick)
        else:
            draw_line(plane, tuple(one), tuple(other), thick)


def _rectangle(x: float, y: float, w: float, h: float) -> NDArray[np.float64]:
    return np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], np.float64)


def _pegs(
    plane: Plane, random: Random, width: int, height: int, *, at_top: bool, white: bool
) -> None:
    unit = width * random.uniform(0.022, 0.03)
    apart = width * random.uniform(0.24, 0.36)
    x = width / 2 + random.uniform(-0.05, 0.05) * width
    y = random.uniform(0.03, 0.05) * height + unit / 2
    y = y if at_top else height - y
    thick = 1 if white else -1
    cv2.circle(plane, (round(x), round(y)), round(unit / 2), 1.0, thick, cv2.LINE_AA)
    for side in (-1, 1):
        left, right = x + side * apart - unit, x + side * apart + unit
        top, bottom = y - unit * 0.25, y + unit * 0.25
        cv2.rectangle(plane, (round(left), round(top)), (round(right), round(bottom)), 1.0, thick)


def _form(planes: Planes, random: Random, quad: NDArray[np.float64], scale: float) -> None:
    """Fields with their labels above or below the frame, names, ticks at the middle of sides."""
    height, width = planes.form.shape
    top = float(quad[:, 1].min())
    if random.random() < 0.6 and top > 50 * scale:
        x = random.uniform(0.03, 0.3) * width
        y = max(4.0, top - random.uniform(0.6, 0.9) * top)
        high = min(28 * scale, top - y - 6)
        for _ in range(int(random.integers(2, 6))):
            wide = random.uniform(60, 190) * scale
            if x + wide > width - 8:
                break
            draw_box(planes.form, x, y, wide, high)
            text = MARGIN_TEXTS[int(random.integers(len(MARGIN_TEXTS)))]
            size = int(high * random.uniform(0.45, 0.7))
            write(planes.form, random, text, (x + 5, y + 1), size, hand=random.random() < 0.5)
            x += wide
    for _ in range(int(random.integers(1, 7))):
        text = MARGIN_TEXTS[int(random.integers(len(MARGIN_TEXTS)))]
        size = int(random.uniform(12, 30) * scale)
        low = float(quad[:, 1].max())
        y = random.uniform(0, max(2.0, top - size - 14))
        if random.random() < 0.4 and height - low > size + 22:
            y = random.uniform(low + 6, height - size - 14)
        if min(abs(y + size - top), abs(y - low)) > 4 and (y + size + 14 < top or y > low):
            x = random.uniform(10, width - 140 * scale)
            write(planes.form, random, text, (x, y), size, hand=random.random() < 0.7)
    if random.random() < 0.4:
        for index in range(4):
            middle = (quad[index] + quad[(index + 1) % 4]) / 2
            away = middle - quad.mean(axis=0)
            away = away / np.linalg.norm(away)
            draw_line(planes.form, tuple(middle + 3 * away), tuple(middle + 14 * scale * away))


def _write_on(planes: Planes, random: Random, quad: NDArray[np.float64], scale: float) -> None:
    """Write notes on the picture where there is room, some with a leader line."""
    for _ in range(int(random.integers(1, 5))):
        text = NOTES[int(random.integers(len(NOTES)))]
        size = int(random.uniform(16, 34) * scale)
        wide, high = size * len(text) * 0.9, size * 1.5
        low, right = quad[:, 1].max() - high - 12, quad[:, 0].max() - wide - 20
        best, least = (0.0, 0.0), np.inf
        for _ in range(14):
            x = random.uniform(quad[0, 0] + 10, max(quad[0, 0] + 11, right))
            y = random.uniform(quad[0, 1] + 10, max(quad[0, 1] + 11, low))
            part = slice(int(y), int(y + high)), slice(int(x), int(x + wide))
            taken = float(planes.drawing[part].mean() + 4 * planes.notes[part].mean())
            if taken < least:
                best, least = (x, y), taken
        if least > 0.02:
            continue
        write(planes.notes, random, text, best, size, hand=random.random() < 0.75)
        if random.random() < 0.35:
            _point_from(planes, random, best, (wide, high), size)
    for _ in range(int(random.poisson(0.8))):
        _circled(planes, random, quad, scale)


def _point_from(
    planes: Planes,
    random: Random,
    at: tuple[float, float],
    box: tuple[float, float],
    size: int,
) -> None:
    """Draw an arrow or a leader line from a note to where it means, over paper that is free."""
    left = random.random() < 0.5
    start = np.array([at[0] - 4 if left else at[0] + box[0] + 4, at[1] + box[1] / 2])
    turn = random.uniform(-0.9, 0.9) + (np.pi if left else 0)
    end = start + size * random.uniform(1.5, 5) * np.array([np.cos(turn), np.sin(turn)])
    height, width = planes.notes.shape
    if not (6 < end[0] < width - 6 and 6 < end[1] < height - 6):
        return
    way = np.zeros_like(planes.notes)
    ends = [(round(x), round(y)) for x, y in (start, end)]
    cv2.line(way, ends[0], ends[1], 1.0, 9)
    if float(planes.drawing[way > 0].max(initial=0.0)) > 0.2:
        return
    if random.random() < 0.6:
        cv2.arrowedLine(planes.notes, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 0, 0.2)
    else:
        cv2.line(planes.notes, ends[0], ends[1], 1.0, 1, cv2.LINE_AA)


def _circled(planes: Planes, random: Random, quad: NDArray[np.float64], scale: float) -> None:
    """Draw a number or a letter with a ring around it, as BOOKs and cels are numbered."""
    size = int(random.uniform(18, 34) * scale)
    text = str(random.choice(("1", "2", "3", "A", "B", "12", "7")))
    for _ in range(14):
        x = random.uniform(quad[0, 0] + 2 * size, max(quad[2, 0] - 2 * size, quad[0, 0] + 80))
        y = random.uniform(quad[0, 1] + 2 * size, max(quad[2, 1] - 2 * size, quad[0, 1] + 80))
        reach = int(1.3 * size)
        part = (
            slice(max(0, int(y) - reach), int(y) + reach),
            slice(max(0, int(x) - reach), int(x) + reach),
        )
        if planes.drawing[part].max(initial=0.0) + planes.notes[part].max(initial=0.0) < 0.1:
            at = (x - 0.32 * size * len(text) - 6, y - 0.45 * size - 6)
            write(planes.notes, random, text, at, size, hand=random.random() < 0.6)
            axes = (round(size * 0.95), round(size * random.uniform(0.8, 0.95)))
            turn = random.uniform(0, 180)
            middle = (round(x), round(y))
            cv2.ellipse(planes.notes, middle, axes, turn, 0, 360, 1.0, 1, cv2.LINE_AA)
            return


def _trace(planes: Planes, random: Random, quad: NDArray[np.float64]) -> None:
    colours = ((0.86, 0.2, 0.2), (0.2, 0.35, 0.9), (0.15, 0.6, 0.25), (0.55, 0.33, 0.15))
    for index in random.permutation(4)[: int(random.integers(1, 4))]:
        plane = np.zeros_like(planes.drawing)
        for _ in range(int(random.integers(2, 8))):
            start = quad[0] + random.uniform(0.05, 0.8, 2) * (quad[2] - quad[0])
            points = start + np.cumsum(
                random.normal(0, 14, (9, 2)) + random.normal(0, 8, 2), axis=0
            )
            points = np.clip(points, quad[0] + 5, quad[2] - 5)
            draw_curve(plane, points, int(random.integers(1, 3)))
        planes.traces.append((colours[int(index)], plane))


TINTS = (
    (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.97, 0.95, 0.9), (1.0, 0.84, 0.86),
    (1.0, 0.72, 0.74), (1.0, 0.96, 0.68), (0.82, 0.92, 1.0), (0.84, 0.97, 0.84),
)  # fmt: skip


def sheet_of(seed: int) -> DrawnSheet:
    """Draw one sheet."""
    random = np.random.default_rng(seed)
    traits: list[str] = []
    width = int(random.choice((1000, 1280, 1280, 1600, 2000)))
    kinds = ("frame", "frame", "frame", "frame", "safety", "tu", "pan", "long", "bare")
    kind = str(random.choice(kinds))
    if kind == "bare":
        return _bare(random, width, traits)
    return _framed(random, kind, width, traits)


def _some_pegs(
    planes: Planes, random: Random, quad: NDArray[np.float64], traits: list[str]
) -> None:
    height, width = planes.pegs.shape
    if random.random() < 0.7:
        at_top = bool(random.random() < 0.5)
        white = bool(random.random() < 0.3)
        room = quad[:, 1].min() if at_top else height - quad[:, 1].max()
        if room > 0.1 * height:
            traits.append("pegs")
            _pegs(planes.pegs, random, width, height, at_top=at_top, white=white)


def _framed(random: Random, kind: str, width: int, traits: list[str]) -> DrawnSheet:
    ratio = float(random.choice(RATIOS))
    height = int(width / random.choice((1.414, 1.5, 1.35)))
    if kind in {"pan", "long"}:
        width, height = int(width * 1.3), int(width * 1.3 / random.choice((2.0, 2.4)))
    scale = width / 1280
    share = random.uniform(0.62, 0.86)
    frames, quad = _frames_of(random, kind, width, height, ratio, share)
    planes = Planes(
        **{name: np.zeros((height, width), np.float32) for name in
           ("drawing", "frame", "form", "notes", "pegs")}, traces=[],
    )  # fmt: skip
    bleed = int(random.choice((0, 0, 0, 10, 24)) * scale)
    x, y = (int(v) for v in quad[0] - bleed)
    w, h = (int(v) + 1 for v in quad[2] - quad[0] + 2 * bleed)
    x, y, w, h = max(x, 0), max(y, 0), min(w, width - max(x, 0)), min(h, height - max(y, 0))
    planes.drawing[y : y + h, x : x + w] = drawn(random, w, h)
    if len(frames) == 2 and kind == "pan":
        keep = np.zeros((height, width), np.uint8)
        points = np.concatenate(frames).astype(np.float32)
        cv2.fillConvexPoly(keep, cv2.convexHull(points).round().astype(np.int32), 1)
        planes.drawing *= keep
    hand = random.random() < 0.35
    thick = int(random.choice((1, 1, 2, 3)) * max(1, round(scale)))
    for one in frames:
        _rule(planes.frame, random, one, hand=hand, thick=thick)
    if kind == "safety":
        middle = quad.mean(axis=0)
        inner = middle + (quad - middle) * random.uniform(0.88, 0.95)
        _rule(planes.frame, random, inner, hand=False, thick=1)
    _some_pegs(planes, random, quad, traits)
    _form(planes, random, quad, scale)
    if random.random() < 0.6:
        traits.append("notes")
        _write_on(planes, random, quad, scale)
    if random.random() < 0.5:
        traits.append("traces")
        _trace(planes, random, quad)
    turn = random.uniform(-4, 4) if random.random() < 0.6 else 0.0
    quad, planes = _turned(planes, quad, turn)
    colour = (0.12, 0.12, 0.12)
    if random.random() < 0.25:
        colour = ((0.3, 0.45, 0.85), (0.85, 0.3, 0.3), (0.35, 0.6, 0.8))[int(random.integers(3))]
        traits.append("coloured frame")
    pixels = _composed(planes, random, colour, traits)
    inside = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(inside, (quad * 16).round().astype(np.int32), 1, cv2.LINE_8, 4)
    edge = np.ones((2 * thick + 5, 2 * thick + 5), np.uint8)
    inside = np.asarray(cv2.erode(inside, edge), np.uint8)
    traits += [f"hand {hand}", f"turned {abs(turn) > 0.5}", f"bleed {bleed > 0}"]
    return DrawnSheet(
        kind=kind, pixels=pixels, quad=quad, drawing=planes.drawing * inside,
        notes=planes.notes * inside, lines=planes.frame * inside, traits=traits,
    )  # fmt: skip


def _frames_of(
    random: Random, kind: str, width: int, height: int, ratio: float, share: float
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    if kind == "pan":
        h = height * random.uniform(0.5, 0.68)
        w = min(h * ratio, 0.62 * width)
        h = w / ratio
        x, y = random.uniform(0.04, 0.08) * width, (height - h) * random.uniform(0.4, 0.7)
        x2 = min(width * 0.94 - w, x + w * random.uniform(0.3, 1.0))
        first, second = _rectangle(x, y, w, h), _rectangle(x2, y, w, h)
        return [first, second], _rectangle(x, y, x2 + w - x, h)
    if kind == "long":
        w, h = width * random.uniform(0.8, 0.9), height * random.uniform(0.45, 0.65)
    else:
        w = share * width
        h = w / ratio
        if h > 0.84 * height:
            h = 0.84 * height
            w = h * ratio
    x = (width - w) / 2 + random.uniform(-0.3, 0.3) * (width - w)
    y = (height - h) * random.uniform(0.45, 0.75)
    outer = _rectangle(x, y, w, h)
    if kind == "tu":
        part = random.uniform(0.4, 0.75)
        ix, iy = (
            x + random.uniform(0.02, 0.98 - part) * w,
            y + random.uniform(0.02, 0.98 - part) * h,
        )
        return [outer, _rectangle(ix, iy, part * w, part * h)], outer
    return [outer], outer


def _bare(random: Random, width: int, traits: list[str]) -> DrawnSheet:
    height = int(width / random.choice((4 / 3, 16 / 9, 16 / 9, 1.5)))
    planes = Planes(
        drawing=drawn(random, width, height),
        frame=np.zeros((height, width), np.float32),
        form=np.zeros((height, width), np.float32),
        notes=np.zeros((height, width), np.float32),
        pegs=np.zeros((height, width), np.float32),
        traces=[],
    )  # fmt: skip
    if random.random() < 0.4:
        _write_on(planes, random, _rectangle(4, 4, width - 8, height - 8), width / 1280)
    if random.random() < 0.4:
        _trace(planes, random, _rectangle(4, 4, width - 8, height - 8))
    pixels = _composed(planes, random, (0, 0, 0), traits)
    return DrawnSheet(
        kind="bare", pixels=pixels, quad=None, drawing=planes.drawing, notes=planes.notes,
        lines=planes.frame, traits=traits,
    )  # fmt: skip


def _turned(
    planes: Planes, quad: NDArray[np.float64], degrees: float
) -> tuple[NDArray[np.float64], Planes]:
    if degrees == 0:
        return quad, planes
    height, width = planes.drawing.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)

    def turn(plane: Plane) -> Plane:
        return np.asarray(cv2.warpAffine(plane, matrix, (width, height)), np.float32)

    return quad @ matrix[:, :2].T + matrix[:, 2], Planes(
        drawing=turn(planes.drawing), frame=turn(planes.frame), form=turn(planes.form),
        notes=turn(planes.notes), pegs=turn(planes.pegs),
        traces=[(colour, turn(plane)) for colour, plane in planes.traces],
    )  # fmt: skip


def _composed(
    planes: Planes, random: Random, frame: tuple[float, float, float], traits: list[str]
) -> Plane:
    height, width = planes.drawing.shape
    tint = TINTS[int(random.integers(len(TINTS)))]
    traits.append(f"tint {min(tint) < 0.9}")
    pixels = np.broadcast_to(np.array(tint, np.float32), (height, width, 3)).copy()
    black = (random.uniform(0.05, 0.25),) * 3
    layers = [
        (black, planes.drawing), *planes.traces, (frame, planes.frame), (black, planes.form),
        (black, planes.notes), ((0.05, 0.05, 0.05), planes.pegs),
    ]  # fmt: skip
    for colour, plane in layers:
        # Pencils lie over each other: black stays black under a coloured line.
        pixels *= 1 - (1 - np.array(colour, np.float32)) * plane[..., None]
    if random.random() < 0.45:
        traits.append("scan")
        across = np.linspace(random.uniform(0.8, 1), random.uniform(0.8, 1), width)
        down = np.linspace(random.uniform(0.85, 1), 1, height)
        pixels *= (down[:, None] * across[None])[..., None].astype(np.float32)
        soft = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.4, 0.8))
        pixels = np.asarray(soft, np.float32)
        for _ in range(int(random.integers(5, 60))):
            x, y = int(random.integers(2, width - 2)), int(random.integers(2, height - 2))
            pixels[y : y + 2, x : x + int(random.integers(1, 3))] *= 0.4
        pixels += random.normal(0, 0.012, pixels.shape)
    elif random.random() < 0.3:
        traits.append("jpeg")
        plain = np.ascontiguousarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(70, 95))]
        _, data = cv2.imencode(".jpg", plain, quality)
        loaded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert loaded is not None
        pixels = np.asarray(loaded, np.float32) / np.float32(255)
    return np.ascontiguousarray(np.clip(pixels, 0, 1), np.float32)
