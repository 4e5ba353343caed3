"""Adds LoRAs to the weights of networks, once and for all.

A LoRA holds two thin matrices a layer: W + weight * alpha / rank * up @ down (Hu et al. 2021).
Layers are found by name as kohya's scripts write them ("lora_unet_..." with "_" for "."), as PEFT
does ("unet....lora_A.weight"), and as diffusers did ("...processor.to_q_lora.down.weight").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders.lora_conversion_utils import _maybe_map_sgm_blocks_to_diffusers
from torch import Tensor, nn

from app.convert.coreml.converting import Lora
from app.convert.tensor_files import open_safetensors, read_number
from app.core.errors import ConversionRefused

_KOHYA = {
    "lora_unet_": "unet",
    "lora_te_": "text_encoder",
    "lora_te1_": "text_encoder",
    "lora_te2_": "text_encoder_2",
}
_COMPONENTS = ("text_encoder_2", "text_encoder", "unet")
_DOWN = (".lora_down.weight", ".lora_A.weight", ".lora.down.weight", "_lora.down.weight")
_UP = (".lora_up.weight", ".lora_B.weight", ".lora.up.weight", "_lora.up.weight")


@dataclass(slots=True)
class Thin:
    """What a file holds for one layer."""

    down: Tensor | None = None
    up: Tensor | None = None
    alpha: float | None = None


class Loras:
    """The layers of ``loras`` by component, and which of them have been fused.

    Raises ConversionRefused ("lora") of ``model`` for files that hold anything else; ImportRefused.
    """

    def __init__(self, loras: Iterable[Lora], model: str, unet: Any) -> None:
        self._model = model
        self._layers: dict[str, dict[str, list[tuple[float, Thin]]]] = {}
        for lora in loras:
            for (component, name), thin in self._read(Path(lora.file), unet).items():
                if thin.down is None or thin.up is None:
                    raise ConversionRefused(model, "lora")
                named = self._layers.setdefault(component, {})
                named.setdefault(name, []).append((lora.weight, thin))

    def check(self, components: Iterable[str]) -> None:
        """Raises ConversionRefused where a layer is for a component that the model lacks."""
        if set(self._layers) - set(components):
            raise ConversionRefused(self._model, "lora")

    def fuse(self, component: str, network: nn.Module) -> None:
        """Change the weights of ``network`` in place.

        Raises ConversionRefused ("lora") where a layer is none of its, or of another shape.
        """
        wanted = self._layers.get(component, {})
        layers = {_flat(name): layer for name, layer in network.named_modules()}
        for name, changes in wanted.items():
            layer: Any = layers.get(name)
            if not isinstance(layer, nn.Linear | nn.Conv2d):
                raise ConversionRefused(self._model, "lora")
            whole = layer.weight.detach().float()
            for weight, thin in changes:
                whole = whole + weight * self._difference(thin, whole.shape)
            layer.weight = nn.Parameter(whole.to(layer.weight.dtype), requires_grad=False)

    def _difference(self, thin: Thin, shape: torch.Size) -> Tensor:
        assert thin.down is not None
        assert thin.up is not None
        rank = thin.down.shape[0]
        up, down = thin.up.float().flatten(1), thin.down.float().flatten(1)
        if up.shape[1] != rank or up.shape[0] * down.shape[1] != shape.numel():
            raise ConversionRefused(self._model, "lora")
        return ((thin.alpha or rank) / rank * (up @ down)).reshape(shape)

    def _read(self, file: Path, unet: Any) -> Mapping[tuple[str, str], Thin]:
        with open_safetensors(file) as tensors:
            held = {name: read_number(tensors, name, None) for name in tensors.shapes}
        try:
            held = _maybe_map_sgm_blocks_to_diffusers(held, unet)  # type: ignore[no-untyped-call]
        except (ValueError, IndexError, KeyError) as error:
            raise ConversionRefused(self._model, "lora") from error
        layers: dict[tuple[str, str], Thin] = {}
        for name, tensor in held.items():
            stem, kind = self._split(name)
            thin = layers.setdefault(self._place(stem), Thin())
            if kind == "alpha":
                thin.alpha = float(tensor)
            else:
                setattr(thin, kind, tensor)
        return layers

    def _split(self, name: str) -> tuple[str, str]:
        for kind, endings in (("down", _DOWN), ("up", _UP), ("alpha", (".alpha",))):
            for ending in endings:
                if name.endswith(ending):
                    return name.removesuffix(ending), kind
        raise ConversionRefused(self._model, "lora")  # DoRA, LoHa, ...: another sum

    def _place(self, stem: str) -> tuple[str, str]:
        """The component, and the layer's name as ``_flat`` writes it."""
        for prefix, component in _KOHYA.items():
            if stem.startswith(prefix):
                return component, _flat(stem.removeprefix(prefix))
        for component in _COMPONENTS:
            if stem.startswith(f"{component}."):
                layer = stem.removeprefix(f"{component}.").replace(".processor.", ".")
                flat = _flat(layer)
                return component, flat + "_0" if flat.endswith("_to_out") else flat
        raise ConversionRefused(self._model, "lora")


def _flat(name: str) -> str:
    """A module's name as kohya's scripts write it; without what not every CLIP has in it."""
    return name.replace(".", "_").removeprefix("text_model_")
