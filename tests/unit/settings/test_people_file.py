"""People come from a CSV file too, and each mistake in it names its line."""

from pathlib import Path

import pytest

from haikei.settings import PEOPLE_COLUMNS, PersonEntry, Reading, read

SETTINGS = (
    '[studio]\nstate = "state"\n[[storage.roots]]\nname = "primary"\npath = "projects"\n'
    '[credits]\npeople_file = "people.csv"\n'
)


def reading(folder: Path, text: str | bytes, more: str = "") -> Reading:
    file = folder / "haikei.toml"
    file.write_text(SETTINGS + more, encoding="utf-8")
    written = text if isinstance(text, bytes) else text.encode()
    (folder / "people.csv").write_bytes(written)
    return read(file, {})


def mistakes(folder: Path, text: str | bytes, more: str = "") -> list[str]:
    return [str(one) for one in reading(folder, text, more).mistakes]


def test_each_line_is_a_person(tmp_path: Path) -> None:
    text = (
        "\ufeffid,name,name_ja,reading,logins,consent\r\n"
        "HumanUser:12,Yuki Tanaka,田中 ゆき,たなか ゆき,ytanaka; yuki,yes\r\n"
        "\r\n"
        ',"Sato, Aoi",佐藤 葵,,,no\r\n'
    )
    settings = reading(tmp_path, text).settings

    assert settings is not None
    assert settings.people == (
        PersonEntry(
            id="HumanUser:12",
            name="Yuki Tanaka",
            name_ja="田中 ゆき",
            reading="たなか ゆき",
            logins=("ytanaka", "yuki"),
        ),
        PersonEntry(name="Sato, Aoi", name_ja="佐藤 葵", consent=False),
    )


def test_a_person_is_meant_by_their_reading() -> None:
    assert PersonEntry(name="Yuki Tanaka", reading="たなか ゆき").means("", ("たなか　ゆき",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name,nmae_ja\nA,B\n", "people.csv line 1: found the column 'nmae_ja'; did you mean"),
        ("id,name_ja\n1,B\n", "people.csv line 1: found no column `name`"),
        ("name,name\nA,B\n", "people.csv line 1: found 'name' twice"),
        ("", "people.csv line 1: found no column `name`"),
        ("name,id\nA,1\nB\n", "people.csv line 3: found 1 cells; the first line has 2"),
        ("name,consent\nA,yes\nB,maybe\n", "people.csv line 3, consent: found 'maybe'"),
        ("name,pays\nA,salary\n", "people.csv line 2, pays: found 'salary'"),
        ("name,name_ja\n,佐藤\n", "people.csv line 2, name: the name in Latin letters is missing"),
        ('name,name_ja\nA,"a\nb"\nB\n', "people.csv line 4: found 1 cells"),
        ("name,name_ja\nA,田中\n".encode("cp932"), "people.csv line 2: found text that is not"),
        ('name\n"A\n', "credits.people_file: found"),
        ("name\nA\nB\na\n", "people.csv line 4: found 'a'; people.csv line 2 means the same"),
    ],
)
def test_a_mistake_names_its_line(tmp_path: Path, text: str | bytes, says: str) -> None:
    assert any(one.startswith(says) for one in mistakes(tmp_path, text)), mistakes(tmp_path, text)


def test_all_mistakes_are_named_at_once_and_nobody_is_dropped(tmp_path: Path) -> None:
    found = reading(tmp_path, "name,consent\nA,maybe\nB\nC,perhaps\n")

    assert [one.key for one in found.mistakes] == [
        "people.csv line 2, consent",
        "people.csv line 3",
        "people.csv line 4, consent",
    ]
    assert found.settings is None


def test_a_person_of_the_file_and_of_the_settings_is_named_twice(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, "name\nAoi Sato\n", '[[people]]\nname = "aoi sato"\n')

    assert mistake.startswith("people.csv line 2: found 'Aoi Sato'; people[0] means the same")


def test_a_file_that_is_not_there_is_a_mistake_of_its_setting(tmp_path: Path) -> None:
    reading(tmp_path, "name\n")
    (tmp_path / "people.csv").unlink()
    (mistake,) = read(tmp_path / "haikei.toml", {}).mistakes

    assert mistake.key == "credits.people_file"
    assert "No such file" in mistake.found


def test_every_setting_of_a_person_is_a_column() -> None:
    assert set(PEOPLE_COLUMNS) == set(PersonEntry.model_fields) - {
        "certificate_file",
        "certificate_key_file",
        "signer",
    }, "what signs for a person stands in the settings alone"
