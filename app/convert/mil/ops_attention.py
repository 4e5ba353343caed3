"""Products of matrices and what attention is made of.

Definitions: ``coremltools.converters.mil.mil.ops.defs`` (iOS15 to iOS18).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch.nn import functional

from app.convert.mil.kernels import Kernel, Tensor, Tensors, computing


def _matmul(x: Tensor, y: Tensor, transpose_x: bool = False, transpose_y: bool = False) -> Tensor:
    x = x.transpose(-1, -2) if transpose_x and x.dim() > 1 else x
    y = y.transpose(-1, -2) if transpose_y and y.dim() > 1 else y
    return torch.matmul(x, y)


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return functional.linear(x, weight, bias)


def _einsum(values: Tensors, equation: str) -> Tensor:
    return torch.einsum(equation, *values)


def _softmax(x: Tensor, axis: int = -1) -> Tensor:
    return torch.softmax(x, axis)


def _attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None
) -> Tensor:
    """Scaled by one over the square root of the last dimension; a mask of bools says what is
    looked at, one of numbers is added before the softmax."""
    return functional.scaled_dot_product_attention(query, key, value, attn_mask)


OPERATIONS: Mapping[str, Kernel] = {
    "einsum": computing(_einsum),
    "linear": computing(_linear),
    "matmul": computing(_matmul),
    "scaled_dot_product_attention": computing(_attention),
    "softmax": computing(_softmax),
}
