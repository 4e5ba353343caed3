"""Convolutions, norms, pooling and resampling.

Definitions: ``coremltools.converters.mil.mil.ops.defs`` (iOS15 to iOS18).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch.nn import functional

from app.convert.mil.kernels import Ints, Kernel, Tensor, computing, moving
from app.convert.mil.ops_shapes import promise
from app.convert.mil.program import TensorType

_CONV = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
_CONV_TRANSPOSE = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


# --- convolutions -----------------------------------------------------------------------------


def _sides(
    pad_type: str, pad: Ints, sizes: Sequence[int], kernel: Ints, strides: Ints, dilations: Ints
) -> list[tuple[int, int]]:
    """How much is put before and after each spatial dimension."""
    rank = len(kernel)
    if pad_type == "valid":
        return [(0, 0)] * rank
    if pad_type == "custom":
        pad = pad or (0,) * 2 * rank
        return list(zip(pad[::2], pad[1::2], strict=True))
    if pad_type not in ("same", "same_lower"):
        raise ValueError(f"padding of type {pad_type}")
    sides = []
    for size, width, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        steps = -(-size // stride)
        total = max(0, (steps - 1) * stride + (width - 1) * dilation + 1 - size)
        less, more = total // 2, total - total // 2
        sides.append((less, more) if pad_type == "same" else (more, less))
    return sides


def _flat(sides: list[tuple[int, int]]) -> list[int]:
    """As ``torch.nn.functional.pad`` wants it: last dimension first."""
    return [n for side in reversed(sides) for n in side]


def _conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    strides: Ints = (),
    pad_type: str = "valid",
    pad: Ints = (),
    dilations: Ints = (),
    groups: int = 1,
) -> Tensor:
    kernel = tuple(weight.shape[2:])
    ones = (1,) * len(kernel)
    strides, dilations = strides or ones, dilations or ones
    sides = _sides(pad_type, pad, x.shape[2:], kernel, strides, dilations)
    padding = tuple(before for before, _ in sides)
    if any(before != after for before, after in sides):
        x, padding = functional.pad(x, _flat(sides)), (0,) * len(kernel)
    convolve = _CONV[len(kernel)]
    return convolve(x, weight, bias, strides, padding, dilations, groups)


def _conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    pad: Ints = (),
    output_shape: Ints = (),
    pad_type: str = "valid",
    strides: Ints = (),
    dilations: Ints = (),
    groups: int = 1,
) -> Tensor:
    """The whole result, of which the padding is cut off and to which nothing is added but zeros."""
    kernel = tuple(weight.shape[2:])
    ones = (1,) * len(kernel)
    strides, dilations = strides or ones, dilations or ones
    # 1. Everything
    whole = _CONV_TRANSPOSE[len(kernel)](x, weight, None, strides, 0, 0, groups, dilations)
    # 2. What is wanted of it
    for at, size in enumerate(whole.shape[2:]):
        before, wanted = 0, size
        if pad_type == "custom" and pad:
            before, wanted = pad[2 * at], size - pad[2 * at] - pad[2 * at + 1]
        elif pad_type == "same":
            wanted = x.shape[2 + at] * strides[at]
            before = max(0, size - wanted) // 2
        if output_shape:
            wanted = output_shape[len(output_shape) - len(kernel) + at]
        there = min(wanted, size - before)
        whole = whole.narrow(2 + at, before, there)
        if wanted > there:
            ahead = [0, 0] * (len(kernel) - 1 - at)
            whole = functional.pad(whole, [*ahead, 0, wanted - there])
    # 3. The bias reaches what no input reached
    return whole if bias is None else whole + bias.reshape(-1, *ones)


# --- norms ------------------------------------------------------------------------------------


def _layer_norm(
    x: Tensor,
    axes: Ints = (),
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = 1e-5,
) -> Tensor:
    places = sorted(axis % x.dim() for axis in axes) or list(range(x.dim()))
    sizes = [x.shape[axis] for axis in places]
    if places == list(range(places[0], x.dim())):
        return functional.layer_norm(x, sizes, gamma, beta, epsilon)
    centred = x - x.mean(places, keepdim=True)
    normed = centred * torch.rsqrt(centred.square().mean(places, keepdim=True) + epsilon)
    spread = [size if axis in places else 1 for axis, size in enumerate(x.shape)]
    if gamma is not None:
        normed = normed * gamma.reshape(spread)
    return normed if beta is None else normed + beta.reshape(spread)


def _batch_norm(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = 1e-5,
) -> Tensor:
    return functional.batch_norm(x, mean, variance, gamma, beta, False, 0.0, epsilon)


def _instance_norm(
    x: Tensor, gamma: Tensor | None = None, beta: Tensor | None = None, epsilon: float = 1e-5
) -> Tensor:
    return functional.instance_norm(x, weight=gamma, bias=beta, eps=epsilon)


def _l2_norm(x: Tensor, epsilon: float = 1e-6) -> Tensor:
    return x * torch.rsqrt(x.square().sum((-3, -2, -1), keepdim=True) + epsilon)


# --- pooling ----------------------------------------------------------------------------------


def _windows(
    x: Tensor,
    kernel: Ints,
    strides: Ints,
    pad_type: str,
    pad: Ints,
    ceil_mode: bool,
    outside: float,
) -> Tensor:
    """The numbers under each place of the window, in the last dimension."""
    ones = (1,) * len(kernel)
    sides = _sides(pad_type, pad, x.shape[2:], kernel, strides, ones)
    if ceil_mode:
        sides = [
            (before, after + _overhang(size, before + after, before, width, stride))
            for size, (before, after), width, stride in zip(
                x.shape[2:], sides, kernel, strides, strict=True
            )
        ]
    windows = functional.pad(x, _flat(sides), value=outside)
    for axis, (width, stride) in enumerate(zip(kernel, strides, strict=True)):
        windows = windows.unfold(2 + axis, width, stride)
    return windows.flatten(2 + len(kernel))


def _overhang(size: int, total: int, before: int, width: int, stride: int) -> int:
    """How far the last window of ``ceil_mode`` reaches over the padding."""
    places = -(-(size + total - width) // stride) + 1
    if total > 0 and (places - 1) * stride >= size + before:
        places -= 1
    return max(0, (places - 1) * stride + width - size - total)


def _max_pool(
    x: Tensor,
    kernel_sizes: Ints,
    strides: Ints = (),
    pad_type: str = "valid",
    pad: Ints = (),
    ceil_mode: bool = False,
) -> Tensor:
    strides = strides or (1,) * len(kernel_sizes)
    outside = float("-inf")
    return _windows(x, kernel_sizes, strides, pad_type, pad, ceil_mode, outside).amax(-1)


def _avg_pool(
    x: Tensor,
    kernel_sizes: Ints,
    strides: Ints = (),
    pad_type: str = "valid",
    pad: Ints = (),
    exclude_padding_from_average: bool = False,
    ceil_mode: bool = False,
) -> Tensor:
    strides = strides or (1,) * len(kernel_sizes)
    shape = (kernel_sizes, strides, pad_type, pad, ceil_mode, 0.0)
    windows = _windows(x, *shape)
    if exclude_padding_from_average:
        return windows.sum(-1) / _windows(torch.ones_like(x[:1, :1]), *shape).sum(-1)
    return windows.mean(-1)


# --- resampling -------------------------------------------------------------------------------


def _upsample_nearest(
    x: Tensor,
    declared: TensorType,
    scale_factor_height: float = 1,
    scale_factor_width: float = 1,
) -> Tensor:
    height, width = x.shape[-2:]
    rows, columns = int(height * scale_factor_height), int(width * scale_factor_width)
    promise(declared, (*x.shape[:-2], rows, columns))
    x = x.index_select(-2, (torch.arange(rows) * height).div(rows, rounding_mode="floor"))
    return x.index_select(-1, (torch.arange(columns) * width).div(columns, rounding_mode="floor"))


def _grid(size: int, wanted: int, mode: str) -> Tensor:
    """Where each of ``wanted`` samples lies between 0 and ``size - 1``."""
    at = torch.arange(wanted, dtype=torch.float64)
    between = max(1, wanted - 1)
    if mode == "ALIGN_CORNERS" and wanted == 1:
        at = at + (size - 1) / 2
    elif mode in ("ALIGN_CORNERS", "STRICT_ALIGN_CORNERS"):
        at = at * ((size - 1) / between)
    elif mode == "DEFAULT":
        at = at * (size / wanted)
    elif mode == "OFFSET_CORNERS":
        at = (at + 0.5) * (max(1, size - 1) / wanted)
    elif mode == "UNALIGN_CORNERS":
        at = (at + 0.5) * (size / wanted) - 0.5
    else:
        raise ValueError(f"sampling in mode {mode}")
    return at.clamp(0, size - 1)


def _sampled(x: Tensor, axis: int, wanted: int, mode: str) -> Tensor:
    at = _grid(x.shape[axis], wanted, mode)
    low = at.floor()
    share = (at - low).to(torch.float32).reshape(-1, *(1,) * (-1 - axis))
    high = (low + 1).clamp(max=x.shape[axis] - 1)
    below, above = x.index_select(axis, low.long()), x.index_select(axis, high.long())
    return below + (above - below) * share


def _resize_bilinear(
    x: Tensor,
    declared: TensorType,
    target_size_height: int = 1,
    target_size_width: int = 1,
    sampling_mode: str = "DEFAULT",
) -> Tensor:
    promise(declared, (*x.shape[:-2], target_size_height, target_size_width))
    x = _sampled(x, -2, target_size_height, sampling_mode)
    return _sampled(x, -1, target_size_width, sampling_mode)


def _upsample_bilinear(
    x: Tensor,
    declared: TensorType,
    scale_factor_height: float = 1,
    scale_factor_width: float = 1,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
) -> Tensor:
    centred = not align_corners if half_pixel_centers is None else half_pixel_centers
    mode = "STRICT_ALIGN_CORNERS" if align_corners else "DEFAULT"
    mode = "UNALIGN_CORNERS" if centred else mode
    rows, columns = int(x.shape[-2] * scale_factor_height), int(x.shape[-1] * scale_factor_width)
    return _resize_bilinear(x, declared, rows, columns, mode)


OPERATIONS: Mapping[str, Kernel] = {
    "avg_pool": computing(_avg_pool),
    "batch_norm": computing(_batch_norm),
    "conv": computing(_conv),
    "conv_transpose": computing(_conv_transpose),
    "instance_norm": computing(_instance_norm),
    "l2_norm": computing(_l2_norm),
    "layer_norm": computing(_layer_norm),
    "max_pool": computing(_max_pool),
    "resize_bilinear": computing(_resize_bilinear),
    "upsample_bilinear": computing(_upsample_bilinear),
    "upsample_nearest_neighbor": moving(_upsample_nearest),
}
