"""The latents are a fixed linear code, and the shipped encoder computes exactly it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from models.training import codec, export


def pictures(count: int = 8) -> torch.Tensor:
    """Smooth random pictures, float32 [count, 3, 128, 128] in [0, 1]."""
    generator = torch.Generator().manual_seed(5)
    coarse = torch.rand(count, 3, 24, 24, generator=generator)
    return functional.interpolate(coarse, 128, mode="bilinear", align_corners=False)


@pytest.fixture(scope="module")
def code() -> codec.Code:
    """A code fitted on a few pictures."""
    return codec.fit(pictures(16))


def test_the_code_keeps_most_of_a_picture(code: codec.Code) -> None:
    shown = codec.decode_plainly(code, codec.encode(code, pictures()))
    wanted = functional.avg_pool2d(pictures(), 2)
    assert shown.shape == wanted.shape == (8, 3, 64, 64)
    error = (shown - wanted).square().mean()
    assert error < 0.3 * wanted.var()


def test_latents_have_unit_spread_and_stay_between_whitened_and_natural(code: codec.Code) -> None:
    latents = codec.encode(code, pictures(16))
    assert latents.shape == (16, 8, 16, 16)
    assert latents.square().mean() == pytest.approx(1, abs=0.01)
    spread = latents.std((0, 2, 3))
    assert spread[0] > spread[-1]


def test_the_encoder_is_the_code(code: codec.Code) -> None:
    autoencoder = codec.build_autoencoder(code)
    with torch.no_grad():
        found = autoencoder.encode(pictures() * 2 - 1).latents
    assert (found - codec.encode(code, pictures())).abs().max() < 1e-3


def test_expanding_undoes_projecting(code: codec.Code) -> None:
    assert torch.allclose(code.project @ code.expand, torch.eye(codec.CHANNELS), atol=1e-4)


def test_the_preview_matrix_is_the_mean_colour_of_a_patch(code: codec.Code) -> None:
    latents = codec.encode(code, pictures()) * 0.1
    side = export.preview(code)
    matrix, bias = torch.tensor(side["matrix"]), torch.tensor(side["bias"])
    shown = torch.einsum("nchw,cd->ndhw", latents, matrix) + bias[:, None, None]
    wanted = functional.avg_pool2d(codec.decode_plainly(code, latents), 4)
    assert matrix.shape == (8, 3)
    assert (shown - wanted).abs().max() < 1e-3
