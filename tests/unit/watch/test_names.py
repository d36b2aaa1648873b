import pytest

from haikei.sources.watch.root import LayoutNames

NAMES = LayoutNames(
    extensions=("png", "PSD", ".tif"), ignore=(".*", "~$*", "*.tmp", "*.part", "*~", "wip")
)


@pytest.mark.parametrize("name", ["c001.png", "C001.PNG", "c 001.psd", "背景.tif"])
def test_a_file_of_a_listed_ending_can_be_a_layout(name: str) -> None:
    assert NAMES.is_layout(name)


@pytest.mark.parametrize(
    "name",
    ["c001.txt", "png", ".c001.png", "~$c001.psd", "c001.png.tmp", "C001.PNG.PART", "c~"],
)
def test_other_temporary_and_hidden_files_are_no_layouts(name: str) -> None:
    assert not NAMES.is_layout(name)


def test_a_file_in_an_ignored_folder_is_no_layout() -> None:
    assert NAMES.is_layout_path("port/sq01/c001.png")
    assert not NAMES.is_layout_path("port/.trash/c001.png")
    assert not NAMES.is_layout_path("port/WIP/c001.png")


def test_nothing_is_ignored_when_no_pattern_is_given() -> None:
    assert LayoutNames(extensions=("png",), ignore=()).is_layout(".hidden.png")
