"""Training: the schedule, one true step, and going on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import CLIPTokenizer

from models.training import tokens
from models.training.captions import Scene
from models.training.diffusion import Plan, Trainer
from models.training.drawings import load_nouns
from models.training.masters import averaging
from models.training.pool import Pool

PLAN = Plan(images=100_000, batch=4, warm_up=1)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    """A tokenizer of a handful of merges."""
    merges = [("a", "p"), ("p", "l"), ("o", "x"), ("ap", "pl"), ("appl", "e</w>")]
    kept = tokens.needed(merges, {"apple"})
    assert kept == [pair for pair in merges if pair != ("o", "x")]
    return tokens.build(kept, tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Eight scenes with random latents."""
    latents = torch.randn(8, 8, 16, 16, generator=torch.Generator().manual_seed(1))
    return Pool(latents.half(), [Scene(noun, None, None, "white") for noun in load_nouns()[:8]])


def test_only_needed_merges_are_kept(tokenizer: CLIPTokenizer) -> None:
    (row,) = tokens.encode(tokenizer, ["apple"])
    assert len(row) == tokens.LENGTH
    assert row[0] == len(tokenizer) - 2
    assert row[2:] == [len(tokenizer) - 1] * (tokens.LENGTH - 2)
    assert tokenizer.convert_ids_to_tokens(row[1]) == "apple</w>"


def test_the_rate_warms_up_and_falls(tokenizer: CLIPTokenizer) -> None:
    trainer = Trainer(tokenizer, Plan(images=10_000, batch=10, warm_up=10))
    rates = []
    for trainer.nets.seen in (0, 90, 5_000, 10_000):
        rates.append(trainer.rate())
    assert rates == pytest.approx([1e-4, 1e-3, 5.25e-4, 5e-5], rel=1e-2)


def test_the_average_has_a_short_memory_at_first() -> None:
    assert averaging(0) == 0.9
    assert 0.99 < averaging(2_000) < averaging(20_000) == 0.9995


def test_a_step_moves_the_weights_and_a_checkpoint_brings_them_back(
    tokenizer: CLIPTokenizer, pool: Pool, tmp_path: Path
) -> None:
    trainer = Trainer(tokenizer, PLAN)
    before = trainer.nets.master.unet.conv_in.weight.clone()
    losses = [trainer.step(*trainer.batch(pool)) for _ in range(2)]
    assert all(0 < loss < 10 for loss in losses)
    assert not torch.equal(before, trainer.nets.master.unet.conv_in.weight)
    trainer.nets.save(tmp_path / "run.pt")

    again = Trainer(tokenizer, PLAN, seed=9)
    again.resume(tmp_path / "run.pt")
    assert again.nets.seen == 8
    assert not (tmp_path / "run.partial").exists()
    for old, new in zip(
        trainer.nets.average.parameters(), again.nets.average.parameters(), strict=True
    ):
        assert torch.equal(old, new)
    assert all(group["fused"] for group in again.nets.optimizer.param_groups)
