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
    HIGH,
    MASK,
    NUMBERS,
    PLACES,
    SHEET,
    WIDE,
    Features,
    Floats,
)
from haikei.reading.kinds import Facing, Kind

NAME, VERSION = "Haikei reading network", "1"
WEIGHTS = Path(__file__).with_name("network.safetensors")
LICENCE = "Apache-2.0"
DATA = "line drawings of made-up places, drawn by Haikei's own code (haikei.training)"
LAYERS = 4
HEADS = 4
ATTENDING = (1, 3)  #: rounds after which every region looks at every other one
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
        wanted = weight_shapes()
        for name, shape in wanted.items():
            if name not in held or held[name].shape != shape or not np.isfinite(held[name]).all():
                raise ModelUnusable(
                    f"The reading network's weights are damaged or of another version: "
                    f"{file}: {name} is not {shape}.",
                    advice=ADVICE,
                )
        weights = {name: held[name].astype(np.float32) for name in wanted}
        return cls(weights, hashlib.sha256(data).hexdigest())

    def name(self, features: Features, place: int) -> Named:
        """Name the regions of a drawing; `place` is one of `PLACES` or -1."""
        kinds, depth, facing = self.outputs(features, place)
        chances = _softmax(kinds / self._temperature)
        chances = self._smoothed(chances, features)
        best = chances.argmax(axis=1)
        return Named(
            kinds=best.astype(np.int32),
            # Rounded, so that another machine's arithmetic gives the same painting.
            sure=np.round(chances[np.arange(len(best)), best].astype(np.float64), 2),
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
        told = np.empty((count, HEADS, part), np.float32)
        for head in range(HEADS):
            weight = _softmax(query[:, head] @ key[:, head].T / np.float32(part**0.5))
            told[:, head] = weight @ value[:, head]
        return self._linear(f"{name}.told", told.reshape(count, width))

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
