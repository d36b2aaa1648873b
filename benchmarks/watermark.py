"""
Do invisible watermarks survive what happens to pictures, and are they invisible?

    pip install --no-deps invisible-watermark blind-watermark PyWavelets
    python benchmarks/watermark.py

Haikei uses neither library; the figures in docs/how-to/verifying.md say why. 64 bits are hidden in
three pictures of `benchmarks/fingerprint.py`, each goes through its 13 transforms, and a mark
counts as read when every bit is.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haikei.images import Picture, resize
from haikei.measure.grading import ciede2000, lab_of

BITS = 64
PICTURES = (0, 211, 470)
#: One library reads nothing of less than 256 x 256 pixels; a quarter of this is more.
SIZE = (1440, 810)
UNTOUCHED = "untouched"

Code = NDArray[np.uint8]  #: (rows, columns, 3), blue first
Hide = Callable[[Code, NDArray[np.int64]], Code]
Read = Callable[[Code], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One way of hiding, over all pictures."""

    method: str
    read: Mapping[str, int]  #: pictures whose mark was read, by transform
    psnr: float  #: decibels, mean
    colour_mean: float  #: CIEDE2000
    colour_p99: float


def _methods() -> Mapping[str, tuple[Hide, Read]]:
    first, second = import_module("imwatermark"), import_module("blind_watermark")

    def invisible(method: str) -> tuple[Hide, Read]:
        def hide(code: Code, bits: NDArray[np.int64]) -> Code:
            encoder: Any = first.WatermarkEncoder()
            encoder.set_watermark("bits", bits.tolist())
            return np.asarray(encoder.encode(code, method), np.uint8)

        def read(code: Code) -> NDArray[np.bool_]:
            return np.asarray(first.WatermarkDecoder("bits", BITS).decode(code, method), bool)

        return hide, read

    def hide_blind(code: Code, bits: NDArray[np.int64]) -> Code:
        mark: Any = second.WaterMark(password_img=1, password_wm=1)
        mark.read_img(img=code)
        mark.read_wm(bits.astype(bool).tolist(), mode="bit")
        marked: Code = np.clip(np.rint(mark.embed()), 0, 255).astype(np.uint8)
        return marked

    def read_blind(code: Code) -> NDArray[np.bool_]:
        mark: Any = second.WaterMark(password_img=1, password_wm=1)
        found = mark.extract(embed_img=code, wm_shape=BITS, mode="bit")
        return np.asarray(found, np.float64) > 0.5

    return {
        "invisible-watermark, dwtDct": invisible("dwtDct"),
        "invisible-watermark, dwtDctSvd": invisible("dwtDctSvd"),
        "blind-watermark": (hide_blind, read_blind),
    }


def _code(picture: Picture) -> Code:
    return np.ascontiguousarray(np.rint(picture.pixels[..., ::-1] * 255).astype(np.uint8))


def _picture(code: Code) -> Picture:
    return Picture(pixels=np.ascontiguousarray(code[..., ::-1], np.float32) / np.float32(255))


def _measured(method: str, hide: Hide, read: Read, cache: Path | None) -> Figure:
    pictures = import_module("fingerprint")
    transforms: dict[str, Callable[[Picture], Picture]] = {UNTOUCHED: lambda one: one}
    transforms |= pictures.transforms()
    survived = dict.fromkeys(transforms, 0)
    noise: list[float] = []
    gaps: list[NDArray[np.float32]] = []
    for number in PICTURES:
        plain = _code(resize(pictures.made(number, cache), *SIZE))
        bits = np.random.default_rng(number).integers(0, 2, BITS)
        marked = hide(plain, bits)
        before, after = _picture(plain), _picture(marked)
        noise.append(float(-10 * np.log10(np.mean(np.square(after.pixels - before.pixels)))))
        gaps.append(ciede2000(lab_of(before), lab_of(after)))
        for name, transform in transforms.items():
            found = read(_code(transform(after)))
            survived[name] += bool(np.array_equal(found, bits.astype(bool)))
    return Figure(
        method=method,
        read=survived,
        psnr=float(np.mean(noise)),
        colour_mean=float(np.mean([gap.mean() for gap in gaps])),
        colour_p99=float(np.mean([np.percentile(gap, 99) for gap in gaps])),
    )


def main() -> int:
    """Print what survived, and what is seen."""
    parser = argparse.ArgumentParser(description="Measure invisible watermarks.")
    parser.add_argument("--cache", type=Path, help="as of benchmarks/fingerprint.py")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    figures = [
        _measured(name, hide, read, arguments.cache) for name, (hide, read) in _methods().items()
    ]
    if arguments.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=2))
        return 0
    for figure in figures:
        print(
            f"{figure.method}: PSNR {figure.psnr:.1f} dB, colour difference "
            f"{figure.colour_mean:.1f}, 99th percentile {figure.colour_p99:.1f}"
        )
        for name, count in figure.read.items():
            print(f"  {name:30}{count} of {len(PICTURES)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
