"""LoRAs as three kinds of programs write them, fused into the weights they name."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from app.convert.coreml.converting import Lora
from app.convert.coreml.fuse import Loras
from app.core.errors import ConversionRefused, ImportRefused
from tests.convert.coreml.tinier import tinier_unet

ATTENTION = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"
RANK, ALPHA = 3, 6.0


def kohya(path: str, side: str) -> str:
    stem = "lora_unet_" + path.replace(".", "_")
    return f"{stem}.alpha" if side == "alpha" else f"{stem}.lora_{side}.weight"


def peft(path: str, side: str) -> str:
    return f"unet.{path}.lora_{'A' if side == 'down' else 'B'}.weight"


def older(path: str, side: str) -> str:
    layer, _, leaf = path.removesuffix(".0").rpartition(".")
    return f"unet.{layer}.processor.{leaf}_lora.{side}.weight"


def thin(unet: Any, path: str) -> tuple[torch.Tensor, torch.Tensor]:
    weight = unet.get_submodule(path).weight
    torch.manual_seed(len(path))
    up = torch.randn(weight.shape[0], RANK, *(1,) * (weight.dim() - 2))
    return torch.randn(RANK, *weight.shape[1:]), up


@pytest.mark.parametrize(
    ("written", "path", "scale"),
    [
        (kohya, f"{ATTENTION}.to_q", 2.0),
        (kohya, f"{ATTENTION}.to_out.0", 2.0),
        (kohya, "down_blocks.0.resnets.0.conv1", 2.0),
        (kohya, "mid_block.attentions.0.proj_in", 2.0),
        (peft, f"{ATTENTION}.to_v", 1.0),
        (older, f"{ATTENTION}.to_q", 1.0),
        (older, f"{ATTENTION}.to_out.0", 1.0),
    ],
)
def test_a_layer_is_found_and_changed_and_no_other(
    tmp_path: Path, written: Callable[[str, str], str], path: str, scale: float
) -> None:
    unet = tinier_unet("sd1")
    down, up = thin(unet, path)
    held = {written(path, "down"): down, written(path, "up"): up}
    if written is kohya:
        held[written(path, "alpha")] = torch.tensor(ALPHA)
    file = _saved(held, tmp_path)
    before = copy.deepcopy(unet.state_dict())
    Loras([Lora(file, 0.5)], "Tiny", unet.config).fuse("unet", unet)
    for name, weight in unet.state_dict().items():
        wanted = before[name]
        if name == f"{path}.weight":
            change = (up.flatten(1) @ down.flatten(1)).reshape(wanted.shape)
            wanted = wanted + 0.5 * scale * change
        assert torch.allclose(weight, wanted, atol=1e-5)


def test_two_loras_add_up(tmp_path: Path) -> None:
    unet, path = tinier_unet("sd1"), f"{ATTENTION}.to_k"
    down, up = thin(unet, path)
    file = _saved({peft(path, "down"): down, peft(path, "up"): up}, tmp_path)
    before = unet.get_submodule(path).weight.clone()
    Loras([Lora(file, 1.0), Lora(file, -0.25)], "Tiny", unet.config).fuse("unet", unet)
    assert torch.allclose(unet.get_submodule(path).weight, before + 0.75 * up @ down, atol=1e-5)


@pytest.mark.parametrize(
    "held",
    [
        {"lora_unet_no_such_layer.lora_down.weight": (3, 16)},
        {peft(f"{ATTENTION}.to_q", "down"): (3, 16)},  # and no other half
        {peft(f"{ATTENTION}.to_q", "down"): (3, 17), peft(f"{ATTENTION}.to_q", "up"): (16, 3)},
        {peft(f"{ATTENTION}.to_q", "down"): (3, 16), peft(f"{ATTENTION}.to_q", "up"): (16, 4)},
        {f"unet.{ATTENTION}.to_q.dora_scale": (16,)},
        {"something.else": (4, 4)},
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, held: dict[str, tuple[int, ...]]) -> None:
    file = _saved({name: torch.ones(shape) for name, shape in held.items()}, tmp_path)
    unet = tinier_unet("sd1")
    with pytest.raises(ConversionRefused) as refused:
        Loras([Lora(file)], "Tiny", unet.config).fuse("unet", unet)
    assert refused.value == ConversionRefused("Tiny", "lora")


def test_a_layer_of_a_component_that_is_not_there_is_refused(tmp_path: Path) -> None:
    name = "lora_te2_text_model_encoder_layers_0_mlp_fc1"
    held = {
        f"{name}.lora_down.weight": torch.ones(3, 32),
        f"{name}.lora_up.weight": torch.ones(64, 3),
    }
    loras = Loras([Lora(_saved(held, tmp_path))], "Tiny", tinier_unet("sd1").config)
    loras.check(("unet", "text_encoder", "text_encoder_2"))
    with pytest.raises(ConversionRefused):
        loras.check(("unet", "text_encoder"))


def test_a_file_that_is_no_lora_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.safetensors").write_bytes(b"no" * 100)
    with pytest.raises(ImportRefused):
        Loras([Lora(str(tmp_path / "no.safetensors"))], "Tiny", tinier_unet("sd1").config)


def _saved(held: dict[str, torch.Tensor], folder: Path) -> str:
    file = folder / "some.safetensors"
    save_file({name: value.contiguous() for name, value in held.items()}, file)
    return str(file)
