"""
The forms in which studios have models, made of the tiny ones: a checkpoint of one file in the
original names, LoRAs in the names of kohya and of diffusers, textual inversions.

The original names are made here by the rules of the format, not by the library that reads them.
"""

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any


def save_checkpoint(base: Path, file: Path, *, leave_out: str = "", add: str = "") -> Path:
    """
    Save the Stable Diffusion or SDXL pipeline in `base` as one file in the original format.

    Args:
        base: a folder in diffusers format.
        file: the checkpoint to write.
        leave_out: the name of a tensor that is missing then.
        add: the name of a tensor that is there besides.
    """
    torch = import_module("torch")
    two = (base / "text_encoder_2").is_dir()
    clip = "conditioner.embedders.0.transformer." if two else "cond_stage_model.transformer."
    tensors = {
        f"model.diffusion_model.{_unet_name(key)}": tensor
        for key, tensor in _tensors(base / "unet").items()
    }
    for key, tensor in _tensors(base / "vae").items():
        name, flat = _vae_name(key)
        tensors[f"first_stage_model.{name}"] = tensor[..., None, None] if flat else tensor
    for key, tensor in _tensors(base / "text_encoder").items():
        tensors[clip + ("" if key.startswith("text_model.") else "text_model.") + key] = tensor
    if two:
        tensors |= _open_clip(_tensors(base / "text_encoder_2"))
    tensors["model_ema.decay"] = torch.zeros(1)
    tensors["alphas_cumprod"] = torch.ones(10)
    if leave_out:
        del tensors[leave_out]
    if add:
        tensors[add] = torch.zeros(3)
    return _save(tensors, file)


def save_kohya_lora(base: Path, file: Path, *, seed: int = 1, alpha: float = 2.0) -> Path:
    """Save a LoRA for the UNet and text encoder in `base`, with kohya's names."""
    torch = import_module("torch")
    generator = torch.Generator().manual_seed(seed)
    xl = (base / "text_encoder_2").is_dir()
    tensors: dict[str, Any] = {}
    for name, weight in _layers(base):
        part, _, layer = name.partition(".")
        if part == "unet":
            layer = _unet_name(f"{layer}.weight").removesuffix(".weight") if xl else layer
            start = "lora_unet_"
        else:
            layer = f"text_model.{layer.removeprefix('text_model.')}"
            start = "lora_te1_" if xl else "lora_te_"
        key = start + layer.replace(".", "_")
        tensors[f"{key}.lora_down.weight"], tensors[f"{key}.lora_up.weight"] = _halves(
            torch, weight, generator
        )
        tensors[f"{key}.alpha"] = torch.tensor(alpha)
    return _save(tensors, file)


def save_diffusers_lora(base: Path, file: Path, *, seed: int = 1, foreign: str = "") -> Path:
    """Save a LoRA for the same layers with the names of diffusers, of rank 4 and no alpha."""
    torch = import_module("torch")
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, Any] = {}
    for name, weight in _layers(base):
        down, up = _halves(torch, weight, generator)
        tensors[f"{name}.lora_A.weight"], tensors[f"{name}.lora_B.weight"] = down, up
    if foreign:
        tensors[f"{foreign}.lora_A.weight"] = torch.zeros(4, 8)
        tensors[f"{foreign}.lora_B.weight"] = torch.zeros(8, 4)
    return _save(tensors, file)


def save_embedding(file: Path, *, width: int = 32, tokens: int = 2) -> Path:
    """Save a textual inversion of some tokens."""
    torch = import_module("torch")
    vectors = torch.randn(tokens, width, generator=torch.Generator().manual_seed(5))
    return _save({"emb_params": vectors}, file)


def _layers(base: Path) -> list[tuple[str, Any]]:
    """Return layers that LoRAs usually change, as diffusers names them, and their weights."""
    found: list[tuple[str, Any]] = []
    denoiser = "transformer" if (base / "transformer").is_dir() else "unet"
    parts = (denoiser,) if denoiser == "transformer" else (denoiser, "text_encoder")
    for part in parts:
        for key, weight in sorted(_tensors(base / part).items()):
            if re.search(
                r"((attn\d?|attention)\.to_(q|k|v|out\.0)|self_attn\.(q|v)_proj|proj_in)\.weight$",
                key,
            ):
                found.append((f"{part}.{key.removesuffix('.weight')}", weight))
    return found


def _halves(torch: Any, weight: Any, generator: Any) -> tuple[Any, Any]:
    rank = 4
    down = torch.randn(rank, *weight.shape[1:], generator=generator) * 0.4
    up = torch.randn(weight.shape[0], rank, *((1,) * (weight.dim() - 2)), generator=generator)
    return down, up * 0.4


def _unet_name(key: str) -> str:
    """Return the original name of a UNet's tensor, for blocks of one residual layer each."""
    for new, old in _PLAIN.items():
        if key.startswith(new):
            return key.replace(new, old, 1)
    part, block, kind, number, rest = _BLOCK.fullmatch(key).groups()  # type: ignore[union-attr]
    rest = _resnet_name(rest) if kind == "resnets" else rest
    if part == "mid_block":
        place = 1 if kind == "attentions" else 2 * int(number)
        return f"middle_block.{place}.{rest}"
    index = int(block[1:])
    if part == "down_blocks":
        if kind == "downsamplers":
            return f"input_blocks.{2 * index + 2}.0.op.{rest.removeprefix('conv.')}"
        return f"input_blocks.{2 * index + 1}.{int(kind == 'attentions')}.{rest}"
    place = 2 * index + int(number)
    if kind == "upsamplers":
        # Behind the attention where the block has one.
        return f"output_blocks.{2 * index + 1}.{2 if index == 0 else 1}.{rest}"
    return f"output_blocks.{place}.{int(kind == 'attentions')}.{rest}"


_PLAIN = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_BLOCK = re.compile(
    r"(down_blocks|mid_block|up_blocks)(\.\d+)?\.(resnets|attentions|downsamplers|upsamplers)"
    r"\.(\d+)\.(.+)"
)


def _resnet_name(rest: str) -> str:
    for new, old in (
        ("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("norm2", "out_layers.0"),
        ("conv2", "out_layers.3"), ("time_emb_proj", "emb_layers.1"),
        ("conv_shortcut", "skip_connection"),
    ):  # fmt: skip
        if rest.startswith(new):
            return rest.replace(new, old, 1)
    raise ValueError(rest)


def _vae_name(key: str, blocks: int = 4) -> tuple[str, bool]:
    """Return the original name of a VAE's tensor, and whether it is a convolution there."""
    key = key.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    key = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{blocks - 1 - int(m[1])}.block", key)
    key = re.sub(
        r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{blocks - 1 - int(m[1])}.upsample", key
    )
    if "mid_block.attentions.0" not in key:
        return key, False
    flat = key.endswith(".weight") and "group_norm" not in key
    for new, old in (
        ("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"),
        ("to_out.0", "proj_out"),
    ):  # fmt: skip
        key = key.replace(f"mid_block.attentions.0.{new}", f"mid.attn_1.{old}")
    return key, flat


def _open_clip(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Return a text encoder's tensors as OpenCLIP names them: queries, keys and values as one."""
    torch = import_module("torch")
    start = "conditioner.embedders.1.model."
    found = {
        f"{start}positional_embedding": tensors["text_model.embeddings.position_embedding.weight"],
        f"{start}token_embedding.weight": tensors["text_model.embeddings.token_embedding.weight"],
        f"{start}ln_final.weight": tensors["text_model.final_layer_norm.weight"],
        f"{start}ln_final.bias": tensors["text_model.final_layer_norm.bias"],
        f"{start}text_projection": tensors["text_projection.weight"].T.contiguous(),
        f"{start}logit_scale": torch.tensor(4.6),
    }
    layers = {m[1] for key in tensors if (m := re.search(r"encoder\.layers\.(\d+)\.", key))}
    for number in sorted(layers):
        own = f"text_model.encoder.layers.{number}."
        to = f"{start}transformer.resblocks.{number}."
        for kind in ("weight", "bias"):
            found[f"{to}attn.in_proj_{kind}"] = torch.cat(
                [tensors[f"{own}self_attn.{one}_proj.{kind}"] for one in "qkv"]
            )
            found[f"{to}attn.out_proj.{kind}"] = tensors[f"{own}self_attn.out_proj.{kind}"]
            for new, old in (
                ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"),
                ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj"),
            ):  # fmt: skip
                found[f"{to}{old}.{kind}"] = tensors[f"{own}{new}.{kind}"]
    return found


def _tensors(part: Path) -> dict[str, Any]:
    (file,) = part.glob("*.safetensors")
    return dict(import_module("safetensors.torch").load_file(file))


def _save(tensors: Mapping[str, Any], file: Path) -> Path:
    import_module("safetensors.torch").save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, file
    )
    return file


def save_ip_adapter(base: Path, folder: Path, *, seed: int = 1) -> tuple[Path, Path]:
    """Save an IP-Adapter for the UNet in `base` and its encoder; return both."""
    torch = import_module("torch")
    transformers = import_module("transformers")
    diffusers = import_module("diffusers")
    encoder = folder / "encoder"
    unet = diffusers.UNet2DConditionModel.from_pretrained(base / "unet")
    tokens, width, seen = 4, 16, unet.config.cross_attention_dim
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        transformers.CLIPVisionModelWithProjection(
            transformers.CLIPVisionConfig(
                hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
                image_size=32, patch_size=8, projection_dim=width,
            )
        ).save_pretrained(encoder)  # fmt: skip
        tensors = {
            "image_proj.proj.weight": torch.randn(tokens * seen, width),
            "image_proj.proj.bias": torch.randn(tokens * seen),
            "image_proj.norm.weight": torch.ones(seen),
            "image_proj.norm.bias": torch.zeros(seen),
        }
        # They are numbered as the layers that read prompts stand among all layers.
        for place, (name, layer) in enumerate(_attentions(unet)):
            if "attn2" in name:
                for half in ("k", "v"):
                    shape = layer.get_parameter(f"to_{half}.weight").shape
                    key = f"ip_adapter.{place}.to_{half}_ip.weight"
                    tensors[key] = torch.randn(*shape)
    for file in encoder.iterdir():
        file.chmod(0o644)
    return _save(tensors, folder / "ip-adapter.safetensors"), encoder


def _attentions(unet: Any) -> list[tuple[str, Any]]:
    names = [name.removesuffix(".processor") for name in unet.attn_processors]
    return [(name, unet.get_submodule(name)) for name in names]
