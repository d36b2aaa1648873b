"""Teach the reading network: resumable, seeded, on CPU; needs torch."""

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from haikei.reading import Kind
from haikei.reading.features import PLACES
from haikei.reading.network import ATTENDING, HEADS, LAYERS, NAME, VERSION, weight_shapes
from haikei.training.examples import Example, mirrored

LOG = logging.getLogger(__name__)
KINDS = len(Kind)
CROWDED = 260  #: regions
NOISE, BLANKED, DROPPED = 0.08, 0.15, 0.25


class Exchange(nn.Module):
    """One round of messages; the twin of `ReadingNetwork`, with gradients."""

    def __init__(self, layer: int, dropout: float) -> None:
        super().__init__()
        shapes = weight_shapes()
        name = f"layers.{layer}"
        self.norm = nn.LayerNorm(shapes[f"{name}.norm.weight"][0])
        self.first = _linear(f"{name}.first")
        self.second = _linear(f"{name}.second")
        self.sheet = _linear(f"{name}.sheet")
        self.drop = nn.Dropout(dropout)
        if layer in ATTENDING:
            self.attend: nn.LayerNorm | None = nn.LayerNorm(shapes[f"{name}.attend.weight"][0])
            self.asked, self.told = _linear(f"{name}.asked"), _linear(f"{name}.told")
        else:
            self.attend = None

    def forward(self, state: Tensor, sheet: Tensor, batch: "Batch") -> tuple[Tensor, Tensor]:
        """Return the regions and the sheets after this round."""
        normed = self.norm(state)
        heard = [torch.sparse.mm(plane, normed) for plane in batch.planes]
        mixed = torch.cat([normed, *heard, sheet[batch.drawing]], dim=1)
        state = state + self.second(self.drop(functional.relu(self.first(mixed))))
        if self.attend is not None:
            asked = self.asked(self.attend(state))
            parts = [self._attention(part) for part in torch.split(asked, batch.counts)]
            state = state + self.told(torch.cat(parts))
        pooled = torch.stack(
            [
                torch.cat([share @ part, part.max(dim=0).values])
                for part, share in zip(
                    torch.split(state, batch.counts),
                    torch.split(batch.share, batch.counts),
                    strict=True,
                )
            ]
        )
        sheet = sheet + functional.relu(self.sheet(torch.cat([sheet, pooled], dim=1)))
        return state, sheet

    @staticmethod
    def _attention(asked: Tensor) -> Tensor:
        count, width = asked.shape[0], asked.shape[1] // 3
        split = asked.reshape(count, 3, HEADS, width // HEADS).permute(1, 2, 0, 3)
        told = functional.scaled_dot_product_attention(split[0], split[1], split[2])
        return told.transpose(0, 1).reshape(count, width)


class Network(nn.Module):
    """The whole of it; its state's names are those of the weights file."""

    mean: Tensor
    deviation: Tensor
    temperature: Tensor

    def __init__(self, dropout: float = DROPPED) -> None:
        super().__init__()
        shapes = weight_shapes()
        self.register_buffer("mean", torch.zeros(shapes["mean"]))
        self.register_buffer("deviation", torch.ones(shapes["deviation"]))
        self.register_buffer("temperature", torch.ones(1))
        self.first, self.second = _linear("first"), _linear("second")
        self.sheet, self.heads = _linear("sheet"), _linear("heads")
        self.layers = nn.ModuleList([Exchange(layer, dropout) for layer in range(LAYERS)])
        self.norm = nn.LayerNorm(shapes["norm.weight"][0])
        self.drop = nn.Dropout(dropout)

    def forward(self, batch: "Batch") -> Tensor:
        """Return the scores of all heads, one row a region."""
        numbers = (batch.numbers - self.mean) / self.deviation
        pictures = batch.pictures
        if self.training:  # no drawing is like another: blur what is shown a little
            numbers = numbers + torch.randn_like(numbers) * NOISE
            pictures = functional.dropout(pictures, BLANKED)
        first = functional.relu(self.first(torch.cat([numbers, pictures], dim=1)))
        state = functional.relu(self.second(self.drop(first)))
        sheet = functional.relu(self.sheet(batch.sheet))
        for layer in self.layers:
            state, sheet = layer(state, sheet, batch)
        scores: Tensor = self.heads(self.norm(state))
        return scores


def _linear(name: str) -> nn.Linear:
    outputs, inputs = weight_shapes()[f"{name}.weight"]
    return nn.Linear(inputs, outputs)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Some drawings beside each other: their regions one after the other."""

    counts: list[int]
    drawing: Tensor
    numbers: Tensor
    pictures: Tensor
    sheet: Tensor
    planes: list[Tensor]
    share: Tensor
    kinds: Tensor
    depth: Tensor
    facing: Tensor
    weight: Tensor


def collate(examples: list[Example], rng: np.random.Generator | None) -> Batch:
    """Put drawings into a batch; with `rng` most hints are left out, and a few are wrong."""
    counts = [len(one.features) for one in examples]
    starts = np.cumsum([0, *counts])
    ours = [one.features for one in examples]
    relations = [one.relations for one in ours]
    pairs = np.stack(
        [
            np.concatenate(
                [one.one + start for one, start in zip(relations, starts, strict=False)]
            ),
            np.concatenate(
                [one.other + start for one, start in zip(relations, starts, strict=False)]
            ),
        ]
    )
    weights = np.concatenate([one.weights for one in relations])
    size = (int(starts[-1]), int(starts[-1]))
    index = torch.from_numpy(pairs.astype(np.int64))
    planes = [
        torch.sparse_coo_tensor(
            index,
            torch.from_numpy(np.ascontiguousarray(weights[:, plane])),
            size,
            is_coalesced=True,
            check_invariants=False,
        )
        for plane in range(4)
    ]
    hints = np.zeros((len(examples), len(PLACES)), np.float32)
    for row, one in enumerate(examples):
        place = one.place
        if rng is not None and rng.random() < 0.04:
            place = int(rng.integers(len(PLACES)))
        if rng is not None and place >= 0 and rng.random() < 0.35:
            hints[row, place] = 1
    return Batch(
        counts=counts,
        drawing=torch.from_numpy(np.repeat(np.arange(len(counts)), counts)),
        numbers=torch.from_numpy(np.concatenate([one.numbers for one in ours])),
        pictures=torch.from_numpy(np.concatenate([one.pictures for one in ours])).float() / 255,
        sheet=torch.from_numpy(
            np.concatenate([np.stack([one.sheet for one in ours]), hints], axis=1)
        ),
        planes=planes,
        share=torch.from_numpy(np.concatenate([one.area / one.area.sum() for one in ours])),
        kinds=torch.from_numpy(np.concatenate([one.kinds for one in examples])),
        depth=torch.from_numpy(np.concatenate([one.depth for one in examples])),
        facing=torch.from_numpy(np.concatenate([one.facing for one in examples])),
        weight=torch.from_numpy(np.concatenate([_weights(one) for one in examples])),
    )


def _weights(one: Example) -> NDArray[np.float32]:
    """Large regions count more; a region that is of no one kind teaches little."""
    area = one.features.area / one.features.area.sum()
    root = np.sqrt(area)
    weight = (0.5 * area + 0.5 * root / root.sum()) * np.clip(one.purity * 2 - 1, 0, 1)
    return np.asarray(weight, np.float32)


def loss_of(scores: Tensor, batch: Batch) -> Tensor:
    """Return how far the scores are from the truth, a drawing."""
    kinds = functional.cross_entropy(scores[:, :KINDS], batch.kinds, reduction="none")
    depth = functional.smooth_l1_loss(
        torch.sigmoid(scores[:, KINDS]), batch.depth, reduction="none", beta=0.1
    )
    facing = functional.cross_entropy(scores[:, KINDS + 1 :], batch.facing, reduction="none")
    each = kinds + 2.0 * depth + 0.3 * facing
    return (each * batch.weight).sum() / len(batch.counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well a network reads held-out drawings: parts of the pictures' area."""

    accuracy: float
    hinted: float  #: with the place's name beside the drawing
    depth: float  #: mean error
    facing: float
    surprise: float  #: mean negative logarithm of the true kind's chance


def judge(network: Network, held: list[Example]) -> Score:
    """Return the figures of a network on examples that it did not learn from."""
    network.eval()
    rows: list[list[float]] = []
    with torch.no_grad():
        for one in held:
            plain = collate([one], None)
            scores = network(plain)
            share = plain.share
            right = (scores[:, :KINDS].argmax(dim=1) == plain.kinds).float()
            knowing = _with_hint(plain, one.place)
            hinted = (network(knowing)[:, :KINDS].argmax(dim=1) == plain.kinds).float()
            off = (torch.sigmoid(scores[:, KINDS]) - plain.depth).abs()
            facing = (scores[:, KINDS + 1 :].argmax(dim=1) == plain.facing).float()
            surprise = functional.cross_entropy(
                scores[:, :KINDS] / network.temperature, plain.kinds, reduction="none"
            )
            rows.append([float((v * share).sum()) for v in (right, hinted, off, facing, surprise)])
    network.train()
    mean = np.array(rows).mean(axis=0)
    return Score(
        accuracy=float(mean[0]),
        hinted=float(mean[1]),
        depth=float(mean[2]),
        facing=float(mean[3]),
        surprise=float(mean[4]),
    )


def _with_hint(batch: Batch, place: int) -> Batch:
    from dataclasses import replace

    sheet = batch.sheet.clone()
    if place >= 0:
        sheet[0, sheet.shape[1] - len(PLACES) + place] = 1
    return replace(batch, sheet=sheet)


def calibrate(network: Network, held: list[Example]) -> None:
    """Choose the temperature at which chances are as often right as they say."""
    network.eval()
    batches = [collate([one], None) for one in held]
    with torch.no_grad():
        scores = torch.cat([network(batch)[:, :KINDS] for batch in batches])
    kinds = torch.cat([batch.kinds for batch in batches])
    share = torch.cat([batch.share for batch in batches])

    def surprise(temperature: float) -> float:
        each = functional.cross_entropy(scores / temperature, kinds, reduction="none")
        return float((each * share).sum())

    best = min(np.arange(0.6, 3.6, 0.1), key=surprise)
    network.temperature.fill_(float(best))
    network.train()


def fit(
    examples: list[Example],
    held: list[Example],
    *,
    folder: Path,
    epochs: int,
    minutes: float,
    seed: int,
    start: Path | None = None,
    highest: float = 1.6e-3,
    size: int = 8,
) -> Network:
    """
    Learn for some epochs or minutes, whichever ends first, and go on where a run was stopped.

    The checkpoint is written after each epoch; the rate of learning falls from `highest` with the
    epochs. `start` is a file of weights to begin with: features are scaled as they were for it.
    """
    torch.manual_seed(seed)
    network = Network()
    if start is None:
        numbers = np.concatenate([one.features.numbers for one in examples])
        network.mean.copy_(torch.from_numpy(numbers.mean(axis=0)))
        network.deviation.copy_(torch.from_numpy(numbers.std(axis=0) + 0.05))
    else:
        network.load_state_dict(kept_network(start)[0].state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.03)
    kept = folder / "checkpoint.pt"
    done = 0
    if kept.exists():
        state = torch.load(kept, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        done = int(state["epoch"])
    # A town from above costs as much as ten other drawings: such ones are not learnt in each epoch.
    chances = np.array([min(1.0, CROWDED / len(one.features)) for one in examples])
    began = time.monotonic()
    for epoch in range(done, epochs):
        rng = np.random.default_rng((seed, epoch))
        order = rng.permutation(np.flatnonzero(rng.random(len(examples)) < chances))
        steps = max(1, len(order) // size)
        total = 0.0
        for step in range(steps):
            at = (epoch + step / steps) / epochs
            rate = highest * min(1.0, at * epochs / 0.5 + 0.02) * (0.5 + 0.5 * np.cos(np.pi * at))
            for group in optimizer.param_groups:
                group["lr"] = float(rate) + 2e-6
            chosen = [examples[i] for i in order[step * size : (step + 1) * size]]
            batch = collate([mirrored(one) if rng.random() < 0.5 else one for one in chosen], rng)
            loss = loss_of(network(batch), batch)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call] # torch has no types for it
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            total += float(loss.detach())
        state = {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": epoch + 1,
        }
        part = kept.with_suffix(".part")
        torch.save(state, part)
        part.replace(kept)
        score = judge(network, held[:100])
        learnt = judge(network, examples[:40])
        LOG.info(
            "epoch %d: loss %.3f, learnt %.3f, held out %.3f (hinted %.3f), depth %.3f, "
            "facing %.3f, %.0f s",
            epoch + 1,
            total / steps,
            learnt.accuracy,
            score.accuracy,
            score.hinted,
            score.depth,
            score.facing,
            time.monotonic() - began,
        )
        if time.monotonic() - began > minutes * 60:
            break
    return network


def kept_network(file: Path) -> tuple[Network, dict[str, str]]:
    """Return the network of a file of weights, and its note."""
    network = Network()
    held = load_file(file)
    network.load_state_dict(
        {name: torch.from_numpy(held[name].astype(np.float32)) for name in network.state_dict()}
    )
    with safe_open(file, framework="numpy") as opened:
        metadata = opened.metadata() or {}
    note = json.loads(metadata.get("note", "{}"))
    return network, {str(name): str(value) for name, value in note.items()}


def save_network(
    network: Network, letters: dict[str, NDArray[np.float16]], file: Path, *, note: dict[str, str]
) -> None:
    """Write weights for `haikei.reading`, in half precision, with those of the letters."""
    state = network.state_dict()
    weights = {name: state[name].detach().numpy().astype(np.float16) for name in weight_shapes()}
    metadata = {"name": NAME, "version": VERSION, "note": json.dumps(note)}
    save_file({**weights, **letters}, file, metadata=metadata)
    file.chmod(0o644)  # what is shipped is for everybody
