"""What was measured of a picture: shared by who measures it and who records it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle around pixels that changed, in pixels of the later image; origin top left."""

    x: int
    y: int
    width: int
    height: int
    pixels: int  #: changed pixels inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    What a touch-up changed, as it was measured: evidence of where, never of effort.

    Integers only, so that every language hashes them alike: ppm are millionths, milli thousandths.
    """

    method: str  #: name and version, such as `haikei-change/2`
    parameters: str  #: the method's parameters as canonical JSON
    area_ppm: int  #: share of the image's area that changed locally
    regions: tuple[Region, ...]  #: the largest first
    global_milli_de: int  #: median CIEDE2000 of a change of colour over the whole image
    shift_milli_px: int  #: by how much the image was moved
    map_sha256: str = ""  #: of the picture of the change map


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRecall:
    """How much of the layout's lines is seen in an image, beside what chance would give."""

    method: str
    tolerance_px: int
    observed_ppm: int  #: share of line pixels with an edge of the image near them
    chance_ppm: int  #: the same for the image's edges moved at random: mean
    chance_sd_ppm: int  #: and standard deviation

    @property
    def lift_ppm(self) -> int:
        """How far observed lies between chance (0) and all lines seen (1 000 000)."""
        room = 1_000_000 - self.chance_ppm
        return (self.observed_ppm - self.chance_ppm) * 1_000_000 // room if room > 0 else 0
