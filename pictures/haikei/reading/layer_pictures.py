"""
What was read of a layout, as pictures that lie over it: `python -m haikei.reading.layer_pictures`.

Reading takes a core for seconds, and a sheet may be anything: whoever shows these pictures has
them made in a process of its own, which ends when they are written.
"""

import json
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from haikei.errors import ImageUnreadable
from haikei.images import Layer, Limits, Picture, fit_within, read_picture
from haikei.reading.kinds import Kind
from haikei.reading.layout_reading import Reader, Reading, at_size, read_layout
from haikei.sheets import SheetReading, TraceRole, TraceRoles, draw_overlay

#: The longer side of a layer, in pixels.
LONGEST = 1600
#: Raised when what is drawn changes: what was kept before is made again.
FORMAT = 1
_FACTS = "facts.json"
_OVER = 0.5  #: how strongly a region is covered by the colour of its kind
#: sRGB, by kind: alike for what is alike, so that a wrong one shows.
COLOURS: Mapping[Kind, tuple[int, int, int]] = {
    Kind.SKY: (120, 190, 255),
    Kind.CLOUD: (225, 240, 255),
    Kind.HILL: (90, 130, 170),
    Kind.FOREST: (30, 110, 70),
    Kind.WATER: (0, 120, 215),
    Kind.GRASS: (140, 200, 60),
    Kind.PAVING: (165, 160, 155),
    Kind.EARTH: (185, 140, 85),
    Kind.TREE: (60, 160, 60),
    Kind.WALL: (240, 210, 160),
    Kind.ROOF: (205, 70, 55),
    Kind.WINDOW: (80, 230, 230),
    Kind.DOOR: (150, 90, 40),
    Kind.POST: (110, 90, 80),
    Kind.HULL: (90, 60, 150),
    Kind.OTHER: (255, 0, 200),
    Kind.SAND: (240, 220, 120),
    Kind.SNOW: (250, 250, 255),
    Kind.ROCK: (125, 125, 140),
    Kind.TRUNK: (100, 65, 30),
    Kind.WOOD: (195, 135, 65),
    Kind.RAIL: (60, 60, 75),
    Kind.WIRE: (20, 20, 20),
    Kind.VEHICLE: (255, 140, 0),
    Kind.ROOM_WALL: (235, 190, 200),
    Kind.FLOOR: (200, 120, 90),
    Kind.CEILING: (215, 205, 235),
    Kind.FURNITURE: (160, 80, 120),
    Kind.LAMP: (255, 235, 0),
    Kind.FIGURE: (255, 90, 150),
    Kind.UNKNOWN: (255, 0, 255),
}
_DOUBT = (255, 60, 0)


class LayerName(StrEnum):
    """One picture."""

    SHEET = "sheet"  #: frames, pegs and notes; what lies outside of the frame is dimmed
    REGIONS = "regions"  #: what each region was taken for
    TRACES = "traces"  #: trace lines, by their colour
    DOUBTS = "doubts"  #: what was not read, or not surely


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadKind:
    """One kind of thing in a layout."""

    name: str  #: of `Kind`, in small letters
    share: float  #: of the picture, 0 to 1
    colour: str  #: `#rrggbb`, as the layer of regions has it


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """What stands beside the pictures."""

    width: int  #: of the layout
    height: int
    reader: str
    unread: float  #: part of the picture, 0 to 1
    frames: tuple[str, ...]  #: a line each: use, size, how it is turned
    pegs: int
    notes: int
    notes_inside: int  #: of them, on the picture
    texts: tuple[str, ...]
    traces: tuple[tuple[str, str], ...]  #: colour and role
    paper: str
    doubts: tuple[str, ...]  #: a sentence each
    kinds: tuple[ReadKind, ...]  #: the largest first


_FACTS_OF = TypeAdapter(LayerFacts)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRequest:
    """What is to be read, and where the pictures go."""

    layout: Path
    folder: Path  #: is there, and empty
    place: str
    reader: Reader
    roles: Mapping[str, TraceRole]  #: by colour; what is left out means what it usually means
    limits: Limits


REQUEST = TypeAdapter(LayerRequest)


def picture_of(folder: Path, name: LayerName) -> Path:
    """Return where a layer's picture stands."""
    return folder / f"{name.value}.png"


def facts_of(folder: Path) -> LayerFacts | None:
    """Return what stands beside the pictures; None while they are not complete."""
    try:
        return _FACTS_OF.validate_json((folder / _FACTS).read_bytes())
    except OSError:
        return None


def read_overlay(path: Path, size: tuple[int, int], name: str) -> Layer:
    """
    Return a layer's picture as large as the picture that it lies over, hidden.

    Args:
        path: of the picture, as `write_layers` wrote it.
        size: width and height in pixels.
        name: what the layer is called.

    Raises:
        ImageUnreadable: it is gone or damaged.
    """
    drawn = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if drawn is None or drawn.ndim != 3 or drawn.shape[2] != 4:
        raise ImageUnreadable(f"{path.name} is gone or damaged.", advice="Ask for it once more.")
    scaled = np.asarray(drawn, np.float32) / 255
    # Premultiplied, so that an edge keeps its colour when it gets larger.
    scaled[..., :3] *= scaled[..., 3:]
    large = np.asarray(cv2.resize(scaled, size, interpolation=cv2.INTER_LINEAR), np.float32)
    colours = np.clip(large[..., 2::-1] / np.maximum(large[..., 3:], np.float32(1e-4)), 0, 1)
    return Layer(
        name=name,
        picture=Picture(pixels=np.ascontiguousarray(colours, np.float32)),
        cover=np.clip(large[..., 3], 0, 1).astype(np.float32),
        visible=False,
    )


def write_layers(request: LayerRequest) -> None:
    """
    Read a layout and write its layers; the facts come last, and say that all are there.

    Raises:
        ImageUnreadable: the layout is damaged.
        ModelUnusable: the network's weights are missing or damaged.
        OSError: the folder does not take them.
    """
    picture = read_picture(request.layout, limits=request.limits)
    reading = read_layout(
        picture.pixels,
        request.place,
        _go_on,
        roles=TraceRoles(**request.roles),
        reader=request.reader,
    )
    size = fit_within(picture.width, picture.height, LONGEST)
    sheet = reading.sheet
    drawings = {
        LayerName.SHEET: _overlay(replace(sheet, traces=()), size),
        LayerName.REGIONS: _regions(reading, size),
        LayerName.TRACES: _overlay(
            replace(sheet, frames=(), pegs=(), notes=(), area=None, inside=None), size
        ),
        LayerName.DOUBTS: _doubts(reading, size),
    }
    for name, drawn in drawings.items():
        ok, encoded = cv2.imencode(".png", cv2.cvtColor(drawn, cv2.COLOR_RGBA2BGRA))
        if not ok:
            message = f"{name.value}.png cannot be encoded"
            raise OSError(message)
        picture_of(request.folder, name).write_bytes(encoded.tobytes())
    facts = json.dumps(asdict(_facts(reading, picture)), ensure_ascii=False)
    (request.folder / _FACTS).write_text(facts, encoding="utf-8")


def _go_on() -> None:
    return


def _overlay(sheet: SheetReading, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return what `draw_overlay` draws, without what it draws it on."""
    shape = (*sheet.size, 3)
    dark = draw_overlay(np.zeros(shape, np.float32), sheet)
    light = draw_overlay(np.ones(shape, np.float32), sheet)
    cover = 1 - (light - dark).mean(axis=2, keepdims=True)
    drawn = np.concatenate([dark, cover], axis=2)
    # Premultiplied, so that a line's edge keeps its colour when it gets smaller.
    small = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)
    shown = np.asarray(small[..., :3], np.float32) / np.maximum(small[..., 3:], 1e-4)
    made = np.concatenate([np.clip(shown, 0, 1), np.clip(small[..., 3:], 0, 1)], axis=2)
    return np.asarray(np.rint(made * 255), np.uint8)


def _regions(reading: Reading, size: tuple[int, int]) -> NDArray[np.uint8]:
    table = np.zeros((max(Kind) + 1, 4), np.uint8)
    for kind, colour in COLOURS.items():
        table[kind] = (*colour, round(_OVER * 255))
    labels = at_size(reading.labels, (size[1], size[0]))
    made = table[reading.kinds[labels]]
    edge = np.zeros(labels.shape, np.bool_)
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edge[1:] |= labels[1:] != labels[:-1]
    made[edge] = (20, 20, 20, 170)
    return made


def _doubts(reading: Reading, size: tuple[int, int]) -> NDArray[np.uint8]:
    there = reading.doubtful[at_size(reading.labels, (size[1], size[0]))]
    across, down = np.arange(size[0])[None, :], np.arange(size[1])[:, None]
    # Hatched, so that it differs from paint without its colour.
    hatched = ((across + down) // 6) % 2 == 0
    made = np.zeros((size[1], size[0], 4), np.uint8)
    made[there] = (*_DOUBT, 70)
    made[there & hatched] = (*_DOUBT, 150)
    return made


def _facts(reading: Reading, picture: Picture) -> LayerFacts:
    sheet = reading.sheet
    area = reading.shapes.area / max(float(reading.shapes.area.sum()), 1e-9)
    shares = {kind: float(area[reading.kinds == kind].sum()) for kind in COLOURS}
    found = sorted((one for one in shares if shares[one] > 0), key=lambda one: -shares[one])
    return LayerFacts(
        width=picture.width,
        height=picture.height,
        reader=reading.reader,
        unread=round(reading.unread, 4),
        frames=tuple(
            f"{one.use.value}{f' {one.name}' if one.name else ''}: "
            f"{one.width:.0f} x {one.height:.0f}, {one.ratio:.2f} : 1, {one.rotation:+.1f}°"
            for one in sheet.frames
        ),
        pegs=len(sheet.pegs),
        notes=len(sheet.notes),
        notes_inside=sum(one.inside for one in sheet.notes),
        texts=tuple(one.text for one in sheet.notes if one.text),
        traces=tuple((one.colour.value, one.role.value) for one in sheet.traces),
        paper=sheet.paper.tint.value,
        doubts=sheet.doubts,
        kinds=tuple(
            ReadKind(
                name=kind.name.lower(),
                share=round(shares[kind], 4),
                colour="#{:02x}{:02x}{:02x}".format(*COLOURS[kind]),
            )
            for kind in found
        ),
    )


def main(arguments: Sequence[str]) -> int:
    """Write the layers that a request in JSON asks for; write to stderr why not."""
    request = REQUEST.validate_json(arguments[0])
    # Processor time, and not the clock's: a busy machine makes no layout a bad one.
    spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    seconds = int(spent) + 2 * request.limits.cpu_seconds
    # The process that decodes sets its own: the hard limit stays.
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        write_layers(request)
    except (ImageUnreadable, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
