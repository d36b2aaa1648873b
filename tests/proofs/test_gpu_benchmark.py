"""benchmarks/gpu/pipelines.py has the sizes that it claims, and says so where there is no GPU."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest

from support.clocks import PATIENCE

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu" / "pipelines.py"


def test_without_a_gpu_nothing_is_measured_and_it_says_so() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert "There is no GPU here: nothing was measured." in done.stderr


@pytest.mark.parametrize(
    ("kind", "part", "billions"),
    [
        ("sdxl", "unet", 2.567),
        ("sdxl", "text_encoder_2", 0.694),
        ("sdxl", "vae", 0.084),
        ("klein", "transformer", 3.88),
    ],
)
def test_its_models_have_the_weights_of_the_real_ones(
    kind: str, part: str, billions: float
) -> None:
    torch: Any = import_module("torch")
    with torch.device("meta"):
        pipe = run_path(str(SCRIPT))[kind](
            torch, import_module("transformers"), import_module("diffusers")
        )
    found = sum(tensor.numel() for tensor in getattr(pipe, part).parameters())

    # Vocabularies are of letters here, and hardly weigh.
    assert found / 1e9 == pytest.approx(billions, rel=0.1)
