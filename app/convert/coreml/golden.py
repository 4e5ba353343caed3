"""A question for each network, and its answer in fp32: proof that a Mac computes the same.

The answer comes from the torch network that was exported, palettized weights included.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from app.convert.coreml.parts import Network, Shape
from app.convert.tensor_files import sync

TIMESTEP = 961.37
"""Where an fp16 sinusoid is furthest off; of a Karras schedule, so fractional."""
ANSWER = "out:"
"""Before the names of answers in an .npz."""

Array = np.ndarray[Any, np.dtype[Any]]


def write_golden(network: Network, shape: Shape, file: Path) -> None:
    """Write inputs by name, and answers by ``ANSWER`` + name, to the new ``file``. Raises OSError.

    Numbers are fp32 (ids int32); those of fp16 inputs are exact in fp16.
    """
    asked = question(network, shape)
    answers = answer(network, asked)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("xb") as stream:
        arrays: Any = asked | {ANSWER + name: value for name, value in answers.items()}
        np.savez(stream, **arrays)
    sync(file)


def question(network: Network, shape: Shape, timestep: float = TIMESTEP) -> dict[str, Array]:
    """Inputs such as drawing has them; the same for the same names and shapes."""
    return {
        name: _values(name, example, network, shape, timestep)
        for name, example in network.inputs(shape).items()
    }


def answer(network: Network, asked: dict[str, Array]) -> dict[str, Array]:
    """What ``network`` says to ``asked`` in fp32; its weights are widened layer by layer."""
    named = {name: torch.from_numpy(value) for name, value in asked.items()}
    with torch.no_grad(), _widened(network.module):
        said = network.module(**named)
    pairs = zip(network.outputs, said, strict=True)
    return {name: value.to(torch.float32).numpy() for name, value in pairs}


def _values(name: str, example: Tensor, network: Network, shape: Shape, timestep: float) -> Array:
    random = np.random.default_rng(zlib.crc32(name.encode()))
    sides = tuple(example.shape)
    if name == "timestep":
        return np.full(sides, timestep, np.float32)
    if name == "time_ids":  # size, top left corner, target size: as SDXL is asked
        row = [shape.size.height, shape.size.width, 0, 0, shape.size.height, shape.size.width]
        return np.tile(np.resize(np.array(row, np.float32), sides[1]), (sides[0], 1))
    if name == "input_ids":
        return _sentence(sides[1], network.module.get_submodule("encoder").config, random)
    values = random.standard_normal(sides, np.float32)
    if name == "x":
        values = np.tanh(values)
    return values if network.wide else values.astype(np.float16).astype(np.float32)


def _sentence(tokens: int, config: Any, random: np.random.Generator) -> Array:
    """Begin, words, end, padding. The end's id may be given as 2, which means the largest."""
    end = config.eos_token_id if config.eos_token_id != 2 else config.vocab_size - 1
    ids = np.full((1, tokens), end, np.int32)
    words = tokens // 3
    ids[0, :words] = random.integers(0, min(end, config.vocab_size - 2), words)
    return ids


@contextlib.contextmanager
def _widened(module: nn.Module) -> Iterator[None]:
    """Each layer computes in fp32 with its fp16 weights, which are widened only meanwhile."""
    kept: dict[int, list[tuple[Tensor, Tensor]]] = {}

    def widen(layer: nn.Module, _: object) -> None:
        own = [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]
        kept[id(layer)] = [(one, one.data) for one in own if one.dtype is torch.float16]
        for one, data in kept[id(layer)]:
            one.data = data.float()

    def narrow(layer: nn.Module, *_: object) -> None:
        for one, data in kept.pop(id(layer)):
            one.data = data

    hooks = [layer.register_forward_pre_hook(widen) for layer in module.modules()]
    hooks += [layer.register_forward_hook(narrow) for layer in module.modules()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
