"""Pixels to latents and back, for both kinds of autoencoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from app.core.errors import NotFinite
from app.core.events import Pixels


def encode(vae: Any, picture: Image.Image, generator: torch.Generator) -> torch.Tensor:
    """``picture`` (RGB) as scaled latents, float32 [1, channels, rows, columns] on the CPU.

    An AutoencoderKL gives a distribution: one sample of it is drawn from ``generator``.
    """
    return encode_levels(vae, levels_of(picture), generator)


def levels_of(picture: Image.Image) -> torch.Tensor:
    """``picture`` (RGB) as levels in [-1, 1], float32 [1, 3, height, width] on the CPU."""
    levels = torch.from_numpy(np.asarray(picture, np.float32) / 127.5 - 1.0)
    return levels.permute(2, 0, 1)[None]


def encode_levels(vae: Any, levels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """As ``encode``, of a picture as ``levels_of`` gives it."""
    encoded = vae.encode(levels.to(vae.device, vae.dtype))
    if hasattr(encoded, "latents"):
        latents = encoded.latents.float()
    else:
        spread = encoded.latent_dist
        mean, std = spread.mean.float().cpu(), spread.std.float().cpu()
        latents = mean + std * torch.randn(mean.shape, generator=generator)
    latents = latents.cpu()
    mean_of, std_of = _statistics(vae)
    if mean_of is not None and std_of is not None:
        latents = (latents - mean_of) / std_of
    if not bool(torch.isfinite(latents).all()):
        raise NotFinite("decoding")
    scaled: torch.Tensor = latents * vae.config.scaling_factor
    return scaled


def decode(vae: Any, latents: torch.Tensor) -> Pixels:
    """``latents`` (float32, scaled) as a picture. Raises NotFinite("decoding")."""
    latents = latents.to(vae.device) / vae.config.scaling_factor
    mean_of, std_of = _statistics(vae)
    if mean_of is not None and std_of is not None:
        latents = latents * std_of.to(latents.device) + mean_of.to(latents.device)
    image = vae.decode(latents.to(vae.dtype), return_dict=False)[0][0].float()
    if not bool(torch.isfinite(image).all()):
        raise NotFinite("decoding")
    levels = ((image * 0.5 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
    rows = levels.permute(1, 2, 0).contiguous().cpu().numpy()
    return Pixels(rows.shape[1], rows.shape[0], rows.tobytes())


def _statistics(vae: Any) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """The latents' mean and spread a channel, where the autoencoder's configuration has them."""
    mean, std = (vae.config.get(name) for name in ("latents_mean", "latents_std"))
    if mean is None or std is None:
        return None, None
    return torch.tensor(mean).view(1, -1, 1, 1), torch.tensor(std).view(1, -1, 1, 1)
