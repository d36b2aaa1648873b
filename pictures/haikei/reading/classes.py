"""
Say what each region of a layout is likely to be, from its shape, its place and its neighbours.

No weights: each rule is a sentence about how layouts are drawn. A layout that follows none of
them is still painted, only with duller colours.
"""

import numpy as np
from numpy.typing import NDArray

from haikei.reading.kinds import AIR, GROUND, Facing, Kind
from haikei.reading.shapes import Numbers, Shapes

Flags = NDArray[np.bool_]

PLACES: dict[str, tuple[str, ...]] = {
    "port": ("port", "harbour", "harbor", "quay", "sea", "beach", "港", "海"),
    "station": ("station", "railway", "platform", "駅"),
    "village": ("village", "farm", "countryside", "村", "田舎"),
    "lake": ("lake", "pond", "river", "湖", "川", "池"),
    "hills": ("hill", "mountain", "meadow", "丘", "山"),
    "street": ("street", "town", "city", "road", "街", "町", "通り"),
}
WET = ("port", "lake")


def place_word(hint: str) -> str:
    """Return which known kind of place a free hint names; empty when none."""
    lowered = hint.casefold()
    for place, words in PLACES.items():
        if any(word in lowered for word in words):
            return place
    return ""


def find_horizon(shapes: Shapes, place: str) -> float:
    """Return the height of the horizon, from the top, in fractions of the picture's height."""
    if shapes.flat is not None and place != "hills":
        return shapes.flat
    if shapes.vanishing is not None:
        return shapes.vanishing[1]
    aloft = shapes.touches[:, 1] & (shapes.area > 0.08) & ~shapes.touches[:, 3]
    if aloft.any():
        lowest = float(shapes.bottom[aloft].max())
        return float(np.clip(lowest + 0.06, 0.35, 0.7))
    return 0.55


class Classifier:
    """Works through the regions, surest first; each rule names only what is still unnamed."""

    def __init__(self, shapes: Shapes, place: str, horizon: float) -> None:
        self.shapes = shapes
        self.place = place
        self.horizon = horizon
        self.kinds = np.full(len(shapes), Kind.OTHER, np.int32)
        self.open: Flags = np.ones(len(shapes), np.bool_)
        self.bumpy: Flags = (shapes.scallops >= 4) & (shapes.straight < 0.4)
        self.bumpy &= shapes.upright + shapes.level < 0.5

    def run(self) -> NDArray[np.int32]:
        """Return the kind of each region."""
        self._posts()
        self._panes()
        self._sky()
        self.name(self._trunks(self.bumpy), Kind.TREE)
        self._clouds()
        self.name(self.walls_by_panes & ~self._crowned(), Kind.WALL)
        self._water()
        if self.place == "station":
            self._railway()
        self._trees()
        self._buildings()
        self._slopes()
        self._see_through()
        self._land()
        self._leftovers()
        return self.kinds

    def share(self, *kinds: Kind) -> Numbers:
        """Return the part of each outline that borders on regions of these kinds."""
        return self.shapes.beside @ self.has(*kinds).astype(np.float64)

    def has(self, *kinds: Kind) -> Flags:
        """Return which regions have been named one of these."""
        return np.isin(self.kinds, kinds) & ~self.open

    def name(self, which: Flags, kind: Kind) -> None:
        """Name those of the regions that have no name yet."""
        which = which & self.open
        self.kinds[which] = kind
        self.open &= ~which

    def _posts(self) -> None:
        shapes = self.shapes
        thin = (shapes.slimness > 4.2) & (shapes.breadth < 0.035)
        thin |= (shapes.slimness > 6) & (shapes.breadth < 0.055)
        thin &= shapes.slant < 14
        thin &= ~self.bumpy & (shapes.height > 0.02)
        beam = (shapes.slimness > 5) & (shapes.breadth < 0.014) & (shapes.slant > 76)
        beam &= shapes.y < self.horizon
        self.name(thin | beam, Kind.POST)

    def _panes(self) -> None:
        """Find small upright quadrangles, and what big region carries them: a wall."""
        shapes = self.shapes
        pane = (shapes.solidity > 0.84) & (shapes.straight > 0.55) & (shapes.upright > 0.2)
        pane &= (shapes.area < 0.009) & (shapes.corners <= 8) & (shapes.slimness < 3.6)
        pane &= ~shapes.touches.any(axis=1) & self.open
        outside = np.where(pane[None, :], 0.0, shapes.beside)
        carrier = outside.argmax(axis=1)
        held = outside[np.arange(len(shapes)), carrier]
        bigger = shapes.area[carrier] > 2.2 * shapes.area
        around = (shapes.left[carrier] <= shapes.left + 0.004) & (
            shapes.right[carrier] >= shapes.right - 0.004
        )
        around &= shapes.top[carrier] <= shapes.top + 0.01
        held_well = pane & (held + shapes.beside @ pane > 0.75) & (held > 0.25) & bigger & around
        # A door stands on what its wall stands on; a window has wall under it.
        low = held_well & (np.abs(shapes.bottom - shapes.bottom[carrier]) < 0.012)
        self.carrier = carrier
        self.carries = np.bincount(carrier[held_well], minlength=len(shapes))
        wallish = (shapes.upright > 0.12) & (shapes.upright + shapes.straight > 0.5)
        self.walls_by_panes = (self.carries > 0) & wallish & (shapes.area < 0.3)
        self.walls_by_panes &= ~self._sprawling()
        on_wall = held_well & self.walls_by_panes[carrier]
        tall = shapes.height > 1.15 * shapes.width
        self.name(on_wall & low & tall, Kind.DOOR)
        self.name(on_wall, Kind.WINDOW)

    def _sprawling(self) -> Flags:
        """What spreads over the foreground is ground, whatever stands in it."""
        shapes = self.shapes
        sprawling: Flags = shapes.touches[:, 3] & (shapes.width > 0.5)
        sprawling |= (shapes.width > 0.62) & (shapes.y > self.horizon)
        sprawling &= shapes.top > self.horizon - 0.04
        return sprawling & ~shapes.touches[:, 1]

    def _sky(self) -> None:
        shapes = self.shapes
        top = shapes.touches[:, 1] & self.open & ~self.walls_by_panes
        top &= shapes.y < max(self.horizon, 0.35)
        if not top.any():
            return
        main = np.flatnonzero(top)[np.argmax(shapes.area[top] * (1 - shapes.touches[top, 3] * 0.4))]
        self.name(np.arange(len(shapes)) == main, Kind.SKY)
        angular = (shapes.scallops < 2) & ((shapes.straight > 0.3) | (shapes.area < 0.004))
        # What rests on posts is a canopy, not a gap.
        carried = shapes.above @ self.has(Kind.POST).astype(np.float64) > 0.12
        angular &= ~(carried & (shapes.level > 0.2))
        self.name(
            top
            & (angular & (shapes.straight > 0.5) | (shapes.area < 0.004))
            & (shapes.upright < 0.3),
            Kind.SKY,
        )
        for _ in range(3):
            aloft = shapes.bottom < self.horizon + 0.02
            seen = shapes.faint @ self.has(Kind.SKY).astype(np.float64)
            self.name((seen > 0.12) & aloft & angular, Kind.SKY)
            airy = self.share(Kind.SKY, Kind.POST) > 0.8
            smooth = angular & (self.share(Kind.SKY) > 0.2)
            self.name(airy & smooth & aloft & ~self._boxy(), Kind.SKY)

    def _see_through(self) -> None:
        """What only a thin line (a wire, a stay) parts from air or water is air or water."""
        shapes = self.shapes
        kinds = (Kind.SKY, Kind.CLOUD, Kind.WATER, Kind.HILL, Kind.FOREST)
        for _ in range(3):
            seen = np.stack([shapes.faint @ self.has(kind).astype(np.float64) for kind in kinds])
            enough = (seen.max(axis=0) > np.where(self._boxy(), 0.24, 0.14)) & (shapes.area < 0.05)
            for index, kind in enumerate(kinds):
                self.name(enough & (seen.argmax(axis=0) == index), kind)

    def _boxy(self) -> Flags:
        boxy: Flags = (self.shapes.upright > 0.2) & (self.shapes.straight > 0.5)
        return boxy

    def _crowned(self) -> Flags:
        """Which regions have a trunk under them."""
        shapes = self.shapes
        posts = self.has(Kind.POST)
        under = shapes.above * posts[None, :]
        trunk = under.argmax(axis=1)
        has = under[np.arange(len(shapes)), trunk] > 0.004
        across = (shapes.x[trunk] - shapes.left) / np.maximum(shapes.width, 1e-9)
        low = shapes.top[trunk] > shapes.bottom - 0.35 * shapes.height
        crowned: Flags = has & (across > 0.25) & (across < 0.75) & low
        return crowned

    def _clouds(self) -> None:
        shapes = self.shapes
        rounded = (shapes.scallops >= 2) | ((shapes.straight < 0.55) & (shapes.corners >= 7))
        for _ in range(3):
            free = self.share(Kind.SKY, Kind.CLOUD, Kind.POST)
            aloft = (shapes.y < self.horizon - 0.03) & (shapes.area > 0.0008)
            lying = (shapes.width > 1.15 * shapes.height) | shapes.touches[:, 1]
            lying &= shapes.bottom < self.horizon - 0.02
            high = shapes.y < 0.5 * self.horizon
            cloudy = rounded & aloft & lying & (free > 0.25)
            cloudy &= ~self._crowned() & ~self._boxy()
            # A hill reaches far to both sides and rests on the land, a cloud on air.
            resting = shapes.above @ (self.open & ~cloudy).astype(np.float64)
            far = (shapes.bottom > 0.85 * self.horizon) & (shapes.width > 0.35)
            behind = (shapes.y < self.horizon - 0.1) & (shapes.width < 0.6) & (resting < 0.55)
            sure = high | ((behind | (resting < 0.36)) & (free > 0.4))
            self.name(cloudy & ~far & sure, Kind.CLOUD)
        slivers = (self.share(Kind.SKY, Kind.CLOUD, Kind.POST) > 0.86) & (shapes.area < 0.02)
        slivers &= shapes.bottom < self.horizon
        self.name(slivers & ~self._boxy() & (self.share(Kind.CLOUD) > 0.4), Kind.CLOUD)
        self.name(slivers & ~self._boxy() & ~self.bumpy, Kind.SKY)

    def _trees(self) -> None:
        shapes = self.shapes
        lush = self.bumpy
        crown = self._crowned() & (lush | ((shapes.straight < 0.4) & (shapes.level < 0.2)))
        crown &= (shapes.upright < 0.25) & (shapes.corners >= 6)
        size = (shapes.area < 0.2) & (shapes.width < 0.75)
        self.name(crown & size, Kind.TREE)
        compact = (shapes.solidity > 0.6) & (shapes.width < 2.6 * shapes.height)
        self.name(lush & compact & size & (shapes.width < 0.4), Kind.TREE)
        round_ = (shapes.straight < 0.4) & (shapes.corners >= 7) & (shapes.solidity > 0.8)
        round_ &= (shapes.slimness < 2.6) & (shapes.area < 0.02) & (shapes.area > 0.0002)
        round_ &= (shapes.bottom > self.horizon - 0.12) & (shapes.level < 0.4)
        self.name(round_ & ((shapes.bottom < self.horizon + 0.15) | lush), Kind.TREE)

    def _trunks(self, lush: Flags) -> Flags:
        """Find stout trunks under bumpy crowns; name the trunks, return the crowns."""
        shapes = self.shapes
        stout = (shapes.slimness > 1.7) & (shapes.slant < 24) & (shapes.breadth < 0.1)
        stout &= (shapes.area < 0.025) & self.open & (shapes.scallops < 4)
        under = shapes.above * stout[None, :] * lush[:, None]
        trunk = under.argmax(axis=1)
        met = under[np.arange(len(shapes)), trunk] > 0.01
        wide = shapes.width > 2.6 * shapes.breadth[trunk]
        across = (shapes.x[trunk] - shapes.left) / np.maximum(shapes.width, 1e-9)
        wide &= (np.abs(across - 0.5) < 0.28) & (shapes.width < 1.6 * shapes.height)
        low = shapes.top[trunk] > shapes.y
        crowns: Flags = met & wide & low
        self.name(np.isin(np.arange(len(shapes)), trunk[crowns]), Kind.POST)
        return crowns

    def _buildings(self) -> None:
        shapes = self.shapes
        straight = (shapes.straight > 0.42) & ~self.bumpy & (shapes.area < 0.25)
        over = shapes.above @ self.has(Kind.WALL).astype(np.float64)
        low_upright = shapes.upright < 0.2
        canopy = (shapes.straight > 0.55) & (shapes.solidity > 0.84) & ~self.bumpy
        canopy &= (self.share(Kind.WALL, Kind.ROOF, Kind.POST) > 0.12) & low_upright
        canopy &= (shapes.bottom < self.horizon) & (shapes.area > 0.001) & (shapes.area < 0.1)
        canopy &= (shapes.level > 0.2) & ((shapes.corners <= 10) | (shapes.level > 0.33))
        self.name(canopy, Kind.ROOF)
        for _ in range(2):
            over = shapes.above @ self.has(Kind.WALL, Kind.ROOF).astype(np.float64)
            touching = self.share(Kind.WALL, Kind.ROOF)
            roof = straight & low_upright & (over > 0.12) & (touching > 0.18)
            roof &= (shapes.y < self.horizon + 0.2) & ~shapes.touches[:, 3]
            self.name(roof & (self._below_sky() | (over > 0.25)), Kind.ROOF)
            wall = straight & (shapes.upright > 0.2) & (touching > 0.15) & (shapes.area < 0.2)
            self.name(wall & ~self._far_under() & ~self._sprawling(), Kind.WALL)
        boxy = straight & (shapes.upright > 0.2) & (shapes.solidity > 0.62)
        boxy &= (shapes.top < self.horizon) & (shapes.area > 0.0006) & (shapes.area < 0.2)
        boxy &= (shapes.bottom < self.horizon + 0.3) & ~self._sprawling()
        self.name(boxy & (shapes.width < 0.7), Kind.WALL)

    def _below_sky(self) -> Flags:
        return self.share(Kind.SKY, Kind.CLOUD) > 0.02

    def _far_under(self) -> Flags:
        return self.shapes.top > self.horizon + 0.12

    def _slopes(self) -> None:
        shapes = self.shapes
        for _ in range(4):
            under = self.has(Kind.SKY, Kind.CLOUD, Kind.HILL, Kind.FOREST).astype(np.float64)
            below = under @ shapes.above  # how much of others' outlines rests on this one
            covered = (shapes.beside * under[None, :]).sum(axis=1)
            high = (shapes.top < self.horizon - 0.004) & (shapes.y < self.horizon + 0.09)
            far = high & (shapes.bottom < self.horizon + 0.2) & ~shapes.touches[:, 3]
            slope = far & (below > 0) & (covered > 0.18) & ~self._boxy()
            wooded = (shapes.scallops >= 7) & (shapes.width > 0.15)
            self.name(slope & wooded, Kind.FOREST)
            self.name(slope & (shapes.straight < 0.72), Kind.HILL)
        patches = (self.share(Kind.HILL, Kind.FOREST) > 0.3) & (shapes.bottom < self.horizon + 0.06)
        self.name(patches & (shapes.upright < 0.2) & (shapes.area < 0.02), Kind.HILL)

    def _water(self) -> None:
        if self.place not in WET:
            return
        shapes = self.shapes
        surface = (np.abs(shapes.top - self.horizon) < 0.035) & (shapes.bottom > self.horizon)
        surface &= (shapes.area > 0.0015) & ~self.walls_by_panes & (shapes.y > self.horizon)
        surface &= (shapes.width > 1.4 * shapes.height) | (shapes.area > 0.08)
        if self.place == "port":
            surface &= ~(shapes.touches[:, 2] & ~shapes.touches[:, 0] & (shapes.straight > 0.8))
        surface &= ~((shapes.straight > 0.8) & (shapes.level < 0.3) & (shapes.slant < 75))
        self.name(surface, Kind.WATER)
        self._boats()
        for _ in range(2):
            wet = self.share(Kind.WATER, Kind.POST) > 0.6
            thin = (shapes.slimness > 4) | (shapes.area < 0.0006)
            thin &= (shapes.straight < 0.8) | (shapes.slant > 75)
            self.name(wet & thin & (shapes.y > self.horizon), Kind.WATER)

    def _boats(self) -> None:
        shapes = self.shapes
        water = self.has(Kind.WATER).astype(np.float64)
        afloat = (shapes.above @ water > 0.18) & (shapes.area < 0.06) & (shapes.area > 0.0002)
        afloat &= (shapes.width > 1.6 * shapes.height) & (shapes.solidity > 0.6)
        on_water = self.share(Kind.WATER) > 0.3
        hull = afloat & on_water & (shapes.upright < 0.2) & (shapes.top > self.horizon - 0.03)
        self.name(hull, Kind.HULL)
        strake = (self.share(Kind.HULL) > 0.3) & (shapes.slimness > 2.5) & (shapes.area < 0.02)
        self.name(strake & (shapes.upright < 0.2), Kind.HULL)
        deck = (self.share(Kind.WATER) > 0.3) & (shapes.straight > 0.75) & (shapes.area > 0.004)
        self.name(deck & (shapes.top > self.horizon + 0.05) & (shapes.slimness > 1.5), Kind.EARTH)

    def _land(self) -> None:
        shapes = self.shapes
        low = (shapes.y > self.horizon) & (shapes.top > self.horizon - 0.12)
        wide = shapes.touches[:, 3] | (shapes.area > 0.012) | (shapes.width > 0.3)
        heavy = (shapes.y - shapes.top) / np.maximum(shapes.height, 1e-6) > 0.6
        tapering = shapes.touches[:, 3] & (shapes.top < 0.8)
        tapering &= heavy | ((shapes.slimness > 1.7) & (shapes.width < 0.6))
        if self.place in ("village", "hills", "lake", ""):
            path = tapering & (shapes.area < 0.16) & (shapes.height > 0.2)
            path &= ~shapes.touches[:, 0] & ~shapes.touches[:, 2]
            self.name(low & path, Kind.EARTH)
            self.name(low & wide & (shapes.upright < 0.25), Kind.GRASS)
            self.name(low & self._sprawling(), Kind.GRASS)
        elif self.place == "station":
            paved = low & (shapes.area > 0.004) & (shapes.straight > 0.5)
            paved &= shapes.x < self._tracks_at()
            self.name(paved & (shapes.upright < 0.3), Kind.PAVING)
            between = (
                shapes.touches[:, 3] & ~shapes.touches[:, 2] & (shapes.top < self.horizon + 0.12)
            )
            self.name(low & between & (shapes.straight > 0.4), Kind.EARTH)
            among = self.share(Kind.EARTH, Kind.POST) > 0.5
            self.name(low & among & (shapes.area < 0.03), Kind.EARTH)
            self.name(low & self._between_rails() & (shapes.area < 0.02), Kind.EARTH)
            self.name(low & (shapes.upright < 0.25), Kind.GRASS)
        else:
            self.name(low & ((wide & (shapes.upright < 0.3)) | self._sprawling()), Kind.PAVING)

    def _railway(self) -> None:
        """Find sleepers, the ballast that they lie in, and rails."""
        shapes = self.shapes
        low = (shapes.y > self.horizon) & (shapes.top > self.horizon - 0.08)
        ruled = shapes.straight > 0.6
        sleeper = low & (shapes.slant > 60) & (shapes.slimness > 3) & (shapes.area < 0.01)
        sleeper &= ruled & ~shapes.touches[:, 0]
        rail = low & (shapes.slimness > 9) & ruled & (shapes.slant < 60)
        rail &= shapes.breadth < 0.02
        ballast = low & ((shapes.beside @ sleeper.astype(np.float64)) > 0.12) & ~sleeper
        self.name(sleeper, Kind.POST)
        self.name(ballast, Kind.EARTH)
        self.name(rail, Kind.OTHER)

    def _between_rails(self) -> Flags:
        shapes, ballast = self.shapes, self.has(Kind.EARTH)
        if not ballast.any():
            return ballast
        between: Flags = shapes.x > shapes.left[ballast].min()
        between &= shapes.x < shapes.right[ballast].max()
        return between

    def _tracks_at(self) -> float:
        ballast = self.has(Kind.EARTH)
        if not ballast.any():
            return self.shapes.aspect
        return float(np.average(self.shapes.x[ballast], weights=self.shapes.area[ballast]))

    def _leftovers(self) -> None:
        shapes = self.shapes
        posts = (shapes.slimness > 4) & (shapes.breadth < 0.02)
        self.name(posts & (self.share(Kind.POST) > 0.2), Kind.POST)
        near_wall = self.share(Kind.WALL, Kind.ROOF, Kind.WINDOW) > 0.5
        self.name(near_wall & (shapes.y < self.horizon + 0.25), Kind.WALL)
        rails = (shapes.slimness > 4) & (shapes.breadth < 0.012)
        self.name(rails, Kind.POST)
        airy = self.share(Kind.POST) > 0.08
        backs = (Kind.SKY, Kind.CLOUD, Kind.HILL, Kind.FOREST, Kind.WATER, Kind.GRASS)
        shares = np.stack([self.share(kind) for kind in backs])
        for index, kind in enumerate(backs):
            most = (shares.argmax(axis=0) == index) & (shares[index] > 0.25)
            loose = (shapes.area < 0.02) & ~self._boxy() & (shapes.straight < 0.8)
            self.name(most & airy & loose, kind)
        small = shapes.area < 0.004
        for kind in (Kind.SKY, Kind.WATER, Kind.TREE, Kind.GRASS, Kind.HILL, Kind.PAVING):
            self.name(small & (self.share(kind) > 0.6) & (shapes.straight < 0.75), kind)
        behind = self.share(Kind.SKY, Kind.CLOUD, Kind.HILL, Kind.FOREST) > 0.25
        behind &= (shapes.y < self.horizon) & (shapes.bottom > self.horizon - 0.15)
        self.name(behind & ~self._boxy() & (shapes.straight < 0.85), Kind.HILL)
        high = shapes.y < self.horizon - 0.15
        cloudy = self.share(Kind.CLOUD) > self.share(Kind.SKY)
        airy = high & (self.share(Kind.SKY, Kind.CLOUD) > 0.15)
        self.name(airy & cloudy, Kind.CLOUD)
        self.name(airy, Kind.SKY)
        self.name(high, Kind.WALL)
        soft = shapes.straight < 0.5
        dry = Kind.PAVING if self.place in ("port", "street", "station") else Kind.GRASS
        self.name(soft & (shapes.y > self.horizon), dry)
        self.name(soft & (shapes.scallops >= 2) & (shapes.level < 0.4), Kind.TREE)


def classify(shapes: Shapes, place: str) -> tuple[NDArray[np.int32], float]:
    """Return the kind of each region and the height of the horizon."""
    horizon = find_horizon(shapes, place)
    return Classifier(shapes, place, horizon).run(), horizon


def depths(shapes: Shapes, kinds: NDArray[np.int32]) -> Numbers:
    """
    Return how far away each region is, 0 nearest to 1 farthest.

    What stands lower on the picture stands nearer; the ground reaches from its lower edge; air is
    farthest.
    """
    low = np.where(np.isin(kinds, GROUND), shapes.y, shapes.bottom)
    return np.where(np.isin(kinds, AIR), 1.0, np.clip(1.0 - low, 0.0, 0.99))


def facings(kinds: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return which way each region faces, as far as its kind alone says it."""
    facing = np.full(len(kinds), Facing.NONE, np.int32)
    facing[np.isin(kinds, (*GROUND, Kind.WATER))] = Facing.UP
    facing[kinds == Kind.ROOF] = Facing.ROOF
    facing[kinds == Kind.CEILING] = Facing.DOWN
    upright = (Kind.WALL, Kind.ROOM_WALL, Kind.WINDOW, Kind.DOOR, Kind.WOOD, Kind.FURNITURE)
    facing[np.isin(kinds, upright)] = Facing.FRONT
    return facing
