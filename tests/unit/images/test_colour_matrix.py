"""Format × depth × profile × transparency: every combination looks as LittleCMS shows it."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from haikei.images import decode_picture
from support.imagefiles import (
    ADOBE,
    P3,
    PROPHOTO,
    REC2020,
    SRGB,
    Samples,
    by_littlecms,
    icc_of,
    icc_of_table,
    png_file,
    psd_file,
    tga_file,
    tiff_file,
)

#: Of 255: the most by which any channel of any pixel may differ. LittleCMS rounds to whole steps,
#: and deeper files are converted without rounding.
LARGEST_ERROR = 0.7
#: How many combinations there are at least.
LEAST = 300

COLOURED = {
    "untagged": None,
    "sRGB": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    "Display P3": icc_of("Display P3", P3, gamma=2.2),
    "Adobe RGB": icc_of("Adobe RGB (1998)", ADOBE, gamma=2.19921875),
    "ProPhoto": icc_of("ProPhoto RGB", PROPHOTO, gamma=1.8),
    "linear": icc_of("sRGB-elle-V2-g10.icc", SRGB, gamma=1.0),
    "gamma 1.8": icc_of("Generic RGB Profile", SRGB, gamma=1.8),
    "Rec.2020": icc_of("Rec2020", REC2020, gamma=2.4),
    "curve table": icc_of("scanner", SRGB, curve=[(i / 255) ** 2.0 for i in range(256)]),
    "false name": icc_of("Display P3", SRGB, gamma=1.8),
    "table to Lab": icc_of_table(),
}
GREY = {
    "untagged": None,
    "gamma 2.2": icc_of("Gray Gamma 2.2", None, gamma=2.2),
    "gamma 1.8": icc_of("Gray Gamma 1.8", None, gamma=1.8),
    "linear": icc_of("linear grey", None, gamma=1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One combination."""

    format: str
    depth: int
    grey: bool
    profile: str
    alpha: str  #: `none`, `opaque`, `straight`, `premultiplied`, `matted`

    def __str__(self) -> str:
        colour = "grey" if self.grey else "rgb"
        return f"{self.format}{self.depth} {colour} {self.profile} {self.alpha}"

    @property
    def icc(self) -> bytes | None:
        return (GREY if self.grey else COLOURED)[self.profile]


def _cases() -> Iterator[Case]:
    plain = ("none", "opaque", "straight")
    alphas: dict[str, tuple[str, ...]] = {
        "png": plain,
        "palette": ("none", "straight"),
        "tif": (*plain, "premultiplied"),
        "jpg": ("none",),
        "psd": ("none", "straight", "matted"),
        "tga": (*plain, "premultiplied"),
    }
    for name, kinds in alphas.items():
        for depth in (8,) if name in {"palette", "jpg", "tga"} else (8, 16):
            for grey in (False, True) if name != "palette" else (False,):
                profiles = list(GREY if grey else COLOURED)
                for profile in profiles[:1] if name == "tga" else profiles:
                    for alpha in kinds:
                        yield Case(
                            format=name, depth=depth, grey=grey, profile=profile, alpha=alpha
                        )


CASES = list(_cases())


def _chart(*, grey: bool) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return straight colours and their cover, such that each product is a whole step."""
    random = np.random.default_rng(11)
    colours = (random.integers(0, 52, (16, 16, 1 if grey else 3)) * 5).astype(np.uint8)
    colours[0] = (np.linspace(0, 51, 16).astype(np.uint8) * 5)[:, None]
    cover = (random.integers(0, 6, (16, 16, 1)) * 51).astype(np.uint8)
    return colours, cover


def _stored(case: Case, colours: NDArray[np.uint8], cover: NDArray[np.uint8]) -> Samples:
    """Return the channels as a file stores them."""
    share = cover / 255.0
    match case.alpha:
        case "none":
            stored = colours.astype(np.float64)
        case "premultiplied":
            stored = np.concatenate([colours * share, cover], axis=2)
        case "matted":
            stored = np.concatenate([colours * share + 255.0 * (1.0 - share), cover], axis=2)
        case "opaque":
            stored = np.concatenate([colours, np.full_like(cover, 255)], axis=2)
        case _:
            stored = np.concatenate([colours, cover], axis=2)
    rounded = np.rint(stored.astype(np.float64))
    return (rounded * 257).astype(np.uint16) if case.depth == 16 else rounded.astype(np.uint8)


def _save(case: Case, folder: Path, stored: Samples) -> Path:
    path = folder / f"a.{'png' if case.format == 'palette' else case.format}"
    write: dict[str, Callable[[], object]] = {
        "png": lambda: png_file(path, stored, profile=case.icc),
        "palette": lambda: _palette(path, stored, case.icc),
        "tif": lambda: tiff_file(
            path,
            stored,
            profile=case.icc,
            extra={"none": None, "premultiplied": 1}.get(case.alpha, 2),
        ),
        "jpg": lambda: _jpeg(path, stored, case.icc),
        "psd": lambda: psd_file(
            path,
            list(np.moveaxis(stored, 2, 0)),
            mode=1 if case.grey else 3,
            profile=case.icc,
            transparency=case.alpha != "none",
            layer=[np.zeros_like(stored[..., 0])] * 4 if case.alpha != "none" else None,
        ),
        "tga": lambda: tga_file(
            path,
            stored.astype(np.uint8),
            alpha_bits=0 if case.alpha == "none" else 8,
            attributes=4 if case.alpha == "premultiplied" else None,
        ),
    }
    write[case.format]()
    return path


def _palette(path: Path, stored: Samples, profile: bytes | None) -> None:
    entries = stored.reshape(-1, stored.shape[2]).astype(np.uint8)
    image = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16), "P")
    image.putpalette(entries[:, :3].tobytes())
    if stored.shape[2] == 4:
        image.info["transparency"] = entries[:, 3].tobytes()
    image.save(path, icc_profile=profile)


def _jpeg(path: Path, stored: Samples, profile: bytes | None) -> None:
    pixels = stored.astype(np.uint8)
    image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
    image.save(path, quality=100, subsampling=0, icc_profile=profile)


def _right(case: Case, path: Path) -> NDArray[np.float64]:
    colours, cover = _chart(grey=case.grey)
    if case.format == "jpg":
        decoded = np.asarray(Image.open(io.BytesIO(path.read_bytes())))
        colours = decoded[..., None] if case.grey else decoded
    shown = by_littlecms(np.ascontiguousarray(colours), case.icc).astype(np.float64)
    if case.alpha in {"none", "opaque"}:
        return shown
    share = cover / 255.0
    return shown * share + 255.0 * (1.0 - share)


def test_there_are_enough_combinations() -> None:
    assert len({str(case) for case in CASES}) == len(CASES) >= LEAST


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_file_looks_as_littlecms_shows_it_on_white_paper(case: Case, tmp_path: Path) -> None:
    path = _save(case, tmp_path, _stored(case, *_chart(grey=case.grey)))

    picture = decode_picture(path).picture

    error = np.abs(picture.pixels * 255.0 - _right(case, path)).max()
    assert error <= LARGEST_ERROR, f"{error:.2f} of 255"
