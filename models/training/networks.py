"""The networks' shapes, and the noise schedule: everything diffusers needs to build them."""

from __future__ import annotations

from typing import Any

import diffusers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from models.training.codec import CHANNELS
from models.training.tokens import LENGTH

WIDTH = 192
LATENT_SIZE = 16
STEPS = 1000


def build_unet() -> Any:
    """6.0M parameters; pooled text also enters through the time embedding ('text')."""
    build: Any = diffusers.UNet2DConditionModel
    return build(
        sample_size=LATENT_SIZE,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=(64, 160),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=(2, 5),
        use_linear_projection=True,
        addition_embed_type="text",
        addition_embed_type_num_heads=6,
    )


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """Three layers, 192 wide, 24 positions."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            projection_dim=WIDTH,
            num_hidden_layers=3,
            num_attention_heads=6,
            max_position_embeddings=LENGTH,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def build_scheduler() -> Any:
    """Linear betas end close enough to pure noise that no scheduler needs special flags."""
    build: Any = diffusers.DPMSolverMultistepScheduler
    return build(
        num_train_timesteps=STEPS,
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule="linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        algorithm_type="dpmsolver++",
        use_karras_sigmas=True,
        steps_offset=1,
    )
