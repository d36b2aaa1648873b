"""
Paint 24 notes before and after, and say how far each changed what it meant and what it did not.

    python benchmarks/retakes.py --sheet docs/images/retakes.jpg
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from haikei.jobs.job import Instructions
from haikei.note_language.parser import read_notes
from haikei.painting import Adjusting, RegionChanges, light_of, paint_full, paint_wash, read_layout
from haikei.painting.region_masks import Places
from haikei.presets import Act
from haikei.scenes import Scene, SceneKind, draw

Colours = NDArray[np.float32]
WIDTH, HEIGHT = 960, 540
TILE = (332, 187)
COLUMNS = 3
#: Scene, its seed, season, and the note.
NOTES = (
    ("port", 3, "The roof should be red"),
    ("port", 3, "屋根を濃い青に"),
    ("port", 3, "no clouds"),
    ("port", 3, "bluer sky"),
    ("port", 3, "make the water turquoise"),
    ("port", 3, "夕方にして、窓を暖かく"),
    ("village", 3, "remove the power lines"),
    ("village", 3, "電柱と電線を消して"),
    ("village", 3, "the house on the left should be pink"),
    ("village", 3, "dark in front, light behind"),
    ("village", 3, "草をもう少し暗く、空をピンクっぽく"),
    ("village", 3, "make it night"),
    ("street", 5, "paint the walls a pale yellow"),
    ("street", 5, "左側を暗く"),
    ("street", 5, "darker, but don't touch the sky"),
    ("street", 5, "道をかなり暗く"),
    ("hills", 2, "no clouds, warmer grass"),
    ("hills", 2, "奥の山をもっと霞ませて"),
    ("hills", 2, "greener trees"),
    ("hills", 2, "雲を半分に、全体を少し暖かく"),
    ("lake", 4, "darken the water by 40 %"),
    ("lake", 4, "空以外を暗く"),
    ("station", 3, "屋根を緑に、電線を消して"),
    ("station", 3, "make it winter and the roof red"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One note's two pictures."""

    note: str
    before: Colours
    after: Colours
    meant: float  #: mean ΔE76 where the note meant something
    rest: float  #: and of the rest; NaN where it meant the whole picture


def compare(kind: str, seed: int, note: str) -> Compared:
    """Paint a scene as it is and as a note asks."""
    scene = Scene(kind=SceneKind(kind), seed=seed, width=WIDTH, height=HEIGHT)
    layout = draw(scene).picture().pixels
    found = read_notes([note])
    before, _ = paint(layout, kind, Instructions())
    after, meant = paint(layout, kind, found)
    off = np.linalg.norm(lab(before) - lab(after), axis=2)
    return Compared(
        note=note,
        before=before,
        after=after,
        meant=float(off[meant].mean()),
        rest=float(off[~meant].mean()) if (~meant).any() else math.nan,
    )


def paint(layout: Colours, place: str, found: Instructions) -> tuple[Colours, NDArray[np.bool_]]:
    """Return a picture, and where its instructions mean something."""
    reading = read_layout(layout, place, lambda: None)
    season, time = found.season or "summer", found.time or "day"
    changes = RegionChanges(reading, found.changes, light_of(time))
    adjusting = Adjusting(**{turn.quality.value: turn.amount / 100 for turn in found.turns})
    base = paint_wash(
        reading, season=season, time=time, seed=7, pause=lambda: None, adjusting=adjusting
    )
    picture = paint_full(
        reading, base, season=season, time=time, seed=7, pause=lambda: None, changes=changes
    )
    whole = bool(found.season or found.time or found.turns)
    meant = np.full(reading.size, whole)
    places = Places(reading)
    for change in found.changes:
        mask = (places.mask(change) > 0.01).astype(np.uint8)
        # What is taken out leaves its outline and its shadow too.
        reach = HEIGHT // 14 if change.act is Act.REMOVE else HEIGHT // 120
        meant |= cv2.dilate(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
        if change.act is Act.REMOVE and change.subject.value == "clouds":
            meant |= reading.spread((reading.kinds == 0).astype(np.float64)) > 0
    return picture, meant


def lab(picture: Colours) -> Colours:
    """Return a picture in CIE L*a*b*."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2Lab), np.float32)


def sheet_of(pairs: list[Compared]) -> NDArray[np.uint8]:
    """Return all pairs on one sheet, numbered, BGR."""
    tiles: list[NDArray[np.uint8]] = []
    for number, pair in enumerate(pairs, 1):
        views = [
            cv2.resize((np.clip(one, 0, 1) * 255).astype(np.uint8), TILE, interpolation=3)
            for one in (pair.before, pair.after)
        ]
        tile = np.full((TILE[1] + 26, 2 * TILE[0] + 14, 3), 255, np.uint8)
        tile[22 : 22 + TILE[1], 2 : 2 + TILE[0]] = views[0]
        tile[22 : 22 + TILE[1], 6 + TILE[0] : 6 + 2 * TILE[0]] = views[1]
        cv2.putText(tile, str(number), (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (40, 40, 40), 1, 16)
        tiles.append(tile)
    rows = [np.hstack(tiles[at : at + COLUMNS]) for at in range(0, len(tiles), COLUMNS)]
    return np.ascontiguousarray(np.vstack(rows)[..., ::-1])


def main() -> None:
    """Paint, measure and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", type=Path, default=Path("retakes.jpg"))
    arguments = parser.parse_args()
    pairs: list[Compared] = []
    for number, (kind, seed, note) in enumerate(NOTES, 1):
        pairs.append(compare(kind, seed, note))
        print(
            f"{number:2} {kind:8} meant {pairs[-1].meant:5.1f}  rest {pairs[-1].rest:5.2f}  {note}"
        )
    arguments.sheet.parent.mkdir(parents=True, exist_ok=True)
    _, data = cv2.imencode(".jpg", sheet_of(pairs), [cv2.IMWRITE_JPEG_QUALITY, 80])
    arguments.sheet.write_bytes(data.tobytes())


if __name__ == "__main__":
    main()
