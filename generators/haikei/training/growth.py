"""What grows, flows and drifts: trees, bushes, rocks, clouds, hills, and the marks on ground."""

from itertools import pairwise

import cv2
import numpy as np

from haikei.reading import Facing, Kind
from haikei.training.camera import UP, Vector, World, vector
from haikei.training.canvas import Points

FAR = 3000.0  #: metres to where ground ends


def bumpy(world: World, middle: Points, across: float, upwards: float, bumps: int) -> Points:
    """Return a closed outline of bulges around a point, as crowns and clouds are drawn."""
    rng = world.rng
    turns = np.linspace(0, 2 * np.pi, bumps, endpoint=False) + rng.uniform(0, 1)
    turns = turns + rng.uniform(-0.3, 0.3, bumps) * 2 * np.pi / bumps
    size = rng.uniform(0.75, 1.1, bumps)
    cusps = np.stack([np.cos(turns) * across * size, np.sin(turns) * upwards * size], axis=1)
    swell = rng.uniform(0.12, 0.5)
    line: list[Points] = []
    for index in range(bumps):
        here, there = cusps[index], cusps[(index + 1) % bumps]
        part = np.linspace(0, 1, 6)[:-1, None]
        out = (here + there) / 2
        out = out / max(float(np.hypot(*out)), 1e-9)
        bulge = np.sin(part * np.pi) * swell * float(np.hypot(*(there - here)))
        line.append(here + (there - here) * part + out * bulge)
    return np.concatenate(line) + middle


def heap(
    world: World, middle: tuple[float, float], across: float, upwards: float, *, flat: bool = False
) -> Points:
    """
    Return the outline around a heap of discs, as crowns, bushes and clouds are drawn.

    A flat one stands on its middle: the heap is above it, its base a line.
    """
    rng = world.rng
    count = int(rng.integers(5, 26))
    turns = rng.uniform(0, 2 * np.pi, count)
    away = np.sqrt(rng.uniform(0.05, 1, count)) * 0.8
    x, y = np.cos(turns) * away, np.sin(turns) * away
    size = rng.uniform(0.16, 0.4, count) * rng.uniform(0.7, 1.2)
    if flat:
        x, y = np.linspace(-0.85, 0.85, count), -np.abs(y) * (1 - np.linspace(-1, 1, count) ** 2)
    lines = 110
    mask = np.zeros((lines * 3, lines * 3), np.uint8)
    narrow = max(min(across, upwards) / max(across, upwards), 0.25)
    round_x, round_y = (1.0, narrow) if across < upwards else (narrow, 1.0)
    for one in range(count):
        spot = (round((1.5 + x[one]) * lines), round((1.5 + y[one]) * lines))
        axes = (
            max(2, round(size[one] * lines * round_x)),
            max(2, round(size[one] * lines * round_y)),
        )
        cv2.ellipse(mask, spot, axes, 0, 0, 360, (255,), -1)
    core = (round(0.55 * lines), round(0.5 * lines))
    cv2.ellipse(mask, (round(1.5 * lines),) * 2, core, 0, 0, 360, (255,), -1)
    if flat:
        mask[round(1.5 * lines) :] = 0
    found, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(found, key=cv2.contourArea)[:, 0, :].astype(np.float64)
    return np.asarray((outline / lines - 1.5) * (across, upwards) + middle, np.float64)


def ragged(world: World, points: Points, amount: float) -> Points:
    """Return an outline with its corners moved about and its edges broken up."""
    fine: list[Points] = []
    for here, there in zip(points, np.roll(points, -1, axis=0), strict=True):
        part = np.linspace(0, 1, 4)[:-1, None]
        fine.append(here + (there - here) * part)
    dense = np.concatenate(fine)
    return np.asarray(dense + world.rng.normal(0, amount, dense.shape), np.float64)


def _spot(world: World, where: Vector) -> tuple[Points, float] | None:
    """Return where a point is seen and how long a metre is there."""
    ends = world.trail(np.stack([where, where + UP]))
    if not len(ends):
        return None
    return ends[0], float(np.hypot(*(ends[1] - ends[0])))


def tree(world: World, where: Vector, height: float, style: str = "") -> None:
    """Draw a tree: round, clumpy, conifer, bare, palm or poplar."""
    spot = _spot(world, where)
    if spot is None:
        return
    foot, metre = spot
    rng, canvas = world.rng, world.canvas
    style = style or str(rng.choice(["round", "clumps", "conifer", "bare", "poplar", "round"]))
    depth = world.depth(where)
    tall = height * metre
    if tall < 0.012:
        return
    trunk = tall * rng.uniform(0.025, 0.06)
    lean = rng.normal(0, 0.04) * tall
    top = foot + np.array([lean, -tall])
    bole = rng.uniform(0.25, 0.5) if style != "bare" else rng.uniform(0.4, 0.6)
    fork = foot + (top - foot) * (bole + 0.15)
    side = np.array([trunk, 0.0])
    if style == "conifer" and world.chance(0.5):
        fork = foot + (top - foot) * 0.2
    canvas.fill(
        np.stack([foot - side * 1.3, fork - side * 0.8, fork + side * 0.8, foot + side * 1.3]),
        Kind.TRUNK,
        depth=depth,
    )
    if tall > 0.3 and world.chance(canvas.hand.detail):
        canvas.hatch(
            np.stack([foot - side, fork - side * 0.6, fork + side * 0.6, foot + side]),
            max(trunk * 0.3, 0.004),
            90 + rng.uniform(-8, 8),
        )
    if style == "bare":
        _branches(world, fork, top, trunk, depth)
    elif style == "conifer":
        _conifer(world, fork, top, tall, depth)
    elif style == "palm":
        for turn in np.linspace(0, 2 * np.pi, rng.integers(6, 10), endpoint=False):
            reach = tall * rng.uniform(0.25, 0.4) * np.array([np.cos(turn), np.sin(turn) * 0.6])
            tip = fork + reach + np.array([0, tall * 0.12])
            mid = fork + reach * 0.55 - np.array([0, tall * 0.06])
            canvas.fill(
                np.stack([fork, mid - (0, tall * 0.03), tip, mid + (0, tall * 0.03)]),
                Kind.TREE,
                depth=depth,
            )
    else:
        wide = tall * (0.14 if style == "poplar" else rng.uniform(0.22, 0.42))
        high = tall * (1 - bole) * rng.uniform(0.5, 0.62)
        middle = top + (0, high * 0.9)
        if style == "clumps":
            for _ in range(rng.integers(3, 8)):
                off = rng.uniform(-1, 1, 2) * (wide * 0.7, high * 0.6)
                crown(world, middle + off, wide * 0.55, high * 0.5, depth)
        crown(world, middle, wide, high, depth)


def crown(world: World, middle: Points, across: float, upwards: float, depth: float) -> None:
    """Draw a mass of leaves, with clumps inside as far as the hand goes into detail."""
    rng, canvas = world.rng, world.canvas
    if world.chance(0.4):
        outline = heap(world, (float(middle[0]), float(middle[1])), across, upwards)
    else:
        outline = bumpy(world, middle, across, upwards, int(rng.integers(7, 22)))
    canvas.fill(outline, Kind.TREE, depth=depth)
    if across * 540 < 14:
        return
    for _ in range(rng.poisson(4 * canvas.hand.detail)):
        off = rng.uniform(-0.6, 0.6, 2) * (across, upwards)
        inner = bumpy(
            world,
            middle + off,
            across * rng.uniform(0.12, 0.4),
            upwards * rng.uniform(0.1, 0.35),
            int(rng.integers(4, 10)),
        )
        if world.chance(0.5):
            canvas.fill(inner, Kind.TREE, depth=depth)
        else:
            start = int(rng.integers(len(inner)))
            canvas.stroke(np.roll(inner, start, axis=0)[: len(inner) // 2], weight=0.7)


def _conifer(world: World, foot: Points, top: Points, tall: float, depth: float) -> None:
    rng = world.rng
    tiers = int(rng.integers(1, 6))
    wide = tall * rng.uniform(0.13, 0.26)
    for tier in range(tiers):
        low = foot + (top - foot) * (tier / (tiers + 0.6))
        high = foot + (top - foot) * min(1.0, (tier + 1.7) / (tiers + 0.6))
        spread = wide * (1 - 0.75 * tier / tiers)
        base = np.linspace(-1, 1, 8)[:, None] * (spread, 0.0)
        base[:, 1] = (np.arange(8) % 2) * tall * 0.02
        world.canvas.fill(np.concatenate([low + base, [high]]), Kind.TREE, depth=depth)


def _branches(world: World, fork: Points, top: Points, trunk: float, depth: float) -> None:
    rng, canvas = world.rng, world.canvas
    reach = top - fork
    for _ in range(rng.integers(4, 9)):
        turn = rng.uniform(-0.9, 0.9)
        spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        tip = fork + spin @ reach * rng.uniform(0.6, 1.0)
        side = np.array([trunk * 0.5, 0.0])
        if trunk * 540 > 3:
            canvas.fill(np.stack([fork - side, tip, fork + side]), Kind.TRUNK, depth=depth)
        else:
            canvas.stroke(np.stack([fork, tip]))
        for _ in range(3):
            start = fork + (tip - fork) * rng.uniform(0.4, 0.9)
            canvas.stroke(
                np.stack([start, start + rng.normal(0, 0.3, 2) * abs(reach[1])]), weight=0.6
            )


def bush(world: World, where: Vector, size: float) -> None:
    """Draw a low plant that stands on the ground."""
    spot = _spot(world, where)
    if spot is None:
        return
    foot, metre = spot
    tall = size * metre
    if 0.006 < tall < 1.2:
        middle = foot - (0, tall * 0.4)
        crown(world, middle, tall * world.uniform(0.6, 1.5), tall * 0.5, world.depth(where))


def rock(world: World, where: Vector, size: float, kind: Kind = Kind.ROCK) -> None:
    """Draw a boulder with some of its edges."""
    spot = _spot(world, where)
    if spot is None:
        return
    foot, metre = spot
    tall = size * metre
    if not 0.008 < tall < 1.5:
        return
    rng = world.rng
    count = int(rng.integers(6, 11))
    turns = np.sort(rng.uniform(0, 2 * np.pi, count))
    size_of = rng.uniform(0.75, 1.15, count)[:, None]
    outline = np.stack([np.cos(turns) * rng.uniform(0.7, 1.6), np.sin(turns) * 0.6], axis=1)
    outline = outline * size_of * tall
    outline[:, 1] = np.minimum(outline[:, 1], tall * 0.2)
    middle = foot - (0, tall * 0.3)
    world.canvas.fill(outline + middle, kind, depth=world.depth(where), facing=Facing.FRONT)
    for _ in range(rng.integers(0, 4)):
        one = outline[rng.integers(count)]
        inner = one * rng.uniform(0.1, 0.5) + rng.normal(0, tall * 0.1, 2)
        world.canvas.stroke(np.stack([one, inner]) + middle, weight=0.7)


def cloud(world: World, low: float, high: float) -> None:
    """Draw a cloud: heaped, flat below, a wisp, or one side of it only."""
    rng, canvas = world.rng, world.canvas
    middle = np.array([rng.uniform(-0.1, canvas.aspect + 0.1), rng.uniform(low, high)])
    wide = rng.uniform(0.08, 0.5)
    tall = wide * rng.uniform(0.15, 0.6)
    outline = bumpy(world, middle, wide, tall, int(rng.integers(5, 18)))
    style = rng.random()
    if world.chance(0.45):
        flat = world.chance(0.7)
        outline = heap(world, (float(middle[0]), float(middle[1])), wide, tall, flat=flat)
    elif style < 0.3:
        outline[:, 1] = np.minimum(outline[:, 1], middle[1] + tall * 0.3)
    elif style < 0.5:
        outline = middle + (outline - middle) * (1.3, 0.25)
    canvas.fill(outline, Kind.CLOUD, depth=1.0, line=style < 0.9)
    if style >= 0.9:
        canvas.stroke(outline[: int(len(outline) * 0.8)])
    for _ in range(rng.poisson(1.5 * canvas.hand.detail)):
        off = rng.uniform(-0.4, 0.4, 2) * (wide, tall)
        inner = bumpy(world, middle + off, wide * 0.3, tall * 0.3, 6)
        canvas.stroke(inner[: len(inner) // 2], weight=0.7)


def sky(world: World, cloudy: float = 1.0) -> None:
    """Cover the whole picture with air, and hang clouds and the sun in it."""
    canvas, rng = world.canvas, world.rng
    wide = canvas.aspect
    canvas.fill([(-3, -3), (wide + 3, -3), (wide + 3, 4), (-3, 4)], Kind.SKY, depth=1.0, line=False)
    ground = float(np.clip(world.horizon, 0.1, 1.3))
    for _ in range(rng.poisson(2.2 * cloudy)):
        cloud(world, -0.05, ground * 0.95)
    if world.chance(0.06):
        turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        disc = np.stack([np.cos(turns), np.sin(turns)], axis=1) * rng.uniform(0.02, 0.08)
        at = np.array([rng.uniform(0, wide), rng.uniform(0.02, max(0.1, ground * 0.7))])
        canvas.fill(disc + at, Kind.LAMP, depth=1.0)


def skyline(world: World, kind: Kind, height: float, rough: float, shift: float = 0.0) -> None:
    """Draw a far range on the horizon: hills, woods, snowy peaks or a town."""
    rng, canvas = world.rng, world.canvas
    count = int(rng.integers(8, 60)) if kind is Kind.FOREST else int(rng.integers(5, 26))
    x = np.linspace(-0.6, canvas.aspect + 0.6, count)
    waves = np.zeros(count)
    for power in range(1, 5):
        waves += np.sin(x * rng.uniform(0.6, 1.6) * 1.8**power + rng.uniform(0, 6)) / 1.7**power
    waves += rng.normal(0, rough, count)
    top = world.horizon + shift - height * np.clip(0.55 + 0.35 * waves, 0.05, 1.6)
    ridge = np.stack([x, top], axis=1)
    if kind is Kind.FOREST:
        ridge = scalloped(ridge, rng.uniform(0.2, 0.7))
    foot = [(canvas.aspect + 0.6, world.horizon + 0.6), (-0.6, world.horizon + 0.6)]
    canvas.fill(np.concatenate([ridge, foot]), kind, depth=0.97 - 0.02 * rng.random())
    if kind is Kind.HILL and world.chance(canvas.hand.detail * 0.6):
        for _ in range(rng.integers(2, 8)):
            start = ridge[rng.integers(len(ridge))]
            end = start + (rng.normal(0, 0.06), rng.uniform(0.2, 0.9) * height)
            end[1] = min(end[1], world.horizon + shift)
            canvas.stroke(
                np.stack([start, (start + end) / 2 + rng.normal(0, 0.01, 2), end]), weight=0.7
            )


def scalloped(ridge: Points, swell: float) -> Points:
    """Return a line of bulges along a ridge, as woods are drawn from afar."""
    line: list[Points] = []
    for here, there in pairwise(ridge):
        part = np.linspace(0, 1, 6)[:-1, None]
        bulge = np.sin(part * np.pi) * swell * abs(there[0] - here[0])
        line.append(here + (there - here) * part - bulge * (0, 1))
    return np.concatenate(line)


def ground(world: World, kind: Kind) -> None:
    """Cover everything below the horizon."""
    corners = [vector(-FAR, 0, -5), vector(FAR, 0, -5), vector(FAR, 0, FAR), vector(-FAR, 0, FAR)]
    turn = np.radians(world.lens.yaw)
    spin = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    world.polygon(np.array(corners) @ spin.T, kind, facing=Facing.UP)
    if kind is Kind.WATER and world.chance(0.85):
        # Who draws water shows that it is water, however little else is drawn.
        marks(world, kind, 25, least=0.6)


def strip(world: World, line: Vector, width: float, kind: Kind, *, rough: float = 0.0) -> None:
    """Draw a way or a river: a band on the ground along a line."""
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    side = np.stack([along[:, 2], np.zeros(len(line)), -along[:, 0]], axis=1) * width / 2
    if rough:
        side = side * (1 + world.rng.normal(0, rough, (len(line), 1)))
    world.polygon(np.concatenate([line - side, (line + side)[::-1]]), kind, facing=Facing.UP)


def winding(world: World, start: float, sway: float, length: float) -> Vector:
    """Return a line that leads away from the camera in bends."""
    z = np.concatenate([[-1.0], np.geomspace(1.0, length, 14)])
    phase, pace = world.uniform(0, 6), world.uniform(0.3, 1.2)
    x = start + sway * np.sin(phase + np.log(z + 2) * pace * 2) * np.minimum(1 + z * 0.08, 20)
    return np.stack([x, np.zeros_like(z) + 0.001, z], axis=1)


def marks(world: World, kind: Kind, amount: float, *, least: float = 0.0) -> None:
    """Draw tufts on grass, ripples on water and sand, stones on paths: strokes, no shapes."""
    rng = world.rng
    for _ in range(rng.poisson(amount * max(world.canvas.hand.detail, least))):
        z = float(np.exp(rng.uniform(np.log(1.5), np.log(40))))
        where = vector(rng.uniform(-1, 1) * (1 + z * 0.9), 0, z)
        if kind in (Kind.WATER, Kind.SAND, Kind.SNOW):
            long = rng.uniform(0.1, 0.5) * z * 0.4
            world.line(
                [where, where + (long / 2, 0, rng.normal(0, 0.05)), where + (long, 0, 0)], 0.6
            )
        elif kind is Kind.GRASS:
            for _ in range(rng.integers(2, 5)):
                tip = where + (rng.normal(0, 0.1), rng.uniform(0.1, 0.35), 0)
                world.line([where + (rng.normal(0, 0.08), 0, 0), tip], 0.6)
        else:
            rock(world, where, rng.uniform(0.04, 0.15), kind)
