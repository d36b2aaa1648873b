"""
What do pipelines of real sizes take on a GPU: memory, seconds a picture, what staying warm saves?

The weights are random numbers in the shapes of SDXL and of FLUX.2 klein 4B, made on this machine:
pictures mean nothing, but memory and time are those of the real models. Both go through
`DiffusersGenerator` as a worker's do: SDXL in float16, klein in bfloat16, three recipes in turn.
Then pictures of SDXL wait, and are computed four in one call: how much sooner, in how much memory,
and how far they are from the same pictures alone.
Without a GPU it says so and ends with exit code 3.

    python benchmarks/gpu/pipelines.py --seconds 420 --json
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from haikei.generators import GenerationRequest, Progress, StageOrder
from haikei.generators.diffusers.generator import DiffusersGenerator
from haikei.images import Picture
from haikei.settings import Settings

GIB = 1024**3
NO_GPU = 3
SIZE = (1024, 576)
WORDS = "hand painted background of a port in summer at noon clear light no people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one kind of model took."""

    model: str
    parameters: int
    precision: str
    first: float  #: seconds of the first picture, with loading
    picture: float  #: seconds of each picture after, the median
    steps: int
    peak: float  #: GiB of GPU memory at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Pictures that wait, computed together."""

    size: int  #: pictures in one call
    picture: float  #: seconds of each
    alone: float  #: and of each where they are computed alone, in the same run
    peak: float  #: GiB of GPU memory at most
    differs: float  #: the greatest difference to the same picture alone, in levels of 255
    differs_mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run gave."""

    device: str
    memory: float  #: GiB that the device has
    torch: str
    size: str
    models: tuple[Taken, ...]
    interleaved: int  #: pictures of three recipes in turn
    loads: int  #: times that a model was loaded for them
    interleaved_seconds: float  #: a picture
    batches: Batches | None


def tokenizer(transformers: Any) -> Any:
    """Return a CLIP tokenizer of letters, as long as the real one's prompts are."""
    letters = [chr(code) for code in range(33, 127)]
    names = [*letters, *(f"{one}</w>" for one in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {name: place for place, name in enumerate(names)}
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def sdxl(torch: Any, transformers: Any, diffusers: Any) -> Any:
    """Return a pipeline of SDXL's shapes."""
    words = tokenizer(transformers)

    def encoder(kind: str, width: int, layers: int, heads: int, act: str) -> Any:
        return getattr(transformers, kind)(
            transformers.CLIPTextConfig(
                vocab_size=len(words), hidden_size=width, intermediate_size=4 * width,
                num_hidden_layers=layers, num_attention_heads=heads, projection_dim=width,
                hidden_act=act, bos_token_id=words.bos_token_id,
                eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id,
            )
        )  # fmt: skip

    # Its table of noise levels is read, wherever the weights are made.
    with torch.device("cpu"):
        scheduler = diffusers.EulerDiscreteScheduler(
            beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012
        )
    return diffusers.StableDiffusionXLPipeline(
        vae=diffusers.AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2, latent_channels=4,
            scaling_factor=0.13025, force_upcast=False,
        ),
        text_encoder=encoder("CLIPTextModel", 768, 12, 12, "quick_gelu"),
        text_encoder_2=encoder("CLIPTextModelWithProjection", 1280, 32, 20, "gelu"),
        tokenizer=words, tokenizer_2=words,
        unet=diffusers.UNet2DConditionModel(
            sample_size=128, block_out_channels=(320, 640, 1280), layers_per_block=2,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            transformer_layers_per_block=[1, 2, 10], attention_head_dim=[5, 10, 20],
            cross_attention_dim=2048, addition_embed_type="text_time",
            addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
            use_linear_projection=True,
        ),
        scheduler=scheduler,
    )  # fmt: skip


def klein(torch: Any, transformers: Any, diffusers: Any) -> Any:
    """Return a pipeline of the shapes of FLUX.2 klein 4B, with its encoder of 4B as well."""
    alphabet = sorted(import_module("tokenizers").pre_tokenizers.ByteLevel.alphabet())
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    words = transformers.Qwen2Tokenizer(
        vocab={word: place for place, word in enumerate((*alphabet, *special))}, merges=[]
    )
    words.chat_template = "{% for one in messages %}{{ one['content'] }}{% endfor %}"
    return diffusers.Flux2KleinPipeline(
        transformer=diffusers.Flux2Transformer2DModel(
            patch_size=1, in_channels=128, num_layers=5, num_single_layers=20,
            attention_head_dim=128, num_attention_heads=24, joint_attention_dim=7680,
            axes_dims_rope=(32, 32, 32, 32), guidance_embeds=False,
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=diffusers.AutoencoderKLFlux2(),
        text_encoder=transformers.Qwen3ForCausalLM(
            transformers.Qwen3Config(
                hidden_size=2560, intermediate_size=9728, num_hidden_layers=36,
                num_attention_heads=32, num_key_value_heads=8, head_dim=128, vocab_size=2048,
            )
        ),
        tokenizer=words, is_distilled=True,
    )  # fmt: skip


@contextmanager
def made_of(torch: Any, dtype: Any) -> Generator[None]:
    """Make modules in this format on the GPU, where random numbers cost nothing."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device("cuda"):
            yield
    finally:
        torch.set_default_dtype(before)


def build(kind: str, folder: Path) -> int:
    """Save a pipeline of this kind in `folder`, and return how many parameters it has."""
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
    diffusers: Any = import_module("diffusers")
    make, dtype = {"sdxl": (sdxl, torch.float16), "klein": (klein, torch.bfloat16)}[kind]
    with made_of(torch, dtype):
        pipe = make(torch, transformers, diffusers)
    parts = [part for part in pipe.components.values() if hasattr(part, "parameters")]
    pipe.to(dtype).save_pretrained(folder)
    return sum(tensor.numel() for part in parts for tensor in part.parameters())


def settings_of(folder: Path, kinds: Mapping[str, Path], batch: int = 1) -> Settings:
    """Return settings with these models on the first GPU."""
    terms = {
        "version": "1", "licence": "CC0-1.0", "licence_url": "https://creativecommons.org/",
        "commercial": "yes", "data": "None: its weights are random numbers.",
    }  # fmt: skip
    return Settings.model_validate(
        {
            "studio": {"state": folder / "state"},
            "storage": {"roots": [{"name": "work", "path": folder}]},
            "engine": {"devices": [{"name": "cuda:0", "batch": batch}]},
            "models": {
                kind: {**terms, "name": kind, "folder": path} for kind, path in kinds.items()
            },
        }
    )


def make(generator: DiffusersGenerator, kind: str, steps: int, seed: int) -> float:
    """Make one picture and return the seconds that it took."""
    begun = time.perf_counter()
    picture_of(generator, kind, steps, seed)
    return time.perf_counter() - begun


def picture_of(generator: DiffusersGenerator, kind: str, steps: int, seed: int) -> Picture:
    """Make one picture."""
    options: dict[str, float] = {"steps": steps}
    if kind == "sdxl":
        options |= {"strength": 1.0}
    order = StageOrder(generator="diffusers", model=kind, options=tuple(sorted(options.items())))
    described = generator.describe(order)
    layout = Picture(pixels=np.ones((SIZE[1], SIZE[0], 3), np.float32))
    request = GenerationRequest(
        layout_sha256="0" * 64, previous_sha256="", stage="gen1", generator="diffusers",
        system=described.system, model=kind, options=order.options, prompt=WORDS,
        negative_prompt="", place="port", season="summer", time="day", seed=seed,
        width=SIZE[0], height=SIZE[1], colour_space="srgb", libraries=described.libraries,
    )  # fmt: skip
    result = generator.generate(request, layout=layout, previous=None, progress=_silent)
    return result.picture


def _silent(_: Progress) -> None:
    """Take progress and do nothing with it."""


def together(torch: Any, folder: Path, kinds: Mapping[str, Path], steps: int = 20) -> Batches:
    """Let twelve pictures of SDXL wait: for a device that takes one at a time, and for four."""
    size, seeds = 4, range(12)
    pictures: dict[int, list[Picture]] = {}
    times: dict[int, float] = {}
    for batch in (1, size):
        generator = DiffusersGenerator(settings_of(folder, kinds, batch))
        make(generator, "sdxl", steps, 99)
        torch.cuda.reset_peak_memory_stats()
        begun = time.perf_counter()
        with ThreadPoolExecutor(2 * size) as pool:
            made = [pool.submit(picture_of, generator, "sdxl", steps, seed) for seed in seeds]
            pictures[batch] = [one.result() for one in made]
        times[batch] = (time.perf_counter() - begun) / len(seeds)
        peak = torch.cuda.max_memory_allocated() / GIB
        del generator
        torch.cuda.empty_cache()
    apart = [
        np.abs(one.pixels - other.pixels) * 255
        for one, other in zip(pictures[1], pictures[size], strict=True)
    ]
    return Batches(
        size=size, picture=round(times[size], 3), alone=round(times[1], 3), peak=round(peak, 2),
        differs=round(float(max(one.max() for one in apart)), 2),
        differs_mean=round(float(np.mean(apart)), 4),
    )  # fmt: skip


def measure(seconds: float) -> Report:
    """Take all figures within so many seconds, as far as that goes."""
    torch: Any = import_module("torch")
    end = time.monotonic() + seconds
    card = torch.cuda.get_device_properties(0)
    taken: list[Taken] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds: dict[str, Path] = {}
        for kind, steps in (("sdxl", 20), ("klein", 4)):
            kinds[kind] = folder / kind
            parameters = build(kind, kinds[kind])
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            generator = DiffusersGenerator(settings_of(folder, kinds))
            first = make(generator, kind, steps, 0)
            more = [make(generator, kind, steps, seed) for seed in range(1, 6)]
            taken.append(
                Taken(
                    model=kind, parameters=parameters, steps=steps, first=round(first, 2),
                    precision={"sdxl": "float16", "klein": "bfloat16"}[kind],
                    picture=round(sorted(more)[len(more) // 2], 3),
                    peak=round(torch.cuda.max_memory_allocated() / GIB, 2),
                )
            )  # fmt: skip
            del generator
        batches = together(torch, folder, kinds) if time.monotonic() < end else None
        generator = DiffusersGenerator(settings_of(folder, kinds))
        recipes = (("sdxl", 20), ("klein", 4), ("sdxl", 8))
        times: list[float] = []
        while len(times) < 30 and time.monotonic() < end:
            kind, steps = recipes[len(times) % len(recipes)]
            times.append(make(generator, kind, steps, len(times)))
        warm = sorted(times[len(recipes) :])
        return Report(
            device=card.name, memory=round(card.total_memory / GIB, 1), torch=torch.__version__,
            size=f"{SIZE[0]}x{SIZE[1]}", models=tuple(taken), interleaved=len(times),
            loads=generator.loads,
            interleaved_seconds=round(sum(warm) / len(warm), 3) if warm else 0.0,
            batches=batches,
        )  # fmt: skip


def main() -> int:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=420.0, help="when to end")
    parser.add_argument("--json", action="store_true", help="for programs")
    given = parser.parse_args()
    torch: Any = import_module("torch")
    if not torch.cuda.is_available():
        print("There is no GPU here: nothing was measured.", file=sys.stderr)
        return NO_GPU
    report = measure(given.seconds)
    if given.json:
        print(json.dumps(asdict(report), indent=1))
        return 0
    print(f"{report.device}, {report.memory} GiB, torch {report.torch}, {report.size}")
    for one in report.models:
        print(
            f"{one.model}: {one.parameters / 1e9:.2f} billion weights in {one.precision}, "
            f"{one.peak} GiB at most, first picture {one.first} s, then {one.picture} s a picture "
            f"({one.steps} steps)"
        )
    print(
        f"three recipes in turn: {report.interleaved} pictures, {report.loads} loads, "
        f"{report.interleaved_seconds} s a picture"
    )
    if (found := report.batches) is not None:
        print(
            f"{found.size} in one call: {found.picture} s a picture, alone {found.alone} s; "
            f"{found.peak} GiB at most; {found.differs} levels of 255 apart at most, "
            f"{found.differs_mean} in the mean"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
