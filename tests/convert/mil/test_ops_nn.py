"""Convolutions, norms, pooling, resampling and attention, against torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.convert.mil.cases import Ops, like, wrong
from tests.convert.mil.programs import numbers

MODES = [("fp32", "fp32"), ("fp16", "fp32"), ("fp16", "typed")]

W = numbers(6, 4, 3, 3, seed=1, scale=0.25)
BIAS = numbers(6, seed=2)
GROUPED = numbers(6, 2, 3, 2, seed=3, scale=0.25)
UP = numbers(4, 6, 3, 4, seed=4, scale=0.25)
LINE = numbers(5, 4, 3, seed=5, scale=0.25)


def conv(weight: torch.Tensor = W, bias: torch.Tensor | None = None, **asked: Any) -> Any:
    def made(mb: Any, n: str, a: Any) -> Any:
        extra = {} if bias is None else {"bias": like(a, bias)}
        return mb.conv(x=a, weight=like(a, weight), name=n, **extra, **asked)

    return made


def transposed(**asked: Any) -> Any:
    return lambda mb, n, a: mb.conv_transpose(
        x=a, weight=like(a, UP), bias=like(a, BIAS), name=n, **asked
    )


# Of an input of shape (2, 4, 7, 6)
CONVOLUTIONS: Ops = {
    "conv": (conv(), lambda a: functional.conv2d(a, W)),
    "conv_bias": (
        conv(bias=BIAS, pad_type="custom", pad=[1, 1, 1, 1]),
        lambda a: functional.conv2d(a, W, BIAS, padding=1),
    ),
    "conv_stride": (
        conv(strides=[2, 2], pad_type="custom", pad=[0, 1, 0, 1]),
        lambda a: functional.conv2d(functional.pad(a, (0, 1, 0, 1)), W, stride=2),
    ),
    "conv_uneven": (
        conv(pad_type="custom", pad=[2, 0, 1, 3]),
        lambda a: functional.conv2d(functional.pad(a, (1, 3, 2, 0)), W),
    ),
    "conv_same": (conv(pad_type="same"), lambda a: functional.conv2d(a, W, padding="same")),
    "conv_same_stride": (
        conv(pad_type="same", strides=[2, 2]),
        lambda a: functional.conv2d(functional.pad(a, (0, 1, 1, 1)), W, stride=2),
    ),
    "conv_same_lower": (
        conv(pad_type="same_lower", strides=[2, 2]),
        lambda a: functional.conv2d(functional.pad(a, (1, 0, 1, 1)), W, stride=2),
    ),
    "conv_dilated": (
        conv(dilations=[2, 1], pad_type="same"),
        lambda a: functional.conv2d(a, W, dilation=(2, 1), padding=(2, 1)),
    ),
    "conv_grouped": (
        conv(GROUPED, BIAS, groups=2),
        lambda a: functional.conv2d(a, GROUPED, BIAS, groups=2),
    ),
    "conv_transpose": (
        transposed(strides=[2, 2], pad_type="custom", pad=[1, 1, 1, 1]),
        lambda a: functional.conv_transpose2d(a, UP, BIAS, stride=2, padding=1),
    ),
    "conv_transpose_valid": (
        transposed(strides=[1, 3]),
        lambda a: functional.conv_transpose2d(a, UP, BIAS, stride=(1, 3)),
    ),
    "conv_transpose_shape": (
        transposed(
            strides=[2, 2], pad_type="custom", pad=[1, 0, 1, 1], output_shape=[2, 6, 14, 12]
        ),
        lambda a: functional.conv_transpose2d(a, UP, BIAS, stride=2, padding=1, output_padding=1)[
            :, :, :14, :12
        ],
    ),
    "conv_transpose_same": (
        transposed(strides=[2, 2], pad_type="same"),
        lambda a: functional.conv_transpose2d(a, UP, BIAS, stride=2)[:, :, :14, 1:13],
    ),
    "conv1d": (
        lambda mb, n, a: mb.conv(
            x=mb.reshape(x=a, shape=[2, 4, 42]), weight=like(a, LINE), pad_type="same", name=n
        ),
        lambda a: functional.conv1d(a.reshape(2, 4, 42), LINE, padding=1),
    ),
}

GAMMA, BETA = numbers(4, seed=6), numbers(4, seed=7)
MEAN, VARIANCE = numbers(4, seed=8), (numbers(4, seed=9).abs() + 0.5).half().float()
PLANE = numbers(7, 6, seed=10)


def layer_norm(axes: list[int], weight: torch.Tensor | None, bias: torch.Tensor | None) -> Any:
    def made(mb: Any, n: str, a: Any) -> Any:
        extra = {} if weight is None else {"gamma": like(a, weight), "beta": like(a, bias)}
        return mb.layer_norm(x=a, axes=axes, epsilon=like(a, 0.015625), name=n, **extra)

    return made


def normed(a: torch.Tensor, dims: tuple[int, ...], epsilon: float = 0.015625) -> torch.Tensor:
    centred = a - a.mean(dims, keepdim=True)
    return centred / (a.var(dims, correction=0, keepdim=True) + epsilon).sqrt()


# Of an input of shape (2, 4, 7, 6)
NORMS: Ops = {
    "layer_norm": (
        layer_norm([2, 3], PLANE, PLANE),
        lambda a: normed(a, (2, 3)) * PLANE + PLANE,
    ),
    "layer_norm_channels": (
        layer_norm([1], GAMMA, BETA),
        lambda a: normed(a, (1,)) * GAMMA.view(4, 1, 1) + BETA.view(4, 1, 1),
    ),
    "layer_norm_last": (layer_norm([-1], None, None), lambda a: normed(a, (3,))),
    "layer_norm_plain": (layer_norm([1, 2], None, None), lambda a: normed(a, (1, 2))),
    "batch_norm": (
        lambda mb, n, a: mb.batch_norm(
            x=a,
            mean=like(a, MEAN),
            variance=like(a, VARIANCE),
            gamma=like(a, GAMMA),
            beta=like(a, BETA),
            epsilon=like(a, 0.015625),
            name=n,
        ),
        lambda a: (
            (a - MEAN.view(4, 1, 1))
            / (VARIANCE + 0.015625).sqrt().view(4, 1, 1)
            * GAMMA.view(4, 1, 1)
            + BETA.view(4, 1, 1)
        ),
    ),
    "instance_norm": (
        lambda mb, n, a: mb.instance_norm(
            x=a, gamma=like(a, GAMMA), beta=like(a, BETA), epsilon=like(a, 0.015625), name=n
        ),
        lambda a: normed(a, (2, 3)) * GAMMA.view(4, 1, 1) + BETA.view(4, 1, 1),
    ),
    "l2_norm": (
        lambda mb, n, a: mb.l2_norm(x=a, epsilon=like(a, 0.5), name=n),
        lambda a: a / ((a**2).sum((1, 2, 3), keepdim=True) + 0.5).sqrt(),
    ),
}


def pooled(kind: str, **asked: Any) -> Any:
    return lambda mb, n, a: getattr(mb, kind)(x=a, kernel_sizes=[3, 2], name=n, **asked)


# Of an input of shape (2, 4, 7, 6)
POOLS: Ops = {
    "max_pool": (
        pooled("max_pool", strides=[2, 2], pad_type="valid"),
        nn.MaxPool2d((3, 2), 2),
    ),
    "max_pool_padded": (
        pooled("max_pool", strides=[1, 2], pad_type="custom", pad=[1, 1, 1, 1]),
        nn.MaxPool2d((3, 2), (1, 2), 1),
    ),
    "max_pool_ceil": (
        pooled("max_pool", strides=[3, 4], pad_type="valid", ceil_mode=True),
        nn.MaxPool2d((3, 2), (3, 4), ceil_mode=True),
    ),
    "avg_pool": (
        pooled("avg_pool", strides=[2, 2], pad_type="custom", pad=[1, 1, 1, 1]),
        nn.AvgPool2d((3, 2), 2, 1),
    ),
    "avg_pool_inside": (
        pooled(
            "avg_pool",
            strides=[2, 2],
            pad_type="custom",
            pad=[1, 1, 1, 1],
            exclude_padding_from_average=True,
        ),
        nn.AvgPool2d((3, 2), 2, 1, count_include_pad=False),
    ),
    "upsample": (
        lambda mb, n, a: mb.upsample_nearest_neighbor(
            x=a, scale_factor_height=2, scale_factor_width=3, name=n
        ),
        lambda a: a.repeat_interleave(2, 2).repeat_interleave(3, 3),
    ),
    "upsample_part": (
        lambda mb, n, a: mb.upsample_nearest_neighbor(
            x=a, scale_factor_height=1.5, scale_factor_width=2.5, name=n
        ),
        lambda a: functional.interpolate(a, size=(10, 15), mode="nearest"),
    ),
    "bilinear": (
        lambda mb, n, a: mb.upsample_bilinear(
            x=a, scale_factor_height=2, scale_factor_width=3, align_corners=True, name=n
        ),
        nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=True),
    ),
    "bilinear_centres": (
        lambda mb, n, a: mb.upsample_bilinear(
            x=a, scale_factor_height=2, scale_factor_width=3, align_corners=False, name=n
        ),
        nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=False),
    ),
    "resize": (
        lambda mb, n, a: mb.resize_bilinear(
            x=a,
            target_size_height=5,
            target_size_width=9,
            sampling_mode="STRICT_ALIGN_CORNERS",
            name=n,
        ),
        nn.Upsample((5, 9), mode="bilinear", align_corners=True),
    ),
    "resize_centres": (
        lambda mb, n, a: mb.resize_bilinear(
            x=a, target_size_height=5, target_size_width=9, sampling_mode="UNALIGN_CORNERS", name=n
        ),
        nn.Upsample((5, 9), mode="bilinear", align_corners=False),
    ),
}

WEIGHT = numbers(5, 8, seed=11, scale=0.25)
TABLE = numbers(8, 6, seed=12, scale=0.25)

# Of two inputs of shape (2, 3, 6, 8)
PRODUCTS: Ops = {
    "matmul": (
        lambda mb, n, a, b: mb.matmul(x=a, y=b, transpose_y=True, name=n),
        lambda a, b: a @ b.mT,
    ),
    "matmul_turned": (
        lambda mb, n, a, b: mb.matmul(x=a, y=b, transpose_x=True, name=n),
        lambda a, b: torch.einsum("nhij,nhik->nhjk", a, b),
    ),
    "matmul_table": (
        lambda mb, n, a, b: mb.matmul(x=mb.add(x=a, y=b), y=like(a, TABLE), name=n),
        lambda a, b: (a + b) @ TABLE,
    ),
    "linear": (
        lambda mb, n, a, b: mb.linear(
            x=mb.sub(x=a, y=b), weight=like(a, WEIGHT), bias=like(a, BIAS[:5]), name=n
        ),
        lambda a, b: (a - b) @ WEIGHT.T + BIAS[:5],
    ),
    "linear_plain": (
        lambda mb, n, a, b: mb.linear(x=mb.sub(x=a, y=b), weight=like(a, WEIGHT), name=n),
        lambda a, b: (a - b) @ WEIGHT.T,
    ),
    "einsum": (
        lambda mb, n, a, b: mb.einsum(
            values=(a, mb.transpose(x=b, perm=[0, 3, 2, 1])), equation="nchw,nwhu->nchu", name=n
        ),
        lambda a, b: (a.transpose(1, 2) @ b.permute(0, 2, 3, 1)).transpose(1, 2),
    ),
    "einsum_spread": (
        lambda mb, n, a, b: mb.einsum(
            values=(
                mb.slice_by_size(x=a, begin=[0, 0, 0, 0], size=[1, 3, 1, 8]),
                mb.transpose(x=b, perm=[0, 3, 2, 1]),
            ),
            equation="bchq,bqhk->bchk",
            name=n,
        ),
        lambda a, b: torch.stack(
            [torch.stack([a[0, :, 0] @ b[i, :, h].T for h in range(6)], 1) for i in range(2)]
        ),
    ),
    "softmax": (
        lambda mb, n, a, b: mb.softmax(x=mb.add(x=a, y=b), axis=-3, name=n),
        lambda a, b: (a + b).exp() / (a + b).exp().sum(1, keepdim=True),
    ),
}
MASK = torch.tensor([[True, False, True, True, False, True]] * 6)
ADDED = numbers(6, 6, seed=13)


def looked(a: torch.Tensor, b: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Attention written out: ``a`` asks, ``b`` is keys and values."""
    return torch.softmax(a @ b.mT / 8**0.5 + mask, -1) @ b


ATTENTION: Ops = {
    "sdpa": (
        lambda mb, n, a, b: mb.scaled_dot_product_attention(query=a, key=b, value=b, name=n),
        lambda a, b: looked(a, b, torch.zeros(())),
    ),
    "sdpa_masked": (
        lambda mb, n, a, b: mb.scaled_dot_product_attention(
            query=a, key=b, value=b, attn_mask=MASK.numpy(), name=n
        ),
        lambda a, b: looked(a, b, torch.zeros(6, 6).masked_fill(~MASK, float("-inf"))),
    ),
    "sdpa_added": (
        lambda mb, n, a, b: mb.scaled_dot_product_attention(
            query=a, key=b, value=b, attn_mask=like(a, ADDED), name=n
        ),
        lambda a, b: looked(a, b, ADDED),
    ),
}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
@pytest.mark.parametrize(
    "ops", [CONVOLUTIONS, NORMS, POOLS], ids=["convolutions", "norms", "pools"]
)
def test_planes(tmp_path: Path, ops: Ops, dtype: str, mode: str) -> None:
    assert wrong(tmp_path, ops, [numbers(2, 4, 7, 6)], [dtype], mode) == {}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_products(tmp_path: Path, dtype: str, mode: str) -> None:
    inputs = [numbers(2, 3, 6, 8), numbers(2, 3, 6, 8, seed=1)]

    assert wrong(tmp_path, PRODUCTS, inputs, [dtype, dtype], mode, "iOS16") == {}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_attention(tmp_path: Path, dtype: str, mode: str) -> None:
    inputs = [numbers(2, 3, 6, 8), numbers(2, 3, 6, 8, seed=1)]

    assert wrong(tmp_path, ATTENTION, inputs, [dtype, dtype], mode, "iOS18") == {}
