"""The noise of a seed is torch's, number for number and draw after draw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from app.engine.coreml.noise import Noise

TOLERANCE = 2.5e-6
"""torch's own kernels for different processors differ by as much; with AVX2 it is 5e-7."""

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, counts=st.lists(st.integers(1, 70), min_size=1, max_size=8))
@example(seed=2**32 - 1, counts=[1, 16, 1, 15, 17, 2, 33, 3])
@example(seed=0, counts=[3, 16, 3])
def test_it_is_torchs_for_any_sequence_of_sizes(seed: int, counts: list[int]) -> None:
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = Noise(seed)
    for count in counts:
        wanted = torch.randn((count,), generator=generator).numpy()
        assert np.abs(noise.normal((count,)) - wanted).max() <= TOLERANCE


@pytest.mark.parametrize("seed", [0, 7, 2**31, 2**32 - 1])
def test_it_is_torchs_for_a_pictures_latents(seed: int) -> None:
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = Noise(seed)
    for shape in ((1, 4, 64, 64), (1, 8, 16, 16), (1, 4, 128, 96), (1, 4, 9, 7)):
        wanted = torch.randn(shape, generator=generator).numpy()
        found = noise.normal(shape)
        assert (found.dtype, found.shape) == (np.float32, shape)
        assert np.abs(found - wanted).max() <= TOLERANCE


def test_it_has_the_numbers_of_a_published_seed() -> None:
    """torch.manual_seed(0); torch.randn(3), as in PyTorch's own documentation."""
    assert Noise(0).normal((3,)) == pytest.approx([1.5409961, -0.2934289, -2.1787894], abs=1e-6)


def test_two_seeds_have_nothing_in_common() -> None:
    one, other = Noise(1).normal((1, 4, 64, 64)), Noise(2).normal((1, 4, 64, 64))
    assert abs(float((one * other).mean())) < 0.03
