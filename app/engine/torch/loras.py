"""Lays LoRAs over a network that has just been loaded.

Their products are added to the layers' weights once, so that drawing costs what it did before.
Nothing is taken off again: without them, or with others, the network is loaded anew, which its
mapped file makes a matter of a tenth of a second, and which gives exactly what it was.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack

import torch

from app.core.adapter import Adapter
from app.core.errors import ModelDamaged, RecipeProblem
from app.core.events import PartlyUsed
from app.engine.torch.lora_file import FITTING, LoraFile, Part, open_lora
from app.engine.torch.lora_names import Layer, layers_of
from app.engine.watch import Watch

Weighted = tuple[Adapter, float]
"""A LoRA and how strongly it works."""

_Changes = dict[Layer, list[tuple[LoraFile, Part, float]]]


def lay_over(
    network: torch.nn.Module, name: str, loras: tuple[Weighted, ...], watch: Watch
) -> None:
    """Change ``network``, the model's ``name`` ("unet", "text_encoder", ...), as ``loras`` say.

    Tells what of a LoRA has no place. Raises RecipeProblem for one of another family,
    ModelMissing, ModelDamaged, and Stopped; the network is then of no use.
    """
    if not loras:
        return
    with ExitStack() as files:
        # 1. Which layers, and whether all shapes are right, before a number is read
        layers = layers_of(network)
        changes: _Changes = defaultdict(list)
        for adapter, strength in loras:
            file = files.enter_context(open_lora(adapter))
            used, unused = _place(file, name, strength, layers, changes)
            if unused:
                watch.report(PartlyUsed(watch.job, adapter.title, used, unused))
        # 2. Layer by layer
        for layer, wanted in changes.items():
            watch.check()
            _change(layer, wanted)


def _place(
    file: LoraFile, name: str, strength: float, layers: dict[str, Layer], changes: _Changes
) -> tuple[int, int]:
    """Put each part of ``file`` for this network beside its layer; how many have one, or none."""
    parts = [part for part in file.parts if part.network == name]
    placed = 0
    for part in parts:
        layer = layers.get(part.layer)
        if layer is not None:
            file.check(part, layer.weight)
            changes[layer].append((file, part, strength))
            placed += 1
    nothing = not file.parts or (bool(parts) and not placed)
    if name == "unet" and nothing:
        raise RecipeProblem("loras", file.adapter.title[:80], FITTING)
    strangers = file.unknown if name == "unet" else 0
    return placed, len(parts) - placed + strangers


def _change(layer: Layer, wanted: list[tuple[LoraFile, Part, float]]) -> None:
    """Summed in float32 and rounded once, whatever the network computes with."""
    weight = layer.weight
    changed = weight.to(torch.float32, memory_format=torch.contiguous_format, copy=True)
    for file, part, strength in wanted:
        file.add(part, strength, changed)
    _check(changed, weight, wanted[-1][0])
    new = torch.empty_like(weight).copy_(changed)  # in the layout that the network was given
    layer.weight = torch.nn.Parameter(new, requires_grad=False)


def _check(changed: torch.Tensor, weight: torch.Tensor, file: LoraFile) -> None:
    """Raise ModelDamaged when ``changed`` is too large for the dtype of ``weight``, or NaN."""
    low, high = (float(end) for end in torch.aminmax(changed))
    most = torch.finfo(weight.dtype).max
    if not (-most <= low and high <= most) and bool(torch.isfinite(weight).all()):
        raise ModelDamaged(file.adapter.path, "not finite")
