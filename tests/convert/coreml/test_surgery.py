"""Rewritten networks compute what the stock ones do."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn

from app.convert.coreml import surgery
from app.convert.coreml.surgery import GroupNorm, is_convertible, prepare_unet, replace_group_norms
from app.core.coreml_manifest import Attention
from tests.convert.coreml.tinier import FAMILIES, tinier_unet

LEAST = 1e-5
TIMES = torch.tensor([961.37, 1.0])


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surgery, "CHUNK", 24)  # of 64 queries: two chunks and a rest


@pytest.mark.parametrize("attention", Attention)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_rewritten_unet_computes_what_the_stock_one_does(
    family: str, attention: Attention
) -> None:
    stock = tinier_unet(family)
    sample, text, extras = _inputs(stock, family)
    rewritten = copy.deepcopy(stock)
    prepare_unet(rewritten, attention)
    with torch.no_grad():
        wanted = stock(sample, TIMES, text, return_dict=False, **extras)[0]
        found = rewritten(sample, TIMES, _tokens(text), return_dict=False, **extras)[0]
    assert float(wanted.std()) > 0.05
    assert float((found - wanted).abs().max()) < LEAST


def test_a_controlnets_residuals_go_in_where_they_do() -> None:
    stock = tinier_unet("sd1")
    sample, text, _ = _inputs(stock, "sd1")
    shapes = [(16, 8), (16, 8), (16, 4), (32, 4), (32, 4)]
    residuals = [torch.randn(2, wide, side, side) for wide, side in shapes]
    extras: dict[str, Any] = {
        "down_block_additional_residuals": tuple(residuals[:-1]),
        "mid_block_additional_residual": residuals[-1],
        "return_dict": False,
    }
    rewritten = copy.deepcopy(stock)
    prepare_unet(rewritten, Attention.SPLIT_EINSUM)
    with torch.no_grad():
        without = stock(sample, TIMES, text, return_dict=False)[0]
        wanted = stock(sample, TIMES, text, **extras)[0]
        found = rewritten(sample, TIMES, _tokens(text), **extras)[0]
    assert float((wanted - without).abs().max()) > 0.1
    assert float((found - wanted).abs().max()) < LEAST


def test_no_linear_layer_stays_in_a_transformer_and_no_norm_of_torchs_anywhere() -> None:
    unet = tinier_unet("sd2")
    prepare_unet(unet, Attention.SPLIT_EINSUM)
    assert not any(isinstance(one, nn.GroupNorm | nn.LayerNorm) for one in unet.modules())
    linear = [name for name, one in unet.named_modules() if isinstance(one, nn.Linear)]
    assert linear
    assert all("time_emb" in name for name in linear)


@pytest.mark.parametrize("sides", [(3, 16, 5, 7), (2, 16, 9)])
def test_group_norm_is_torchs_for_pictures_and_for_tokens(sides: tuple[int, ...]) -> None:
    stock = nn.GroupNorm(4, 16, eps=1e-6).requires_grad_(False)
    nn.init.normal_(stock.weight)
    nn.init.normal_(stock.bias)
    x = torch.randn(sides) * 3 + 1
    assert torch.allclose(GroupNorm(stock, narrow=False)(x), stock(x), atol=LEAST)


def test_group_norm_holds_in_fp16_where_squares_would_not() -> None:
    stock = nn.GroupNorm(2, 4).requires_grad_(False)
    x = torch.randn(1, 4, 8, 8) * 1000
    holder = nn.Sequential(stock)
    wanted = stock(x)
    holder.half()
    replace_group_norms(holder, narrow=True)
    found = holder(x.half())
    assert torch.isfinite(found).all()
    assert float((found.detach().float() - wanted).abs().max()) < 0.01


def test_a_flat_group_is_no_division_by_zero_in_fp16() -> None:
    holder = nn.Sequential(nn.GroupNorm(2, 4, eps=1e-6)).half()
    replace_group_norms(holder, narrow=True)
    assert torch.isfinite(holder(torch.full((1, 4, 8, 8), 7.0).half())).all()


@pytest.mark.parametrize(
    "strange",
    [
        {"class_embed_type": "timestep"},
        {"dual_cross_attention": True},
        {"only_cross_attention": (True, False)},
        {"addition_embed_type": "image"},
        {"encoder_hid_dim": 64},
        {"resnet_time_scale_shift": "scale_shift"},
    ],
)
def test_what_the_rewriting_does_not_know_is_not_convertible(strange: dict[str, object]) -> None:
    config = dict(tinier_unet("sd1").config)
    assert is_convertible(config)
    assert not is_convertible(config | strange)


def _inputs(unet: Any, family: str) -> tuple[torch.Tensor, torch.Tensor, dict[str, Any]]:
    torch.manual_seed(5)
    config = unet.config
    sample = torch.randn(2, config.in_channels, 8, 8)
    text = torch.randn(2, 24 if family == "starter" else 77, config.cross_attention_dim)
    extras: dict[str, Any] = {}
    if family == "sdxl":
        ids = torch.rand(2, 6) * 1024
        extras["added_cond_kwargs"] = {"time_ids": ids, "text_embeds": torch.randn(2, 32)}
    if family == "lcm":
        extras["timestep_cond"] = torch.randn(2, 16)
    return sample, text, extras


def _tokens(text: torch.Tensor) -> torch.Tensor:
    return text.transpose(1, 2).unsqueeze(2)
