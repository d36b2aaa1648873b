"""
Recognise a picture that was changed: a perceptual fingerprint, and an index over many.

A fingerprint survives another size, format or bit depth, lossy compression, gamma, a light grade,
and a crop of up to a tenth at each edge. It holds what is drawn (structure) and in which colours.
"""

from haikei.fingerprint.fingerprint import (
    BITS,
    METHOD,
    SAME_COLOURS,
    SAME_DRAWING,
    Fingerprint,
    FingerprintIndex,
    Likeness,
    Match,
    fingerprint,
    fingerprint_text,
    indistinct,
)

__all__ = [
    "BITS",
    "METHOD",
    "SAME_COLOURS",
    "SAME_DRAWING",
    "Fingerprint",
    "FingerprintIndex",
    "Likeness",
    "Match",
    "fingerprint",
    "fingerprint_text",
    "indistinct",
]
