"""The latents: a fixed linear code, and the AutoencoderTiny whose encoder computes it.

A 128x128 picture is averaged to 64x64 and cut into 4x4 patches of 48 numbers in [0, 1]; each patch
is projected on 8 principal components. Diffusion can so be trained before any decoder exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

CHANNELS = 8
PATCH = 48
DECODER_WIDTH = 32


@dataclass(frozen=True)
class Code:
    """latent = (patch - mean) @ project.T; patch is about latent @ expand.T + mean. All float32."""

    mean: Tensor
    project: Tensor
    expand: Tensor

    def save(self, path: Path) -> None:
        """Write the three tensors as safetensors."""
        save_file({"mean": self.mean, "project": self.project, "expand": self.expand}, path)

    @classmethod
    def load(cls, path: Path) -> Code:
        """Read what `save` wrote."""
        return cls(**load_file(path))


def patches(pictures: Tensor) -> Tensor:
    """[n, 3, 128, 128] -> [n, 48, 16, 16]: the numbers of each 4x4 patch at half size."""
    return functional.pixel_unshuffle(functional.avg_pool2d(pictures, 2), 4)


def fit(pictures: Tensor) -> Code:
    """Principal components of float32 pictures [n, 3, 128, 128] in [0, 1].

    Channels are divided by the square root of their spread: between whitened, where faint
    components would cost diffusion as much as strong ones, and natural, where they would drown.
    """
    rows = patches(pictures).permute(0, 2, 3, 1).reshape(-1, PATCH).double()
    mean = rows.mean(0)
    centred = rows - mean
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(rows))
    axes = vectors.flip(1)[:, :CHANNELS]
    spread = values.flip(0)[:CHANNELS].sqrt()
    damped = axes / spread.sqrt()
    scale = (centred @ damped).square().mean().sqrt()
    project = (damped / scale).T.contiguous()
    expand = (axes * spread.sqrt() * scale).contiguous()
    return Code(mean.float(), project.float(), expand.float())


def encode(code: Code, pictures: Tensor) -> Tensor:
    """Pictures [n, 3, 128, 128] in [0, 1] -> latents [n, 8, 16, 16] of about unit spread."""
    assert pictures.is_floating_point()
    centred = patches(pictures) - code.mean[:, None, None]
    return torch.einsum("cp,nphw->nchw", code.project, centred)


def decode_plainly(code: Code, latents: Tensor) -> Tensor:
    """The linear inverse: latents [n, 8, h, w] -> soft pictures [n, 3, 4h, 4w] in [0, 1]."""
    rows = torch.einsum("pc,nchw->nphw", code.expand, latents) + code.mean[:, None, None]
    return functional.pixel_shuffle(rows, 4).clamp(0, 1)


def build_autoencoder(code: Code) -> Any:
    """An AutoencoderTiny (f8, 8 channels): encoder exactly the code, decoder untrained."""
    build: Any = diffusers.AutoencoderTiny
    autoencoder = build(
        latent_channels=CHANNELS,
        encoder_block_out_channels=(PATCH,) * 4,
        num_encoder_blocks=(0, 0, 0, 0),
        decoder_block_out_channels=(DECODER_WIDTH,) * 4,
        num_decoder_blocks=(4, 4, 3, 1),
        scaling_factor=1.0,
    )
    with torch.no_grad():
        _set_encoder(autoencoder, code)
    return autoencoder


def _set_encoder(autoencoder: Any, code: Code) -> None:
    """Four convolutions: identity, 2x2 mean, two pixel-unshuffles by 2, projection.

    A stride-2 kernel is centred on the even pixel, so its last two rows and columns are the block.
    """
    entry, halve, first, second, project = autoencoder.encoder.layers
    for layer in (entry, halve, first, second, project):
        layer.weight.zero_()
        if layer.bias is not None:
            layer.bias.zero_()
    for channel in range(3):
        entry.weight[channel, channel, 1, 1] = 1.0
        halve.weight[channel, channel, 1:, 1:] = 0.25
    for layer, channels in ((first, 3), (second, 12)):
        for channel in range(channels):
            for row in range(2):
                for column in range(2):
                    layer.weight[channel * 4 + row * 2 + column, channel, 1 + row, 1 + column] = 1.0
    order = _order_after_two_unshuffles()
    project.weight[:, :, 1, 1] = code.project[:, order]
    project.bias.copy_(-code.project @ code.mean)


def _order_after_two_unshuffles() -> Tensor:
    """Which number of a 48-patch each channel holds after unshuffling twice by 2."""
    marked = torch.arange(PATCH, dtype=torch.float32).reshape(1, PATCH, 1, 1)
    picture = functional.pixel_shuffle(marked, 4)
    twice = functional.pixel_unshuffle(functional.pixel_unshuffle(picture, 2), 2)
    return twice.reshape(PATCH).long()
