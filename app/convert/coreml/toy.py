"""A network of a few thousand weights, converted and run: does the whole way work on this system?

The same export, the same converter and the same interpreter as for real models, in seconds.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from app.convert.coreml.export import export_package
from app.convert.coreml.golden import write_golden
from app.convert.coreml.parts import Network, Shape
from app.convert.coreml.surgery import replace_group_norms
from app.convert.coreml.verifying import Compared, compare
from app.convert.networks import DTYPE
from app.core.coreml_manifest import STEMS, Part
from app.core.recipe import Size

PART = Part.VAE_DECODER
PACKAGE = f"{STEMS[PART]}.mlpackage"
GOLDEN = f"{PART.value}.npz"
TARGET = 14
_SIDE = 16
_CHANNELS = 16


class Toy(nn.Module):
    """Convolution, normalisation, activation, twice the size: as a decoder has them."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Conv2d(4, _CHANNELS, 3, padding=1)
        self.norm = nn.GroupNorm(4, _CHANNELS)
        self.out = nn.Conv2d(_CHANNELS, 3, 3, padding=1)

    def forward(self, **named: Tensor) -> tuple[Tensor]:
        """``z``, latents (1, 4, h, w), to pixels (1, 3, 2h, 2w)."""
        hidden = nn.functional.silu(self.norm(self.into(named["z"].float())))
        return (self.out(nn.functional.interpolate(hidden, scale_factor=2.0, mode="nearest")),)


def write_toy(folder: Path) -> None:
    """Put its package and what torch answers to a question into ``folder``. Raises OSError."""
    network, shape = _network(), Shape(Size(_SIDE, _SIDE))
    write_golden(network, shape, folder / GOLDEN)
    export_package(network, shape, TARGET, folder / PACKAGE)


def run_toy(folder: Path) -> tuple[Compared, ...]:
    """What the package in ``folder`` answers, held against torch. Raises ModelError."""
    return tuple(compare(folder / PACKAGE, folder / GOLDEN, PART))


def _network() -> Network:
    generator = torch.Generator().manual_seed(17)
    toy = Toy().eval()
    with torch.no_grad():
        for weights in toy.parameters():
            weights.copy_(torch.randn(weights.shape, generator=generator) * 0.2)
    replace_group_norms(toy, narrow=True)
    return Network(
        PART,
        toy,
        lambda shape: {"z": torch.zeros(1, 4, *_latent(shape), dtype=DTYPE)},
        ("image",),
        narrow=True,
    )


def _latent(shape: Shape) -> tuple[int, int]:
    return shape.size.height // 2, shape.size.width // 2
