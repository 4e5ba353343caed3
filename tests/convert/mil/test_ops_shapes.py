"""Shapes, slices, joins, padding: against torch, numpy and coremltools itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.convert.mil.cases import Ops, like, wrong
from tests.convert.mil.programs import numbers

MODES = [("fp32", "fp32"), ("fp16", "fp32"), ("fp16", "typed"), ("int32", "typed")]


def by_numpy(function: object) -> object:
    return lambda *given: torch.from_numpy(
        np.ascontiguousarray(function(*[one.numpy() for one in given]))  # type: ignore[operator]
    )


def sliced(**asked: object) -> object:
    return lambda mb, n, a: mb.slice_by_index(x=a, name=n, **asked)


# Of an input of shape (2, 4, 6, 5)
SHAPES: Ops = {
    "reshape": (
        lambda mb, n, a: mb.reshape(x=a, shape=[4, 2, -1], name=n),
        lambda a: a.view(4, 2, 30),
    ),
    "reshape_zero": (
        lambda mb, n, a: mb.reshape(x=a, shape=[0, -1, 0], name=n),
        lambda a: a.reshape(4, 12, 5),
    ),
    "reshape_computed": (
        lambda mb, n, a: mb.reshape(
            x=a, shape=mb.concat(values=[np.int32([-1]), np.int32([6])], axis=0), name=n
        ),
        lambda a: a.reshape(-1, 6),
    ),
    "expand_dims": (
        lambda mb, n, a: mb.expand_dims(
            x=mb.slice_by_index(
                x=a, begin=[0] * 4, end=[2, 4, 6, 5], squeeze_mask=[True, False, False, False]
            ),
            axes=[-1, 0],
            name=n,
        ),
        lambda a: a[:1, ..., None],
    ),
    "expand_one": (
        lambda mb, n, a: mb.expand_dims(x=a, axes=[2], name=n),
        lambda a: a[:, :, None],
    ),
    "squeeze": (
        lambda mb, n, a: mb.squeeze(x=mb.expand_dims(x=a, axes=[1]), axes=[1], name=n),
        lambda a: a,
    ),
    "squeeze_all": (
        lambda mb, n, a: mb.squeeze(x=mb.expand_dims(x=a, axes=[0]), name=n),
        lambda a: a,
    ),
    "transpose": (
        lambda mb, n, a: mb.transpose(x=a, perm=[3, 0, -2, 1], name=n),
        lambda a: a.permute(3, 0, 2, 1),
    ),
    "flatten2d": (lambda mb, n, a: mb.flatten2d(x=a, axis=2, name=n), lambda a: a.reshape(8, 30)),
    "flatten2d_back": (
        lambda mb, n, a: mb.flatten2d(x=a, axis=-1, name=n),
        lambda a: a.reshape(48, 5),
    ),
    "identity": (lambda mb, n, a: mb.identity(x=a, name=n), lambda a: a),
    "shape": (
        lambda mb, n, a: mb.shape(x=a, name=n),
        lambda a: torch.tensor(a.shape, dtype=torch.int32),
    ),
    "slice": (
        sliced(begin=[0, 1, 2, 0], end=[2, 3, 5, 5]),
        lambda a: a[:, 1:3, 2:5],
    ),
    "slice_steps": (
        sliced(begin=[0, 0, -1, 0], end=[2, 4, 0, 5], stride=[1, 2, -2, 3]),
        by_numpy(lambda a: a[:, ::2, -1:0:-2, ::3]),
    ),
    "slice_masks": (
        sliced(
            begin=[1, 1, 1, 1],
            end=[1, 1, -1, 1],
            begin_mask=[True, False, False, True],
            end_mask=[True, True, False, True],
        ),
        lambda a: a[:, 1:, 1:-1, :],
    ),
    "slice_backwards": (
        sliced(
            begin=[0, 0, 0, 0],
            end=[0, 0, 0, 0],
            stride=[1, 1, 1, -1],
            begin_mask=[True] * 4,
            end_mask=[True] * 4,
        ),
        lambda a: a.flip(3),
    ),
    "slice_squeezed": (
        sliced(
            begin=[0, -1, 0, 2],
            end=[2, 0, 6, 3],
            squeeze_mask=[False, True, False, True],
        ),
        lambda a: a[:, -1, :, 2],
    ),
    "slice_by_size": (
        lambda mb, n, a: mb.slice_by_size(x=a, begin=[0, 1, 2, 1], size=[-1, 2, 3, -1], name=n),
        lambda a: a[:, 1:3, 2:5, 1:],
    ),
    "split": (
        lambda mb, n, a: mb.split(x=a, num_splits=3, axis=2, name=n),
        lambda a: torch.chunk(a, 3, 2),
    ),
    "split_uneven": (
        lambda mb, n, a: mb.split(x=a, split_sizes=[1, 3], axis=-3, name=n),
        lambda a: (a[:, :1], a[:, 1:]),
    ),
    "reverse": (
        lambda mb, n, a: mb.reverse(x=a, axes=[1, -1], name=n),
        by_numpy(lambda a: a[:, ::-1, :, ::-1]),
    ),
    "reverse_all": (lambda mb, n, a: mb.reverse(x=a, name=n), by_numpy(np.flip)),
    "band_low": (
        lambda mb, n, a: mb.band_part(x=a, lower=2, upper=-1, name=n),
        by_numpy(
            lambda a: a * (np.subtract.outer(np.arange(6), np.arange(5)) <= 2).astype(a.dtype)
        ),
    ),
    "band_high": (
        lambda mb, n, a: mb.band_part(x=a, lower=-1, upper=1, name=n),
        by_numpy(
            lambda a: a * (np.subtract.outer(np.arange(6), np.arange(5)) >= -1).astype(a.dtype)
        ),
    ),
    "band": (
        lambda mb, n, a: mb.band_part(x=a, lower=0, upper=0, name=n),
        by_numpy(lambda a: a * np.eye(6, 5, dtype=a.dtype)),
    ),
    "concat": (
        lambda mb, n, a: mb.concat(
            values=[a, mb.slice_by_size(x=a, begin=[0] * 4, size=[2, 1, 6, 5])], axis=1, name=n
        ),
        lambda a: torch.cat([a, a[:, :1]], 1),
    ),
    "concat_interleaved": (
        lambda mb, n, a: mb.concat(
            values=[a, mb.reverse(x=a, axes=[1])], axis=-3, interleave=True, name=n
        ),
        lambda a: torch.stack([a, a.flip(1)], 2).reshape(2, 8, 6, 5),
    ),
    "stack": (
        lambda mb, n, a: mb.reshape(x=mb.stack(values=[a, a], axis=2), shape=[8, 12, 5], name=n),
        lambda a: torch.stack([a, a], 2).reshape(8, 12, 5),
    ),
    "tile": (
        lambda mb, n, a: mb.tile(x=a, reps=[1, 2, 1, 3], name=n),
        by_numpy(lambda a: np.tile(a, [1, 2, 1, 3])),
    ),
}

# Not for whole numbers
FLOATS: Ops = {
    "pad": (
        lambda mb, n, a: mb.pad(
            x=a, pad=[1, 0, 2, 3], mode="constant", constant_val=like(a, 0.5), name=n
        ),
        by_numpy(lambda a: np.pad(a, [(0, 0)] * 2 + [(1, 0), (2, 3)], constant_values=0.5)),
    ),
    "pad_default": (
        lambda mb, n, a: mb.pad(x=a, pad=[0, 0, 1, 2, 0, 1, 1, 0], name=n),
        by_numpy(lambda a: np.pad(a, [(0, 0), (1, 2), (0, 1), (1, 0)])),
    ),
    "pad_reflect": (
        lambda mb, n, a: mb.pad(x=a, pad=[2, 3, 4, 0], mode="reflect", name=n),
        by_numpy(lambda a: np.pad(a, [(0, 0)] * 2 + [(2, 3), (4, 0)], mode="reflect")),
    ),
    "pad_replicate": (
        lambda mb, n, a: mb.pad(x=a, pad=[2, 1, 0, 3], mode="replicate", name=n),
        by_numpy(lambda a: np.pad(a, [(0, 0)] * 2 + [(2, 1), (0, 3)], mode="edge")),
    ),
    "pixel_shuffle": (
        lambda mb, n, a: mb.pixel_shuffle(x=a, upscale_factor=2, name=n),
        lambda a: a.reshape(2, 1, 2, 2, 6, 5).permute(0, 1, 4, 2, 5, 3).reshape(2, 1, 12, 10),
    ),
    "depth_to_space": (
        lambda mb, n, a: mb.depth_to_space(x=a, block_size=2, name=n),
        lambda a: a.reshape(2, 2, 2, 1, 6, 5).permute(0, 3, 4, 1, 5, 2).reshape(2, 1, 12, 10),
    ),
    "space_to_depth": (
        lambda mb, n, a: mb.space_to_depth(
            x=mb.slice_by_size(x=a, begin=[0] * 4, size=[2, 4, 6, 4]), block_size=2, name=n
        ),
        lambda a: torch.cat([a[:, :, i::2, j:4:2] for i in range(2) for j in range(2)], 1),
    ),
    "pixel_unshuffle": (
        lambda mb, n, a: mb.pixel_unshuffle(
            x=mb.slice_by_size(x=a, begin=[0] * 4, size=[2, 4, 6, 4]),
            downscale_factor=np.uint32(2),
            name=n,
        ),
        lambda a: torch.nn.PixelUnshuffle(2)(a[..., :4]),
    ),
    "fill": (
        lambda mb, n, a: mb.add(x=mb.fill(shape=[4, 1, 5], value=like(a, 2.5)), y=a, name=n),
        lambda a: a + 2.5,
    ),
    "fill_like": (
        lambda mb, n, a: mb.fill_like(ref_tensor=a, value=like(a, -1.5), name=n),
        lambda a: torch.full_like(a, -1.5),
    ),
}

UPDATED: Ops = {
    "slice_update": (
        lambda mb, n, a, b: mb.slice_update(
            x=a, update=b, begin=[0, 1, 0], end=[2, 5, 4], stride=[1, 2, 3], name=n
        ),
        lambda a, b: torch.from_numpy(_updated(a.numpy().copy(), b.numpy())),
    ),
}

RANGES: Ops = {
    "range_1d": (
        lambda mb, n, a: mb.add(
            x=mb.cast(x=mb.range_1d(start=2, end=11, step=3), dtype="int32"), y=a, name=n
        ),
        lambda a: torch.arange(2, 11, 3) + a,
    ),
    "range_down": (
        lambda mb, n, a: mb.add(x=mb.range_1d(start=5, end=-4, step=-3), y=a, name=n),
        lambda a: torch.arange(5, -4, -3) + a,
    ),
}


def _updated(a: np.ndarray, b: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    a[:, 1:5:2, 0:4:3] = b
    return a


def given(dtype: str, *shape: int) -> torch.Tensor:
    return numbers(*shape) if dtype != "int32" else torch.arange(np.prod(shape)).view(shape).int()


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_numbers_are_moved(tmp_path: Path, dtype: str, mode: str) -> None:
    alone = ["concat_interleaved"]  # coremltools 9.0 does not interleave

    assert wrong(tmp_path, SHAPES, [given(dtype, 2, 4, 6, 5)], [dtype], mode, alone=alone) == {}


@pytest.mark.parametrize(("dtype", "mode"), MODES[:3])
def test_floats_are_moved(tmp_path: Path, dtype: str, mode: str) -> None:
    assert wrong(tmp_path, FLOATS, [given(dtype, 2, 4, 6, 5)], [dtype], mode) == {}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_a_part_is_replaced(tmp_path: Path, dtype: str, mode: str) -> None:
    inputs = [given(dtype, 2, 6, 4), given(dtype, 2, 2, 2)]

    assert wrong(tmp_path, UPDATED, inputs, [dtype, dtype], mode, "iOS18") == {}


def test_ranges(tmp_path: Path) -> None:
    assert wrong(tmp_path, RANGES, [given("int32", 3)], ["int32"], "typed") == {}
