"""
The table of docs/reference/generators.md: what stands beside a model of each family, and what
guides it. Each cell is a run of the real classes with small random weights, or a refusal.

`WRITE_TABLE=1 pytest tests/proofs/test_model_table.py` writes the table anew.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from haikei.errors import HaikeiError
from haikei.generators import GenerationRequest, Progress, StageOrder
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.images import Picture
from support.model_forms import (
    save_checkpoint,
    save_diffusers_lora,
    save_embedding,
    save_ip_adapter,
)
from support.models import build_controlnet, build_family, tiny_settings

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed:FutureWarning"),
]
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "generators.md"
HEAD = (
    "| model | one file | LoRA | textual inversion | other VAE | board | line | regions | depth |"
)
COLUMNS = ("file", "lora", "embedding", "vae", "board", "line", "regions", "depth")
ROWS = {
    "SD 1.5": "sd15",
    "SD 1.5, inpainting": "inpaint",
    "Pix2Pix": "pix2pix",
    "LCM": "lcm",
    "SDXL with or without Union": "sdxl",
    "SD 3.5": "sd3",
    "FLUX.1-dev": "flux",
    "FLUX.1 without guidance": "schnell",
    "Kontext": "kontext",
    "klein": "klein",
    "Qwen-Image of 2025": "qwen",
    "Z-Image, Turbo": "z-image",
    "Sana-Sprint": "sana",
    "Chroma1": "chroma",
}
GUIDED = ("sd15", "sdxl", "sd3", "flux", "schnell", "qwen", "z-image")
TERMS: Mapping[str, object] = {
    "licence": "Apache-2.0", "licence_url": "https://www.apache.org/licenses/LICENSE-2.0",
    "commercial": "yes", "data": "None: its weights are random numbers.",
}  # fmt: skip
NOISE = np.random.default_rng(0)
DRAWN = Picture(pixels=NOISE.random((72, 120, 3), dtype=np.float32))
BOARD = Picture(pixels=NOISE.random((80, 96, 3), dtype=np.float32))


@dataclass(slots=True)
class Bench:
    """Runs a model of one family in all of its forms."""

    folder: Path
    kind: str
    seen: set[str] = field(default_factory=set[str])

    @property
    def base(self) -> Path:
        folder = self.folder / "base"
        return folder if folder.is_dir() else build_family(self.kind, folder)

    def cell(self, column: str) -> str:
        entry, options = self._form(column)
        if entry is None:
            return "not tried"
        return self._made({"folder": self.base, **entry}, options, board=column == "board")

    def _form(self, column: str) -> tuple[dict[str, object] | None, Mapping[str, str]]:
        base, none = self.base, dict[str, str]()
        match column:
            case "file":
                if self.kind not in {"sd15", "sdxl"}:
                    return None, none
                file = save_checkpoint(base, self.folder / "all.safetensors")
                return {"folder": file, "config": base}, none
            case "lora":
                file = save_diffusers_lora(base, self.folder / "lora.safetensors")
                return {"loras": {"x": {**TERMS, "file": file}}}, {"loras": "x:1"}
            case "embedding":
                file = save_embedding(self.folder / "word.safetensors")
                if self.kind == "sdxl":
                    return None, none
                return {"embeddings": {"x": {**TERMS, "file": file, "word": "<port>"}}}, none
            case "vae":
                other = self.folder / "other"
                if not other.is_dir():
                    build_family(self.kind, other)
                    _change(other / "vae")
                return {"vae": other / "vae"}, none
            case "board":
                if self.kind not in {"sd15", "sdxl", "lcm", "inpaint", "pix2pix"}:
                    return {}, none
                file, encoder = save_ip_adapter(base, self.folder)
                return {"ip_adapter": {**TERMS, "file": file, "encoder": encoder}}, none
            case guide:
                kind = self.folder / "net"
                if self.kind in GUIDED and not kind.is_dir():
                    build_controlnet(base, kind, union=self.kind == "sdxl")
                return ({"controlnet": kind} if self.kind in GUIDED else {}), {"control": guide}

    def _made(self, entry: dict[str, object], options: Mapping[str, str], *, board: bool) -> str:
        generator = DiffusersGenerator(tiny_settings(self.folder / "studio", {"tiny": entry}))
        references: Sequence[Picture] = (BOARD,) if board else ()
        order = StageOrder(
            generator="diffusers", model="tiny",
            options=tuple(sorted([("steps", 3), *options.items()])), references=len(references),
        )  # fmt: skip
        try:
            described = generator.describe(order)
        except HaikeiError as error:
            return "refused: " + re.sub(r"^The model 'tiny' \(.*?\) ", "", error.message).strip(".")
        request = GenerationRequest(
            layout_sha256="0" * 64, previous_sha256="", stage="gen1", generator="diffusers",
            system=described.system, model="tiny", options=order.options,
            prompt="summer <port>", negative_prompt="", place="port", season="summer",
            time="day", seed=3, width=DRAWN.width, height=DRAWN.height, colour_space="srgb",
            libraries=described.libraries, references=tuple(one.sha256() for one in references),
        )  # fmt: skip
        picture = generator.generate(
            request, layout=DRAWN, previous=None, progress=ignore, references=references
        ).picture
        assert (picture.width, picture.height) == (DRAWN.width, DRAWN.height)
        # A form that leaves the picture as it is without it would be believed and do nothing.
        fresh = picture.sha256() not in self.seen or "config" in entry
        self.seen.add(picture.sha256())
        return "works" if fresh else "does nothing"

    def plain(self) -> None:
        self._made({"folder": self.base}, {}, board=False)


def ignore(_: Progress) -> None:
    """Take progress and do nothing with it."""


def _change(vae: Path) -> None:
    from safetensors.torch import load_file, save_file

    (file,) = vae.glob("*.safetensors")
    tensors = {name: tensor * 1.25 for name, tensor in load_file(file).items()}
    save_file(tensors, file, metadata={"format": "pt"})


def _row(text: str, name: str) -> str:
    found = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return found[0] if len(found) == 1 else ""


@pytest.mark.parametrize("name", ROWS)
def test_every_cell_of_the_table_of_forms_and_guides_is_true(name: str, tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path, kind=ROWS[name])
    bench.plain()

    made = f"| {name} | " + " | ".join(bench.cell(column) for column in COLUMNS) + " |"

    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("WRITE_TABLE"):
        rule = HEAD + "\n" + "|---" * (len(COLUMNS) + 1) + "|\n"
        there = {one: made if one == name else _row(text, one) for one in ROWS}
        start = text.index(rule)
        end = text.index("\n\n", start)
        rows = "\n".join(filter(None, there.values()))
        text = text[:start] + rule + rows + text[end:]
        PAGE.write_text(text, encoding="utf-8")
    assert "does nothing" not in made
    assert _row(text, name) == made, "WRITE_TABLE=1 writes the table anew"


def test_the_table_has_no_other_rows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index(HEAD) :].split("\n\n")[0].splitlines()

    assert len(table) == len(ROWS) + 2
