"""Gather, scatter, order and reduction: against torch, numpy and coremltools itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.convert.mil.cases import Ops, like, wrong
from tests.convert.mil.programs import numbers, run, write

MODES = [("fp32", "fp32"), ("fp16", "fp32"), ("fp16", "typed")]


def reduced(name: str, right: Any, **asked: Any) -> Any:
    return (lambda mb, n, a: getattr(mb, name)(x=a, name=n, **asked), right)


# Of an input of shape (3, 4, 5)
REDUCTIONS: Ops = {
    "mean": reduced(
        "reduce_mean", lambda a: a.mean((1, 2), keepdim=True), axes=[1, 2], keep_dims=True
    ),
    "mean_one": reduced("reduce_mean", lambda a: a.mean(1), axes=[-2], keep_dims=False),
    "mean_all": reduced("reduce_mean", lambda a: a.mean()),
    "sum": reduced("reduce_sum", lambda a: a.sum(0), axes=[0]),
    "max": reduced("reduce_max", lambda a: a.max(1).values, axes=[1]),
    "min": reduced("reduce_min", lambda a: a.min(2, keepdim=True).values, axes=[2], keep_dims=True),
    "prod": reduced("reduce_prod", lambda a: a.prod(2).prod(0), axes=[0, 2]),
    "prod_kept": reduced(
        "reduce_prod", lambda a: a.prod(1, keepdim=True), axes=[1], keep_dims=True
    ),
    "l1": reduced("reduce_l1_norm", lambda a: a.norm(1, 1), axes=[1]),
    "l2": reduced("reduce_l2_norm", lambda a: a.norm(2, 2), axes=[2]),
    "sum_square": reduced("reduce_sum_square", lambda a: (a**2).sum(2), axes=[2]),
    "log_sum_exp": reduced("reduce_log_sum_exp", lambda a: a.exp().sum(1).log(), axes=[1]),
    "argmax": reduced("reduce_argmax", lambda a: a.argmax(1), axis=1),
    "argmin": reduced(
        "reduce_argmin", lambda a: a.argmin(2, keepdim=True), axis=-1, keep_dims=True
    ),
    "cumsum": reduced("cumsum", lambda a: a.cumsum(1), axis=1),
    "cumsum_rest": reduced(
        "cumsum", lambda a: a.flip(2).cumsum(2).flip(2) - a, axis=2, exclusive=True, reverse=True
    ),
    "argsort": reduced("argsort", lambda a: (-a).argsort(1), axis=1),
    "argsort_up": reduced("argsort", lambda a: a.argsort(2), axis=-1, ascending=True),
    "topk": reduced("topk", lambda a: a.topk(2, 1), k=2, axis=1),
    "topk_low": reduced("topk", lambda a: a.topk(3, 2, largest=False), k=3, axis=2, ascending=True),
    "softmax": reduced("softmax", lambda a: a.exp() / a.exp().sum(1, keepdim=True), axis=1),
    "softmax_default": reduced("softmax", lambda a: a.exp() / a.exp().sum(2, keepdim=True)),
}
LOG_SUM: Ops = {"log_sum": reduced("reduce_log_sum", lambda a: a.sum(1).log(), axes=[1])}
WHOLE: Ops = {
    "sum": reduced("reduce_sum", lambda a: a.sum(1), axes=[1]),
    "max": reduced("reduce_max", lambda a: a.amax((0, 1)), axes=[0, 1]),
    "argmax": reduced("reduce_argmax", lambda a: a.argmax(0), axis=0),
}

# Of an input of shape (3, 4, 5)
GATHERED: Ops = {
    "gather": (
        lambda mb, n, a: mb.gather(x=a, indices=np.int32([2, 0, -1]), axis=1, name=n),
        lambda a: a[:, [2, 0, 3]],
    ),
    "gather_one": (
        lambda mb, n, a: mb.gather(x=a, indices=np.int32(1), axis=2, name=n),
        lambda a: a[:, :, 1],
    ),
    "gather_table": (
        lambda mb, n, a: mb.gather(x=a, indices=np.int32([[0, 2], [1, 1]]), axis=-3, name=n),
        lambda a: a[torch.tensor([[0, 2], [1, 1]])],
    ),
    "gather_batch": (
        lambda mb, n, a: mb.gather(
            x=a, indices=np.int32([[0, 2], [1, 1], [3, 0]]), axis=1, batch_dims=1, name=n
        ),
        lambda a: torch.stack([a[i, at] for i, at in enumerate(([0, 2], [1, 1], [3, 0]))]),
    ),
    "gather_nd": (
        lambda mb, n, a: mb.gather_nd(x=a, indices=np.int32([[0, 2], [2, 3]]), name=n),
        lambda a: torch.stack([a[0, 2], a[2, 3]]),
    ),
    "gather_nd_batch": (
        lambda mb, n, a: mb.gather_nd(
            x=a, indices=np.int32([[[3]], [[0]], [[1]]]), batch_dims=1, name=n
        ),
        lambda a: torch.stack([a[0, [3]], a[1, [0]], a[2, [1]]]),
    ),
    "gather_along_axis": (
        lambda mb, n, a: mb.gather_along_axis(x=a, indices=along(1, 2), axis=1, name=n),
        lambda a: torch.from_numpy(np.take_along_axis(a.numpy(), along(1, 2), 1)),
    ),
    "scatter": (
        lambda mb, n, a: mb.scatter(
            data=a,
            indices=np.int32([3, 1]),
            updates=ones(a, 3, 2, 5),
            axis=1,
            mode="update",
            name=n,
        ),
        lambda a: a.index_fill(1, torch.tensor([1, 3]), 1.0),
    ),
    "scatter_add": (
        lambda mb, n, a: mb.scatter(
            data=a, indices=np.int32([1, 1]), updates=ones(a, 3, 2, 5), axis=1, mode="add", name=n
        ),
        lambda a: a + 2 * (torch.arange(4) == 1).reshape(4, 1),
    ),
    "scatter_nd": (
        lambda mb, n, a: mb.scatter_nd(
            data=a, indices=np.int32([[0, 1], [2, 2]]), updates=ones(a, 2, 5), mode="update", name=n
        ),
        lambda a: _filled(a.clone(), [(0, 1), (2, 2)]),
    ),
    "scatter_nd_add": (
        lambda mb, n, a: mb.scatter_nd(
            data=a, indices=np.int32([[0], [0]]), updates=ones(a, 2, 4, 5), mode="add", name=n
        ),
        lambda a: a + 2 * (torch.arange(3) == 0).reshape(3, 1, 1),
    ),
    "scatter_along_axis": (
        lambda mb, n, a: mb.scatter_along_axis(
            data=a, indices=along(1, 1), updates=ones(a, 3, 1, 5), axis=1, mode="update", name=n
        ),
        lambda a: a.scatter(1, torch.from_numpy(along(1, 1)).long(), 1.0),
    ),
    "scatter_along_axis_add": (
        lambda mb, n, a: mb.scatter_along_axis(
            data=a, indices=along(1, 2), updates=ones(a, 3, 2, 5), axis=1, mode="add", name=n
        ),
        lambda a: a.scatter_add(1, torch.from_numpy(along(1, 2)).long(), torch.ones(3, 2, 5)),
    ),
}

ONE_HOT: Ops = {
    "one_hot": (
        lambda mb, n, a: mb.one_hot(indices=a, one_hot_vector_size=6, name=n),
        lambda a: torch.nn.functional.one_hot(a.long(), 6),
    ),
    "one_hot_first": (
        lambda mb, n, a: mb.one_hot(
            indices=a,
            one_hot_vector_size=6,
            axis=0,
            on_value=np.float32(2),
            off_value=np.float32(-1),
            name=n,
        ),
        lambda a: torch.nn.functional.one_hot(a.long(), 6).T * 3.0 - 1,
    ),
}


def along(axis: int, size: int) -> Any:
    shape = [3, 4, 5]
    shape[axis] = size
    return np.random.default_rng(0).integers(0, 4, shape).astype(np.int32)


def ones(variable: Any, *shape: int) -> Any:
    return like(variable, np.ones(shape))


def _filled(a: torch.Tensor, places: list[tuple[int, int]]) -> torch.Tensor:
    for place in places:
        a[place] = 1.0
    return a


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_many_become_one(tmp_path: Path, dtype: str, mode: str) -> None:
    alone = ["cumsum_rest"]  # coremltools 9.0 raises TypeError

    assert wrong(tmp_path, REDUCTIONS, [numbers(3, 4, 5)], [dtype], mode, alone=alone) == {}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_the_logarithm_of_a_sum(tmp_path: Path, dtype: str, mode: str) -> None:
    assert wrong(tmp_path, LOG_SUM, [numbers(3, 4, 5).abs()], [dtype], mode) == {}


def test_whole_numbers_become_one(tmp_path: Path) -> None:
    given = torch.arange(60).reshape(3, 4, 5).int() * 7 % 31

    assert wrong(tmp_path, WHOLE, [given], ["int32"], "typed") == {}


@pytest.mark.parametrize(("dtype", "mode"), MODES)
def test_numbers_are_looked_up(tmp_path: Path, dtype: str, mode: str) -> None:
    alone = ["scatter_along_axis_add"]  # coremltools 9.0 overwrites instead

    assert wrong(tmp_path, GATHERED, [numbers(3, 4, 5)], [dtype], mode, alone=alone) == {}


def test_one_hot(tmp_path: Path) -> None:
    given = torch.tensor([5, 0, 3], dtype=torch.int32)

    assert wrong(tmp_path, ONE_HOT, [given], ["int32"], "fp32") == {}


def test_places_that_are_not_zero(tmp_path: Path) -> None:
    """How many there are is not known before; their sums are."""
    path = write(
        tmp_path / "p.mlpackage",
        lambda mb, a: mb.reduce_sum(x=mb.non_zero(x=a), axes=[0], name="y"),
        [(3, 4)],
    )
    given = torch.tensor([[0.0, 1, 0, 2], [0, 0, 0, 0], [0, 0, -1, 0]])

    assert run(path, [given])["y"].tolist() == [0 + 0 + 2, 1 + 3 + 2]
