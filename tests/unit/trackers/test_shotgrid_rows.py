"""A layout that Haikei registers is one stream in all its takes, under the number it has."""

from dataclasses import replace
from pathlib import Path

import pytest

from haikei.show import Row, StoredFile
from haikei.trackers import LayoutContext
from haikei.trackers.shotgrid.client import Link
from haikei.trackers.shotgrid.existing_rows import layout_row
from support.sites import ShowFiles

CONTEXT = LayoutContext(
    project=Row(type="Project", id=1, name="PORT"),
    sequence=None,
    shot=Row(type="Shot", id=2, name="C012A"),
    task=None,
    layout_file=None,
    artists=(),
    artist_logins=(),
    latest_version=0,
)


@pytest.mark.parametrize(
    ("stem", "version", "row"),
    [
        ("c012_bg_v003", None, ("c012_bg", 3)),
        ("c012_bg", None, ("c012_bg", 1)),
        ("C012A_LO_t02", 2, ("C012A_LO", 2)),
        ("EP02_C002A_t02_LO", 2, ("EP02_C002A_LO", 2)),
        ("C012_take-3", 3, ("C012", 3)),
        ("C012_LO_12", 12, ("C012_LO", 12)),
        ("EP12_C012_LO", 12, ("EP12_C012_LO", 12)),
        ("カット7_原図_v7", 7, ("カット7_原図", 7)),
    ],
)
def test_the_number_that_a_template_or_row_gave_leaves_the_name(
    tmp_path: Path, stem: str, version: int | None, row: tuple[str, int]
) -> None:
    path = tmp_path / f"{stem}.psd"
    layout = StoredFile(root="primary", relative=path.name, path=path, sha256="0" * 64)
    made = ShowFiles(name="PORT", root=tmp_path).background(CONTEXT)
    request = replace(made, layout=layout, layout_version=version)
    kind, storage = (Link(type=type_, id=1, name="") for type_ in ("PublishedFileType", "Storage"))

    fields = layout_row(request, kind, storage).fields

    assert (fields["name"], fields["version_number"]) == row
