"""Model folders in diffusers layout that convert in seconds: two levels, two heads, random norms.

Norms have random weights, because a converter folds ones and zeros away and what is folded away is
not tested.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from app.convert.tensor_files import write_json
from tests.tiny_models import tiny_tokenizer

FAMILIES = ("sd1", "sd2", "sdxl", "lcm", "inpainting", "starter")
SIDE = 16
"""Pixels: 8 latents, as the factor is 2. The starter's is 8."""

_UNETS: dict[str, dict[str, Any]] = {
    "sd1": {"attention_head_dim": 2},
    "sd2": {"attention_head_dim": (2, 4), "use_linear_projection": True},
    "sdxl": {
        "attention_head_dim": (2, 4),
        "use_linear_projection": True,
        "transformer_layers_per_block": (1, 2),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": 64,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 6 * 8 + 32,
    },
    "lcm": {"attention_head_dim": 2, "time_cond_proj_dim": 16},
    "inpainting": {"attention_head_dim": 2, "in_channels": 9},
    "starter": {
        "attention_head_dim": (2, 4),
        "use_linear_projection": True,
        "addition_embed_type": "text",
        "addition_embed_type_num_heads": 4,
        "in_channels": 8,
        "out_channels": 8,
    },
}


def tinier_unet(family: str, seed: int = 0) -> Any:
    """A UNet2DConditionModel in fp32."""
    torch.manual_seed(seed)
    plain: dict[str, Any] = {
        "sample_size": 8,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": 32,
    }
    return randomised(UNet2DConditionModel(**(plain | _UNETS[family])))


def randomised(network: Any) -> Any:
    """``network`` with every vector (norms, biases) off its beginning."""
    for parameter in network.parameters():
        if parameter.dim() == 1:
            parameter.data.add_(torch.randn_like(parameter) * 0.2)
    return network.eval().requires_grad_(False)


def write_tinier(family: str, folder: Path) -> Path:
    """A whole model in fp16 in the new ``folder``, with a licence; gives the folder."""
    text = _text(tiny_tokenizer(24 if family == "starter" else 77), family)
    networks = {"unet": tinier_unet(family), "vae": _vae(family), "text_encoder": text}
    if family == "sdxl":
        networks["text_encoder_2"] = _text(tiny_tokenizer(), family, projected=True)
    for name, network in networks.items():
        stem = "model" if name.startswith("text") else "diffusion_pytorch_model"
        state = {key: value.half().contiguous() for key, value in network.state_dict().items()}
        (folder / name).mkdir(parents=True)
        save_file(state, folder / name / f"{stem}.safetensors", metadata={"format": "pt"})
        config = dict(network.config) if stem != "model" else network.config.to_dict()
        if stem == "model":
            config["architectures"] = [type(network).__name__]
        else:
            config["_class_name"] = type(network).__name__
        plain = {key: value for key, value in config.items() if _is_plain(value)}
        write_json(plain, folder / name / "config.json")
    _write_rest(family, folder, tuple(networks))
    return folder


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float | str | list | tuple)


def _write_rest(family: str, folder: Path, networks: tuple[str, ...]) -> None:
    tokenizers = ["tokenizer", "tokenizer_2"][: 2 if "text_encoder_2" in networks else 1]
    for name in tokenizers:
        tiny_tokenizer(24 if family == "starter" else 77).save_pretrained(folder / name)
    scheduler = {
        "_class_name": "DDIMScheduler",
        "num_train_timesteps": 1000,
        "prediction_type": "v_prediction" if family == "sd2" else "epsilon",
    }
    write_json(scheduler, folder / "scheduler" / "scheduler_config.json")
    kind = {"sdxl": "StableDiffusionXLPipeline", "inpainting": "StableDiffusionInpaintPipeline"}
    index: dict[str, object] = {"_class_name": kind.get(family, "StableDiffusionPipeline")}
    index["unet"] = ["diffusers", "UNet2DConditionModel"]
    index["vae"] = ["diffusers", "AutoencoderTiny" if family == "starter" else "AutoencoderKL"]
    index["text_encoder"] = ["transformers", "CLIPTextModel"]
    if "text_encoder_2" in networks:
        index["text_encoder_2"] = ["transformers", "CLIPTextModelWithProjection"]
    index |= {name: ["transformers", "CLIPTokenizer"] for name in tokenizers}
    index["scheduler"] = ["diffusers", "DDIMScheduler"]
    write_json(index, folder / "model_index.json")
    (folder / "LICENSE.txt").write_text("Do no harm.\n")


def _vae(family: str) -> Any:
    torch.manual_seed(1)
    if family == "starter":
        return randomised(
            AutoencoderTiny(
                latent_channels=8,
                encoder_block_out_channels=(8,) * 4,
                decoder_block_out_channels=(8,) * 4,
                num_encoder_blocks=(0, 1, 1, 1),
                num_decoder_blocks=(1, 1, 1, 1),
            )
        )
    return randomised(
        AutoencoderKL(
            block_out_channels=(8, 16),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            layers_per_block=1,
            norm_num_groups=4,
            latent_channels=4,
            scaling_factor=0.13025 if family == "sdxl" else 0.18215,
            force_upcast=family == "sdxl",
        )
    )


def _text(tokenizer: Any, family: str, projected: bool = False) -> Any:
    torch.manual_seed(2)
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=24 if family == "starter" else 77,
        projection_dim=32,
        hidden_act="gelu" if family == "sd2" or projected else "quick_gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    made = CLIPTextModelWithProjection if projected else CLIPTextModel
    return randomised(made(config))
