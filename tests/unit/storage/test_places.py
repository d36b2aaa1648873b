"""A path below a storage root says what a file is; no path leads out of its root."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikei.errors import PathRefused, SettingsError
from haikei.settings import PathTemplate, Settings
from haikei.show import Place
from haikei.storage import PlacedLayout, Storage
from support.storage import PLACE, settings_with_root, storage_at

MOUNT = Path("/mnt/show")
LAYOUT = PathTemplate(settings_with_root(MOUNT).storage.layout)

names = (
    st.text(
        st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="/\\"),
        min_size=1,
        max_size=12,
    )
    .map(lambda name: unicodedata.normalize("NFC", name))
    .filter(lambda name: name not in {".", ".."})
)


def two_roots(outer: Path, inner: Path) -> Storage:
    return Storage(
        Settings.model_validate(
            {
                "studio": {"state": "/var/lib/haikei"},
                "storage": {
                    "roots": [
                        {"name": "shows", "path": str(outer)},
                        {"name": "archive", "path": str(inner)},
                    ]
                },
            }
        )
    )


def test_a_layout_path_gives_its_place_name_and_version() -> None:
    path = MOUNT / "PORT/s01/c012/layout/c012_bg_v003.psd"

    assert storage_at(MOUNT).place_of(path) == PlacedLayout(place=PLACE, name="bg", version=3)


@given(
    project=names,
    sequence=names,
    shot=names,
    name=names,
    version=st.integers(0, 99999),
    form=st.sampled_from(["NFC", "NFD"]),
)
def test_a_path_made_from_names_gives_the_names_back_in_either_unicode_form(
    project: str, sequence: str, shot: str, name: str, version: int, form: str
) -> None:
    relative = LAYOUT.format(
        {
            "project": project,
            "sequence": sequence,
            "shot": shot,
            "name": name,
            "version": version,
            "ext": "png",
        }
    )
    written = unicodedata.normalize("NFD" if form == "NFD" else "NFC", str(relative))

    placed = storage_at(MOUNT).place_of(MOUNT / written)

    assert placed == PlacedLayout(
        place=Place(project=project, sequence=sequence, shot=shot), name=name, version=version
    )


@pytest.mark.parametrize(
    "path",
    [
        "/mnt/show2/PORT/s01/c012/layout/c012_bg_v003.psd",
        "/mnt/show/PORT/s01/c012/layout/c013_bg_v003.psd",
        "/mnt/show/PORT/s01/c012/layout/deeper/c012_bg_v003.psd",
        "/mnt/show/../other/PORT/s01/c012/layout/c012_bg_v003.psd",
        "PORT/s01/c012/layout/c012_bg_v003.psd",
        "/mnt/show",
        "/mnt/show/PORT/s01/c012/layout/c012_bg_v003.psd\0",
        "/mnt/show/PORT/s01/c012/layout/c012_\udcff_v003.psd",
    ],
)
def test_another_path_has_no_place(path: str) -> None:
    assert storage_at(MOUNT).place_of(Path(path)) is None


def test_a_template_without_sequence_name_or_version_leaves_them_empty() -> None:
    settings = settings_with_root(MOUNT, layout="{project}/{cut}/lo.{ext}")

    placed = Storage(settings).place_of(MOUNT / "PORT/c012/lo.tga")

    assert placed == PlacedLayout(
        place=Place(project="PORT", sequence="", shot="c012"), name="", version=None
    )


def test_a_link_that_leads_out_of_the_root_has_no_place(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (outside / "s01/c012/layout").mkdir(parents=True)
    (outside / "s01/c012/layout/c012_bg_v003.psd").touch()
    root.mkdir()
    (root / "PORT").symlink_to(outside)
    layout = root / "PORT/s01/c012/layout/c012_bg_v003.psd"

    storage = storage_at(root)

    assert storage.place_of(layout) is None
    with pytest.raises(PathRefused, match="below no storage root"):
        storage.stored(layout, "0" * 64)


def test_links_in_a_circle_have_no_place(tmp_path: Path) -> None:
    (tmp_path / "PORT").symlink_to(tmp_path / "PORT")

    assert storage_at(tmp_path).place_of(tmp_path / "PORT/s01/c012/layout/c012_bg_v3.psd") is None


def test_a_root_that_is_a_link_is_the_same_root(tmp_path: Path) -> None:
    volume, mount = tmp_path / "volume", tmp_path / "mount"
    volume.mkdir()
    mount.symlink_to(volume)
    path = volume / "PORT/s01/c012/layout/c012_bg_v003.psd"

    stored = storage_at(mount).stored(path, "0" * 64)

    assert stored.root == "main"
    assert stored.relative == "PORT/s01/c012/layout/c012_bg_v003.psd"
    assert stored.path == mount / stored.relative


def test_the_deepest_root_counts() -> None:
    storage = two_roots(Path("/mnt/shows"), Path("/mnt/shows/archive"))

    stored = storage.stored(Path("/mnt/shows/archive/PORT/x.png"), "0" * 64)
    beside = storage.stored(Path("/mnt/shows/archived/PORT/x.png"), "0" * 64)

    assert (stored.root, stored.relative) == ("archive", "PORT/x.png")
    assert (beside.root, beside.relative) == ("shows", "archived/PORT/x.png")


def test_a_background_and_its_stages_have_the_paths_of_their_templates() -> None:
    storage = storage_at(MOUNT)

    background = storage.background_path(place=PLACE, season="summer", time="day", version=7)
    stage = storage.stage_path(
        place=PLACE, season="summer", time="day", version=7, stage="gen1", ext="exr"
    )

    folder = "PORT/s01/c012/background/summer_day/v007"
    assert str(background) == f"{folder}/c012_bg_summer_day_v007.png"
    assert str(stage) == f"{folder}/stages/c012_bg_summer_day_v007_gen1.exr"


def test_a_shot_without_its_sequence_has_no_background_path() -> None:
    place = Place(project="PORT", sequence="", shot="c012")

    with pytest.raises(PathRefused, match="sequence"):
        storage_at(MOUNT).background_path(place=place, season="summer", time="day", version=1)


@pytest.mark.parametrize(
    ("template", "text", "lacking"),
    [
        ("layout", "{project}/{name}.{ext}", "shot"),
        ("background", "{project}/{shot}.{ext}", "version"),
        ("stage", "{project}/{shot}/v{version}.{ext}", "stage"),
    ],
)
def test_a_template_that_cannot_tell_files_apart_is_refused(
    template: str, text: str, lacking: str
) -> None:
    with pytest.raises(SettingsError, match=rf"storage\.{template}.*lacks \{{{lacking}\}}"):
        Storage(settings_with_root(MOUNT, **{template: text}))
