"""Operations that move numbers without changing them: shapes, slices, joins, padding.

Definitions: ``coremltools.converters.mil.mil.ops.defs`` (iOS15 to iOS18).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch.nn import functional

from app.convert.mil.kernels import Bools, Ints, Kernel, Tensor, Tensors, moving
from app.convert.mil.program import TensorType


def promise(declared: TensorType, shape: Ints) -> None:
    """Refuse a result of another shape than the declared one before any memory is taken for it.

    For operations whose result can be far larger than what they are given.
    """
    if not declared.fits(tuple(shape)):
        raise ValueError(f"would give {list(shape)}")


# --- shapes -----------------------------------------------------------------------------------


def _reshape(x: Tensor, shape: Ints) -> Tensor:
    """0 is the dimension of ``x`` in the same place, counted from the right (iOS17; the same as
    in iOS15, where the ranks have to be equal)."""
    missing = len(shape) - x.dim()
    sizes = [
        (x.shape[at - missing] if at >= missing else 1) if size == 0 and x.numel() else size
        for at, size in enumerate(shape)
    ]
    return x.reshape(sizes)


def _expand_dims(x: Tensor, axes: Ints) -> Tensor:
    rank = x.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _squeeze(x: Tensor, axes: Ints = ()) -> Tensor:
    if not axes:
        return x.squeeze()
    if any(x.shape[axis] != 1 for axis in axes):
        raise ValueError("squeeze of a dimension that is not 1")
    return x.squeeze(tuple(axes))


def _transpose(x: Tensor, perm: Ints) -> Tensor:
    return x.permute(perm)


def _flatten2d(x: Tensor, axis: int = 1) -> Tensor:
    return x.reshape(math.prod(x.shape[:axis]), -1)


def _shape(x: Tensor) -> Tensor:
    return torch.tensor(x.shape, dtype=torch.int32)


def _identity(x: Tensor) -> Tensor:
    return x


def _pixel_shuffle(x: Tensor, upscale_factor: int) -> Tensor:
    return functional.pixel_shuffle(x, upscale_factor)


def _pixel_unshuffle(x: Tensor, downscale_factor: int) -> Tensor:
    return functional.pixel_unshuffle(x, downscale_factor)


def _depth_to_space(x: Tensor, block_size: int) -> Tensor:
    n, c, h, w = x.shape
    blocks = x.reshape(n, block_size, block_size, c // block_size**2, h, w)
    return blocks.permute(0, 3, 4, 1, 5, 2).reshape(n, -1, h * block_size, w * block_size)


def _space_to_depth(x: Tensor, block_size: int) -> Tensor:
    n, c, h, w = x.shape
    blocks = x.reshape(n, c, h // block_size, block_size, w // block_size, block_size)
    return blocks.permute(0, 3, 5, 1, 2, 4).reshape(n, -1, h // block_size, w // block_size)


# --- parts ------------------------------------------------------------------------------------


def _picked(x: Tensor, axis: int, indices: range) -> Tensor:
    """``x`` at ``indices`` of ``axis``, a view where the step is positive."""
    if not indices:
        return x.narrow(axis, 0, 0)
    if indices.step > 0:
        span = x.narrow(axis, indices[0], indices[-1] - indices[0] + 1)
        return span[(slice(None),) * axis + (slice(None, None, indices.step),)]
    return x.index_select(axis, torch.tensor(list(indices)))


def _ranges(
    sizes: Ints,
    begin: Ints,
    end: Ints,
    stride: Ints,
    begin_mask: Bools,
    end_mask: Bools,
    squeeze_mask: Bools,
) -> list[range]:
    """What each axis is sliced to. Raises ValueError, IndexError."""
    rank = len(sizes)
    if len(begin) != rank or len(end) != rank:
        raise ValueError("slice of another rank")
    found = []
    for axis, size in enumerate(sizes):
        if squeeze_mask and squeeze_mask[axis]:
            first = range(size)[begin[axis]]
            found.append(range(first, first + 1))
            continue
        first_ = None if begin_mask and begin_mask[axis] else begin[axis]
        last = None if end_mask and end_mask[axis] else end[axis]
        found.append(range(size)[slice(first_, last, stride[axis] if stride else None)])
    return found


def _slice_by_index(
    x: Tensor,
    begin: Ints,
    end: Ints,
    stride: Ints = (),
    begin_mask: Bools = (),
    end_mask: Bools = (),
    squeeze_mask: Bools = (),
) -> Tensor:
    found = _ranges(tuple(x.shape), begin, end, stride, begin_mask, end_mask, squeeze_mask)
    for axis, indices in enumerate(found):
        if indices != range(x.shape[axis]):
            x = _picked(x, axis, indices)
    return x.squeeze(tuple(axis for axis, one in enumerate(squeeze_mask) if one))


def _slice_by_size(x: Tensor, begin: Ints, size: Ints) -> Tensor:
    for axis, (first, length) in enumerate(zip(begin, size, strict=True)):
        first = first % x.shape[axis] if first < 0 else first
        x = x.narrow(axis, first, x.shape[axis] - first if length == -1 else length)
    return x


def _slice_update(
    x: Tensor,
    update: Tensor,
    begin: Ints,
    end: Ints,
    stride: Ints = (),
    begin_mask: Bools = (),
    end_mask: Bools = (),
    squeeze_mask: Bools = (),
) -> Tensor:
    found = _ranges(tuple(x.shape), begin, end, stride, begin_mask, end_mask, squeeze_mask)
    grid = torch.meshgrid(*[torch.tensor(list(one)) for one in found], indexing="ij")
    changed = x.clone()
    changed[grid] = update.to(x.dtype).reshape(grid[0].shape)
    return changed


def _split(x: Tensor, axis: int, num_splits: int = 0, split_sizes: Ints = ()) -> Tensors:
    if not split_sizes:
        if num_splits < 1 or x.shape[axis] % num_splits:
            raise ValueError("split into unequal parts")
        split_sizes = (x.shape[axis] // num_splits,) * num_splits
    return torch.split(x, list(split_sizes), axis)


def _band_part(x: Tensor, lower: int = -1, upper: int = -1) -> Tensor:
    x = x if upper < 0 else torch.tril(x, upper)
    return x if lower < 0 else torch.triu(x, -lower)


def _reverse(x: Tensor, axes: Ints = ()) -> Tensor:
    return torch.flip(x, axes or tuple(range(x.dim())))


# --- joins and copies -------------------------------------------------------------------------


def _concat(values: Tensors, axis: int, interleave: bool = False) -> Tensor:
    if not interleave:
        return torch.cat(values, axis)
    joined = torch.stack(values, axis % values[0].dim() + 1)
    return joined.flatten(axis % values[0].dim(), axis % values[0].dim() + 1)


def _stack(values: Tensors, axis: int) -> Tensor:
    return torch.stack(values, axis)


def _tile(x: Tensor, reps: Ints, declared: TensorType) -> Tensor:
    promise(declared, tuple(n * size for n, size in zip(reps, x.shape, strict=True)))
    return x.repeat(reps)


def _fill(declared: TensorType, shape: Ints, value: Tensor | None = None) -> Tensor:
    promise(declared, shape)
    return (torch.zeros(()) if value is None else value).expand(shape)


def _fill_like(declared: TensorType, ref_tensor: Tensor, value: Tensor | None = None) -> Tensor:
    return _fill(declared, tuple(ref_tensor.shape), value)


def _range_1d(declared: TensorType, end: Tensor, start: Tensor, step: Tensor) -> Tensor:
    first, last, by = (one.item() for one in (start, end, step))
    if not by:
        raise ValueError("range without a step")
    promise(declared, (max(0, int(-((first - last) // by))),))
    return torch.arange(first, last, by, dtype=start.dtype)


def _pad(
    x: Tensor,
    pad: Ints,
    declared: TensorType,
    mode: str = "constant",
    constant_val: float = 0.0,
) -> Tensor:
    if len(pad) % 2 or len(pad) > 2 * x.dim() or min(pad, default=0) < 0:
        raise ValueError("padding of another rank")
    first = x.dim() - len(pad) // 2
    sides = [(0, 0)] * first + list(zip(pad[::2], pad[1::2], strict=True))
    promise(declared, tuple(n + a + b for n, (a, b) in zip(x.shape, sides, strict=True)))
    if mode == "constant":
        flat = [n for side in reversed(sides) for n in side]
        return functional.pad(x, flat, value=constant_val)
    if mode not in ("reflect", "replicate"):
        raise ValueError(f"padding in mode {mode}")
    for axis, (before, after) in enumerate(sides):
        if before or after:
            at = torch.arange(-before, x.shape[axis] + after)
            last = x.shape[axis] - 1
            at = last - (last - at.abs()).abs() if mode == "reflect" else at.clamp(0, last)
            x = x.index_select(axis, at)
    return x


OPERATIONS: Mapping[str, Kernel] = {
    "band_part": moving(_band_part),
    "concat": moving(_concat),
    "depth_to_space": moving(_depth_to_space),
    "expand_dims": moving(_expand_dims),
    "fill": moving(_fill),
    "fill_like": moving(_fill_like),
    "flatten2d": moving(_flatten2d),
    "identity": moving(_identity),
    "pad": moving(_pad),
    "pixel_shuffle": moving(_pixel_shuffle),
    "pixel_unshuffle": moving(_pixel_unshuffle),
    "range_1d": moving(_range_1d),
    "reshape": moving(_reshape),
    "reverse": moving(_reverse),
    "shape": moving(_shape),
    "slice_by_index": moving(_slice_by_index),
    "slice_by_size": moving(_slice_by_size),
    "slice_update": moving(_slice_update),
    "space_to_depth": moving(_space_to_depth),
    "split": moving(_split),
    "squeeze": moving(_squeeze),
    "stack": moving(_stack),
    "tile": moving(_tile),
    "transpose": moving(_transpose),
}
