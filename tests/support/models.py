"""
Tiny Stable Diffusion and ControlNet folders with random weights, built in about a second.

They run the very code paths of real models. What comes out is noise: for tests only, never shown
as a result.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from haikei.settings import Settings

#: Each of these is one token of the tiny vocabulary; other words are spelled letter by letter.
WORDS = (
    "spring",
    "summer",
    "autumn",
    "winter",
    "morning",
    "day",
    "sunset",
    "night",
    "port",
    "station",
    "village",
    "hills",
    "anime",
    "background",
    "painted",
    "sky",
    "sea",
    "trees",
    "houses",
    "snow",
    "people",
    "no",
)
#: The longest prompt, in tokens, with its start and end.
MAX_TOKENS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TinyModel:
    """Where the folders are."""

    base: Path  #: a pipeline without a ControlNet
    controlnet: Path  #: a ControlNet that fits it
    combined: Path  #: a pipeline that was saved with that ControlNet in it


def tiny_table(folder: Path) -> str:
    """Return what a studio says of a tiny model in its settings: the table `models.tiny`."""
    return f"""[models.tiny]
folder = "{folder}"
name = "Tiny"
version = "1"
licence = "Apache-2.0"
licence_url = "https://www.apache.org/licenses/LICENSE-2.0"
commercial = "yes"
data = "No data: its weights are random numbers."
"""


def build_tiny_model(folder: Path) -> TinyModel:
    """Build all three folders below `folder`; the same bytes come out each time."""
    torch, transformers, diffusers = _libraries()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        tokenizer = _tokenizer(transformers)
        text = transformers.CLIPTextModel(
            transformers.CLIPTextConfig(
                vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64,
                num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=MAX_TOKENS,
                bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id, projection_dim=32,
            )
        )  # fmt: skip
        vae = diffusers.AutoencoderKL(
            block_out_channels=(16, 32, 32, 32), down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=1, latent_channels=4,
            norm_num_groups=8,
        )  # fmt: skip
        unet = diffusers.UNet2DConditionModel(
            sample_size=32, in_channels=4, out_channels=4, block_out_channels=(32, 64, 64),
            down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"), layers_per_block=1,
            cross_attention_dim=32, attention_head_dim=4, norm_num_groups=8,
        )  # fmt: skip
        controlnet = diffusers.ControlNetModel.from_unet(
            unet, conditioning_channels=3, conditioning_embedding_out_channels=(8, 16, 24, 32)
        )
        _wake(torch, controlnet)
    parts: dict[str, Any] = {
        "vae": vae, "text_encoder": text, "tokenizer": tokenizer, "unet": unet,
        "scheduler": diffusers.DDIMScheduler(
            beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False,
            steps_offset=1, set_alpha_to_one=False,
        ),
        "safety_checker": None, "feature_extractor": None, "requires_safety_checker": False,
    }  # fmt: skip
    made = TinyModel(
        base=folder / "base", controlnet=folder / "controlnet", combined=folder / "combined"
    )
    diffusers.StableDiffusionPipeline(**parts).save_pretrained(made.base)
    controlnet.save_pretrained(made.controlnet)
    diffusers.StableDiffusionControlNetImg2ImgPipeline(
        **parts, controlnet=controlnet
    ).save_pretrained(made.combined)
    for file in folder.rglob("*"):
        if file.is_file():
            # Weights are saved readable by their owner alone, which shared storage cannot use.
            file.chmod(0o644)
    return made


def tiny_settings(folder: Path, models: Mapping[str, Mapping[str, object]]) -> Settings:
    """Return a studio's settings with these models; what an entry leaves out is filled in."""
    declared = {
        "name": "Tiny",
        "version": "1",
        "licence": "Apache-2.0",
        "licence_url": "https://www.apache.org/licenses/LICENSE-2.0",
        "commercial": "yes",
        "data": "No data: its weights are random numbers.",
    }
    return Settings.model_validate(
        {
            "studio": {"state": folder / "state"},
            "storage": {"roots": [{"name": "work", "path": folder}]},
            "models": {key: {**declared, **entry} for key, entry in models.items()},
        }
    )


def _wake(torch: Any, controlnet: Any) -> None:
    # A new ControlNet ends in zeros and would leave the picture as it is.
    zeros = (*controlnet.controlnet_down_blocks, controlnet.controlnet_mid_block)
    for block in (*zeros, controlnet.controlnet_cond_embedding.conv_out):
        torch.nn.init.normal_(block.weight, std=0.2)


def _libraries() -> tuple[Any, Any, Any]:
    # By name, since their types are incomplete.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    torch, transformers = import_module("torch"), import_module("transformers")
    # Before diffusers: it warns about the absent torchvision while its classes are imported.
    speech = import_module("transformers.utils.logging")
    speech.set_verbosity_error()
    speech.disable_progress_bar()
    diffusers = import_module("diffusers")
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    return torch, transformers, diffusers


def _tokenizer(transformers: Any) -> Any:
    vocabulary: dict[str, int] = {}
    merges: list[tuple[str, str]] = []

    def add(token: str) -> None:
        vocabulary.setdefault(token, len(vocabulary))

    letters = [chr(code) for code in range(33, 127)]
    for letter in letters:
        add(letter)
    for letter in letters:
        add(f"{letter}</w>")
    for word in WORDS:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            if pair not in merges:
                merges.append(pair)
            add("".join(pair))
            parts = ["".join(pair), *parts[2:]]
    add("<|startoftext|>")
    add("<|endoftext|>")
    return transformers.CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=MAX_TOKENS)
