"""
The BOOKs of a layered layout: `python -m haikei.reading.book_layers` takes them apart.

A BOOK is a piece of the foreground that lies above the cels and moves on its own, so that what is
behind it has to be painted too. Layers are known by their names. The file may be anything: it is
opened in a process of its own, under limits, which leaves plain pictures behind.
"""

import json
import re
import resource
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from haikei import formats
from haikei.errors import ImageUnreadable
from haikei.files import write_whole
from haikei.formats import format_of
from haikei.images import Limits, reader_environment

if TYPE_CHECKING:
    from psd_tools import PSDImage
    from psd_tools.api.layers import Layer

#: Each is a whole picture to make.
MOST = 16
_LIST, _BACK = "books.json", "BG"
#: A layer that covers more of the sheet than this has its paper in it: its alpha is no shape.
_PAPER = 0.98
#: Darker than its paper by so much of 1, a pixel is line.
_LINE = 0.25
#: Gaps in an outline that are closed, in parts of the longer side.
_GAP = 0.006
#: The most of the sheet that a BOOK of lines encloses, and the least that is spoken of.
_CUT_OFF, _SPECK = 0.45, 0.002
#: A layer is filled where so much of what is drawn lies deeper than lines are wide, of the longer
#: side.
_FILLED, _DEEP = 0.2, 0.012


class LayerRole(StrEnum):
    """What a layer of a layout is for, by its name."""

    BOOK = "book"  #: painted on its own
    CEL = "cel"  #: characters and what moves on cels: no part of a background
    NOTE = "note"  #: written or drawn for people
    BACK = "back"  #: all else: BG, LO, line art, frame, trace lines


_NAMES = (
    (
        LayerRole.NOTE,
        re.compile(r"(?<![a-z])(?:notes?|memos?|comments?)(?![a-z])|指示|メモ|注意|注釈"),
    ),
    (LayerRole.BOOK, re.compile(r"(?<![a-z])books?(?![a-z]{2})|ブック")),
    (
        LayerRole.CEL,
        re.compile(r"(?<![a-z])(?:cels?|characters?|chara)(?![a-z])|セル|キャラ|人物"),
    ),
)


def role_of(name: str) -> LayerRole:
    """Return what a layer is for: full-width letters, case and numbers do not count."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return next((role for role, words in _NAMES if words.search(plain)), LayerRole.BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookPart:
    """One picture to be made of a layout that was taken apart."""

    name: str  #: of the layer, as it is in the layout
    drawn: str  #: the layout's picture up to this layer: 8-bit PNG, in the same folder
    cover: str  #: where the layer is, white on black; empty of what is behind all BOOKs


@dataclass(frozen=True, slots=True, kw_only=True)
class BookParts:
    """A layout that was taken apart; the first part is what is behind all BOOKs."""

    parts: tuple[BookPart, ...]  #: one at most where it holds no BOOK
    notes: tuple[str, ...]  #: what a person should know


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    layout: Path
    folder: Path
    limits: Limits


_PARTS, _REQUEST = TypeAdapter(BookParts), TypeAdapter(_Request)


def take_apart(layout: Path, folder: Path, limits: Limits) -> BookParts:
    """
    Take a layout apart into what is behind its BOOKs and each BOOK, from the back to the front.

    What an earlier call left in the folder is used as it is. A file without layers, or without a
    BOOK, has no parts.

    Args:
        layout: a file of the caller's own, which nobody else changes.
        folder: where the parts go; it is made when missing.
        limits: what opening it may take.

    Raises:
        ImageUnreadable: it is damaged, or its BOOKs cannot be distinguished.
    """
    if format_of(layout) is not formats.PSD:
        return BookParts(parts=(), notes=())
    with suppress(OSError, ValueError):
        return _PARTS.validate_json((folder / _LIST).read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    request = _Request(layout=layout, folder=folder, limits=limits)
    done = subprocess.run(
        [sys.executable, "-m", "haikei.reading.book_layers", _REQUEST.dump_json(request).decode()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=reader_environment(),
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise ImageUnreadable(
            last if done.returncode == 1 and last else f"{layout.name}'s layers cannot be read.",
            advice="Save it again from the program it was drawn in, or let its recipe paint it "
            "whole (books = false).",
        )
    return _PARTS.validate_json((folder / _LIST).read_bytes())


def main(arguments: Sequence[str]) -> int:
    """Take apart what a request in JSON names; write to stderr why not."""
    request = _REQUEST.validate_json(arguments[0])
    most = request.limits.address_space
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    seconds = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime) + request.limits.cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from psd_tools import PSDImage

    name = request.layout.name
    # A damaged file makes the parser raise anything.
    try:
        found = _taken_apart(PSDImage.open(request.layout), request.folder, name)
    except ImageUnreadable as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    except MemoryError:
        sys.stderr.write(f"{name} needs more memory than is allowed to take its layers apart.\n")
        return 1
    except Exception as error:  # noqa: BLE001 - reported as damage, with its kind
        sys.stderr.write(f"{name} is damaged: its layers cannot be read ({error!r}).\n")
        return 1
    text = json.dumps(asdict(found), ensure_ascii=False)
    write_whole(request.folder / _LIST, text.encode())
    return 0


def _taken_apart(document: "PSDImage", folder: Path, name: str) -> BookParts:
    books = list(_books(document))
    if not books:
        return BookParts(parts=(), notes=(f"{name} holds no BOOK layer: it is painted whole.",))
    if len(books) > MOST:
        raise ImageUnreadable(
            f"{name} holds {len(books)} BOOK layers; at most {MOST} are painted on their own."
        )
    apart = {id(one) for book in books for one in _with_inner(book)}
    left_out = [
        one
        for one in document.descendants()
        if one.is_visible()
        and id(one) not in apart
        and role_of(one.name) in {LayerRole.CEL, LayerRole.NOTE}
    ]
    apart |= {id(one) for layer in left_out for one in _with_inner(layer)}
    drawn, _ = _composed(document, {id(one) for one in document.descendants()} - apart)
    notes = [f"Not painted, as its name says: the layer {one.name!r}." for one in left_out]
    parts = [_written(folder, 0, _BACK, drawn, None)]
    for number, book in enumerate(books, 1):
        inner = {id(one) for one in _with_inner(book)}
        outer = {id(one) for one in _parents(book)}
        colours, alpha = _composed(document, inner | outer)
        cover, note = _shape(colours, alpha, book.name)
        notes += [note] if note else []
        behind = np.float32(1) - cover[..., None]
        drawn = np.asarray(drawn * behind + colours * cover[..., None], np.float32)
        parts.append(_written(folder, number, book.name, drawn, cover))
    return BookParts(parts=tuple(parts), notes=tuple(notes))


def _books(document: "PSDImage") -> Iterator["Layer"]:
    """Yield the outermost layers and groups that are BOOKs and seen, from the back to the front."""

    def within(layers: "Iterator[Layer]") -> Iterator["Layer"]:
        for layer in layers:
            if not layer.is_visible():
                continue
            # `BG_BOOK` in a group of BOOKs: the group only holds them together.
            inner = list(within(iter(layer))) if layer.is_group() else []  # type: ignore[call-overload]
            if len(inner) > 1 or (inner and role_of(layer.name) is not LayerRole.BOOK):
                yield from inner
            elif role_of(layer.name) is LayerRole.BOOK:
                yield layer

    yield from within(iter(document))


def _with_inner(layer: "Layer") -> Iterator["Layer"]:
    yield layer
    yield from layer.clip_layers
    if layer.is_group():
        for one in layer.descendants():  # type: ignore[attr-defined]
            yield one
            yield from one.clip_layers


def _parents(layer: "Layer") -> Iterator["Layer"]:
    parent = layer.parent
    while parent is not None and parent.parent is not None:
        yield parent  # type: ignore[misc]
        parent = parent.parent


def _composed(
    document: "PSDImage", chosen: set[int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return some of the layers on white paper, in sRGB, and what they cover, 0 to 1."""

    def is_shown(one: "Layer") -> bool:
        return id(one) in chosen and one.is_visible()

    made = document.composite(
        ignore_preview=True, color=1.0, alpha=0.0, layer_filter=is_shown
    ).convert("RGBA")
    pixels = np.asarray(made, np.float32) / np.float32(255)
    alpha = pixels[..., 3:]
    colours = np.asarray(pixels[..., :3] * alpha + (np.float32(1) - alpha), np.float32)
    return colours, np.array(alpha[..., 0], np.float32)


def _shape(
    colours: NDArray[np.float32], alpha: NDArray[np.float32], name: str
) -> tuple[NDArray[np.float32], str]:
    """
    Return where a BOOK is, 0 to 1, and what a person should know of how that was found.

    A layer that is filled says it by its own alpha, with the holes that one sees through. Of lines
    alone it is what they enclose, also with one side of the sheet, over which they run.
    """
    paper = float((alpha > 0.5).mean()) > _PAPER
    line = np.clip((1 - colours.min(axis=2)) / (2 * _LINE), 0, 1) if paper else alpha
    line = np.asarray(line, np.float32)
    drawn = (line > _LINE).astype(np.uint8)
    if not drawn.any():
        raise ImageUnreadable(f"The layer {name!r} is empty: there is no BOOK to paint.")
    if not paper and cv2.erode(drawn, _kernel(drawn.shape, _DEEP)).sum() > _FILLED * drawn.sum():
        return alpha, ""
    outside, corner = _outside(drawn)
    # The outer half of a line's soft edge stays soft; what it encloses is covered up to the line.
    edge = cv2.dilate(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    cover = np.where(edge, line, np.float32(1)).astype(np.float32)
    if not (~outside & (drawn == 0)).any():
        return cover, (
            f"The lines of the layer {name!r} enclose nothing: its BOOK holds these lines alone. "
            "Fill the layer where more is meant."
        )
    return cover, (
        f"The lines of the layer {name!r} meet a corner of the sheet, and whether the BOOK lies "
        "there was guessed. Fill the layer where it does."
        if corner
        else ""
    )


def _kernel(shape: tuple[int, ...], part: float) -> NDArray[np.uint8]:
    reach = max(1, round(part * max(shape)))
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2), np.uint8)


def _outside(drawn: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], bool]:
    """
    Return what lines do not enclose, with their smaller gaps closed, and whether that is a guess.

    A part of the sheet that ends at one of its sides alone is enclosed. One that holds one corner
    is so where nothing else is.
    """
    kernel = _kernel(drawn.shape, _GAP)
    reach = len(kernel) // 2
    padded = cv2.copyMakeBorder(drawn, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    grown = np.asarray(cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel), np.uint8)
    closed = grown[reach:-reach, reach:-reach] | drawn
    count, found_labels, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    labels = np.asarray(found_labels, np.int32)
    sides = [set(map(int, np.unique(one))) for one in (labels[0], labels[-1])]
    sides += [set(map(int, np.unique(one))) for one in (labels[:, 0], labels[:, -1])]
    areas = [int(one) for one in stats[:, cv2.CC_STAT_AREA]]
    found = range(1, count)
    largest = max(
        (one for one in found if any(one in side for side in sides)),
        key=lambda one: areas[one],
        default=0,
    )
    small = [one for one in found if one != largest and areas[one] < _CUT_OFF * drawn.size]
    touched = {one: sum(one in side for side in sides) for one in small}
    within = [one for one in small if touched[one] <= 1]
    corners = [one for one in small if touched[one] == 2 and areas[one] > _SPECK * drawn.size]
    taken = within or corners
    open_ones = np.ones(count, np.bool_)
    open_ones[[0, *taken]] = False
    outside = open_ones[labels]
    # What the closing took beside a line belongs to the side on which it lies.
    taken_away = (closed > 0) & (drawn == 0)
    if taken_away.any():
        near = cv2.distanceTransform(1 - outside.astype(np.uint8), cv2.DIST_L2, 3)
        inner = np.isin(labels, taken).astype(np.uint8)
        other = cv2.distanceTransform(1 - inner, cv2.DIST_L2, 3) if taken else np.inf
        outside |= taken_away & (near < other)
    return outside, bool(corners)


def _written(
    folder: Path,
    number: int,
    name: str,
    drawn: NDArray[np.float32],
    cover: NDArray[np.float32] | None,
) -> BookPart:
    pictures = {"drawn": drawn[..., ::-1], **({} if cover is None else {"cover": cover})}
    for kind, pixels in pictures.items():
        path = folder / f"{number:02d}-{kind}.png"
        if not cv2.imwrite(str(path), np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)):
            message = f"{path.name} cannot be written"
            raise ImageUnreadable(message)
    return BookPart(
        name=name,
        drawn=f"{number:02d}-drawn.png",
        cover="" if cover is None else f"{number:02d}-cover.png",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
