"""Builds tiny models with random weights in diffusers layout, shaped as the real families are.

The configurations are those of the published models (levels, blocks, prediction type, schedulers,
text encoders) with narrow layers and a small vocabulary; each is under 3 MB and built in about a
second. Weights depend on the seed only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

TINY = ("sd1", "sd1-inpainting", "sd2", "sdxl", "starter")
"""``starter`` is shaped as the built-in model: 8 latent channels and an AutoencoderTiny."""


def build_tiny(kind: str, folder: Path, *, dtype: str = "float32", seed: int = 0) -> Path:
    """Write the tiny model ``kind`` (of ``TINY``) into ``folder``, and give the absolute folder.

    ``dtype`` is "float32", "float16" or "bfloat16". A folder that is already there is kept.
    """
    folder = folder.absolute()
    if (folder / "model_index.json").is_file():
        return folder
    import torch
    from tqdm import tqdm

    tqdm.monitor_interval = 0  # or saving leaves a thread behind
    builders: dict[str, Callable[[], Any]] = {
        "sd1": _sd1,
        "sd1-inpainting": _sd1_inpainting,
        "sd2": _sd2,
        "sdxl": _sdxl,
        "starter": _starter,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        pipeline = builders[kind]()
    pipeline.to(dtype=getattr(torch, dtype)).save_pretrained(folder, safe_serialization=True)
    return folder


WORDS = ("a", "red", "apple", "dog", "blue", "house", "on", "the", "yellow", "of")


def tiny_tokenizer(length: int = 77) -> Any:
    """A CLIPTokenizer over all bytes, with merges for a few words."""
    from transformers import CLIPTokenizer

    letters = list(_byte_letters().values())
    tokens = letters + [letter + "</w>" for letter in letters]
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        pieces = [*word[:-1], word[-1] + "</w>"]
        while len(pieces) > 1:
            pair = (pieces[0], pieces[1])
            if pair not in merges:
                merges.append(pair)
                tokens.append("".join(pair))
            pieces[:2] = ["".join(pair)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocab = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=length)


def _byte_letters() -> dict[int, str]:
    """A printable letter for each byte, as byte-level BPE (GPT-2) writes them."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in plain}
    others = [byte for byte in range(256) if byte not in letters]
    return letters | {byte: chr(256 + i) for i, byte in enumerate(others)}


def _sd1() -> Any:
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    tokenizer = tiny_tokenizer()
    return StableDiffusionPipeline(
        vae=_autoencoder(0.18215),
        text_encoder=_text_encoder(tokenizer),
        tokenizer=tokenizer,
        unet=_unet(sample_size=64, attention_head_dim=8),
        scheduler=PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, **_BETAS),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sd1_inpainting() -> Any:
    from diffusers import DDIMScheduler, StableDiffusionInpaintPipeline

    tokenizer = tiny_tokenizer()
    return StableDiffusionInpaintPipeline(
        vae=_autoencoder(0.18215),
        text_encoder=_text_encoder(tokenizer),
        tokenizer=tokenizer,
        unet=_unet(sample_size=64, attention_head_dim=8, in_channels=9),
        scheduler=DDIMScheduler(clip_sample=False, set_alpha_to_one=False, **_BETAS),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sd2() -> Any:
    from diffusers import DDIMScheduler, StableDiffusionPipeline

    tokenizer = tiny_tokenizer()
    return StableDiffusionPipeline(
        vae=_autoencoder(0.18215),
        text_encoder=_text_encoder(tokenizer, hidden_act="gelu"),
        tokenizer=tokenizer,
        unet=_unet(sample_size=96, attention_head_dim=(2, 4, 4, 4), use_linear_projection=True),
        scheduler=DDIMScheduler(
            clip_sample=False, set_alpha_to_one=False, prediction_type="v_prediction", **_BETAS
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl() -> Any:
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

    tokenizer = tiny_tokenizer()
    unet = UNet2DConditionModel(
        sample_size=128,
        block_out_channels=(16, 32, 32),
        layers_per_block=2,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4, 4),
        transformer_layers_per_block=(1, 1, 2),
        use_linear_projection=True,
        cross_attention_dim=64,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 32,
    )
    return StableDiffusionXLPipeline(
        vae=_autoencoder(0.13025, force_upcast=True),
        text_encoder=_text_encoder(tokenizer),
        text_encoder_2=_text_encoder(tokenizer, projected=True, hidden_act="gelu"),
        tokenizer=tokenizer,
        tokenizer_2=tiny_tokenizer(),
        unet=unet,
        scheduler=EulerDiscreteScheduler(timestep_spacing="leading", **_BETAS),
        add_watermarker=False,
    )


def _starter() -> Any:
    from diffusers import (
        AutoencoderTiny,
        DPMSolverMultistepScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )

    tokenizer = tiny_tokenizer(24)
    autoencoder = AutoencoderTiny(
        latent_channels=8,
        encoder_block_out_channels=(16,) * 4,
        decoder_block_out_channels=(16,) * 4,
        num_encoder_blocks=(0, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    )
    autoencoder.decoder.layers[-1].weight.data *= 20  # a random one is all but black
    autoencoder.decoder.layers[-1].bias.data.fill_(0.5)
    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=_text_encoder(tokenizer, length=24),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=16,
            in_channels=8,
            out_channels=8,
            block_out_channels=(16, 32),
            layers_per_block=1,
            norm_num_groups=8,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=32,
            attention_head_dim=(2, 4),
            use_linear_projection=True,
            addition_embed_type="text",
            addition_embed_type_num_heads=4,
        ),
        scheduler=DPMSolverMultistepScheduler(
            beta_start=1e-4,
            beta_end=0.02,
            beta_schedule="linear",
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            steps_offset=1,
            use_karras_sigmas=True,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


_BETAS: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}


def _unet(**changed: Any) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=(16, 32, 32, 32),
        layers_per_block=2,
        norm_num_groups=8,
        cross_attention_dim=32,
        **changed,
    )


def _autoencoder(scaling: float, force_upcast: bool = False) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=8,
        latent_channels=4,
        sample_size=512,
        scaling_factor=scaling,
        force_upcast=force_upcast,
    )


def _text_encoder(
    tokenizer: Any, length: int = 77, projected: bool = False, hidden_act: str = "quick_gelu"
) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=length,
        projection_dim=32,
        hidden_act=hidden_act,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModelWithProjection(config) if projected else CLIPTextModel(config)
