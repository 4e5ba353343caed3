"""The decoder's second lesson: latents as the finished UNet leaves them.

Scenes are noised and drawn again by the stock image-to-image pipeline, which keeps their places but
adds the UNet's own mistakes; the decoder then learns to give the clean picture all the same.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionImg2ImgPipeline
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.training.captions import describe
from models.training.scenes import Wardrobe, imagine, paint

_BATCH = 32
_STEPS = 20
_STRENGTHS = (0.25, 0.35, 0.45, 0.55, 0.65)


@dataclass(frozen=True)
class Redrawn:
    """Latents float16 [n, 8, 16, 16] and the pictures uint8 [n, 3, 128, 128] they stand for."""

    latents: Tensor
    pictures: Tensor

    def save(self, path: Path) -> None:
        """Write both tensors as safetensors."""
        save_file({"latents": self.latents, "pictures": self.pictures}, path)

    @classmethod
    def load(cls, path: Path) -> Redrawn:
        """Read what `save` wrote."""
        return cls(**load_file(path))

    def batch(self, count: int, draw: random.Random) -> tuple[Tensor, Tensor]:
        """Pictures float32 [count, 3, 128, 128] in [0, 1] and their latents, float32."""
        rows = [draw.randrange(len(self.pictures)) for _ in range(count)]
        return self.pictures[rows].float() / 255, self.latents[rows].float()


def redraw(folder: Path, wardrobe: Wardrobe, count: int, seed: int = 4) -> Redrawn:
    """Draw `count` scenes again with the pipeline of a folder, in bf16."""
    build: Any = StableDiffusionImg2ImgPipeline
    pipeline = build.from_pretrained(folder, local_files_only=True, dtype=torch.bfloat16)
    pipeline.set_progress_bar_config(disable=True)
    draw = random.Random(seed)
    latents, pictures = [], []
    for number in range(count // _BATCH):
        scenes = [imagine(wardrobe, draw) for _ in range(_BATCH)]
        painted = paint(wardrobe, scenes, draw)
        found = pipeline(
            [describe(scene, draw) for scene in scenes],
            image=painted,
            strength=_STRENGTHS[number % len(_STRENGTHS)],
            num_inference_steps=_STEPS,
            guidance_scale=draw.choice((3.0, 4.0, 5.0)),
            generator=torch.Generator().manual_seed(number),
            output_type="latent",
        ).images
        latents.append(found.half())
        pictures.append((painted * 255).round().byte())
    return Redrawn(torch.cat(latents), torch.cat(pictures))
