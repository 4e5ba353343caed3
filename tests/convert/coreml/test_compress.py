"""Palettes: as many values as bits allow, the best ones, and stored without another loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from app.convert.coreml import compress
from app.convert.coreml.compress import palettizable, snap
from app.convert.coreml.converting import Mode


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compress, "THRESHOLD", 500)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = (nn.Conv2d(8, 16, 3), nn.Linear(40, 40), nn.Linear(4, 4), nn.Embedding(100, 40))
    made = nn.Sequential(*layers).requires_grad_(False)
    made[0].half()
    return made


@pytest.mark.parametrize("bits", [8, 6, 4])
@pytest.mark.parametrize("mode", Mode)
def test_a_snapped_weight_has_as_many_values_as_bits_allow(bits: int, mode: Mode) -> None:
    made = network()
    before = [layer.weight.clone() for layer in made]
    snap(made, bits, mode, lambda _: None)
    for index in (0, 1):
        values = made[index].weight.unique()
        assert 2 ** (bits - 1) < len(values) <= 2**bits
        assert made[index].weight.dtype == before[index].dtype
        assert torch.equal(values, values.half().to(values.dtype))  # each fits fp16
    for index in (2, 3):  # too small, and an embedding
        assert torch.equal(made[index].weight, before[index])


def test_k_means_is_nearer_than_even_steps_and_more_bits_are_nearer_still() -> None:
    def error(bits: int, mode: Mode) -> float:
        made = network()
        before = made[1].weight.clone()
        snap(made, bits, mode, lambda _: None)
        return float((made[1].weight - before).square().mean())

    assert error(4, Mode.KMEANS) < 0.9 * error(4, Mode.UNIFORM)
    assert error(8, Mode.KMEANS) < error(6, Mode.KMEANS) < error(4, Mode.KMEANS)


def test_k_means_finds_the_clusters_that_are_there() -> None:
    layer = nn.Linear(64, 64).requires_grad_(False)
    generator = torch.Generator().manual_seed(3)
    centres = torch.tensor([-4.0, -1.0, -0.25, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0] + [9.0] * 6)
    chosen = torch.randint(0, 10, (64, 64), generator=generator)
    layer.weight.copy_(centres[chosen])
    snap(nn.Sequential(layer), 4, Mode.KMEANS, lambda _: None)
    assert torch.equal(layer.weight, centres[chosen])


def test_snapping_is_the_same_each_time() -> None:
    one, other = network(), network()
    for made in (one, other):
        snap(made, 6, Mode.KMEANS, lambda _: None)
    assert torch.equal(one[0].weight, other[0].weight)


def test_progress_counts_every_number_and_may_stop() -> None:
    made, told = network(), []
    snap(made, 6, Mode.UNIFORM, told.append)
    assert told == [layer.weight.numel() for layer in palettizable(made)]

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snap(network(), 6, Mode.UNIFORM, stop)


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_a_table_gives_back_the_very_numbers(bits: int) -> None:
    values = np.random.default_rng(0).standard_normal(2**bits - 1).astype(np.float16)
    weight = np.random.default_rng(1).choice(np.append(values, np.float16(-0.0)), (30, 20))
    entries, indices = compress._table(weight, bits)
    assert entries.shape == (2**bits,)
    assert entries.dtype == np.float16
    assert (entries[indices].view(np.uint16) == weight.reshape(-1).view(np.uint16)).all()


def test_a_weight_that_was_not_snapped_is_refused() -> None:
    with pytest.raises(ValueError, match="values"):
        compress._table(np.arange(100, dtype=np.float16), 6)
    with pytest.raises(ValueError, match="float32"):
        compress._table(np.zeros(10, np.float32), 6)


def test_a_weight_of_one_value_stays_what_it_is() -> None:
    layer = nn.Linear(64, 64).requires_grad_(False)
    layer.weight.fill_(0.5)
    for mode in Mode:
        snap(nn.Sequential(layer), 4, mode, lambda _: None)
        assert bool((layer.weight == 0.5).all())
