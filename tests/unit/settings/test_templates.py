"""Path templates read names from paths and write them back, and never leave their root."""

import pytest

from haikei.errors import PathRefused, SettingsError
from haikei.settings import PathTemplate

LAYOUT = PathTemplate("{project}/{sequence}/{cut}/layout/{cut}_{name}_v{version:03d}.{ext}")


def test_a_path_gives_its_names() -> None:
    names = LAYOUT.match("PORT/s01/c012/layout/c012_bg_main_v003.psd")

    assert names == {
        "project": "PORT",
        "sequence": "s01",
        "shot": "c012",
        "name": "bg_main",
        "version": "003",
        "ext": "psd",
    }


def test_a_token_that_stands_twice_must_agree() -> None:
    assert LAYOUT.match("PORT/s01/c012/layout/c013_bg_v003.psd") is None


def test_names_give_the_path_back() -> None:
    path = LAYOUT.format(
        {
            "project": "港町",
            "sequence": "s01",
            "shot": "c012",
            "name": "bg",
            "version": 3,
            "ext": "png",
        }
    )

    assert str(path) == "港町/s01/c012/layout/c012_bg_v003.png"


@pytest.mark.parametrize("shot", ["..", ".", "", "a/b", "a\\b", "a\0b"])
def test_a_name_that_would_leave_its_folder_is_refused(shot: str) -> None:
    values: dict[str, str | int] = {
        "project": "P",
        "sequence": "s",
        "shot": shot,
        "name": "n",
        "version": 1,
        "ext": "png",
    }

    with pytest.raises(PathRefused):
        LAYOUT.format(values)


@pytest.mark.parametrize("text", ["/abs/{shot}", "../{shot}", "{shot}/{nonsense}", "{shot", ""])
def test_a_template_that_cannot_work_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        PathTemplate(text)
