"""OpenEXR files in a studio's own space of linear light, by OpenColorIO."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from pydantic import ValidationError

from haikei.errors import SettingsError
from haikei.images import Picture, decode_picture, light_space, write_picture
from support.jobs import OpenJobStudio, job_studios, studio_settings

#: Linear light of sRGB's red, green, blue and white in ACEScg: the columns of the usual matrix.
#: Source: colour-science, RGB to RGB from sRGB to ACEScg, Bradford adaptation.
ACESCG = np.array([
    [0.6131, 0.0702, 0.0206], [0.3395, 0.9164, 0.1096], [0.0474, 0.0135, 0.8698], [1, 1, 1],
], np.float32)  # fmt: skip
COLOURS = Picture(
    pixels=np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]], np.float32).repeat(4, axis=0)
)
#: A configuration as a small studio has it: AP0, and wide primaries of its own.
CONFIG = """
ocio_profile_version: 2
roles:
  aces_interchange: aces
  scene_linear: kawa
file_rules:
  - !<Rule> {name: Default, colorspace: kawa}
displays:
  sRGB: [!<View> {name: Raw, colorspace: kawa}]
colorspaces:
  - !<ColorSpace> {name: aces}
  - !<ColorSpace>
    name: kawa
    from_scene_reference: !<MatrixTransform>
      matrix: [1.4, -0.2, -0.2, 0, -0.07, 1.15, -0.08, 0, 0.01, -0.01, 1, 0, 0, 0, 0, 1]
  - !<ColorSpace>
    name: log
    from_scene_reference: !<LogTransform> {base: 10}
"""


@pytest.fixture
def open_studio(tmp_path: Path) -> Iterator[OpenJobStudio]:
    with ExitStack() as stack:
        yield job_studios(stack, tmp_path)


def stored(path: Path) -> tuple[np.ndarray[Any, np.dtype[np.float32]], oiio.ImageSpec]:
    image = oiio.ImageInput.open(str(path))
    assert image is not None
    pixels = image.read_image("float")
    assert pixels is not None
    return np.asarray(pixels, np.float32), image.spec()


def test_acescg_holds_the_values_that_colour_science_gives(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"

    write_picture(COLOURS, path, light=light_space("ACEScg"))

    pixels, spec = stored(path)
    assert np.abs(pixels[0] - ACESCG).max() < 1e-3
    assert str(spec.format) == "half"
    assert np.allclose(spec.getattribute("chromaticities"),
        (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767), atol=1e-4)  # fmt: skip
    assert np.abs(decode_picture(path).picture.pixels - COLOURS.pixels).max() < 2e-3


@pytest.mark.parametrize("name", ["ACES2065-1", "lin_rec709", "Linear P3-D65", "Linear Rec.2020"])
def test_what_is_written_in_any_space_of_light_looks_the_same_when_it_is_read(
    tmp_path: Path, name: str
) -> None:
    # Half floats of a wide space hold the dark channel of a strong colour less exactly.
    made = np.random.default_rng(2).uniform(0.2, 1.0, (9, 12, 3))
    picture = Picture(pixels=made.astype(np.float32))
    path = tmp_path / "a.exr"

    write_picture(picture, path, light=light_space(name))

    assert np.abs(decode_picture(path).picture.pixels - picture.pixels).max() < 3e-3


def test_a_studios_own_configuration_is_followed_by_way_of_aces(tmp_path: Path) -> None:
    config = tmp_path / "config.ocio"
    config.write_text(CONFIG, encoding="utf-8")
    path = tmp_path / "a.exr"

    write_picture(COLOURS, path, light=light_space("kawa", config))

    aces = tmp_path / "aces.exr"
    write_picture(COLOURS, aces, light=light_space("ACES2065-1"))
    matrix = np.array([[1.4, -0.2, -0.2], [-0.07, 1.15, -0.08], [0.01, -0.01, 1]], np.float32)
    assert np.abs(stored(path)[0] - stored(aces)[0] @ matrix.T).max() < 2e-3
    assert np.abs(decode_picture(path).picture.pixels - COLOURS.pixels).max() < 5e-3


def test_what_holds_no_linear_light_or_is_not_there_is_a_mistake_in_the_settings(
    tmp_path: Path,
) -> None:
    config = tmp_path / "config.ocio"
    config.write_text(CONFIG, encoding="utf-8")
    for name, where, said in (
        ("ACEScct", None, "does not hold linear light"),
        ("sRGB - Texture", None, "does not hold linear light"),
        ("log", config, "does not hold linear light"),
        ("ACEScg of ours", None, "is not found"),
        ("kawa", tmp_path / "gone.ocio", "is not found"),
    ):
        with pytest.raises(SettingsError, match=said):
            light_space(name, where)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"colour_space": "ACEScg"}, "are for format"),
        ({"format": "exr", "ocio_config": "/x.ocio"}, "no colour_space in it"),
        ({"bits": 12}, "8"),
    ],
)
def test_a_space_without_its_format_is_a_mistake(
    tmp_path: Path, given: Mapping[str, object], said: str
) -> None:
    roots = [{"name": "primary", "path": str(tmp_path)}]
    with pytest.raises(ValidationError, match=said):
        studio_settings(tmp_path, storage={"roots": roots, **given})


@pytest.mark.parametrize(
    ("given", "kind", "level"),
    [
        ({"format": "exr", "colour_space": "ACEScg"}, "half", 0.4304),
        ({"format": "exr"}, "half", 0.4304),
        ({"format": "png", "bits": 8}, "uint8", 0.6875),
        ({"format": "tif", "bits": 8}, "uint8", 0.6875),
        ({"format": "tif"}, "uint16", 0.6875),
    ],
)
def test_a_job_publishes_in_the_depth_and_space_of_the_settings(
    open_studio: OpenJobStudio, given: Mapping[str, object], kind: str, level: float
) -> None:
    root = open_studio().settings.storage.roots[0]
    storage = {"roots": [root.model_dump(mode="json")], "reserve_mib": 0, **given}
    studio = open_studio(storage=storage)

    studio.publish()

    assert not studio.store.get(studio.key).error
    ending = f".{given['format']}"
    (path,) = [one for one in studio.files if one.suffix == ending and "stages" not in one.parts]
    pixels, spec = stored(path)
    assert str(spec.format) == kind
    assert abs(np.median(pixels) - level) < 3e-3
    beside = {one.name.removeprefix(path.stem) for one in path.parent.glob(f"{path.stem}*")}
    assert (".c2pa" in beside) == (ending == ".exr")
