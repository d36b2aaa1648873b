"""Folders that have other names than the tracker become its names, and its names folders again."""

import unicodedata
from pathlib import Path

import pytest

from haikei.settings import FolderNames, ShowNames, read
from haikei.show import Place

KAZE = ShowNames(
    project="KAZE",
    folder="kaze_tv",
    episodes={"01": "EP01"},
    sequences={"ガ": "EP01_G"},
    sequence_code="{episode}_A",
    shot_code="EP{episode}_{shot}",
)
NAMES = FolderNames((KAZE,))
PLAIN = Place(project="KAZE", episode="EP01", sequence="01_A", shot="EP01_C012A")
SETTINGS = '[studio]\nstate = "state"\n[[storage.roots]]\nname = "primary"\npath = "projects"\n'


def wrong(folder: Path, text: str) -> list[str]:
    file = folder / "haikei.toml"
    file.write_text(SETTINGS + text, encoding="utf-8")
    return [str(mistake) for mistake in read(file, {}).mistakes]


def test_what_a_path_says_becomes_the_trackers_names() -> None:
    said = {"project": "Kaze_TV", "episode": "01", "shot": "C012A"}

    assert NAMES.place(said) == PLAIN


def test_the_trackers_names_become_what_paths_say() -> None:
    assert NAMES.tokens(PLAIN) == {
        "project": "kaze_tv",
        "episode": "01",
        "sequence": "01_A",
        "shot": "C012A",
    }


def test_a_place_from_the_tracker_alone_says_the_episode_that_its_code_holds() -> None:
    names = FolderNames((ShowNames(project="KAZE", shot_code="{episode}_{shot}"),))
    row = Place(project="KAZE", sequence="", shot="EP01_C012A")

    assert names.tokens(row) == {"project": "KAZE", "episode": "EP01", "shot": "C012A"}


def test_a_table_comes_before_a_code_in_any_spelling() -> None:
    said = {
        "project": "kaze_tv",
        "episode": "01",
        "sequence": unicodedata.normalize("NFD", "ガ"),
        "shot": "C012A",
    }
    place = NAMES.place(said)

    assert place is not None
    assert place.sequence == "EP01_G"
    assert NAMES.tokens(place)["sequence"] == "ガ"


def test_other_shows_keep_their_names() -> None:
    place = Place(project="PORT", sequence="s01", shot="c001")

    assert NAMES.place({"project": "PORT", "sequence": "s01", "shot": "c001"}) == place
    assert NAMES.tokens(place) == {"project": "PORT", "sequence": "s01", "shot": "c001"}


def test_a_path_without_a_project_or_shot_is_no_place() -> None:
    assert NAMES.place({"project": "KAZE"}) is None
    assert NAMES.place({"shot": "C012A"}) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[[shows]]\nproject = "A"\nfolder = "x"\n[[shows]]\nproject = "B"\nfolder = "X"\n',
            "shows[1]: found 'B'; shows[0] has the same project or folder",
        ),
        ('[[shows]]\nproject = "A"\nshot_code = "{sequence}"\n', "it must hold {shot}"),
        (
            '[[shows]]\nproject = "A"\nshot_code = "{episode}_{shot}"\n',
            "nor storage.layout, gives {episode}",
        ),
        ('[[shows]]\nproject = "A"\nshot_code = "{shot}_*"\n', "has no *"),
        ('[[shows]]\nproject = "A"\nshot_code = "{shot}_{version}"\n', "not {version}"),
        (
            '[[shows]]\nproject = "A"\n[shows.shots]\nc1 = "C1"\nC1 = "C2"\n',
            "two of the folders are c1",
        ),
        ('[[shows]]\nproject = "A"\n[shows.shots]\nc1 = "C1"\nc2 = "c1"\n', "names in the tracker"),
    ],
)
def test_a_table_that_cannot_work_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (mistake,) = wrong(tmp_path, text)

    assert says in mistake


EPISODES = (
    '[storage]\nbackground = "{project}/{episode}/{shot}_{season}_{time}_v{version:03d}.{ext}"\n'
)


def test_an_episode_that_no_source_can_give_is_a_mistake_of_each_source(tmp_path: Path) -> None:
    text = EPISODES.replace("[storage]", "") + '[[watch.folders]]\npath = "in"\n'
    (tmp_path / "haikei.toml").write_text("", encoding="utf-8")
    mistakes = wrong(tmp_path, "[storage]" + text)

    assert any(one.startswith("watch.folders[0].template") for one in mistakes)
    assert any(one.startswith("storage.layout") for one in mistakes)
    assert all("storage.background need" in one for one in mistakes[:2])


@pytest.mark.parametrize(
    "more",
    [
        '[tracker]\nepisode_field = "sg_episode"\n',
        'layout = "{project}/{episode}/{shot}.{ext}"\n',
        '[[shows]]\nproject = "A"\nshot_code = "{episode}_{shot}"\n',
    ],
)
def test_an_episode_that_the_path_the_tracker_or_a_code_gives_is_right(
    tmp_path: Path, more: str
) -> None:
    mistakes = wrong(tmp_path, EPISODES + more)

    assert not [one for one in mistakes if "storage.layout: " in one]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('background = "{project}/{shot}/*/{season}_{time}_v{version}.{ext}"', "*"),
        ('background = "{project}/{shot}_{name}_{season}_{time}_v{version}.{ext}"', "{name}"),
        ('stage = "{project}/{shot}/{season}_{time}_v{version}[_{stage}].{ext}"', "{stage}"),
    ],
)
def test_a_written_path_holds_only_what_is_known_when_it_is_written(
    tmp_path: Path, text: str, says: str
) -> None:
    (mistake,) = wrong(tmp_path, f"[storage]\n{text}\n")

    assert says in mistake
