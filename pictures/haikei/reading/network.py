"""
The network that reads regions: a few rounds of messages between neighbours and the whole sheet.

Its weights were learnt from drawings that Haikei's own code makes (`haikei.training`); reading
needs NumPy only. `network-card.md` beside this file says what it was trained on and how well it
reads.
"""

import hashlib
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from haikei.errors import ModelUnusable
from haikei.reading.features import (
    AROUND,
    BOTTOM,
    BREADTH,
    HIGH,
    MASK,
    NUMBERS,
    PLACES,
    SCALLOPS,
    SHEET,
    TOP,
    TOUCHES,
    WIDE,
    Features,
    Floats,
    Marks,
)
from haikei.reading.kinds import AIR, Facing, Kind
from haikei.sheets import LetterNetwork, letter_shapes

NAME, VERSION = "Haikei reading network", "1"
WEIGHTS = Path(__file__).with_name("network.safetensors")
LICENCE = "Apache-2.0"
DATA = "line drawings of made-up places, drawn by Haikei's own code (haikei.training)"
LAYERS = 4
HEADS = 4
ATTENDING = (1, 3)  #: rounds after which every region looks at every other one
AFLOAT, TRUNKED = 0.01, 0.015  #: parts of an outline along a hull, and over a trunk
BROAD = 0.15  #: of the picture: narrower gaps between roofs and branches may be sky
ROUNDS = 2
THINGS, HUGE = 0.05, 0.25  #: of the picture
OUTLINES = 5  #: that close nothing: a region with as many is several things
TINY = 1.5e-4  #: part of the picture below which a region listens to its neighbours


ADVICE = 'Install Haikei anew, or let the stage read with `reader = "geometric"`.'


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Named:
    """What the network makes of each region."""

    kinds: NDArray[np.int32]
    sure: NDArray[np.float64]  #: how sure each kind is, 0 to 1
    depth: NDArray[np.float64]  #: 0 nearest to 1 farthest
    facing: NDArray[np.int32]


class ReadingNetwork:
    """Weights in memory; the same features always give the same names."""

    def __init__(self, weights: dict[str, Floats], sha256: str) -> None:
        self._weights = weights
        self.sha256 = sha256
        self.letters = LetterNetwork(weights)  #: separates writing from drawing
        temperature = float(weights["temperature"][0])
        self._temperature = max(temperature, 1e-3)

    @classmethod
    def load(cls, file: Path) -> Self:
        """
        Read weights.

        Raises:
            ModelUnusable: the file is missing, damaged, or of another make of network.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        data = _bytes(file)
        try:
            held = load(data)
        except (SafetensorError, KeyError, ValueError) as error:
            raise ModelUnusable(
                f"The reading network's weights are damaged: {file}: {error}.", advice=ADVICE
            ) from error
        wanted = {**weight_shapes(), **letter_shapes()}
        for name, shape in wanted.items():
            if name not in held or held[name].shape != shape or not np.isfinite(held[name]).all():
                raise ModelUnusable(
                    f"The reading network's weights are damaged or of another version: "
                    f"{file}: {name} is not {shape}.",
                    advice=ADVICE,
                )
        weights = {name: held[name].astype(np.float32) for name in wanted}
        return cls(weights, hashlib.sha256(data).hexdigest())

    def name(self, features: Features, place: int, marks: Marks | None = None) -> Named:
        """
        Name the regions of a drawing.

        Args:
            features: what is shown of them.
            place: one of `PLACES`, or -1.
            marks: what is drawn on each region; without them nothing but chances decides.
        """
        kinds, depth, facing = self.outputs(features, place)
        chances = _softmax(kinds / self._temperature)
        chances = self._smoothed(chances, features)
        if marks is not None:
            chances = believed(chances, features, marks)
        best = decided(chances)
        best[_run_together(best, features, marks)] = Kind.UNKNOWN
        sure = chances[np.arange(len(best)), best].astype(np.float64)
        return Named(
            kinds=best.astype(np.int32),
            # Rounded, so that another machine's arithmetic gives the same painting.
            sure=np.asarray(np.round(sure, 2), np.float64),
            depth=np.asarray(np.round(depth.astype(np.float64), 2), np.float64),
            facing=facing.argmax(axis=1).astype(np.int32),
        )

    def outputs(self, features: Features, place: int) -> tuple[Floats, Floats, Floats]:
        """Return what each region scores as each kind, its depth, and its scores as each facing."""
        state = self._encoded(features)
        hint = np.zeros(len(PLACES), np.float32)
        if place >= 0:
            hint[place] = 1.0
        sheet = _relu(self._linear("sheet", np.concatenate([features.sheet, hint])))
        relations = features.relations
        size = (len(features), len(features))
        planes = [
            csr_array((relations.weights[:, index], (relations.one, relations.other)), shape=size)
            for index in range(4)
        ]
        share = features.area / features.area.sum()
        for layer in range(LAYERS):
            normed = self._norm(f"layers.{layer}.norm", state)
            heard = [np.asarray(plane @ normed, np.float32) for plane in planes]
            whole = np.broadcast_to(sheet, normed.shape)
            mixed = np.concatenate([normed, *heard, whole], axis=1)
            inner = _relu(self._linear(f"layers.{layer}.first", mixed))
            state = state + self._linear(f"layers.{layer}.second", inner)
            if layer in ATTENDING:
                state = state + self._attention(f"layers.{layer}", state)
            pooled = np.concatenate([sheet, share @ state, state.max(axis=0)])
            sheet = sheet + _relu(self._linear(f"layers.{layer}.sheet", pooled))
        scores = self._linear("heads", self._norm("norm", state))
        kinds, facings = len(Kind), len(Facing)
        depth = np.asarray(1 / (1 + np.exp(-scores[:, kinds])), np.float32)
        return scores[:, :kinds], depth, scores[:, kinds + 1 : kinds + 1 + facings]

    def _encoded(self, features: Features) -> Floats:
        numbers = (features.numbers - self._weights["mean"]) / self._weights["deviation"]
        pictures = features.pictures.astype(np.float32) / 255
        first = _relu(self._linear("first", np.concatenate([numbers, pictures], axis=1)))
        return _relu(self._linear("second", first))

    def _attention(self, name: str, state: Floats) -> Floats:
        normed = self._norm(f"{name}.attend", state)
        asked = self._linear(f"{name}.asked", normed)
        count, width = state.shape
        part = width // HEADS
        query, key, value = (
            asked[:, index * width : (index + 1) * width].reshape(count, HEADS, part)
            for index in range(3)
        )
        attended = np.empty((count, HEADS, part), np.float32)
        for head in range(HEADS):
            weight = _softmax(query[:, head] @ key[:, head].T / np.float32(part**0.5))
            attended[:, head] = weight @ value[:, head]
        return self._linear(f"{name}.told", attended.reshape(count, width))

    def _linear(self, name: str, values: Floats) -> Floats:
        product: Floats = values @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def _norm(self, name: str, values: Floats) -> Floats:
        middle = values - values.mean(axis=1, keepdims=True)
        spread = np.sqrt((middle**2).mean(axis=1, keepdims=True) + np.float32(1e-5))
        normed = middle / spread * self._weights[f"{name}.weight"]
        return np.asarray(normed + self._weights[f"{name}.bias"], np.float32)

    @staticmethod
    def _smoothed(chances: Floats, features: Features) -> Floats:
        """Let slivers, which are little more than a slip of the pen, listen to neighbours."""
        tiny = features.area < TINY
        if not tiny.any():
            return chances
        relations = features.relations
        size = (len(features), len(features))
        beside = csr_array((relations.weights[:, 0], (relations.one, relations.other)), shape=size)
        heard = np.asarray(beside @ chances, np.float32)
        heard /= np.maximum(heard.sum(axis=1, keepdims=True), np.float32(1e-6))
        return np.where(tiny[:, None], (chances + heard) / 2, chances)


#: By how much a chance grows or shrinks by what is drawn on, under and around a region.
RIPPLED, BARE, TUFTED, FLOATING = 2.0, 0.5, 0.3, 2.5
STANDING, LYING = 0.1, 0.15
FOUNDED, DRY = 0.1, 0.15  #: part of a region's upper outline under houses, which stand on land
COLD = 0.3  #: bare paper is no snow: winter lays snow on every kind of ground by itself


def believed(chances: Floats, features: Features, marks: Marks) -> Floats:
    """
    Weigh chances by what a painter would hold against them.

    Nobody forgives a meadow under water: an empty plain is land unless ripples, or a boat on it,
    say that it is water, and what houses stand on is land; strokes that stand up say grass. A
    cloud stands on no trunk, and what lies on the land and has no scallops is a hill.
    """
    relations, count = features.relations, len(features)
    beside, above, below = (
        csr_array(
            (relations.weights[:, plane], (relations.one, relations.other)), shape=(count, count)
        )
        for plane in (0, 1, 2)
    )
    level, upright = marks.level, marks.upright
    rippled = (level >= 3) & (level > 1.5 * upright)
    tufted = (upright >= 4) & (upright > 2 * level)
    water = np.where(rippled, RIPPLED, np.where(tufted, TUFTED, BARE))
    smooth = np.expm1(features.numbers[:, SCALLOPS]) < 1.5
    smooth &= features.numbers[:, TOP] > 0.02
    broad = features.numbers[:, BREADTH] > BROAD
    resting = np.asarray(above.sum(axis=1), np.float32)
    found = chances
    for _ in range(ROUNDS):  # what one region turns out to be bears on those above it
        weight = np.ones_like(chances)
        hulls = (found[:, Kind.HULL] > 0.5).astype(np.float32)
        afloat = np.asarray(beside @ hulls, np.float32) > AFLOAT
        weight[:, Kind.WATER] = np.where(afloat, np.maximum(water, FLOATING), water)
        walls = found[:, Kind.WALL] + found[:, Kind.DOOR]
        founded = ~rippled & (np.asarray(below @ walls, np.float32) > FOUNDED)
        weight[founded, Kind.WATER] = DRY
        weight[tufted, Kind.GRASS] = 1 / TUFTED
        weight[:, Kind.SNOW] = COLD
        on_stems = _on_stems(found, features)
        for kind in (Kind.SKY, Kind.CLOUD, Kind.HILL, Kind.FOREST):
            weight[on_stems, kind] = STANDING
        air = found[:, Kind.SKY] + found[:, Kind.CLOUD]
        lies = smooth & (np.asarray(above @ air, np.float32) < 0.45 * resting)
        weight[lies, Kind.CLOUD] *= LYING
        # A line from side to side parts the sky from what is no sky.
        weight[lies & broad & (np.asarray(below @ air) > 0.5), Kind.SKY] = LYING
        found = chances * weight
        found = np.asarray(found / found.sum(axis=1, keepdims=True), np.float32)
    return found


#: Kinds that take each other's place: air, ranges, and what lies level. Which of them a region is
#: is asked after it is known that it is one of them.
FAMILIES = (
    (Kind.SKY, Kind.CLOUD),
    (Kind.HILL, Kind.FOREST),
    (Kind.GRASS, Kind.PAVING, Kind.EARTH, Kind.SAND, Kind.SNOW, Kind.WATER),
)


def decided(chances: Floats) -> NDArray[np.int64]:
    """
    Return one kind a region: the likeliest of the likeliest family.

    Ground that may be grass, earth or sand in equal parts is ground, and no roof.
    """
    families = chances.copy()
    for family in FAMILIES:
        families[:, list(family)] = chances[:, list(family)].sum(axis=1, keepdims=True)
    likely = families >= families.max(axis=1, keepdims=True) - np.float32(1e-6)
    within = np.where(likely, chances, np.float32(-1))
    return np.asarray(within.argmax(axis=1), np.int64)


def _run_together(
    kinds: NDArray[np.int64], features: Features, marks: Marks | None
) -> NDArray[np.bool_]:
    """
    Return which regions reach from the upper edge to the lower one though they are several things.

    They are air with other things beside it, or hold outlines that close nothing: the lines have
    gaps so wide that sky and ground are one region, and nobody can say what it is.
    """
    top, bottom = features.numbers[:, TOUCHES[0]] > 0.5, features.numbers[:, TOUCHES[1]] > 0.5
    share = features.area / features.area.sum()
    several = np.isin(kinds, AIR)
    if float(share[~several].sum()) < THINGS:  # a picture of clouds alone
        several = np.zeros(len(kinds), np.bool_)
    if marks is not None:
        several |= marks.long >= OUTLINES
    return np.asarray(several & top & bottom & (share > HUGE), np.bool_)


def _on_stems(chances: Floats, features: Features) -> NDArray[np.bool_]:
    """Return what stands on a trunk, or on a post that begins where it ends, as crowns do."""
    relations = features.relations
    one, other = relations.one, relations.other
    top, bottom = features.numbers[:, TOP], features.numbers[:, BOTTOM]
    stem = chances[:, Kind.TRUNK] + chances[:, Kind.POST] > 0.5
    under = (relations.weights[:, 1] > TRUNKED) & stem[other]
    under &= top[other] > top[one] + 0.6 * (bottom - top)[one]
    found = np.zeros(len(features), np.bool_)
    found[one[under]] = True
    return found


def weight_shapes() -> dict[str, tuple[int, ...]]:
    """Return which weights there are, and their shapes."""
    width, inner, hidden = 128, 192, 192
    shapes: dict[str, tuple[int, ...]] = {
        "mean": (NUMBERS,),
        "deviation": (NUMBERS,),
        "temperature": (1,),
    }

    def linear(name: str, inputs: int, outputs: int) -> None:
        shapes[f"{name}.weight"] = (outputs, inputs)
        shapes[f"{name}.bias"] = (outputs,)

    def norm(name: str) -> None:
        shapes[f"{name}.weight"] = shapes[f"{name}.bias"] = (width,)

    linear("first", NUMBERS + MASK * MASK + WIDE * HIGH + AROUND * AROUND, hidden)
    linear("second", hidden, width)
    linear("sheet", SHEET + len(PLACES), width)
    for layer in range(LAYERS):
        norm(f"layers.{layer}.norm")
        linear(f"layers.{layer}.first", width * 6, inner)
        linear(f"layers.{layer}.second", inner, width)
        linear(f"layers.{layer}.sheet", width * 3, width)
        if layer in ATTENDING:
            norm(f"layers.{layer}.attend")
            linear(f"layers.{layer}.asked", width, width * 3)
            linear(f"layers.{layer}.told", width, width)
    norm("norm")
    linear("heads", width, len(Kind) + 1 + len(Facing))
    return shapes


def _relu(values: Floats) -> Floats:
    return np.asarray(np.maximum(values, np.float32(0)), np.float32)


def _softmax(scores: Floats) -> Floats:
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True), np.float32)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelUnusable(
            f"The reading network's weights cannot be read: {file}: {error.strerror}.",
            advice=ADVICE,
        ) from error


@cache
def shipped_sha256() -> str:
    """
    Return the hash of the weights that come with Haikei.

    Raises:
        ModelUnusable: their file is missing.
    """
    return hashlib.sha256(_bytes(WEIGHTS)).hexdigest()


_LOADING = threading.Lock()


@cache
def _network() -> ReadingNetwork:
    return ReadingNetwork.load(WEIGHTS)


def shipped_network() -> ReadingNetwork:
    """
    Return the network that comes with Haikei, loaded once.

    Raises:
        ModelUnusable: its file is missing or damaged.
    """
    with _LOADING:
        return _network()
