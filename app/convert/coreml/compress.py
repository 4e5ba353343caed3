"""Palettization: each weight becomes an index into a table of 16, 64 or 256 values a tensor.

It happens in two steps. ``snap`` chooses the tables and puts their values into the torch network,
so that whatever is computed with it (golden answers) is computed with what the package will hold.
``store`` then writes tables and indices without another loss. One-dimensional k-means is solved
exactly (Wu 1991; Grønlund et al. 2017), over the at most 63488 values that fp16 has.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import coremltools as ct
import coremltools.optimize.coreml as cto
import numpy as np
import torch
from coremltools._deps.kmeans1d import cluster
from torch import nn

from app.convert.coreml.converting import Mode
from app.convert.coreml.lowering import corrected_converter

THRESHOLD = 10_000
"""Weights of fewer numbers stay as they are: little to gain, and they matter most."""

Array = np.ndarray[Any, np.dtype[Any]]
_PATTERNS = 65536


def palettizable(module: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    """The layers of ``module`` whose weights ``snap`` changes: convolutions and linear layers."""
    return [
        layer
        for layer in module.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer.weight.numel() > THRESHOLD
    ]


def snap(module: nn.Module, bits: int, mode: Mode, snapped: Callable[[int], None]) -> None:
    """Round the weights of ``palettizable`` layers to 2**bits values each, in place.

    ``snapped`` is told how many numbers were done, after each layer; it may raise to stop.
    """
    for layer in palettizable(module):
        weight = layer.weight
        half = weight.detach().to(torch.float16).contiguous().numpy()
        # In place: a second copy of weights that are mapped from a file would be held in memory.
        weight.data.copy_(torch.from_numpy(_rounded(half, bits, mode)))
        snapped(weight.numel())


def store(package: Path, bits: int, target: Path) -> int:
    """Write ``package``, whose weights were snapped, as ``target`` with tables and indices.

    Returns how many weights have a table. Raises OSError; ValueError for a large weight of a
    convolution or a linear layer that has more than 2**bits values.
    """
    count = 0

    def table(values: Array) -> tuple[Array, Array]:
        nonlocal count
        count += 1
        return _table(values, bits)

    chosen = cto.OpPalettizerConfig(mode="custom", lut_function=table, weight_threshold=THRESHOLD)
    config = cto.OptimizationConfig(op_type_configs={"conv": chosen, "linear": chosen})
    with corrected_converter():
        model = ct.models.MLModel(str(package), skip_model_load=True)
        stored = cto.palettize_weights(model, config)
        del model
        stored.save(str(target))
    del stored
    gc.collect()
    return count


def _rounded(half: Array, bits: int, mode: Mode) -> Array:
    """Every number of ``half`` (fp16) as the nearest of its table."""
    counts = np.bincount(half.reshape(-1).view(np.uint16), minlength=_PATTERNS)
    present = np.flatnonzero(counts).astype(np.uint16)
    values = present.view(np.float16).astype(np.float64)
    order = np.argsort(values, kind="stable")
    values, patterns = values[order], present[order]
    if mode is Mode.KMEANS:
        found = cluster(values, min(2**bits, len(values)), weights=counts[patterns])
        nearest = np.asarray(found.centroids)[np.asarray(found.clusters)]
    else:
        step = (values[-1] - values[0]) / (2**bits - 1) or 1.0
        nearest = values[0] + np.round((values - values[0]) / step) * step
    becomes = np.zeros(_PATTERNS, np.float16)
    becomes[patterns] = nearest
    return becomes[half.reshape(-1).view(np.uint16)].reshape(half.shape)


def _table(values: Array, bits: int) -> tuple[Array, Array]:
    """The 2**bits values of a snapped weight, and for each of its numbers which one it is."""
    patterns = np.ascontiguousarray(values).reshape(-1).view(np.uint16)
    present = np.flatnonzero(np.bincount(patterns, minlength=_PATTERNS)).astype(np.uint16)
    if values.dtype != np.float16 or len(present) > 2**bits:
        raise ValueError(f"{len(present)} values of {values.dtype} in a weight of {bits} bits")
    entries = np.zeros(2**bits, np.float16)
    entries[: len(present)] = present.view(np.float16)
    index_of = np.zeros(_PATTERNS, np.uint8)
    index_of[present] = np.arange(len(present), dtype=np.uint8)
    return entries, index_of[patterns]
