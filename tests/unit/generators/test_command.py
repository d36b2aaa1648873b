"""A program of the studio's makes pictures: what it gets, what it may say, and how it is ended."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from haikei.credits import SourceType
from haikei.errors import (
    GenerationCancelled,
    GenerationError,
    GeneratorUnavailable,
    ModelUnusable,
    SettingsError,
)
from haikei.files import sha256_of
from haikei.generators import GenerationRequest, Progress, StageOrder, load_generator
from haikei.images import Picture
from haikei.settings import Settings
from support.clocks import eventually
from support.jobs import studio_settings

LAYOUT = Picture(pixels=np.random.default_rng(1).random((24, 32, 3), dtype=np.float32))
#: Halves the brightness of what it is given, as its option says.
PAINT = f"""
import json, sys
import numpy as np
sys.path[:0] = {[one for one in sys.path if one]!r}
from pathlib import Path
from haikei.images import Picture, decode_picture, write_picture
asked = json.load(sys.stdin)
assert "HAIKEI_TRACKER__KEY" not in __import__("os").environ
assert asked["prompt"] == "sea" and asked["seed"] == int(sys.argv[1]), asked
source = decode_picture(Path(asked.get("previous", asked["layout"]))).picture
print(json.dumps({{"step": 2, "steps": 4}}), flush=True)
print("mixing paint", file=sys.stderr)
factor = np.float32(dict(asked["options"])["factor"])
write_picture(Picture(pixels=source.pixels * factor), Path(sys.argv[2]))
"""


def settings_of(folder: Path, script: str, **more: object) -> Settings:
    file = folder / "tool.py"
    file.write_text(script, encoding="utf-8")
    entry: Mapping[str, object] = {
        "argv": [sys.executable, str(file), "{seed}", "{out}"],
        "name": "Kawa brush",
        "version": "7",
        "licence": "own",
        "licence_url": "https://studio.example/brush",
        "commercial": "yes",
        "data": "Our own paintings.",
        "takes": ["factor"],
        **more,
    }
    return studio_settings(folder, generators={"brush": entry})


def order_of(**options: float) -> StageOrder:
    return StageOrder(generator="brush", model="", options=tuple(options.items()))


def request_of(settings: Settings, **options: float) -> GenerationRequest:
    order = order_of(**options)
    described = load_generator("brush", settings).describe(order)
    return GenerationRequest(
        layout_sha256="0" * 64, previous_sha256="", stage="gen1", generator="brush",
        system=described.system, model="", options=order.options, prompt="sea",
        negative_prompt="", place="", season="summer", time="day", seed=5, width=32, height=24,
        colour_space="srgb", libraries=described.libraries,
    )  # fmt: skip


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


def run(settings: Settings, *, previous: Picture | None = None) -> Picture:
    request = request_of(settings, factor=0.5)
    generator = load_generator("brush", settings)
    return generator.generate(request, layout=LAYOUT, previous=previous, progress=ignore).picture


def test_a_program_gets_pictures_and_request_and_gives_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAIKEI_TRACKER__KEY", "secret")
    settings = settings_of(tmp_path, PAINT)
    before = Picture(pixels=np.full((24, 32, 3), 0.8, np.float32))

    assert np.abs(run(settings).pixels - LAYOUT.pixels / 2).max() < 1e-4
    assert np.abs(run(settings, previous=before).pixels - 0.4).max() < 1e-4


def test_the_record_names_the_program_and_the_hash_of_its_file(tmp_path: Path) -> None:
    described = load_generator("brush", settings_of(tmp_path, PAINT)).describe(order_of(factor=1))

    system = described.system
    assert (system.name, system.version, system.licence) == ("Kawa brush", "7", "own")
    assert system.sha256 == sha256_of(Path(sys.executable).resolve())
    assert system.source_type is SourceType.TRAINED
    assert not described.negates
    plain = settings_of(tmp_path, PAINT, trained=False, reads_words=True)
    described = load_generator("brush", plain).describe(order_of())
    assert (described.system.source_type, described.negates) == (SourceType.ALGORITHMIC, True)


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        ("import sys; sys.exit('no paint left')", GenerationError, "ended with 1: no paint left"),
        ("import sys; print('busy', file=sys.stderr); sys.exit(75)", GeneratorUnavailable, "busy"),
        ("pass", GenerationError, "ended well and wrote no picture"),
        ("import sys; open(sys.argv[2], 'w').write('x')", GenerationError, "no picture that can"),
        ("import os; os.abort()", GenerationError, "was ended by SIGABRT"),
    ],
)
def test_a_program_that_fails_says_why(
    tmp_path: Path, script: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        run(settings_of(tmp_path, script))


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    script = PAINT.replace("source.pixels * factor", "source.pixels[:8, :8] * factor")

    with pytest.raises(GenerationError, match="wrote 8 x 8 pixels where 32 x 24"):
        run(settings_of(tmp_path, script))


LINGER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, file=sys.stderr, flush=True)
open({place!r}, "w").write(str(child.pid))
print('{{"step": 1, "steps": 9}}', flush=True)
time.sleep(60)
"""


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    noted = tmp_path / "child"
    # A busy machine may take longer than that to start the program at all.
    for seconds in (1.5, 6.5, 60.5):
        settings = settings_of(tmp_path, LINGER.format(place=str(noted)), timeout=seconds)
        with pytest.raises(GenerationError, match=f"took longer than {seconds} seconds"):
            run(settings)
        if noted.exists():
            break

    _require_ended(noted)


def test_a_cancelled_program_is_ended(tmp_path: Path) -> None:
    noted = tmp_path / "child"
    settings = settings_of(tmp_path, LINGER.format(place=str(noted)))
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if progress.step == 1:
            message = "stopped"
            raise GenerationCancelled(message)

    generator = load_generator("brush", settings)
    with pytest.raises(GenerationCancelled):
        generator.generate(
            request_of(settings, factor=1.0), layout=LAYOUT, previous=None, progress=stop
        )

    assert seen[-1] == Progress(step=1, steps=9)
    _require_ended(noted)


def _require_ended(noted: Path) -> None:
    """Check that the child ends which a program has noted; it was killed, and may take a moment."""
    pid = int(noted.read_text(encoding="utf-8"))

    def ended() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    eventually(ended, "the end of the child")


def test_a_program_gets_no_more_memory_than_it_may_have(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "bytearray(1 << 30)", memory_mib=512)

    with pytest.raises(GenerationError, match="MemoryError"):
        run(settings)


@pytest.mark.parametrize(
    ("more", "order", "said"),
    [
        ({}, order_of(blur=1.0), "has no option 'blur'"),
        ({}, replace(order_of(), model="sdxl"), "takes no model"),
        ({"argv": ["/no/such/tool"]}, order_of(), "is not there"),
        ({"argv": [sys.executable, "{prompt}"]}, order_of(), "has {prompt}, which nothing"),
    ],
)
def test_what_cannot_be_run_is_refused_before(
    tmp_path: Path, more: Mapping[str, object], order: StageOrder, said: str
) -> None:
    generator = load_generator("brush", settings_of(tmp_path, PAINT, **more))

    with pytest.raises((SettingsError, ModelUnusable), match=said) as caught:
        generator.describe(order)

    assert caught.value.advice


def test_a_program_that_changed_after_the_request_is_not_run(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, PAINT)
    request = request_of(settings, factor=1.0)
    other = replace(request, system=replace(request.system, sha256="0" * 64))
    (tmp_path / "tool.py").write_text(f"{PAINT}\n", encoding="utf-8")

    for one in (request, other):
        with pytest.raises(ModelUnusable, match="changed after this picture was asked for"):
            load_generator("brush", settings).generate(
                one, layout=LAYOUT, previous=None, progress=ignore
            )
