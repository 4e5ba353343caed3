"""Training the codec's decoder: crisp 128x128 pictures from latents that are not quite right."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.training.codec import Code, build_autoencoder, encode
from models.training.masters import Masters, averaging
from models.training.palette import BACKGROUNDS
from models.training.refine import Redrawn
from models.training.scenes import Wardrobe, imagine, paint, place

_BATCH = 16
_NOISE = 0.3


@dataclass(frozen=True)
class Art:
    """What the decoder learns from: the teacher's scenes and other drawings.

    `others` is float16 [n, 4, 128, 128], premultiplied.
    """

    wardrobe: Wardrobe
    others: Tensor

    def batch(self, count: int, draw: random.Random) -> Tensor:
        """Pictures float32 [count, 3, 128, 128] in [0, 1]; two thirds are the teacher's."""
        taught = 2 * count // 3
        scenes = [imagine(self.wardrobe, draw) for _ in range(taught)]
        rows = [draw.randrange(len(self.others)) for _ in range(count - taught)]
        names = tuple(BACKGROUNDS)
        colours = ["white" if draw.random() < 0.6 else draw.choice(names) for _ in rows]
        backs = torch.tensor([BACKGROUNDS[name] for name in colours], dtype=torch.float32) / 255
        return torch.cat(
            [paint(self.wardrobe, scenes, draw), place(self.others[rows].float(), backs, draw)]
        )


@dataclass(frozen=True)
class DecoderPlan:
    """`pictures` from `start` on, at a rate that falls from `rate`."""

    pictures: int
    start: int = 0
    rate: float = 1e-3

    @property
    def end(self) -> int:
        """Pictures seen when the plan is done."""
        return self.start + self.pictures


class DecoderTrainer:
    """Trains only the decoder; the encoder stays the exact code."""

    def __init__(self, code: Code, art: Art, plan: DecoderPlan, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.code, self.art, self.plan = code, art, plan
        self.redrawn: Redrawn | None = None
        self.draw = random.Random(seed)
        autoencoder = build_autoencoder(code)
        autoencoder.encoder.requires_grad_(False)
        self.nets = Masters(autoencoder, rate=1e-3)

    def batch(self) -> tuple[Tensor, Tensor]:
        """Pictures and latents; half of the latter redrawn by the UNet, if there are such."""
        count = _BATCH // 2 if self.redrawn else _BATCH
        pictures = self.art.batch(count, self.draw)
        latents = encode(self.code, pictures)
        strength = torch.rand(len(latents), 1, 1, 1).square() * _NOISE
        latents = latents + strength * torch.randn_like(latents)
        if self.redrawn is None:
            return pictures, latents
        more, others = self.redrawn.batch(_BATCH - count, self.draw)
        return torch.cat([pictures, more]), torch.cat([latents, others])

    def rate(self) -> float:
        """Linear warm-up over 3,000 pictures, then a cosine down to 3 %."""
        done = self.nets.seen - self.plan.start
        through = min(1.0, done / self.plan.pictures)
        warm = min(1.0, (done + 1) / 3000)
        return self.plan.rate * warm * (0.03 + 0.485 * (1 + math.cos(math.pi * through)))

    def step(self) -> float:
        """One batch; returns the loss."""
        pictures, latents = self.batch()
        drawn = self.nets.working.decode(latents.to(torch.bfloat16)).sample.float() / 2 + 0.5
        loss = _difference(drawn, pictures)
        loss.backward()  # type: ignore[no-untyped-call]
        self.nets.update(self.rate(), averaging(self.nets.seen // _BATCH, longest=0.998))
        self.nets.seen += len(pictures)
        return float(loss.detach())


def _difference(drawn: Tensor, wanted: Tensor) -> Tensor:
    """L1 of pixels and of their neighbours' differences, and a little MSE."""
    loss = functional.l1_loss(drawn, wanted) + 0.5 * functional.mse_loss(drawn, wanted)
    for axis in (2, 3):
        loss = loss + 0.5 * functional.l1_loss(drawn.diff(dim=axis), wanted.diff(dim=axis))
    return loss


def decibels(autoencoder: Any, code: Code, pictures: Tensor) -> float:
    """Mean PSNR of the reconstruction of pictures [n, 3, 128, 128] in [0, 1]."""
    with torch.no_grad():
        drawn = autoencoder.decode(encode(code, pictures)).sample.clamp(-1, 1) / 2 + 0.5
    errors = (drawn - pictures).square().mean((1, 2, 3)).clamp(min=1e-10)
    return float((-10 * errors.log10()).mean())


def train_decoder(trainer: DecoderTrainer, checkpoint: Path) -> None:
    """Train to the end of the plan, saving and reporting on the way."""
    started, first, losses, saved = time.time(), trainer.nets.seen, [], time.time()
    held = trainer.art.batch(96, random.Random(99))
    while trainer.nets.seen < trainer.plan.end:
        losses.append(trainer.step())
        if len(losses) == 100:
            speed = (trainer.nets.seen - first) / (time.time() - started)
            print(
                f"{trainer.nets.seen} pictures, loss {np.mean(losses):.4f}, {speed:.1f}/s",
                flush=True,
            )
            losses.clear()
        if time.time() - saved > 150 or trainer.nets.seen >= trainer.plan.end:
            trainer.nets.save(checkpoint)
            saved = time.time()
            quality = decibels(trainer.nets.average, trainer.code, held)
            print(f"decoder {quality:.2f} dB", flush=True)
