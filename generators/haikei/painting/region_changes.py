"""
Change parts of a painting as a retake asks: a red roof, warmer windows, no power lines.

Changes are made on the finished paint before the line is laid over it, so that what nobody named
stays as it was, to the pixel.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from haikei.painting.region_masks import Places
from haikei.painting.removing import Removal, fill, removal
from haikei.painting.strokes import LIGHTS, Colours, Light, rgb
from haikei.presets import COLOURS, SHADES, Act, Quality, RegionChange, Subject
from haikei.reading import AIR, Plane, Reading


def light_of(time: str) -> Light:
    """Return what a time of day does to colours."""
    return LIGHTS[time]


#: Less than this part of the picture is not seen.
SEEN_PPM = 5


class RegionChanges:
    """The changes of one picture: applied to paint, and to the line that goes over it."""

    def __init__(self, reading: Reading, changes: Sequence[RegionChange], light: Light) -> None:
        self._reading = reading
        self._changes = tuple(changes)
        self._light = light
        self._places = Places(reading) if self._changes else None
        self._removals: list[Removal | None] = []
        self.line = reading.line
        self.changed_ppm: tuple[int, ...] = ()
        if self._places is not None:
            self._prepare(self._places)

    def _prepare(self, places: Places) -> None:
        line = self._reading.line
        for change in self._changes:
            found = removal(self._reading, places, change) if change.act is Act.REMOVE else None
            self._removals.append(found)
            if found is not None:
                line = np.asarray(line * (1 - found.ink), np.float32)
        self.line = line

    def apply(self, picture: Colours) -> Colours:
        """Return paint of the layout's own size with every change made, in order."""
        if self._places is None:
            return picture
        picture = picture.copy()
        shares: list[float] = []
        for change, found in zip(self._changes, self._removals, strict=True):
            if change.act is Act.REMOVE:
                shares.append(0.0 if found is None else found.area)
                if found is not None:
                    fill(picture, found, self._open_sky(change))
                continue
            weights = self._places.mask(change)
            shares.append(float(weights.mean()))
            _change(picture, weights, change, self._light)
        self.changed_ppm = tuple(
            max(SEEN_PPM, round(share * 1e6)) if share > 0 else 0 for share in shares
        )
        return picture

    def _open_sky(self, change: RegionChange) -> Plane | None:
        """Return the sky, out of which veils go together with the clouds."""
        limited = change.parts or change.within
        if change.subject is not Subject.CLOUDS or limited:
            return None
        aloft = self._reading.mask(*AIR).astype(np.uint8)
        height, width = self._reading.size
        whole = cv2.resize(aloft, (width, height), interpolation=cv2.INTER_NEAREST)
        edge = cv2.GaussianBlur(whole.astype(np.float32), (0, 0), max(0.7, height / 500))
        return np.asarray(np.clip(edge * 2 - 1, 0, 1), np.float32)


def _change(picture: Colours, weights: Plane, change: RegionChange, light: Light) -> None:
    rows, columns = np.flatnonzero(weights.any(axis=1)), np.flatnonzero(weights.any(axis=0))
    if not len(rows):
        return
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    part, weight = picture[box], weights[box]
    lab = np.asarray(cv2.cvtColor(np.clip(part, 0, 1), cv2.COLOR_RGB2Lab), np.float32)
    amount = change.amount / 100
    match change.act:
        case Act.COLOUR:
            _colour(lab, weight, _target(change, light), amount)
        case Act.TINT:
            _tint(lab, _target(change, light), amount)
        case Act.TURN:
            _turn(lab, weight, Quality(change.quality), amount, light)
        case Act.REMOVE:
            return
    lab[..., 0] = np.clip(lab[..., 0], 0, 100)
    made = np.clip(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), 0, 1)
    part += (np.asarray(made, np.float32) - part) * weight[..., None]


def _target(change: RegionChange, light: Light) -> Colours:
    """Return the colour that is asked for, as it looks in this light, in L*a*b*."""
    paint = rgb(COLOURS[change.colour].code)
    target = _lab(paint)
    if change.shade:
        shade = SHADES[change.shade]
        target[0] = np.clip(target[0] + shade.lightness, 4, 97)
        target[1:] *= shade.chroma
    lit = _rgb(target) * np.asarray(light.key, np.float32)
    shown = _lab(np.clip(lit, 0, 1).astype(np.float32))
    # Watercolour on paper is never as strong as the name of its colour, nor as bright as paper.
    shown[1:] *= np.float32(0.88)
    shown[0] = min(float(shown[0]), 92.0)
    return shown


def _lab(colour: Colours) -> Colours:
    return np.asarray(cv2.cvtColor(colour[None, None, :], cv2.COLOR_RGB2Lab)[0, 0], np.float32)


def _rgb(lab: Colours) -> Colours:
    made = cv2.cvtColor(lab[None, None, :].astype(np.float32), cv2.COLOR_Lab2RGB)[0, 0]
    return np.asarray(np.clip(made, 0, 1), np.float32)


def _colour(lab: Colours, weight: Plane, target: Colours, amount: float) -> None:
    """Give a region another colour; where it was lighter or darker than its mean it still is."""
    # Dark edges belong to the line: the middle of what is plain paint is the region's colour.
    paint = lab[weight > 0.9] if float(weight.max()) > 0.9 else lab[weight > 0]
    mean = np.asarray(np.median(paint, axis=0), np.float32)
    centre = np.float32(0.85 * target[0] + 0.15 * mean[0])
    made = np.empty_like(lab)
    made[..., 0] = centre + (lab[..., 0] - mean[0]) * np.float32(0.85)
    depth = np.clip(made[..., 0] / max(float(centre), 8.0), 0.4, 1.35) ** np.float32(0.7)
    made[..., 1:] = target[1:] * depth[..., None]
    made[..., 1:] += (lab[..., 1:] - mean[1:]) * np.float32(0.3)
    lab += (made - lab) * np.float32(amount)


def _tint(lab: Colours, target: Colours, amount: float) -> None:
    """Move a region towards a hue, as light as it is."""
    chroma = float(np.hypot(target[1], target[2]))
    if chroma < 6:
        # White, grey and black are no hues: towards them colour goes, and lightness comes.
        lab[..., 1:] *= np.float32(1 - 0.8 * amount)
        lab[..., 0] += (np.float32(target[0]) - lab[..., 0]) * np.float32(0.6 * amount)
        return
    own = np.hypot(lab[..., 1], lab[..., 2])
    strength = np.maximum(own + np.float32(14), np.float32(0.9 * chroma))
    hue = (target[1:] / np.float32(chroma))[None, None, :] * strength[..., None]
    lab[..., 1:] += (hue - lab[..., 1:]) * np.float32(amount)


def _turn(lab: Colours, weight: Plane, quality: Quality, amount: float, light: Light) -> None:
    lightness, chroma = lab[..., 0], lab[..., 1:]
    match quality:
        case Quality.LIGHT:
            # A power keeps black and white where they are.
            whole = np.clip(lightness / np.float32(100), 0, 1)
            lab[..., 0] = np.float32(100) * whole ** np.float32(2 ** (-0.9 * amount))
        case Quality.WARMTH:
            chroma += np.array([9.0, 26.0], np.float32) * np.float32(amount)
            lightness += np.float32(3 * amount)
        case Quality.SATURATION:
            chroma *= np.float32(1 + 0.8 * amount)
        case Quality.CONTRAST:
            mean = float((lightness * weight).sum() / max(float(weight.sum()), 1e-6))
            lightness += (lightness - np.float32(mean)) * np.float32(0.6 * amount)
        case Quality.GREEN:
            hue = np.arctan2(chroma[..., 1], chroma[..., 0])
            near = np.clip(1 - np.abs(hue - np.radians(128)) / np.radians(60), 0, 1)
            chroma *= (1 + np.float32((0.3 if amount > 0 else 0.75) * amount) * near)[..., None]
            # What is not green yet becomes so where more is asked for.
            chroma += np.array([-7.0, 3.0], np.float32) * np.float32(max(amount, 0.0))
        case Quality.HAZE:
            air = _lab(rgb(light.haze))
            if amount > 0:
                lab += (air - lab) * np.float32(0.7 * amount)
            else:
                lab += (lab - air) * np.float32(-0.35 * amount)
        case Quality.CLOUDS:
            # Clouds are painted with the wash; a region of anything else has none.
            return
