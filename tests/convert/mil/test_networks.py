"""Networks as PyTorch exports and coremltools converts them, from end to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from app.convert.mil.runtime import InterpretedRuntime
from app.core.coreml_manifest import Units
from tests.convert.mil.programs import coremltools_quiet, decibels, kinds_of, numbers


class Attention(nn.Module):
    """Heads of 8 over (batch, tokens, channels)."""

    def __init__(self, width: int, other: int, causal: bool = False) -> None:
        super().__init__()
        self.ask, self.key = nn.Linear(width, width), nn.Linear(other, width)
        self.value, self.out = nn.Linear(other, width), nn.Linear(width, width)
        self.causal = causal

    def forward(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        batch, tokens, width = x.shape
        q, k, v = (
            layer(on).view(batch, -1, width // 8, 8).transpose(1, 2)
            for layer, on in ((self.ask, x), (self.key, other), (self.value, other))
        )
        mask = torch.full((tokens, tokens), -1e4).triu(1) if self.causal else None
        looked = functional.scaled_dot_product_attention(q, k, v, mask)
        return self.out(looked.transpose(1, 2).reshape(batch, tokens, width))


class Words(nn.Module):
    """What CLIP's text encoder is made of, one layer of it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(50, 32), nn.Embedding(9, 32)
        self.attention = Attention(32, 32, causal=True)
        self.before, self.between, self.after = (nn.LayerNorm(32) for _ in range(3))
        self.up, self.down = nn.Linear(32, 64), nn.Linear(64, 32)

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.embed(ids) + self.place.weight
        normed = self.before(x)
        x = x + self.attention(normed, normed)
        y = self.up(self.between(x))
        x = self.after(x + self.down(y * torch.sigmoid(1.702 * y)))
        return x, x[torch.arange(ids.shape[0]), ids.argmax(-1)]


class Denoiser(nn.Module):
    """What a UNet is made of: a time embedding, a resnet, both attentions, down and up."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.down = nn.Conv2d(4, 32, 3, padding=1), nn.Conv2d(32, 32, 3, 2, 1)
        self.norm, self.last = nn.GroupNorm(8, 32), nn.GroupNorm(8, 32, eps=1e-6)
        self.time, self.conv = nn.Linear(16, 32), nn.Conv2d(32, 32, 3, padding=1)
        self.selves, self.words = Attention(32, 32), Attention(32, 24)
        self.layer, self.gates, self.join = nn.LayerNorm(32), nn.Linear(32, 128), nn.Linear(64, 32)
        self.up, self.out = nn.Conv2d(32, 32, 3, padding=1), nn.Conv2d(64, 4, 3, padding=1)

    def forward(self, x: torch.Tensor, t: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        angles = t[:, None] * torch.exp(torch.arange(8) * (-9.21 / 8))
        time = self.time(torch.cat([angles.cos(), angles.sin()], -1))
        first = self.into(x)
        y = self.down(first)
        y = y + self.conv(functional.silu(self.norm(y)) + time[:, :, None, None])
        tokens = y.flatten(2).transpose(1, 2)
        tokens = tokens + self.selves(tokens, tokens)
        tokens = tokens + self.words(self.layer(tokens), words)
        kept, gate = self.gates(tokens).chunk(2, -1)
        tokens = tokens + self.join(kept * functional.gelu(gate))
        y = tokens.transpose(1, 2).reshape(y.shape)
        y = self.up(functional.interpolate(y, scale_factor=2.0, mode="nearest"))
        return self.out(
            functional.silu(self.last(torch.cat([y, first], 1)[:, :32])).repeat(1, 2, 1, 1)
        )


def randomised(network: nn.Module) -> nn.Module:
    """Norms with weights of their own: default ones are folded away."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    for layer in network.modules():
        if isinstance(layer, nn.GroupNorm | nn.LayerNorm):
            nn.init.normal_(layer.weight, 1.0, 0.2)
    return network.eval()


def converted(
    path: Path,
    network: nn.Module,
    inputs: dict[str, torch.Tensor],
    outputs: Sequence[str],
    target: str,
    precision: str,
) -> Path:
    with coremltools_quiet() as ct:
        exported = torch.export.export(network, tuple(inputs.values())).run_decompositions({})
        model = ct.convert(
            exported,
            inputs=[
                ct.TensorType(
                    name=name,
                    shape=tuple(value.shape),
                    dtype=np.float32 if value.is_floating_point() else np.int32,
                )
                for name, value in inputs.items()
            ],
            outputs=[ct.TensorType(name=name, dtype=np.float32) for name in outputs],
            minimum_deployment_target=getattr(ct.target, target),
            compute_precision=getattr(ct.precision, precision),
            skip_model_load=True,
        )
        model.save(str(path))
        del model
    return path


NETWORKS: dict[str, tuple[Callable[[], nn.Module], dict[str, torch.Tensor], tuple[str, ...]]] = {
    "words": (
        Words,
        {"input_ids": torch.tensor([[1, 7, 3, 49, 0, 0, 2, 5, 6]], dtype=torch.int32)},
        ("hidden", "pooled"),
    ),
    "denoiser": (
        Denoiser,
        {
            "sample": numbers(2, 4, 8, 8, seed=1),
            "timestep": torch.tensor([961.37, 961.37]),
            "encoder_hidden_states": numbers(2, 9, 24, seed=2),
        },
        ("noise_pred",),
    ),
}


def answers(path: Path, inputs: dict[str, torch.Tensor], mode: Any) -> dict[str, Any]:
    model = InterpretedRuntime(mode).open(path, Units.ALL)
    return model.predict({name: value.numpy() for name, value in inputs.items()})


@pytest.mark.parametrize("target", [pytest.param("macOS13", marks=pytest.mark.slow), "macOS15"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_a_converted_network_answers_as_torch_does(tmp_path: Path, kind: str, target: str) -> None:
    build, inputs, outputs = NETWORKS[kind]
    network = randomised(build())
    with torch.no_grad():
        expected = network(*inputs.values())
    expected = expected if isinstance(expected, tuple) else (expected,)

    whole = converted(tmp_path / "w.mlpackage", network, inputs, outputs, target, "FLOAT32")
    half = converted(tmp_path / "h.mlpackage", network, inputs, outputs, target, "FLOAT16")

    assert ("scaled_dot_product_attention" in kinds_of(whole)) == (target == "macOS15")
    for name, right in zip(outputs, expected, strict=True):
        assert decibels(answers(whole, inputs, "fp32")[name], right) > 100
        assert decibels(answers(whole, inputs, "typed")[name], right) > 100
        assert 40 < decibels(answers(half, inputs, "typed")[name], right) < 100
