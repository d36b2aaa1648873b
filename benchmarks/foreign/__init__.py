"""
Layouts drawn by other code: a stranger's hand for readers and painters to be tried on.

    from foreign import drawings

Each of 60 drawings has a true map of what each pixel is. None of it is for training.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from foreign import outdoors, rooms, towns
from foreign.board import HANDS, Board, Hand
from foreign.sheets import Frame, lay_on_sheet
from haikei.images import Picture

Pixels = NDArray[np.float32]

PLACES: Mapping[str, Callable[[Board], None]] = {
    "port": outdoors.port,
    "station": towns.station,
    "village": outdoors.village,
    "shopping street": towns.shopping_street,
    "shrine steps": towns.shrine_steps,
    "classroom": rooms.classroom,
    "japanese room": rooms.japanese_room,
    "kitchen": rooms.kitchen,
    "corridor": rooms.corridor,
    "cafe": rooms.cafe,
    "bedroom": rooms.bedroom,
    "city from above": towns.city_above,
    "forest path": outdoors.forest_path,
    "bridge": outdoors.bridge,
    "beach": outdoors.beach,
    "snow field": outdoors.snow_field,
    "castle": outdoors.castle,
    "alley": towns.alley,
    "factory": towns.factory,
    "ruin": outdoors.ruin,
}
INTERIORS = frozenset({"classroom", "japanese room", "kitchen", "corridor", "cafe", "bedroom"})
#: 12 places that a sheet of 24 pictures shows, in two hands each.
SHOWN = (
    "port", "station", "village", "shopping street", "shrine steps", "classroom", "japanese room",
    "kitchen", "city from above", "forest path", "snow field", "castle",
)  # fmt: skip
TIMES_DRAWN = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ForeignDrawing:
    """A layout, and what each of its pixels truly is."""

    name: str
    hand: str
    place: str
    pixels: Pixels  #: (height, width, 3), sRGB, 0 to 1
    kinds: NDArray[np.int32]  #: (height, width), `Kind`; unknown outside a sheet's frame
    interior: bool
    frame: Frame | None  #: on a layout sheet: where the drawing stands on it

    def picture(self) -> Picture:
        """Return it as every image file is read."""
        return Picture(pixels=self.pixels)


def drawings(*, width: int = 1280, height: int = 720) -> Iterator[ForeignDrawing]:
    """Draw every place three times; every fourth drawing stands on a layout sheet."""
    for index, place in enumerate(PLACES):
        for turn in range(TIMES_DRAWN):
            number = index * TIMES_DRAWN + turn
            hand = HANDS[(index * 3 + turn * 4) % len(HANDS)]
            on_sheet = number % 4 == 3
            yield draw(place, hand, turn, width=width, height=height, on_sheet=on_sheet)


def shown(*, width: int = 1280, height: int = 720) -> Iterator[ForeignDrawing]:
    """Draw the 24 of the contact sheet: 12 places, twice each."""
    for index, place in enumerate(SHOWN):
        for turn in range(2):
            hand = HANDS[(index * 2 + turn * 5) % len(HANDS)]
            yield draw(
                place,
                hand,
                turn,
                width=width,
                height=height,
                on_sheet=index * 2 + turn in (5, 12, 23),
            )


def draw(
    place: str,
    hand: Hand,
    turn: int,
    *,
    width: int = 1280,
    height: int = 720,
    on_sheet: bool = False,
) -> ForeignDrawing:
    """Draw one place in one hand; `turn` draws it anew from another spot."""
    random = np.random.default_rng([turn, zlib.crc32(place.encode())])
    board = Board(width=width, height=height, hand=hand, random=random)
    PLACES[place](board)
    pixels, kinds = developed(board)
    frame = None
    if on_sheet:
        pixels, kinds, frame = lay_on_sheet(pixels, kinds, random, paper=hand.paper)
    return ForeignDrawing(
        name=f"{place.replace(' ', '-')}-{turn + 1}-{hand.name}{'-sheet' if on_sheet else ''}",
        hand=hand.name,
        place=place,
        pixels=pixels,
        kinds=kinds,
        interior=place in INTERIORS,
        frame=frame,
    )


def developed(board: Board) -> tuple[Pixels, NDArray[np.int32]]:
    """Reduce a board to the asked size, in its hand's ink on its hand's paper."""
    size = (board.width, board.height)
    ink = cv2.resize(board.ink, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    hand = board.hand
    if hand.grain:
        tooth = cv2.GaussianBlur(
            board.random.standard_normal(ink.shape).astype(np.float32), (0, 0), 0.8
        )
        ink *= np.clip(1 - hand.grain * np.float32(0.5) * np.abs(tooth * 2), 0.25, 1)
    paper = np.array(hand.paper, np.float32)
    pixels = paper + (np.array(hand.ink, np.float32) - paper) * ink[..., None]
    if hand.name == "scan":
        fall = np.linspace(0.9, 1.02, board.width, dtype=np.float32)[None, :, None]
        pixels *= fall
        pixels += board.random.normal(0, 0.012, pixels.shape).astype(np.float32)
    kinds = cv2.resize(board.kinds.astype(np.int16), size, interpolation=cv2.INTER_NEAREST).astype(
        np.int32
    )
    return np.clip(pixels, 0, 1).astype(np.float32), kinds


__all__ = [
    "HANDS", "INTERIORS", "PLACES", "SHOWN", "ForeignDrawing", "Frame", "draw", "drawings",
    "shown",
]  # fmt: skip
