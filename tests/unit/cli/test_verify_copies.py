"""`haikei verify` recognises stripped and changed copies of published pictures."""

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner, Result

from haikei.cli import app
from haikei.credits import ImageKind, Person, SourceType
from haikei.database import open_database
from haikei.fingerprint import fingerprint_text
from haikei.images import Picture, read_picture, resize, write_picture
from haikei.provenance import MarkSigner, mark
from support.drawings import a_drawing, cropped, recoloured
from support.pictures import gamma
from support.records import (
    SATO,
    TANAKA,
    a_background,
    a_chain,
    a_person,
    save_background,
)
from support.signing import mark_request, signing_settings

SETTINGS = """
[studio]
state = "state"
[[storage.roots]]
name = "primary"
path = "projects"
"""
MORI = a_person(31, name="K. Mori", name_ja="森健")


@dataclass(frozen=True)
class Studio:
    """A studio that published some backgrounds."""

    folder: Path

    def publish(
        self,
        picture: Picture,
        shot: str,
        *,
        season: str = "summer",
        version: int = 1,
        by: Person = SATO,
        fingerprint: bool = True,
    ) -> Path:
        """Publish and record a background, marked, in 16 bits."""
        told = a_background(shot, season=season, version=version)
        plain = self.folder / f"plain-{told.code}.png"
        write_picture(picture, plain)
        marked = mark(
            mark_request(
                plain,
                self.folder / "projects" / f"{told.code}.png",
                kind=ImageKind.BACKGROUND,
                source_type=SourceType.DIGITAL_CREATION,
            ),
            MarkSigner.from_settings(signing_settings(self.folder)),
        ).path
        *earlier, last = a_chain(told.code, touch_up_by=(by,))
        final = replace(
            last,
            sha256=hashlib.sha256(marked.read_bytes()).hexdigest(),
            pixels_sha256=read_picture(marked).sha256(),
            path=marked.name,
            fingerprint=fingerprint_text(picture) if fingerprint else "",
        )
        database = open_database(f"sqlite:///{self.folder / 'state' / 'haikei.db'}")
        with database.begin() as connection:
            save_background(connection, replace(told, images=(*earlier, final)))
        database.dispose()
        return marked


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    for name in list(os.environ):
        if name.startswith("HAIKEI_"):
            monkeypatch.delenv(name)
    (tmp_path / "projects").mkdir()
    (tmp_path / "haikei.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Studio(tmp_path)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["verify", *arguments])


def examined(path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = call(str(path), "--json", *arguments)
    (found,) = json.loads(result.output)["files"]
    return result.exit_code, found


def kinds(found: dict[str, Any]) -> set[str]:
    return {problem["kind"] for problem in found["problems"]}


def _eight_bits(picture: Picture, path: Path) -> Path:
    write_picture(picture, path, bits=8)
    return path


def _half_jpeg(picture: Picture, path: Path) -> Path:
    small = resize(picture, picture.width // 2, picture.height // 2)
    return _saved(small, path.with_suffix(".jpg"), quality=90)


def _cropped_tiff(picture: Picture, path: Path) -> Path:
    return _saved(cropped(picture, 0.06, 0.02, 0.0, 0.09), path.with_suffix(".tif"))


def _darker_jpeg(picture: Picture, path: Path) -> Path:
    return _saved(gamma(picture, 1.2), path.with_suffix(".jpg"), quality=70)


def _saved(picture: Picture, path: Path, **options: Any) -> Path:
    Image.fromarray(np.rint(picture.pixels * 255).astype(np.uint8)).save(path, **options)
    return path


@pytest.mark.parametrize("copied", [_eight_bits, _half_jpeg, _cropped_tiff, _darker_jpeg])
def test_a_stripped_and_changed_copy_is_recognised_with_its_people(
    studio: Studio, copied: Any
) -> None:
    pictures = [a_drawing(number) for number in range(3)]
    for number, picture in enumerate(pictures):
        studio.publish(picture, f"c01{number}", by=MORI if number == 1 else SATO)
    copy = copied(pictures[1], studio.folder / "copy.png")

    code, found = examined(copy)
    shown = call(str(copy)).output

    assert code == 1
    assert (found["recognition"], found["confidence"]) == ("likeness", "sure")
    assert found["version"] == "c011_bg_summer_day_v001"
    assert kinds(found) == {"changed_copy"}
    assert {TANAKA.name in found["credit"], MORI.name in found["credit"]} == {True}
    assert SATO.name not in found["credit"]
    assert "recognised as c011_bg_summer_day_v001, ledger entry" in shown
    assert "by its likeness: sure" in shown
    assert MORI.name in shown
    assert "unrecorded" not in shown


def test_the_published_file_itself_is_known_by_its_bytes(studio: Studio) -> None:
    picture = a_drawing(1)
    published = studio.publish(picture, "c011")
    studio.publish(picture, "c012", version=2)

    _, found = examined(published)

    assert (found["recognition"], found["confidence"]) == ("bytes", None)
    assert found["version"] == "c011_bg_summer_day_v001"
    assert found["near"] == []


def test_a_copy_of_one_season_is_not_taken_for_another(studio: Studio) -> None:
    summer = a_drawing(1)
    autumn = recoloured(summer)
    studio.publish(summer, "c011", by=SATO)
    studio.publish(autumn, "c011", season="autumn", by=MORI)

    _, found = examined(_half_jpeg(autumn, studio.folder / "copy.png"))

    assert found["version"] == "c011_bg_autumn_day_v001"
    assert found["confidence"] == "sure"
    assert SATO.name not in found["credit"]
    assert [(one["likeness"], one["as_near"]) for one in found["near"]] == [
        ("copy", True),
        ("drawing", False),
    ]


def test_a_season_that_was_never_published_is_unrecorded_and_its_drawing_named(
    studio: Studio,
) -> None:
    studio.publish(a_drawing(1), "c011")

    code, found = examined(_half_jpeg(recoloured(a_drawing(1)), studio.folder / "copy.png"))

    assert code == 5
    assert (found["recognition"], found["credit"]) == ("unknown", None)
    assert kinds(found) == {"unrecorded"}
    (problem,) = found["problems"]
    assert "shows the drawing of c011_bg_summer_day_v001.png" in problem["message"]
    assert "in other colours" in problem["message"]


def test_versions_that_cannot_be_told_apart_are_all_named_and_nobody_is_credited_for_both(
    studio: Studio,
) -> None:
    first = a_drawing(1)
    pixels = first.pixels.copy()
    pixels[80:84, 100:104] *= 0.9
    studio.publish(first, "c011", by=SATO)
    studio.publish(Picture(pixels=pixels), "c011", version=2, by=MORI)
    copy = _half_jpeg(first, studio.folder / "copy.png")

    code, found = examined(copy)
    shown = call(str(copy)).output

    assert (code, found["confidence"], found["credit"]) == (1, "one of several", None)
    (problem,) = found["problems"]
    for version, artist in ((1, SATO), (2, MORI)):
        assert f"c011_bg_summer_day_v00{version}.png" in problem["message"]
        assert artist.name in shown
    assert "cannot tell which" in problem["message"]


def test_a_picture_of_somebody_else_is_like_nothing(studio: Studio) -> None:
    studio.publish(a_drawing(1), "c011")

    code, found = examined(_half_jpeg(a_drawing(2), studio.folder / "other.png"))

    assert (code, found["recognition"], found["near"]) == (5, "unknown", [])
    assert "nor any picture like them" in found["problems"][0]["message"]


def test_a_record_without_a_fingerprint_stays_valid_and_recognises_no_copies(
    studio: Studio,
) -> None:
    published = studio.publish(a_drawing(1), "c011", fingerprint=False)
    newer = studio.publish(a_drawing(3), "c012")

    whole, old = examined(published)
    same, new = examined(newer)
    copied, copy = examined(_half_jpeg(a_drawing(1), studio.folder / "copy.png"))

    assert (whole, old["recognition"], kinds(old)) == (same, "bytes", kinds(new))
    assert (copied, copy["recognition"]) == (5, "unknown")


def test_a_copy_through_a_trained_model_is_both_a_copy_and_undeclared(studio: Studio) -> None:
    picture = a_drawing(1)
    studio.publish(picture, "c011")
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", '{"nodes": [{"type": "KSampler"}]}')
    copy = _saved(gamma(picture, 0.9), studio.folder / "copy.png", pnginfo=info)

    code, found = examined(copy, "--declare", "no-ai")

    assert code == 1
    assert kinds(found) == {"changed_copy", "undeclared_ai"}
