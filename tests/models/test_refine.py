"""The decoder's lessons: art and redrawn latents, and a loss that falls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.training import codec, scenes
from models.training.decoder import Art, DecoderPlan, DecoderTrainer, decibels
from models.training.refine import Redrawn

BLOCKS = np.zeros((2, 128, 128, 4), np.uint8)
BLOCKS[0, 20:100, 30:110] = (240, 60, 50, 255)
BLOCKS[1, 40:90, 20:100] = (60, 90, 220, 255)


@pytest.fixture(scope="module")
def art() -> Art:
    """Two blocks of colour."""
    wardrobe = scenes.dress({0: BLOCKS[0], 1: BLOCKS[1]})
    return Art(wardrobe, scenes.premultiplied(BLOCKS).half())


@pytest.fixture
def trainer(art: Art) -> DecoderTrainer:
    """A trainer at its beginning."""
    pictures = torch.rand(4, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    return DecoderTrainer(codec.fit(pictures), art, DecoderPlan(pictures=96))


def test_a_batch_is_pictures_and_their_latents(trainer: DecoderTrainer) -> None:
    pictures, latents = trainer.batch()
    assert pictures.shape == (16, 3, 128, 128)
    assert latents.shape == (16, 8, 16, 16)
    assert pictures.dtype == latents.dtype == torch.float32


def test_half_of_a_batch_is_redrawn(trainer: DecoderTrainer, tmp_path: Path) -> None:
    redrawn = Redrawn(torch.full((3, 8, 16, 16), 7.0).half(), torch.zeros(3, 3, 128, 128).byte())
    redrawn.save(tmp_path / "redrawn.safetensors")
    trainer.redrawn = Redrawn.load(tmp_path / "redrawn.safetensors")
    pictures, latents = trainer.batch()
    assert len(pictures) == 16
    assert (latents[8:] == 7).all()
    assert (pictures[8:] == 0).all()


def test_only_the_decoder_learns(trainer: DecoderTrainer) -> None:
    before = {k: v.clone() for k, v in trainer.nets.master.state_dict().items()}
    trainer.step()
    after = trainer.nets.master.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"decoder"}
    assert trainer.nets.seen == 16


def test_the_rate_rises_and_falls_within_the_plan(trainer: DecoderTrainer) -> None:
    trainer.plan = DecoderPlan(pictures=10_000, start=100, rate=5e-4)
    trainer.nets.seen = 100
    assert trainer.rate() < 1e-6
    trainer.nets.seen = trainer.plan.end
    assert trainer.rate() == pytest.approx(0.03 * 5e-4)


def test_decibels_are_finite_for_an_untrained_decoder(trainer: DecoderTrainer, art: Art) -> None:
    pictures, _ = trainer.batch()
    assert 0 < decibels(trainer.nets.average, trainer.code, pictures) < 40
    assert art.others.dtype == torch.float16
