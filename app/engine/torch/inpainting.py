"""What UNets of nine channels are told beside the noise: the mask, and the picture under it.

Such a UNet (RunwayML's inpainting models) takes 4 channels of noisy latents, 1 of mask (1 where it
shall draw) and 4 of the picture with the masked part grey. All of it is as diffusers' inpainting
pipelines have it; without a mask all is masked, so that it draws from words alone too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from app.core.recipe import Size
from app.engine.start_pictures import OpenedStart
from app.engine.torch.autoencoding import encode_levels, levels_of


def told(
    vae: Any, opened: OpenedStart | None, size: Size, factor: int, generator: torch.Generator
) -> torch.Tensor:
    """Mask and masked latents, float32 [1, 1 + latent channels, rows, columns] on the CPU."""
    mask = torch.ones(1, 1, size.height, size.width)
    levels = torch.zeros(1, 3, size.height, size.width)
    if opened is not None and opened.mask is not None:
        mask = torch.from_numpy(np.asarray(opened.mask, np.float32) / 255)[None, None]
        levels = levels_of(opened.picture) * (mask < 0.5)
    latents = encode_levels(vae, levels, generator)
    small = functional.interpolate(mask, size=(size.height // factor, size.width // factor))
    return torch.cat([small, latents], dim=1)


@contextmanager
def beside_noise(unet: torch.nn.Module, beside: torch.Tensor | None) -> Iterator[None]:
    """While inside, ``unet`` is given ``beside`` after the channels that it is called with."""
    if beside is None:
        yield
        return

    def enter(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        noisy = args[0]
        further = beside.to(noisy).expand(noisy.shape[0], -1, -1, -1)
        return (torch.cat([noisy, further], dim=1), *args[1:]), kwargs

    handle = unet.register_forward_pre_hook(enter, prepend=True, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
