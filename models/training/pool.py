"""A pool of ready scenes, painted and encoded once, so that training never waits for pictures."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.training.captions import Scene
from models.training.codec import CHANNELS, Code, encode
from models.training.networks import LATENT_SIZE
from models.training.scenes import Wardrobe, imagine, paint

_CHUNK = 64


@dataclass
class Pool:
    """Latents float16 [n, 8, 16, 16] and the scene of each."""

    latents: Tensor
    scenes: list[Scene]

    def save(self, path: Path) -> None:
        """Write the pool for a resumed run."""
        torch.save({"latents": self.latents, "scenes": self.scenes}, path)

    @classmethod
    def load(cls, path: Path) -> Pool:
        """Read what `save` wrote (a file of this recipe's own making)."""
        return cls(**torch.load(path, weights_only=False))


def fill(wardrobe: Wardrobe, code: Code, count: int, seed: int) -> Pool:
    """Imagine, paint and encode `count` scenes."""
    draw = random.Random(seed)
    latents = torch.empty(count, CHANNELS, LATENT_SIZE, LATENT_SIZE, dtype=torch.float16)
    scenes: list[Scene] = []
    for start in range(0, count, _CHUNK):
        batch = [imagine(wardrobe, draw) for _ in range(min(_CHUNK, count - start))]
        latents[start : start + len(batch)] = encode(code, paint(wardrobe, batch, draw)).half()
        scenes += batch
    return Pool(latents, scenes)
