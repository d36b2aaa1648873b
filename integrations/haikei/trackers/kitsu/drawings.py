"""
What people draw on a version in Kitsu's player: where it is, and the words among it.

The player is made with Fabric.js, and the server keeps its objects: shapes with left, top, width
and height on a canvas whose size stands with each of them. They become the same places as what is
drawn on Haikei's own page: a box is one, an arrow a point, and a free line a box around it.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haikei.presets import LEAST, REACH, Spot
from haikei.trackers.kitsu.rows import PreviewRow

_SHAPES = frozenset(
    {"path", "psstroke", "rect", "circle", "ellipse", "line", "polyline", "polygon", "triangle"}
)
_TEXTS = frozenset({"i-text", "text", "textbox"})
#: What is drawn by hand: it runs beside what it means, and several strokes are one drawing.
_FREE = frozenset({"path", "psstroke", "line", "polyline"})
#: Part of the picture by which an arrow may end beside it.
_SLIP = 0.04
#: Of more drawings by hand than these, those that follow are taken together.
_MOST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One object that somebody drew."""

    uid: str
    author: str  #: the id of who drew it; empty where the player did not say
    place: Spot | None  #: where it is; None where that is not known
    free: bool = False  #: a stroke by hand, which may be a part of a larger drawing
    words: str = ""  #: of a text
    unread: str = ""  #: what of it nobody can read


def drawings_on(preview: PreviewRow) -> tuple[Drawing, ...]:
    """Return what is drawn on a preview, in the order in which it was."""
    found: list[Drawing] = []
    for frame in preview.annotations:
        drawing = frame.get("drawing") if isinstance(frame, dict) else None
        objects = drawing.get("objects") if isinstance(drawing, dict) else None
        listed = objects if isinstance(objects, list) else ()
        found += [_drawing(one, preview) for one in listed if isinstance(one, dict)]
    return tuple(found)


def places_of(drawings: Sequence[Drawing]) -> tuple[Spot, ...]:
    """
    Return the places that drawings mean together; texts only where nothing else is drawn.

    Strokes that touch are one drawing, and its place is around them. Boxes stay as they are drawn,
    as nothing outside of them is to change.
    """
    placed = [(one.place, one) for one in drawings if one.place is not None]
    shapes = [one for one in placed if not one[1].words] or placed
    exact = [place for place, one in shapes if not one.free]
    apart: list[Spot] = []
    for place in (place for place, one in shapes if one.free):
        joined = place
        while touching := [one for one in apart if _touch(one, joined)]:
            apart = [one for one in apart if one not in touching]
            joined = _around([joined, *touching])
        apart.append(joined)
    if len(apart) > _MOST:
        apart = [*apart[: _MOST - 1], _around(apart[_MOST - 1 :])]
    return tuple(dict.fromkeys((*exact, *apart)))


def _drawing(shape: Mapping[str, Any], preview: PreviewRow) -> Drawing:
    kind = str(shape.get("type") or "").casefold()
    author = shape.get("createdBy") or shape.get("created_by") or ""
    uid = str(shape.get("id") or "") or _digest(shape, preview)
    words = " ".join(str(shape.get("text") or "").split()) if kind in _TEXTS else ""
    known = kind in _SHAPES | _TEXTS | {"arrow", "group"}
    try:
        place = _place(shape, kind, preview) if known else None
    except (TypeError, ValueError, OverflowError):
        place = None
    if words or place is not None:
        free = kind in _FREE
        return Drawing(uid=uid, author=str(author), place=place, free=free, words=words)
    what = f"a drawing of the kind {kind or 'unknown'}"
    return Drawing(uid=uid, author=str(author), place=None, unread=what)


def _place(shape: Mapping[str, Any], kind: str, preview: PreviewRow) -> Spot | None:
    """Return where a shape is on the picture; None where that is beside it, or not known."""
    width = _number(shape, "canvasWidth") or preview.width
    height = _number(shape, "canvasHeight") or preview.height
    if width <= 0 or height <= 0:
        return None
    corners = [(x / width, y / height) for x, y in _corners(shape, kind)]
    if kind == "arrow":
        # It means what it points at, not where it comes from.
        return _point(*corners[_head(shape)])
    across, down = [x for x, _ in corners], [y for _, y in corners]
    left, top, right, bottom = min(across), min(down), max(across), max(down)
    if kind in _TEXTS:
        # Words are longer than what they stand on.
        return _point((left + right) / 2, (top + bottom) / 2)
    thin = min(right - left, bottom - top) * 1000 < LEAST
    reach = REACH / 1000 if kind in _FREE or thin else 0.0
    found = Spot(
        left=math.floor(round(1000 * max(0.0, left - reach), 3)),
        top=math.floor(round(1000 * max(0.0, top - reach), 3)),
        right=math.ceil(round(1000 * min(1.0, right + reach), 3)),
        bottom=math.ceil(round(1000 * min(1.0, bottom + reach), 3)),
    )
    return found if found.left < found.right and found.top < found.bottom else None


def _point(x: float, y: float) -> Spot | None:
    """Return the point on the picture; None where it is beside it."""
    if not (-_SLIP <= x <= 1 + _SLIP and -_SLIP <= y <= 1 + _SLIP):
        return None
    across, down = (round(1000 * min(1.0, max(0.0, one))) for one in (x, y))
    return Spot(left=across, top=down, right=across, bottom=down)


def _corners(shape: Mapping[str, Any], kind: str) -> Iterator[tuple[float, float]]:
    """Yield the corners on the canvas: left top, right top, right bottom, left bottom."""
    left, top, width, height = _frame(shape, kind)
    width *= _number(shape, "scaleX", 1.0)
    height *= _number(shape, "scaleY", 1.0)
    angle = math.radians(_number(shape, "angle"))
    shift_x = {"center": width / 2, "right": width}.get(str(shape.get("originX")), 0.0)
    shift_y = {"center": height / 2, "bottom": height}.get(str(shape.get("originY")), 0.0)
    for across, down in ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height)):
        # Fabric turns a shape about its origin, which is where left and top are.
        x, y = across - shift_x, down - shift_y
        yield (
            left + x * math.cos(angle) - y * math.sin(angle),
            top + x * math.sin(angle) + y * math.cos(angle),
        )


def _frame(shape: Mapping[str, Any], kind: str) -> tuple[float, float, float, float]:
    """Return left, top, width and height as drawn; of what lacks them, those of its points."""
    names = ("left", "top", "width", "height")
    if kind == "circle" and shape.get("radius") is not None:
        size = 2 * _number(shape, "radius")
        return _number(shape, "left"), _number(shape, "top"), size, size
    if kind == "ellipse" and shape.get("rx") is not None:
        size_x, size_y = 2 * _number(shape, "rx"), 2 * _number(shape, "ry")
        return _number(shape, "left"), _number(shape, "top"), size_x, size_y
    if all(shape.get(name) is not None for name in names):
        left, top, width, height = (_number(shape, name) for name in names)
        return left, top, width, height
    points = _points(shape)
    if not points:
        if kind in _TEXTS and shape.get("left") is not None and shape.get("top") is not None:
            return _number(shape, "left"), _number(shape, "top"), 0.0, 0.0
        raise ValueError(kind)
    across, down = [x for x, _ in points], [y for _, y in points]
    left, top = min(across), min(down)
    return left, top, max(across) - left, max(down) - top


def _points(shape: Mapping[str, Any]) -> list[tuple[float, float]]:
    if shape.get("x1") is not None:
        ends = (("x1", "y1"), ("x2", "y2"))
        return [(_number(shape, x), _number(shape, y)) for x, y in ends]
    listed = shape.get("strokePoints") or shape.get("points")
    if isinstance(listed, list):
        return [(_number(one, "x"), _number(one, "y")) for one in listed if isinstance(one, dict)]
    path = shape.get("path")
    if isinstance(path, list):
        # Each command ends with the point that it leads to.
        return [
            (float(one[-2]), float(one[-1]))
            for one in path
            if isinstance(one, list) and len(one) >= 3
        ]
    return []


def _head(shape: Mapping[str, Any]) -> int:
    """Return the corner at which an arrow ends."""
    right = _number(shape, "x2") >= _number(shape, "x1")
    below = _number(shape, "y2") >= _number(shape, "y1")
    return {(False, False): 0, (True, False): 1, (True, True): 2, (False, True): 3}[right, below]


def _number(shape: Mapping[str, Any], name: str, default: float = 0.0) -> float:
    value = shape.get(name)
    number = default if value is None else float(value)
    if not math.isfinite(number):
        raise ValueError(name)
    return number


def _touch(one: Spot, other: Spot) -> bool:
    across = one.left <= other.right and other.left <= one.right
    return across and one.top <= other.bottom and other.top <= one.bottom


def _around(places: Sequence[Spot]) -> Spot:
    return Spot(
        left=min(one.left for one in places),
        top=min(one.top for one in places),
        right=max(one.right for one in places),
        bottom=max(one.bottom for one in places),
    )


def _digest(shape: Mapping[str, Any], preview: PreviewRow) -> str:
    content = json.dumps([preview.id, shape], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:32]
