"""Compressed constants: what ``constexpr_*`` operations are unpacked to.

Each comes in the form of iOS16 (everything is an attribute, indices are packed bytes) and of
iOS18 (inputs, elements of less than a byte). The arithmetic is numpy's in the types of the file,
so that the numbers are those of coremltools' own decompression, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from app.convert.mil.bits import packed_size, unpack
from app.convert.mil.kernels import Ints, Kernel, Tensor, moving

Array = np.ndarray[Any, np.dtype[Any]]


def _lut_to_dense(
    indices: Tensor, lut: Tensor, shape: Ints = (), vector_axis: int | None = None
) -> Tensor:
    if lut.dim() == 1:
        return _palettized(indices.numpy(), lut.numpy(), shape)
    return _grouped(indices, lut, vector_axis)


def _palettized(packed: Array, lut: Array, shape: Ints) -> Tensor:
    """iOS16: one table; ``packed`` are indices of as few bits as it needs."""
    bits, count = lut.size.bit_length() - 1, math.prod(shape)
    if lut.size not in (2, 4, 16, 64, 256) or packed.size != packed_size(bits, count):
        raise ValueError("indices and table do not fit")
    return torch.from_numpy(lut[unpack(packed, bits, count)].reshape(shape))


def _grouped(indices: Tensor, lut: Tensor, vector_axis: int | None) -> Tensor:
    """iOS18: ``lut`` is (groups along each dimension of ``indices``..., entries, vector)."""
    *groups, entries, vector = lut.shape
    if len(groups) != indices.dim() or any(
        size % group for size, group in zip(indices.shape, groups, strict=True)
    ):
        raise ValueError("indices and tables do not fit")
    # 1. Which row of all tables together each index means
    rows: Array = indices.numpy()
    step = entries
    for axis in reversed(range(indices.dim())):
        if groups[axis] > 1:
            block = indices.shape[axis] // groups[axis]
            table = np.arange(indices.shape[axis], dtype=np.int32) // block * step
            rows = rows + table.reshape(-1, *(1,) * (indices.dim() - 1 - axis))
        step *= groups[axis]
    # 2. Each row is one number, or several along an axis
    tables = lut.reshape(-1, vector).numpy()
    if vector == 1:
        return torch.from_numpy(tables[:, 0][rows])
    if vector_axis is None:
        raise ValueError("vectors without an axis")
    axis = vector_axis % indices.dim()
    spread = np.moveaxis(tables[rows], -1, axis + 1)
    return torch.from_numpy(spread).flatten(axis, axis + 1).contiguous()


def _affine_dequantize(
    quantized_data: Tensor, zero_point: Tensor, scale: Tensor, axis: int
) -> Tensor:
    """``scale * (quantized_data - zero_point)``, both along ``axis`` where they are vectors."""
    rank = quantized_data.dim()
    along = [-1 if one == axis % rank else 1 for one in range(rank)]
    data = quantized_data.numpy().astype(np.float32)
    for one in (scale, zero_point):
        if one.dim() and one.shape[0] not in (1, data.shape[axis]):
            raise ValueError("as many scales as the axis is long")
    data -= zero_point.numpy().astype(np.float32).reshape(along if zero_point.dim() else ())
    data *= scale.numpy().reshape(along if scale.dim() else ())
    return torch.from_numpy(data.astype(scale.numpy().dtype))


def _shift_scale(data: Tensor, scale: Tensor, offset: Tensor | None = None) -> Tensor:
    """``scale * (data - offset)``; each number of ``scale`` and ``offset`` is for a block."""
    if scale.dim() != data.dim() or any(
        size % count for size, count in zip(data.shape, scale.shape, strict=True)
    ):
        raise ValueError("data and scales do not fit")
    scales = _spread(scale.numpy(), data)
    numbers = data.numpy().astype(scales.dtype)
    if offset is not None:
        if offset.shape != scale.shape:
            raise ValueError("offsets and scales do not fit")
        numbers = numbers - _spread(offset.numpy(), data)
    return torch.from_numpy(scales * numbers)


def _spread(values: Array, data: Tensor) -> Array:
    for axis, (size, count) in enumerate(zip(data.shape, values.shape, strict=True)):
        if size != count:
            values = np.repeat(values, size // count, axis)
    return values


def _sparse_to_dense(nonzero_data: Tensor, mask: Tensor, shape: Ints = ()) -> Tensor:
    there = mask.numpy()
    if shape:  # iOS16: one bit an element
        count = math.prod(shape)
        if there.size != packed_size(1, count):
            raise ValueError("mask and shape do not fit")
        there = unpack(there, 1, count).reshape(shape)
    chosen = there != 0
    if np.count_nonzero(chosen) != nonzero_data.numel():
        raise ValueError("mask and data do not fit")
    dense = np.zeros(there.shape, nonzero_data.numpy().dtype)
    dense[chosen] = nonzero_data.numpy()
    return torch.from_numpy(dense)


def _constant_cast(source_val: Tensor, output_dtype: str) -> Tensor:
    if output_dtype != "fp32":
        raise ValueError(f"constexpr_cast to {output_dtype}")
    return source_val.to(torch.float32)


OPERATIONS: Mapping[str, Kernel] = {
    "constexpr_affine_dequantize": moving(_affine_dequantize),
    "constexpr_blockwise_shift_scale": moving(_shift_scale),
    "constexpr_cast": moving(_constant_cast),
    "constexpr_lut_to_dense": moving(_lut_to_dense),
    "constexpr_sparse_to_dense": moving(_sparse_to_dense),
}
