"""What a UNet was trained to predict, which SD 2.x files do not say: the noise or the velocity."""

from __future__ import annotations

from typing import Any

import torch

LAST_STEP = 999
SIDE = 16
TOKENS = 77
ALIKE = 0.5


def likeness(unet: Any) -> float:
    """Correlation, -1 to 1, of pure noise with what ``unet`` makes of it at the last step.

    There the picture is all noise. One that predicts noise gives it back (near 1); one that
    predicts velocity gives the picture that it imagines (near 0). NaN where the numbers overflow.
    """
    config = unet.config
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, config.in_channels, SIDE, SIDE, generator=generator)
    noise[:, config.out_channels :] = 0  # an inpainting UNet's mask and picture: nothing is masked
    text = torch.zeros(1, TOKENS, config.cross_attention_dim, dtype=unet.dtype)
    with torch.inference_mode():
        made = unet(noise.to(unet.dtype), LAST_STEP, text, return_dict=False)[0].float()
    asked = noise[:, : config.out_channels]
    return float((made * asked).sum() / (made.norm() * asked.norm()))


def predicts_noise(unet: Any) -> bool:
    """Whether ``unet`` predicts noise ("epsilon") rather than velocity ("v_prediction")."""
    return likeness(unet) > ALIKE
