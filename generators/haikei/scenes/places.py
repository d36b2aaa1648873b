"""Compose whole layouts: what stands where in a port, a station, a village, on hills …"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from haikei.scenes.buildings import House, house
from haikei.scenes.nature import (
    broadleaf,
    bush,
    cloud,
    conifer,
    grass,
    gull,
    hill,
    ridge,
    wooded_hill,
)
from haikei.scenes.sheet import Camera, LayoutDrawing, Line2, Point, Scene, SceneKind, Sheet
from haikei.scenes.transport import (
    bench,
    boat,
    bollard,
    canopy,
    catenary,
    crate,
    fence,
    ground_strip,
    kerb,
    lamp,
    lighthouse,
    name_board,
    platform,
    poles,
    ripples,
    track,
    upright,
)

Composer = Callable[[Sheet], None]


def draw(scene: Scene) -> LayoutDrawing:
    """Draw a layout as an animator would hand it over: clean line, hidden lines removed."""
    random = np.random.default_rng([scene.seed, list(SceneKind).index(scene.kind)])
    sheet = Sheet(scene.width, scene.height, random)
    COMPOSERS[scene.kind](sheet)
    return LayoutDrawing(scene=scene, layers=sheet.layers())


def _sky(sheet: Sheet, horizon: float, count: int) -> None:
    """Put cumulus into the sky, smaller towards the horizon."""
    random = sheet.random
    places = (np.arange(count) + random.uniform(0.1, 0.9, count)) / count * sheet.aspect
    for index in random.permutation(count):
        base = horizon * random.uniform(0.32, 0.8)
        size = (0.6 + 0.7 * (1 - base / horizon)) * random.uniform(0.8, 1.25)
        cloud(sheet, float(places[index]), base, 0.5 * size, 0.2 * size)


def _far_hills(sheet: Sheet, horizon: float, *, rise: float, layers: int = 2) -> None:
    random = sheet.random
    for layer in range(layers):
        near = layer / max(1, layers - 1) if layers > 1 else 1.0
        line = ridge(
            sheet,
            level=horizon - 0.012 + 0.012 * near,
            rise=rise * (1 - 0.45 * near) * random.uniform(0.85, 1.15),
            rough=0.35,
            waves=0.8 + near,
        )
        hill(sheet, line, horizon + 0.03, 0.6 + 0.15 * near)


def _ground(sheet: Sheet, horizon: float, weight: float = 0.75) -> None:
    line = np.array([[-0.1, horizon], [sheet.aspect + 0.1, horizon]])
    hill(sheet, line, 1.2, weight)


def _trees(
    sheet: Sheet,
    camera: Camera,
    spots: list[tuple[float, float]],
    *,
    conifers: float,
    low: float = 4.0,
    high: float = 8.0,
) -> None:
    random = sheet.random
    for x, z in sorted(spots, key=lambda spot: -spot[1]):
        foot = camera.project([(x, 0, z)])[0]
        height = camera.scale(z) * random.uniform(low, high)
        weight = float(np.clip(0.5 + camera.scale(z) * 8, 0.6, 1.1))
        if random.random() < conifers:
            conifer(sheet, foot[0], foot[1], height * 1.15, weight)
        else:
            broadleaf(sheet, foot[0], foot[1], height, weight)


def _tufts(sheet: Sheet, left: float, right: float, top: float, count: int) -> None:
    random = sheet.random
    for _ in range(count):
        y = top + (1 - top) * random.uniform(0.15, 1.0)
        grass(sheet, random.uniform(left, right), y, 0.012 + 0.035 * (y - top) / (1 - top))


def port(sheet: Sheet) -> None:
    """Draw a port town: houses and a hill along the quay, boats at their moorings."""
    random = sheet.random
    camera = Camera(
        aspect=sheet.aspect,
        eye=3.4,
        horizon=random.uniform(0.46, 0.5),
        centre=sheet.aspect * random.uniform(0.4, 0.46),
        focal=1.05,
    )
    horizon = camera.horizon
    _sky(sheet, horizon, int(random.integers(3, 5)))
    _far_hills(sheet, horizon, rise=0.1, layers=1)
    _ground(sheet, horizon)
    lighthouse(sheet, camera, -52.0 + random.uniform(-8, 8), 120.0, 13.0)
    slope = np.linspace(camera.centre + 0.02, sheet.aspect + 0.1, 80)
    part = (slope - slope[0]) / (slope[-1] - slope[0])
    line: Line2 = np.stack(
        [slope, horizon - 0.3 * part**0.75 * (1 + 0.08 * np.sin(part * 9))], axis=1
    )
    wooded_hill(sheet, line, horizon + 0.02, 0.016, 0.75)
    ripples(sheet, camera, -9, 1.2, 4.5, 80, 70)
    edge, far = 2.0, 95.0
    quay: list[Point] = [(edge, 0, 0.6), (edge, 0, far), (edge, 1.1, far), (edge, 1.1, 0.6)]
    sheet.shape(camera.face(quay), 1.0)
    ground_strip(sheet, camera, edge, 70, 0.6, far, up=1.1, weight=1.0)
    ground_strip(sheet, camera, edge, edge + 0.45, 0.6, far, up=1.1, weight=0.7)
    _quay_houses(sheet, camera, edge)
    for z in (34.0, 21.0):
        lamp(sheet, camera, (edge + 1.5, 1.1, z), 5.2, -1.1)
    for x, z, length in ((-16, 52, 8.5), (-3.4, 33, 7.5), (-9.5, 20, 8.0), (-1.9, 13.5, 5.2)):
        boat(
            sheet,
            camera,
            x + random.uniform(-0.8, 0.8),
            z,
            length * random.uniform(0.9, 1.1),
            bow=int(random.choice((-1, 1))),
        )
    for z in (18.0, 11.5, 7.2):
        bollard(sheet, camera, edge + 0.75, 1.1, z)
    sheet.layer = "book"
    for x, z, size in ((5.2, 8.8, 0.95), (6.0, 7.6, 0.85), (4.9, 7.2, 0.8)):
        crate(sheet, camera, x, 1.1, z, size)
    sheet.layer = "line"
    for _ in range(4):
        gull(
            sheet,
            random.uniform(0.15, 0.7),
            random.uniform(0.12, 0.34),
            random.uniform(0.018, 0.03),
        )


def _quay_houses(sheet: Sheet, camera: Camera, edge: float) -> None:
    random = sheet.random
    rows: list[House] = []
    for row, gap in ((13.5, 2.0), (5.2, 0.6)):
        z = 12.5 if row < 10 else 20.0
        while z < 74:
            width, depth = random.uniform(6.0, 8.0), random.uniform(6.0, 9.0)
            storeys = int(random.integers(1, 3))
            rows.append(
                House(
                    x=edge + row + width / 2 + random.uniform(-0.4, 0.8),
                    z=z,
                    width=width,
                    depth=depth,
                    height=2.8 * storeys + (row > 10) * 1.8,
                    roof=random.uniform(1.7, 2.5),
                    gable_front=bool(random.random() < 0.6),
                    base=1.1,
                    storeys=storeys,
                    chimney=bool(random.random() < 0.4),
                )
            )
            z += depth + gap + random.uniform(0.3, 2.5)
    for plan in sorted(rows, key=lambda plan: (-plan.z, -plan.x)):
        house(sheet, camera, plan)


def station(sheet: Sheet) -> None:
    """Draw a small country station: one platform, two tracks, hills behind."""
    random = sheet.random
    camera = Camera(
        aspect=sheet.aspect,
        eye=2.7,
        horizon=random.uniform(0.5, 0.54),
        centre=sheet.aspect * random.uniform(0.5, 0.56),
        focal=1.0,
    )
    horizon = camera.horizon
    _sky(sheet, horizon, int(random.integers(3, 5)))
    _far_hills(sheet, horizon, rise=random.uniform(0.2, 0.26), layers=2)
    _ground(sheet, horizon)
    line = ridge(sheet, level=horizon + 0.005, rise=0.035, rough=0.2, waves=2.0)
    wooded_hill(sheet, line, horizon + 0.012, 0.012, 0.65)
    for x, z in ((14.0, 74.0), (24.0, 62.0), (17.5, 48.0)):
        house(
            sheet,
            camera,
            House(
                x=x + random.uniform(-2, 2),
                z=z,
                width=random.uniform(7, 9),
                depth=7.0,
                height=3.4,
                roof=2.4,
                gable_front=bool(random.random() < 0.5),
            ),
        )
    spots = [(float(random.uniform(10.5, 26)), float(random.uniform(20, 60))) for _ in range(7)]
    _trees(sheet, camera, spots, conifers=0.3)
    fence(sheet, camera, (8.3, 0, 60), (8.3, 0, 5.0), posts=24, height=1.1)
    near, far = 2.0, 70.0
    track(sheet, camera, 5.1, 130)
    track(sheet, camera, 1.35, 130)
    catenary(sheet, camera, [9.0, 24.0, 42.0, 64.0, 92.0], 7.5, -2.6)
    platform(sheet, camera, -0.6, 6.6, near, far, 1.05)
    house(
        sheet,
        camera,
        House(
            x=-8.6,
            z=14.0,
            width=4.4,
            depth=20.0,
            height=3.6,
            roof=1.9,
            gable_front=True,
            base=1.05,
            door=True,
        ),
    )
    canopy(sheet, camera, left=-6.5, right=-1.9, near=13.0, far=33.0, base=1.05, height=3.5)
    bench(sheet, camera, -5.4, 1.05, 9.6, 2.2)
    name_board(sheet, camera, -4.6, 1.05, 8.2)
    for z in (52.0, 40.0):
        lamp(sheet, camera, (-3.0, 1.05, z), 4.2, 0.8)
    for x, z in ((9.6, 9.5), (10.8, 7.4), (9.4, 6.2)):
        foot = camera.project([(x, 0, z)])[0]
        bush(sheet, foot[0], foot[1], camera.scale(z) * 2.0)


def village(sheet: Sheet) -> None:
    """Draw a village: a lane between fields and old houses, wires overhead."""
    random = sheet.random
    camera = Camera(
        aspect=sheet.aspect,
        eye=3.0,
        horizon=random.uniform(0.47, 0.51),
        centre=sheet.aspect * random.uniform(0.47, 0.55),
        focal=1.05,
    )
    horizon = camera.horizon
    _sky(sheet, horizon, int(random.integers(3, 5)))
    _far_hills(sheet, horizon, rise=random.uniform(0.24, 0.3), layers=2)
    line = ridge(sheet, level=horizon + 0.002, rise=0.06, rough=0.2, waves=1.6)
    wooded_hill(sheet, line, horizon + 0.02, 0.014, 0.65)
    _ground(sheet, horizon)
    z = np.geomspace(0.6, 130, 60)
    bend = random.choice((-1.0, 1.0))
    middle = bend * 4.5 * np.sin(z / 48)
    for x0, x1, z0, z1 in ((-30, -6, 27, 44), (-24, -5, 15, 24), (9, 32, 34, 56)):
        field: list[Point] = [(x0, 0, z0), (x1, 0, z0), (x1 - 1, 0, z1), (x0 - 3, 0, z1)]
        sheet.shape(camera.face(field), 0.7)
    lane = np.concatenate(
        [
            camera.project(np.stack([middle - 1.5, np.zeros_like(z), z], axis=1)),
            camera.project(np.stack([middle + 1.5, np.zeros_like(z), z], axis=1))[::-1],
        ]
    )
    sheet.shape(lane, 0.85)
    things: list[tuple[float, Callable[[], None]]] = []
    for x, at, gable in (
        (-16.0, 62.0, True),
        (12.0, 70.0, False),
        (-11.0, 46.0, False),
        (9.5, 27.0, False),
        (-10.5, 25.5, True),
        (16.5, 16.5, True),
    ):
        plan = House(
            x=x + random.uniform(-0.8, 0.8),
            z=at + random.uniform(-1, 1),
            width=random.uniform(7.0, 9.0),
            depth=random.uniform(6.0, 8.0),
            height=random.uniform(2.9, 3.6),
            roof=random.uniform(2.4, 3.2),
            gable_front=gable,
            chimney=bool(random.random() < 0.3),
        )
        things.append((plan.z, partial(house, sheet, camera, plan)))
    for x, at in (
        (-20, 40),
        (-18, 56),
        (18, 44),
        (22, 60),
        (5.6, 38),
        (-5.5, 60),
        (17, 31),
        (-17.5, 18.5),
    ):
        spot = (x + float(random.uniform(-1, 1)), float(at))
        things.append(
            (spot[1], partial(_trees, sheet, camera, [spot], conifers=0.25, low=5, high=8))
        )
    for _, show in sorted(things, key=lambda thing: -thing[0]):
        show()
    poles(
        sheet,
        camera,
        [(4.4 + float(np.sin(at / 48) * bend * 4.5), 0, at) for at in (10.5, 25, 42, 62, 86)],
        7.6,
    )
    fence(sheet, camera, (-3.6, 0, 20), (-2.6, 0, 3.6), posts=10, height=1.0)
    for x, at in ((3.6, 8.4), (4.6, 6.6), (-4.3, 12.0)):
        foot = camera.project([(x, 0, at)])[0]
        bush(sheet, foot[0], foot[1], camera.scale(at) * 1.7)
    _tufts(sheet, 0.0, sheet.aspect, horizon + 0.2, 46)


def hills(sheet: Sheet) -> None:
    """Draw open hills: ranges into the distance, a path up to a lone tree."""
    random = sheet.random
    horizon = random.uniform(0.52, 0.56)
    _sky(sheet, horizon * 1.05, int(random.integers(3, 5)))
    for level, rise, waves, weight in ((0.55, 0.26, 0.9, 0.55), (0.58, 0.17, 1.3, 0.62)):
        hill(sheet, ridge(sheet, level=level, rise=rise, rough=0.4, waves=waves), 0.75, weight)
    wooded_hill(sheet, ridge(sheet, level=0.64, rise=0.12, rough=0.2, waves=1.0), 0.8, 0.013, 0.66)
    valley = ridge(sheet, level=0.68, rise=0.05, rough=0.0, waves=0.7)
    hill(sheet, valley, 0.9, 0.75)
    camera = Camera(
        aspect=sheet.aspect, eye=14.0, horizon=horizon, centre=sheet.aspect * 0.5, focal=1.0
    )
    for x, z in ((-30.0, 92.0), (-20.0, 86.0), (24.0, 90.0), (-24.0, 78.0)):
        house(
            sheet,
            camera,
            House(
                x=x + random.uniform(-3, 3),
                z=z,
                width=8,
                depth=7,
                height=3.4,
                roof=2.8,
                gable_front=bool(random.random() < 0.5),
            ),
        )
    spots = [(float(random.uniform(-55, 55)), float(random.uniform(72, 100))) for _ in range(12)]
    _trees(sheet, camera, spots, conifers=0.35, low=5, high=8)
    turn = random.choice((-1.0, 1.0))
    across = np.linspace(-0.05, sheet.aspect + 0.05, 160)
    crest = sheet.aspect * (0.5 + 0.2 * turn)
    near: Line2 = np.stack(
        [
            across,
            0.9
            - 0.2 * np.exp(-(((across - crest) / (0.42 * sheet.aspect)) ** 2))
            + 0.012 * np.sin(across * 7),
        ],
        axis=1,
    )
    hill(sheet, near, 1.2, 0.95)
    part = np.linspace(0, 1, 40)
    top = float(np.interp(crest - 0.05 * turn, near[:, 0], near[:, 1]))
    way = np.stack(
        [
            crest - turn * (0.42 - 0.37 * part) + 0.09 * np.sin(part * 5.5) * (1 - part),
            1.05 + (top - 1.05) * part,
        ],
        axis=1,
    )
    half = 0.075 * (1 - part) ** 1.3 + 0.006
    path = np.concatenate(
        [way - np.stack([half, 0 * half], axis=1), (way + np.stack([half, 0 * half], axis=1))[::-1]]
    )
    sheet.shape(path, 0.8)
    foot = float(np.interp(crest + 0.08 * turn, near[:, 0], near[:, 1]))
    sheet.layer = "book"
    broadleaf(sheet, crest + 0.08 * turn, foot + 0.012, random.uniform(0.4, 0.46), 1.1)
    sheet.layer = "line"
    low = Camera(aspect=sheet.aspect, eye=1.7, horizon=0.66, centre=crest - 0.2 * turn, focal=1.0)
    fence(sheet, low, (turn * -7.0, -0.2, 11.0), (turn * -1.6, -0.1, 5.2), posts=9, height=1.0)
    _tufts(sheet, 0.0, sheet.aspect, 0.84, 40)


def street(sheet: Sheet) -> None:
    """Draw a shopping street of a small town."""
    random = sheet.random
    camera = Camera(
        aspect=sheet.aspect,
        eye=2.2,
        horizon=random.uniform(0.52, 0.56),
        centre=sheet.aspect * random.uniform(0.46, 0.54),
        focal=0.95,
    )
    horizon = camera.horizon
    _sky(sheet, horizon, 3)
    _far_hills(sheet, horizon, rise=0.16, layers=2)
    _ground(sheet, horizon)
    ground_strip(sheet, camera, -3.2, 3.2, 0.6, 160, weight=0.9)
    for side in (-1, 1):
        kerb(sheet, camera, [(side * 3.2, 0, 0.6), (side * 3.2, 0, 90.0)], 0.16, 0.7)
        ground_strip(sheet, camera, side * 3.2, side * 5.2, 0.6, 90, up=0.16, weight=0.8)
    rows: list[House] = []
    for side in (-1, 1):
        z = 7.5 + 2.5 * (side > 0)
        while z < 80:
            depth, width = random.uniform(6, 9), random.uniform(7, 9)
            storeys = int(random.integers(1, 3))
            rows.append(
                House(
                    x=side * (5.3 + width / 2),
                    z=z,
                    width=width,
                    depth=depth,
                    height=3.1 * storeys + 0.2,
                    roof=random.uniform(1.6, 2.4),
                    gable_front=bool(random.random() < 0.55),
                    base=0.1,
                    storeys=storeys,
                )
            )
            z += depth + random.uniform(0.6, 2.0)
    for plan in sorted(rows, key=lambda plan: (-plan.z, -abs(plan.x))):
        house(sheet, camera, plan)
    poles(sheet, camera, [(-3.9, 0.16, z) for z in (8.5, 22.0, 38.0, 58.0)], 7.4)
    for z in (46.0, 30.0, 15.0):
        lamp(sheet, camera, (3.8, 0.16, z), 4.6, -0.9)
    mark = np.arange(6.0, 60.0, 6.0)
    for z in mark[::-1]:
        ground_strip(sheet, camera, -0.08, 0.08, z, z + 2.6, weight=0.5)


def lake(sheet: Sheet) -> None:
    """Draw a mountain lake: a far shore with woods, a jetty, a rowing boat."""
    random = sheet.random
    camera = Camera(
        aspect=sheet.aspect,
        eye=3.6,
        horizon=random.uniform(0.44, 0.48),
        centre=sheet.aspect * 0.5,
        focal=1.05,
    )
    horizon = camera.horizon
    _sky(sheet, horizon, int(random.integers(3, 5)))
    _far_hills(sheet, horizon, rise=random.uniform(0.24, 0.3), layers=2)
    shore = ridge(sheet, level=horizon - 0.002, rise=0.085, rough=0.2, waves=1.2)
    wooded_hill(sheet, shore, horizon + 0.012, 0.014, 0.7)
    line = np.array([[-0.1, horizon + 0.012], [sheet.aspect + 0.1, horizon + 0.012]])
    hill(sheet, line, 1.2, 0.8)
    ripples(sheet, camera, -12, 12, 5.0, 90, 80)
    x = np.linspace(-60, 60, 90)
    z = 6.0 + 1.6 * np.sin(x * 0.5 + random.uniform(0, 6)) + 0.055 * np.abs(x) ** 1.7
    bank = camera.project(np.stack([x, np.zeros_like(x), z], axis=1))
    hill(sheet, bank, 1.2, 0.95)
    jetty = 2.6 * random.choice((-1.0, 1.0))
    for at in (15.0, 12.0, 9.0):
        for side in (-0.8, 0.8):
            upright(sheet, camera, (jetty + side, -0.3, at), 1.0, 0.18, 0.9)
    deck: list[Point] = [
        (jetty - 0.9, 0.5, 5.2),
        (jetty + 0.9, 0.5, 5.2),
        (jetty + 0.9, 0.5, 15.5),
        (jetty - 0.9, 0.5, 15.5),
    ]
    sheet.shape(camera.face(deck), 1.0)
    front: list[Point] = [
        (jetty - 0.9, 0.3, 5.2),
        (jetty + 0.9, 0.3, 5.2),
        (jetty + 0.9, 0.5, 5.2),
        (jetty - 0.9, 0.5, 5.2),
    ]
    sheet.shape(camera.face(front), 0.9)
    boat(sheet, camera, -jetty * 1.9, 19.0, 5.0, bow=int(np.sign(jetty)))
    spots = [
        (float(side * random.uniform(13, 22)), float(random.uniform(11, 17)))
        for side in (-1, 1)
        for _ in range(3)
    ]
    _trees(sheet, camera, spots, conifers=0.7, low=6, high=9)
    sheet.layer = "book"
    side = -np.sign(jetty)
    broadleaf(sheet, sheet.aspect * (0.5 + 0.42 * side), 0.97, 0.78, 1.15)
    sheet.layer = "line"
    _tufts(sheet, 0.0, sheet.aspect, 0.9, 26)


COMPOSERS: Mapping[SceneKind, Composer] = {
    SceneKind.PORT: port,
    SceneKind.STATION: station,
    SceneKind.VILLAGE: village,
    SceneKind.HILLS: hills,
    SceneKind.STREET: street,
    SceneKind.LAKE: lake,
}
