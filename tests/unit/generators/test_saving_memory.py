"""Where memory runs out, a picture is made with less of it, and the record says how."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haikei.errors import GeneratorUnavailable
from haikei.generators import GenerationRequest, GenerationResult, Progress, StageOrder
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.images import Picture
from haikei.models import open_model
from support.models import build_family, tiny_settings

DRAWN = Picture(pixels=np.random.default_rng(0).random((64, 64, 3), dtype=np.float32))
ORDER = StageOrder(generator="diffusers", model="tiny", options=(("steps", 3),))


class Scarce:
    """A decoder that finds memory only after some tries."""

    def __init__(self, vae: Any, failures: int) -> None:
        self.failures = failures
        self.tried: list[tuple[bool, bool]] = []
        self._vae = vae
        self._decode = vae.decode

    def decode(self, *given: Any, **more: Any) -> Any:
        self.tried.append((self._vae.use_tiling, self._vae.use_slicing))
        if len(self.tried) <= self.failures:
            raise import_module("torch").OutOfMemoryError("no memory")
        return self._decode(*given, **more)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_family("sd15", tmp_path_factory.mktemp("saving") / "sd15")


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Let the VAE of what is loaded from now on fail; say how often before."""
    diffusers: Any = import_module("diffusers")
    state: dict[str, Any] = {"failures": 0}
    load = diffusers.AutoencoderKL.from_pretrained

    def loaded(*given: Any, **more: Any) -> Any:
        found = load(*given, **more)
        vae = found[0] if isinstance(found, tuple) else found
        state["decoder"] = Scarce(vae, state["failures"])
        vae.decode = state["decoder"].decode
        return found

    monkeypatch.setattr(diffusers.AutoencoderKL, "from_pretrained", loaded)
    return state


def make(generator: DiffusersGenerator) -> GenerationResult:
    described = generator.describe(ORDER)
    request = GenerationRequest(
        layout_sha256="0" * 64, previous_sha256="", stage="gen1", generator="diffusers",
        system=described.system, model="tiny", options=ORDER.options, prompt="port",
        negative_prompt="", place="", season="summer", time="day", seed=3, width=64, height=64,
        colour_space="srgb", libraries=described.libraries,
    )  # fmt: skip
    return generator.generate(request, layout=DRAWN, previous=None, progress=_silent)


def _silent(_: Progress) -> None:
    """Take progress and do nothing with it."""


def test_a_model_that_runs_out_of_memory_decodes_in_tiles_and_says_so(
    base: Path, tmp_path: Path, scarce: dict[str, Any]
) -> None:
    settings = tiny_settings(tmp_path, {"tiny": {"folder": base}})
    plain = make(DiffusersGenerator(settings))
    scarce["failures"] = 1
    generator = DiffusersGenerator(settings)
    saved = make(generator)

    assert scarce["decoder"].tried == [(False, False), (True, True)]
    assert "To save memory the picture was decoded in tiles." in make(generator).notes
    assert "To save memory the picture was decoded in tiles." in saved.notes
    assert not any("To save memory" in note for note in plain.notes)
    scarce["failures"] = 0
    fixed = tiny_settings(tmp_path, {"tiny": {"folder": base, "memory": "tiled"}})
    assert saved.picture.sha256() == make(DiffusersGenerator(fixed)).picture.sha256()


def test_where_every_way_was_tried_it_waits_for_memory(
    base: Path, tmp_path: Path, scarce: dict[str, Any]
) -> None:
    scarce["failures"] = 9
    with pytest.raises(GeneratorUnavailable, match="not enough free memory"):
        make(DiffusersGenerator(tiny_settings(tmp_path, {"tiny": {"folder": base}})))

    assert len(scarce["decoder"].tried) == 3


@pytest.mark.parametrize(("memory", "tries"), [("whole", 1), ("tiled", 1), ("offloaded", 1)])
def test_a_way_that_the_settings_fix_is_kept(
    base: Path, tmp_path: Path, scarce: dict[str, Any], memory: str, tries: int
) -> None:
    settings = tiny_settings(tmp_path, {"tiny": {"folder": base, "memory": memory}})
    scarce["failures"] = 1
    with pytest.raises(GeneratorUnavailable):
        make(DiffusersGenerator(settings))

    tiled = memory != "whole"
    assert scarce["decoder"].tried == [(tiled, tiled)] * tries
    assert open_model(settings, "tiny").memory == memory
