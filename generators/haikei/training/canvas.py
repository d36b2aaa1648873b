"""
The paper that lessons are drawn on: ink and truth from one geometry.

Every filled shape has a kind, a depth and a facing; what is drawn later covers what was drawn
before, on the line art and on the truth alike. Lengths are in fractions of the picture's height.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.reading import Facing, Kind, Plane

Points = NDArray[np.float64]  #: (n, 2): right and down
SHIFT = 4  #: binary digits behind the point that OpenCV draws with
FINE = 1 << SHIFT


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How somebody draws. Lengths in pixels of a picture of 540 lines."""

    width: float = 1.6
    uneven: float = 0.0  #: how much thickness differs from stroke to stroke
    wobble: float = 0.0
    gaps: float = 0.0  #: part of the strokes that stop for a moment
    double: float = 0.0  #: part of the strokes that are drawn twice
    overshoot: float = 0.0  #: how far straight strokes run past their corners
    strength: float = 1.0
    grain: float = 0.0  #: how much paper shows through a stroke
    hatching: float = 0.0  #: part of the shapes that are hatched
    detail: float = 0.7  #: how much of tiles, boards, leaves and waves is drawn
    dirt: float = 0.0


def draw_hand(rng: np.random.Generator) -> Hand:
    """Return somebody's way to draw."""
    if rng.random() < 0.3:  # a clean digital line
        return Hand(
            width=rng.uniform(1.0, 2.6),
            strength=rng.uniform(0.7, 1.0),
            uneven=rng.uniform(0, 0.4),
            detail=rng.uniform(0.1, 1.0),
            hatching=float(rng.choice([0.0, 0.0, 0.05])),
        )
    return Hand(
        width=rng.uniform(0.8, 3.2),
        uneven=rng.uniform(0, 0.7),
        wobble=abs(rng.normal(0, 1.2)),
        gaps=float(rng.choice([0.0, 0.1, 0.3])),
        double=float(rng.choice([0.0, 0.0, 0.15, 0.5])),
        overshoot=float(rng.choice([0.0, 0.0, 3.0, 7.0])),
        strength=rng.uniform(0.45, 1.0),
        grain=float(rng.choice([0.0, 0.2, 0.5])),
        hatching=float(rng.choice([0.0, 0.0, 0.06, 0.2])),
        detail=rng.uniform(0.0, 1.0),
        dirt=float(rng.choice([0.0, 0.0, 0.05, 0.12])),
    )


class Canvas:
    """Takes shapes from back to front; `ids` says which of them each pixel shows."""

    def __init__(self, height: int, aspect: float, hand: Hand, rng: np.random.Generator) -> None:
        self.height, self.aspect, self.hand, self.rng = height, aspect, hand, rng
        shape = (height, round(height * aspect))
        self.ink = np.zeros(shape, np.uint8)
        self.ids = np.zeros(shape, np.int32)
        self.kinds = [Kind.UNKNOWN]
        self.depths = [1.0]
        self.facings = [Facing.NONE]
        self.turned = np.asarray(
            np.eye(2, 3), np.float64
        )  #: the last turn and zoom of the whole picture
        self.scale = height / 540

    def turn(self, degrees: float, zoom: float, centre: tuple[float, float]) -> None:
        """Turn and enlarge everything that is drawn from now on around a point."""
        self.turned = np.asarray(cv2.getRotationMatrix2D(centre, degrees, zoom), np.float64)
        self.turned[:, 2] += np.array([self.aspect / 2 - centre[0], 0.5 - centre[1]])

    def place(self, points: Points) -> Points:
        """Return where points lie on the turned picture, in pixels."""
        turned: Points = (points @ self.turned[:, :2].T + self.turned[:, 2]) * self.height
        return np.clip(turned, -8000, 8000)

    def fill(
        self,
        points: Points | Sequence[tuple[float, float]],
        kind: Kind,
        *,
        depth: float,
        facing: Facing = Facing.NONE,
        line: bool = True,
        weight: float = 1.0,
    ) -> None:
        """Cover a shape, and draw its outline."""
        outline = np.asarray(points, np.float64).reshape(-1, 2)
        if len(outline) < 3:
            return
        pixels = self.place(outline)
        if (
            pixels.max(axis=0).min() < 0
            or pixels[:, 0].min() > self.ids.shape[1]
            or (pixels[:, 1].min() > self.height)
        ):
            return
        fixed = [np.rint(pixels * FINE).astype(np.int32)]
        self.kinds.append(kind)
        self.depths.append(depth)
        self.facings.append(facing)
        cv2.fillPoly(self.ids, fixed, (len(self.kinds) - 1,), shift=SHIFT)
        cv2.fillPoly(self.ink, fixed, (0,), shift=SHIFT)
        if self.rng.random() < self.hand.hatching and depth < 1:
            self.hatch(outline, self.rng.uniform(0.006, 0.02), self.rng.uniform(0, 180))
        if line:
            self.stroke(outline, closed=True, weight=weight)

    def hatch(self, outline: Points, step: float, angle: float, weight: float = 0.5) -> None:
        """Draw parallel strokes inside a shape."""
        pixels = self.place(outline)
        low = np.maximum(pixels.min(axis=0).astype(int) - 1, 0)
        high = np.minimum(pixels.max(axis=0).astype(int) + 2, self.ids.shape[::-1])
        size = high - low
        if size.min() < 3:
            return
        sheet = np.zeros((size[1], size[0]), np.uint8)
        inside = np.zeros_like(sheet)
        cv2.fillPoly(inside, [np.rint(pixels - low).astype(np.int32)], (1,))
        along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        across = np.array([-along[1], along[0]])
        reach = float(np.hypot(*size)) / 2
        gap = max(step * self.height, 3.0)
        for off in np.arange(-reach, reach, gap):
            middle = size / 2 + across * (off + self.rng.uniform(-0.2, 0.2) * gap)
            ends = np.stack([middle - along * reach, middle + along * reach])
            cv2.polylines(
                sheet,
                [np.rint(ends).astype(np.int32)],
                isClosed=False,
                color=(self._tone(weight),),
                thickness=1,
                lineType=cv2.LINE_AA,
            )
        view = self.ink[low[1] : high[1], low[0] : high[0]]
        np.maximum(view, sheet * inside, out=view)

    def stroke(
        self,
        points: Points | Sequence[tuple[float, float]],
        *,
        closed: bool = False,
        weight: float = 1.0,
    ) -> None:
        """Draw a line with this hand's faults."""
        line = self.place(np.asarray(points, np.float64).reshape(-1, 2))
        if len(line) < 2:
            return
        if closed:
            line = np.concatenate([line, line[:1]])
        hand, rng = self.hand, self.rng
        times = 2 if rng.random() < hand.double else 1
        for _ in range(times):
            drawn = line
            wild = hand.wobble + (1.2 if times == 2 else 0)
            if wild > 0.15:
                drawn = self._wobbly(line, wild * self.scale)
            if hand.overshoot and len(drawn) == len(line) <= 6:
                self._past_corners(line, weight)
                continue
            for part in self._interrupted(drawn):
                self._ink(part, weight)

    def _past_corners(self, line: Points, weight: float) -> None:
        for here, there in pairwise(line):
            way = there - here
            length = float(np.hypot(*way))
            if length < 3:
                continue
            past = way / length * self.rng.uniform(0, self.hand.overshoot) * self.scale
            past = past * min(1.0, length / 30)
            self._ink(np.stack([here - past, there + past]), weight)

    def _wobbly(self, line: Points, amount: float) -> Points:
        steps = np.hypot(*np.diff(line, axis=0).T)
        far = np.concatenate([[0.0], np.cumsum(steps)])
        if far[-1] < 6 or far[-1] > 12000:
            return line
        step = 7.0 * self.scale
        at = np.unique(np.concatenate([far, np.arange(0, far[-1], step)]))
        dense = np.stack([np.interp(at, far, line[:, axis]) for axis in (0, 1)], axis=1)
        raw = self.rng.normal(0, 1, (len(dense) + 4, 2))
        noise = (raw[:-4] + raw[1:-3] + raw[2:-2] + raw[3:-1] + raw[4:]) / 5
        offset = self.rng.normal(0, 0.5, 2)
        ends = np.clip(np.minimum(at, far[-1] - at) / 20.0, 0.25, 1.0)[:, None]
        return np.asarray(dense + (noise * 1.4 + offset) * amount * ends, np.float64)

    def _interrupted(self, line: Points) -> list[Points]:
        if self.rng.random() >= self.hand.gaps:
            return [line]
        steps = np.hypot(*np.diff(line, axis=0).T)
        far = np.concatenate([[0.0], np.cumsum(steps)])
        if far[-1] < 25:
            return [line]
        # A long stroke is lifted more often than a short one.
        many = 1 + int(self.rng.poisson(far[-1] / 400 / self.scale))
        starts = np.sort(self.rng.uniform(0, far[-1], many))
        parts: list[Points] = []
        begun = 0.0
        for start in [*starts, far[-1]]:
            if start - begun > 3:
                cuts = np.array([begun, start])
                ends = np.stack([np.interp(cuts, far, line[:, axis]) for axis in (0, 1)], axis=1)
                inner = line[(far > begun) & (far < start)]
                parts.append(np.concatenate([ends[:1], inner, ends[1:]]))
            begun = max(begun, start + self.rng.uniform(3, 13) * self.scale)
        return parts

    def _ink(self, line: Points, weight: float) -> None:
        if len(line) < 2:
            return
        hand = self.hand
        width = hand.width * weight * self.scale
        width *= float(np.exp(self.rng.normal(0, 0.5) * hand.uneven))
        thick = max(1, round(width))
        tone = self._tone(min(1.0, 0.45 + 0.55 * width / thick))
        fixed = [np.rint(line * FINE).astype(np.int32)]
        cv2.polylines(
            self.ink,
            fixed,
            isClosed=False,
            color=(tone,),
            thickness=thick,
            lineType=cv2.LINE_AA,
            shift=SHIFT,
        )

    def _tone(self, part: float) -> int:
        tone = self.hand.strength * part * self.rng.uniform(0.85, 1.1)
        return int(np.clip(tone * 255, 70, 255))

    def finish(self, *, mirrored: bool) -> "Lesson":
        """Return the drawing and its truth."""
        ink = self.ink.astype(np.float32) / 255
        hand, rng = self.hand, self.rng
        if hand.grain:
            paper = rng.normal(0, 1, ink.shape).astype(np.float32)
            paper = np.asarray(cv2.GaussianBlur(paper, (0, 0), 0.7), np.float32)
            ink *= 1 - np.float32(hand.grain) * np.clip(paper + 0.4, 0, 1)
        if hand.dirt:
            for _ in range(rng.integers(2, 30)):
                spot = (int(rng.integers(ink.shape[1])), int(rng.integers(ink.shape[0])))
                cv2.circle(ink, spot, int(rng.integers(1, 3)), (float(rng.uniform(0.2, 1)),), -1)
            shade = rng.random(ink.shape, np.float32) < np.float32(hand.dirt * 0.02)
            ink[shade] = np.maximum(ink[shade], 0.3)
        if rng.random() < 0.3:
            ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 0.8)), np.float32)
        swap = {Facing.LEFT: Facing.RIGHT, Facing.RIGHT: Facing.LEFT} if mirrored else {}
        facings = np.array([swap.get(one, one) for one in self.facings], np.int32)
        turn = np.s_[:, ::-1] if mirrored else np.s_[:, :]
        ids = self.ids[turn]
        return Lesson(
            ink=np.ascontiguousarray(np.clip(ink, 0, 1)[turn], np.float32),
            kinds=np.array(self.kinds, np.int32)[ids],
            depth=np.array(self.depths, np.float32)[ids],
            facing=facings[ids],
            place="",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """A drawing and what is drawn on it; all planes are (height, width)."""

    ink: Plane  #: 0 paper to 1 line
    kinds: NDArray[np.int32]
    depth: Plane
    facing: NDArray[np.int32]
    place: str

    def picture(self) -> NDArray[np.float32]:
        """Return dark lines on white paper, (height, width, 3), sRGB, 0 to 1."""
        paper = np.float32(1) - self.ink * np.float32(0.88)
        return np.ascontiguousarray(np.repeat(paper[..., None], 3, axis=2))
