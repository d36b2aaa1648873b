"""`haikei verify` answers a delivery's CI in exit codes."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.provenance import MarkSigner, mark
from support.signing import mark_request, signing_settings, write_noise

SETTINGS = """
[studio]
state = "state"
[[storage.roots]]
name = "primary"
path = "projects"
"""


@pytest.fixture(autouse=True)
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("HAIKEI_"):
            monkeypatch.delenv(name)
    (tmp_path / "projects").mkdir()
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["verify", *arguments])


def marked(folder: Path) -> Path:
    signer = MarkSigner.from_settings(signing_settings(folder))
    return mark(
        mark_request(write_noise(1, folder / "plain.png"), folder / "c012.png"), signer
    ).path


def generated(path: Path) -> Path:
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", '{"nodes": [{"type": "KSampler"}]}')
    Image.new("RGB", (32, 24), (90, 120, 200)).save(path, pnginfo=info)
    return path


def test_a_file_that_the_ledger_does_not_know_ends_with_5(studio: Path) -> None:
    result = call(str(marked(studio)))

    assert result.exit_code == 5
    assert "trusted" in result.output
    assert "unrecorded" in result.output


def test_a_broken_file_ends_with_1_and_says_what_to_do(studio: Path) -> None:
    path = marked(studio)
    path.write_bytes(path.read_bytes().replace(b"Yuki Tanaka", b"Yuki Tanaki", 1))

    result = call(str(path), "--declare", "no-ai")

    assert result.exit_code == 1
    assert "do not hold" in result.output


def test_a_delivery_with_undeclared_ai_ends_with_4(studio: Path) -> None:
    folder = studio / "delivery"
    folder.mkdir()
    generated(folder / "bg.png")
    Image.new("RGB", (32, 24), (1, 2, 3)).save(folder / "clean.png")

    result = call(str(folder), "--declare", "no-ai", "--json")

    assert result.exit_code == 4
    files = {Path(one["path"]).name: one for one in json.loads(result.output)["files"]}
    assert files["clean.png"]["verdict"] == "ok"
    assert files["bg.png"]["verdict"] == "undeclared_ai"


@pytest.mark.parametrize("ending", ["html", "csv", "json", "txt"])
def test_a_transcript_says_the_same(studio: Path, ending: str) -> None:
    path = studio / f"transcript.{ending}"

    call(str(generated(studio / "bg.png")), "--declare", "undeclared", "--transcript", str(path))

    assert "workflow" in path.read_text(encoding="utf-8") or ending == "csv"
    assert "bg.png" in path.read_text(encoding="utf-8")


def test_outside_a_studio_marks_are_checked_alone(
    studio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = marked(studio)
    elsewhere = studio / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    root = studio / "state/keys/development-c2pa/root.pem"

    result = call(str(path), "--trust", str(root))

    assert result.exit_code == 0, result.output


def test_both_kinds_of_declaration_are_one_too_many(studio: Path) -> None:
    path = generated(studio / "bg.png")

    assert call(str(path), "--declare", "no-ai", "--declaration", "x.toml").exit_code == 2
