"""A settings file is read with the environment on top, and all its mistakes are said at once."""

from pathlib import Path

import pytest

from haikei.errors import SettingsError
from haikei.presets import RECIPES, recipe
from haikei.settings import Settings, describe, load, read, settings_path, starter

GOOD = """
[studio]
state = "state"
[[storage.roots]]
name = "primary"
path = "projects"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "haikei.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def _add(file: Path, text: str) -> Path:
    file.write_text(GOOD + text, encoding="utf-8")
    return file


def test_paths_are_meant_from_the_files_own_folder(file: Path) -> None:
    settings = load(file, {})

    assert settings.studio.state == file.parent / "state"
    assert settings.storage.roots[0].path == file.parent / "projects"


def test_the_environment_wins_over_the_file(file: Path) -> None:
    _add(file, "[watch]\nsettle = 1.0\n")
    reading = read(
        file,
        {
            "HAIKEI_WATCH__SETTLE": "0.25",
            "HAIKEI_TRACKER__KEY": "s3cret",
            "HAIKEI_TRACKER__LAYOUT_TYPES": '["Genzu"]',
            "HAIKEI_SETTINGS": str(file),
            "HOME": "/elsewhere",
        },
    )

    assert reading.settings is not None
    assert reading.settings.watch.settle == 0.25
    assert reading.settings.tracker.layout_types == ("Genzu",)
    assert reading.settings.tracker.key is not None
    assert reading.settings.tracker.key.get_secret_value() == "s3cret"
    assert "watch.settle" in reading.from_environment


def test_a_secret_never_shows_when_settings_are_printed(file: Path) -> None:
    settings = load(file, {"HAIKEI_TRACKER__KEY": "s3cret"})

    assert "s3cret" not in repr(settings)
    assert "s3cret" not in settings.model_dump_json()


def test_every_mistake_is_said_at_once_with_key_and_what_is_allowed(file: Path) -> None:
    _add(
        file,
        """
[tracker]
key = "secret"
timeout = "soon"
colour = 3
[watch]
mode = "fast"
[[watch.folders]]
path = "in"
template = "{nonsense}/{shot}.png"
[[routes]]
variants = [{ season = "monsoon" }]
""",
    )

    with pytest.raises(SettingsError) as caught:
        load(file, {"HAIKEI_TRAKCER__KEY": "x"})

    text = str(caught.value)
    assert f"{file} has 7 mistakes" in text
    for part in (
        "tracker.key: found a secret",
        "tracker.timeout: found 'soon'",
        "tracker.colour: found a name that is no setting",
        "watch.mode: found 'fast'; allowed is 'auto', 'native' or 'polling'",
        "watch.folders[0].template",
        "routes[0].variants[0].season: found 'monsoon'",
        "environment variable HAIKEI_TRAKCER__KEY",
    ):
        assert part in text
    assert '"secret"' not in text


@pytest.mark.parametrize("section", ["tracker", "web"])
@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://aoi:secret@host.example", "must be the root of a host"),
        ("https://aoi@host.example", "must be the root of a host"),
        ("https://host.example/pages", "must be the root of a host"),
        ("https://host.example/?next=1", "must be the root of a host"),
        ("https://host.example/#top", "must be the root of a host"),
        ("ftp://host.example", "URL scheme should be 'http' or 'https'"),
        ("host.example", "URL"),
        ("https://", "URL"),
    ],
)
def test_an_address_that_is_no_root_of_a_host_is_refused_by_its_key(
    file: Path, section: str, address: str, words: str
) -> None:
    _add(file, f'[{section}]\nurl = "{address}"\n')

    with pytest.raises(SettingsError) as refused:
        load(file)

    assert f"{section}.url" in str(refused.value)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_misspelt_name_is_answered_with_the_nearest_one(file: Path) -> None:
    _add(file, "[watch]\nsettel = 1\n")

    with pytest.raises(SettingsError, match="did you mean 'settle'"):
        load(file, {})


def test_settings_that_contradict_each_other_are_mistakes(file: Path) -> None:
    _add(
        file,
        """
[[storage.roots]]
name = "primary"
path = "elsewhere"
[[watch.folders]]
path = "in"
template = "{project}/{name}.png"
[[routes]]
recipe = "oil"
[recipes.own]
stages = [{ name = "gen1", generator = "diffusers", model = "none-such" }]
[engine]
devices = [{ name = "cpu" }, { name = "cpu" }]
""",
    )
    text = GOOD.replace(
        "[[storage.roots]]", '[storage]\nbackground = "{shot}.png"\n[[storage.roots]]'
    )
    file.write_text(file.read_text(encoding="utf-8").replace(GOOD, text), encoding="utf-8")

    keys = {mistake.key for mistake in read(file, {}, built_in_recipes=RECIPES).mistakes}

    assert keys == {
        "storage.roots[1].name",
        "storage.background",
        "watch.folders[0].template",
        "routes[0].recipe",
        "recipes.own.stages[0].model",
        "engine.devices",
    }


@pytest.mark.parametrize("text", ["[studio", "a = ", "\x00"])
def test_a_file_that_is_no_toml_is_named(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")

    with pytest.raises(SettingsError, match="not valid TOML"):
        load(file, {})


def test_a_missing_file_is_answered_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="haikei config init"):
        load(tmp_path / "none.toml", {})


def test_the_settings_file_is_the_one_given_or_named_or_here(tmp_path: Path) -> None:
    assert settings_path(tmp_path / "a.toml", {}) == tmp_path / "a.toml"
    assert settings_path(None, {"HAIKEI_SETTINGS": str(tmp_path / "b.toml")}) == tmp_path / "b.toml"
    assert settings_path(None, {}) == Path("haikei.toml").absolute()


def test_the_starter_file_is_valid_and_says_every_setting(tmp_path: Path) -> None:
    file = tmp_path / "haikei.toml"
    file.write_text(starter(), encoding="utf-8")

    assert isinstance(load(file, {}, built_in_recipes=RECIPES), Settings)
    text = starter()
    for setting in describe():
        assert setting.text, f"{setting.section} {setting.name} has no documentation"
        assert f"{setting.name} = " in text


def test_a_starter_line_that_is_uncommented_still_loads(tmp_path: Path) -> None:
    file = tmp_path / "haikei.toml"
    settings = [one for one in describe() if one.default and one.section.count("[") == 1]
    for setting in settings:
        if "NAME" in setting.section:
            continue
        line = f"# {setting.name} = {setting.default}\n"
        before, header, after = starter().partition(f"\n{setting.section}\n")
        assert line in after
        file.write_text(before + header + after.replace(line, line[2:], 1), encoding="utf-8")
        load(file, {}, built_in_recipes=RECIPES)


def test_the_studios_recipe_wins_over_a_built_in_one(file: Path) -> None:
    _add(file, '[recipes.watercolour]\nstages = [{ name = "one", generator = "painter" }]\n')
    settings = load(file, {}, built_in_recipes=RECIPES)

    assert [stage.name for stage in recipe(settings, "watercolour").stages] == ["one"]
    with pytest.raises(SettingsError, match="watercolour"):
        recipe(settings, "none-such")


def test_the_first_route_that_fits_is_taken(file: Path) -> None:
    _add(
        file,
        """
[[routes]]
project = "PORT*"
shot = "c1??"
place = "port"
[[routes]]
project = "PORT*"
place = "village"
""",
    )
    settings = load(file, {}, built_in_recipes=RECIPES)

    def place(project: str, shot: str) -> str | None:
        route = settings.route(project=project, sequence="s01", shot=shot)
        return route.place if route else None

    assert place("PORT", "c100") == "port"
    assert place("PORT", "c200") == "village"
    assert place("OTHER", "c100") is None
