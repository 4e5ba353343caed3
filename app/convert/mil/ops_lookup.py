"""Operations that look numbers up, order them or bring many together into one.

Definitions: ``coremltools.converters.mil.mil.ops.defs`` (iOS15 to iOS18).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from app.convert.mil.kernels import Ints, Kernel, Tensor, Tensors, computing, moving
from app.convert.mil.ops_shapes import promise
from app.convert.mil.program import TensorType

# --- gather and scatter -----------------------------------------------------------------------


def _counted(indices: Tensor, size: int) -> Tensor:
    """``indices`` from 0, where negative ones count from the end."""
    indices = indices.long()
    return torch.where(indices < 0, indices + size, indices)


def _gather(
    x: Tensor,
    indices: Tensor,
    axis: int = 0,
    batch_dims: int = 0,
    validate_indices: bool = False,  # noqa: ARG001  what is outside is refused in any case
) -> Tensor:
    if batch_dims:
        pairs = zip(x, indices, strict=True)
        return torch.stack([_gather(a, b, axis % x.dim() - 1, batch_dims - 1) for a, b in pairs])
    axis = axis % x.dim()
    flat = x.index_select(axis, _counted(indices, x.shape[axis]).reshape(-1))
    return flat.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def _gather_along_axis(
    x: Tensor,
    indices: Tensor,
    axis: int = 0,
    validate_indices: bool = False,  # noqa: ARG001
) -> Tensor:
    return torch.gather(x, axis, _counted(indices, x.shape[axis]))


def _gather_nd(
    x: Tensor,
    indices: Tensor,
    batch_dims: int = 0,
    validate_indices: bool = False,  # noqa: ARG001
) -> Tensor:
    if batch_dims:
        pairs = zip(x, indices, strict=True)
        return torch.stack([_gather_nd(one, at, batch_dims - 1) for one, at in pairs])
    return x[tuple(indices.long().unbind(-1))]


def _scatter(
    data: Tensor,
    indices: Tensor,
    updates: Tensor,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,  # noqa: ARG001
) -> Tensor:
    at = _counted(indices, data.shape[axis])
    if mode == "update":
        return data.index_copy(axis, at, updates)
    if mode == "add":
        return data.index_add(axis, at, updates)
    raise ValueError(f"scatter in mode {mode}")


def _scatter_along_axis(
    data: Tensor,
    indices: Tensor,
    updates: Tensor,
    axis: int = 0,
    mode: str = "add",
    validate_indices: bool = False,  # noqa: ARG001
) -> Tensor:
    at = _counted(indices, data.shape[axis])
    if mode == "update":
        return data.scatter(axis, at, updates)
    if mode == "add":
        return data.scatter_add(axis, at, updates)
    raise ValueError(f"scatter_along_axis in mode {mode}")


def _scatter_nd(
    data: Tensor,
    indices: Tensor,
    updates: Tensor,
    mode: str = "add",
    validate_indices: bool = False,  # noqa: ARG001
) -> Tensor:
    if mode not in ("update", "add"):
        raise ValueError(f"scatter_nd in mode {mode}")
    at = tuple(indices.long().unbind(-1))
    return data.index_put(at, updates, accumulate=mode == "add")


def _one_hot(
    indices: Tensor,
    one_hot_vector_size: int,
    declared: TensorType,
    axis: int = -1,
    on_value: Tensor | None = None,
    off_value: Tensor | None = None,
) -> Tensor:
    place = axis % (indices.dim() + 1)
    promise(declared, (*indices.shape[:place], one_hot_vector_size, *indices.shape[place:]))
    hot = indices.unsqueeze(-1) == torch.arange(one_hot_vector_size)
    on = torch.ones((), dtype=torch.int32) if on_value is None else on_value
    off = torch.zeros_like(on) if off_value is None else off_value
    return torch.where(hot, on, off).movedim(-1, place)


def _non_zero(x: Tensor) -> Tensor:
    return x.nonzero()


# --- order ------------------------------------------------------------------------------------


def _topk(
    x: Tensor,
    k: int = 1,
    axis: int = -1,
    ascending: bool = False,
    sort: bool = True,  # noqa: ARG001  sorted is one of the orders that "not sorted" allows
    return_indices: bool = True,
    output_indices_dtype: str = "int32",  # noqa: ARG001  the declared type says it too
) -> Tensor | Tensors:
    length = x.shape[axis] if k == -1 else k
    values, indices = torch.sort(x, dim=axis, descending=not ascending, stable=True)
    values, indices = values.narrow(axis, 0, length), indices.narrow(axis, 0, length)
    return (values, indices) if return_indices else values


def _argsort(x: Tensor, axis: int = -1, ascending: bool = False) -> Tensor:
    return torch.argsort(x, dim=axis, descending=not ascending, stable=True)


def _argmax(
    x: Tensor,
    axis: int = -1,
    keep_dims: bool = False,
    output_dtype: str = "int32",  # noqa: ARG001
) -> Tensor:
    return torch.argmax(x, axis, keepdim=keep_dims)


def _argmin(
    x: Tensor,
    axis: int = -1,
    keep_dims: bool = False,
    output_dtype: str = "int32",  # noqa: ARG001
) -> Tensor:
    return torch.argmin(x, axis, keepdim=keep_dims)


def _cumsum(x: Tensor, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Tensor:
    turned = x.flip(axis) if reverse else x
    summed = torch.cumsum(turned, axis, dtype=x.dtype)
    if exclusive:
        summed = summed - turned
    return summed.flip(axis) if reverse else summed


# --- reduction --------------------------------------------------------------------------------

_Reduction = Callable[[Tensor, Ints, bool], Tensor]


def _reduction(reduce: _Reduction) -> Kernel:
    """Over ``axes``, all of them where none are named."""

    def reduced(x: Tensor, axes: Ints = (), keep_dims: bool = False) -> Tensor:
        answer = reduce(x, axes or tuple(range(x.dim())), keep_dims)
        return answer if x.is_floating_point() else answer.to(x.dtype)

    return computing(reduced)


def _mean(x: Tensor, axes: Ints, keep: bool) -> Tensor:
    return (x if x.is_floating_point() else x.float()).mean(axes, keepdim=keep)


def _prod(x: Tensor, axes: Ints, keep: bool) -> Tensor:
    for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


OPERATIONS: Mapping[str, Kernel] = {
    "argsort": moving(_argsort),
    "cumsum": computing(_cumsum),
    "gather": moving(_gather),
    "gather_along_axis": moving(_gather_along_axis),
    "gather_nd": moving(_gather_nd),
    "non_zero": moving(_non_zero),
    "one_hot": moving(_one_hot),
    "reduce_argmax": moving(_argmax),
    "reduce_argmin": moving(_argmin),
    "reduce_l1_norm": _reduction(lambda x, axes, keep: x.abs().sum(axes, keepdim=keep)),
    "reduce_l2_norm": _reduction(lambda x, axes, keep: x.square().sum(axes, keepdim=keep).sqrt()),
    "reduce_log_sum": _reduction(lambda x, axes, keep: x.sum(axes, keepdim=keep).log()),
    "reduce_log_sum_exp": _reduction(lambda x, axes, keep: x.logsumexp(axes, keepdim=keep)),
    "reduce_max": _reduction(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "reduce_mean": _reduction(_mean),
    "reduce_min": _reduction(lambda x, axes, keep: x.amin(axes, keepdim=keep)),
    "reduce_prod": _reduction(_prod),
    "reduce_sum": _reduction(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "reduce_sum_square": _reduction(lambda x, axes, keep: x.square().sum(axes, keepdim=keep)),
    "scatter": computing(_scatter),
    "scatter_along_axis": computing(_scatter_along_axis),
    "scatter_nd": computing(_scatter_nd),
    "topk": moving(_topk),
}
