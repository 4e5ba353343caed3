"""Reads what a LoRA file holds: names and shapes at once, numbers one part at a time.

A part is a low-rank change of one layer (Hu et al. 2021): ``up @ down`` scaled by alpha / rank;
of a convolution also with a small one between (``mid``, as LyCORIS's LoCon has it).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from app.core.adapter import Adapter
from app.core.errors import ModelDamaged, ModelMissing, RecipeProblem
from app.engine.torch.lora_names import place_of, plain
from app.files.safetensors_header import read_header

FITTING = "a LoRA for this kind of model"
PLAIN = "a plain LoRA"
"""What ``RecipeProblem.allowed`` says of one that does not fit, and of one that is a DoRA."""

MAX_RANK = 2048

ALPHAS = "lora_adapter_metadata"
"""The key of the header by which diffusers keeps how a LoRA was made."""

_ROLES = {
    "lora_down": "down",
    "lora_A": "down",
    "lora.down": "down",
    "lora_linear_layer.down": "down",
    "lora_up": "up",
    "lora_B": "up",
    "lora.up": "up",
    "lora_linear_layer.up": "up",
    "lora_mid": "mid",
}
_NAME = re.compile(
    rf"(?P<stem>.+?)(?:_lora)?\.(?P<role>{'|'.join(map(re.escape, _ROLES))})(?:\.default)?\.weight"
)
_MAGNITUDE = re.compile(r".+\.(dora_scale|lora_magnitude_vector)(\..+)?")


@dataclass(frozen=True, slots=True)
class Part:
    """Names of the tensors that change ``layer`` of ``network``; ``stem`` is what they share."""

    network: str
    layer: str
    stem: str
    down: str
    up: str
    mid: str | None
    alpha: str | None


class LoraFile:
    """An opened LoRA; see ``open_lora``. ``unknown`` counts what nothing is known about."""

    def __init__(self, adapter: Adapter, shapes: dict[str, tuple[int, ...]], opened: Any) -> None:
        self.adapter = adapter
        self._shapes = shapes
        self._opened = opened
        self.parts, self.unknown = _sorted(adapter, shapes)
        self._alphas = _Alphas(opened.metadata() or {})

    def check(self, part: Part, weight: torch.Tensor) -> None:
        """Raise RecipeProblem unless ``part`` has the shape to change ``weight``."""
        down, up = self._shapes[part.down], self._shapes[part.up]
        mid = None if part.mid is None else self._shapes[part.mid]
        if not _fits(down, up, mid, tuple(weight.shape)):
            raise RecipeProblem("loras", self.adapter.title[:80], FITTING)

    def add(self, part: Part, strength: float, weight: torch.Tensor) -> None:
        """Add ``part``, ``strength`` times, to ``weight``: contiguous float32 on any device.

        Ask ``check`` first. Raises ModelDamaged for numbers that are no numbers.
        """
        down, up = (self._read(name, weight.device) for name in (part.down, part.up))
        alpha = self._alphas.of(part)
        if part.alpha is not None:
            alpha = float(self._read(part.alpha, torch.device("cpu")).flatten()[0])
        scale = strength if alpha is None else strength * alpha / down.shape[0]
        flat = weight.flatten(1)
        if part.mid is None:
            flat.addmm_(up.flatten(1), down.flatten(1), alpha=scale)
        else:
            mid = self._read(part.mid, weight.device)
            product = torch.einsum("oa,abhw,bi->oihw", up.flatten(1), mid, down.flatten(1))
            flat.add_(product.flatten(1), alpha=scale)

    def _read(self, name: str, device: torch.device) -> torch.Tensor:
        tensor: torch.Tensor = self._opened.get_tensor(name)
        if not tensor.is_floating_point():
            raise ModelDamaged(self.adapter.path, "mismatch")
        tensor = tensor.to(device, torch.float32)
        if not bool(torch.isfinite(tensor).all()):
            raise ModelDamaged(self.adapter.path, "not finite")
        return tensor


class _Alphas:
    """What a file written by diffusers says of alpha in its header: PEFT's LoraConfig as JSON.

    What is missing, or is no number, is taken for the rank, as it is without this header.
    """

    def __init__(self, metadata: dict[str, str]) -> None:
        try:
            told = json.loads(metadata.get(ALPHAS, "{}"))
        except (ValueError, RecursionError):
            told = {}
        self._told: dict[str, Any] = told if isinstance(told, dict) else {}

    def of(self, part: Part) -> float | None:
        """That of ``part``: of its layer, else of its whole network, else None."""
        patterns = self._told.get(f"{part.network}.alpha_pattern")
        for name, alpha in patterns.items() if isinstance(patterns, dict) else ():
            if f"_{part.layer}".endswith(f"_{plain(str(name))}"):
                return _number(alpha)
        return _number(self._told.get(f"{part.network}.lora_alpha"))


def _number(value: object) -> float | None:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if real and math.isfinite(value) else None  # type: ignore[arg-type]


@contextmanager
def open_lora(adapter: Adapter) -> Iterator[LoraFile]:
    """The LoRA that ``adapter`` names, its header checked.

    Raises ModelMissing, ModelDamaged, and RecipeProblem where it is none that can be laid over a
    model.
    """
    file = Path(adapter.path)
    if not file.is_file():
        raise ModelMissing(adapter.path)
    header = read_header(file)
    try:
        opened = safe_open(str(file), framework="pt", device="cpu")
    except (SafetensorError, ValueError) as error:
        raise ModelDamaged(adapter.path, "mismatch") from error
    with opened:
        yield LoraFile(adapter, header.shapes, opened)


def _sorted(adapter: Adapter, shapes: dict[str, tuple[int, ...]]) -> tuple[tuple[Part, ...], int]:
    """The parts, and how many tensors belong to none."""
    roles: dict[str, dict[str, str]] = {}
    known = 0
    for name in shapes:
        if _MAGNITUDE.fullmatch(name):
            raise RecipeProblem("loras", adapter.title[:80], PLAIN)
        if found := _NAME.fullmatch(name):
            roles.setdefault(found["stem"], {})[_ROLES[found["role"]]] = name
        elif name.endswith(".alpha") and math.prod(shapes[name]) == 1:
            roles.setdefault(name.removesuffix(".alpha").removesuffix("_lora"), {})["alpha"] = name
    parts = []
    for stem, named in roles.items():
        place = place_of(stem)
        if place is not None and "down" in named and "up" in named:
            mid, alpha = named.get("mid"), named.get("alpha")
            parts.append(Part(*place, stem, named["down"], named["up"], mid, alpha))
            known += len(named)
    return tuple(parts), len(shapes) - known


def _fits(
    down: tuple[int, ...],
    up: tuple[int, ...],
    mid: tuple[int, ...] | None,
    weight: tuple[int, ...],
) -> bool:
    if not all(len(shape) in (2, 4) for shape in (down, up)):
        return False
    narrow, wide = down[0], up[1]
    if not (1 <= narrow <= MAX_RANK and 1 <= wide <= MAX_RANK):
        return False
    if math.prod(up) != weight[0] * wide:
        return False
    if mid is None:
        return narrow == wide and math.prod(down) * weight[0] == math.prod(weight) * narrow
    return mid == (wide, narrow, *weight[2:]) and math.prod(down) == narrow * weight[1]
