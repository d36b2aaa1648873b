"""Pictures: small PNG files, Photoshop documents, and paint-overs with a known truth."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from psd_tools import PSDImage
from psd_tools.constants import ColorMode, Resource
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.image_resources import ImageResource, VersionInfo

from haikei.generators import GenerationRequest, StageOrder
from haikei.generators.painter import PainterGenerator
from haikei.images import Picture, resize
from haikei.measure.grading import ciede2000, lab_of
from haikei.scenes import Scene, SceneKind, draw
from haikei.settings import Settings


def png_bytes(label: str, *, width: int = 48, height: int = 27) -> bytes:
    """Return a grey PNG with a few lines in it; another label gives other bytes."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        rows += bytes(0 if (x * 7 + y * 3) % 19 == 0 else 255 for x in range(width))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"tEXt", b"Comment\0" + label.encode("latin-1", "replace")),
            _chunk(b"IDAT", zlib.compress(bytes(rows))),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def rewrite_chunks(content: bytes, old: bytes, new: bytes) -> bytes:
    """Return a PNG with bytes replaced in all its chunks, and their checksums made right again."""
    place, parts = 8, [content[:8]]
    while place < len(content):
        (size,) = struct.unpack(">I", content[place : place + 4])
        body = content[place + 4 : place + 8 + size].replace(old, new)
        parts.append(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
        place += 12 + size
    return b"".join(parts)


#: Fractions of width and height: left, top, right, bottom.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dab:
    """A soft-edged patch of paint."""

    box: Box
    colour: tuple[int, int, int]  #: sRGB, 8 bits


def layered_psd(below: Picture, paint: Sequence[Dab], *, layer: str = "加筆") -> PSDImage:
    """
    Return a document with the picture at the bottom and one layer of paint.

    Its merged picture is the one that psd-tools makes of the layers when it is saved.
    """
    ground = Image.fromarray(_eight_bits(below))
    document = PSDImage.frompil(ground)
    document.append(document.create_pixel_layer(ground.convert("RGBA"), name="background"))
    painted = document.create_pixel_layer(_painted(ground.size, paint), name="paint")
    # Set afterwards, the name is stored as Unicode beside a plain one, as paint programs do.
    painted.name = layer
    document.append(painted)
    return document


def flattened(below: Picture, paint: Sequence[Dab]) -> NDArray[np.uint8]:
    """Return how it looks: (height, width, 3), sRGB, 8 bits; by Pillow, not by psd-tools."""
    ground = Image.fromarray(_eight_bits(below)).convert("RGBA")
    whole = Image.alpha_composite(ground, _painted(ground.size, paint))
    return np.asarray(whole.convert("RGB"))


def save_psd(document: PSDImage, path: Path, *, xmp: bytes = b"") -> Path:
    """Save a document under its name when it is whole, with the XMP that a program kept."""
    if xmp:
        document.image_resources[Resource.XMP_METADATA] = ImageResource(
            key=Resource.XMP_METADATA.value, data=xmp
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    document.save(part)
    return part.rename(path)


def save_psd_without_composite(document: PSDImage, path: Path) -> Path:
    """Save layers alone, as Photoshop does with "Maximize Compatibility" off: a blank picture."""
    # Not by its name: a watcher would take the whole picture for what is meant.
    whole = io.BytesIO()
    document.save(whole)
    whole.seek(0)
    blank = PSDImage.open(whole)
    white = [b"\xff" * (blank.width * blank.height)] * 3
    record = blank._record  # pyright: ignore[reportPrivateUsage]
    record.image_data = ImageData.new(record.header)
    record.image_data.set_data(white, record.header)
    said = VersionInfo(version=1, has_composite=False, writer="w", reader="r", file_version=1)
    blank.image_resources[Resource.VERSION_INFO] = ImageResource(
        key=Resource.VERSION_INFO.value, data=said.tobytes()
    )
    return save_psd(blank, path)


def save_flat_psd(
    pixels: NDArray[np.uint8], path: Path, *, mode: ColorMode = ColorMode.RGB, bits: int = 8
) -> Path:
    """
    Save a file without layers, its channels stored as they are given.

    Args:
        pixels: (height, width, channels), 8 bits; stretched to `bits`.
        path: of the file.
        mode: what the channels stand for.
        bits: 8 or 16.
    """
    height, width, channels = pixels.shape
    document = PSDImage.new("RGB", (width, height), depth=bits)  # type: ignore[arg-type]
    record = document._record  # pyright: ignore[reportPrivateUsage]
    record.header.color_mode, record.header.channels = mode, channels
    wide = pixels.astype(">u2") * 257 if bits == 16 else pixels
    planes = [np.ascontiguousarray(wide[..., one]).tobytes() for one in range(channels)]
    record.image_data = ImageData.new(record.header)
    record.image_data.set_data(planes, record.header)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        record.write(file)
    return part.rename(path)


def _eight_bits(picture: Picture) -> NDArray[np.uint8]:
    return np.rint(picture.pixels * 255).astype(np.uint8)


def _painted(size: tuple[int, int], paint: Sequence[Dab]) -> Image.Image:
    width, height = size
    layer = Image.new("RGBA", size, (0, 0, 0, 0))
    for dab in paint:
        left, top, right, bottom = dab.box
        mask = Image.new("L", size, 0)
        box = (left * width, top * height, right * width, bottom * height)
        ImageDraw.Draw(mask).ellipse(box, fill=255)
        soft = mask.filter(ImageFilter.GaussianBlur(1.5))
        layer.alpha_composite(
            Image.composite(
                Image.new("RGBA", size, (*dab.colour, 255)),
                Image.new("RGBA", size, (*dab.colour, 0)),
                soft,
            )
        )
    return layer


Pixels = NDArray[np.float32]
#: CIEDE2000 from which on a painted pixel counts as changed in the truth.
VISIBLE = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintOver:
    """A picture, painted over."""

    picture: Picture
    truth: NDArray[np.bool_]  #: pixels that differ visibly, before anything else happened to them

    @property
    def share(self) -> float:
        """Share of the pixels that differ visibly."""
        return float(self.truth.mean())


def painting(
    kind: SceneKind, *, season: str, time: str, seed: int, size: tuple[int, int] = (960, 540)
) -> tuple[Picture, Picture]:
    """Return a layout that our own code drew, and the painter's background of it."""
    layout = draw(Scene(kind=kind, width=size[0], height=size[1], seed=seed)).picture()
    painter = PainterGenerator(Settings.model_construct())
    previous: Picture | None = None
    for finish in ("wash", "full"):
        order = StageOrder(generator="painter", model="", options=(("finish", finish),))
        request = GenerationRequest(
            layout_sha256="0" * 64, previous_sha256="", stage=finish, generator="painter",
            system=painter.describe(order).system, model="", options=order.options, prompt="",
            negative_prompt="", place=kind.value, season=season, time=time, seed=seed,
            width=size[0], height=size[1], colour_space="srgb", libraries=(),
        )  # fmt: skip
        made = painter.generate(request, layout=layout, previous=previous, progress=lambda _: None)
        previous = made.picture
    assert previous is not None
    return layout, previous


def paint_over(before: Picture, kind: str, share: float, seed: int) -> PaintOver:
    """
    Paint over about `share` of a picture, as an artist would; the truth is exact.

    Args:
        before: what is painted over.
        kind: a name in `BRUSHES`.
        share: of the picture's area, 0 to 1.
        seed: of the hand.
    """
    random = np.random.default_rng(seed)
    pixels = before.pixels.copy()
    unit = before.height / 540
    lab = lab_of(before)
    truth = np.zeros(pixels.shape[:2], bool)
    strokes = 0
    while truth.mean() < share * 0.985 and strokes < 4000:
        BRUSHES[kind](pixels, before.pixels, random, unit, share)
        strokes += 1
        if kind != "dabs" or strokes % 8 == 0 or share < 0.02:
            truth = ciede2000(lab, lab_of(Picture(pixels=pixels.copy()))) > VISIBLE
    done = Picture(pixels=pixels)
    return PaintOver(picture=done, truth=ciede2000(lab, lab_of(done)) > VISIBLE)


def _cover(pixels: Pixels, cover: Pixels, colour: Pixels) -> None:
    pixels += (colour - pixels) * cover[..., None]


def _spot(pixels: Pixels, random: np.random.Generator) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    return int(random.integers(width)), int(random.integers(height))


def _scale(share: float) -> float:
    return float(np.clip(np.sqrt(share / 0.05), 0.35, 1.6))


def _stroke(
    pixels: Pixels, before: Pixels, random: np.random.Generator, unit: float, share: float
) -> None:
    """One opaque stroke of a flat brush, with bristles, in another colour."""
    x, y = _spot(pixels, random)
    scale = _scale(share) * unit
    turn = np.cumsum(random.normal(0, 0.25, 12)) + random.uniform(0, 2 * np.pi)
    path = np.cumsum(np.stack([np.cos(turn), np.sin(turn)], axis=1) * 14 * scale, axis=0)
    line = np.rint(np.add(path, (x, y)) * 16).astype(np.int32)
    mask = np.zeros(pixels.shape[:2], np.uint8)
    thick = max(2, round(random.uniform(8, 26) * scale))
    cv2.polylines(mask, [line], False, (255,), thick, cv2.LINE_AA, 4)
    colour = random.uniform(0.05, 0.95, 3).astype(np.float32)
    bristles = random.normal(0, 0.02, (*pixels.shape[:2], 1)).astype(np.float32)
    _cover(pixels, mask.astype(np.float32) / np.float32(255), np.clip(colour + bristles, 0, 1))


def _soft(
    pixels: Pixels, before: Pixels, random: np.random.Generator, unit: float, share: float
) -> None:
    """One dab of a soft airbrush: mist, glow or shade."""
    x, y = _spot(pixels, random)
    radius = random.uniform(14, 40) * _scale(share) * unit
    rows, columns = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    reach = np.sqrt((columns - x) ** 2 + (rows - y) ** 2) / radius
    cover = np.clip(1.5 - reach, 0, 1)
    cover = (cover * cover * (3 - 2 * cover)).astype(np.float32) * np.float32(
        random.uniform(0.5, 0.9)
    )
    colour = np.array([[1, 0.95, 0.8], [0.1, 0.12, 0.3], [0.9, 0.5, 0.3]], np.float32)
    _cover(pixels, cover, colour[int(random.integers(3))])


def _dabs(
    pixels: Pixels, before: Pixels, random: np.random.Generator, unit: float, share: float
) -> None:
    """A cluster of leaves: many small dabs that let the old paint through."""
    x, y = _spot(pixels, random)
    base = np.array([[0.25, 0.5, 0.15], [0.75, 0.35, 0.1], [0.95, 0.75, 0.8]], np.float32)[
        int(random.integers(3))
    ]
    spread = 30 * _scale(share) * unit
    mask = np.zeros(pixels.shape[:2], np.uint8)
    for _ in range(40):
        at = np.add(random.normal(0, spread, 2), (x, y))
        axes = random.uniform(2.5, 7.0, 2) * max(unit, 1.0)
        tint = np.clip(base * random.uniform(0.6, 1.35), 0, 1).astype(np.float32)
        mask[:] = 0
        cv2.ellipse(
            mask, (round(at[0] * 16), round(at[1] * 16)),
            (round(axes[0] * 16), round(axes[1] * 16)),
            float(random.uniform(0, 180)), 0, 360, (255,), -1, cv2.LINE_AA, 4,
        )  # fmt: skip
        reach = 10 * max(unit, 1.0)
        rows, columns = (
            slice(max(0, int(middle - reach)), max(0, int(middle + reach + 2)))
            for middle in at[::-1]
        )
        box = (rows, columns)
        _cover(pixels[box], mask[box].astype(np.float32) / np.float32(255), tint)


def _patch(random: np.random.Generator, shape: tuple[int, ...], scale: float) -> Pixels:
    height, width = shape[:2]
    x, y = random.uniform(0, width), random.uniform(0, height)
    angle = np.sort(random.uniform(0, 2 * np.pi, 9))
    reach = random.uniform(20, 60, 9) * scale
    corners = np.stack([x + 1.4 * reach * np.cos(angle), y + reach * np.sin(angle)], axis=1)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(corners * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255)


def _glaze(
    pixels: Pixels, before: Pixels, random: np.random.Generator, unit: float, share: float
) -> None:
    """A patch in another light: its drawing and texture stay."""
    mask = _patch(random, pixels.shape, _scale(share) * unit)
    tint = np.array([[0.62, 0.66, 0.8], [1.3, 1.2, 1.0], [0.8, 1.1, 0.75]], np.float32)[
        int(random.integers(3))
    ]
    glazed = np.clip(before * tint + (0.04 if tint.mean() > 1 else 0.0), 0, 1).astype(np.float32)
    pixels += (glazed - pixels) * mask[..., None]


def _subtle(
    pixels: Pixels, before: Pixels, random: np.random.Generator, unit: float, share: float
) -> None:
    """A patch whose colour is moved by about 8 CIEDE2000, the same way over the picture."""
    mask = _patch(random, pixels.shape, _scale(share) * unit)
    lab = np.asarray(cv2.cvtColor(before, cv2.COLOR_RGB2LAB), np.float32)
    for reach in (8.0, 11.0, 15.0, 20.0):
        moved = lab + np.array([-0.75, 0.35, 0.45], np.float32) * np.float32(reach)
        back = np.clip(cv2.cvtColor(moved, cv2.COLOR_LAB2RGB), 0, 1).astype(np.float32)
        gap = ciede2000(lab, np.asarray(cv2.cvtColor(back, cv2.COLOR_RGB2LAB), np.float32))
        if float(np.median(gap)) > 7.5:
            break
    pixels += (back - pixels) * mask[..., None]


Brush = Callable[[Pixels, Pixels, np.random.Generator, float, float], None]
BRUSHES: Mapping[str, Brush] = {
    "strokes": _stroke,
    "soft": _soft,
    "dabs": _dabs,
    "glaze": _glaze,
    "subtle": _subtle,
}


def jpeg(picture: Picture, quality: int) -> Picture:
    """Return the picture after a JPEG with half the colour resolution."""
    code = np.rint(picture.pixels[..., ::-1] * 255).astype(np.uint8)
    done, stream = cv2.imencode(".jpg", code, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    back = cv2.imdecode(stream, cv2.IMREAD_COLOR)
    assert back is not None
    return Picture(pixels=np.ascontiguousarray(back[..., ::-1], np.float32) / np.float32(255))


def shifted(picture: Picture, right: float, down: float) -> Picture:
    """Return the picture moved by so many pixels; its border is drawn out."""
    moved = cv2.warpAffine(
        picture.pixels, np.array([[1, 0, right], [0, 1, down]], np.float32),
        (picture.width, picture.height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return Picture(pixels=np.clip(moved, 0, 1).astype(np.float32))


def graded(picture: Picture, gain: tuple[float, float, float], lift: float = 0.0) -> Picture:
    """Return the picture with its channels multiplied, in encoded values."""
    pixels = picture.pixels * np.array(gain, np.float32) + np.array([lift, 0, 0], np.float32)
    return Picture(pixels=np.clip(pixels, 0, 1).astype(np.float32))


def gamma(picture: Picture, power: float) -> Picture:
    """Return the picture with encoded values raised to a power."""
    return Picture(pixels=(picture.pixels ** np.float32(power)).astype(np.float32))


def round_trip(picture: Picture) -> Picture:
    """Return the picture after it was made slightly smaller and large again."""
    small = resize(picture, picture.width - 4, picture.height - 2)
    return resize(small, picture.width, picture.height)


def warm(picture: Picture) -> Picture:
    """Return the picture in a warm grade."""
    return graded(picture, (1.06, 1.0, 0.93), 4 / 255)


#: What happens to a delivered picture besides the artist's work.
TRANSFORMS: Mapping[str, Callable[[Picture], Picture]] = {
    "as painted": lambda picture: picture,
    "8 bit": lambda picture: Picture(
        pixels=np.rint(picture.pixels * 255).astype(np.float32) / np.float32(255)
    ),
    "JPEG q95": lambda picture: jpeg(picture, 95),
    "JPEG q90": lambda picture: jpeg(picture, 90),
    "1 px shift": lambda picture: shifted(picture, 1, 1),
    "0.4 px shift": lambda picture: shifted(picture, 0.4, -0.3),
    "warm grade": warm,
    "gamma 0.9": lambda picture: gamma(picture, 0.9),
    "gamma 1.15": lambda picture: gamma(picture, 1.15),
    "resize round trip": round_trip,
    "3/4 size": lambda picture: resize(picture, picture.width * 3 // 4, picture.height * 3 // 4),
    "grade, shift, JPEG q90": lambda picture: jpeg(shifted(warm(picture), 1, 1), 90),
    "resize, gamma, JPEG q95": lambda picture: jpeg(gamma(round_trip(picture), 1.1), 95),
}
