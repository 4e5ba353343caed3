"""Training the UNet and the text encoder together: v-prediction on the pool's latents."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import CLIPTextModel, CLIPTokenizer

from models.training.captions import describe
from models.training.masters import Masters, averaging
from models.training.networks import STEPS, build_text_encoder, build_unet
from models.training.pool import Pool
from models.training.tokens import encode


@dataclass(frozen=True)
class Plan:
    """How long and how fast: `images` is the length of the cosine, counted from `start`."""

    images: int
    start: int = 0
    batch: int = 32
    rate: float = 1e-3
    warm_up: int = 100
    caption_dropout: float = 0.12
    minutes_between_saves: float = 4.0


class Nets(nn.Module):
    """The two networks that learn, as one module."""

    def __init__(self, text_encoder: CLIPTextModel, unet: Any) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.unet = unet

    def forward(self, noisy: Tensor, times: Tensor, ids: Tensor) -> Tensor:
        """Predict v for latents [n, 8, 16, 16] at times [n] under captions [n, 24]."""
        hidden = self.text_encoder(ids)[0]
        predicted: Tensor = self.unet(noisy, times, hidden).sample
        return predicted


class Trainer:
    """Draws batches from a pool and takes steps."""

    def __init__(self, tokenizer: CLIPTokenizer, plan: Plan, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.plan, self.tokenizer = plan, tokenizer
        self.draw = random.Random(seed)
        self.nets = Masters(Nets(build_text_encoder(tokenizer), build_unet()), plan.rate)
        betas = torch.linspace(1e-4, 0.02, STEPS, dtype=torch.float64)
        self.kept = (1 - betas).cumprod(0).float()

    def rate(self) -> float:
        """Linear warm-up, then a cosine down to 5 %."""
        done = max(0, self.nets.seen - self.plan.start)
        warm = min(1.0, (done / self.plan.batch + 1) / self.plan.warm_up)
        through = min(1.0, done / self.plan.images)
        return self.plan.rate * warm * (0.05 + 0.475 * (1 + math.cos(math.pi * through)))

    def batch(self, pool: Pool) -> tuple[Tensor, Tensor]:
        """Latents float32 [n, 8, 16, 16] and token numbers int64 [n, 24]."""
        rows = [self.draw.randrange(len(pool.scenes)) for _ in range(self.plan.batch)]
        captions = [
            ""
            if self.draw.random() < self.plan.caption_dropout
            else describe(pool.scenes[row], self.draw)
            for row in rows
        ]
        return pool.latents[rows].float(), torch.tensor(encode(self.tokenizer, captions))

    def step(self, latents: Tensor, ids: Tensor) -> float:
        """One update; returns the loss."""
        times = torch.randint(0, STEPS, (len(latents),))
        noise = torch.randn_like(latents)
        signal = self.kept[times].sqrt()[:, None, None, None]
        spread = (1 - self.kept[times]).sqrt()[:, None, None, None]
        noisy = (signal * latents + spread * noise).to(torch.bfloat16)
        target = signal * noise - spread * latents
        # The fused attention's backward pass took a third of a step on CPUs; plain matmuls do not.
        with sdpa_kernel(SDPBackend.MATH):
            loss = functional.mse_loss(self.nets.working(noisy, times, ids).float(), target)
            loss.backward()  # type: ignore[no-untyped-call]
        updates = (self.nets.seen - self.plan.start) // self.plan.batch
        self.nets.update(self.rate(), averaging(updates))
        self.nets.seen += len(latents)
        return float(loss.detach())

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint, on other noise and other scenes than before it."""
        self.nets.resume(path)
        self.draw = random.Random(self.nets.seen)
        torch.manual_seed(self.nets.seen)


def train(trainer: Trainer, pool: Pool, checkpoint: Path) -> None:
    """Train to the plan's end, saving and reporting on the way."""
    plan = trainer.plan
    started, losses, saved, first = time.time(), [], time.time(), trainer.nets.seen
    while trainer.nets.seen < plan.start + plan.images:
        losses.append(trainer.step(*trainer.batch(pool)))
        if len(losses) == 100:
            speed = (trainer.nets.seen - first) / (time.time() - started)
            mean = sum(losses) / len(losses)
            print(f"{trainer.nets.seen} images, loss {mean:.4f}, {speed:.1f} images/s", flush=True)
            losses.clear()
        if time.time() - saved > 60 * plan.minutes_between_saves:
            trainer.nets.save(checkpoint)
            saved = time.time()
    trainer.nets.save(checkpoint)
