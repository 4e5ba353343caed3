"""A network laid out for bfloat16 processors is the same network, older files' names included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from app.core.errors import ModelDamaged
from app.engine.torch.loading import load_network
from tests.tiny_models import build_tiny

CPU = torch.device("cpu")
COMPONENTS: tuple[tuple[str, Any], ...] = (("unet", UNet2DConditionModel), ("vae", AutoencoderKL))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_tiny("sd1", tmp_path / "model", dtype="float16")


def same(ours: torch.nn.Module, theirs: torch.nn.Module) -> bool:
    weights, others = ours.state_dict(), theirs.state_dict()
    return weights.keys() == others.keys() and all(
        torch.equal(weights[name], others[name]) for name in weights
    )


@pytest.mark.parametrize(("component", "network"), COMPONENTS)
def test_the_layout_changes_no_number(folder: Path, component: str, network: Any) -> None:
    plain = load_network(network, folder, component, torch.bfloat16, CPU)
    laid_out = load_network(network, folder, component, torch.bfloat16, CPU, channels_last=True)
    assert same(laid_out, plain)
    assert not laid_out.training
    convolutions = [p for p in laid_out.parameters() if p.dim() == 4]
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in convolutions)
    assert not any(p.requires_grad for p in laid_out.parameters())


def test_older_names_of_weights(folder: Path) -> None:
    """As in files of 2022: attention in the autoencoder was called query, key, value."""
    plain = load_network(AutoencoderKL, folder, "vae", torch.bfloat16, CPU)
    file = next((folder / "vae").glob("*.safetensors"))
    older = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    renamed = {}
    for name, tensor in load_file(file).items():
        for new, old in older.items():
            name = name.replace(f"attentions.0.{new}", f"attentions.0.{old}")
        renamed[name] = tensor
    assert any("query" in name for name in renamed)
    save_file(renamed, file, {"format": "pt"})
    laid_out = load_network(AutoencoderKL, folder, "vae", torch.bfloat16, CPU, channels_last=True)
    assert same(laid_out, plain)


def test_weights_of_another_shape(folder: Path) -> None:
    file = next((folder / "unet").glob("*.safetensors"))
    weights = load_file(file)
    weights["conv_out.bias"] = torch.zeros(5, dtype=torch.float16)
    save_file(weights, file, {"format": "pt"})
    with pytest.raises(ModelDamaged):
        load_network(UNet2DConditionModel, folder, "unet", torch.bfloat16, CPU, channels_last=True)
