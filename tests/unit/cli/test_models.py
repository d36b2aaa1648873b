"""`haikei models` keeps the registry: what may make pictures, on which terms, for which shows."""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.errors import HaikeiError, ModelUnusable, SettingsError
from haikei.settings.editing import with_table, without_table
from support.models import TinyModel, build_tiny_model

SETTINGS = """# Ours.
[studio]
name = "Test Studio"
state = "state"
[storage]
reserve_mib = 0
[[storage.roots]]
name = "primary"
path = "projects"

[recipes.flat]  # the usual one
stages = [{ name = "gen1", generator = "painter" }]
"""
FACTS = (
    "--licence", "MIT", "--licence-url", "https://opensource.org/license/mit",
    "--commercial", "yes", "--data", "Random numbers.", "--data-class", "own",
    "--name", "Tiny", "--version", "1", "--provider", "Kawa",
)  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    return build_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture(autouse=True)
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "projects").mkdir()
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["models", *arguments])
    if isinstance(result.exception, HaikeiError):
        raise result.exception
    return result


def answer(*arguments: str) -> dict[str, object]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert isinstance(found, dict)
    return found


def test_a_model_is_added_with_the_hash_of_every_weight_file_and_removed_without_a_trace(
    tiny: TinyModel, studio: Path
) -> None:
    before = (studio / "haikei.toml").read_text(encoding="utf-8")

    planned = answer("add", "tiny", str(tiny.base), *FACTS, "--dry-run")
    assert (studio / "haikei.toml").read_text(encoding="utf-8") == before
    added = answer("add", "tiny", str(tiny.base), *FACTS)

    assert planned["sha256"] == added["sha256"]
    assert isinstance(added["sha256"], dict)
    assert len(added["sha256"]) == 3
    text = (studio / "haikei.toml").read_text(encoding="utf-8")
    assert text.startswith(before.rstrip())
    entry = tomllib.loads(text)["models"]["tiny"]
    assert entry["sha256"] == added["sha256"]
    assert (entry["data_class"], entry["provider"]) == ("own", "Kawa")
    shown = answer("show", "tiny")
    assert (shown["licence"], shown["data_class"]) == ("MIT", "own")
    assert isinstance(shown["files"], dict)
    assert set(added["sha256"]) <= set(shown["files"])
    listed = answer("list")["models"]
    assert isinstance(listed, list)
    assert [one["name"] for one in listed] == ["painter", "tiny", "upscale"]

    assert answer("remove", "tiny", "--dry-run")["removed"] is False
    assert answer("remove", "tiny")["removed"] is True
    assert (studio / "haikei.toml").read_text(encoding="utf-8").rstrip() == before.rstrip()


def test_facts_of_a_well_known_model_are_dated_and_can_be_taken(
    tiny: TinyModel, studio: Path
) -> None:
    known = answer("list", "--known")["models"]
    assert isinstance(known, list)
    assert all(one["seen"] and one["licence"] and one["data_class"] for one in known)

    result = run("add", "sd", str(tiny.base), "--known", "sd15")

    assert "Its facts are of 2026-11-22" in result.output
    entry = tomllib.loads((studio / "haikei.toml").read_text(encoding="utf-8"))["models"]["sd"]
    assert (entry["licence"], entry["commercial"]) == ("CreativeML-OpenRAIL-M", "conditional")
    with pytest.raises(ModelUnusable, match="No facts ship about a model 'sd99'"):
        run("add", "other", str(tiny.base), "--known", "sd99")


def test_a_model_without_its_facts_is_not_added(tiny: TinyModel, studio: Path) -> None:
    before = (studio / "haikei.toml").read_text(encoding="utf-8")

    with pytest.raises(ModelUnusable, match="Nothing says the licence"):
        run("add", "tiny", str(tiny.base))
    with pytest.raises(ModelUnusable, match="no model folder"):
        run("add", "tiny", str(studio / "gone"), *FACTS)

    assert (studio / "haikei.toml").read_text(encoding="utf-8") == before


def test_weights_that_changed_and_weights_of_unknown_hash_are_found(
    tmp_path: Path, studio: Path
) -> None:
    own = build_tiny_model(tmp_path / "own")
    answer("add", "tiny", str(own.base), *FACTS)
    assert run("verify").exit_code == 0
    assert run("verify", "painter").exit_code == 0

    weights = own.base / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)

    found = run("verify", "tiny")
    assert found.exit_code == 1
    assert "is not the file that the settings expect" in found.output
    text = (studio / "haikei.toml").read_text(encoding="utf-8")
    kept = text[: text.index("[models.tiny.sha256]")]
    (studio / "haikei.toml").write_text(kept, encoding="utf-8")
    found = run("verify")
    assert found.exit_code == 1
    assert "no SHA-256 is expected of" in found.output


def test_a_model_is_approved_for_a_show_with_its_weights_and_the_approval_withdrawn(
    tiny: TinyModel,
) -> None:
    answer("add", "tiny", str(tiny.base), *FACTS)
    who = ("--project", "PORT", "--by", "Ren Abe", "--anyway")

    assert answer("approve", "tiny", *who, "--new-person", "--dry-run")["ledger"] is None
    first = answer("approve", "tiny", *who, "--new-person", "--reference", "mail of 2026-11-02")
    answer("approve", "tiny", *who, "--withdraw")

    shown = answer("show", "tiny")["approvals"]
    assert isinstance(shown, list)
    assert [(one["project"], one["answer"]) for one in shown] == [("PORT", "yes"), ("PORT", "no")]
    assert first["ledger"] == 0
    assert all(str(first["sha256"]) in one["of"] for one in shown)
    assert shown[0]["reference"] == "mail of 2026-11-02"
    with pytest.raises(SettingsError, match="The registry has no 'brush'"):
        run("approve", "brush", *who)


def test_a_model_that_a_recipe_runs_is_not_removed(tiny: TinyModel, studio: Path) -> None:
    answer("add", "tiny", str(tiny.base), *FACTS)
    path = studio / "haikei.toml"
    recipe = '\n[recipes.ai]\nstages = [{name = "gen1", generator = "diffusers", model = "tiny"}]\n'
    path.write_text(path.read_text(encoding="utf-8") + recipe, encoding="utf-8")

    with pytest.raises(SettingsError, match="is used by the recipe ai"):
        run("remove", "tiny")


TABLES = '[a]\nx = 1\n\n[models.one]\ny = """\n[models.two]\n"""\n[models.two]\nz = 1\n'


def test_only_the_table_that_is_meant_is_taken_out_or_the_file_is_left_alone() -> None:
    assert tomllib.loads(without_table(TABLES, "models.two")) == {
        "a": {"x": 1}, "models": {"one": {"y": "[models.two]\n"}},
    }  # fmt: skip
    with pytest.raises(SettingsError, match="written so that changing it"):
        without_table('models = { one = { y = 1 } }\n[a]\nx = "models.one"\n', "models.one")
    with pytest.raises(SettingsError, match="have no"):
        without_table(TABLES, "models.three")
    with pytest.raises(SettingsError, match="already"):
        with_table(TABLES, "models.one", {"y": 1})


def test_a_generator_is_approved_by_what_stands_for_its_weights(studio: Path) -> None:
    with (studio / "haikei.toml").open("a", encoding="utf-8") as settings:
        settings.write(SERVICE)
    who = ("--project", "PORT", "--by", "Ren Abe", "--anyway", "--new-person")

    first = answer("approve", "cloud", *who)
    text = (studio / "haikei.toml").read_text(encoding="utf-8")
    (studio / "haikei.toml").write_text(text.replace("brush-1", "brush-2"), encoding="utf-8")
    second = answer("approve", "cloud", *who[:-1])

    assert {len(str(one["sha256"])) for one in (first, second)} == {64}
    assert first["sha256"] != second["sha256"]
    assert answer("show", "cloud")["contract"] == "Contract 17"


#: A service; nothing is asked of it.
SERVICE = """
[generators.cloud]
name = "Cloud brush"
version = "1"
provider = "Kawa Cloud"
runs = "cloud"
contract = "Contract 17"
licence = "terms of service"
licence_url = "https://cloud.example/terms"
commercial = "yes"
data = "Not disclosed."
[generators.cloud.images_api]
url = "https://cloud.example/v1"
model = "brush-1"
sends = ["layout", "prompt"]
"""
