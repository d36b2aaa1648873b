"""
Tiny Stable Diffusion and ControlNet folders with random weights, built in about a second.

They run the very code paths of real models. What comes out is noise: for tests only, never shown
as a result.
"""

import inspect
import json
import os
from collections.abc import Callable, Mapping, Sequence
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
    _open_to_all(folder)
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


def build_family(kind: str, folder: Path) -> Path:
    """Build a pipeline of the real classes of `kind`, a key of `BUILDERS`, and return `folder`."""
    torch, transformers, diffusers = _libraries()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BUILDERS[kind](torch, transformers, diffusers).save_pretrained(folder)
    _open_to_all(folder)
    return folder


def build_controlnet(base: Path, folder: Path, *, union: bool = False, seed: int = 0) -> Path:
    """Build a ControlNet that fits the UNet of the pipeline in `base`, and return `folder`."""
    torch, _, diffusers = _libraries()
    if (base / "transformer").is_dir():
        return _transformer_controlnet(base, folder, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = diffusers.UNet2DConditionModel.from_pretrained(base / "unet")
        if union:
            config = {
                key: unet.config[key]
                for key in (
                    "in_channels", "down_block_types", "block_out_channels", "layers_per_block",
                    "norm_num_groups", "cross_attention_dim", "attention_head_dim",
                    "transformer_layers_per_block", "use_linear_projection", "addition_embed_type",
                    "addition_time_embed_dim", "projection_class_embeddings_input_dim",
                )
            }  # fmt: skip
            net = diffusers.ControlNetUnionModel(
                **config, conditioning_embedding_out_channels=(8, 16, 24, 32), num_control_type=6,
                num_trans_channel=32, num_trans_head=4, num_trans_layer=1,
                num_proj_channel=32,
            )  # fmt: skip
        else:
            net = diffusers.ControlNetModel.from_unet(
                unet, conditioning_embedding_out_channels=(8, 16, 24, 32)
            )
        _wake(torch, net)
        net.save_pretrained(folder)
    _open_to_all(folder)
    return folder


def _transformer_controlnet(base: Path, folder: Path, *, seed: int) -> Path:
    torch, _, diffusers = _libraries()
    config = json.loads((base / "transformer" / "config.json").read_text(encoding="utf-8"))
    prefix = config["_class_name"].removesuffix("Transformer2DModel")
    kind = getattr(diffusers, f"{prefix}ControlNetModel")
    taken = set(inspect.signature(kind.__init__).parameters) & set(config)
    more: dict[str, Any] = {}
    if prefix == "ZImage":
        more = {
            "control_layers_places": [0], "control_refiner_layers_places": [0],
            "control_in_dim": config["in_channels"],
        }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = kind(**{name: config[name] for name in taken}, **more)
        for parameter in net.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.2)
        net.save_pretrained(folder)
    _open_to_all(folder)
    return folder


def save_with_controlnets(base: Path, controls: Sequence[Path], folder: Path) -> None:
    """Save the Stable Diffusion pipeline in `base` with these ControlNets in its folder."""
    _, _, diffusers = _libraries()
    nets = [diffusers.ControlNetModel.from_pretrained(control) for control in controls]
    diffusers.StableDiffusionControlNetImg2ImgPipeline.from_pretrained(
        base, controlnet=nets, safety_checker=None, requires_safety_checker=False
    ).save_pretrained(folder)
    _open_to_all(folder)


def with_other_weights(part: Path, *, more: bool) -> None:
    """Add a tensor that no class knows to a part's weights, or take one away."""
    torch, _, _ = _libraries()
    safetensors = import_module("safetensors.torch")
    (file,) = part.glob("*.safetensors")
    tensors = safetensors.load_file(file)
    if more:
        tensors["foreign.weight"] = torch.zeros(1)
    else:
        del tensors[min(tensors)]
    safetensors.save_file(tensors, file, metadata={"format": "pt"})


def _open_to_all(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            # Weights are saved readable by their owner alone, which shared storage cannot use.
            file.chmod(0o644)


def _clip(transformers: Any, tokenizer: Any, *, projected: bool = False) -> Any:
    kind = "CLIPTextModelWithProjection" if projected else "CLIPTextModel"
    return getattr(transformers, kind)(
        transformers.CLIPTextConfig(
            vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=4, max_position_embeddings=MAX_TOKENS,
            bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id, projection_dim=32,
        )
    )  # fmt: skip


def _vae(diffusers: Any, latents: int = 4) -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(16, 32, 32, 32), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=1, latent_channels=latents,
        norm_num_groups=8, shift_factor=0.1,
        use_quant_conv=latents == 4, use_post_quant_conv=latents == 4,
    )  # fmt: skip


def _unet(diffusers: Any, channels: int = 4, **more: Any) -> Any:
    return diffusers.UNet2DConditionModel(
        sample_size=32, in_channels=channels, out_channels=4, block_out_channels=(32, 64, 64),
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"), layers_per_block=1,
        **{"cross_attention_dim": 32, "attention_head_dim": 4, "norm_num_groups": 8, **more},
    )  # fmt: skip


def _sampler(diffusers: Any, kind: str = "DDIMScheduler", **more: Any) -> Any:
    if kind == "DDIMScheduler":
        more = {"clip_sample": False, "steps_offset": 1, **more}
    return getattr(diffusers, kind)(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, **more
    )


def _stable(pipeline: str, channels: int, **more: Any) -> Callable[[Any, Any, Any], Any]:
    def build(_: Any, transformers: Any, diffusers: Any) -> Any:
        tokenizer = _tokenizer(transformers)
        lcm = "time_cond_proj_dim" in more
        return getattr(diffusers, pipeline)(
            vae=_vae(diffusers), text_encoder=_clip(transformers, tokenizer), tokenizer=tokenizer,
            unet=_unet(diffusers, channels, **more),
            scheduler=_sampler(diffusers, "LCMScheduler" if lcm else "DDIMScheduler"),
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip

    return build


def _xl(_: Any, transformers: Any, diffusers: Any) -> Any:
    tokenizer = _tokenizer(transformers)
    return diffusers.StableDiffusionXLPipeline(
        vae=_vae(diffusers), text_encoder=_clip(transformers, tokenizer),
        text_encoder_2=_clip(transformers, tokenizer, projected=True), tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=_unet(
            diffusers, cross_attention_dim=64, addition_embed_type="text_time",
            addition_time_embed_dim=8, projection_class_embeddings_input_dim=32 + 6 * 8,
            transformer_layers_per_block=1, use_linear_projection=True,
        ),
        scheduler=_sampler(diffusers, "EulerDiscreteScheduler", timestep_spacing="trailing"),
    )  # fmt: skip


def _t5(transformers: Any, width: int = 32) -> tuple[Any, Any]:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(chr(code), -3.0) for code in range(33, 127)]
    tokenizer = transformers.T5Tokenizer(vocab=pieces, extra_ids=0)
    encoder = transformers.T5EncoderModel(
        transformers.T5Config(
            vocab_size=len(tokenizer), d_model=width, d_kv=8, d_ff=64, num_layers=2, num_heads=4
        )
    )
    return tokenizer, encoder


def _sd3(_: Any, transformers: Any, diffusers: Any) -> Any:
    clip = _tokenizer(transformers)
    t5, encoder = _t5(transformers, 64)
    return diffusers.StableDiffusion3Pipeline(
        transformer=diffusers.SD3Transformer2DModel(
            # The last block takes nothing from a ControlNet.
            sample_size=32, patch_size=1, in_channels=16, num_layers=2, attention_head_dim=8,
            num_attention_heads=4, joint_attention_dim=64, caption_projection_dim=32,
            pooled_projection_dim=64, out_channels=16, pos_embed_max_size=96,
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0), vae=_vae(diffusers, 16),
        text_encoder=_clip(transformers, clip, projected=True), tokenizer=clip,
        text_encoder_2=_clip(transformers, clip, projected=True), tokenizer_2=clip,
        text_encoder_3=encoder, tokenizer_3=t5,
    )  # fmt: skip


def _flux(pipeline: str, *, guided: bool = True) -> Callable[[Any, Any, Any], Any]:
    def build(_: Any, transformers: Any, diffusers: Any) -> Any:
        clip = _tokenizer(transformers)
        t5, encoder = _t5(transformers)
        return getattr(diffusers, pipeline)(
            transformer=diffusers.FluxTransformer2DModel(
                patch_size=1, in_channels=16, num_layers=1, num_single_layers=1,
                attention_head_dim=16, num_attention_heads=2, joint_attention_dim=32,
                pooled_projection_dim=32, axes_dims_rope=(4, 4, 8), guidance_embeds=guided,
            ),
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=_vae(diffusers, 4), text_encoder=_clip(transformers, clip), tokenizer=clip,
            text_encoder_2=encoder, tokenizer_2=t5,
        )  # fmt: skip

    return build


def _bytes(transformers: Any) -> Any:
    alphabet = sorted(import_module("tokenizers").pre_tokenizers.ByteLevel.alphabet())
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    tokenizer = transformers.Qwen2Tokenizer(
        vocab={word: place for place, word in enumerate((*alphabet, *special))}, merges=[]
    )
    tokenizer.chat_template = "{% for one in messages %}{{ one['content'] }}{% endfor %}"
    return tokenizer


_QWEN = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "vocab_size": 300,
}  # fmt: skip


def _qwen(_: Any, transformers: Any, diffusers: Any) -> Any:
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    config = transformers.Qwen2_5_VLConfig(
        text_config={**_QWEN, "rope_parameters": rope},
        vision_config={
            "depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 4,
            "out_hidden_size": 32,
        },
    )  # fmt: skip
    return diffusers.QwenImagePipeline(
        transformer=diffusers.QwenImageTransformer2DModel(
            patch_size=2, in_channels=16, out_channels=4, num_layers=1, attention_head_dim=16,
            num_attention_heads=2, joint_attention_dim=32, axes_dims_rope=(4, 6, 6),
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=diffusers.AutoencoderKLQwenImage(
            base_dim=8, z_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
            temperal_downsample=[False, True, True], latents_mean=[0.0] * 4, latents_std=[1.0] * 4,
        ),
        text_encoder=transformers.Qwen2_5_VLForConditionalGeneration(config),
        tokenizer=_bytes(transformers),
    )  # fmt: skip


def _z_image(_: Any, transformers: Any, diffusers: Any) -> Any:
    return diffusers.ZImagePipeline(
        transformer=diffusers.ZImageTransformer2DModel(
            in_channels=16, dim=32, n_layers=1, n_refiner_layers=1, n_heads=2, n_kv_heads=2,
            cap_feat_dim=32, axes_dims=[4, 6, 6], axes_lens=[256, 64, 64],
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0), vae=_vae(diffusers, 16),
        text_encoder=transformers.Qwen3Model(transformers.Qwen3Config(**_QWEN, head_dim=8)),
        tokenizer=_bytes(transformers),
    )  # fmt: skip


def _sana(_: Any, transformers: Any, diffusers: Any) -> Any:
    tokenizer, _unused = _t5(transformers)
    encoder = transformers.Gemma2Model(
        transformers.Gemma2Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=16,
        )
    )
    return diffusers.SanaSprintPipeline(
        transformer=diffusers.SanaTransformer2DModel(
            in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=16,
            num_layers=1, num_cross_attention_heads=2, cross_attention_head_dim=16,
            cross_attention_dim=32, caption_channels=32, sample_size=32, guidance_embeds=True,
            qk_norm="rms_norm_across_heads",
        ),
        scheduler=diffusers.SCMScheduler(prediction_type="trigflow", sigma_data=0.5),
        vae=diffusers.AutoencoderDC(
            latent_channels=4, attention_head_dim=2,
            encoder_block_types=("ResBlock", "EfficientViTBlock"),
            decoder_block_types=("ResBlock", "EfficientViTBlock"),
            encoder_block_out_channels=(8, 8), decoder_block_out_channels=(8, 8),
            encoder_qkv_multiscales=((), (5,)), decoder_qkv_multiscales=((), (5,)),
            encoder_layers_per_block=(1, 1), decoder_layers_per_block=(1, 1),
            downsample_block_type="conv", upsample_block_type="interpolate",
            decoder_norm_types="rms_norm", decoder_act_fns="silu",
        ),
        text_encoder=encoder, tokenizer=tokenizer,
    )  # fmt: skip


def _chroma(_: Any, transformers: Any, diffusers: Any) -> Any:
    t5, encoder = _t5(transformers)
    return diffusers.ChromaPipeline(
        transformer=diffusers.ChromaTransformer2DModel(
            patch_size=1, in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16,
            num_attention_heads=2, joint_attention_dim=32, axes_dims_rope=(4, 4, 8),
            approximator_num_channels=8, approximator_hidden_dim=16, approximator_layers=1,
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(), vae=_vae(diffusers, 4),
        text_encoder=encoder, tokenizer=t5,
    )  # fmt: skip


def _klein(*, distilled: bool = False) -> Callable[[Any, Any, Any], Any]:
    def build(_: Any, transformers: Any, diffusers: Any) -> Any:
        # Hidden states of its 9th, 18th and 27th layer are what the prompt is read from.
        encoder = transformers.Qwen3ForCausalLM(
            transformers.Qwen3Config(**{**_QWEN, "num_hidden_layers": 28}, head_dim=8)
        )
        return diffusers.Flux2KleinPipeline(
            transformer=diffusers.Flux2Transformer2DModel(
                patch_size=1, in_channels=16, num_layers=1, num_single_layers=1,
                attention_head_dim=16, num_attention_heads=2, joint_attention_dim=96,
                axes_dims_rope=(4, 4, 4, 4), guidance_embeds=False,
            ),
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=diffusers.AutoencoderKLFlux2(
                block_out_channels=(16, 32, 32, 32), layers_per_block=1, latent_channels=4,
                norm_num_groups=8,
            ),
            text_encoder=encoder, tokenizer=_bytes(transformers), is_distilled=distilled,
        )  # fmt: skip

    return build


#: How a pipeline of each kind is built.
BUILDERS: Mapping[str, Callable[[Any, Any, Any], Any]] = {
    "sd15": _stable("StableDiffusionPipeline", 4),
    "inpaint": _stable("StableDiffusionInpaintPipeline", 9),
    "pix2pix": _stable("StableDiffusionInstructPix2PixPipeline", 8),
    "lcm": _stable("LatentConsistencyModelPipeline", 4, time_cond_proj_dim=16),
    "sdxl": _xl,
    "sd3": _sd3,
    "flux": _flux("FluxPipeline"),
    "schnell": _flux("FluxPipeline", guided=False),
    "kontext": _flux("FluxKontextPipeline"),
    "klein": _klein(),
    "qwen": _qwen,
    "z-image": _z_image,
    "sana": _sana,
    "chroma": _chroma,
}


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
