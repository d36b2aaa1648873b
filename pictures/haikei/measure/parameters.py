"""What the measure of a change depends on; a change of any of them is another version of it."""

from dataclasses import dataclass

from haikei.canonical import canonical_json

METHOD = "haikei-change/2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """
    Numbers that were tuned on paintings of our own; `docs/why/measuring.md` tells how.

    Differences are CIEDE2000 in the earlier picture's colours, lengths are pixels of the later one.
    """

    threshold: float = 4.0  #: from which difference on a pixel counts as changed
    smoothing: float = 1.2  #: sigma with which differences of colour are smoothed to be found
    detail: float = 0.5  #: sigma with which those of compressed files are smoothed to be outlined
    edge: float = 0.06  #: added to the threshold for each L* a pixel that the picture changes there
    noise: float = 0.5  #: CIEDE2000 of the quieter third from which on a file counts as compressed
    antialiasing: float = 0.41  #: spread of an outline as programs draw it: a tent, sqrt(1/6)
    resampling: float = 0.28  #: spread that a shift by a part of a pixel adds
    alike: float = 0.5  #: cosine of two changes' directions from which on they are of one paint
    softened: float = 0.008  #: variance of a blur of drawn edges from which on it is a resize's
    nearby: int = 5  #: side of the square in which a stroke's full colour is looked for
    smallest: float = 7.7e-5  #: share of the area below which a spot is dropped
    smallest_px: int = 12  #: and its pixels at the least
    samples: int = 16_000  #: pixels that the grade is fitted to
    repaint: float = 0.6  #: changed share above which there is no unchanged majority to fit
    together: float = 0.012  #: share of the height within which spots are one region
    regions: int = 64  #: regions that are listed

    def as_json(self) -> str:
        """Return the parameters in canonical JSON."""
        return canonical_json(self)
